"""Controllers: watches with their predicates and mappings, requeue rules, error rules, programs."""

from __future__ import annotations

from msgspec import Struct

from reconcheck.model import expr as e
from reconcheck.model.body import Body, make_rule, seconds_of
from reconcheck.model.managers import Manager
from reconcheck.model.names import Names, Where
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


class Controllers(Struct):
    """Translates controller declarations."""

    names: Names
    manager: Manager
    """The process in which they run."""
    unit_seconds: dict[str, float | None]
    """The runtime's `resync` and `period`, in seconds."""

    @property
    def profile(self) -> Profile:
        """The runtime."""
        return self.manager.profile

    def translate(self, node: tree.Controller) -> Controller:
        """The controller.  Raises `Broken` when it has no primary."""
        problems = self.names.problems
        primary = self.names.objects.get(node.primary.text)
        if primary is None:
            known = [name for name in self.names.objects if "[" not in name]
            raise self.names.unknown("object", node.primary.text, known, node.primary.span)
        watches = tuple(self._watches(node))
        rules = self._declared_rules(node)
        bodies = [member for member in node.members if isinstance(member, tree.Reconcile)]
        if len(bodies) != 1:
            count = "no `reconcile`" if not bodies else f"{len(bodies)} `reconcile` blocks"
            message = f"controller `{node.name}` has {count}"
            raise problems.broken("RC216", message, node.name.span, "give it exactly one `reconcile { ... }`")
        late = frozenset(watch.name for watch in watches if watch.late)
        if problems.failed and not late:  # a broken watch shall not be reported a second time
            late = frozenset((m.name or m.target).text for m in node.members if isinstance(m, tree.Watch) and m.late)
        program = Body(self.names, node.name.text, rules, late).translate(bodies[0].block)
        self._period(node, rules)
        registered = {instruction.watch for instruction in program.code if isinstance(instruction, Register)}
        for watch in watches:
            if watch.late and watch.name not in registered and not problems.failed:
                message = f"this late watch never wakes `{node.name}`: no reconcile registers it"
                problems.finding("RC303", message, watch.span, f"add `register {watch.name}`, or remove `late`")
        return Controller(
            name=node.name.text,
            manager=self.manager,
            primary=primary.name,
            watches=watches,
            rules=tuple(rules.values()),
            resync=self._resync(node),
            error=self._error(node, program),
            program=program,
            cites=node.cites,
            span=node.span,
        )

    # ---- rules -----------------------------------------------------------------------------------------

    def _declared_rules(self, node: tree.Controller) -> dict[str, Rule]:
        rules: dict[str, Rule] = {}
        for member in node.members:
            if isinstance(member, tree.Requeue):
                try:
                    if member.name.text in rules:
                        message = f"`{member.name}` is declared twice"
                        raise self.names.problems.broken("RC227", message, member.name.span, "choose another name")
                    rules[member.name.text] = make_rule(self.names, node.name.text, member, None, declared=True)
                except Broken:
                    continue
        return rules

    def _period(self, node: tree.Controller, rules: dict[str, Rule]) -> None:
        """The runtime's own periodic requeue, where it has one."""
        seconds = self.unit_seconds["period"]
        if seconds is not None:
            name = "runtime_period"
            rules[name] = Rule(name, node.name.text, "every", seconds, None, (), True, (), node.span)

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

    def _watches(self, node: tree.Controller) -> list[Watch]:
        watches: list[Watch] = []
        for member in node.members:
            if isinstance(member, tree.Watch):
                try:
                    for target in self._targets(member):
                        watches.append(self._watch(node, member, target))
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

    def _targets(self, member: tree.Watch) -> tuple[str, ...]:
        name = member.target.text
        targets = self.names.arrays.get(name, (name,))
        if all(target in self.names.objects for target in targets):
            return targets
        problems = self.names.problems
        external = self.names.externals.get(targets[0])
        if external is None:
            known = [n for n in (*self.names.objects, *self.names.arrays, *self.names.externals) if "[" not in n]
            raise self.names.unknown("object", name, known, member.target.span)
        if not external.notifies:
            message = f"`{name}` sends no events, so it cannot be watched"
            written = f"external {name}{'[...]' * (name in self.names.arrays)} notifies"
            instead = f"read it on a `requeue`, or declare `{written}` if something turns it into events"
            raise problems.broken("RC209", message, member.target.span, instead)
        return targets

    def _watch(self, controller: tree.Controller, node: tree.Watch, target: str) -> Watch:
        name = node.name.text + target[target.find("[") :] * ("[" in target) if node.name is not None else target
        mapping: e.Expr = e.TRUE
        if node.via == "owner":
            mapping = e.TRUE if self._owned(controller, node, target) else e.FALSE
        elif node.mapping is not None:
            bindings = {node.target.text: target} if "[" in target else {}
            where = Where("mapping", bindings=bindings, subject=target)
            mapping = self.names.expr(node.mapping, where, BOOL)
        return Watch(
            name=name,
            controller=controller.name.text,
            target=target,
            via=node.via,
            late=node.late,
            filter=self._filter(controller, node, target),
            mapping=mapping,
            cites=node.cites,
            span=node.span,
        )

    def _owned(self, controller: tree.Controller, node: tree.Watch, target: str) -> bool:
        object_ = self.names.objects.get(target)
        if object_ is None:
            message = f"`{target}` is an external and has no owner reference"
            raise self.names.problems.broken("RC206", message, node.target.span, "remove `via owner`")
        wakes = object_.owner == controller.primary.text
        wakes = wakes and object_.ownership in OWNER_MATCHES[self.profile["owner_match"]]
        if not wakes and (object_.owner is None or object_.owner in self.names.objects):
            if object_.owner != controller.primary.text:
                reason = f"its owner is `{object_.owner}`" if object_.owner else "it has no owner reference"
            else:
                reason = f"an owner reference of kind `{object_.ownership}` is not followed by {self.profile.name}"
            message = f"this watch never wakes `{controller.name}`: {reason}"
            instead = f"declare `{target}` as `owned by {controller.primary}`, or map it with `via (...)`"
            self.names.problems.finding("RC303", message, node.span, instead)
        return wakes

    def _filter(self, controller: tree.Controller, node: tree.Watch, target: str) -> Filter:
        filters = node.filters
        object_ = self.names.objects.get(target)
        is_primary = target == controller.primary.text
        if not filters and is_primary and self.profile["primary_filter"] == "spec":
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
                    message = f"`{object_.kind}` objects have no generation: no update of `{target}` passes"
                    self.names.problems.finding("RC304", message, item.span, "watch the fields that are read")
                continue
            assert item.kind is not None
            kinds = KINDS if item.kind == "any" else {item.kind}
            named |= kinds
            if item.condition is not None:
                where = Where("filter", subject=target)
                condition = self.names.expr(item.condition, where, BOOL)
                conditions += [(kind, condition) for kind in sorted(kinds)]
        some_part = any(item.part is not None for item in filters)
        kinds = frozenset(named | ({"update"} if some_part else set())) if named else KINDS
        if is_primary and self.profile["deleted_primary"] == "silent":
            kinds -= {"delete"}
        named_parts = {item.part.text for item in filters if item.part is not None}
        by_generation = named_parts == {"spec"} and object_ is not None and object_.has_generation
        covered = frozenset(parts) if some_part else None
        return Filter(kinds, tuple(conditions), covered, mark, by_generation)

    def _part(self, target: str, path: tree.Path) -> set[str]:
        """The fields that a part such as `spec` or `status.ready` covers."""
        holder = self.names.objects.get(target) or self.names.externals[target]
        fields = [variable.name[len(target) + 1 :] for variable in holder.fields]
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
