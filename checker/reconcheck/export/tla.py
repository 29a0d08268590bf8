"""TLA+, with configurations for TLC.

Each action is a definition, and so is each unit of fairness, which gets `WF_vars`.  What leaves everything as it is
is no step for `WF_vars` either, so that fairness needs nothing else.  Opaque values are a set of model values, in
which `None` is not.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from reconcheck.export.header import header
from reconcheck.export.infix import Level, Printer, Syntax
from reconcheck.export.names import identifiers
from reconcheck.export.system import Action, Question, System, Variable
from reconcheck.export.wrapping import TLA
from reconcheck.model import expr as e
from reconcheck.model.types import BoolType, EnumType, IntType, OpaqueType, RangeType, Type, Value

_WORDS = (
    "ASSUME ASSUMPTION AXIOM BOOLEAN CASE CHOOSE CONSTANT CONSTANTS DOMAIN ELSE ENABLED EXCEPT EXTENDS FALSE IF IN "
    "INSTANCE LET LOCAL MODULE OTHER SF_ WF_ STRING SUBSET THEN THEOREM TRUE UNCHANGED UNION VARIABLE VARIABLES WITH "
    "ACTION BY COROLLARY DEF DEFINE DEFS HAVE HIDE LAMBDA LEMMA NEW OBVIOUS OMITTED ONLY PICK PROOF PROPOSITION PROVE "
    "QED RECURSIVE STATE SUFFICES TAKE TEMPORAL USE WITNESS Nat Int Real "
    "vars Types Init Next Fairness Spec None Values AnyNat AnyInt NearNat NearInt Near Bound Naturals Integers "
)
RESERVED = frozenset(_WORDS.split())
"""Words of TLA+, and the names that this module gives to definitions of its own."""

BOUND = 3
"""How far TLC looks where a model leaves a number without bounds; the configuration says so, and can be changed."""
NOTES = ("TLC counts each state twice, before and after `calm`, and each renaming of opaque values by itself.",)
NEAR = (
    "UNBOUNDED: the module has every number. TLC cannot list them: its configurations let choices be among "
    f"-{BOUND}..{BOUND}, and have it look at no state beyond; what it says holds within that bound only."
)


def files(system: System) -> dict[str, str]:
    """The module, and a configuration of TLC for each question."""
    module = _Module(system)
    texts = {f"{module.name}.tla": module.lines()}
    for question, property_ in zip(system.questions, module.properties.values(), strict=True):
        texts[module.configuration(property_)] = module.asked(question, property_)
    return {name: "\n".join([*TLA.lines(lines), ""]) for name, lines in texts.items()}


class Identifiers(Struct, frozen=True):
    """What everything is called; a trace is read back by these."""

    variables: dict[str, str]
    actions: tuple[str, ...]
    """The definition of each action."""
    units: dict[str, str]
    """The definition of each unit of fairness; that of its action, where it has one only."""


def identifiers_of(system: System) -> Identifiers:
    """The identifiers of a system."""
    variables = identifiers((variable.name for variable in system.variables), RESERVED)
    taken = {*RESERVED, *variables.values()}
    several = [unit for unit, actions in system.units.items() if len(actions) > 1]
    units = identifiers((f"{unit} begins" if unit in variables else unit for unit in several), taken)
    units = dict(zip(several, units.values(), strict=True))
    taken.update(units.values())
    actions: list[str] = []
    for action in system.actions:
        wanted = f"{action.name} begins" if action.name in variables else action.name
        (given,) = identifiers([wanted], taken).values()
        taken.add(given)
        actions.append(given)
        if action.fair:
            units.setdefault(action.unit, given)
    return Identifiers(variables, tuple(actions), units)


class _Module:
    """The text of a system."""

    def __init__(self, system: System) -> None:
        self.system, self.name = system, system.operator.name
        self.identifiers = identifiers_of(system)
        self.variables = self.identifiers.variables
        self.printer = Printer(SYNTAX, self.variables)
        taken = {*RESERVED, *self.variables.values(), *self.identifiers.actions, *self.identifiers.units.values()}
        self.properties = identifiers((question.name for question in system.questions), {*taken, self.name})
        taken.update(self.properties.values())
        choices = (choice for action in (system.initial, *system.actions) for choice in action.choices)
        self.choices = identifiers((choice.name for choice in choices), taken)
        self.opaque = any(isinstance(type_, OpaqueType) for type_ in system.types.values())

    def configuration(self, property_: str) -> str:
        """The file with the configuration for a question."""
        return f"{self.name}.cfg" if len(self.properties) == 1 else f"{self.name}_{property_}.cfg"

    def lines(self) -> Iterator[str]:
        """The module."""
        run = [
            f"java -cp tla2tools.jar tlc2.TLC -config {self.configuration(property_)} {self.name}.tla"
            for property_ in self.properties.values()
        ]
        notes = (*NOTES, NEAR) if self.system.endless else NOTES
        yield f"---- MODULE {self.name} ----"
        yield from (f"\\* {line}".rstrip() for line in header(self.system, "TLA+", tuple(run), notes))
        yield from ("", "EXTENDS Integers", "", *self._constants(), *self._variables(), "", *self._initial(), "")
        for action, name in zip(self.system.actions, self.identifiers.actions, strict=True):
            yield from (*self._action(action, name), "")
        yield from (*self._units(), *self._specification(), "", *self._questions(), "====")

    def _constants(self) -> Iterator[str]:
        if self.opaque:
            yield from ("\\* opaque values: nothing there, and all others", "CONSTANTS None, Values", "")
        if self.system.endless:
            yield "\\* what a number without bounds may be chosen to be, and where TLC is to look instead"
            yield from ("AnyNat == Nat", "AnyInt == Int", f"Bound == {BOUND}", "NearNat == 0..Bound")
            yield from ("NearInt == -Bound..Bound", "")

    def _type(self, variable: Variable, chosen: bool) -> str:
        match variable.type:
            case BoolType():
                return "BOOLEAN"
            case EnumType(values):
                return f"{{{', '.join(map(_string, values))}}}"
            case RangeType(low, high):
                return f"{low}..{high}"
            case OpaqueType():
                return "Values" if chosen else "Values \\cup {None}"
            case IntType(natural) if chosen:
                return "AnyNat" if natural else "AnyInt"
            case IntType(natural):
                return "Nat" if natural else "Int"

    def _variables(self) -> Iterator[str]:
        yield "VARIABLES"
        for number, variable in enumerate(self.system.variables):
            comma = "," if number < len(self.variables) - 1 else ""
            comment = ": ".join([variable.name, *variable.comments])
            yield f"  {self.variables[variable.name]}{comma}  \\* {comment}"
        yield from ("", f"vars == <<{', '.join(self.variables.values())}>>", "", "Types ==")
        for variable in self.system.variables:
            yield f"  /\\ {self.variables[variable.name]} \\in {self._type(variable, False)}"
        endless = [variable for variable in self.system.variables if isinstance(variable.type, IntType)]
        if endless:
            yield from ("", "Near ==", *(f"  /\\ {self.variables[one.name]} \\in NearInt" for one in endless))

    def _chosen(self, action: Action) -> Iterator[str]:
        """The quantifier over what an action chooses."""
        if action.choices:
            chosen = (f"{self.choices[one.name]} \\in {self._type(one, True)}" for one in action.choices)
            yield f"  \\E {', '.join(chosen)} :"

    def _initial(self) -> Iterator[str]:
        begin = self.system.initial
        printer = self._printer(begin)
        yield from ("Init ==", *self._chosen(begin))
        for name, value in begin.updates:
            yield f"  /\\ {self.variables[name]} = {printer.text(value, Level.SUM)}"

    def _printer(self, action: Action) -> Printer:
        return Printer(SYNTAX, {**self.variables, **{one.name: self.choices[one.name] for one in action.choices}})

    def _action(self, action: Action, name: str) -> Iterator[str]:
        printer = self._printer(action)
        yield f"\\* {action.name} ({action.kind})"
        yield from (f"\\*   {comment}" for comment in action.comments)
        yield from (f"{name} ==", *self._chosen(action))
        for part in action.guard.operands if isinstance(action.guard, e.And) else (action.guard,):
            yield f"  /\\ {printer.text(part, Level.NOT)}"
        changed = dict(action.updates)
        for updated, value in action.updates:
            yield f"  /\\ {self.variables[updated]}' = {printer.text(value, Level.SUM)}"
        same = [identifier for variable, identifier in self.variables.items() if variable not in changed]
        if same:
            yield f"  /\\ UNCHANGED <<{', '.join(same)}>>"

    def _units(self) -> Iterator[str]:
        names = {id(a): n for a, n in zip(self.system.actions, self.identifiers.actions, strict=True)}
        for unit, actions in self.system.units.items():
            if len(actions) > 1:
                yield from (f"\\* {unit}", f"{self.identifiers.units[unit]} ==")
                yield from (f"  \\/ {names[id(action)]}" for action in actions)
                yield ""

    def _specification(self) -> Iterator[str]:
        yield from ("Next ==", *(f"  \\/ {name}" for name in self.identifiers.actions), "")
        yield "Fairness =="
        yield from (f"  /\\ WF_vars({self.identifiers.units[unit]})" for unit in self.system.units)
        yield from ("", "Spec == Init /\\ [][Next]_vars /\\ Fairness")

    def _questions(self) -> Iterator[str]:
        for question, name in zip(self.system.questions, self.properties.values(), strict=True):
            yield from (f"\\* {comment}" for comment in question.comments)
            formula = self.printer.text(question.formula)
            match question.kind:
                case "converges":
                    yield f"{name} == <>[]({formula})"
                case "always":
                    yield f"{name} == {formula}"
                case _:
                    yield from ("\\* reachable if this invariant is violated", f"{name} == ~({formula})")
            yield ""

    def asked(self, question: Question, property_: str) -> Iterator[str]:
        """The configuration that asks a question."""
        yield from (f"\\* {line}".rstrip() for line in header(self.system, "TLA+", (f"see {self.name}.tla",)))
        yield from ("SPECIFICATION Spec", "INVARIANT Types")
        yield f"{'PROPERTY' if question.kind == 'converges' else 'INVARIANT'} {property_}"
        if self.opaque:
            values = ", ".join(f"v{number}" for number in range(1, self.system.opaque_values + 1))
            yield from ("CONSTANTS", "  None = None", f"  Values = {{{values}}}")
        if self.system.endless:
            yield from ("CONSTANTS", "  AnyNat <- NearNat", "  AnyInt <- NearInt", "CONSTRAINT Near")
        yield from ("\\* a run may end: then everything stays as it is", "CHECK_DEADLOCK FALSE")


def _string(value: str) -> str:
    return f'"{value}"'


def _constant(value: Value, type_: Type) -> str:
    match type_:
        case BoolType():
            return "TRUE" if value else "FALSE"
        case EnumType():
            return _string(str(value))
        case OpaqueType():
            return "None" if value == 0 else str(value)
        case RangeType() | IntType():
            return str(value)


SYNTAX = Syntax(
    _constant,
    negation="~",
    both=" /\\ ",
    either=" \\/ ",
    equal="=",
    unequal="#",
    at_most="<=",
    above=">",
    choice=("IF ", " THEN ", " ELSE "),
    inside_or=Level.NOT,
    negated=Level.NOT,
)
