"""Controllers: watches with their predicates and mappings, requeue rules, error rules, programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from reconcheck.diagnostic import Span
from reconcheck.model import expr as e
from reconcheck.model.body import Body, make_rule, seconds_of
from reconcheck.model.managers import Manager
from reconcheck.model.names import Names, Where, suffix
from reconcheck.model.operator import Controller, ErrorPolicy, Filter, Program, Register, Rule, Watch
from reconcheck.model.problems import Broken
from reconcheck.model.runtimes import Profile
from reconcheck.model.types import BOOL
from reconcheck.syntax import tree

KINDS = frozenset({"create", "update", "delete"})

OWNER_MATCHES = {
    "controller": {"controller", "other version"},
    "any_owner": {"controller", "plain", "other version"},
    "exact_version": {"controller", "plain"},
}
"""Which owner references each way of matching follows."""


class Round(Struct, frozen=True):
    """A controller as written, in one round of the loops around it, each of which makes a controller of its own."""

    node: tree.Controller
    where: Where
    """What the loop variables stand for."""
    suffix: str
    """What the names of the controller and of its requeue rules end with, such as `[2]`."""

    @property
    def name(self) -> str:
        """The name of the controller."""
        return self.node.name.text + self.suffix


def rounds(names: Names, members: Iterable[object], where: Where, around: str = "") -> Iterator[Round]:
    """The controllers among some members, loops unrolled.  A loop through nothing known is reported and left out."""
    for member in members:
        match member:
            case tree.Controller():
                yield Round(member, where, around)
            case tree.ControllerFor(variable, collection, inner):
                try:
                    values = names.rounds(collection, where)
                except Broken:
                    continue
                for value in values:
                    yield from rounds(names, inner, where.bind(variable.text, value), around + suffix(value))
            case _:
                pass


def report_deaf(names: Names, controllers: Iterable[Controller]) -> None:
    """Reports watches that wake nobody in any round of the loops around them, or of any element of an array."""
    written: dict[Span, list[tuple[Controller, Watch]]] = {}
    for controller in controllers:
        for watch in controller.watches:
            written.setdefault(watch.span, []).append((controller, watch))
    for span, same in written.items():
        reasons = [_deaf(names, controller, watch) for controller, watch in same]
        if all(reasons):
            reason, instead = reasons[0]
            message = f"this {'late ' * same[0][1].late}watch never wakes `{same[0][0].name}`: {reason}"
            names.problems.finding("RC303", message, span, instead)


def _deaf(names: Names, controller: Controller, watch: Watch) -> tuple[str, ...]:
    """Why a watch never wakes its controller, and what to write instead; nothing where it may."""
    registered = {step.watch for step in controller.program.code if isinstance(step, Register)}
    if watch.late and watch.name not in registered and not names.problems.failed:
        return "no reconcile registers it", f"add `register {watch.name}`, or remove `late`"
    object_ = names.objects.get(watch.target)
    if watch.via != "owner" or watch.mapping != e.FALSE or object_ is None:
        return ()
    if object_.owner is not None and object_.owner not in names.objects:
        return ()  # that there is no such object is reported
    instead = f"declare `{object_.name}` as `owned by {controller.primary}`, or map it with `via (...)`"
    if object_.owner == controller.primary:
        reason = f"an owner reference of kind `{object_.ownership}` is not followed by {controller.profile.name}"
    else:
        reason = f"its owner is `{object_.owner}`" if object_.owner else "it has no owner reference"
    return reason, instead


class Controllers(Struct):
    """Translates controllers."""

    names: Names
    manager: Manager
    """The process in which they run."""
    unit_seconds: dict[str, float | None]
    """The runtime's `resync` and `period`, in seconds."""

    @property
    def profile(self) -> Profile:
        """The runtime."""
        return self.manager.profile

    def translate(self, round_: Round) -> Controller:
        """The controller.  Raises `Broken` when it has no primary."""
        problems, node = self.names.problems, round_.node
        primary = self._primary(round_)
        watches = tuple(self._watches(round_, primary))
        rules = self._declared_rules(round_)
        bodies = [member for member in node.members if isinstance(member, tree.Reconcile)]
        if len(bodies) != 1:
            count = "no `reconcile`" if not bodies else f"{len(bodies)} `reconcile` blocks"
            message = f"controller `{node.name}` has {count}"
            raise problems.broken("RC216", message, node.name.span, "give it exactly one `reconcile { ... }`")
        late = frozenset(watch.name for watch in watches if watch.late)
        if problems.failed and not late:  # a broken watch shall not be reported a second time
            late = frozenset((m.name or m.target).text for m in node.members if isinstance(m, tree.Watch) and m.late)
        where = replace(round_.where, mode="reconcile")
        program = Body(self.names, round_.name, round_.suffix, rules, late).translate(bodies[0].block, where)
        self._period(round_, rules)
        return Controller(
            name=round_.name,
            manager=self.manager,
            primary=primary,
            watches=watches,
            rules=tuple(rules.values()),
            resync=self._resync(node),
            error=self._error(node, program),
            program=program,
            cites=node.cites,
            span=node.span,
        )

    def _primary(self, round_: Round) -> str:
        """The name of the controller's primary.  Raises `Broken` when it has none."""
        node, objects = round_.node.primary, self.names.objects
        first, known = node.parts[0], [name for name in (*objects, *self.names.arrays) if "[" not in name]
        if first.name not in {*known, *round_.where.bindings, *round_.where.numbers}:
            raise self.names.unknown("object", first.name, known, first.span)
        if first.name in self.names.arrays and first.index is None and first.name not in round_.where.bindings:
            instead = f"write `for x in {first.name} {{ controller {round_.node.name} for x {{ ... }} }}`"
            raise self.names.problems.broken("RC220", f"`{first.name}` is an array", first.span, instead)
        primary, _ = self.names.holder(node, round_.where)
        if primary not in objects:
            message = f"`{node.text}` is not a Kubernetes object"
            raise self.names.problems.broken("RC206", message, node.span, "name the resource that is reconciled")
        return primary

    # ---- rules -----------------------------------------------------------------------------------------

    def _declared_rules(self, round_: Round) -> dict[str, Rule]:
        rules: dict[str, Rule] = {}
        for member in round_.node.members:
            if isinstance(member, tree.Requeue):
                try:
                    name = member.name.text + round_.suffix
                    if name in rules:
                        message = f"`{member.name}` is declared twice"
                        raise self.names.problems.broken("RC227", message, member.name.span, "choose another name")
                    rules[name] = make_rule(self.names, name, round_.name, member, None, declared=True)
                except Broken:
                    continue
        return rules

    def _period(self, round_: Round, rules: dict[str, Rule]) -> None:
        """The runtime's own periodic requeue, where it has one."""
        seconds = self.unit_seconds["period"]
        if seconds is not None:
            name = "runtime_period"
            rules[name] = Rule(name, round_.name, "every", seconds, None, (), True, (), round_.node.span)

    def _resync(self, node: tree.Controller) -> float | None:
        for member in node.members:
            if isinstance(member, tree.Resync):
                try:
                    return seconds_of(self.names, member.duration)
                except Broken:
                    return None
        return self.unit_seconds["resync"]

    def _error(self, node: tree.Controller, program: Program) -> ErrorPolicy:
        rules = [member for member in node.members if isinstance(member, tree.ErrorRule)]
        if len(rules) > 1:
            self.names.problems.error("RC202", "the error rule is declared twice", rules[1].span, "keep one")
        if rules:
            rule = rules[0]
            seconds = None
            if rule.duration is not None:
                try:
                    seconds = seconds_of(self.names, rule.duration)
                except Broken:
                    seconds = None
            return ErrorPolicy(rule.policy, rule.retries or 0, seconds, rule.cites)
        default = self.profile["on_error"]
        if default == "author":
            message = f"{self.profile.name} leaves to the author what happens after an error"
            instead = "write `on error backoff`, `requeue after 5s`, `retry 5`, `await change` or `stop`"
            self.names.problems.error("RC214", message, node.name.span, instead)
        retries = self.profile["retries"]
        return ErrorPolicy(default, int(retries) if retries.isdigit() else 0, None, ())

    # ---- watches ------------------------------------------------------------------------------------------

    def _watches(self, round_: Round, primary: str) -> list[Watch]:
        watches: list[Watch] = []
        for member in round_.node.members:
            if isinstance(member, tree.Watch):
                try:
                    for target in self._targets(round_, member, primary):
                        watches.append(self._watch(round_, member, target, primary))
                except Broken:
                    continue
        seen: set[str] = set()
        for watch in watches:
            if watch.name in seen:
                message = f"`{watch.name}` is watched twice under one name"
                instead = f"name the second: `watch {watch.target} as ...`"
                self.names.problems.error("RC202", message, watch.span, instead)
            seen.add(watch.name)
        return watches

    def _targets(self, round_: Round, member: tree.Watch, primary: str) -> tuple[str, ...]:
        """What is watched: an object or external, or every element of an array; of the owned ones, if `via owner`."""
        first, where = member.target.parts[0], round_.where
        name, problems = first.name, self.names.problems
        holders = (*self.names.objects, *self.names.arrays, *self.names.externals)
        if name not in {*holders, *where.bindings, *where.numbers}:
            raise self.names.unknown("object", name, [n for n in holders if "[" not in n], first.span)
        targets = self._array(round_, member)
        if targets is None:
            targets = (self.names.holder(member.target, where)[0],)
        if all(target in self.names.objects for target in targets):
            owned = tuple(target for target in targets if self._is_owned(target, primary))
            return owned or targets if member.via == "owner" else targets
        external = self.names.externals[targets[0]]
        if not external.notifies:
            message = f"`{name}` sends no events, so it cannot be watched"
            array = targets[0].partition("[")[0]
            written = f"external {array}{'[...]' * (array in self.names.arrays)} notifies"
            instead = f"read it on a `requeue`, or declare `{written}` if something turns it into events"
            raise problems.broken("RC209", message, member.target.span, instead)
        if member.via == "owner":
            message = f"`{targets[0]}` is an external and has no owner reference"
            raise problems.broken("RC206", message, member.target.span, "remove `via owner`")
        return targets

    def _array(self, round_: Round, node: tree.Watch) -> tuple[str, ...] | None:
        """The elements of an array that is watched as a whole; None for an object, an external or an element."""
        first = node.target.parts[0]
        whole = first.index is None and first.name not in round_.where.bindings
        return self.names.arrays.get(first.name) if whole else None

    def _watch(self, round_: Round, node: tree.Watch, target: str, primary: str) -> Watch:
        name, where = target, replace(round_.where, mode="mapping", subject=target)
        if self._array(round_, node) is not None:
            where = where.bind(node.target.text, target)
            name = node.name.text + suffix(target) if node.name is not None else target
        elif node.name is not None:
            name = node.name.text
        mapping: e.Expr = e.TRUE
        if node.via == "owner":
            mapping = e.TRUE if self._is_owned(target, primary) else e.FALSE
        elif node.mapping is not None:
            mapping = self.names.expr(node.mapping, where, BOOL)
        return Watch(
            name=name,
            controller=round_.name,
            target=target,
            via=node.via,
            late=node.late,
            filter=self._filter(node, target, primary, round_.where),
            mapping=mapping,
            cites=node.cites,
            span=node.span,
        )

    def _is_owned(self, target: str, primary: str) -> bool:
        object_ = self.names.objects[target]
        return object_.owner == primary and object_.ownership in OWNER_MATCHES[self.profile["owner_match"]]

    def _filter(self, node: tree.Watch, target: str, primary: str, outside: Where) -> Filter:
        filters = node.filters
        object_ = self.names.objects.get(target)
        is_primary = target == primary
        by_default = is_primary and self.profile["primary_filter"] == "spec"
        if not filters and by_default and object_ is not None and object_.has_generation:
            part = tree.Path((tree.Part("spec", None, node.span),), node.span)
            filters = (tree.EventFilter(None, None, part, node.span),)
        named: set[str] = set()
        conditions: list[tuple[str, e.Expr]] = []
        parts: set[str] = set()
        mark = False
        for item in filters:
            if item.part is not None:
                parts |= self._part(target, item.part)
                text = item.part.text
                mark = mark or text == "metadata"
                mark = mark or (text == "spec" and object_ is not None and object_.has_generation)
                if text == "spec" and object_ is not None and not object_.has_generation:
                    passes = f"no update of `{target}` passes" if len(filters) == 1 else "it lets no update pass"
                    message = f"`{object_.kind}` objects have no generation: {passes}"
                    self.names.problems.finding("RC304", message, item.span, "watch the fields that are read")
                continue
            assert item.kind is not None
            kinds = KINDS if item.kind == "any" else {item.kind}
            named |= kinds
            if item.condition is not None:
                where = replace(outside, mode="filter", subject=target)
                condition = self.names.expr(item.condition, where, BOOL)
                conditions += [(kind, condition) for kind in sorted(kinds)]
        some_part = any(item.part is not None for item in filters)
        kinds = frozenset(named | ({"update"} if some_part else set())) if named else KINDS
        if is_primary and self.profile["deleted_primary"] == "silent":
            kinds -= {"delete"}
        if not filters and is_primary and self.profile["primary_filter"] == "essence":
            parts, mark, some_part = self._essence(target), True, True
        if not filters and not is_primary and object_ is not None and self.profile["secondary_filter"] == "content":
            kinds, mark, some_part = frozenset({"update", "delete"}), True, True
            parts = {name for name in self._fields(target) if name.split(".")[0] != "status"}
        named_parts = {item.part.text for item in filters if item.part is not None}
        by_generation = named_parts == {"spec"} and object_ is not None and object_.has_generation
        covered = frozenset(parts) if some_part else None
        return Filter(kinds, tuple(conditions), covered, mark, by_generation)

    def _essence(self, target: str) -> set[str]:
        """The fields of an object that kopf compares with what it has handled."""
        passing = ("metadata.labels.", "metadata.annotations.")
        left_out = ("status", "metadata", "finalizers")
        fields = self._fields(target)
        return {name for name in fields if name.split(".")[0] not in left_out or f"{name}.".startswith(passing)}

    def _fields(self, target: str) -> list[str]:
        """The fields of an object or external."""
        holder = self.names.objects.get(target) or self.names.externals[target]
        return [variable.name[len(target) + 1 :] for variable in holder.fields]

    def _part(self, target: str, path: tree.Path) -> set[str]:
        """The fields that a part such as `spec` or `status.ready` covers."""
        fields = self._fields(target)
        text = path.text
        covered = {name for name in fields if name == text or name.startswith(f"{text}.")}
        if text == "metadata":
            covered |= {name for name in fields if name.startswith("finalizers.")}
        object_ = self.names.objects.get(target)
        if text == "spec" and object_ is not None and not object_.has_generation:
            return set()
        if not covered and text not in ("spec", "status", "metadata"):
            if text == "generation":
                message, instead = "the generation is spelled by what it counts", "write `spec`"
                raise self.names.problems.broken("RC205", message, path.span, instead, "spec")
            known = [*fields, "spec", "status", "metadata"]
            raise self.names.problems.unknown(f"part of `{target}`", text, known, path.span, "RC205")
        return covered
