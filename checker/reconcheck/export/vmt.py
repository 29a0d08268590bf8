"""VMT: a transition system as annotated SMT-LIB 2, for nuXmv, ic3ia, Pono and others.

The format has no fairness.  It is in the system instead: `turn` waits for the units one after the other, each time
until the unit is impossible or is taken, then for a state without the goal, and begins anew.  On a fair run on which
the goal fails again and again, and on no other, it comes around again and again; that it does not is the property.
Where a run ends, the step is `idle`.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconcheck.export.beginning import first
from reconcheck.export.header import header
from reconcheck.export.smt2 import applied, symbols
from reconcheck.export.system import Action, Question, System, Variable
from reconcheck.export.targets import Unfit
from reconcheck.export.wrapping import LISTS
from reconcheck.model import expr as e
from reconcheck.model.types import EnumType, OpaqueType, Type
from reconcheck.semantics import smtlib

STEP, IDLE = "step", -1
NOTES = (
    "Names of enums are numbered; `step` is an input, with the number of the action that is taken, or -1 for idle, "
    "which is always possible and changes nothing. Fairness is in the variables `turn`: they wait for each fair unit "
    "in its turn, until it is impossible or taken, and then for a state without the goal.",
)


def files(system: System) -> dict[str, str]:
    """One file.  Raises `Unfit` where a quantifier would be needed."""
    name = f"{system.operator.name}.vmt"
    try:
        return {name: "\n".join([*LISTS.lines(_Script(system).lines(name)), ""])}
    except ValueError as error:
        raise Unfit("whether a step is possible depends on a choice among all numbers; give a `--bound`") from error


def after(name: str) -> str:
    """The variable that holds the next value of another."""
    return f"{name}.next"


class _Script:
    """The text of a system."""

    def __init__(self, system: System) -> None:
        self.system = system
        choices = dict.fromkeys(choice for action in system.actions for choice in action.choices)
        taken = {STEP, *(name for variable in system.variables for name in (variable.name, after(variable.name)))}
        named = symbols((choice.name for choice in choices), taken)  # those of a name can be of several types
        self.choices = {choice: name.strip("|") for choice, name in zip(choices, named, strict=True)}
        self.asked = [question for question in system.questions if question.kind == "converges"]
        self.steps = {id(action): number for number, action in enumerate(system.actions)}

    def lines(self, name: str) -> Iterator[str]:
        """The script."""
        run = (f"give {name} to a model checker that reads VMT, such as ic3ia or Pono,", "or unroll .init and .trans")
        yield from (f"; {line}".rstrip() for line in header(self.system, "VMT", run, NOTES))
        yield ""
        for variable in self.system.variables:
            yield from self._declared(variable)
        for question in self.asked:
            yield f"; how far the run is in being fair to all, and without {question.name}"
            yield from _state(_turn(question), "Int", f".turn {question.name}")
        yield from ("; the step that is taken, and what it chooses", _input(STEP, "Int"))
        yield from (_input(name, smtlib.sort(choice.type)) for choice, name in self.choices.items())
        yield from ("", *self._initial(), "", *self._transitions(), "", *self._properties())

    def _declared(self, variable: Variable) -> Iterator[str]:
        comments = [*variable.comments]
        if isinstance(variable.type, EnumType):
            comments.append(", ".join(f"{number} {value}" for number, value in enumerate(variable.type.values)))
        yield f"; {': '.join([variable.name, *comments])}"
        yield from _state(variable.name, smtlib.sort(variable.type), f".state {variable.name}")

    def _belongs(self, name: str, type_: Type, least: int) -> str:
        """That a variable holds a value of its type, of which `least` is the smallest opaque one."""
        if isinstance(type_, OpaqueType):
            return f"(<= {least} {smtlib.symbol(name)} {self.system.opaque_values})"
        return smtlib.belongs(smtlib.symbol(name), type_)

    def _initial(self) -> Iterator[str]:
        yield "(define-fun .init () Bool (! (and"
        typed = (self._belongs(variable.name, variable.type, 0) for variable in self.system.variables)
        yield from (f"  {condition}" for condition in typed if condition != "true")
        yield from (f"  {smtlib.term(condition)}" for condition in first(self.system))
        yield from (f"  (= {smtlib.symbol(_turn(question))} 0)" for question in self.asked)
        yield "  true) :init true))"

    def _transitions(self) -> Iterator[str]:
        names = [f".step {number}" for number in self.steps.values()]
        for name, action in zip(names, self.system.actions, strict=True):
            yield from self._action(name, action)
        yield "(define-fun .idle () Bool (and"
        yield f"  (= {STEP} {smtlib.number(IDLE)})"
        yield from (f"  {_same(variable.name)}" for variable in self.system.variables)
        yield "))"
        for question in self.asked:
            yield from self._waiting(question)
        yield "(define-fun .trans () Bool (! (and"
        typed = (self._belongs(name, choice.type, 1) for choice, name in self.choices.items())
        yield from (f"  {condition}" for condition in typed if condition != "true")
        yield from (f"  {smtlib.symbol(f'.wait {question.name}')}" for question in self.asked)
        yield from ("  (or .idle", *(f"    {smtlib.symbol(name)}" for name in names), "  )) :trans true))")

    def _action(self, name: str, action: Action) -> Iterator[str]:
        named: dict[str, e.Expr] = {one.name: e.Var(self.choices[one], one.type) for one in action.choices}
        yield f"; {action.name} ({action.kind})"
        yield from (f";   {comment}" for comment in action.comments)
        yield from (f"(define-fun {smtlib.symbol(name)} () Bool (and", f"  (= {STEP} {self.steps[id(action)]})")
        for part in action.guard.operands if isinstance(action.guard, e.And) else (action.guard,):
            yield f"  {smtlib.term(e.substitute(part, named))}"
        changed = dict(action.updates)
        for variable in self.system.variables:
            value = changed.get(variable.name)
            if value is not None:
                text = smtlib.converted(e.substitute(value, named), variable.type)
                yield f"  (= {smtlib.symbol(after(variable.name))} {text})"
        yield "  ; the rest stays"
        yield from (f"  {_same(one.name)}" for one in self.system.variables if one.name not in changed)
        yield "))"

    def _waiting(self, question: Question) -> Iterator[str]:
        """How `turn` goes on."""
        name, turn, next_ = map(smtlib.symbol, (f".wait {question.name}", _turn(question), after(_turn(question))))
        yield f"(define-fun {name} () Bool (= {next_}"
        for number, (unit, actions) in enumerate(self.system.units.items()):
            possible = smtlib.term(e.either(*(self.system.enabled(action) for action in actions)))
            taken = applied("or", (f"(= {STEP} {self.steps[id(action)]})" for action in actions), "false")
            yield f"  ; {unit}"
            yield f"  (ite (= {turn} {number}) (ite (or (not {possible}) {taken}) {number + 1} {turn})"
        goal = smtlib.term(question.formula)
        yield f"  (ite {goal} {turn} 0){')' * len(self.system.units)}))"

    def _properties(self) -> Iterator[str]:
        count = len(self.system.units)
        for number, question in enumerate(self.system.questions):
            yield from (f"; {line}" for line in (f"{question.name} ({question.kind})", *question.comments))
            goal = smtlib.term(question.formula)
            name = smtlib.symbol(f".ask {question.name}")
            match question.kind:
                case "converges":
                    turn = smtlib.symbol(_turn(question))
                    formula, kind = f"(or {goal} (not (= {turn} {count})))", "live-property"
                case "always":
                    formula, kind = goal, "invar-property"
                case _:
                    yield "; reachable if this fails"
                    formula, kind = f"(not {goal})", "invar-property"
            yield f"(define-fun {name} () Bool (! {formula} :{kind} {number}))"


def _turn(question: Question) -> str:
    return f"turn {question.name}"


def _input(name: str, sort: str) -> str:
    return f"(declare-fun {smtlib.symbol(name)} () {sort})"


def _state(name: str, sort: str, label: str) -> tuple[str, ...]:
    """The declaration of a state variable with its next value."""
    here, next_ = smtlib.symbol(name), smtlib.symbol(after(name))
    relation = f"(define-fun {smtlib.symbol(label)} () {sort} (! {here} :next {next_}))"
    return (_input(name, sort), _input(after(name), sort), relation)


def _same(name: str) -> str:
    return f"(= {smtlib.symbol(after(name))} {smtlib.symbol(name)})"
