"""From a syntax tree to a checked `Operator`: imports, parameters, declarations, controllers, questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from reconcheck.cause_kinds import KINDS
from reconcheck.diagnostic import Diagnostic, ModelError, Span, ordered
from reconcheck.model import runtimes
from reconcheck.model.controllers import Controllers, report_deaf, rounds
from reconcheck.model.declarations import CONSTANT, Declarations, lifecycle
from reconcheck.model.environment import Environment
from reconcheck.model.managers import Manager
from reconcheck.model.names import Names, Where
from reconcheck.model.operator import (
    FAULTS,
    SCHEDULED,
    UNSCHEDULED,
    Controller,
    Expectation,
    Goal,
    Loaded,
    Operator,
    Scope,
)
from reconcheck.model.problems import Broken, Problems
from reconcheck.model.types import BOOL
from reconcheck.model.wakeups import named
from reconcheck.resources import shipped
from reconcheck.syntax import tree
from reconcheck.syntax.builder import SECONDS
from reconcheck.syntax.nodes import nodes
from reconcheck.syntax.parser import parse_file

VERDICTS = {
    "converges": ("converges", "diverges", "quiet", "livelock", "unknown"),
    "always": ("holds", "fails", "unknown"),
    "reachable": ("reachable", "unreachable", "unknown"),
}
"""What an expectation can say about each kind of question."""

FAILING = ("diverges", "quiet", "livelock", "fails")
"""Verdicts for which an expectation can name causes."""


_Managers = tuple[tuple[tree.Operator | tree.Manager, Manager], ...]
"""The processes of a model, each with its declaration."""


class _Library(Struct):
    """What the imports of a model bring in."""

    kinds: dict[str, tree.Kind] = field(default_factory=dict)
    aliases: list[tree.TypeAlias] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    read: set[Path] = field(default_factory=set)


def assemble(file: tree.File, text: str, path: Path, settings: Mapping[str, int]) -> Loaded:
    """Checks a parsed model; `settings` override its parameters.  Raises `ModelError` with all problems."""
    library = _Library(sources={str(path): text})
    problems = Problems()
    try:
        _collect(file, path, library, problems, (path.resolve(),))
        operator = _Checker(file, library, problems, dict(settings)).check()
    except Broken:
        operator = None
    except ModelError as error:
        raise ModelError([*problems.found, *error.diagnostics], library.sources | error.sources) from error
    if operator is None or problems.failed:
        raise ModelError(ordered(problems.found), library.sources)
    return Loaded(operator, ordered(problems.found))


def _collect(file: tree.File, path: Path, library: _Library, problems: Problems, trail: tuple[Path, ...]) -> None:
    for item in file.prelude:
        match item:
            case tree.Import(name, span):
                target = _find_import(name, path, span, problems)
                if target is None or target.resolve() in trail:
                    if target is not None:
                        problems.error("RC223", f'"{name}" imports itself', span, "remove one of the imports")
                    continue
                if target.resolve() in library.read:
                    continue  # two libraries may need the same third
                library.read.add(target.resolve())
                imported, text = parse_file(target, span)
                library.sources[str(target)] = text
                if imported.operator is not None:
                    problems.error("RC223", f'"{name}" is a whole model', span, "import a file with kinds only")
                _collect(imported, target, library, problems, (*trail, target.resolve()))
            case tree.Kind(name=word):
                if word.text in library.kinds:
                    problems.error("RC202", f"kind `{word}` is declared twice", word.span, "choose another name")
                library.kinds[word.text] = item
            case tree.TypeAlias():
                library.aliases.append(item)
            case tree.Param(name=word, span=span) if len(trail) > 1:
                message = f"the parameter `{word}` is in a library, where nothing can set it"
                problems.error("RC223", message, span, "declare parameters in the model")
            case tree.Param():
                pass


def _find_import(name: str, path: Path, span: Span, problems: Problems) -> Path | None:
    file = name if name.endswith(".rdsl") else f"{name}.rdsl"
    candidates = [path.parent / file, shipped("models") / file]
    try:
        found = next((candidate for candidate in candidates if candidate.is_file()), None)
    except OSError:  # a name that the file system does not take
        found = None
    if found is None:
        library = shipped("models") / "std"
        known = ", ".join(f'"std/{p.stem}"' for p in sorted(library.glob("*.rdsl")))
        problems.error("RC223", f'cannot find "{name}"', span, f"give a path from this file's folder, or {known}")
    return found


class _Checker(Struct):
    file: tree.File
    library: _Library
    problems: Problems
    settings: dict[str, int]

    def check(self) -> Operator:
        node = self.file.operator
        if node is None:
            raise self.problems.broken("RC216", "there is no `operator` in this file", self.file.span, "add one")
        names = Names(self.problems)
        self._parameters(names)
        for alias in self.library.aliases:
            try:
                if alias.name.text in names.types:
                    message = f"type `{alias.name}` is declared twice"
                    raise self.problems.broken("RC202", message, alias.name.span, "choose another name")
                names.types[alias.name.text] = names.type(alias.type)
            except Broken:
                names.broken.add(alias.name.text)
        managers = self._managers(node)
        changes = lifecycle(self.file, self.library.kinds)
        Declarations(names, managers, self.library.kinds, changes).declare(node)
        controllers = self._controllers(names, managers, node)
        actions = tuple(Environment(names, self.library.kinds).translate(node))
        self._distinct([(action.name, action.span) for action in actions], "action")
        goals = self._goals(names, node)
        source = next((m for m in node.members if isinstance(m, tree.Source)), None)
        operator = Operator(
            name=node.name.text,
            file=self.file.path,
            doc=node.doc,
            source=(source.url, source.commit) if source is not None else None,
            managers=tuple(manager for _, manager in managers),
            objects=names.objects,
            externals=names.externals,
            clocks=tuple(variable for fields in names.clocks.values() for variable in fields),
            memory=names.memory,
            controllers=controllers,
            actions=actions,
            faults=self._faults(node),
            goals=goals,
            expectations=(),
            parameters=tuple(sorted(names.parameters.items())),
            span=node.span,
            sources=self.library.sources,
            declared=names.declared,
        )
        return replace(operator, expectations=self._expectations(operator, node))

    def _parameters(self, names: Names) -> None:
        declared = [item for item in self.file.prelude if isinstance(item, tree.Param)]
        for item in declared:
            try:
                if item.name.text in names.parameters:
                    message = f"parameter `{item.name}` is declared twice"
                    raise self.problems.broken("RC202", message, item.name.span, "choose another name")
                value = self.settings.get(item.name.text, names.constant(item.value))
                names.parameters[item.name.text] = value
                low = names.constant(item.type.low) if isinstance(item.type, tree.Bounds) else None
                high = item.type.high if isinstance(item.type, tree.Bounds) else None
                most = names.constant(high) if high is not None else None
                if isinstance(item.type, tree.Builtin) and item.type.name == "nat":
                    low = 0
                elif low is None and not (isinstance(item.type, tree.Builtin) and item.type.name == "int"):
                    raise self.problems.broken("RC224", "a parameter is a number", item.type.span, "write `1.. = 3`")
                if (low is not None and value < low) or (most is not None and value > most):
                    bounds = f"{'' if low is None else low}..{'' if most is None else most}"
                    message = f"parameter `{item.name}` is {value}, allowed is {bounds}"
                    raise self.problems.broken("RC224", message, item.name.span, "choose another value")
            except Broken:
                names.parameters.setdefault(item.name.text, 1)
        for name in self.settings:
            if name not in names.parameters:
                known = ", ".join(f"`{one}`" for one in sorted(names.parameters))
                instead = f"its parameters are: {known}" if known else "leave out `--set`"
                self.problems.found.append(Diagnostic("RC224", f"the model has no parameter `{name}`", None, instead))

    # ---- runtime ---------------------------------------------------------------------------------------

    def _managers(self, node: tree.Operator) -> _Managers:
        """The processes of the model, each with its declaration."""
        if not node.managers:
            message, instead = (
                "the system has no operator",
                "add `operator a { runtime ...  controller x for x { ... } }`",
            )
            self.problems.error("RC216", message, node.name.span, instead)
        nested = [one for one in node.managers if isinstance(one, tree.Manager)]
        self._distinct([(one.name.text, one.name.span) for one in nested], "operator")
        return tuple((one, Manager(one.name.text if node.system else "", self._runtime(one))) for one in node.managers)

    def _runtime(self, node: tree.Operator | tree.Manager) -> runtimes.Profile:
        default = runtimes.find("controller-runtime", None)
        assert default is not None
        declared = [member for member in node.members if isinstance(member, tree.Runtime)]
        profile = default
        if not declared:
            instead = "add `runtime controller-runtime 0.24`"
            what = "the model" if isinstance(node, tree.Operator) else f"operator `{node.name}`"
            self.problems.error("RC213", f"{what} does not name its runtime", node.name.span, instead)
        for runtime in declared[1:]:
            self.problems.error("RC202", "the runtime is declared twice", runtime.span, "keep one")
        for runtime in declared[:1]:
            found = runtimes.find(runtime.name, runtime.version)
            if found is None:
                try:
                    raise self.problems.unknown("runtime", runtime.name, runtimes.names(), runtime.span, "RC213")
                except Broken:
                    continue
            profile = self._knobs(found, runtime)
        return profile

    def _knobs(self, profile: runtimes.Profile, node: tree.Runtime) -> runtimes.Profile:
        settings = dict(profile.settings)
        for knob in node.knobs:
            name, value = knob.name.text, knob.value.text
            allowed = runtimes.KNOBS.get(name)
            numeric = name in runtimes.NUMBERS and (value.isdigit() or value == "none")
            timed = name in runtimes.DURATIONS and (value == "none" or _seconds(value) is not None)
            if allowed is None and name not in runtimes.NUMBERS + runtimes.DURATIONS:
                known = [*runtimes.KNOBS, *runtimes.NUMBERS, *runtimes.DURATIONS]
                try:
                    raise self.problems.unknown("knob", name, known, knob.name.span, "RC213")
                except Broken:
                    continue
            if not numeric and not timed and value not in (allowed or ()):
                choices = ", ".join(allowed) if allowed else "a duration such as 10h, or none"
                message = f"`{value}` is not a value of the knob `{name}`"
                self.problems.error("RC213", message, knob.value.span, f"use one of: {choices}")
                continue
            settings[name] = runtimes.Setting(value, "set in the model")
        return replace(profile, settings=settings)

    def _controllers(self, names: Names, managers: _Managers, operator: tree.Operator) -> tuple[Controller, ...]:
        translated: list[Controller] = []
        self._distinct([(c.name.text, c.name.span) for c in operator.controllers], "controller")
        found = [(node, manager, list(rounds(names, node.members, CONSTANT))) for node, manager in managers]
        names.several = sum(len(controllers) for _, _, controllers in found) > 1
        rules: dict[tuple[str, str], Span] = {}
        for node, manager, controllers in found:
            if not controllers and not (self.problems.failed and any(tree.controllers_of(node))):
                message = "the operator has no controller"
                self.problems.error("RC216", message, node.name.span, "add `controller x for x { ... }`")
            seconds = {knob: _seconds(manager.profile[knob]) for knob in runtimes.DURATIONS}
            names.manager = manager
            for one in controllers:
                try:
                    controller = Controllers(names, manager, seconds).translate(one)
                except Broken:
                    continue
                translated.append(controller)
                for rule in controller.rules:
                    if rule.name != "runtime_period":
                        rules.setdefault((one.node.name.text, rule.name.removesuffix(one.suffix)), rule.span)
        names.manager = None
        report_deaf(names, translated)
        self._distinct([(name, span) for (_, name), span in rules.items()], "requeue rule")
        return tuple(translated)

    def _distinct(self, named: list[tuple[str, Span]], what: str) -> None:
        seen: set[str] = set()
        for name, span in named:
            if name in seen:
                self.problems.error("RC202", f"{what} `{name}` is declared twice", span, "choose another name")
            seen.add(name)

    def _faults(self, node: tree.Operator) -> frozenset[str]:
        on = set(FAULTS) - {"lost_event"}
        for member in node.members:
            if isinstance(member, tree.Faults):
                for fault in member.faults:
                    if fault.name.text not in FAULTS:
                        try:
                            raise self.problems.unknown("fault", fault.name.text, FAULTS, fault.name.span, "RC222")
                        except Broken:
                            continue
                    (on.add if fault.on else on.discard)(fault.name.text)
        return frozenset(on)

    # ---- questions ---------------------------------------------------------------------------------------

    def _goals(self, names: Names, node: tree.Operator) -> tuple[Goal, ...]:
        nodes = _questions(node)
        if not nodes:
            instead = "say what the operator is for: `converges { scaled: ... }`"
            line, column = node.span.end_line, node.span.end_column
            end = Span(node.span.file, line, max(1, column - 1), line, column)
            self.problems.error("RC216", "the model asks no question", end, instead)
        self._distinct([(goal.name.text, goal.name.span) for goal in nodes], "goal")
        goals: list[Goal] = []
        for goal in nodes:
            try:
                formula = names.expr(goal.formula, Where("world"), BOOL)
                goals.append(Goal(goal.name.text, goal.kind, formula, goal.doc, goal.cites, goal.span))
            except Broken:
                continue
        return tuple(goals)

    def _expectations(self, operator: Operator, node: tree.Operator) -> tuple[Expectation, ...]:
        result: dict[tuple[str, Scope], Expectation] = {}
        goals = {goal.name: goal for goal in operator.goals}
        asked = {goal.name.text for goal in _questions(node)}
        rules = {rule.name for rule in operator.rules()}
        if self.problems.failed:  # the rules of a wrong controller are not unknown
            rules |= {one.name.text for one in nodes(node) if isinstance(one, tree.Requeue)}
        for member in node.members:
            if not isinstance(member, tree.Expect):
                continue
            try:
                goal = goals.get(member.goal.text)
                if goal is None and member.goal.text in asked:
                    continue  # its formula is wrong, which is reported
                if goal is None:
                    raise self.problems.unknown("goal", member.goal.text, asked, member.goal.span)
                if member.verdict not in VERDICTS[goal.kind]:
                    message = f"`{member.verdict}` is no answer to the question `{goal.kind} {goal.name}`"
                    choices = ", ".join(VERDICTS[goal.kind])
                    raise self.problems.broken("RC219", message, member.span, f"use one of: {choices}")
                scope = self._scope(member, operator.controllers, rules)
                known = result.get((goal.name, scope))
                if known is not None and known.verdict != member.verdict:
                    message = f"`{goal.name}` is expected to be both `{known.verdict}` and `{member.verdict}` {scope}"
                    raise self.problems.broken("RC217", message, member.span, "keep one of the two lines")
                because: tuple[str, ...] = self._because(member)
                others: tuple[Span, ...] = ()
                if known is not None:
                    because, others = known.because + because, (*known.others, known.span)
                result[goal.name, scope] = Expectation(goal.name, member.verdict, scope, member.span, because, others)
            except Broken:
                continue
        return tuple(result.values())

    def _because(self, member: tree.Expect) -> tuple[str, ...]:
        """The causes that an expectation names."""
        for word in member.because:
            if word.text not in KINDS:
                raise self.problems.unknown("cause", word.text, KINDS, word.span)
            if member.verdict not in FAILING:
                message = f"`{member.verdict}` has no cause"
                instead = f"leave out `because`, or expect one of: {', '.join(FAILING)}"
                raise self.problems.broken("RC219", message, member.span, instead)
        return tuple(dict.fromkeys(word.text for word in member.because))

    def _scope(self, member: tree.Expect, controllers: Sequence[Controller], rules: set[str]) -> Scope:
        schedule = False
        without: list[str] = []
        for word in member.with_:
            if word.text != "schedule":
                raise self.problems.unknown("scope", word.text, ["schedule"], word.span)
            schedule = True
        for word in member.without:
            if word.text == "schedule":
                if schedule:
                    message = "with and without schedule at once"
                    raise self.problems.broken("RC217", message, word.span, "keep one")
                continue
            found = named(controllers, word.text)
            watch = word.text.removeprefix("watch ")
            if not found and watch != word.text:
                if self.problems.failed:
                    raise Broken  # it may be a watch of the controller that is wrong
                known = [one.name for controller in controllers for one in controller.watches]
                raise self.problems.unknown("watch", watch, known, word.span)
            if not found and word.text not in rules:
                raise self.problems.unknown("requeue rule", word.text, [*rules, "schedule"], word.span)
            without += found or (word.text,)
        return Scope(SCHEDULED if schedule else UNSCHEDULED, tuple(sorted(set(without))))


def _questions(node: tree.Operator) -> list[tree.Goal]:
    nodes: list[tree.Goal] = []
    for member in node.members:
        if isinstance(member, tree.Goals):
            nodes += member.goals
        elif isinstance(member, tree.Goal):
            nodes.append(member)
    return nodes


def _seconds(text: str) -> float | None:
    import re

    parts = re.findall(r"(\d+)(ms|[smhd])", text)
    return sum(int(number) * SECONDS[unit] for number, unit in parts) if parts else None
