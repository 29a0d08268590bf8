"""The record of what other checkers said: how it is kept, when they are asked again, and how it is shown."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import referees
from reconcheck.export import promela, smv, tla
from reconcheck.export.system import build
from reconcheck.model.operator import Scope
from referees import Place, Session, Task, main, size_of, truth_of
from referees_log import AGREED, DISAGREED, TOO_LARGE, Campaign, Entry, Log, Run, mark, read, write
from referees_record import page, summary_of, with_summary
from spin import Spin
from support import GOLDEN, search
from support import read as operator_in

ENTRY = Entry(
    "models/a/b.rdsl", "without schedule", "spin", AGREED, 7, holds={"same": True}, export="12", on="2026-01-01"
)
RUN = Run("2026-01-01", ("spin",), "1 answer on models in a scope", 60.0, 90.0, 2, {"cores": "2", "": "Spin 1"})
GOLDEN_MODEL = GOLDEN[0].with_name("missing-watch.rdsl")


# ---- the command -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "say whom to ask"),
        (["--models", str(GOLDEN_MODEL)], "say whom to ask"),
        (["--peer", "spin"], "about what"),
        (["--peer", "spin", "--models", "nowhere"], "nowhere: there is no such file or folder"),
        (["--peer", "nusmv", "--nusmv", "no-such-program", "--models", str(GOLDEN_MODEL)], "build_nusmv.sh"),
        (["--peer", "tlc", "--models", str(GOLDEN_MODEL)], "TLC: "),
    ],
)
def test_who_or_what_is_missing_is_told(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert told in capsys.readouterr().err


def test_a_peer_is_asked_once_and_again_when_the_export_has_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, log = tmp_path / "model.rdsl", tmp_path / "log.jsonl"
    model.write_text(GOLDEN_MODEL.read_text())
    asked = ["--peer", "spin", "--models", str(model), "--log", str(log)]
    assert main(asked) == 0
    assert "1 models, 2 with their scopes, of which 2 are asked about" in capsys.readouterr().out
    known = read(log)
    assert [entry.outcome for entry in known.entries] == [AGREED, AGREED]
    assert all(entry.export and entry.on and not entry.earlier for entry in known.entries)
    assert known.runs[0].tools[""].startswith("Spin ")
    assert main(asked) == 0
    assert "of which 0 are asked about" in capsys.readouterr().out
    model.write_text(f"// a comment more at the end of the file\n{model.read_text()}")  # moves all lines
    assert main(asked) == 0
    assert "of which 2 are asked about" in capsys.readouterr().out
    assert main([*asked, "--again"]) == 0
    assert "of which 2 are asked about" in capsys.readouterr().out
    assert len(read(log).entries) == 2
    assert len(read(log).runs) == 3


def test_a_campaign_is_resumed(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    assert main(["--peer", "spin", "--random", "3", "--states", "60", "--log", str(log)]) == 0
    first = read(log)
    assert [entry.case for entry in first.entries] == ["seed 0", "seed 1", "seed 2"]
    assert main(["--peer", "spin", "--random", "4", "--states", "60", "--log", str(log)]) == 0
    assert read(log).entries[:3] == first.entries
    (campaign,) = read(log).gathered().campaigns
    assert (campaign.first, campaign.last, sum(campaign.outcomes.values())) == (0, 3, 4)


def session(log: Log) -> Session:
    return Session((Spin(),), (Spin(),), log, None, 1, 60.0, False)


def test_what_is_said_of_models_and_scopes_that_are_no_more_is_left_out() -> None:
    there = Task(str(GOLDEN_MODEL), None)
    entry = dataclasses.replace(ENTRY, case=there.case)
    assert there.case == "tests/golden/missing-watch.rdsl"
    log = Log(
        [entry, dataclasses.replace(entry, scope="with schedule"), ENTRY, dataclasses.replace(ENTRY, case="seed 3")]
    )
    one = session(log)
    one._forget({there.case}, [Place(there, Scope(), marks={"spin": "12"})])
    assert [(one.case, one.scope) for one in log.entries] == [(there.case, "without schedule"), ("seed 3", ENTRY.scope)]
    assert not log.entries[0].earlier
    one._forget({there.case}, [Place(there, Scope(), marks={"spin": "13"})])
    assert log.entries[0].earlier


# ---- what is true ----------------------------------------------------------------------------------------------------


def test_the_size_says_who_lists_the_states() -> None:
    operator = operator_in(GOLDEN_MODEL)
    states = len(search(operator, Scope()).graph.states)
    assert size_of(operator, Scope(), 5_000) == states
    small = size_of(operator, Scope(), 10)
    assert small is not None
    assert small > 10
    by_hand = truth_of(operator, Scope(), 5_000, anyhow=True, size=states)
    compiled = truth_of(operator, Scope(), 10, anyhow=True, size=small)
    assert isinstance(by_hand, referees.Truth)
    assert isinstance(compiled, referees.Truth)
    assert (by_hand.by, compiled.by) == ("interpreter", "compiled system")
    assert by_hand.holds == compiled.holds
    assert len(by_hand.states) == len(compiled.states) == states
    assert truth_of(operator, Scope(), 10, anyhow=False, size=small) == TOO_LARGE


# ---- the log ---------------------------------------------------------------------------------------------------------


def test_a_log_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    campaign = Campaign("nusmv", 0, 9, {AGREED: 10}, 20, 300, 4.5, "2026-01-01")
    log = Log([ENTRY, dataclasses.replace(ENTRY, peer="nusmv", outcome=DISAGREED, text="why")], [campaign], [RUN])
    write(log, path)
    known = read(path)
    assert {entry.key: entry for entry in known.entries} == {entry.key: entry for entry in log.entries}
    assert known.campaigns == log.campaigns
    assert known.runs == log.runs
    assert read(tmp_path / "nowhere.jsonl") == Log()


@pytest.mark.parametrize("language", [promela, smv, tla], ids=lambda language: language.__name__)
def test_the_mark_of_an_export_does_not_depend_on_comments(language: object) -> None:
    operator = operator_in(GOLDEN_MODEL)
    files = getattr(language, "files")(build(operator, Scope(), operator.goals))  # noqa: B009
    ((name, text), *rest) = files.items()
    assert mark({name: text.replace("opaque values", "values", 1), **dict(rest)}) == mark(files)
    assert mark({name: text.replace("app", "map"), **dict(rest)}) != mark(files)


def test_random_models_are_put_together_unless_there_is_a_disagreement() -> None:
    seeds = [dataclasses.replace(ENTRY, case=f"seed {n}") for n in (3, 4)]
    odd = dataclasses.replace(ENTRY, case="seed 5", outcome=DISAGREED)
    log = Log([*seeds, odd, ENTRY], [Campaign("spin", 0, 9, {AGREED: 10}, 20, 300, 4.5, "2025-01-01")]).gathered()
    assert log.entries == [odd, ENTRY]
    assert log.campaigns == [Campaign("spin", 3, 4, {AGREED: 2}, 2, 14, 0.0, "2026-01-01")]
    assert "seeds 5 to 5 | disagreed 1 |" in page(log)


# ---- the pages -------------------------------------------------------------------------------------------------------


def test_the_page_says_what_when_and_with_what() -> None:
    tlc = dataclasses.replace(ENTRY, peer="tlc", seconds=2.5, on="2025-12-01", earlier=True)
    text = page(Log([ENTRY, tlc], [], [RUN]))
    assert "| Spin | 1 model | agreed 1 | 1 | 7 | 2026-01-01 | **0** |" in text
    assert "| 2026-01-01 | Spin: 1 answer on models in a scope | 2 | 60 s | 90 s | cores 2, Spin 1 |" in text
    assert "| a/b.rdsl | without schedule | 7 | same yes | agreed, 0.00 s | agreed, 2.5 s¹ |" in text
    assert "¹ is what was said of earlier exports" in text
    assert "| TLC | 1 model, 1 of them¹ | agreed 1 |" in text
    assert "¹" not in page(Log([ENTRY]))
    assert "seeds 0 to 9¹ |" in page(Log([], [Campaign("tlc", 0, 9, {AGREED: 10}, 20, 300, 4.5, "2026-01-01", True)]))


def test_the_page_about_agreement_ends_with_the_sum() -> None:
    log = Log([ENTRY])
    text = with_summary("# Agreement\n\nBefore.\n", log)
    assert text.startswith("# Agreement\n\nBefore.\n\n## Other model checkers\n")
    assert "| Spin | 1 model |" in text
    assert with_summary(text, log) == text
    assert "Before.\n" + summary_of(text) == text.removeprefix("# Agreement\n\n")
    assert summary_of("# Agreement\n") == ""


def test_the_pages_are_those_of_the_record() -> None:
    log = read(referees.RECORD)
    assert referees.PAGE.read_text(encoding="utf-8") == page(log)
    agreement = referees.AGREEMENT.read_text(encoding="utf-8")
    assert with_summary(agreement, log) == agreement
    assert not [entry for entry in log.entries if entry.outcome == DISAGREED]
