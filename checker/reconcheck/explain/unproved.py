"""Finds out what is missing where there is neither a proof nor a trace, in the model's own names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from msgspec.structs import replace

from reconcheck.engines.blurring import tells
from reconcheck.engines.gaps import Gap
from reconcheck.engines.prove import Prover
from reconcheck.explain.missing import Doubt, Missing, Unbounded, Way
from reconcheck.explain.trace import line_of
from reconcheck.model import expr as e
from reconcheck.model.managers import live_name
from reconcheck.model.operator import Goal, Operator
from reconcheck.model.types import IntType, OpaqueType, Value
from reconcheck.semantics.steps import Endless, Kind
from reconcheck.semantics.system import Command, System

ELEMENT = re.compile(r"\[\d+\]")
MOST_ADVICE = 3
"""Fields that are advised to be bounded."""


def advised(missing: Missing, operator: Operator, out_of_time: bool) -> tuple[str, ...]:
    """What could help, the most promising first."""
    found: list[str] = []
    if missing.doubt is not None and (missing.doubt.kind == "numbers" or missing.doubt.blurred):
        found.append(
            "of what is computed from numbers without bounds, proofs see what runs compare or write: ask for that, or "
            "bound them"
        )
    for one in missing.unbounded[:MOST_ADVICE]:
        place = "" if one.line is None else f" (L{one.line})"
        found.append(f"bound {one.field}{place}: a range such as `0..3` in the place of `{one.type}` can be listed")
    large = [f"{name} = {value}" for name, value in operator.parameters if value > 1]
    if large:
        found.append(f"a smaller system: `--set` with less than {', '.join(large)}")
    if out_of_time:
        found.append("a longer `--timeout`")
    elif missing.doubt is not None and missing.doubt.kind in ("rest", "cycle"):
        found.append("more time would not help the proof: it has nothing left to try")
    return tuple(found)


def missing_proof(system: System, goal: Goal, prover: Prover | None) -> Missing:
    """What is missing for a proof of a goal, which is what the prover looked at last; None where none was made."""
    parts = e.conjuncts(goal.formula)
    if prover is None:
        return Missing(open=tuple(map(e.show, parts)))
    proved = [part for part in parts if prover.proved.get(part)]
    tried = [part for part in parts if part in prover.proved and part not in proved]
    others = [part for part in parts if part not in prover.proved]
    live = [system.commands[number] for number in sorted(prover.found.settling.live)]
    return Missing(
        tuple(map(e.show, proved)),
        tuple(map(e.show, tried)),
        tuple(map(e.show, others)),
        _doubt(system, prover.gap(tried[0]), prover.found.settling.live) if tried else None,
        not live,
        _ways(system.operator, live),
    )


def missing_invariant(system: System, goal: Goal, gap: Gap | None) -> Missing:
    """What is missing for a proof that something always holds, or never."""
    return Missing(open=(e.show(goal.formula),), doubt=None if gap is None else _doubt(system, gap))


def _doubt(system: System, gap: Gap, live: Collection[int] = ()) -> Doubt:
    """A gap in the model's own names; only what is live can be a step of a cycle."""
    steps = _ways(system.operator, [system.commands[number] for number in gap.commands if number in live])
    size = 0 if gap.slice is None else len(gap.slice.columns)
    blurred = () if gap.slice is None else tuple(_blurred(system, gap.slice.keep | e.names(gap.part)))
    return Doubt(e.show(gap.part), str(gap.kind), tuple(dict(_values(system, gap)).items()), steps, size, blurred)


def _blurred(system: System, keep: frozenset[str]) -> Iterator[str]:
    """The conditions of reconciles and processes on kept fields that a slice takes for true or false as it likes."""
    shown: set[str] = set()
    types = {variable.name: variable.type for variable in system.variables}
    for command in system.commands:
        if command.step.kind is not Kind.FAIR:
            continue
        for part in _comparisons(command.guard):
            live = {name: live_name(name) for name in e.names(part)}
            if tells(part) or not all(is_field(system.operator, name) and name in keep for name in live.values()):
                continue
            text = e.show(e.substitute(part, {old: e.Var(new, types[new]) for old, new in live.items() if old != new}))
            if text not in shown:
                shown.add(text)
                yield text


def _comparisons(formula: e.Expr) -> Iterator[e.Expr]:
    """The comparisons that a formula is made of."""
    if isinstance(formula, e.Equal | e.AtMost):
        yield formula
    else:
        for part in e.parts(formula):
            yield from _comparisons(part)


def _values(system: System, gap: Gap) -> Iterator[tuple[str, Value]]:
    """The fields of the model in the state of a gap, and the conditions on fields that its slice sees."""
    if gap.slice is None:
        return
    types = {variable.name: variable.type for variable in system.variables}
    terms = {one.name: one.term for one in gap.slice.predicates}
    for column, value in zip(gap.slice.columns, gap.values, strict=False):
        if column.name in terms:
            term = terms[column.name]
            if all(is_field(system.operator, name) for name in e.names(term)):
                yield e.show(term), value
        elif is_field(system.operator, column.name):
            endless = isinstance(types[column.name], IntType) and isinstance(column.type, OpaqueType)
            yield column.name, _letter(int(value)) if endless else value


def _letter(number: int) -> Value:
    """A number that a slice tells from others only."""
    return 0 if number == 0 else f"n{number}"


def is_field(operator: Operator, name: str) -> bool:
    """Whether a variable is one that the model declares, or whether an object exists or is being deleted."""
    holder, _, last = name.rpartition(".")
    return name in operator.declared or (holder in operator.objects and last in ("exists", "deleting"))


# ---- steps -----------------------------------------------------------------------------------------------------


def _ways(operator: Operator, commands: Iterable[Command]) -> tuple[Way, ...]:
    """The steps of some commands, those that are alike as one; bookkeeping only where there is nothing else."""
    several = list(commands)
    several = [one for one in several if one.step.kind is not Kind.FAULT] or several
    telling = [one for one in several if any(is_field(operator, name) for name, _ in one.updates)]
    found: dict[tuple[str, str], Way] = {}
    steps = dict.fromkeys(one.step for one in telling or several)
    for step in steps:
        key = ELEMENT.sub("[]", step.action), ELEMENT.sub("[]", step.detail)
        if key in found:
            found[key] = replace(found[key], more=found[key].more + 1)
        else:
            found[key] = Way(step, line_of(operator, step))
    return tuple(found.values())


# ---- numbers ---------------------------------------------------------------------------------------------------


def unbounded(system: System) -> tuple[Unbounded, ...]:
    """The fields that can become any number by themselves, and not only as copies of others."""
    operator = system.operator
    given: dict[str, list[tuple[Command, e.Expr]]] = {}
    for command in (system.initial, *system.commands):
        for name, value in command.updates:
            given.setdefault(name, []).append((command, value))
    found: dict[str, Unbounded] = {}
    for variable in system.variables:
        if not isinstance(variable.type, IntType) or not is_field(operator, variable.name):
            continue
        alike = ELEMENT.sub("[]", variable.name)
        if alike in found:
            found[alike] = replace(found[alike], more=found[alike].more + 1)
            continue
        ways = given.get(variable.name, [])
        choosing = [command for command, value in ways if _chooses(command, value)]
        counting = [one for one, value in ways if _counts(value, variable.name, variable.type, given)]
        if choosing or counting:
            span = operator.declared.get(variable.name)
            steps = _ways(operator, [one for one in choosing or counting if one is not system.initial])
            line = None if span is None else span.line
            found[alike] = Unbounded(variable.name, line, str(variable.type), bool(choosing), steps)
    return tuple(found.values())


def choosing(system: System, endless: Endless) -> str:
    """Which step of the model chooses what among all numbers."""
    steps = (system.initial, *system.commands)
    given = (
        name
        for command in steps
        if command.step == endless.step
        for name, value in command.updates
        if endless.variable in e.names(value)
    )
    name = next((name for name in given if is_field(system.operator, name)), "a number")
    if endless.step == system.initial.step:
        return f"{name} may be any number at first"
    return f"{endless.step} chooses {name} among all numbers"


def _chooses(command: Command, value: e.Expr) -> bool:
    endless = {variable.name for variable in command.inputs if isinstance(variable.type, IntType)}
    return not endless.isdisjoint(e.names(value))


def _counts(value: e.Expr, name: str, type_: IntType, given: dict[str, list[tuple[Command, e.Expr]]]) -> bool:
    """Whether a value is more than the variable that it is for was, or less where that is possible."""
    values = [value]
    for local in [one for one in e.names(value) if "/" in one]:
        values += [of_local for _, of_local in given.get(local, ())]
    read = {live_name(one) for one_value in values for one in e.names(one_value)}
    return name in read and any(_moves(one, type_) for one in values)


def _moves(value: e.Expr, type_: IntType) -> bool:
    if isinstance(value, e.Arithmetic) and (value.operator != "-" or not type_.natural):
        return True
    return any(_moves(part, type_) for part in e.parts(value))
