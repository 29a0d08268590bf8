"""Reports with everything that a renderer can meet, made by hand around one small verified model."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from msgspec.structs import replace

from reconcheck.diagnostic import Diagnostic, Fix, Severity, Span
from reconcheck.explain.cause import Cause, Place
from reconcheck.explain.diagnosis import Diagnosis, Edit, Levels, Need, Repair
from reconcheck.explain.run import INTERNAL, WRONG, Failure, Outcome, Run
from reconcheck.explain.verdict import Answer, Checked, Report
from reconcheck.explain.verify import Verifier
from reconcheck.model.assemble import assemble
from reconcheck.model.operator import SCHEDULED, Expectation, Loaded, Scope
from reconcheck.syntax.cite import Cite
from reconcheck.syntax.parser import parse_text

FILE = "models/small model.rdsl"
TEXT = """rdsl 1
operator small @"pkg/small.go#L1-L9" {
  source "https://github.com/example/small" at "0123456789abcdef0123456789abcdef01234567"
  runtime controller-runtime 0.24
  primary App as app { spec.n: 0..1 = 0 }
  external x "something" { up: bool = false }
  controller app for app {
    watch app @"pkg/small.go#L20"
    requeue poll every 10m
    on error backoff
    reconcile { call x.up = true @"pkg/small.go#L30-L33"  await change @"pkg/old.go#L7" at "fedcba9" }
  }
  environment {
    disturbance edit { app.spec.n = any }
    disturbance down @"README.md" { x.up = false }
  }
  converges { up: x.up @"pkg/small.go#L40" }
  always never_two: app.spec.n < 2
  reachable one: app.spec.n == 1
}
"""
POLLED, ALONE = Scope(SCHEDULED), Scope()


def loaded(text: str = TEXT, file: str = FILE) -> Loaded:
    """A model that is in no file."""
    return assemble(parse_text(text, file), text, Path(file), {})


@cache
def report() -> Report:
    """The report of the model above: `up` is quiet without schedule, everything else is as it should be."""
    return Verifier(loaded()).report(ALONE)


def answer(verdict: str, name: str = "up", scope: Scope = ALONE, **more: object) -> Answer:
    """An answer about a goal of the model, with its run where there should be one."""
    found = next(one for one in report().answers if one.goal.name == "up")
    goal = report().operator.goal(name)
    if verdict in ("quiet", "livelock"):
        made = replace(found, goal=goal, scope=scope, verdict=verdict, code="RC401", causes=())
    elif verdict == "unknown":
        made = Answer(goal, scope, verdict, "the time limit of 1 s was reached", "RC406")
    else:
        made = Answer(goal, scope, verdict)
    return replace(made, **more)


def expected(verdict: str, got: Answer) -> Checked:
    """An `expect` line, in a line of its own, with the answer to it."""
    span = Span(FILE, 19, 3, 19, 30)
    return Checked(Expectation(got.goal.name, verdict, got.scope, span), got)


def with_answers(answers: list[Answer], expectations: list[Checked] | None = None) -> Report:
    """The report with other answers."""
    return replace(report(), answers=tuple(answers), expectations=tuple(expectations or ()))


CAUSE = Cause(
    "RC413",
    "a system that sends no events",
    "external",
    "x changes in step 3, and sends no events {or none that is heard}",
    (
        Place(Span(FILE, 11, 17, 11, 33), (Cite("pkg/small.go#L30-L33", None, Span(FILE, 11, 34, 11, 58)),)),
        Place(Span(FILE, 6, 3, 6, 47)),
    ),
    3,
)
REPAIR = Repair(
    "let x notify",
    (Edit(Span(FILE, 6, 26, 6, 26), "notifies "), Edit(Span(FILE, 9, 5, 9, 27), "watch x")),
    "--- a\n+++ b\n@@ -9 +9 @@\n-    requeue poll every 10m\n+    watch x\n",
    ("up",),
    0,
    (Place(Span(FILE, 6, 3, 6, 47)),),
    0.25,
)
NEED = Need(
    kind="schedule",
    controller="app",
    name="poll",
    span=Span(FILE, 9, 5, 9, 27),
    needed=("up",),
    redundant=("never_two",),
    harmful=(),
    unknown=(),
    never_runs=False,
    wakes_converged=True,
    per_day=144.0,
)


def diagnosis(lowest: int | None = 4, repairs: tuple[Repair, ...] = (REPAIR,)) -> Diagnosis:
    """A diagnosis in which `up` converges from a level on."""
    verdicts = ["converges" if lowest is not None and level >= lowest else "quiet" for level in range(5)]
    levels = Levels("up", tuple(answer(verdict) for verdict in verdicts))
    return Diagnosis((levels,), (NEED,), (("poll",),), (("app", 3), ("other", None)), repairs, ("why | not",))


FINDING = Diagnostic("RC305", "`edit` never happens", Span(FILE, 14, 5, 14, 42), "remove it", None, Severity.WARNING)
MISTAKE = Diagnostic(
    "RC111",
    "`&&` is spelled `and` here",
    Span("broken.rdsl", 3, 5, 3, 7),
    "write `and`",
    Fix(Span("broken.rdsl", 3, 5, 3, 7), "and"),
)
WRONG_MODEL = Failure(WRONG, (MISTAKE,), {"broken.rdsl": "rdsl 1\noperator x {\n  a && b\n}\n"})
UNREADABLE = Failure(WRONG, (Diagnostic("RC101", "cannot read it: no such file", None, "give a path"),), {})
BROKEN = Failure(INTERNAL, (Diagnostic("RC903", "KeyError: 'x'"),), {})


def everything() -> Run:
    """A run with one of each."""
    diverges = answer("quiet", causes=(CAUSE,))
    polled = answer("quiet", scope=POLLED)
    full = replace(
        with_answers([diverges, answer("unknown", "never_two"), answer("reachable", "one")]),
        expectations=(expected("converges", diverges), expected("diverges", polled)),
        findings=(FINDING,),
        diagnosis=diagnosis(),
    )
    good = with_answers([answer("converges")])
    return run(
        (FILE, full), ("good.rdsl", good), ("broken.rdsl", WRONG_MODEL), ("gone.rdsl", UNREADABLE), ("b", BROKEN)
    )


def run(*results: tuple[str, Report | Failure]) -> Run:
    """A run over models."""
    return Run(tuple(Outcome(file, result) for file, result in results), 1.5, 50_000_000, "/tree")
