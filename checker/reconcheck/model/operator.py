"""The typed operator: names resolved, types checked, arrays unrolled, nothing left to guess.

Variables have the names one writes in a model: `sts.spec.replicas` is a live field, `view(sts.spec.replicas)`
the cached copy, `memory.seen` a memory variable (`managers` says how they are called where there are several).
Reconcile functions are short programs (`Program`): a list of instructions whose positions are what `pc` points at.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from reconcheck.diagnostic import Diagnostic, Span
from reconcheck.model.expr import Expr
from reconcheck.model.managers import Manager
from reconcheck.model.runtimes import Profile
from reconcheck.model.types import Type, Value
from reconcheck.syntax.cite import Cite


class Variable(Struct, frozen=True):
    """A variable, and what it holds at first; `initial` is None for any value of the type."""

    name: str
    type: Type
    initial: Value | None


class Object(Struct, frozen=True):
    """One Kubernetes object.  `fields` includes its finalizers, named `r.finalizers.x`."""

    name: str
    kind: str
    primary: bool
    owner: str | None
    ownership: str
    presence: str
    cached: frozenset[str]
    """The managers whose reconciles read it through their cache."""
    has_generation: bool
    fields: tuple[Variable, ...]
    deletable: bool
    creatable: bool
    doc: str
    cites: tuple[Cite, ...]
    span: Span

    @property
    def finalizers(self) -> tuple[Variable, ...]:
        """The finalizers, as Boolean fields."""
        return tuple(v for v in self.fields if v.name.startswith(f"{self.name}.finalizers."))

    @property
    def always_exists(self) -> bool:
        """Whether nothing in the model can make it absent."""
        return self.presence == "present" and not self.deletable

    @property
    def can_be_deleting(self) -> bool:
        """Whether it can have a deletion timestamp and still exist."""
        return self.deletable and bool(self.finalizers)


class External(Struct, frozen=True):
    """A system outside Kubernetes."""

    name: str
    title: str
    notifies: bool
    fields: tuple[Variable, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


class Filter(Struct, frozen=True):
    """Which changes of an object a watch lets through.

    A kind of event passes iff it is in `kinds` and its condition (over `old.f` and `new.f`) holds; an update
    must also change one of `parts` (field names without the object), unless `parts` is None.
    """

    kinds: frozenset[str]
    conditions: tuple[tuple[str, Expr], ...]
    parts: frozenset[str] | None
    on_deletion_mark: bool
    """Whether setting the deletion timestamp counts as a change of one of `parts`."""
    by_generation: bool
    """Whether updates are told apart by `metadata.generation`, which only grows: `on spec` and no other part."""

    @property
    def everything(self) -> bool:
        """Whether every event passes."""
        return self.kinds == {"create", "update", "delete"} and self.parts is None and not self.conditions


class Watch(Struct, frozen=True):
    """A watch of a controller.  `mapping` says, over views and `old.f`/`new.f`, whether the key is woken."""

    name: str
    controller: str
    target: str
    via: str
    late: bool
    filter: Filter
    mapping: Expr
    cites: tuple[Cite, ...]
    span: Span


class Rule(Struct, frozen=True):
    """A requeue rule.  `kind` is after (wait), when (deadline) or every (schedule).

    `condition` is a deadline's, over clocks and `captures`: what the reconcile knew when it armed the timer.
    """

    name: str
    controller: str
    kind: str
    seconds: float | None
    condition: Expr | None
    captures: tuple[tuple[Variable, Expr], ...]
    declared: bool
    """Declared for the controller: armed at every `await change`."""
    cites: tuple[Cite, ...]
    span: Span

    def surely_before(self, other: Rule | None) -> bool:
        """Whether a timer of this rule, already running, fires before one of the other that starts now."""
        if other is None or self.seconds is None or other.seconds is None:
            return False
        return self.seconds <= other.seconds


class ErrorPolicy(Struct, frozen=True):
    """What happens after `fail`: backoff, retry (with `retries`), requeue, await or stop."""

    policy: str
    retries: int
    seconds: float | None
    cites: tuple[Cite, ...]


# ---- programs --------------------------------------------------------------------------------------


class Target(Struct, frozen=True):
    """An assignment of a write; `value` is None for any value of the type."""

    variable: Variable
    value: Expr | None


class Test(Struct, frozen=True):
    """Goes on if the condition holds, else to `otherwise`."""

    condition: Expr
    otherwise: int
    cites: tuple[Cite, ...]
    span: Span


class Jump(Struct, frozen=True):
    """Goes to `target`."""

    target: int
    span: Span


class Bind(Struct, frozen=True):
    """`let x = expr`."""

    local: Variable
    value: Expr
    span: Span


class Read(Struct, frozen=True):
    """`let x = live(target)`: copies live variables into locals; it can fail."""

    target: str
    locals: tuple[tuple[Variable, Variable], ...]
    handlers: tuple[tuple[str, int], ...]
    cites: tuple[Cite, ...]
    span: Span


class Write(Struct, frozen=True):
    """create, update, patch, apply or delete of an object; it can fail."""

    verb: str
    target: str
    assignments: tuple[Target, ...]
    handlers: tuple[tuple[str, int], ...]
    cites: tuple[Cite, ...]
    span: Span


class Call(Struct, frozen=True):
    """A request to an external that changes it; it can fail."""

    target: str
    assignments: tuple[Target, ...]
    handlers: tuple[tuple[str, int], ...]
    cites: tuple[Cite, ...]
    span: Span


class Remember(Struct, frozen=True):
    """An assignment to the operator's memory."""

    assignments: tuple[Target, ...]
    cites: tuple[Cite, ...]
    span: Span


class Register(Struct, frozen=True):
    """Starts a late watch."""

    watch: str
    cites: tuple[Cite, ...]
    span: Span


class End(Struct, frozen=True):
    """The outcome of a reconcile: await, requeue (by `rule`), fail or terminal."""

    outcome: str
    rule: str | None
    cites: tuple[Cite, ...]
    span: Span


Effect = Read | Write | Call | Remember | Register | End
Instruction = Test | Jump | Bind | Effect


def expressions(instruction: Instruction) -> Iterator[Expr]:
    """The expressions that an instruction evaluates."""
    match instruction:
        case Test(condition):
            yield condition
        case Bind(_, value):
            yield value
        case Write(assignments=assignments) | Call(assignments=assignments) | Remember(assignments=assignments):
            yield from (target.value for target in assignments if target.value is not None)
        case _:
            return


class Program(Struct, frozen=True):
    """A reconcile function; it only jumps forward.

    `stops` are the tests and bindings that are steps of their own: they read what others may change before the
    effect that follows, in a way that putting the read off would hide (spec/semantics.md).
    """

    code: tuple[Instruction, ...]
    stops: frozenset[int]

    def resume(self, position: int) -> int:
        """Where `pc` stands when the next instruction is at `position`: jumps are not waited at."""
        while isinstance(instruction := self.code[position], Jump):
            position = instruction.target
        return position


class Controller(Struct, frozen=True):
    """A controller with its watches, requeue rules, error policy and reconcile function."""

    name: str
    manager: Manager
    primary: str
    watches: tuple[Watch, ...]
    rules: tuple[Rule, ...]
    resync: float | None
    """Seconds; None where the informers do not resync."""
    error: ErrorPolicy
    program: Program
    cites: tuple[Cite, ...]
    span: Span

    @property
    def profile(self) -> Profile:
        """The runtime that it runs on."""
        return self.manager.profile


# ---- environment and questions -----------------------------------------------------------------------


class Change(Struct, frozen=True):
    """One line of an action: an assignment (verb `set`), a create or a delete."""

    verb: str
    target: str
    assignments: tuple[Target, ...]
    span: Span


class Action(Struct, frozen=True):
    """A step of the environment: process (fair), noise (may go on for ever) or disturbance (stops)."""

    name: str
    kind: str
    guard: Expr
    changes: tuple[Change, ...]
    doc: str
    cites: tuple[Cite, ...]
    span: Span


class Goal(Struct, frozen=True):
    """A question: converges, always or reachable, over the live world and memory."""

    name: str
    kind: str
    formula: Expr
    doc: str
    cites: tuple[Cite, ...]
    span: Span


UNSCHEDULED, SCHEDULED = 3, 4
"""The levels that are asked about by default, and with `with schedule`."""


class Scope(Struct, frozen=True):
    """Which causes are taken away: the classes above a level, and single ones by name (see `wakeups`)."""

    level: int = UNSCHEDULED
    """0: events; 1: and retries after errors; 2: and waits; 3: and deadlines; 4: and the schedule."""
    without: tuple[str, ...] = ()

    @property
    def schedule(self) -> bool:
        """Whether the periodic wake-ups are there."""
        return self.level == SCHEDULED

    def __str__(self) -> str:
        text = {SCHEDULED: "with schedule", UNSCHEDULED: "without schedule"}.get(self.level, f"at L{self.level}")
        return ", ".join([text, *(f"without {name}" for name in self.without)])


class Expectation(Struct, frozen=True):
    """An `expect` line."""

    goal: str
    verdict: str
    scope: Scope
    span: Span
    because: tuple[str, ...] = ()
    """Identifiers of the causes that have to be among those found."""
    others: tuple[Span, ...] = ()
    """Lines before this one that expect the same, each with causes of its own."""


FAULTS = ("api", "call", "crash", "relist", "lost_event")
"""The faults of `spec/semantics.md`; all but `lost_event` happen unless a model switches them off."""


class Operator(Struct, frozen=True):
    """A whole model."""

    name: str
    file: str
    doc: str
    source: tuple[str, str | None] | None
    managers: tuple[Manager, ...]
    objects: dict[str, Object]
    externals: dict[str, External]
    clocks: tuple[Variable, ...]
    memory: tuple[Variable, ...]
    """Of all managers."""
    controllers: tuple[Controller, ...]
    actions: tuple[Action, ...]
    faults: frozenset[str]
    goals: tuple[Goal, ...]
    expectations: tuple[Expectation, ...]
    parameters: tuple[tuple[str, int], ...]
    span: Span
    sources: dict[str, str]
    """The text of every file the model was read from, by path."""
    declared: dict[str, Span] = field(default_factory=dict)
    """Where each field of an object, an external, a clock or a memory is declared, by the variable's name."""

    def goal(self, name: str) -> Goal:
        """The question of that name.  Raises `KeyError`."""
        return next(goal for goal in self.goals if goal.name == name)

    def manager(self, name: str) -> Manager:
        """The manager of that name.  Raises `StopIteration`."""
        return next(manager for manager in self.managers if manager.name == name)

    def controllers_of(self, manager: Manager) -> tuple[Controller, ...]:
        """The controllers of a manager."""
        return tuple(controller for controller in self.controllers if controller.manager.name == manager.name)

    def memory_of(self, manager: Manager) -> tuple[Variable, ...]:
        """The memory variables of a manager."""
        return tuple(variable for variable in self.memory if variable.name.startswith(f"{manager.memory}."))

    def controller(self, name: str) -> Controller:
        """The controller of that name.  Raises `StopIteration`."""
        return next(controller for controller in self.controllers if controller.name == name)

    def runtimes(self) -> str:
        """The names of the runtimes, each once."""
        return ", ".join(dict.fromkeys(manager.profile.name for manager in self.managers))

    def rules(self) -> tuple[Rule, ...]:
        """Every requeue rule."""
        return tuple(rule for controller in self.controllers for rule in controller.rules)


class Loaded(Struct):
    """A checked model, with the findings that do not stop it."""

    operator: Operator
    findings: tuple[Diagnostic, ...]
