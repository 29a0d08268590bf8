"""Builds the syntax tree while the parser runs (one method a grammar rule, named after it)."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from lark import Token, Transformer, v_args
from msgspec.structs import replace

from reconcheck.diagnostic import Span
from reconcheck.syntax import tree
from reconcheck.syntax.cite import Cite

T = TypeVar("T")

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _all(children: list[Any], kind: type[T]) -> tuple[T, ...]:
    return tuple(child for child in children if isinstance(child, kind))


def _one(children: list[Any], kind: Any) -> Any:
    return next((child for child in children if isinstance(child, kind)), None)


def _doc(children: list[Any]) -> str:
    lines = [child[3:].strip() for child in children if isinstance(child, Token) and child.type == "DOC"]
    return "\n".join(lines)


def _has(children: list[Any], terminal: str) -> bool:
    return any(isinstance(child, Token) and child.type == terminal for child in children)


_EXPR = (
    tree.Literal,
    tree.Path,
    tree.Unary,
    tree.Binary,
    tree.Connective,
    tree.Conditional,
    tree.Quantifier,
    tree.Extreme,
)


@v_args(meta=True)
class Builder(Transformer[Token, tree.File]):
    """Turns grammar rules into `reconcheck.syntax.tree` nodes, bottom up and without recursion."""

    def __init__(self, file: str) -> None:
        super().__init__(visit_tokens=True)
        self.file = file

    def _span(self, meta: Any) -> Span:
        if meta.empty:
            return Span(self.file, 1, 1, 1, 1)
        return Span(self.file, meta.line, meta.column, meta.end_line, meta.end_column)

    def _word(self, token: Token) -> tree.Word:
        line, column = token.line or 1, token.column or 1
        span = Span(self.file, line, column, token.end_line or line, token.end_column or column)
        return tree.Word(str(token), span)

    NAME = _word

    def _keyword(self, _meta: Any, children: list[Any]) -> tree.Word:
        words = [child if isinstance(child, tree.Word) else self._word(child) for child in children]
        first, last = words[0].span, words[-1].span
        span = Span(self.file, first.line, first.column, last.end_line, last.end_column)
        return tree.Word(" ".join(word.text for word in words), span)

    knob_name = role = ownership = presence = read_mode = event_kind = write_verb = object_verb = error_kind = _keyword
    action_kind = switch = verdict = quantity = bound = assign_op = _keyword

    # ---- file ----------------------------------------------------------------------------------

    def start(self, meta: Any, children: list[Any]) -> tree.File:
        prelude = tuple(c for c in children if isinstance(c, tree.Import | tree.Param | tree.TypeAlias | tree.Kind))
        operator = _one(children, tree.Operator)
        return tree.File(self.file, int(children[0]), prelude, operator, self._span(meta))

    def import_decl(self, meta: Any, children: list[Any]) -> tree.Import:
        return tree.Import(children[0][1:-1], self._span(meta))

    def param_decl(self, meta: Any, children: list[Any]) -> tree.Param:
        name, type_, value = [c for c in children if not isinstance(c, Token)]
        return tree.Param(name, type_, value, _doc(children), self._span(meta))

    def type_decl(self, meta: Any, children: list[Any]) -> tree.TypeAlias:
        name, type_ = [c for c in children if not isinstance(c, Token)]
        return tree.TypeAlias(name, type_, _doc(children), self._span(meta))

    def kind_decl(self, meta: Any, children: list[Any]) -> tree.Kind:
        return tree.Kind(
            _one(children, tree.Word),
            _all(children, tree.Field),
            _all(children, tree.Finalizer),
            _all(children, tree.Action),
            _doc(children),
            _all(children, Cite),
            self._span(meta),
        )

    def operator(self, meta: Any, children: list[Any]) -> tree.Operator:
        members = tuple(c for c in children if not isinstance(c, Token | tree.Word | Cite))
        name, cites = _one(children, tree.Word), _all(children, Cite)
        return tree.Operator(name, members, _doc(children), cites, self._span(meta))

    def system(self, meta: Any, children: list[Any]) -> tree.Operator:
        return replace(self.operator(meta, children), system=True)

    def manager(self, meta: Any, children: list[Any]) -> tree.Manager:
        kinds = tree.Runtime | tree.Memory | tree.Controller | tree.ControllerFor
        members = tuple(c for c in children if isinstance(c, kinds))
        name, cites = _one(children, tree.Word), _all(children, Cite)
        return tree.Manager(name, members, _doc(children), cites, self._span(meta))

    def source(self, meta: Any, children: list[Any]) -> tree.Source:
        commit = children[1][1:-1] if len(children) > 1 else None
        return tree.Source(children[0][1:-1], commit, self._span(meta))

    def runtime(self, meta: Any, children: list[Any]) -> tree.Runtime:
        version = next((str(c) for c in children[1:] if isinstance(c, Token)), None)
        return tree.Runtime(children[0], version, _all(children, tree.Knob), self._span(meta))

    def runtime_name(self, _meta: Any, children: list[Any]) -> str:
        return "-".join(word.text for word in children)

    def knob(self, meta: Any, children: list[Any]) -> tree.Knob:
        value = children[1]
        if isinstance(value, tree.Duration):
            value = tree.Word(value.text, value.span)
        return tree.Knob(children[0], value, self._span(meta))

    # ---- what exists ------------------------------------------------------------------------------

    def size(self, _meta: Any, children: list[Any]) -> tuple[str, tree.Expr]:
        return ("size", children[0])

    def owned(self, meta: Any, children: list[Any]) -> tree.Owned:
        how = children[1].text if len(children) > 1 else "controller"
        return tree.Owned(children[0], how, self._span(meta))

    def initially(self, _meta: Any, children: list[Any]) -> tuple[str, str]:
        return ("presence", children[0].text)

    def reads(self, _meta: Any, children: list[Any]) -> tuple[str, str]:
        return ("read", children[0].text)

    def generation(self, _meta: Any, _children: list[Any]) -> tuple[str, bool]:
        return ("generation", False)

    def resource(self, meta: Any, children: list[Any]) -> tree.Resource:
        role, kind, name = _all(children, tree.Word)
        traits: dict[str, Any] = dict(_all(children, tuple))
        return tree.Resource(
            role.text == "primary",
            kind,
            name,
            traits.get("size"),
            _one(children, tree.Owned),
            traits.get("presence"),
            traits.get("read"),
            traits.get("generation", True),
            _all(children, tree.Field),
            _all(children, tree.Finalizer),
            _doc(children),
            _all(children, Cite),
            self._span(meta),
        )

    def field(self, meta: Any, children: list[Any]) -> tree.Field:
        rest = [c for c in children if not isinstance(c, Token | Cite)]
        initial = rest[2] if len(rest) > 2 else None
        return tree.Field(rest[0], rest[1], initial, _doc(children), _all(children, Cite), self._span(meta))

    def finalizer(self, meta: Any, children: list[Any]) -> tree.Finalizer:
        initial = _one(children, _EXPR)
        name, cites = _one(children, tree.Word), _all(children, Cite)
        return tree.Finalizer(name, initial, _doc(children), cites, self._span(meta))

    def external(self, meta: Any, children: list[Any]) -> tree.External:
        title = next((c[1:-1] for c in children if isinstance(c, Token) and c.type == "STRING"), "")
        return tree.External(
            _one(children, tree.Word),
            next((value for trait, value in _all(children, tuple) if trait == "size"), None),
            title,
            _has(children, "NOTIFIES"),
            _all(children, tree.Field),
            _doc(children),
            _all(children, Cite),
            self._span(meta),
        )

    def clock(self, meta: Any, children: list[Any]) -> tree.Clock:
        name, fields = _one(children, tree.Word), _all(children, tree.Field)
        return tree.Clock(name, fields, _doc(children), _all(children, Cite), self._span(meta))

    def memory(self, meta: Any, children: list[Any]) -> tree.Memory:
        return tree.Memory(_all(children, tree.Field), self._span(meta))

    def union(self, meta: Any, children: list[Any]) -> tree.Union:
        return tree.Union(_all(children, tree.Word), self._span(meta))

    def bounds(self, meta: Any, children: list[Any]) -> tree.Bounds:
        return tree.Bounds(children[0], children[1], self._span(meta))

    def at_least(self, meta: Any, children: list[Any]) -> tree.Bounds:
        return tree.Bounds(children[0], None, self._span(meta))

    def int_type(self, meta: Any, _children: list[Any]) -> tree.Builtin:
        return tree.Builtin("int", self._span(meta))

    def nat_type(self, meta: Any, _children: list[Any]) -> tree.Builtin:
        return tree.Builtin("nat", self._span(meta))

    def bool_type(self, meta: Any, _children: list[Any]) -> tree.Builtin:
        return tree.Builtin("bool", self._span(meta))

    def opaque_type(self, meta: Any, _children: list[Any]) -> tree.Builtin:
        return tree.Builtin("opaque", self._span(meta))

    def type(self, _meta: Any, children: list[Any]) -> tree.Type:
        node: tree.Type = children[0]
        return node

    # ---- the controller ---------------------------------------------------------------------------

    def controller(self, meta: Any, children: list[Any]) -> tree.Controller:
        name, primary = _one(children, tree.Word), _one(children, tree.Path)
        members = tuple(c for c in children if not isinstance(c, Token | tree.Word | tree.Path | Cite))
        return tree.Controller(name, primary, members, _doc(children), _all(children, Cite), self._span(meta))

    def controller_for(self, meta: Any, children: list[Any]) -> tree.ControllerFor:
        return tree.ControllerFor(children[0], children[1], tuple(children[2:]), self._span(meta))

    def via(self, _meta: Any, children: list[Any]) -> tuple[str, tree.Expr | None]:
        child = children[0]
        if isinstance(child, Token):
            return (str(child), None)
        return ("map", child)

    def kind_event(self, meta: Any, children: list[Any]) -> tree.EventFilter:
        condition = children[1] if len(children) > 1 else None
        return tree.EventFilter(children[0].text, condition, None, self._span(meta))

    def part_event(self, meta: Any, children: list[Any]) -> tree.EventFilter:
        return tree.EventFilter(None, None, children[0], self._span(meta))

    def watch(self, meta: Any, children: list[Any]) -> tree.Watch:
        via, mapping = _one(children, tuple) or ("self", None)
        return tree.Watch(
            _one(children, tree.Path),
            _one(children, tree.Word),
            _has(children, "LATE"),
            via,
            mapping,
            _all(children, tree.EventFilter),
            _doc(children),
            _all(children, Cite),
            self._span(meta),
        )

    def requeue_rule(self, meta: Any, children: list[Any]) -> tree.Requeue:
        name, duration = _one(children, tree.Word), _one(children, tree.Duration)
        cites = _all(children, Cite)
        return tree.Requeue(name, "every", duration, None, _doc(children), cites, self._span(meta))

    def resync(self, meta: Any, children: list[Any]) -> tree.Resync:
        return tree.Resync(_one(children, tree.Duration), _all(children, Cite), self._span(meta))

    def error_rule(self, meta: Any, children: list[Any]) -> tree.ErrorRule:
        policy, retries, duration = _one(children, tuple)
        return tree.ErrorRule(policy, retries, duration, _all(children, Cite), self._span(meta))

    def policy_backoff(self, _meta: Any, _children: list[Any]) -> tuple[str, None, None]:
        return ("backoff", None, None)

    def policy_retry(self, _meta: Any, children: list[Any]) -> tuple[str, int, None]:
        return ("retry", int(children[0]), None)

    def policy_requeue(self, _meta: Any, children: list[Any]) -> tuple[str, None, tree.Duration]:
        return ("requeue", None, children[-1])

    def policy_await(self, _meta: Any, _children: list[Any]) -> tuple[str, None, None]:
        return ("await", None, None)

    def policy_stop(self, _meta: Any, _children: list[Any]) -> tuple[str, None, None]:
        return ("stop", None, None)

    def reconcile(self, meta: Any, children: list[Any]) -> tree.Reconcile:
        return tree.Reconcile(_one(children, tree.Block), _all(children, Cite), self._span(meta))

    def block(self, meta: Any, children: list[Any]) -> tree.Block:
        return tree.Block(tuple(children), self._span(meta))

    def when(self, meta: Any, children: list[Any]) -> tree.When:
        blocks = [
            tree.Block((c,), c.span) if isinstance(c, tree.When) else c
            for c in children[1:]
            if isinstance(c, tree.Block | tree.When)
        ]
        otherwise = blocks[1] if len(blocks) > 1 else None
        return tree.When(children[0], blocks[0], otherwise, _all(children, Cite), self._span(meta))

    def for_each(self, meta: Any, children: list[Any]) -> tree.ForEach:
        return tree.ForEach(children[0], children[1], children[2], self._span(meta))

    def live(self, _meta: Any, children: list[Any]) -> tuple[str, tree.Path]:
        return ("live", children[0])

    def let(self, meta: Any, children: list[Any]) -> tree.Let:
        name, value = children[0], children[1]
        handlers, cites = _all(children, tree.Handler), _all(children, Cite)
        if isinstance(value, tuple):
            return tree.Let(name, None, value[1], handlers, cites, self._span(meta))
        return tree.Let(name, value, None, handlers, cites, self._span(meta))

    def effect(self, meta: Any, children: list[Any]) -> tree.Effect:
        verb, target, assignments = children[0]
        handlers, cites = _all(children, tree.Handler), _all(children, Cite)
        return tree.Effect(verb, target, assignments, handlers, cites, self._span(meta))

    def write_effect(self, _meta: Any, children: list[Any]) -> tuple[str, tree.Path, Any]:
        verb, target, rest = children
        return self._split(verb.text, target, rest)

    def object_effect(self, _meta: Any, children: list[Any]) -> tuple[str, tree.Path, Any]:
        fields = children[2] if len(children) > 2 else ()
        return (children[0].text, children[1], fields)

    def call(self, _meta: Any, children: list[Any]) -> tuple[str, tree.Path, Any]:
        return self._split("call", children[0], children[1] if len(children) > 1 else ())

    def remember(self, _meta: Any, children: list[Any]) -> tuple[str, tree.Path, Any]:
        return self._split("remember", children[0], children[1])

    def register(self, _meta: Any, children: list[Any]) -> tuple[str, tree.Path, Any]:
        word: tree.Word = children[0]
        return ("register", tree.Path((tree.Part(word.text, None, word.span),), word.span), ())

    def _split(self, verb: str, target: tree.Path, rest: Any) -> tuple[str, tree.Path, Any]:
        """`update a.b = v` has one assignment with an empty path: the target names the field."""
        return (verb, target, (rest,) if isinstance(rest, tree.Assignment) else rest)

    def single_assign(self, meta: Any, children: list[Any]) -> tree.Assignment:
        span = self._span(meta)
        return tree.Assignment(tree.Path((), span), children[0].text, children[1], span)

    def fields(self, _meta: Any, children: list[Any]) -> tuple[tree.Assignment, ...]:
        return tuple(children)

    def assignment(self, meta: Any, children: list[Any]) -> tree.Assignment:
        return tree.Assignment(children[0], children[1].text, children[2], self._span(meta))

    def handler(self, meta: Any, children: list[Any]) -> tree.Handler:
        kind = next((c.text for c in children if isinstance(c, tree.Word)), "error")
        return tree.Handler(kind, _one(children, tree.Block), self._span(meta))

    def await_change(self, meta: Any, children: list[Any]) -> tree.Await:
        return tree.Await(tuple(children), self._span(meta))

    def requeue(self, meta: Any, children: list[Any]) -> tree.Requeue:
        name, cites, duration = children[0], _all(children, Cite), _one(children, tree.Duration)
        condition = _one(children, _EXPR)
        kind = "when" if condition is not None else "after" if _has(children, "AFTER") else "every"
        return tree.Requeue(name, kind, duration, condition, "", cites, self._span(meta))

    def fail(self, meta: Any, children: list[Any]) -> tree.Fail:
        return tree.Fail(_has(children, "TERMINAL"), _all(children, Cite), self._span(meta))

    # ---- the environment and the questions -----------------------------------------------------------

    def environment(self, meta: Any, children: list[Any]) -> tree.Environment:
        members = tuple(c for c in children if isinstance(c, tree.Action | tree.EnvironmentFor))
        return tree.Environment(members, self._span(meta))

    def environment_for(self, meta: Any, children: list[Any]) -> tree.EnvironmentFor:
        return tree.EnvironmentFor(children[0], children[1], tuple(children[2:]), self._span(meta))

    def action_decl(self, meta: Any, children: list[Any]) -> tree.Action:
        kind, name = _all(children, tree.Word)
        body: list[tree.Assignment | tree.Effect] = []
        for child in children:
            if isinstance(child, tree.Assignment):
                body.append(child)
            elif isinstance(child, tuple):
                verb, target, assignments = child
                body.append(tree.Effect(verb, target, assignments, (), (), target.span))
        cites, doc = _all(children, Cite), _doc(children)
        guard = _one(children, _EXPR)
        return tree.Action(kind.text, name, guard, tuple(body), doc, cites, self._span(meta))

    def faults(self, meta: Any, children: list[Any]) -> tree.Faults:
        return tree.Faults(tuple(children), self._span(meta))

    def fault(self, meta: Any, children: list[Any]) -> tree.Fault:
        return tree.Fault(children[0], children[1].text == "on", self._span(meta))

    def _goal(self, kind: str, meta: Any, children: list[Any]) -> tree.Goal:
        name, formula = _one(children, tree.Word), _one(children, _EXPR)
        return tree.Goal(kind, name, formula, _doc(children), _all(children, Cite), self._span(meta))

    def converges(self, meta: Any, children: list[Any]) -> tree.Goals:
        return tree.Goals(_all(children, tree.Goal), self._span(meta))

    def goal(self, meta: Any, children: list[Any]) -> tree.Goal:
        return self._goal("converges", meta, children)

    def always(self, meta: Any, children: list[Any]) -> tree.Goal:
        return self._goal("always", meta, children)

    def reachable(self, meta: Any, children: list[Any]) -> tree.Goal:
        return self._goal("reachable", meta, children)

    def expect(self, meta: Any, children: list[Any]) -> tree.Expect:
        goal, verdict = _all(children, tree.Word)
        said: dict[str, list[tree.Word]] = {"without": [], "with": [], "because": []}
        for word, *names in _all(children, tuple):
            said[word] += names
        without, with_, because = tuple(said["without"]), tuple(said["with"]), tuple(said["because"])
        return tree.Expect(goal, verdict.text, without, with_, because, self._span(meta))

    def scope_without(self, _meta: Any, children: list[Any]) -> tuple[str, tree.Word]:
        return ("without", children[0])

    def scope_without_watch(self, _meta: Any, children: list[Any]) -> tuple[str, tree.Word]:
        name = children[0]
        return ("without", tree.Word(f"watch {name.text}", name.span))

    def scope_with(self, _meta: Any, children: list[Any]) -> tuple[str, tree.Word]:
        return ("with", children[0])

    def because(self, _meta: Any, children: list[Any]) -> tuple[str | tree.Word, ...]:
        return ("because", *children)

    # ---- expressions -----------------------------------------------------------------------------------

    def integer(self, meta: Any, children: list[Any]) -> tree.Literal:
        return tree.Literal(int(children[0]), self._span(meta))

    def truth(self, meta: Any, children: list[Any]) -> tree.Literal:
        return tree.Literal(str(children[0]) == "true", self._span(meta))

    def none(self, meta: Any, _children: list[Any]) -> tree.Literal:
        return tree.Literal(None, self._span(meta))

    def reference(self, _meta: Any, children: list[Any]) -> tree.Path:
        path: tree.Path = children[0]
        return path

    def group(self, _meta: Any, children: list[Any]) -> tree.Expr:
        inner: tree.Expr = children[0]
        return inner

    def path(self, meta: Any, children: list[Any]) -> tree.Path:
        parts: list[tree.Part] = []
        for child in children:
            if isinstance(child, tree.Word):
                parts.append(tree.Part(child.text, None, child.span))
            else:
                parts[-1] = tree.Part(parts[-1].name, child[1], parts[-1].span)
        return tree.Path(tuple(parts), self._span(meta))

    element = path

    def index(self, _meta: Any, children: list[Any]) -> tuple[str, tree.Expr]:
        return ("index", children[0])

    def negate(self, meta: Any, children: list[Any]) -> tree.Unary:
        return tree.Unary(children[0], self._span(meta))

    def _chain(self, operator: str, meta: Any, children: list[Any]) -> tree.Connective:
        return tree.Connective(operator, tuple(children), self._span(meta))

    def disjunction(self, meta: Any, children: list[Any]) -> tree.Connective:
        return self._chain("or", meta, children)

    def conjunction(self, meta: Any, children: list[Any]) -> tree.Connective:
        return self._chain("and", meta, children)

    def implication(self, meta: Any, children: list[Any]) -> tree.Binary:
        return tree.Binary("implies", children[0], children[1], self._span(meta))

    def comparison(self, meta: Any, children: list[Any]) -> tree.Binary:
        return tree.Binary(str(children[1]), children[0], children[2], self._span(meta))

    def sum(self, meta: Any, children: list[Any]) -> tree.Expr:
        return self._left(meta, children[0], list(zip(map(str, children[1::2]), children[2::2], strict=True)))

    def product(self, meta: Any, children: list[Any]) -> tree.Expr:
        return self._left(meta, children[0], [("*", operand) for operand in children[1:]])

    def _left(self, meta: Any, first: tree.Expr, rest: list[tuple[str, tree.Expr]]) -> tree.Expr:
        for operator, operand in rest:
            first = tree.Binary(operator, first, operand, self._span(meta))
        return first

    def quantifier(self, meta: Any, children: list[Any]) -> tree.Quantifier:
        kind, variable, collection, body = children
        return tree.Quantifier(kind.text, variable, collection, body, self._span(meta))

    def extreme(self, meta: Any, children: list[Any]) -> tree.Extreme:
        return tree.Extreme(children[0].text, children[1], children[2], self._span(meta))

    def conditional(self, meta: Any, children: list[Any]) -> tree.Conditional:
        return tree.Conditional(children[0], children[1], children[2], self._span(meta))

    def anything(self, meta: Any, _children: list[Any]) -> tree.Anything:
        return tree.Anything(self._span(meta))

    def duration(self, meta: Any, children: list[Any]) -> tree.Duration:
        token: Token = children[0]
        if token.type == "INT":
            return tree.Duration(str(token), None, self._span(meta))
        parts = re.findall(r"(\d+)(ms|[smhd])", str(token))
        return tree.Duration(str(token), sum(int(n) * SECONDS[u] for n, u in parts), self._span(meta))

    def cite(self, meta: Any, children: list[Any]) -> Cite:
        commit = children[1][1:-1] if len(children) > 1 else None
        return Cite(children[0][1:-1], commit, self._span(meta))
