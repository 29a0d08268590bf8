"""What changed between two models, as Markdown for a comment on a pull request."""

from __future__ import annotations

from reconcheck.explain.difference import Difference
from reconcheck.render.difference import advice, headline, sentence_of, shown, trend, wake_up, worse_runs
from reconcheck.render.markup import LIMIT, block, code, folded, table, within
from reconcheck.render.text import Paint, render_answer

MARK = "<!-- reconcheck diff -->"
"""The first line: whoever writes the comment finds an earlier one by it."""
ROWS = 100
"""Answers in the table; more of them are left out, and said."""


def difference_markdown(found: Difference) -> str:
    """The comment about a difference, of at most 65,536 characters."""
    old, new = found.old.operator, found.new.operator
    verdicts = sorted(found.verdicts, key=lambda one: trend(one) != "WORSE")
    rows = [
        (code(one.goal), code(str(one.scope)), shown(one.before), shown(one.after), _loud(trend(one)))
        for one in verdicts[:ROWS]
    ]
    head = [
        MARK,
        f"### reconcheck diff: {headline(found)}",
        f"{code(old.file)} → {code(new.file)}",
        table(("goal", "scope", "before", "now", ""), rows),
    ]
    if len(verdicts) > ROWS:
        head.append(f"_and {len(verdicts) - ROWS:,} more answers_")
    lists = {
        "Goals": [sentence_of(one) for one in found.questions],
        "Wake-ups": [wake_up(one) for one in found.wake_ups],
        "Assumptions": [
            f"{one.what}: {one.before or 'not there'} -> {one.after or 'not there'}" for one in found.assumptions
        ],
        **(
            {} if found.advice is None else {title.capitalize(): lines for title, lines in advice(found.advice).items()}
        ),
    }
    blocks = [
        f"**{title}**\n\n" + "\n".join(f"- {code(line)}" for line in lines) for title, lines in lists.items() if lines
    ]
    for answer in worse_runs(found):
        run = block(render_answer(new, answer, Paint(False)))
        blocks.append(folded(f"{answer.goal.name}, {answer.scope}: {answer.verdict} now", run))
    if found.advice is not None:
        blocks += [folded(f"to repair: {one.title}", block(one.patch, "diff")) for one in found.advice.offered]
    return within(LIMIT, "\n\n".join(head), blocks, "`reconcheck diff` prints everything.")


def _loud(text: str) -> str:
    return f"**{text}**" if text == "WORSE" else text
