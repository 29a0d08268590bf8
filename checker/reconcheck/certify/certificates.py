"""Certificates: written for what was proved, and judged later by nothing but the model and a solver."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.certify.check import Checker
from reconcheck.certify.script import script
from reconcheck.certify.solvers import Backend
from reconcheck.certify.wellformed import Form
from reconcheck.diagnostic import Diagnostic, InternalError, ModelError, Severity
from reconcheck.model import expr as e
from reconcheck.model.load import load
from reconcheck.model.operator import UNSCHEDULED, Goal, Operator, Scope
from reconcheck.model.wakeups import wake_ups_of
from reconcheck.proof.certificate import Checked, Flaw, Invariant, Proof, Refused
from reconcheck.proof.document import Header, Source, claimed, document, header, text
from reconcheck.proof.json_reading import parsed
from reconcheck.proof.reading import read_header, read_proof
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.system import System

Tell = Callable[[str], None]


def _nobody(_text: str) -> None:
    """Progress that nobody asked for."""


# ---- writing ---------------------------------------------------------------------------------------------------


class Issued(Struct, frozen=True):
    """A certificate as two files: the proof as JSON, and its obligations as an SMT-LIB 2 script."""

    name: str
    proof: str
    obligations: str
    count: int


def issue(
    operator: Operator, goal: Goal, scope: Scope, proof: Proof | Invariant, label: str, tell: Tell = _nobody
) -> Issued:
    """The certificate of a goal that was proved; `label` begins its name.

    What is written was read back and checked anew.  Raises `InternalError` (RC902) where that fails.
    """
    system = compile_system(operator, scope)
    about = header(operator, goal, scope)
    written = text(document(about, system, goal.formula, proof))
    _, again, reading = read_proof(parsed(written), system)
    if again != proof or again is None:
        wrong = reading.flaws[0].message if reading.flaws else "it is another proof"
        raise InternalError("RC902", f"{goal.name}: the certificate was not read back: {wrong}")
    checker = Checker(system, report=tell)
    result = checker.check(again)
    if isinstance(result, Refused):
        raise InternalError("RC902", f"{goal.name}: the certificate is refused: {result.obligation}: {result.reason}")
    lines = [
        f"reconcheck {about.version}: {operator.name}, {goal.name} ({goal.kind}), {scope}",
        f"model {about.model.file}, SHA-256 {about.model.sha256}",
        *(f"{name} = {value}" for name, value in about.settings),
    ]
    level = "" if scope.level == UNSCHEDULED else "with-schedule" if scope.schedule else f"at-L{scope.level}"
    name = ".".join([label, goal.name, *([level] if level else [])])
    name += "".join(f".without-{rule.replace(' ', '-')}" for rule in scope.without)
    return Issued(name, written, script(lines, checker.solver.discharged), result.obligations)


def labels(files: list[str]) -> dict[str, str]:
    """A name for each model file: its own, after as many of its folders as tell it from the others."""
    found: dict[str, str] = {}
    for file in files:
        parts = Path(file).with_suffix("").parts
        others = [Path(other).with_suffix("").parts for other in files if other != file]
        count = 1
        while count < len(parts) and any(other[-count:] == parts[-count:] for other in others):
            count += 1
        found[file] = "-".join(part.strip("/\\") for part in parts[-count:])
    return found


# ---- judging ---------------------------------------------------------------------------------------------------


class Judgement(Struct, frozen=True):
    """What became of one certificate.

    `verdict` is holds, refused, unknown (the solver gave up) or wrong (it could not be read); of the last, and of
    what makes it another question's, `problems` tell more.  `changes` say how the model differs from the one that
    the certificate was written for.
    """

    file: str
    verdict: str
    about: Header | None = None
    obligation: str = ""
    reason: str = ""
    code: str = ""
    obligations: int = 0
    solver: str = ""
    seconds: float = 0.0
    problems: tuple[Diagnostic, ...] = ()
    changes: tuple[Diagnostic, ...] = ()


class Judge:
    """Judges certificates about one model.  Raises `ModelError` where that is wrong itself."""

    def __init__(self, model: Path, settings: Mapping[str, int], backend: Backend, tell: Tell = _nobody) -> None:
        self.model, self.settings, self.backend, self.tell = model, dict(settings), backend, tell
        self._operators: dict[tuple[tuple[str, int], ...], Operator] = {}
        self._systems: dict[tuple[tuple[tuple[str, int], ...], Scope], System] = {}
        self._operator(self.settings)

    def judge(self, file: Path) -> Judgement:
        """The judgement on a certificate in a file."""
        try:
            return self.judge_text(str(file), file.read_text(encoding="utf-8"))
        except OSError as error:
            return _wrong(str(file), None, [Flaw("", "RC501", f"it cannot be read: {error.strerror}")])
        except UnicodeDecodeError:
            return _wrong(str(file), None, [Flaw("", "RC501", "it is no UTF-8 text")])

    def judge_text(self, file: str, content: str) -> Judgement:
        """The judgement on a certificate."""
        started = time.monotonic()
        try:
            judgement = self._judge(file, content)
        except RecursionError:
            judgement = _wrong(file, None, [Flaw("", "RC501", "it is nested too deeply")])
        solver = f"{self.backend.name} {self.backend.version}"
        return replace(judgement, seconds=time.monotonic() - started, solver=solver)

    def _judge(self, file: str, content: str) -> Judgement:
        try:
            parts = parsed(content)
        except ValueError as error:
            return _wrong(file, None, [Flaw("", "RC501", f"it is no JSON: {error}")])
        about, reading = read_header(parts)
        if about is None:
            return _wrong(file, None, reading.flaws)
        settings = {**dict(about.settings), **self.settings}
        try:
            operator = self._operator(settings)
        except ModelError as error:
            return Judgement(file, "wrong", about, problems=error.diagnostics)
        changes = _changes(about, operator, self.settings)
        about = replace(about, settings=header(operator, operator.goals[0], about.scope).settings)
        other = _other_question(about, operator)
        if other is not None:
            return Judgement(file, "refused", about, reason=other, code="RC507", changes=changes)
        return self._check(file, about, operator, self._system(operator, settings, about.scope), parts, changes)

    def _check(
        self, file: str, about: Header, operator: Operator, system: System, parts: Any, changes: tuple[Diagnostic, ...]
    ) -> Judgement:
        goal = operator.goal(about.goal)
        formula, proof, reading = read_proof(parts, system)
        flaws = list(reading.flaws)
        if proof is not None:
            flaws += Form(system).of_proof(proof)
        if flaws or formula is None or proof is None:
            return _wrong(file, about, flaws, changes)
        asked = _other_formula(goal, formula, proof)
        if asked is not None:
            return Judgement(file, "refused", about, reason=asked, code="RC507", changes=changes)
        checker = Checker(system, report=self.tell, backend=self.backend)
        match checker.check(proof):
            case Checked(count):
                return Judgement(file, "holds", about, obligations=count, changes=changes)
            case Refused(obligation, reason) as refused:
                verdict, code = ("unknown", "RC511") if refused.gave_up else ("refused", "RC510")
                return Judgement(file, verdict, about, obligation, reason, code, checker.solver.held, changes=changes)

    def _operator(self, settings: Mapping[str, int]) -> Operator:
        key = tuple(sorted(settings.items()))
        if key not in self._operators:
            self._operators[key] = load(self.model, settings).operator
        return self._operators[key]

    def _system(self, operator: Operator, settings: Mapping[str, int], scope: Scope) -> System:
        key = (tuple(sorted(settings.items())), scope)
        if key not in self._systems:
            self._systems[key] = compile_system(operator, scope)
        return self._systems[key]


def _wrong(file: str, about: Header | None, flaws: list[Flaw], changes: tuple[Diagnostic, ...] = ()) -> Judgement:
    places: dict[tuple[str, str], list[str]] = {}
    for flaw in dict.fromkeys(flaws):
        places.setdefault((flaw.code, flaw.message), []).append(flaw.place)
    problems: list[Diagnostic] = []
    for (code, message), where in places.items():
        more = f" and {len(where) - 1} other places" if len(where) > 2 else " and another place" * (len(where) == 2)
        problems.append(Diagnostic(code, f"{where[0]}{more}: {message}" if where[0] else message))
    return Judgement(file, "wrong", about, problems=tuple(problems), changes=changes)


def _changes(about: Header, operator: Operator, asked: Mapping[str, int]) -> tuple[Diagnostic, ...]:
    """How the model differs from the one that a certificate was written for."""
    found: list[Diagnostic] = []

    def change(message: str) -> None:
        instead = "what counts is whether it holds of the model as it is now"
        found.append(Diagnostic("RC508", message, None, instead, severity=Severity.WARNING))

    now = header(operator, operator.goals[0], about.scope)
    if now.operator != about.operator:
        change(f"the certificate is about `{about.operator}`, this is `{now.operator}`")
    if now.model.sha256 != about.model.sha256:
        change(f"{now.model.file} has changed since the certificate was written for {about.model.file}")
    old, new = _by_file(about.imports), _by_file(now.imports)
    for file in sorted(old.keys() | new.keys()):
        if old.get(file) != new.get(file):
            change(f"the import {file} has changed since the certificate was written")
    for name, value in about.settings:
        if asked.get(name, value) != value:
            change(f"the certificate was written for {name} = {value}, asked is {name} = {asked[name]}")
    return tuple(found)


def _by_file(sources: tuple[Source, ...]) -> dict[str, str]:
    return {source.file: source.sha256 for source in sources}


def _other_question(about: Header, operator: Operator) -> str | None:
    """Why the model does not ask what a certificate answers, by names; None where it does."""
    goal = next((goal for goal in operator.goals if goal.name == about.goal), None)
    if goal is None:
        return f"the model has no goal `{about.goal}`"
    if goal.kind != about.question:
        return f"the model asks of `{goal.name}` whether it is {goal.kind}, the certificate says {about.question}"
    known = {one.scoped for one in wake_ups_of(operator.controllers)}
    unknown = [name for name in about.scope.without if name not in known]
    return f"the model has no requeue rule `{unknown[0]}`" if unknown else None


def _other_formula(goal: Goal, formula: e.Expr, proof: Proof | Invariant) -> str | None:
    """Why a proof is not one of the goal; None where it is."""
    if formula != goal.formula:
        return f"the certificate is about `{e.show(formula)}`, the model asks for `{e.show(goal.formula)}`"
    if isinstance(proof, Proof) != (goal.kind == "converges"):
        return f"a proof of another kind is needed for a goal of the kind {goal.kind}"
    proved = proof.goal if isinstance(proof, Proof) else proof.formula
    if proved != claimed(goal):
        return f"what is proved is `{e.show(proved)}`, needed is `{e.show(claimed(goal))}`"
    return None
