"""A system in Promela, for Spin.

Spin's weak fairness is per process, so each fair unit is a process, whose options are the unit's actions.  All that
need not happen is in one more process, which can always do nothing instead: that keeps runs alive that have come to
rest, which Spin overlooks under `-f` otherwise (nimble-code/Spin, issue 38), and makes that nobody waits for it.

Every step is one `d_step`, and every process is back at its only control location after it.  So Spin's states are
those of the system: each twice, with `calm` false and true, and one more, in which `init` has not chosen yet.

`init` starts that one process before all others.  Spin tries the processes that were started last first, and would
repeat the step that does nothing again and again, down to its depth limit, where it is the first it tries.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from msgspec import Struct

from reconcheck.export.assignments import in_order, saved_name
from reconcheck.export.header import header
from reconcheck.export.names import identifiers
from reconcheck.export.promela_text import RESERVED, Writer, constant, declared
from reconcheck.export.system import CALM, Action, Question, System
from reconcheck.export.targets import Unfit
from reconcheck.model import expr as e
from reconcheck.model.types import EnumType, OpaqueType, Type, Value

PROCESSES, WORDS = 255, 255
"""What Spin can have of processes, and of names in an `mtype`."""
OTHERS = "others"
"""The process of everything that nobody has to do."""
EVERY_STATE = "every_state"
"""A claim that nothing breaks: a search with it goes through all states, and counts them."""
DEPTH = 100_000
"""Steps that the header lets Spin go: deeper than it goes in most models, and reached within a second."""
LEAST_VECTOR = 1_024
"""Bytes that Spin gives a state if nothing is said."""
WIDTH = 110
UNBREAKABLE = re.compile(r"(?<![-&|=<>+*:;,({]) ")
"""Spaces behind what could be the end of a statement."""


def files(system: System) -> dict[str, str]:
    """The model, with a claim for each question.  Raises `Unfit`."""
    if len(system.units) + 3 > PROCESSES:
        raise Unfit(f"it has {len(system.units)} fair actions, and Spin has at most {PROCESSES} processes")
    name = f"{next(iter(identifiers([system.operator.name]).values()))}.pml"
    return {name: "\n".join(_Promela(system, name).lines()) + "\n"}


def claims(system: System) -> dict[str, str]:
    """The name of each question's claim, for `pan -N`."""
    return _names(system).claims


def stored(states: int) -> int:
    """How many states Spin stores of a system with that many, in a search with the claim `EVERY_STATE`."""
    return 2 * states + 1


def fair_words(system: System) -> int:
    """Spin's `NFAIR`: how large it makes its memory of who is owed a step; k is enough for 4k - 2 processes."""
    processes = len(system.units) + 3  # others, init and the claim
    return max(2, (processes + 5) // 4)


def vector_size(system: System) -> int:
    """Spin's `VECTORSZ`: bytes that are enough for a state."""
    return max(LEAST_VECTOR, 256 + 8 * len(system.variables) + 32 * (len(system.units) + 4))


# ---- names ---------------------------------------------------------------------------------------------------------


class _Names(Struct, frozen=True):
    """The identifiers of a file; no two are the same."""

    variables: dict[str, str]
    choices: dict[str, str]
    words: dict[str, str]
    """Of the values of enums."""
    processes: dict[str, str]
    """By unit, in the order in which they are started."""
    claims: dict[str, str]
    """By question, as are the formulas."""
    formulas: dict[str, str]


def _names(system: System) -> _Names:
    taken: set[str] = {*RESERVED, EVERY_STATE}

    def table(names: Sequence[str], say: str = "{}") -> dict[str, str]:
        said = {say.format(name): name for name in names}
        found = identifiers(said, taken)
        taken.update(found.values())
        return {said[text]: identifier for text, identifier in found.items()}

    variables = [variable.name for variable in system.variables]
    goals = [question.name for question in system.questions]
    words = dict.fromkeys(value for v in system.variables if isinstance(v.type, EnumType) for value in v.type.values)
    if len(words) > WORDS:
        raise Unfit(f"it has {len(words)} names of values, and Spin has at most {WORDS}")
    claims = table(goals)  # these are what one types
    return _Names(
        variables=table([*variables, *map(saved_name, variables)]),
        choices=table([choice.name for choice in system.initial.choices]),
        words=table(list(words)),
        processes=table([OTHERS]) | table([unit for unit in system.units if unit != CALM]) | table([CALM], "become {}"),
        claims=claims,
        formulas=table(goals, "is {}"),
    )


# ---- the file ------------------------------------------------------------------------------------------------------


class _Promela:
    """Writes a file, part by part."""

    def __init__(self, system: System, name: str) -> None:
        self.system, self.name, self.names = system, name, _names(system)
        self.numbers = {id(action): number for number, action in enumerate(system.actions)}
        names = self.names.variables | self.names.choices
        self.write = Writer(names, self.names.words).text
        self.write_in_claim = Writer(names, self.names.words, within_claim=True).text
        self.opaque = [v.name for v in system.variables if isinstance(v.type, OpaqueType)]

    def lines(self) -> Iterator[str]:
        """The whole file."""
        yield "/*"
        for line in header(self.system, "Promela", tuple(self._run()), tuple(self._notes())):
            yield f" * {_safe(line)}".rstrip()
        yield " */"
        body = [*self._processes()]
        yield ""
        yield from self._declarations(body)
        yield ""
        for question in self.system.questions:
            yield from self._formula(question)
        yield ""
        yield from body
        yield from self._init()
        for question in self.system.questions:
            yield self._claim(question)
        # behind the others: who gives no `-N` asks the first
        yield f"ltl {EVERY_STATE} {{ [] (begun || !begun) }} /* says nothing; a search with it counts the states */"

    def _run(self) -> Iterator[str]:
        size = vector_size(self.system)
        vector = f" -DVECTORSZ={size}" if size > LEAST_VECTOR else ""
        yield f"spin -a -o2 {self.name}"
        yield f"gcc -O2 -w -DNOREDUCE -DNFAIR={fair_words(self.system)}{vector} -o pan pan.c"
        for question in self.system.questions:
            fair = " -f" if question.kind == "converges" else ""
            yield f"./pan -a{fair} -m{DEPTH} -N {self.names.claims[question.name]}"
        yield f"spin -t -p {self.name}      shows the run that was found; lines in [brackets] are steps of the model"
        yield f"./pan -m{DEPTH} -N {EVERY_STATE}      counts the states"

    def _notes(self) -> Iterator[str]:
        yield (
            "One process is one unit of Spin's weak fairness (-f). The process of noise, disturbances and faults can "
            "always do nothing instead: nobody waits for it, and a run that has come to rest goes on."
        )
        yield (
            "A question that is answered `errors: 0` has no counterexample: a goal converges, or a formula holds "
            "always. That is so only of a search that was not cut: where pan says `max search depth too small`, give "
            "a larger -m. What shall be reachable is denied by its claim, so that an error there is a run that "
            "reaches it. `assertion violated` means that a step gives a variable a value outside of its type."
        )
        yield (
            "Spin stores each reachable state of the model twice, with and without `calm`, and one more: the one "
            "before the first state is chosen. Variables that nothing reads are part of the state with -o2 only; the "
            "answers are the same without."
        )
        if self.opaque:
            yield (
                "After each step, opaque values are numbered anew, by the variables that have them: states that "
                "differ in the names of values only are one."
            )

    # ---- declarations ----

    def _declarations(self, body: Sequence[str]) -> Iterator[str]:
        if self.names.words:
            yield from _wrapped("mtype = { ", ", ".join(self.names.words.values()), " };")
        for variable in self.system.variables:
            said = [variable.name, *self._values(variable.type), *variable.comments]
            name = self.names.variables[variable.name]
            yield f"{self._declared(variable.type)} {name}; /* {_safe('; '.join(said))} */"
        yield "bool begun; /* the first state has been chosen */"
        text = "\n".join(body)
        for name, type_ in self.system.types.items():
            saved = self.names.variables[saved_name(name)]
            if f" {saved} = " in text:
                kind = self._declared(type_)
                yield f"hidden {'byte' if kind == 'bool' else kind} {saved};"  # no hidden bits
        if self.opaque:
            yield from self._renaming()

    def _declared(self, type_: Type) -> str:
        return declared(type_, self.system.opaque_values)

    def _values(self, type_: Type) -> tuple[str, ...]:
        return () if str(type_) == "bool" else (str(type_),)

    def _renaming(self) -> Iterator[str]:
        """A macro that numbers opaque values by the first variable that has them."""
        most = self.system.opaque_values
        yield ""
        yield "hidden byte values_seen;"
        yield f"hidden byte renamed[{most + 1}];"
        yield "inline number_value(variable) {"
        yield "  if"
        yield "  :: variable != 0 && renamed[variable] == 0 -> values_seen++; renamed[variable] = values_seen"
        yield "  :: else"
        yield "  fi;"
        yield "  variable = renamed[variable]"
        yield "}"
        yield "inline number_values() {"
        yield "  values_seen = 0;"
        yield from _wrapped("  ", " ".join(f"renamed[{value}] = 0;" for value in range(most + 1)), "")
        calls = "; ".join(f"number_value({self.names.variables[name]})" for name in self.opaque)
        yield from _wrapped("  ", calls, "")
        yield "}"

    # ---- questions ----

    def _formula(self, question: Question) -> Iterator[str]:
        for text in question.comments:
            yield f"/* {_safe(text)} */"
        lines = _wrapped(f"#define {self.names.formulas[question.name]} (", self.write_in_claim(question.formula), ")")
        yield " \\\n".join(lines)

    def _claim(self, question: Question) -> str:
        formula, name = self.names.formulas[question.name], self.names.claims[question.name]
        asked = {
            "converges": f"<>[] {formula}",
            "always": f"[] (begun -> {formula})",
            "reachable": f"[] (begun -> !{formula})",
        }
        return f"ltl {name} {{ {asked[question.kind]} }}"

    # ---- processes ----

    def _processes(self) -> Iterator[str]:
        for unit, actions in self.system.units.items():
            yield from self._process(unit, actions)
        yield from self._process(OTHERS, self.system.unfair)

    def _process(self, unit: str, actions: Sequence[Action]) -> Iterator[str]:
        yield f"proctype {self.names.processes[unit]}() {{"
        if unit == OTHERS:
            yield "  /* noise, disturbances and faults: nobody has to do them */"
        yield "  do"
        before: tuple[str, ...] = ()
        for action in actions:
            if action.comments != before:
                for text in action.comments:
                    yield f"  /* {_safe(text)} */"
            before = action.comments
            for chosen, instance in self.system.instances(action):
                yield from self._option(self.numbers[id(action)], chosen, instance)
        if unit == OTHERS:
            yield "  :: begun /* nothing */"
        yield "  od"
        yield "}"
        yield ""

    def _option(self, number: int, chosen: dict[str, Value], action: Action) -> Iterator[str]:
        """A way to take an action; no value is left to be chosen."""
        yield from _wrapped("  :: d_step { ", self.write(action.guard), " ->")
        if action.leaves != e.FALSE:
            yield from _wrapped("       assert(", self.write(e.negate(action.leaves)), ");")
        saved, assignments = in_order(action.updates)
        for name in saved:
            yield f"       {self.names.variables[saved_name(name)]} = {self.names.variables[name]};"
        for name, value in assignments:
            yield from _wrapped(f"       {self.names.variables[name]} = ", self.write(value), ";")
        if any(name in self.opaque for name, _ in assignments):
            yield "       number_values();"
        yield f"       {self._printed(f'{number}', action.name, chosen)} }}"

    def _printed(self, number: str, name: str, chosen: dict[str, Value]) -> str:
        """What a replayed run shows of a step: its number in the system, its name, and what was chosen."""
        values = "".join(f" {choice}={value}" for choice, value in chosen.items())
        text = f"[{number}] {name}{values}".replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
        return f'printf("{text}\\n")'

    def _init(self) -> Iterator[str]:
        """Chooses the first state, and starts the processes, in one step."""
        initial = self.system.initial
        yield "init {"
        for choice in initial.choices:
            yield f"  {self._declared(choice.type)} {self.names.choices[choice.name]};"
        yield "  atomic {"
        known = 1
        for choice in initial.choices:
            values = self.system.values(choice)
            if isinstance(choice.type, OpaqueType):
                values, known = values[:known], known + 1  # one of those before, or one that is new
            name = self.names.choices[choice.name]
            options = " ".join(f":: {name} = {constant(value, self.names.words)}" for value in values)
            yield from _wrapped("    if ", options, " fi;") if len(values) > 1 else [f"    {options[3:]};"]
        yield "    d_step {"
        for name, value in initial.updates:
            yield from _wrapped(f"      {self.names.variables[name]} = ", self.write(value), ";")
        if self.opaque:
            yield "      number_values();"
        shown = ", ".join(self.names.choices[choice.name] for choice in initial.choices)
        given = "".join(f" {choice.name}=%d" for choice in initial.choices)
        yield f'      printf("[begin]{given}\\n"{f", {shown}" if shown else ""});'
        for choice in initial.choices:
            yield f"      {self.names.choices[choice.name]} = 0;"
        yield "      begun = true"
        yield "    };"
        yield from _wrapped("    ", " ".join(f"run {process}();" for process in self.names.processes.values()), "")
        yield "  }"
        yield "}"
        yield ""


def _safe(text: str) -> str:
    """A text as it may stand in a comment."""
    return text.replace("*/", "* /").replace("/*", "/ *")


def _wrapped(start: str, text: str, end: str) -> list[str]:
    """A statement in lines that are not too long.

    Spin takes a line that ends like a statement for one, so lines are broken behind operators and separators only.
    """
    indent = " " * (len(start) - len(start.lstrip()) + 4)
    kept = UNBREAKABLE.sub("\xa0", start + text + end)
    lines = textwrap.wrap(kept, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in lines]
