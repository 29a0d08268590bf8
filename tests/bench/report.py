"""The recorded sections as a page: results.md."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from . import growth
from .record import CORPUS, DIAGNOSIS, FAMILY, KNOWN, PEER, Section
from .verification import Row

TARGET = 2
"""A model of a real operator is to take no more than so many times what it takes to start."""

DIAGNOSIS_TARGET = 5.0
"""Seconds that the whole diagnosis of a model of a real operator is to take, on two cores."""

HEAD = """# Benchmark results

Written by `python -m tests.bench`; what is measured and how is in [README.md](README.md). Seconds are those of a
whole process, from its start to its end. "x floor" is their ratio to the start-up floor, measured in the same run:
`python -c "import z3, lark, click"`.
"""

VARIANTS = ("all watched", "one not watched")


def page(sections: Sequence[Section]) -> str:
    """The whole page."""
    every = (KNOWN, CORPUS, DIAGNOSIS, FAMILY, PEER)
    kinds = {kind: [section for section in sections if section.kind == kind] for kind in every}
    parts = [HEAD]
    for section in kinds[KNOWN]:
        parts.append(_known(section))
    for section in kinds[CORPUS]:
        parts.append(_corpus(section))
    for section in kinds[DIAGNOSIS]:
        parts.append(_diagnosis(section))
    if kinds[FAMILY]:
        parts.append(_families(kinds[FAMILY]))
    if kinds[PEER]:
        parts.append(_peers(kinds[PEER], kinds[FAMILY]))
    return "\n".join(parts)


def _known(section: Section) -> str:
    ratios = [row["seconds"] / section.floor for row in section.rows]
    again = [row["again"]["seconds"] for row in section.rows if row["again"]["seconds"] is not None]
    rows = sorted(section.rows, key=lambda row: (-row["seconds"], row["model"]))
    table = _table(
        ["model", "outcome", "seconds", "x floor", "again", "x floor", "MB", "answers", "states", "obligations"],
        [
            [
                row["model"],
                row["outcome"],
                _seconds(row["seconds"]),
                _ratio(row["seconds"], section.floor),
                *_again(row["again"]["seconds"], section.floor),
                f"{row['megabytes']:.0f}",
                str(len(row["answers"])),
                *_effort(row),
            ]
            for row in rows
        ],
    )
    within = sum(ratio <= TARGET for ratio in ratios)
    return "\n".join(
        [
            "## The models of real operators\n",
            _conditions(section),
            f"{len(rows)} models: the median takes {statistics.median(ratios):.1f} x the floor, the slowest "
            f"{max(ratios):.1f} x; {within} take no more than {TARGET} x.{_again_said(again, section.floor)}\n",
            table,
        ]
    )


def _again_said(again: list[float], floor: float) -> str:
    if not again:
        return ""
    within = sum(one <= TARGET * floor for one in again)
    return (
        f" Again, with nothing changed since, the median takes {statistics.median(again) / floor:.1f} x, the slowest "
        f"{max(again) / floor:.1f} x; {within} take no more than {TARGET} x."
    )


def _again(seconds: float | None, floor: float) -> tuple[str, str]:
    return ("-", "-") if seconds is None else (_seconds(seconds), _ratio(seconds, floor))


def _diagnosis(section: Section) -> str:
    rows = sorted(section.rows, key=lambda row: (-row["seconds"], row["model"]))
    table = _table(
        ["model", "outcome", "wall", "processor", "within 5 s", "MB", "repairs", "not told", "questions", "looked at"],
        [
            [
                row["model"],
                row["outcome"],
                _seconds(row["wall"]),
                _seconds(row["processor"]),
                "yes" if _in_target(row) else "NO",
                f"{row['megabytes']:.0f}",
                *_diagnosed(row["diagnosis"]),
            ]
            for row in rows
        ],
    )
    done = [row["diagnosis"] for row in rows if row["diagnosis"] is not None]
    asked, looked = (sum(one[key] for one in done) for key in ("asked", "looked_at"))
    within = sum(map(_in_target, rows))
    clock = "" if section.clock == "wall" else " of processor time"
    return "\n".join(
        [
            "## The whole diagnosis of the models of real operators\n",
            _conditions(section),
            f"Verdicts, levels, necessity and repairs, each in one run. The target is {DIAGNOSIS_TARGET:g} s on two "
            f"cores. {within} of {len(rows)} models are within it; the median takes "
            f"{_seconds(statistics.median(row['seconds'] for row in rows))} s{clock}, the slowest "
            f"{_seconds(rows[0]['seconds'])} s. Of {asked:,} questions something was looked at for {looked:,}: "
            "the others were answered by an answer, a run or a state graph that was there.\n",
            table,
        ]
    )


def _corpus(section: Section) -> str:
    table = _table(
        ["run", "outcome", "models", "computed", "seconds", "processor", "target", "x floor", "MB"],
        [
            [
                row["run"],
                row["outcome"] + (f": {row['message']}" if "message" in row else ""),
                f"{row['models']:,}",
                f"{row['computed']:,}",
                _seconds(row["seconds"]),
                _seconds(row["processor"]),
                f"{'met' if row['seconds'] < row['target'] else 'missed'}: {row['target']} s",
                _ratio(row["seconds"], section.floor),
                f"{row['megabytes']:.0f}",
            ]
            for row in section.rows
        ],
    )
    return "\n".join(
        [
            "## All of these models in one run\n",
            _conditions(section),
            '`reconcheck verify models/ --jobs 2`, with `--no-cache` and without; "computed" are the models whose '
            "answers were not remembered.\n",
            table,
        ]
    )


def _in_target(row: Row) -> bool:
    return row["seconds"] <= DIAGNOSIS_TARGET and row["diagnosis"] is not None


def _diagnosed(found: Row | None) -> list[str]:
    """Repairs, what is not told, questions, and those that were looked at; empty without a diagnosis."""
    keys = ("repairs", "not_told", "asked", "looked_at")
    return ["" if found is None else f"{found[key]:,}" for key in keys]


def _families(sections: Sequence[Section]) -> str:
    summary = _table(
        ["family", "largest N", "seconds", "x floor", "MB", "exponent", "above the floor", "the next"],
        [_family_summary(section) for section in sections],
    )
    parts = [
        "## Families\n",
        'The largest N at which all goals are answered within the limit; "the next" is what came after it. The '
        "exponent e is that of the best fit of seconds ~ N^e to all N answered from 4 on, as measured, and with the "
        "floor taken off.\n",
        summary,
    ]
    for section in sections:
        rows = []
        before: growth.Point | None = None
        for row in section.rows:
            point = (row["size"], row["seconds"])
            factor = growth.per_doubling(before, point) if before else None
            rows.append(
                [
                    str(row["size"]),
                    row["outcome"],
                    _verdicts(row),
                    _seconds(row["seconds"]),
                    _seconds(row["processor"]),
                    _ratio(row["seconds"], section.floor),
                    f"{row['megabytes']:.0f}",
                    *_effort(row),
                    "" if factor is None else f"{factor:.2f}",
                ]
            )
            before = point if row["outcome"] == "answered" else None
        header = ["N", "outcome", "verdicts", "seconds", "processor", "x floor", "MB", "states", "obligations"]
        parts += [f"### {section.name}\n", _conditions(section), _table([*header, "per doubling"], rows)]
    return "\n".join(parts)


def _family_summary(section: Section) -> list[str]:
    answered = _answered(section.rows)
    last = section.rows[-1]
    following = "" if last["outcome"] == "answered" else f"{last['size']}: {_why(last, section.limit)}"
    if not answered:
        return [section.name, "none", "", "", "", "", "", following]
    largest = max(answered, key=lambda row: row["size"])
    return [
        section.name,
        str(largest["size"]),
        _seconds(largest["seconds"]),
        _ratio(largest["seconds"], section.floor),
        f"{largest['megabytes']:.0f}",
        *_exponents(answered, section.floor),
        following,
    ]


def _peers(sections: Sequence[Section], families: Sequence[Section]) -> str:
    rows = [row for section in sections for row in _peer_summary(section)]
    full = {section.name: section for section in families}
    pair = [full.get(name) for name in ("fanout, bounded", "fanout-missing-watch, bounded")]
    if all(pair):
        rows.append(
            [
                "reconcheck, its own fan-out",
                "converges",
                *(cell for one in pair if one for cell in _reach(one.rows)),
                "",
                "",
            ]
        )
    summary = _table(
        [
            "checker",
            "question",
            *(f"{v}: {what}" for v in VARIANTS for what in ("largest N", "seconds")),
            "at first",
            "exponent",
        ],
        rows,
    )
    parts = [
        "## One small operator in several checkers\n",
        "The operator of `peer_models.py`: no caches, no faults, atomic reconciles, 0..2 for every number. With all "
        "secondaries watched the goal holds; with one not watched it fails, quietly. The question is whether it "
        'converges; or, much easier, only whether nothing comes to rest without the goal ("quiet"). Given is the '
        'largest N answered within the limit; "at first" are the seconds for the smallest N, mostly those to start '
        "(Spin has gcc compile a program each time); the exponent is fitted from N = 4 on, with all watched. Of "
        "reconcheck there are two rows: the same operator, as near as its language comes, and its own fan-out with "
        "caches, crashes, conflicts and failing requests.\n",
        summary,
    ]
    for section in sections:
        table = _table(
            ["question", "variant", "N", "outcome", "seconds", "processor", "MB", "states"],
            [
                [
                    row["question"],
                    row["variant"],
                    str(row["size"]),
                    row["outcome"],
                    _seconds(row["seconds"]),
                    _seconds(row["processor"]),
                    f"{row['megabytes']:.0f}",
                    _effort(row)[0],
                ]
                for row in section.rows
            ],
        )
        parts += [f"### {section.name}\n", _conditions(section), table]
    return "\n".join(parts)


def _peer_summary(section: Section) -> list[list[str]]:
    """One row a question."""
    found = []
    for question in dict.fromkeys(row["question"] for row in section.rows):
        asked = [row for row in section.rows if row["question"] == question]
        of = {variant: [row for row in asked if row["variant"] == variant] for variant in VARIANTS}
        first = asked[0]
        points = [(row["size"], row["seconds"]) for row in _answered(of[VARIANTS[0]]) if row["size"] >= 4]
        fitted = growth.exponent(points)
        found.append(
            [
                section.name,
                question,
                *(cell for variant in VARIANTS for cell in _reach(of[variant])),
                _seconds(first["seconds"]) if first["outcome"] == "answered" else "",
                "" if fitted is None else f"{fitted:.1f}",
            ]
        )
    return found


def _reach(rows: Iterable[Row]) -> list[str]:
    """The largest size answered, and its seconds."""
    answered = _answered(rows)
    if not answered:
        return ["none", ""]
    largest = max(answered, key=lambda row: row["size"])
    return [str(largest["size"]), _seconds(largest["seconds"])]


def _answered(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["outcome"] == "answered"]


def _exponents(rows: Iterable[Row], floor: float) -> list[str]:
    points = [(row["size"], row["seconds"]) for row in rows if row["size"] >= 4]
    fitted = [growth.exponent(points), growth.exponent(growth.above(points, floor))]
    return ["" if one is None else f"{one:.2f}" for one in fitted]


def _why(row: Row, limit: float) -> str:
    """Why there is no answer."""
    if row["outcome"] in ("stopped", "late") or row["seconds"] > limit:
        return f"over the limit ({_seconds(row['seconds'])} s)"
    return f"{row['outcome']} after {_seconds(row['seconds'])} s" + (f": {row['message']}" if "message" in row else "")


def _verdicts(row: Row) -> str:
    """The verdicts, with the scope where it is not the usual one; what was expected instead of a wrong one."""
    words = []
    for answer in row["answers"]:
        scope = "" if answer["scope"] == "without schedule" else f" {answer['scope']}"
        instead = f", not {answer['expected']}" if row["outcome"] == "wrong" else ""
        words.append(f"{answer['goal']} {answer['verdict']}{scope}{instead}")
    return "; ".join(words) or row.get("message", "")


def _effort(row: Row) -> list[str]:
    """The most states of an answer, and the obligations of all answers; empty where it is not told."""
    if "states" in row:
        return ["" if row["states"] is None else f"{row['states']:,}", ""]
    states = [answer["states"] for answer in row["answers"] if answer["states"]]
    obligations = [answer["obligations"] for answer in row["answers"] if answer["obligations"]]
    return [f"{max(states):,}" if states else "", f"{sum(obligations):,}" if obligations else ""]


def _conditions(section: Section) -> str:
    """What a section was measured with."""
    machine = ", ".join(f"{name} {value}" for name, value in section.machine.items())
    clock = "" if section.clock == "wall" else " of processor time"
    return f"{machine}. Limit {section.limit:g} s{clock}, floor {section.floor:.3f} s{clock}.\n"


def _seconds(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _ratio(value: float, floor: float) -> str:
    return f"{value / floor:.1f}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"
