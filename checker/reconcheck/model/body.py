"""From a reconcile block to a `Program`: loops unrolled, branches to tests and jumps."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from reconcheck.diagnostic import Span
from reconcheck.model import expr as e
from reconcheck.model.names import BROKEN, Names, Where
from reconcheck.model.operator import (
    Bind,
    Call,
    End,
    Instruction,
    Jump,
    Program,
    Read,
    Register,
    Remember,
    Rule,
    Target,
    Test,
    Variable,
    Write,
    expressions,
)
from reconcheck.model.problems import Broken
from reconcheck.model.types import BOOL
from reconcheck.syntax import tree

PENDING = -1


class Body(Struct):
    """Translates the reconcile block of one controller; `rules` and `late` are what outcomes may name."""

    names: Names
    controller: str
    suffix: str
    """What the names of requeue rules end with, in a round of a loop around the controller."""
    rules: dict[str, Rule]
    late: frozenset[str]
    code: list[Instruction] = field(default_factory=list)
    locals: dict[str, int] = field(default_factory=dict)
    """How many locals each name has: one a round of a loop."""
    stops: set[int] = field(default_factory=set)
    copies: list[range] = field(default_factory=list)
    """Where objects are copied field by field."""

    def translate(self, block: tree.Block, where: Where) -> Program:
        """The program of the block; problems go to `names.problems`."""
        if self._block(block, where):
            end = Span(block.span.file, block.span.end_line, block.span.end_column - 1, block.span.end_line, 0)
            end = replace(end, end_column=end.column + 1)
            message = "this path through reconcile has no outcome"
            self.names.problems.error("RC210", message, end, "end it with `await change`, `requeue ...` or `fail`")
        captured = {rule.name: [value for _, value in rule.captures] for rule in self.rules.values()}
        self._leave_out(captured)
        return Program(tuple(self.code), frozenset(self.stops))

    def _leave_out(self, captured: dict[str, list[e.Expr]]) -> None:
        """Takes away the reads that nothing uses; `captured` are the expressions each rule's outcome reads."""
        used: set[str] = set()
        for instruction in self.code:
            read = list(expressions(instruction))
            if isinstance(instruction, End) and instruction.rule is not None:
                read += captured.get(instruction.rule, [])
            used.update(variable.name for expression in read for variable in e.variables(expression))
        for position, instruction in enumerate(self.code):
            if isinstance(instruction, Read):
                wanted = tuple(pair for pair in instruction.locals if pair[0].name in used)
                self.code[position] = replace(instruction, locals=wanted)
        for positions in self.copies:
            self._copy_only(positions, used)

    def _copy_only(self, positions: range, used: set[str]) -> None:
        """Copies the fields of an object that are used, in one step; at the least one, so that its version is read."""
        binds = {position: one for position in positions if isinstance(one := self.code[position], Bind)}
        kept = [position for position, one in binds.items() if one.local.name in used]
        kept = kept or [position for position, one in binds.items() if not isinstance(one.value, e.Const)][:1]
        for position in binds.keys() - kept:
            self.code[position] = Jump(position + 1, binds[position].span)
        if any(self.names.is_shared(binds[position].value) for position in kept):
            self.stops.add(kept[-1])

    def _block(self, block: tree.Block, where: Where) -> bool | None:
        """Emits a block; whether its end can be reached.  None: not in this round, as numbers of loops decide."""
        where = replace(where, locals=dict(where.locals))
        reachable: bool | None = True
        for statement in block.statements:
            if reachable is None:
                break
            if not reachable:
                message = "this statement is never reached: the line before ends the reconcile"
                self.names.problems.error("RC211", message, statement.span, "remove it, or put it into a `when`")
                break
            try:
                reachable = self._statement(statement, where)
            except Broken:
                reachable = not isinstance(statement, tree.Await | tree.Requeue | tree.Fail)
        return reachable

    def _statement(self, statement: tree.Statement, where: Where) -> bool | None:
        match statement:
            case tree.When():
                return self._when(statement, where)
            case tree.ForEach(variable, collection, block):
                values = self.names.rounds(collection, where)
                ends = [self._block(block, where.bind(variable.text, value)) for value in values]
                return all(ends) or (None if None in ends else False)
            case tree.Let():
                try:
                    self._let(statement, where)
                except Broken:
                    where.locals[statement.name.text] = BROKEN
                return True
            case tree.Effect():
                self._effect(statement, where)
                return True
            case tree.Await(cites, span):
                self.code.append(End("await", None, cites, span))
            case tree.Fail(terminal, cites, span):
                self.code.append(End("terminal" if terminal else "fail", None, cites, span))
            case tree.Requeue():
                self._requeue(statement, where)
        return False

    def _when(self, statement: tree.When, where: Where) -> bool | None:
        try:
            condition = self.names.expr(statement.condition, where, BOOL)
            if self.names.is_decided(statement.condition, condition, where):
                chosen = statement.block if condition == e.TRUE else statement.otherwise
                return chosen is None or self._block(chosen, where) or None
        except Broken:
            condition = e.TRUE
        test = len(self.code)
        if self.names.is_shared(condition):
            self.stops.add(test)
        self.code.append(Test(condition, PENDING, statement.cites, statement.condition.span))
        reachable = self._block(statement.block, where)
        if statement.otherwise is None:
            self._aim(test)
            return True
        leave = len(self.code)
        if reachable:
            self.code.append(Jump(PENDING, statement.span))
        self._aim(test)
        also = self._block(statement.otherwise, where)
        if reachable:
            self._aim(leave)
        return reachable or also or (None if None in (reachable, also) else False)

    def _aim(self, position: int) -> None:
        """Lets the test or jump at `position` go to the instruction that comes next."""
        instruction = self.code[position]
        if isinstance(instruction, Test):
            self.code[position] = replace(instruction, otherwise=len(self.code))
        elif isinstance(instruction, Jump):
            self.code[position] = replace(instruction, target=len(self.code))

    def _new_local(self, name: str) -> str:
        full = f"{self.controller}/{name}"
        count = self.locals[full] = self.locals.get(full, 0) + 1
        return full if count == 1 else f"{full}.{count}"

    def _let(self, statement: tree.Let, where: Where) -> None:
        names, name = self.names, statement.name
        if name.text in where.locals or name.text in set(names.visible(replace(where, locals={}))):
            names.problems.error("RC202", f"`{name}` is already declared", name.span, "choose another name")
        if statement.live is None:
            assert statement.value is not None
            if statement.handlers:
                message = "a cached read cannot fail, so it has no error to handle"
                names.problems.error("RC206", message, statement.handlers[0].span, "remove the handler")
            object_ = self._object(statement.value, where)
            if object_ is not None:
                where.locals[name.text] = self._copy(object_, statement, where)
                return
            value = names.expr(statement.value, where)
            local = Variable(self._new_local(name.text), e.type_of(value), None)
            self._bind(local, value, statement.span)
            where.locals[name.text] = local
            return
        target, rest = names.holder(statement.live, where)
        if target in names.clocks:
            message = "a clock is read directly"
            raise names.problems.broken("RC206", message, statement.live.span, f"write `let {name} = {target}....`")
        base = self._new_local(name.text)
        scope: Variable | dict[str, Variable]
        pairs: tuple[tuple[Variable, Variable], ...]
        if rest:
            wanted = ".".join(part.name for part in rest)
            live = self._live(target, wanted, statement.live.span)
            local = Variable(base, live.type, None)
            pairs, scope = ((local, live),), local
        else:
            fields = [self._live(target, v.name[len(target) + 1 :], statement.span) for v in self._fields(target)]
            if target in names.objects:
                fields = [self._live(target, "exists", statement.span), *fields]
                if names.objects[target].can_be_deleting:
                    fields.append(self._live(target, "deleting", statement.span))
            copies: dict[str, Variable] = {}
            for live in fields:
                key = live.name[len(target) + 1 :]
                copies[key] = Variable(f"{base}.{key}", live.type, None)
            pairs, scope = tuple((copies[live.name[len(target) + 1 :]], live) for live in fields), copies
        where.locals[name.text] = scope
        position = len(self.code)
        self.code.append(Read(target, pairs, (), statement.cites, statement.span))
        can = ("error", "missing") if target in names.objects else ("error",)
        self._handlers(position, statement.handlers, where, can)

    def _object(self, node: tree.Expr, where: Where) -> str | None:
        """The object that an expression names as a whole, if it does."""
        if not isinstance(node, tree.Path) or len(node.parts) > 1:
            return None
        name, names = node.parts[0].name, self.names
        if name in where.locals or not (name in where.bindings or name in names.objects or name in names.arrays):
            return None
        target, _ = names.holder(node, where)
        return target if target in names.objects else None

    def _copy(self, target: str, statement: tree.Let, where: Where) -> dict[str, Variable]:
        """Binds every field of an object in the cache at one moment, and gives them by name.  Raises `Broken`."""
        base, begin, found = self._new_local(statement.name.text), len(self.code), dict[str, Variable]()
        for name in ("exists", "deleting", *(v.name[len(target) + 1 :] for v in self._fields(target))):
            value = self._cached(target, name, statement.span, where)
            found[name] = Variable(f"{base}.{name}", e.type_of(value), None)
            self.code.append(Bind(found[name], value, statement.span))
        self.copies.append(range(begin, len(self.code)))
        return found

    def _cached(self, target: str, name: str, span: Span, where: Where) -> e.Expr:
        """The value of a field as a reconcile reads it.  Raises `Broken`."""
        parts = tuple(tree.Part(part, None, span) for part in (target, *name.split(".")))
        return self.names.expr(tree.Path(parts, span), where.bind(target, target))

    def _fields(self, target: str) -> tuple[Variable, ...]:
        holder = self.names.objects.get(target) or self.names.externals[target]
        return holder.fields

    def _live(self, target: str, name: str, span: Span) -> Variable:
        if target in self.names.objects and name in ("exists", "deleting"):
            return Variable(f"{target}.{name}", BOOL, None)
        return self.names.field(target, name, span)

    def _handlers(self, position: int, handlers: tuple[tree.Handler, ...], where: Where, can: tuple[str, ...]) -> None:
        """Emits the handlers of the effect at `position` out of line and ties them to it."""
        known = dict.fromkeys(handler.error for handler in handlers)
        if len(known) < len(handlers):
            self.names.problems.error("RC202", "two handlers for the same error", handlers[-1].span, "keep one")
        for handler in handlers:
            if handler.error not in can:
                message = f"this effect cannot fail with `{handler.error}`"
                instead = "handle " + " or ".join(f"`on {error}`" for error in can)
                self.names.problems.error("RC206", message, handler.span, instead)
        blocks = [handler for handler in handlers if handler.block is not None]
        skip = len(self.code)
        if blocks:
            self.code.append(Jump(PENDING, blocks[0].span))
        entries: dict[str, int] = {}
        leaves: list[int] = []
        for handler in blocks:
            assert handler.block is not None
            entries[handler.error] = len(self.code)
            if self._block(handler.block, where):
                leaves.append(len(self.code))
                self.code.append(Jump(PENDING, handler.span))
        if blocks:
            self._aim(skip)
        for leave in leaves:
            self._aim(leave)
        targets = tuple((h.error, entries[h.error] if h.block is not None else len(self.code)) for h in handlers)
        instruction = self.code[position]
        assert isinstance(instruction, Read | Write | Call)
        self.code[position] = replace(instruction, handlers=targets)

    def _effect(self, node: tree.Effect, where: Where) -> None:
        match node.verb:
            case "register":
                self._register(node, where)
            case "remember":
                variable = self.names.memory_variable(node.target)
                read = e.Var(variable.name, variable.type)
                target = self._target(variable, read, node.assignments[0], where)
                self.code.append(Remember((target,), node.cites, node.span))
            case "call":
                self._call(node, where)
            case _:
                self._write(node, where)

    def _register(self, node: tree.Effect, where: Where) -> None:
        name = where.bindings.get(node.target.text, node.target.text)
        if name not in self.late:
            what = "late watch of this controller"
            raise self.names.problems.unknown(what, name, self.late, node.target.span)
        self.code.append(Register(name, node.cites, node.span))

    def _call(self, node: tree.Effect, where: Where) -> None:
        target, rest = self.names.holder(node.target, where)
        if target not in self.names.externals:
            message, instead = f"`{target}` is not an external", f"write `update {target}...` or `patch {target}...`"
            raise self.names.problems.broken("RC206", message, node.target.span, instead)
        assignments = self._assignments(target, rest, node, where)
        position = len(self.code)
        self.code.append(Call(target, assignments, (), node.cites, node.span))
        self._handlers(position, node.handlers, where, ("error",))

    def _write(self, node: tree.Effect, where: Where) -> None:
        target, rest = self.names.holder(node.target, where)
        if target not in self.names.objects:
            message = f"`{target}` is not a Kubernetes object"
            instead = f"write `call {target}...`" if target in self.names.externals else "a clock cannot be written"
            raise self.names.problems.broken("RC206", message, node.target.span, instead)
        assignments = self._assignments(target, rest, node, where)
        if node.verb in ("update", "patch") and not node.assignments:
            message, instead = f"`{node.verb}` without a field changes nothing", f"write `{node.verb} {target}.f = ...`"
            raise self.names.problems.broken("RC206", message, node.span, instead)
        can = {
            "create": ("error", "exists"),
            "update": ("error", "conflict", "missing"),
            "patch": ("error", "missing"),
            "apply": ("error",),
            "delete": ("error", "missing"),
        }[node.verb]
        position = len(self.code)
        self.code.append(Write(node.verb, target, assignments, (), node.cites, node.span))
        self._handlers(position, node.handlers, where, can)

    def _assignments(
        self, target: str, rest: tuple[tree.Part, ...], node: tree.Effect, where: Where
    ) -> tuple[Target, ...]:
        result: list[Target] = []
        for assignment in node.assignments:
            try:
                single = not assignment.target.parts
                if rest and not single:
                    instead = f"write `{node.verb} {target} {{ ... }}`"
                    raise self.names.problems.broken("RC206", "name the object only", node.target.span, instead)
                parts = rest if single else assignment.target.parts
                if not parts:
                    message, instead = f"`{target}` is not a field", f"write `{node.verb} {target}.f = ...`"
                    raise self.names.problems.broken("RC206", message, node.target.span, instead)
                name = ".".join(part.name for part in parts)
                span = node.target.span if single else assignment.target.span
                if name in ("exists", "deleting"):
                    message, instead = f"`{name}` is not written directly", "use `create` or `delete`"
                    raise self.names.problems.broken("RC208", message, span, instead)
                variable = self.names.field(target, name, node.target.rest if single else span)
                read: e.Expr | None = None
                if assignment.operator != "=":
                    read = self._cached(target, name, span, where)
                if name.startswith("finalizers.") and isinstance(assignment.value, tree.Anything):
                    message = "a finalizer is set or removed, not left open"
                    raise self.names.problems.broken("RC221", message, assignment.span, "write `true` or `false`")
                result.append(self._target(variable, read, assignment, where))
            except Broken:
                continue
        written = [target.variable.name for target in result]
        if len(set(written)) < len(written):
            self.names.problems.error("RC202", "a field is written twice", node.span, "keep one assignment")
        return tuple(result)

    def _target(self, variable: Variable, read: e.Expr | None, node: tree.Assignment, where: Where) -> Target:
        value = self.names.assigned(node, where, variable, read or e.Var(variable.name, variable.type))
        if value is not None and self.names.is_shared(value):
            local = Variable(self._new_local(f"new {variable.name}"), e.type_of(value), None)
            self._bind(local, value, node.span)
            value = e.Var(local.name, local.type)
        return Target(variable, value)

    def _bind(self, local: Variable, value: e.Expr, span: Span) -> None:
        if self.names.is_shared(value):
            self.stops.add(len(self.code))
        self.code.append(Bind(local, value, span))

    def _requeue(self, node: tree.Requeue, where: Where) -> None:
        condition = None
        if node.condition is not None:
            condition = self.names.expr(node.condition, where, BOOL)
        rule = make_rule(self.names, node.name.text + self.suffix, self.controller, node, condition)
        known = self.rules.get(rule.name)
        if known is not None and (known.kind, known.seconds, known.condition, known.captures) != (
            rule.kind,
            rule.seconds,
            rule.condition,
            rule.captures,
        ):
            message = f"`{node.name}` is already a different requeue rule"
            raise self.names.problems.broken("RC227", message, node.name.span, "give each rule a name of its own")
        self.rules.setdefault(rule.name, rule)
        self.code.append(End("requeue", rule.name, node.cites, node.span))


def make_rule(
    names: Names, name: str, controller: str, node: tree.Requeue, condition: e.Expr | None, declared: bool = False
) -> Rule:
    """The rule of that name which a `requeue` declares.  Raises `Broken` (RC212, RC215)."""
    seconds = None
    if node.duration is not None:
        seconds = seconds_of(names, node.duration)
    captures: list[tuple[Variable, e.Expr]] = []
    if condition is not None:
        clocks = {variable.name for fields in names.clocks.values() for variable in fields}
        if not any(variable.name in clocks for variable in e.variables(condition)):
            message = "a deadline needs a moment in time: this condition reads no clock"
            instead = "declare a `clock`, or wait with `requeue ... after 10s`"
            raise names.problems.broken("RC215", message, node.condition.span if node.condition else node.span, instead)
        condition = _capture(condition, clocks, f"timer({controller}).{name}", captures)
    return Rule(name, controller, node.kind, seconds, condition, tuple(captures), declared, node.cites, node.span)


def seconds_of(names: Names, duration: tree.Duration) -> float:
    """The length in seconds.  Raises `Broken` (RC212) when the unit is missing."""
    if duration.seconds is None:
        fix = f"{duration.text}s"
        raise names.problems.broken("RC212", "a duration needs a unit", duration.span, f"write `{fix}`", fix)
    return duration.seconds


def _capture(node: e.Expr, clocks: set[str], prefix: str, captures: list[tuple[Variable, e.Expr]]) -> e.Expr:
    """Replaces the largest clock-free parts by variables that are set when the timer is armed."""
    if isinstance(node, e.Const):
        return node
    if not any(variable.name in clocks for variable in e.variables(node)):
        variable = Variable(f"{prefix}.{len(captures) + 1}", e.type_of(node), None)
        captures.append((variable, node))
        return e.Var(variable.name, variable.type)
    return e.rebuild(node, tuple(_capture(part, clocks, prefix, captures) for part in e.parts(node)))
