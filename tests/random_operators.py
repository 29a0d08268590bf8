"""Random operators for random models: what exists, what the environment does, and what is asked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from random_reconciles import Reconciles
from random_words import BOUNDS, CONSTANTS, NUMBERS, Atom, Holder

RUNTIMES = {
    "controller-runtime 0.22": "all_cached",
    "controller-runtime 0.24": "all_cached",
    "client-go": "all_cached",
    "kube-rs": "primary_cached",
    "wasm-operator": "primary_cached",
    "java-operator-sdk": "all_cached",
    "kopf": "primary_cached",
    "metacontroller": "all_cached",
    "ansible": "all_live",
    "helm": "all_live",
    "crossplane": "all_cached",
}
"""The runtimes, with what they read through the cache."""
AUTHORS = ("client-go", "kube-rs", "wasm-operator")
"""The runtimes that leave the error rule to the author."""
KNOBS = (
    "timer_on_event = survives",
    "timer_on_event = consumed",
    "timer_on_event = cancelled_on_success",
    "requeue_if_queued = kept",
    "requeue_if_queued = dropped",
    "timer_merge = earliest",
    "timer_merge = latest",
    "timer_at_restart = lost",
    "timer_at_restart = kept",
    "on_error = backoff",
    "on_error = stop",
    "on_error = author",
    "on_error = retry",
    "reads = all_cached",
    "reads = primary_cached",
    "reads = all_live",
    "owner_match = controller",
    "owner_match = any_owner",
    "owner_match = exact_version",
    "deleted_primary = wakes",
    "deleted_primary = silent",
    "missing_primary = dropped",
    "missing_primary = runs",
    "relist = loses_deletes",
    "relist = keeps_deletes",
    "relist_early = yes",
    "relist_early = no",
    "primary_filter = spec",
    "primary_filter = everything",
    "unloads = yes",
    "resync = 10h",
    "resync = none",
    "period = 10h",
    "period = none",
    "retries = 1",
    "unloads = no",
)
MORE_KNOBS = (
    *KNOBS,
    "reads = secondaries_cached",
    "listed_primary = wakes",
    "listed_primary = wakes_unhandled",
    "listed_primary = wakes_unhandled",
    "primary_filter = essence",
    "secondary_filter = everything",
    "secondary_filter = content",
    "secondary_filter = content",
    "own_writes = events",
    "own_writes = filtered",
    "own_writes = filtered",
)
SYSTEMS = 0.1
"""How many of the models are systems of several operators."""
WITH_LOOPS, LOOPS = 10_000_000, 0.3
"""From which seed on there are loops around controllers and over numbers, and in how many of the models.

What was recorded of seeds before stays as it was.
"""
WITH_MORE = 20_000_000
"""From which seed on there are enums of which neither has all values of the other, and actions of several steps."""
WITH_COPIES = 30_000_000
"""From which seed on reconciles copy whole objects, and all knobs are turned."""
TYPES = ("bool", "bool", "bool", "0..1", "0..1", "0..2", "Color", "Wide", "opaque", "opaque", "nat", "int")
MORE_TYPES = (*TYPES, "Color", "Wide", "Other", "Other")
FAULTS = ("api", "call", "crash", "relist", "lost_event")


class Kind(Struct, frozen=True):
    """What every object of a kind gets."""

    fields: tuple[Atom, ...] = ()
    finalizer: str = ""
    deleted: bool = False
    """Whether one of its actions deletes the object."""
    collected: bool = False
    """Whether it is deleted when its owner is gone, if it has one."""


WORKLOADS = {
    "Deployment": Kind((("spec.replicas", "0..1"), ("status.ready", "0..1")), collected=True),
    "StatefulSet": Kind((("spec.replicas", "0..1"), ("status.ready", "0..1")), collected=True),
    "Pod": Kind((("status.phase", "Pending | Running"), ("status.ready", "bool")), deleted=True, collected=True),
}
"""Kinds of `std/workloads`."""


class Maker(Reconciles):
    """Writes one random model."""

    def __init__(self, seed: int, small: bool = False, several: bool = False) -> None:
        super().__init__(seed, small)
        self.several = several or Random(f"several {seed}").random() < SYSTEMS
        """Whether the model is a system of several operators; the other models of a seed do not depend on it."""
        self.loops = not self.several and seed >= WITH_LOOPS and Random(f"loops {seed}").random() < LOOPS
        self.more = seed >= WITH_MORE
        self.copies = seed >= WITH_COPIES
        self.types = MORE_TYPES if self.more else TYPES
        self.choose_runtime()
        self.mixed: Holder | None = None
        """Something with enums that overlap."""
        self.removed: dict[str, bool] = {}
        """Whether a disturbance of the model's own deletes an object."""
        self.kinds: dict[str, Kind] = {"StatefulSet": Kind(), "Secret": Kind(), "Pod": Kind()}

    def choose_runtime(self) -> None:
        """The runtime of the operator that is written."""
        self.runtime = self.random.choice(tuple(RUNTIMES))
        self.reads = RUNTIMES[self.runtime]
        if self.copies and self.runtime == "ansible":
            self.reads = "secondaries_cached"
        self.needs_policy = self.runtime in AUTHORS

    def is_cached(self, primary: bool) -> bool:
        """Whether an object is read through the cache."""
        return self.reads in ("all_cached", "primary_cached" if primary else "secondaries_cached")

    # ---- before the operator --------------------------------------------------------------------------

    def prelude(self) -> str:
        """Parameters, types, and sometimes a library or a kind."""
        size = 1 if self.small and not (self.loops and self.chance(0.5)) else 2
        lines = ["rdsl 1", f"param size: 1..2 = {size}", "type Color = red | green"]
        lines += ["type Wide = red | green | blue"]
        lines += ["type Other = red | blue"] if self.more else []
        if self.chance(0.1, small=0.04):
            lines.append('import "std/workloads"')
            self.kinds |= WORKLOADS
        if self.chance(0.2, small=0.15):
            lines.append(self.kind())
        return "\n".join(lines) + "\n"

    def kind(self) -> str:
        """A kind that the model declares."""
        finalizer = "hold" if self.chance(0.3) else ""
        made = Kind((("status.done", "bool"),), finalizer, self.chance(0.3), self.chance(0.5))
        self.kinds["Batch"] = made
        lines = ["kind Batch {", "  /// Whether it has ended.", "  status.done: bool = false"]
        if finalizer:
            lines.append(f"  finalizer {finalizer}{' = true' if self.chance(0.5) else ''}")
            lines.append("  process released when self.deleting { self.finalizers.hold = false }")
        lines.append("  process ends when self.exists and not self.status.done { self.status.done = true }")
        if made.deleted:
            lines.append("  disturbance lost when self.exists { delete self }")
        if made.collected:
            lines.append("  process collected when not owner.exists { delete self }")
        return "\n".join([*lines, "}"])

    def head(self) -> str:
        """The runtime with its knobs."""
        text = f"  runtime {self.runtime}"
        if self.chance(0.4):
            known = MORE_KNOBS if self.copies else KNOBS
            knobs = dict(knob.split(" = ") for knob in self.random.sample(known, k=2))
            text += " { " + " ".join(f"{name} = {value}" for name, value in knobs.items()) + " }"
            self.reads = knobs.get("reads", self.reads)
            self.needs_policy = knobs["on_error"] == "author" if "on_error" in knobs else self.needs_policy
        if self.chance(0.1) and not self.several:
            text = '  source "https://github.com/example/operator" at "9f3c2e1"\n' + text
        return text

    # ---- declarations -----------------------------------------------------------------------------------

    def fields(self, names: tuple[str, ...]) -> list[Atom]:
        """One or two fields; types that occur already are likely, so that values can be compared."""
        chosen = self.random.sample(names, k=1 if self.chance(0.6, small=0.85) else 2)
        holders = self.objects + self.externals
        known = [type_ for holder in holders for _, type_ in holder.fields if type_ in self.types]
        return [(name, self.random.choice(known if known and self.chance(0.6) else self.types)) for name in chosen]

    def initial(self, type_: str) -> str:
        """The initial value of a field: a constant, any, or nothing, which is any too."""
        endless = type_ in ("nat", "int")
        if self.chance(0.02 if endless else 0.2):
            return ""
        if self.chance(0.02 if endless else 0.25):
            return " = any"
        return f" = {self.random.choice(CONSTANTS[type_])}"

    def declare(self, fields: list[Atom], finalizers: list[str]) -> str:
        """The members of a declaration."""
        lines = [f"    {name}: {type_}{self.initial(type_)}{self.cite()}" for name, type_ in fields]
        lines += [f"    finalizer {name}" + (" = true" if self.chance(0.5) else "") for name in finalizers]
        return "{\n" + "\n".join(lines) + "\n  }"

    def resource(self, index: int) -> str:
        """An object: the primary first."""
        primary = index == 0
        name = ("app", "sts", "cfg")[index]
        kind = "App" if primary else self.random.choice(tuple(self.kinds))
        inherited = self.kinds.get(kind, Kind())
        own = self.fields(("spec.a", "status.b", "metadata.c", "data"))
        finalizers = ["cleanup"] if self.chance(0.35, small=0.2) else []
        holder = Holder(name, [*inherited.fields, *own], finalizers)
        if inherited.finalizer:
            holder.finalizers = [inherited.finalizer, *finalizers]
        traits = ""
        if not primary and self.chance(0.7):
            traits += " owned by app" + self.random.choice(("", "", " (plain)", " (other version)"))
        collected = inherited.collected and bool(traits)
        self.removed[name] = self.chance(0.5, small=0.35)
        holder.deletable = self.removed[name] or inherited.deleted or collected
        holder.array = not primary and (self.chance(0.2, small=0.1) or self.loops)
        if self.loops and index == 2 and " owned" in traits:
            traits = traits.replace("owned by app", "owned by sts[index]")
        holder.cached = self.is_cached(primary)
        absent = () if primary and self.small and self.chance(0.7) else (" initially absent", " initially any")
        presence = self.random.choice(("", "", " initially present", *absent))
        traits += presence
        holder.creatable = presence in (" initially absent", " initially any") or holder.deletable
        if self.chance(0.15):
            holder.cached = not holder.cached
            holder.read = "cached" if holder.cached else "live"
            traits += f" read {holder.read}"
        if self.chance(0.1):
            traits += " without generation"
        role = "primary" if primary else "resource"
        size = "[size]" if holder.array else ""
        self.objects.append(holder)
        return f"  {role} {kind} as {name}{size}{traits}{self.cite()} {self.declare(own, finalizers)}"

    def external(self, name: str) -> str:
        """A system outside."""
        holder = Holder(name, self.fields(("up", "secret")), object=False, notifies=self.chance(0.5))
        self.externals.append(holder)
        title = f' "a {name}"' if self.chance(0.5) else ""
        return f"  external {name}{title}{' notifies' if holder.notifies else ''} {self.declare(holder.fields, [])}"

    def declarations(self) -> list[str]:
        """The objects, externals and the clock."""
        parts = [self.resource(i) for i in range(self.random.choice((1, 2, 2) if self.small else (1, 2, 2, 3)))]
        if self.chance(0.5, small=0.6):
            parts.append(self.external("database"))
            if self.chance(0.15, small=0.05):
                parts.append(self.external("bucket"))
        if self.more and self.chance(0.3):
            self.mixed = Holder(
                "mix", [("c", "Color"), ("o", "Other"), ("w", "Wide"), ("v", "Wide"), ("hit", "bool")], object=False
            )
            self.externals.append(self.mixed)
            parts.append(f"  external mix {self.declare(self.mixed.fields, [])}")
        if self.chance(0.25, small=0.15):
            type_ = self.random.choice(("0..1", "0..2"))
            self.clock = Holder("time", [("now", type_)], object=False)
            parts.append(f"  clock time {{ now: {type_}{'' if self.chance(0.1) else ' = 0'} }}")
        return parts

    def memories(self) -> list[str]:
        """Sometimes a memory, for the operator that is written."""
        self.memory = []
        if not self.chance(0.3):
            return []
        names = ["seen"] if self.chance(0.7, small=0.9) else ["seen", "last"]
        self.memory = [(f"memory.{name}", self.random.choice(self.types)) for name in names]
        fields = [f"{name[7:]}: {type_} = {self.random.choice(CONSTANTS[type_])}" for name, type_ in self.memory]
        holder = f"memory.{self.operator}" if self.operator else "memory"
        self.remembered += [(f"{holder}.{name[7:]}", type_) for name, type_ in self.memory]
        return [f"  memory {{ {' '.join(fields)} }}"]

    # ---- environment and questions --------------------------------------------------------------------------------

    def change(self, holder: Holder, name: str, atoms: list[Atom]) -> tuple[str, str]:
        """One change by the environment, and perhaps a condition without which it would leave its range."""
        roll = self.random.random()
        if holder.object and holder.deletable and roll < 0.3:
            return f"delete {name}", ""
        if holder.object and holder.creatable and roll < 0.45:
            return f"create {name} {self.assignments(holder, atoms)}", ""
        field_, type_ = self.random.choice(holder.written())
        if type_ in NUMBERS and self.chance(0.4):
            condition, more = self.step_by(f"{name}.{field_}", type_)
            return f"{name}.{field_} {more}", "" if self.chance(0.1, small=0.03) else condition
        endless = type_ in ("nat", "int")
        anything = self.chance(0.07 if endless else 0.3)
        return f"{name}.{field_} = {'any' if anything else self.value(type_, atoms)}", ""

    def action(self, kind: str) -> str:
        """A step of the environment."""
        atoms = self.world()
        sources = [h for h in self.objects + self.externals for i in self.intents if i.source[0].startswith(h.element)]
        holder = self.random.choice(sources if sources and self.chance(0.5) else self.objects + self.externals)
        guards = [self.condition(atoms)] if self.chance(0.6) else []
        if holder.array and self.chance(0.5):
            one = number = self.fresh("one")
            where = holder.name
            if self.loops:
                one, where = f"{holder.name}[{number}]", "0..size - 1"
            change, needed = self.change(holder, one, atoms + holder.atoms(one))
            guard = f" when {needed}" if needed else ""
            return f"    for {number} in {where} {{ {kind} {self.fresh('act')}{guard} {{ {change} }} }}"
        changes = [self.change(holder, holder.element, atoms)]
        if self.chance(0.15):
            other = self.random.choice(self.objects + self.externals)
            changes.append(self.change(other, other.element, atoms))
        guards += [needed for _, needed in changes if needed]
        guard = f" when {' and '.join(guards)}" if guards else ""
        text = "\n".join(f"      {change}" for change, _ in changes)
        return f"    {kind} {self.fresh('act')}{guard}{self.cite()} {{\n{text}\n    }}"

    def scratch(self) -> str:
        """A step that chooses something, makes something else of it, and forgets it again."""
        holders = [h for h in self.objects + self.externals if h.fields]
        one, other = self.random.choice(holders), self.random.choice(holders)
        endless = [(h, atom) for h in holders for atom in h.fields if atom[1] in ("nat", "int")]
        (name, type_), (result, made) = self.random.choice(one.fields), self.random.choice(other.fields)
        if endless and self.chance(0.7):
            one, (name, type_) = self.random.choice(endless)
        path = f"{one.element}.{name}"
        value = self.value(made, [(path, type_)])
        if self.chance(0.5) and made != "opaque":
            first, second = self.random.sample(CONSTANTS[made], k=2)
            value = f"(if {self.condition([(path, type_)], 1)} then {first} else {second})"
        kind = self.random.choice(("process", "noise", "disturbance"))
        guard = f" when {self.condition(self.world(), 1)}" if self.chance(0.5) else ""
        changes = f"{path} = any  {other.element}.{result} = {value}  {path} = {self.random.choice(CONSTANTS[type_])}"
        return f"    {kind} {self.fresh('act')}{guard} {{ {changes} }}"

    def chain(self) -> str:
        """A step of several changes, each of which may depend on those before it: what they choose, too."""
        holders = [h for h in self.objects + self.externals if h.fields]
        atoms, lines = self.world(), []
        for _ in range(self.random.randint(2, 4)):
            holder = self.random.choice(holders)
            field_, type_ = self.random.choice(holder.written())
            path = f"{holder.element}.{field_}"
            chosen = not field_.startswith("finalizers.") and type_ not in ("nat", "int") and self.chance(0.4)
            lines.append(f"{path} = {'any' if chosen else self.value(type_, atoms)}")
            atoms = [*[(path, type_)] * 6, *atoms]
        guard = f" when {self.condition(self.world(), 1)}" if self.chance(0.5) else ""
        kind = self.random.choice(("process", "process", "noise", "disturbance"))
        return f"    {kind} {self.fresh('act')}{guard} {{ {'  '.join(lines)} }}"

    def mixing(self) -> str:
        """A step that takes values from one enum to another, and compares what comes of it."""
        atoms = [atom for atom in self.world() if atom[1] in ("Color", "Other", "Wide")]
        lines = [
            f"mix.w = {self.random.choice(('mix.c', 'mix.c', 'mix.o', 'mix.o', self.value('Wide', atoms)))}",
            f"mix.v = {self.random.choice(('green', 'green', 'blue', 'blue', 'mix.c', 'mix.o'))}",
        ]
        if self.chance(0.4):
            lines.append(f"mix.{self.random.choice(('c = green', 'o = blue', 'c = any', 'o = any'))}")
        yes, no = self.random.sample(("mix.w", "mix.w", "mix.c", "mix.o"), k=2)
        lines.append(f"mix.hit = mix.v == (if {self.condition(self.world(), 0)} then {yes} else {no})")
        kind = self.random.choice(("process", "disturbance", "noise"))
        return f"    {kind} {self.fresh('act')} {{ {'  '.join(lines)} }}"

    def environment(self) -> str:
        """One or two actions, those that make objects come and go, and time."""
        kinds = ("process", "noise", "disturbance", "disturbance")
        lines = [self.action(self.random.choice(kinds)) for _ in range(self.random.randint(1, 2))]
        for holder in self.objects:
            if self.removed[holder.name]:
                lines.append(f"    disturbance {self.fresh('gone')} {{ delete {holder.element} }}")
            if holder.finalizers and holder.deletable and self.chance(0.5):
                changes = " ".join(f"{holder.element}.finalizers.{name} = false" for name in holder.finalizers)
                lines.append(f"    process {self.fresh('strip')} when {holder.element}.deleting {{ {changes} }}")
        if self.chance(0.08):
            lines.append(self.scratch())
        if self.more and self.chance(0.4):
            lines.append(self.chain())
        if self.mixed is not None:
            lines.append(self.mixing())
        if self.clock is not None:
            (name, type_), *_ = self.clock_atoms()
            lines.append(f"    process tick when {name} < {BOUNDS[type_][1]} {{ {name} += 1 }}")
        return "  environment {\n" + "\n".join(lines) + "\n  }"

    def goal(self) -> str:
        """A formula for convergence: mostly what a controller is there for."""
        parts = [self.meant(intent) for intent in self.intents if self.chance(0.8)]
        if not parts or self.chance(0.2):
            parts.append(self.condition(self.world()))
        return " and ".join(f"({part})" for part in parts)

    def questions(self) -> list[str]:
        """The goals, and sometimes what is expected of one."""
        goals = [f"    settled: {self.goal()}"]
        if self.chance(0.2):
            goals.append(f"    other: {self.condition(self.world())}")
        parts = ["  converges {\n" + "\n".join(goals) + "\n  }"]
        if self.mixed is not None:
            goals.append(f"    mixed: {'not ' if self.chance(0.5) else ''}mix.hit")
            parts = ["  converges {\n" + "\n".join(goals) + "\n  }"]
        parts.append(f"  always kept: {self.condition(self.world())}")
        parts.append(f"  reachable seen: {self.condition(self.world())}")
        if self.chance(0.15):
            scope = f" without {self.random.choice(self.rules)}" if self.rules and self.chance(0.5) else ""
            parts.append(f"  expect settled {self.random.choice(('converges', 'diverges', 'quiet'))}{scope}")
        return parts

    def plain(self) -> list[str]:
        """The objects that can be the primary of a controller."""
        return [holder.name for holder in self.objects if not holder.array]

    def operators(self) -> Iterator[str]:
        """The operators of a system, each with its runtime, its memory and its controllers."""
        names = iter(("first", "second", "third", "fourth"))
        for name in ("east", "west", "north")[: 3 if self.chance(0.15, small=0.03) else 2]:
            self.operator = name
            self.choose_runtime()
            head, count = self.head(), 2 if self.operator == "east" and self.chance(0.2, small=0.1) else 1
            chosen = [
                (name, "app" if name == "first" else self.random.choice(self.plain())) for name in islice(names, count)
            ]
            for holder in self.objects:
                own = any(primary == holder.name for _, primary in chosen)
                cached = self.is_cached(own)
                holder.cached = holder.read == "cached" if holder.read else cached
            parts = [head, *self.memories(), *(self.controller(name, primary) for name, primary in chosen)]
            yield f"  operator {self.operator} {{\n" + "\n".join(parts) + "\n  }"

    def loop(self, name: str) -> str:
        """A loop around a controller, over an array or over numbers; over the last array, or the primary alone."""
        array = self.random.choice([holder for holder in self.objects if holder.array] or self.objects)
        number = self.fresh("i")
        if not array.array:
            return f"  for {number} in 1..size {{\n{self.controller(name, 'app')}\n  }}"
        over = self.random.choice((array.name, "0..size - 1"))
        array.alias = number if over == array.name else f"{array.name}[{number}]"
        known = len(self.intents)
        text = self.controller(name, array.alias)
        for at, intent in enumerate(self.intents[known:], known):  # goals know nothing of the loop
            path, type_ = intent.source
            if path.startswith(f"{array.alias}."):
                path = f"{array.name}[0]{path.removeprefix(array.alias)}"
            self.intents[at] = replace(intent, source=(path, type_))
        array.alias = ""
        return f"  for {number} in {over} {{\n{text}\n  }}"

    def text(self) -> str:
        """The model."""
        prelude = self.prelude()
        if self.several:
            parts = [*self.declarations(), *self.operators()]
        else:
            parts = [self.head(), *self.declarations(), *self.memories(), self.controller("first", "app")]
            if self.loops:
                parts.append(self.loop("second"))
            elif self.chance(0.25, small=0.12):
                parts.append(self.controller("second", self.random.choice(self.plain())))
                if self.chance(0.2):
                    parts.append(self.controller("third", self.random.choice(self.plain())))
        parts.append(self.environment())
        on = [self.chance(0.5, small=0.3) for _ in FAULTS[:-1]] + [self.chance(0.2, small=0.1)]
        faults = (f"{name} {'on' if there else 'off'}" for name, there in zip(FAULTS, on, strict=True))
        parts.append("  faults { " + " ".join(faults) + " }")
        word = "system" if self.several else "operator"
        return prelude + f"{word} made {{\n" + "\n".join([*parts, *self.questions()]) + "\n}\n"
