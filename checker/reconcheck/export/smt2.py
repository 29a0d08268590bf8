"""SMT-LIB 2: a transition system as functions over a datatype of states.

The file declares and defines, and asks nothing.  How to unroll it is said in its header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import assert_never

from reconcheck.export.header import header
from reconcheck.export.system import Action, System
from reconcheck.export.wrapping import LISTS
from reconcheck.model import expr as e
from reconcheck.model.types import BoolType, EnumType, IntType, OpaqueType, RangeType, Type, Value
from reconcheck.semantics.smtlib import number

_WORDS = (
    "true false not and or xor ite distinct let forall exists match par as div mod abs Bool Int Real Array "
    "State Choice Step Name state choice step init trans typed chosen resting s c t "
)
TAKEN = frozenset(_WORDS.split())
"""Words of SMT-LIB, and the names that the file gives to things of its own."""
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
"""Names that are symbols as they are; all others are quoted."""
FOUND = {"converges": "quiet", "always": "violates", "reachable": "reaches"}
"""What is looked for when a question is asked."""
NOTES = (
    "A step is asked for as (trans s c t): from the state s with the choice c, which says which step it is, to the "
    "state t. Every step changes something; where a run may end there is none.",
    "(typed s) holds in all states that can be reached, or the model is wrong. For a goal that converges, quiet finds "
    "runs that end without it; a livelock is a run of calm steps back to a state where it was, on which each unit is "
    "taken or somewhere impossible.",
)


def files(system: System) -> dict[str, str]:
    """One file."""
    name = f"{system.operator.name}.smt2"
    return {name: "\n".join([*LISTS.lines(_Script(system).lines(name)), ""])}


def symbols(names: Iterable[str], taken: set[str]) -> list[str]:
    """A symbol for each name, numbered where the name is taken; it is taken from then on."""
    found: list[str] = []
    for name in names:
        plain = name.replace("|", "!").replace("\\", "!")
        given, count = plain, 2
        while given in taken:
            given, count = f"{plain} #{count}", count + 1
        taken.add(given)
        found.append(given if PLAIN.fullmatch(given) else f"|{given}|")
    return found


def applied(sign: str, terms: Iterable[str], neutral: str) -> str:
    """A term over any number of others."""
    given = list(terms)
    return f"({sign} {' '.join(given)})" if len(given) > 1 else given[0] if given else neutral


class _Script:
    """The text of a system."""

    def __init__(self, system: System) -> None:
        self.system = system
        taken = set(TAKEN)
        names = [variable.name for variable in system.variables]
        self.variables = dict(zip(names, symbols(names, taken), strict=True))
        values = list(dict.fromkeys(v for t in system.types.values() if isinstance(t, EnumType) for v in t.values))
        self.values = dict(zip(values, symbols(values, taken), strict=True))
        actions = (system.initial, *system.actions)
        choices = list(dict.fromkeys(choice for action in actions for choice in action.choices))
        self.choices = dict(zip(choices, symbols((choice.name for choice in choices), taken), strict=True))
        steps = [f"{action.name} begins" if action.name in names else action.name for action in system.actions]
        self.steps = symbols(steps, taken)
        self.takes = symbols((f"take {name}" for name in steps), taken)
        self.possible = dict(zip(system.units, symbols((f"possible {u}" for u in system.units), taken), strict=True))
        self.goals = symbols((f"goal {one.name}" for one in system.questions), taken)
        self.asked = symbols((f"{FOUND[one.kind]} {one.name}" for one in system.questions), taken)

    def lines(self, name: str) -> Iterator[str]:
        """The script."""
        yield from (f"; {line}".rstrip() for line in header(self.system, "SMT-LIB 2", self._run(name), NOTES))
        yield from ("", "(set-logic ALL)", "", *self._types(), "", *self._typed(), "", *self._initial(), "")
        for action, step, take in zip(self.system.actions, self.steps, self.takes, strict=True):
            yield from (*self._action(action, step, take), "")
        yield "(define-fun trans ((s State) (c Choice) (t State)) Bool (and (chosen c) (or"
        yield from (*(f"  ({take} s c t)" for take in self.takes), ")))", "")
        yield from self._questions()

    def _run(self, name: str) -> tuple[str, ...]:
        asked = f"({self.asked[0]} s2)" if self.asked else "(resting s2)"
        return (
            f"append to {name}, for a run of two steps:",
            "  (declare-const c0 Choice) (declare-const c1 Choice) (declare-const c2 Choice)",
            "  (declare-const s0 State) (declare-const s1 State) (declare-const s2 State)",
            "  (assert (init c0 s0)) (assert (trans s0 c1 s1)) (assert (trans s1 c2 s2))",
            f"  (assert {asked}) (check-sat) (get-value (s0 c1 s1 c2 s2))",
            f"then: z3 {name}",
        )

    def _sort(self, type_: Type) -> str:
        if isinstance(type_, EnumType):
            return "Name"
        return "Bool" if isinstance(type_, BoolType) else "Int"

    def _types(self) -> Iterator[str]:
        if self.values:
            yield f"(declare-datatypes ((Name 0)) (({' '.join(f'({value})' for value in self.values.values())})))"
        yield from ("(declare-datatypes ((Step 0)) ((", *(f"  ({step})" for step in self.steps), ")))")
        yield "(declare-datatypes ((State 0)) (((state"
        for variable in self.system.variables:
            comment = f"  ; {'; '.join(variable.comments)}" if variable.comments else ""
            yield f"  ({self.variables[variable.name]} {self._sort(variable.type)}){comment}"
        yield from ("))))", "(declare-datatypes ((Choice 0)) (((choice (step Step)")
        yield from (f"  ({name} {self._sort(choice.type)})" for choice, name in self.choices.items())
        yield "))))"

    def _typed(self) -> Iterator[str]:
        yield "(define-fun typed ((s State)) Bool (and true"
        for variable in self.system.variables:
            yield from self._belongs(f"({self.variables[variable.name]} s)", variable.type, 0)
        yield from ("))", "(define-fun chosen ((c Choice)) Bool (and true")
        for choice, name in self.choices.items():
            yield from self._belongs(f"({name} c)", choice.type, 1)
        yield "))"

    def _belongs(self, term: str, type_: Type, least: int) -> Iterator[str]:
        """That a term is a value of a type, of which `least` is the smallest opaque one."""
        match type_:
            case EnumType(values) if len(values) < len(self.values):
                yield f"  {applied('or', (f'(= {term} {self.values[value]})' for value in values), 'false')}"
            case RangeType(low, high):
                yield f"  (<= {number(low)} {term} {number(high)})"
            case OpaqueType():
                yield f"  (<= {least} {term} {self.system.opaque_values})"
            case IntType(natural=True):
                yield f"  (<= 0 {term})"
            case BoolType() | IntType() | EnumType():
                pass

    def _terms(self, action: Action | None = None) -> _Terms:
        variables = {name: f"({text} s)" for name, text in self.variables.items()}
        chosen = {choice.name: f"({self.choices[choice]} c)" for choice in (action.choices if action else ())}
        return _Terms({**variables, **chosen}, self.values)

    def _initial(self) -> Iterator[str]:
        terms = self._terms(self.system.initial)
        yield "(define-fun init ((c Choice) (s State)) Bool (and (chosen c)"
        for name, value in self.system.initial.updates:
            yield f"  (= ({self.variables[name]} s) {terms.text(value)})"
        yield "))"

    def _action(self, action: Action, step: str, take: str) -> Iterator[str]:
        terms = self._terms(action)
        yield f"; {action.name} ({action.kind})"
        yield from (f";   {comment}" for comment in action.comments)
        yield f"(define-fun {take} ((s State) (c Choice) (t State)) Bool (and"
        yield f"  (= (step c) {step})"
        for part in action.guard.operands if isinstance(action.guard, e.And) else (action.guard,):
            yield f"  {terms.text(part)}"
        after = {name: terms.text(value) for name, value in action.updates}
        for name, text in self.variables.items():
            if name in after:
                yield f"  (= ({text} t) {after[name]})"
        kept = [f"(= ({text} t) ({text} s))" for name, text in self.variables.items() if name not in after]
        yield from ("  ; the rest stays", *(f"  {line}" for line in kept), "))")

    def _questions(self) -> Iterator[str]:
        for unit, actions in self.system.units.items():
            ways = applied("or", map(self._enabled, actions), "false")
            yield f"(define-fun {self.possible[unit]} ((s State)) Bool {ways})"
        none = applied("and", (f"(not ({possible} s))" for possible in self.possible.values()), "true")
        yield from ("; nothing has to happen any more", f"(define-fun resting ((s State)) Bool {none})")
        for question, goal, asked in zip(self.system.questions, self.goals, self.asked, strict=True):
            yield from (f"; {line}" for line in (f"{question.name} ({question.kind})", *question.comments))
            yield f"(define-fun {goal} ((s State)) Bool {self._terms().text(question.formula)})"
            denied = f"(not ({goal} s))"
            found = {"converges": f"(and (resting s) {denied})", "always": denied, "reachable": f"({goal} s)"}
            yield f"(define-fun {asked} ((s State)) Bool {found[question.kind]})"

    def _enabled(self, action: Action) -> str:
        """Where an action is possible."""
        try:
            return self._terms().text(self.system.enabled(action))
        except ValueError:  # a choice without end
            return f"(exists ((c Choice)) (and (chosen c) {self._terms(action).text(action.guard)}))"


class _Terms:
    """Expressions; `names` are the terms for variables, `values` the symbols of the names in enums."""

    def __init__(self, names: dict[str, str], values: dict[str, str]) -> None:
        self.names, self.values = names, values

    def text(self, expr: e.Expr) -> str:
        """An expression."""
        match expr:
            case e.Const(value, type_):
                return self._constant(value, type_)
            case e.Var(name, _):
                return self.names[name]
            case e.Not():
                return self._applied("not", expr)
            case e.And():
                return self._applied("and", expr)
            case e.Or():
                return self._applied("or", expr)
            case e.Equal():
                return self._applied("=", expr)
            case e.AtMost():
                return self._applied("<=", expr)
            case e.Arithmetic(operator, _, _):
                return self._applied(operator, expr)
            case e.Choice():
                return self._applied("ite", expr)
            case _:
                assert_never(expr)

    def _applied(self, sign: str, expr: e.Expr) -> str:
        return f"({' '.join([sign, *map(self.text, e.parts(expr))])})"

    def _constant(self, value: Value, type_: Type) -> str:
        match type_:
            case BoolType():
                return "true" if value else "false"
            case EnumType():
                return self.values[str(value)]
            case RangeType() | IntType() | OpaqueType():
                return number(int(value))
