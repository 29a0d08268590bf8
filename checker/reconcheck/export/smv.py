"""SMV, for NuSMV and nuXmv.

The module has an input, the step that is to be taken.  A step whose guard does not hold leaves everything as it is,
so that every path is infinite, and a run that ends is one that stays where it is.  Weak fairness of a unit is a
`JUSTICE` constraint: again and again the unit is impossible, or one of its actions was just taken.  Where each of
them makes the unit impossible the second half says nothing new; else the variable `last` remembers who was taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.export.beginning import first
from reconcheck.export.header import header
from reconcheck.export.infix import Level, Printer, Syntax
from reconcheck.export.names import identifiers
from reconcheck.export.system import Action, Question, System, Variable
from reconcheck.export.targets import Unfit
from reconcheck.export.wrapping import INFIX
from reconcheck.model import expr as e
from reconcheck.model.operator import Variable as Declared
from reconcheck.model.types import BoolType, EnumType, IntType, OpaqueType, RangeType, Type, Value, domain, is_finite
from reconcheck.semantics.system import fixed

_WORDS = (
    "MODULE DEFINE MDEFINE CONSTANTS VAR IVAR FROZENVAR INIT TRANS INVAR SPEC CTLSPEC LTLSPEC PSLSPEC COMPUTE NAME "
    "INVARSPEC FAIRNESS JUSTICE COMPASSION ISA ASSIGN CONSTRAINT SIMPWFF CTLWFF LTLWFF PSLWFF COMPWFF IN MIN MAX "
    "MIRROR PRED PREDICATES process array of boolean integer real clock word word1 bool signed unsigned extend "
    "resize sizeof uwconst swconst count toint abs max min floor typeof init next self case esac TRUE FALSE union "
    "in mod xor xnor EX AX EF AF EG AG E A F O G H X Y Z U S V T R BU EBF ABF EBG ABG READ WRITE CONSTARRAY FUN "
    "PARAMETERS step last main in_range "
)
RESERVED = frozenset(_WORDS.split())
"""Words of NuSMV and nuXmv, and the names that this module gives to things of its own."""

IDLE, OTHER = "idle", "nothing"
"""The step that never does anything, and the value of `last` after a step whose unit needs no memory."""
OUTSIDE = "in_range"
"""The property that no step gives a variable a value outside its type."""
NOTES = (
    "A step is an input; one whose guard does not hold leaves everything as it is, and so does `idle`. Where a run "
    "ends, only such steps follow.",
)


def files(system: System) -> dict[str, str]:
    """One file.  Raises `Unfit` where fairness would have to speak of all numbers there are."""
    name = f"{system.operator.name}.smv"
    try:
        return {name: "\n".join([*INFIX.lines(_Module(system).lines(name)), ""])}
    except ValueError as error:
        raise Unfit("whether a step is possible depends on a choice among all numbers; give a `--bound`") from error


def unfair(system: System) -> str:
    """The module without questions, fairness and what fairness has to remember: it has the states of the system."""
    return "\n".join([*INFIX.lines(_Module(system, fair=False).states()), ""])


def properties(system: System) -> dict[str, str]:
    """The name of each question's property."""
    return _Module(system).properties


class Identifiers(Struct, frozen=True):
    """What everything is called; a trace is read back by these."""

    variables: dict[str, str]
    values: dict[str, str]
    """Names of enums.  In SMV they share one space of names with the variables."""
    choices: dict[Variable, str]
    actions: tuple[str, ...]
    """The value of `step` for each action."""
    units: dict[str, str]
    """The value of `last` for each unit."""


def identifiers_of(system: System) -> Identifiers:
    """The identifiers of a system."""
    taken = set(RESERVED)

    def each(names: Iterable[str], prefix: str = "") -> list[str]:
        found: list[str] = []
        for name in names:
            (given,) = identifiers([name], taken, prefix).values()
            taken.add(given)
            found.append(given)
        return found

    names = [variable.name for variable in system.variables]
    values = list(dict.fromkeys(v for t in system.types.values() if isinstance(t, EnumType) for v in t.values))
    choices = list(dict.fromkeys(choice for action in system.actions for choice in action.choices))
    actions = [f"{action.name} begins" if action.name in names else action.name for action in system.actions]
    return Identifiers(
        variables=dict(zip(names, each(names), strict=True)),
        values=dict(zip(values, each(values), strict=True)),
        choices=dict(zip(choices, each(choice.name for choice in choices), strict=True)),
        actions=tuple(each(actions)),
        units=dict(zip(system.units, each(system.units, "last_"), strict=True)),
    )


def only_value(type_: Type) -> Value | None:
    """The value of a type that has one only."""
    if not is_finite(type_):
        return None
    first, *others = domain(type_)
    return None if others else first


class _Module:
    """The text of a system."""

    def __init__(self, system: System, fair: bool = True) -> None:
        self.system = system
        self.identifiers = identifiers_of(system)
        self.syntax = _syntax(self.identifiers.values)
        self.printer = Printer(self.syntax, self.identifiers.variables)
        self.does = tuple(f"does_{name}" for name in self.identifiers.actions)
        units = self.identifiers.units if fair else {}
        self.lasting = {unit: name for unit, name in units.items() if not disables_itself(system, unit)}
        taken = [*RESERVED, *self.identifiers.variables.values(), *self.identifiers.values.values()]
        self.properties = identifiers((question.name for question in system.questions), taken)

    def lines(self, name: str) -> Iterator[str]:
        """The module."""
        yield from (f"-- {line}".rstrip() for line in header(self.system, "SMV", _run(self.system, name), NOTES))
        yield from ("", "MODULE main", "", *self._inputs(), "", *self._variables(), "", *self._actions())
        yield from ("", *self._assignments(), "", *self._initial(), "", *self._fairness(), "", *self._questions())

    def states(self) -> Iterator[str]:
        """The module without questions and fairness."""
        yield from ("MODULE main", *self._inputs(), *self._variables(), *self._actions())
        yield from (*self._assignments(), *self._initial())

    def _inputs(self) -> Iterator[str]:
        yield "IVAR"
        yield from ("  step : {", f"    {IDLE},", *_commas(f"    {name}" for name in self.identifiers.actions), "  };")
        for choice, name in self.identifiers.choices.items():
            yield f"  {name} : {self._type(choice, 1)};"

    def _type(self, variable: Variable, least: int) -> str:
        """The type of a variable or choice; `least` is the smallest opaque value."""
        match variable.type:
            case BoolType():
                return "boolean"
            case EnumType(values):
                return f"{{{', '.join(self.identifiers.values[value] for value in values)}}}"
            case RangeType(low, high):
                return f"{low}..{high}"
            case OpaqueType():
                return f"{least}..{self.system.opaque_values}"
            case IntType():
                return "integer"

    def _variables(self) -> Iterator[str]:
        yield "VAR"
        for variable in self.system.variables:
            if only_value(variable.type) is None:
                yield f"  -- {': '.join([variable.name, *variable.comments])}"
                yield f"  {self.identifiers.variables[variable.name]} : {self._type(variable, 0)};"
        if self.lasting:
            yield "  -- the unit of the step that was just taken, as far as its fairness needs it"
            yield f"  last : {{{', '.join([OTHER, *self.lasting.values()])}}};"

    def _printer(self, action: Action) -> Printer:
        choices = {choice.name: self.identifiers.choices[choice] for choice in action.choices}
        return Printer(self.syntax, {**self.identifiers.variables, **choices})

    def _actions(self) -> Iterator[str]:
        yield "DEFINE"
        for variable in self.system.variables:
            value = only_value(variable.type)
            if value is not None:
                yield f"  -- {variable.name} is always so: NuSMV assigns no variable that has one value only"
                yield f"  {self.identifiers.variables[variable.name]} := {self.syntax.constant(value, variable.type)};"
        for action, step, does in zip(self.system.actions, self.identifiers.actions, self.does, strict=True):
            yield f"  -- {action.name} ({action.kind})"
            yield from (f"  --   {comment}" for comment in action.comments)
            guard = e.both(action.guard, e.negate(action.leaves))
            yield f"  {does} := step = {step} & {self._printer(action).text(guard, Level.AND)};"

    def _assignments(self) -> Iterator[str]:
        yield "ASSIGN"
        for variable in self.system.variables:
            if only_value(variable.type) is not None:
                continue
            name = self.identifiers.variables[variable.name]
            yield f"  next({name}) := case"
            for action, does in zip(self.system.actions, self.does, strict=True):
                for changed, value in action.updates:
                    if changed == variable.name:
                        yield f"    {does} : {self._printer(action).text(value)};"
            yield from (f"    TRUE : {name};", "  esac;")
        if self.lasting:
            yield from (f"  init(last) := {OTHER};", "  next(last) := case")
            for unit, name in self.lasting.items():
                taken = [d for a, d in zip(self.system.actions, self.does, strict=True) if a.fair and a.unit == unit]
                yield f"    {' | '.join(taken)} : {name};"
            yield from (f"    TRUE : {OTHER};", "  esac;")

    def _initial(self) -> Iterator[str]:
        conditions = (self.printer.text(formula, Level.AND) for formula in first(self.system))
        yield from ("INIT", "  " + " &\n  ".join(conditions) + ";")

    def _fairness(self) -> Iterator[str]:
        yield "-- weak fairness: each of these holds again and again"
        for unit, actions in self.system.units.items():
            impossible = e.negate(e.either(*(self.system.enabled(action) for action in actions)))
            taken = f" | last = {self.lasting[unit]}" if unit in self.lasting else ""
            yield f"JUSTICE {self.printer.text(impossible, Level.AND)}{taken}; -- {unit}"

    def _questions(self) -> Iterator[str]:
        for question in self.system.questions:
            yield from (f"-- {comment}" for comment in question.comments)
            yield _question(question, self.properties[question.name], self.printer.text(question.formula))
        leaving = [one for one in self.system.actions if one.leaves != e.FALSE]
        if leaving:
            wrong = (self.system.enabled(replace(one, guard=e.both(one.guard, one.leaves))) for one in leaving)
            yield "-- where this fails a step gives a variable a value outside its type, and the model is wrong"
            yield f"INVARSPEC NAME {OUTSIDE} := {self.printer.text(e.negate(e.either(*wrong)))};"


def _question(question: Question, name: str, formula: str) -> str:
    match question.kind:
        case "converges":
            return f"LTLSPEC NAME {name} := F G ({formula});"
        case "always":
            return f"INVARSPEC NAME {name} := {formula};"
        case _:
            return f"INVARSPEC NAME {name} := !({formula}); -- reachable if this fails"


# ---- fairness --------------------------------------------------------------------------------------------------


def disables_itself(system: System, unit: str) -> bool:
    """Whether each action of a unit surely leaves a state in which no action of the unit is possible."""
    declared = {name: Declared(name, type_, None) for name, type_ in system.types.items()}
    actions = system.units[unit]
    possible = e.either(*(system.enabled(action) for action in actions))
    return all(
        e.substitute(possible, {**fixed(action.guard, declared), **dict(action.updates)}) == e.FALSE
        for action in actions
    )


# ---- text ------------------------------------------------------------------------------------------------------


def _syntax(values: Mapping[str, str]) -> Syntax:
    def constant(value: Value, type_: Type) -> str:
        match type_:
            case BoolType():
                return "TRUE" if value else "FALSE"
            case EnumType():
                return values[str(value)]
            case RangeType() | IntType() | OpaqueType():
                return str(value)

    return Syntax(constant, "!", " & ", " | ", "=", "!=", "<=", ">", ("", " ? ", " : "))


def _commas(texts: Iterable[str]) -> list[str]:
    """Lines with commas between them."""
    lines = list(texts)
    return [*(f"{line}," for line in lines[:-1]), *lines[-1:]]


def _run(system: System, name: str) -> tuple[str, ...]:
    if system.endless:
        return (f"nuXmv -int {name}", "  go_msat; check_ltlspec_ic3; check_invar_ic3")
    return (f"NuSMV -dynamic {name}", f"or, to count states: NuSMV -int {name}", "  go; print_reachable_states")
