"""Findings that need no counterexample: each with a model that has it, and one that has not."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from reconcheck.cli.main import group
from reconcheck.explain.verdict import Report
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import Scope
from reconcheck.render.text import Paint, render_report
from support import GOLDEN

WAITS = """rdsl 1
operator waits {
  runtime controller-runtime 0.24
  primary App as app { status.ready: bool = false }
  external database { up: bool = false }
  controller app for app {
    watch app
    on error backoff
    reconcile {
      let db = live(database)
      when db.up and not app.status.ready { patch app.status.ready = true }
      when COND { requeue look after 10s }
      await change
    }
  }
  environment {
    process comes_up when not database.up { database.up = true }
  }
  faults { api off  call off  crash off  relist off }
  converges { ready: app.status.ready }
}
"""


def report_of(path: Path) -> Report:
    return Verifier(load(path)).report(Scope())


def written(folder: Path, text: str) -> Path:
    path = folder / "model.rdsl"
    path.write_text(text, encoding="utf-8")
    return path


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


@pytest.mark.parametrize(("condition", "expected"), [("true", ["RC307"]), ("not db.up", [])])
def test_a_wait_is_periodic_if_it_goes_on_when_the_goal_holds(
    condition: str, expected: list[str], tmp_path: Path
) -> None:
    text = WAITS.replace("COND", condition if condition != "true" else "db.up or not db.up")
    report = report_of(written(tmp_path, text))
    assert [answer.verdict for answer in report.answers] == ["converges"]
    assert [code for code in codes(report) if code == "RC307"] == expected


def test_a_field_that_no_watch_covers(tmp_path: Path) -> None:
    path = GOLDEN[0].with_name("predicate-drops.rdsl")
    (finding,) = [one for one in report_of(path).findings if one.code == "RC306"]
    assert "`web.status.ready`" in finding.message
    assert finding.span is not None
    assert finding.span.line == 18
    covered = path.read_text(encoding="utf-8").replace("watch web via owner on spec", "watch web via owner on status")
    covered = covered.replace("predicate_drops", "covered")
    covered = "\n".join(line for line in covered.splitlines() if not line.startswith("  expect"))
    assert "RC306" not in codes(report_of(written(tmp_path, covered)))


def test_strict_makes_findings_fail() -> None:
    path = str(GOLDEN[0].with_name("predicate-drops.rdsl"))
    run = CliRunner().invoke(group, ["verify", path, "--jobs", "1"], standalone_mode=False)
    strict = CliRunner().invoke(group, ["verify", path, "--jobs", "1", "--strict"], standalone_mode=False)
    assert (run.return_value, strict.return_value) == (0, 1)


def test_the_fairness_that_a_proof_relies_on_is_said_to_be_used(tmp_path: Path) -> None:
    text = WAITS.replace("COND", "not db.up")
    extra = "process comes_up when not database.up { database.up = true }\n"
    more = extra + "    process beats when app.metadata.beat == 0 { app.metadata.beat = 1 }\n"
    text = text.replace(extra, more).replace("status.ready: bool", "metadata.beat: 0..1 = 0  status.ready: bool")
    report = report_of(written(tmp_path, text))
    assert [answer.verdict for answer in report.answers] == ["converges"]
    used = report.answers[0].relies_on
    assert used is not None
    assert "process comes_up" in used
    shown = render_report(report, Paint(False))
    assert "comes_up (used)" in shown
    assert ("beats (used)" in shown) == ("process beats" in used)
