"""What names mean: objects, fields, parameters, locals; and the typing of expressions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from reconcheck.diagnostic import Span
from reconcheck.model import expr as e
from reconcheck.model.managers import Manager, is_view
from reconcheck.model.operator import External, Object, Variable
from reconcheck.model.problems import Broken, Problems
from reconcheck.model.types import (
    BOOL,
    INT,
    NAT,
    OPAQUE,
    BoolType,
    EnumType,
    RangeType,
    Type,
    contains,
    is_number,
)
from reconcheck.syntax import tree
from reconcheck.syntax.nodes import nodes


class Where(Struct, frozen=True):
    """Where an expression stands, which decides what it may read.

    `mode` is world (goals, environment: live), reconcile (through the cache), mapping (views, old and new),
    filter (old and new of one object) or constant (parameters only).
    """

    mode: str
    locals: dict[str, Variable | dict[str, Variable]] = field(default_factory=dict)
    bindings: dict[str, str] = field(default_factory=dict)
    """Loop variables that stand for an element of an array."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Loop variables that stand for a number."""
    subject: str | None = None
    """The watched object or external, for `old` and `new`."""

    def bind(self, name: str, value: str | int) -> Where:
        """The same place with a loop variable, which hides one of the same name."""
        bindings = {one: element for one, element in self.bindings.items() if one != name}
        numbers = {one: number for one, number in self.numbers.items() if one != name}
        if isinstance(value, int):
            return replace(self, bindings=bindings, numbers={**numbers, name: value})
        return replace(self, bindings={**bindings, name: value}, numbers=numbers)


def suffix(value: str | int) -> str:
    """What a round of a loop adds to the names of what stands in it: the index of the element, or the number."""
    return f"[{value}]" if isinstance(value, int) else value[value.index("[") :]


BUILTINS: dict[str, Type] = {"bool": BOOL, "int": INT, "nat": NAT, "opaque": OPAQUE}

FOREIGN_TYPES = {"string": "opaque", "str": "opaque", "integer": "int", "number": "int", "boolean": "bool"}
"""What types are called elsewhere, and here."""

MOST_UNROLLED = 20_000
"""Rounds of all loops and quantifiers; what needs more could not be searched anyway (spec/limits.md)."""

BROKEN = Variable("", BOOL, None)
"""Stands for a local whose `let` is wrong: what reads it is not reported as well."""


class Names(Struct):
    """Everything declared so far."""

    problems: Problems
    parameters: dict[str, int] = field(default_factory=dict)
    types: dict[str, Type] = field(default_factory=dict)
    objects: dict[str, Object] = field(default_factory=dict)
    arrays: dict[str, tuple[str, ...]] = field(default_factory=dict)
    externals: dict[str, External] = field(default_factory=dict)
    clocks: dict[str, tuple[Variable, ...]] = field(default_factory=dict)
    memory: tuple[Variable, ...] = ()
    """Of all managers."""
    declared: dict[str, Span] = field(default_factory=dict)
    """Where each field is declared, by the variable's name."""
    manager: Manager | None = None
    """The one whose controllers are translated: what a reconcile reads is its cache and its memory."""
    several: bool = False
    """Whether the model has several controllers."""
    broken: set[str] = field(default_factory=set)
    """Names whose declaration is wrong and reported: their uses are not reported as unknown."""
    unrolled: int = 0
    """Rounds of loops and quantifiers so far."""

    def unknown(self, what: str, name: str, known: Iterable[str], span: Span, code: str = "RC201") -> Broken:
        """Reports an unknown name, unless its declaration is already reported."""
        if name in self.broken:
            return Broken()
        return self.problems.unknown(what, name, known, span, code)

    def is_shared(self, expr: e.Expr) -> bool:
        """Whether others may act on a change of what the expression reads before the next effect is done.

        With one controller, a read through the cache may be put off: it is a delivery that came later.  With
        several, the same delivery wakes the others; and on a clock the whole environment may act.
        """
        clocks = {variable.name for fields in self.clocks.values() for variable in fields}
        names = [variable.name for variable in e.variables(expr)]
        return any(name in clocks or (self.several and (is_view(name) or name.startswith("memory."))) for name in names)

    # ---- types -------------------------------------------------------------------------------------

    def type(self, node: tree.Type) -> Type:
        """The type written; an open range has no type of its own.  Raises `Broken`."""
        match node:
            case tree.Builtin(name):
                return BUILTINS[name]
            case tree.Bounds(low, high, span):
                least = self.constant(low)
                most = self.constant(high) if high is not None else least
                if least > most:
                    message, right = f"the range {least}..{most} is empty", f"{most}..{least}"
                    raise self.problems.broken("RC204", message, span, f"write `{right}`", right)
                return RangeType(least, most)
            case tree.Union(names, span):
                if len(names) == 1:
                    alias = self.types.get(names[0].text)
                    if alias is not None:
                        return alias
                    near = FOREIGN_TYPES.get(names[0].text)
                    if near is not None:
                        message = f"unknown type `{names[0].text}`"
                        raise self.problems.broken("RC201", message, span, f"did you mean `{near}`?", near)
                    known = [*self.types, *BUILTINS]
                    raise self.unknown("type", names[0].text, known, span)
                texts = tuple(word.text for word in names)
                if len(set(texts)) != len(texts):
                    raise self.problems.broken("RC202", "a value is listed twice in this type", span, "keep it once")
                return EnumType(texts)

    def constant(self, node: tree.Expr, where: Where | None = None) -> int:
        """The number a constant expression stands for, inside the loops around it.  Raises `Broken`."""
        typed = self.expr(node, Where("constant", numbers=where.numbers if where is not None else {}), INT)
        if not isinstance(typed, e.Const):
            raise self.problems.broken("RC221", "a number known beforehand is needed here", node.span, "use a `param`")
        return int(typed.value)

    # ---- names ----------------------------------------------------------------------------------------

    def field(self, target: str, name: str, span: Span) -> Variable:
        """Field `name` of an object or external.  Raises `Broken`."""
        holder = self.objects.get(target) or self.externals.get(target)
        assert holder is not None
        full = f"{target}.{name}"
        for variable in holder.fields:
            if variable.name == full:
                return variable
        known = [variable.name[len(target) + 1 :] for variable in holder.fields]
        if target in self.objects:
            known += ["exists", "deleting"]
        if full in self.broken:
            raise Broken
        raise self.problems.unknown(f"field of `{target}`", name, known, span, "RC205")

    def holder(self, path: tree.Path, where: Where) -> tuple[str, tuple[tree.Part, ...]]:
        """The object, external or clock a path begins with, and the rest of the path.  Raises `Broken`."""
        first, rest = path.parts[0], path.parts[1:]
        if first.name in where.bindings:
            return where.bindings[first.name], rest
        if first.name in self.arrays:
            elements = self.arrays[first.name]
            if first.index is None:
                instead = f"write `{first.name}[0]`, or `for x in {first.name} {{ ... }}`"
                raise self.problems.broken("RC220", f"`{first.name}` is an array", first.span, instead)
            index = self.constant(first.index, where)
            if not 0 <= index < len(elements):
                message = f"`{first.name}` has {len(elements)} elements, there is no [{index}]"
                raise self.problems.broken("RC220", message, first.span, f"use 0 to {len(elements) - 1}")
            return elements[index], rest
        if first.index is not None:
            raise self.problems.broken("RC220", f"`{first.name}` is not an array", first.span, f"write `{first.name}`")
        if first.name in self.objects or first.name in self.externals or first.name in self.clocks:
            return first.name, rest
        if first.name in where.locals or first.name in where.numbers or first.name in self.parameters:
            what = "a parameter" if first.name in self.parameters else "a local value"
            what = "a number" if first.name in where.numbers else what
            message = f"`{first.name}` is {what}, not an object"
            raise self.problems.broken("RC206", message, first.span, "name an object or an external")
        if first.name == "memory":
            message = "the operator's memory is written by its reconciles only"
            raise self.problems.broken("RC208", message, path.span, "write `remember memory.f = ...` in a reconcile")
        raise self.unknown("name", first.name, self.visible(where), first.span)

    def visible(self, where: Where) -> Iterator[str]:
        """Every name that could begin a path here."""
        yield from where.locals
        yield from where.bindings
        yield from where.numbers
        for names in (self.parameters, self.objects, self.arrays, self.externals, self.clocks):
            yield from (name for name in names if "[" not in name)
        yield "memory"

    def rounds(self, collection: tree.Collection, where: Where) -> Sequence[str | int]:
        """What a loop or a quantifier goes through, to be unrolled: elements, or numbers.  Raises `Broken`."""
        low = high = 0
        if isinstance(collection, tree.Bounds):
            assert collection.high is not None
            low, high = self.constant(collection.low, where), self.constant(collection.high, where)
            if low < 0:
                message = f"this loop begins at {low}"
                raise self.problems.broken("RC220", message, collection.span, "count from 0 up, as indices do")
            self.unrolled += max(0, high - low + 1)
        elif collection.text in self.arrays:
            self.unrolled += len(self.arrays[collection.text])
        else:
            raise self.unknown("array", collection.text, self.arrays, collection.span)
        if self.unrolled > MOST_UNROLLED:
            message = f"the loops and quantifiers of this model have more than {MOST_UNROLLED:,} rounds in all"
            raise self.problems.broken("RC220", message, collection.span, "use smaller arrays, or fewer nested loops")
        return range(low, high + 1) if isinstance(collection, tree.Bounds) else self.arrays[collection.text]

    def _path(self, path: tree.Path, where: Where, expected: Type | None) -> e.Expr:
        first, rest = path.parts[0], path.parts[1:]
        local = where.locals.get(first.name)
        if local is not None and first.index is None:
            return self._local(path, local)
        if first.name in where.numbers and not rest and first.index is None:
            return e.integer(where.numbers[first.name])
        if first.name in self.parameters and not rest and first.index is None:
            return e.integer(self.parameters[first.name])
        if isinstance(expected, EnumType) and not rest and first.name in expected.values:
            return e.Const(first.name, expected)
        if where.mode == "constant" and first.name in set(self.visible(where)):
            message = f"`{path.text}` is not known before the system starts"
            raise self.problems.broken("RC221", message, path.span, "use a number or a `param`")
        if where.mode == "constant":
            raise self.unknown("parameter", first.name, self.parameters, first.span)
        if first.name == "memory" and first.name not in self.objects:
            return self._memory(path, where)
        if first.name in ("old", "new") and where.subject is not None:
            return self._version(path, where)
        if isinstance(expected, EnumType) and not rest and first.name not in set(self.visible(where)):
            raise self.problems.unknown("value", first.name, expected.values, first.span, "RC203")
        target, parts = self.holder(path, where)
        if not parts:
            instead = f"name a field, such as `{target}.exists`" if target in self.objects else "name a field"
            raise self.problems.broken("RC203", f"`{target}` is not a value", path.span, instead)
        name = ".".join(part.name for part in parts)
        if target in self.clocks:
            for variable in self.clocks[target]:
                if variable.name == f"{target}.{name}":
                    return e.Var(variable.name, variable.type)
            if f"{target}.{name}" in self.broken:
                raise Broken
            known = [v.name[len(target) + 1 :] for v in self.clocks[target]]
            raise self.problems.unknown(f"field of `{target}`", name, known, path.rest, "RC205")
        if where.mode == "filter":
            instead = f"read `new.{name}` or `old.{name}`"
            raise self.problems.broken("RC208", "a predicate sees the changed object only", path.span, instead)
        return self._read(target, name, path, where)

    def _read(self, target: str, name: str, path: tree.Path, where: Where) -> e.Expr:
        object_ = self.objects.get(target)
        if object_ is not None and name == "exists":
            variable = Variable(f"{target}.exists", BOOL, None)
            if object_.always_exists:
                return e.TRUE
        elif object_ is not None and name == "deleting":
            variable = Variable(f"{target}.deleting", BOOL, None)
            if not object_.can_be_deleting:
                return e.FALSE
        else:
            variable = self.field(target, name, path.rest)
        if where.mode == "world":
            return e.Var(variable.name, variable.type)
        if object_ is not None and self.manager is not None and self.manager.name in object_.cached:
            return e.Var(self.manager.view(variable.name), variable.type)
        what = "is not in this runtime's cache" if object_ is not None else "is outside Kubernetes"
        message = f"`{target}` {what}: reading it is a request of its own, which can fail"
        instead = f"write `let found = live({target})` first, then use `found.{name}`"
        raise self.problems.broken("RC207", message, path.span, instead)

    def _local(self, path: tree.Path, local: Variable | dict[str, Variable]) -> e.Expr:
        rest = ".".join(part.name for part in path.parts[1:])
        name = path.parts[0].name
        if local is BROKEN:
            raise Broken
        if isinstance(local, Variable):
            if rest:
                raise self.problems.broken("RC205", f"`{name}` is a plain value", path.span, f"write `{name}`")
            return e.Var(local.name, local.type)
        if not rest:
            known = ", ".join(f"`{name}.{key}`" for key in local)
            raise self.problems.broken("RC203", f"`{name}` is a whole object", path.span, f"use one of {known}")
        if rest not in local:
            raise self.problems.unknown(f"field of `{name}`", rest, local, path.rest, "RC205")
        return e.Var(local[rest].name, local[rest].type)

    def _memory(self, path: tree.Path, where: Where) -> e.Expr:
        variable = self.memory_variable(path)
        if where.mode == "filter":
            message = "a predicate sees the changed object only"
            raise self.problems.broken("RC208", message, path.span, "put it into the mapping: `via (...)`")
        return e.Var(variable.name, variable.type)

    def memory_variable(self, path: tree.Path) -> Variable:
        """The memory variable a path names.  Raises `Broken`."""
        holder = "memory" if self.manager is None else self.manager.memory
        name = holder + path.text.removeprefix("memory")
        for variable in self.memory:
            if variable.name == name:
                return variable
        if name in self.broken:
            raise Broken
        known = [f"memory{v.name.removeprefix(holder)}" for v in self.memory if v.name.startswith(f"{holder}.")]
        raise self.problems.unknown("memory variable", path.text, known, path.span, "RC205")

    def _version(self, path: tree.Path, where: Where) -> e.Expr:
        assert where.subject is not None
        name = ".".join(part.name for part in path.parts[1:])
        side = path.parts[0].name
        if name in ("exists", "deleting") and where.subject in self.objects:
            return e.Var(f"{side}.{name}", BOOL)
        return e.Var(f"{side}.{name}", self.field(where.subject, name, path.rest).type)

    # ---- expressions ------------------------------------------------------------------------------------

    def expr(self, node: tree.Expr, where: Where, expected: Type | None = None) -> e.Expr:
        """The typed expression; `expected` tells what a bare enum value is of.  Raises `Broken`."""
        typed = self._expr(node, where, expected)
        if expected is not None and not e.compatible(e.type_of(typed), expected):
            found = e.type_of(typed)
            instead = f"use a value of {expected}"
            if isinstance(expected, BoolType):
                instead = "compare it with a value: `... == ...`"
            raise self.problems.broken("RC203", f"this is a `{found}`, needed is a `{expected}`", node.span, instead)
        return typed

    def _expr(self, node: tree.Expr, where: Where, expected: Type | None) -> e.Expr:
        match node:
            case tree.Literal(value):
                if value is None:
                    return e.Const(0, OPAQUE)
                return e.Const(value, BOOL) if isinstance(value, bool) else e.integer(value)
            case tree.Path():
                return self._path(node, where, expected)
            case tree.Unary(operand):
                return e.negate(self.expr(operand, where, BOOL))
            case tree.Connective(operator, operands):
                typed = self._each(operands, where)
                return e.both(*typed) if operator == "and" else e.either(*typed)
            case tree.Binary("implies", left, right):
                return e.implies(self.expr(left, where, BOOL), self.expr(right, where, BOOL))
            case tree.Binary(operator, left, right) if operator in ("+", "-", "*"):
                return e.arithmetic(operator, self.expr(left, where, INT), self.expr(right, where, INT))
            case tree.Binary():
                return self._comparison(node, where)
            case tree.Conditional(condition, yes, no):
                test = self.expr(condition, where, BOOL)
                if self.is_decided(condition, test, where):
                    return self._expr(yes if test == e.TRUE else no, where, expected)
                typed_yes = self.expr(yes, where, expected)
                typed_no = self.expr(no, where, expected or e.type_of(typed_yes))
                return e.choose(test, typed_yes, typed_no)
            case tree.Extreme(kind, left, right):
                a, b = self.expr(left, where, INT), self.expr(right, where, INT)
                return e.choose(e.at_most(a, b), a, b) if kind == "min" else e.choose(e.at_most(a, b), b, a)
            case tree.Quantifier(kind, variable, collection, body):
                rounds = self.rounds(collection, where)
                wanted = [self.expr(body, where.bind(variable.text, value), BOOL) for value in rounds]
                if kind == "count":
                    return e.total([e.choose(one, e.integer(1), e.integer(0)) for one in wanted])
                return e.both(*wanted) if kind == "all" else e.either(*wanted)

    @staticmethod
    def is_decided(written: tree.Expr, condition: e.Expr, where: Where) -> bool:
        """Whether numbers of the loops around decide a condition: what it rules out may be beyond an array's end."""
        if not where.numbers or not isinstance(condition, e.Const):
            return False
        return any(isinstance(one, tree.Path) and one.parts[0].name in where.numbers for one in nodes(written))

    def _each(self, operands: tuple[tree.Expr, ...], where: Where) -> list[e.Expr]:
        """The operands of a chain; raises `Broken` only after every one has been looked at."""
        typed: list[e.Expr] = []
        for operand in operands:
            try:
                typed.append(self.expr(operand, where, BOOL))
            except Broken:
                continue
        if len(typed) < len(operands):
            raise Broken
        return typed

    def _comparison(self, node: tree.Binary, where: Where) -> e.Expr:
        left, right = self._two_sides(node, where)
        a, b = e.type_of(left), e.type_of(right)
        if not e.compatible(a, b):
            message = f"a `{a}` is compared with a `{b}`"
            raise self.problems.broken("RC203", message, node.span, "compare values of the same type")
        if node.operator == "==":
            return e.equal(left, right)
        if node.operator == "!=":
            return e.negate(e.equal(left, right))
        if not is_number(a):
            instead = "use `==` or `!=`"
            raise self.problems.broken("RC226", f"`{a}` has no order", node.span, instead)
        match node.operator:
            case "<=":
                return e.at_most(left, right)
            case ">=":
                return e.at_most(right, left)
            case "<":
                return e.negate(e.at_most(right, left))
            case _:
                return e.negate(e.at_most(left, right))

    def _two_sides(self, node: tree.Binary, where: Where) -> tuple[e.Expr, e.Expr]:
        """Types the side first whose type is known by itself: a bare enum value or an `if` takes the other's."""
        if self._takes_type(node.left, where) and not self._takes_type(node.right, where):
            right = self._expr(node.right, where, None)
            return self._expr(node.left, where, e.type_of(right)), right
        left = self._expr(node.left, where, None)
        return left, self._expr(node.right, where, e.type_of(left))

    def _takes_type(self, node: tree.Expr, where: Where) -> bool:
        if isinstance(node, tree.Path):
            return len(node.parts) == 1 and node.parts[0].name not in set(self.visible(where))
        return isinstance(node, tree.Conditional)

    def value(self, node: tree.Value, where: Where, variable: Variable) -> e.Expr | None:
        """What is assigned to a variable; None for `any`.  Raises `Broken`."""
        if isinstance(node, tree.Anything):
            return None
        typed = self.expr(node, where, variable.type)
        if isinstance(typed, e.Const) and not contains(variable.type, typed.value):
            message = f"{e.show(typed)} is not a value of `{variable.name}`, which is `{variable.type}`"
            raise self.problems.broken("RC204", message, node.span, f"use a value of {variable.type}")
        enum, given = variable.type, e.type_of(typed)
        if isinstance(enum, EnumType) and isinstance(given, EnumType) and not set(given.values) <= set(enum.values):
            extra = ", ".join(sorted(set(given.values) - set(enum.values)))
            message = f"`{variable.name}` cannot hold {extra}"
            raise self.problems.broken("RC203", message, node.span, "give both the same type")
        return typed

    def assigned(self, node: tree.Assignment, where: Where, variable: Variable, old: e.Expr) -> e.Expr | None:
        """What a variable with an old value is after an assignment; None for `any`.  Raises `Broken`."""
        value = self.value(node.value, where, variable)
        if node.operator == "=":
            return value
        if value is None:
            message = f"`{node.operator} any`: what comes of it could be any value"
            raise self.problems.broken("RC206", message, node.span, "write `= any`")
        return e.arithmetic(node.operator[0], old, value)

    def initial(self, node: tree.Value | None, variable: Variable, where: Where) -> Variable:
        """The variable with its initial value, a constant; none given means any."""
        if node is None or isinstance(node, tree.Anything):
            return variable
        typed = self.value(node, where, variable)
        if not isinstance(typed, e.Const):
            raise self.problems.broken("RC221", "an initial value is a constant or `any`", node.span, "write `= any`")
        return replace(variable, initial=typed.value)
