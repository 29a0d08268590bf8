"""The syntax tree of a model: what the author wrote, not yet what it means.

Every node carries the `Span` of its text.  Names are not resolved and types not checked here.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from reconcheck.diagnostic import Span
from reconcheck.syntax.cite import Cite


class Word(Struct, frozen=True):
    """A name or keyword as written, with its place."""

    text: str
    span: Span

    def __str__(self) -> str:
        return self.text


# ---- expressions ---------------------------------------------------------------------------------


class Literal(Struct, frozen=True):
    """`3`, `true` or `none` (value None: the opaque value that stands for "nothing there")."""

    value: int | bool | None
    span: Span


class Part(Struct, frozen=True):
    """One step of a path: a name and, for an array, an index."""

    name: str
    index: Expr | None
    span: Span


class Path(Struct, frozen=True):
    """A dotted path such as `sts.spec.replicas` or `rs[0].exists`."""

    parts: tuple[Part, ...]
    span: Span

    @property
    def rest(self) -> Span:
        """Where the path goes on behind its first part; the whole path, where it does not."""
        if len(self.parts) < 2:
            return self.span
        first, last = self.parts[1].span, self.parts[-1].span
        return Span(first.file, first.line, first.column, last.end_line, last.end_column)

    @property
    def text(self) -> str:
        """The path as one writes it, indices as `[...]`."""
        return ".".join(part.name + ("[...]" if part.index is not None else "") for part in self.parts)


class Unary(Struct, frozen=True):
    """`not x`."""

    operand: Expr
    span: Span


class Binary(Struct, frozen=True):
    """`left operator right`; the operators are those of the grammar."""

    operator: str
    left: Expr
    right: Expr
    span: Span


class Connective(Struct, frozen=True):
    """A chain of `and` or of `or`."""

    operator: str
    operands: tuple[Expr, ...]
    span: Span


class Conditional(Struct, frozen=True):
    """`if condition then yes else no`."""

    condition: Expr
    yes: Expr
    no: Expr
    span: Span


class Quantifier(Struct, frozen=True):
    """`all(r in rs: body)`, `some(...)` or `count(...)`."""

    kind: str
    variable: Word
    collection: Collection
    body: Expr
    span: Span


class Extreme(Struct, frozen=True):
    """`min(a, b)` or `max(a, b)`."""

    kind: str
    left: Expr
    right: Expr
    span: Span


class Anything(Struct, frozen=True):
    """`any`: any value of the type, chosen by nobody."""

    span: Span


Expr = Literal | Path | Unary | Binary | Connective | Conditional | Quantifier | Extreme
Value = Expr | Anything


# ---- types and fields ------------------------------------------------------------------------------


class Bounds(Struct, frozen=True):
    """`low..high`; without `high`, an open range (parameters only)."""

    low: Expr
    high: Expr | None
    span: Span


class Union(Struct, frozen=True):
    """`pending | running`, or the name of a declared type."""

    names: tuple[Word, ...]
    span: Span


class Builtin(Struct, frozen=True):
    """`bool`, `int`, `nat` or `opaque`."""

    name: str
    span: Span


Type = Bounds | Union | Builtin

Collection = Word | Bounds
"""What a loop or a quantifier goes through: an array, or the numbers from `low` to `high`."""


class Field(Struct, frozen=True):
    """`status.ready: bool = false`."""

    path: Path
    type: Type
    initial: Value | None
    doc: str
    cites: tuple[Cite, ...]
    span: Span


class Finalizer(Struct, frozen=True):
    """`finalizer cleanup = true`."""

    name: Word
    initial: Expr | None
    doc: str
    cites: tuple[Cite, ...]
    span: Span


class Duration(Struct, frozen=True):
    """A length of time; `seconds` is None when the author forgot the unit."""

    text: str
    seconds: float | None
    span: Span


# ---- statements --------------------------------------------------------------------------------------


class Assignment(Struct, frozen=True):
    """`path = value`, `path += value` or `path -= value`."""

    target: Path
    operator: str
    value: Value
    span: Span


class Handler(Struct, frozen=True):
    """`on conflict continue` or `on error { ... }`; the block is None for `continue`."""

    error: str
    block: Block | None
    span: Span


class Effect(Struct, frozen=True):
    """A write, a call, a memory or a registration: one step that others can see.

    `verb` is create, update, patch, apply, delete, call, remember or register.
    """

    verb: str
    target: Path
    assignments: tuple[Assignment, ...]
    handlers: tuple[Handler, ...]
    cites: tuple[Cite, ...]
    span: Span


class Let(Struct, frozen=True):
    """`let x = expr`, or `let x = live(target)`, which is a request to the API server or an external."""

    name: Word
    value: Expr | None
    live: Path | None
    handlers: tuple[Handler, ...]
    cites: tuple[Cite, ...]
    span: Span


class When(Struct, frozen=True):
    """`when condition { ... } else { ... }`."""

    condition: Expr
    block: Block
    otherwise: Block | None
    cites: tuple[Cite, ...]
    span: Span


class ForEach(Struct, frozen=True):
    """`for r in rs { ... }`, unrolled when the size is known."""

    variable: Word
    collection: Collection
    block: Block
    span: Span


class Await(Struct, frozen=True):
    """`await change`."""

    cites: tuple[Cite, ...]
    span: Span


class Requeue(Struct, frozen=True):
    """`requeue q after 10s`, `requeue q every 5s` or `requeue q when condition`."""

    name: Word
    kind: str
    duration: Duration | None
    condition: Expr | None
    doc: str
    cites: tuple[Cite, ...]
    span: Span


class Fail(Struct, frozen=True):
    """`fail` or `fail terminal`."""

    terminal: bool
    cites: tuple[Cite, ...]
    span: Span


Statement = Effect | Let | When | ForEach | Await | Requeue | Fail


class Block(Struct, frozen=True):
    """Statements between braces."""

    statements: tuple[Statement, ...]
    span: Span


# ---- declarations --------------------------------------------------------------------------------------


class Import(Struct, frozen=True):
    """`import "std/workloads"`."""

    path: str
    span: Span


class Param(Struct, frozen=True):
    """`param N: 1.. = 3`."""

    name: Word
    type: Type
    value: Expr
    doc: str
    span: Span


class TypeAlias(Struct, frozen=True):
    """`type Phase = pending | running`."""

    name: Word
    type: Type
    doc: str
    span: Span


class Kind(Struct, frozen=True):
    """A reusable kind: its fields, and what its own controller does by itself."""

    name: Word
    fields: tuple[Field, ...]
    finalizers: tuple[Finalizer, ...]
    actions: tuple[Action, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


class Source(Struct, frozen=True):
    """`source "https://..." at "commit"`."""

    url: str
    commit: str | None
    span: Span


class Knob(Struct, frozen=True):
    """`timer_on_event = survives` in a runtime block."""

    name: Word
    value: Word
    span: Span


class Runtime(Struct, frozen=True):
    """`runtime controller-runtime 0.24 { ... }`."""

    name: str
    version: str | None
    knobs: tuple[Knob, ...]
    span: Span


class Owned(Struct, frozen=True):
    """`owned by app`, `owned by apps[index] (plain)` or `owned by app (other version)`."""

    owner: Path
    how: str
    span: Span


class Resource(Struct, frozen=True):
    """A Kubernetes object the operator deals with."""

    primary: bool
    kind: Word
    name: Word
    size: Expr | None
    owned: Owned | None
    presence: str | None
    read: str | None
    generation: bool
    fields: tuple[Field, ...]
    finalizers: tuple[Finalizer, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


class External(Struct, frozen=True):
    """A system outside Kubernetes, or `size` of a kind; `notifies` when changes reach the operator as events."""

    name: Word
    size: Expr | None
    title: str
    notifies: bool
    fields: tuple[Field, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


class Clock(Struct, frozen=True):
    """Moments in time that matter: read without a request, changed by the environment only."""

    name: Word
    fields: tuple[Field, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


class Memory(Struct, frozen=True):
    """What an operator keeps between reconciles, and loses at a crash."""

    fields: tuple[Field, ...]
    span: Span


class EventFilter(Struct, frozen=True):
    """One item of `on`: a kind of event (with a condition over old and new), or a part of the object."""

    kind: str | None
    condition: Expr | None
    part: Path | None
    span: Span


class Watch(Struct, frozen=True):
    """`watch sts via owner on spec, status.ready`."""

    target: Path
    name: Word | None
    late: bool
    via: str
    mapping: Expr | None
    filters: tuple[EventFilter, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


class Resync(Struct, frozen=True):
    """`resync every 10h`."""

    duration: Duration
    cites: tuple[Cite, ...]
    span: Span


class ErrorRule(Struct, frozen=True):
    """`on error backoff`, `retry 5`, `requeue after 5s`, `await change` or `stop`."""

    policy: str
    retries: int | None
    duration: Duration | None
    cites: tuple[Cite, ...]
    span: Span


class Reconcile(Struct, frozen=True):
    """The reconcile function."""

    block: Block
    cites: tuple[Cite, ...]
    span: Span


class Controller(Struct, frozen=True):
    """`controller app for app { ... }`."""

    name: Word
    primary: Path
    members: tuple[Watch | Requeue | Resync | ErrorRule | Reconcile, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


class ControllerFor(Struct, frozen=True):
    """`for a in apps { ... }` around controllers."""

    variable: Word
    collection: Collection
    members: tuple[Controller | ControllerFor, ...]
    span: Span


class Action(Struct, frozen=True):
    """`process`, `noise` or `disturbance`: what the world does by itself."""

    kind: str
    name: Word
    guard: Expr | None
    body: tuple[Assignment | Effect, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


class EnvironmentFor(Struct, frozen=True):
    """`for r in rs { ... }` around actions."""

    variable: Word
    collection: Collection
    members: tuple[Action | EnvironmentFor, ...]
    span: Span


class Environment(Struct, frozen=True):
    """What other controllers, machines and people do."""

    members: tuple[Action | EnvironmentFor, ...]
    span: Span


class Fault(Struct, frozen=True):
    """`crash off`."""

    name: Word
    on: bool
    span: Span


class Faults(Struct, frozen=True):
    """`faults { ... }`."""

    faults: tuple[Fault, ...]
    span: Span


class Goal(Struct, frozen=True):
    """A question: `kind` is converges, always or reachable."""

    kind: str
    name: Word
    formula: Expr
    doc: str
    cites: tuple[Cite, ...]
    span: Span


class Goals(Struct, frozen=True):
    """`converges { ... }`."""

    goals: tuple[Goal, ...]
    span: Span


class Expect(Struct, frozen=True):
    """`expect secret diverges without schedule because unwatched_read`."""

    goal: Word
    verdict: str
    without: tuple[Word, ...]
    with_: tuple[Word, ...]
    because: tuple[Word, ...]
    span: Span


class Manager(Struct, frozen=True):
    """`operator app { ... }` in a `system`: a process with a cache and a memory of its own."""

    name: Word
    members: tuple[Runtime | Memory | Controller | ControllerFor, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


Member = (
    Source
    | Runtime
    | Resource
    | External
    | Clock
    | Memory
    | Controller
    | ControllerFor
    | Manager
    | Environment
    | Faults
    | Goals
    | Goal
    | Expect
)


class Operator(Struct, frozen=True):
    """`operator app { ... }`, or a `system` of several operators."""

    name: Word
    members: tuple[Member, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span
    system: bool = False

    @property
    def managers(self) -> tuple[Manager | Operator, ...]:
        """The processes: the operators of a system, or else this one."""
        return tuple(member for member in self.members if isinstance(member, Manager)) if self.system else (self,)

    @property
    def controllers(self) -> tuple[Controller, ...]:
        """The controllers of all processes, as written."""
        return tuple(one for one, _ in self.looped)

    @property
    def looped(self) -> Iterator[tuple[Controller, dict[str, str]]]:
        """The same with the arrays that the loops around each go through, by loop variable."""
        return (one for manager in self.managers for one in controllers_of(manager))


def controllers_of(node: Operator | Manager | ControllerFor) -> Iterator[tuple[Controller, dict[str, str]]]:
    """The controllers in a node as written, each with the arrays that the loops below the node go through.

    The arrays are by loop variable; a variable that is a number is not among them.
    """
    for member in node.members:
        match member:
            case Controller():
                yield member, {}
            case ControllerFor(variable, collection):
                for controller, loops in controllers_of(member):
                    yield controller, {**looped({}, variable, collection), **loops}
            case _:
                pass


def looped(loops: dict[str, str], variable: Word, collection: Collection) -> dict[str, str]:
    """The arrays that loop variables go through, by variable, inside one more loop."""
    outside = {name: array for name, array in loops.items() if name != variable.text}
    return {**outside, variable.text: collection.text} if isinstance(collection, Word) else outside


class File(Struct, frozen=True):
    """One parsed `.rdsl` file; a library has no operator."""

    path: str
    version: int
    prelude: tuple[Import | Param | TypeAlias | Kind, ...]
    operator: Operator | None
    span: Span
