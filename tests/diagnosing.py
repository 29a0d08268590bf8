"""What the tests of the diagnosis share: small models, diagnosed in this process."""

from __future__ import annotations

import tempfile
from pathlib import Path

from reconcheck.explain.diagnose import diagnose
from reconcheck.explain.diagnosis import Diagnosis, Levels, Need
from reconcheck.explain.flows import one_hand
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import Loaded, Scope


def loaded(
    controller: str,
    goals: str,
    environment: str = "",
    fields: str = "",
    faults: str = "",
    notifies: bool = False,
) -> Loaded:
    """A model of one App and one external database, whose controller watches and does what is given."""
    text = f"""rdsl 1
operator small {{
  runtime controller-runtime 0.24 {{ resync = none }}
  primary App as app {{ spec.size: 0..1 }}
  external database "a database" {"notifies" if notifies else ""} {{ size: 0..1 = 0 {fields} }}
  controller app for app {{
    {controller}
  }}
  environment {{
    disturbance resized {{ app.spec.size = any }}
    {environment}
  }}
  faults {{ crash off relist off {faults} }}
  {goals}
}}
"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.rdsl"
        path.write_text(text)
        return load(path)


def diagnosed(model: Loaded, scope: Scope | None = None, seconds: float | None = None) -> Diagnosis:
    """The diagnosis of a model."""
    verifier = Verifier(model)
    report = verifier.report(scope or Scope())
    return diagnose(report, one_hand(verifier), seconds, lambda _text: None)


def levels(found: Diagnosis, goal: str) -> Levels:
    """The levels of a goal."""
    return next(one for one in found.levels if one.goal == goal)


def verdicts(found: Diagnosis, goal: str) -> list[str]:
    """The verdicts on a goal, L0 to L4."""
    return [answer.verdict for answer in levels(found, goal).answers]


def need(found: Diagnosis, name: str) -> Need:
    """The need of a wake-up; watches by `watch NAME`."""
    names = {f"watch {one.name}" if one.kind == "watch" else one.name: one for one in found.needs}
    return names[name]
