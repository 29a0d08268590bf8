"""The syntax tree of a model: what the author wrote, not yet what it means.

Every node carries the `Span` of its text.  Names are not resolved and types not checked here.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconcheck.diagnostic import Span
from reconcheck.syntax.cite import Cite


@dataclass(frozen=True, slots=True)
class Word:
    """A name or keyword as written, with its place."""

    text: str
    span: Span

    def __str__(self) -> str:
        return self.text


# ---- expressions ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """`3`, `true` or `none` (value None: the opaque value that stands for "nothing there")."""

    value: int | bool | None
    span: Span


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a path: a name and, for an array, an index."""

    name: str
    index: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Path:
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


@dataclass(frozen=True, slots=True)
class Unary:
    """`not x`."""

    operand: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`; the operators are those of the grammar."""

    operator: str
    left: Expr
    right: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Connective:
    """A chain of `and` or of `or`."""

    operator: str
    operands: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    """`if condition then yes else no`."""

    condition: Expr
    yes: Expr
    no: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Quantifier:
    """`all(r in rs: body)`, `some(...)` or `count(...)`."""

    kind: str
    variable: Word
    collection: Word
    body: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Extreme:
    """`min(a, b)` or `max(a, b)`."""

    kind: str
    left: Expr
    right: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Anything:
    """`any`: any value of the type, chosen by nobody."""

    span: Span


Expr = Literal | Path | Unary | Binary | Connective | Conditional | Quantifier | Extreme
Value = Expr | Anything


# ---- types and fields ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bounds:
    """`low..high`; without `high`, an open range (parameters only)."""

    low: Expr
    high: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Union:
    """`pending | running`, or the name of a declared type."""

    names: tuple[Word, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Builtin:
    """`bool`, `int`, `nat` or `opaque`."""

    name: str
    span: Span


Type = Bounds | Union | Builtin


@dataclass(frozen=True, slots=True)
class Field:
    """`status.ready: bool = false`."""

    path: Path
    type: Type
    initial: Value | None
    doc: str
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Finalizer:
    """`finalizer cleanup = true`."""

    name: Word
    initial: Expr | None
    doc: str
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time; `seconds` is None when the author forgot the unit."""

    text: str
    seconds: float | None
    span: Span


# ---- statements --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Assignment:
    """`path = value`, `path += value` or `path -= value`."""

    target: Path
    operator: str
    value: Value
    span: Span


@dataclass(frozen=True, slots=True)
class Handler:
    """`on conflict continue` or `on error { ... }`; the block is None for `continue`."""

    error: str
    block: Block | None
    span: Span


@dataclass(frozen=True, slots=True)
class Effect:
    """A write, a call, a memory or a registration: one step that others can see.

    `verb` is create, update, patch, apply, delete, call, remember or register.
    """

    verb: str
    target: Path
    assignments: tuple[Assignment, ...]
    handlers: tuple[Handler, ...]
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Let:
    """`let x = expr`, or `let x = live(target)`, which is a request to the API server or an external."""

    name: Word
    value: Expr | None
    live: Path | None
    handlers: tuple[Handler, ...]
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class When:
    """`when condition { ... } else { ... }`."""

    condition: Expr
    block: Block
    otherwise: Block | None
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ForEach:
    """`for r in rs { ... }`, unrolled when the size is known."""

    variable: Word
    collection: Word
    block: Block
    span: Span


@dataclass(frozen=True, slots=True)
class Await:
    """`await change`."""

    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Requeue:
    """`requeue q after 10s`, `requeue q every 5s` or `requeue q when condition`."""

    name: Word
    kind: str
    duration: Duration | None
    condition: Expr | None
    doc: str
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Fail:
    """`fail` or `fail terminal`."""

    terminal: bool
    cites: tuple[Cite, ...]
    span: Span


Statement = Effect | Let | When | ForEach | Await | Requeue | Fail


@dataclass(frozen=True, slots=True)
class Block:
    """Statements between braces."""

    statements: tuple[Statement, ...]
    span: Span


# ---- declarations --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Import:
    """`import "std/workloads"`."""

    path: str
    span: Span


@dataclass(frozen=True, slots=True)
class Param:
    """`param N: 1.. = 3`."""

    name: Word
    type: Type
    value: Expr
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class TypeAlias:
    """`type Phase = pending | running`."""

    name: Word
    type: Type
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Kind:
    """A reusable kind: its fields, and what its own controller does by itself."""

    name: Word
    fields: tuple[Field, ...]
    finalizers: tuple[Finalizer, ...]
    actions: tuple[Action, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Source:
    """`source "https://..." at "commit"`."""

    url: str
    commit: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Knob:
    """`timer_on_event = survives` in a runtime block."""

    name: Word
    value: Word
    span: Span


@dataclass(frozen=True, slots=True)
class Runtime:
    """`runtime controller-runtime 0.24 { ... }`."""

    name: str
    version: str | None
    knobs: tuple[Knob, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Owned:
    """`owned by app`, `owned by app (plain)` or `owned by app (other version)`."""

    owner: Word
    how: str
    span: Span


@dataclass(frozen=True, slots=True)
class Resource:
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


@dataclass(frozen=True, slots=True)
class External:
    """A system outside Kubernetes, or `size` of a kind; `notifies` when changes reach the operator as events."""

    name: Word
    size: Expr | None
    title: str
    notifies: bool
    fields: tuple[Field, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Clock:
    """Moments in time that matter: read without a request, changed by the environment only."""

    name: Word
    fields: tuple[Field, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Memory:
    """What an operator keeps between reconciles, and loses at a crash."""

    fields: tuple[Field, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class EventFilter:
    """One item of `on`: a kind of event (with a condition over old and new), or a part of the object."""

    kind: str | None
    condition: Expr | None
    part: Path | None
    span: Span


@dataclass(frozen=True, slots=True)
class Watch:
    """`watch sts via owner on spec, status.ready`."""

    target: Word
    name: Word | None
    late: bool
    via: str
    mapping: Expr | None
    filters: tuple[EventFilter, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Resync:
    """`resync every 10h`."""

    duration: Duration
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """`on error backoff`, `retry 5`, `requeue after 5s`, `await change` or `stop`."""

    policy: str
    retries: int | None
    duration: Duration | None
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Reconcile:
    """The reconcile function."""

    block: Block
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Controller:
    """`controller app for app { ... }`."""

    name: Word
    primary: Word
    members: tuple[Watch | Requeue | Resync | ErrorRule | Reconcile, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Action:
    """`process`, `noise` or `disturbance`: what the world does by itself."""

    kind: str
    name: Word
    guard: Expr | None
    body: tuple[Assignment | Effect, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class EnvironmentFor:
    """`for r in rs { ... }` around actions."""

    variable: Word
    collection: Word
    members: tuple[Action | EnvironmentFor, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Environment:
    """What other controllers, machines and people do."""

    members: tuple[Action | EnvironmentFor, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Fault:
    """`crash off`."""

    name: Word
    on: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Faults:
    """`faults { ... }`."""

    faults: tuple[Fault, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Goal:
    """A question: `kind` is converges, always or reachable."""

    kind: str
    name: Word
    formula: Expr
    doc: str
    cites: tuple[Cite, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Goals:
    """`converges { ... }`."""

    goals: tuple[Goal, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Expect:
    """`expect secret diverges without schedule because unwatched_read`."""

    goal: Word
    verdict: str
    without: tuple[Word, ...]
    with_: tuple[Word, ...]
    because: tuple[Word, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Manager:
    """`operator app { ... }` in a `system`: a process with a cache and a memory of its own."""

    name: Word
    members: tuple[Runtime | Memory | Controller, ...]
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
    | Manager
    | Environment
    | Faults
    | Goals
    | Goal
    | Expect
)


@dataclass(frozen=True, slots=True)
class Operator:
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
        """The controllers of all processes."""
        return tuple(one for manager in self.managers for one in manager.members if isinstance(one, Controller))


@dataclass(frozen=True, slots=True)
class File:
    """One parsed `.rdsl` file; a library has no operator."""

    path: str
    version: int
    prelude: tuple[Import | Param | TypeAlias | Kind, ...]
    operator: Operator | None
    span: Span
