"""Random small operators as `.rdsl` text, for agreement between the interpreter and the compiled system.

    python tests/random_models.py --count 5000            look for disagreements, from seed 0 on
    python tests/random_models.py --show 17               print one model

The generator uses every construct of the language; the same seed always gives the same text.  Run it with the
`checker` folder on `PYTHONPATH`, or with reconcheck installed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from reconcheck.diagnostic import ModelError
from reconcheck.model.load import load
from reconcheck.model.operator import Scope

RUNTIMES = (
    "controller-runtime 0.22",
    "controller-runtime 0.24",
    "client-go",
    "kube-rs",
    "wasm-operator",
    "java-operator-sdk",
    "kopf",
    "metacontroller",
    "ansible",
    "helm",
    "crossplane",
)
CACHES_ALL = ("controller-runtime", "client-go", "java-operator-sdk", "metacontroller", "crossplane")
KNOBS = (
    "timer_on_event = survives",
    "timer_on_event = consumed",
    "timer_on_event = cancelled_on_success",
    "requeue_if_queued = kept",
    "requeue_if_queued = dropped",
    "timer_merge = earliest",
    "timer_merge = latest",
    "timer_at_restart = kept",
    "missing_primary = dropped",
    "missing_primary = runs",
    "relist = loses_deletes",
    "relist = keeps_deletes",
    "relist_early = yes",
    "primary_filter = spec",
    "period = 10h",
)
TYPES = ("bool", "bool", "0..1", "0..2", "Color", "opaque")
CONSTANTS = {
    "bool": ("true", "false"),
    "0..1": ("0", "1"),
    "0..2": ("0", "1", "2"),
    "Color": ("red", "green"),
    "opaque": ("none",),
    "nat": ("0", "1"),
}
NUMBERS = ("0..1", "0..2", "nat")

Atom = tuple[str, str]
"""The text of something readable, and its type."""


@dataclass
class Holder:
    """A declared object, external or clock."""

    name: str
    fields: list[Atom]
    finalizers: list[str] = field(default_factory=list)
    object: bool = True
    array: bool = False
    cached: bool = True
    deletable: bool = False
    creatable: bool = False
    notifies: bool = False

    @property
    def element(self) -> str:
        """How one object is named from outside a loop."""
        return f"{self.name}[0]" if self.array else self.name

    def atoms(self, prefix: str) -> list[Atom]:
        """Everything readable about it, under a name."""
        own = [(f"{prefix}.{name}", type_) for name, type_ in self.fields]
        own += [(f"{prefix}.finalizers.{name}", "bool") for name in self.finalizers]
        if self.object:
            own += [(f"{prefix}.exists", "bool"), (f"{prefix}.deleting", "bool")]
        return own

    def written(self) -> list[Atom]:
        """The fields that can be assigned."""
        return self.fields + [(f"finalizers.{name}", "bool") for name in self.finalizers]


class Maker:
    """Writes one random model."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.runtime = self.random.choice(RUNTIMES)
        self.objects: list[Holder] = []
        self.externals: list[Holder] = []
        self.memory: list[Atom] = []
        self.clock: Holder | None = None
        self.count = 0
        self.late: list[str] = []
        self.rules: list[str] = []

    # ---- small decisions ------------------------------------------------------------------------------

    def chance(self, probability: float) -> bool:
        """True with that probability."""
        return self.random.random() < probability

    def fresh(self, stem: str) -> str:
        """A name not used before."""
        self.count += 1
        return f"{stem}{self.count}"

    # ---- expressions ----------------------------------------------------------------------------------

    def value(self, type_: str, atoms: list[Atom]) -> str:
        """An expression that gives a value of the type."""
        same = [text for text, other in atoms if other == type_]
        roll = self.random.random()
        if type_ == "bool" and roll < 0.3:
            return self.condition(atoms, 1)
        if same and roll < 0.65:
            return self.random.choice(same)
        if type_ == "0..2" and roll < 0.7:
            small = [text for text, other in atoms if other == "0..1"]
            if small:
                return f"{self.random.choice(small)} + 1"
        if type_ == "0..1" and roll < 0.75:
            numbers = [text for text, other in atoms if other in NUMBERS]
            if numbers:
                return f"min(1, {self.random.choice(numbers)})"
        if same and type_ != "opaque" and roll < 0.8:
            constant = self.random.choice(CONSTANTS[type_])
            return f"(if {self.condition(atoms, 1)} then {self.random.choice(same)} else {constant})"
        return self.random.choice(CONSTANTS[type_])

    def condition(self, atoms: list[Atom], depth: int = 2) -> str:
        """A Boolean expression."""
        roll = self.random.random()
        if depth > 0 and roll < 0.3:
            word = self.random.choice(("and", "or", "implies"))
            return f"({self.condition(atoms, depth - 1)} {word} {self.condition(atoms, depth - 1)})"
        if depth > 0 and roll < 0.4:
            return f"not ({self.condition(atoms, depth - 1)})"
        if not atoms:
            return self.random.choice(("true", "false"))
        text, type_ = self.random.choice(atoms)
        if type_ == "bool":
            return text if self.chance(0.6) else f"not {text}"
        if type_ in NUMBERS and self.chance(0.4):
            other = [t for t, kind in atoms if kind in NUMBERS]
            right = self.random.choice(other) if self.chance(0.5) else self.random.choice(("0", "1"))
            return f"{text} {self.random.choice(('<', '<=', '>', '>='))} {right}"
        same = [t for t, kind in atoms if kind == type_]
        right = self.random.choice(same) if self.chance(0.6) else self.random.choice(CONSTANTS[type_])
        return f"{text} {self.random.choice(('==', '!='))} {right}"

    def world(self) -> list[Atom]:
        """What goals and the environment can read."""
        atoms = [atom for holder in self.objects + self.externals for atom in holder.atoms(holder.element)]
        return atoms + self.memory + self.clock_atoms()

    def clock_atoms(self) -> list[Atom]:
        """The clock, where there is one."""
        return [("time.now", "0..2")] if self.clock is not None else []

    def cached(self) -> list[Atom]:
        """What a reconcile can read without a request."""
        atoms = [atom for holder in self.objects if holder.cached for atom in holder.atoms(holder.element)]
        return atoms + self.memory + self.clock_atoms()

    # ---- declarations -----------------------------------------------------------------------------------

    def fields(self, names: tuple[str, ...]) -> list[Atom]:
        """One or two fields."""
        chosen = self.random.sample(names, k=self.random.choice((1, 1, 2)))
        return [(name, self.random.choice(TYPES)) for name in chosen]

    def declare(self, holder: Holder) -> str:
        """The members of a declaration."""
        lines = []
        for name, type_ in holder.fields:
            initial = "" if self.chance(0.2) else f" = {self.random.choice((*CONSTANTS[type_], 'any'))}"
            lines.append(f"    {name}: {type_}{initial}")
        for name in holder.finalizers:
            lines.append(f"    finalizer {name}" + (" = true" if self.chance(0.5) else ""))
        return "{\n" + "\n".join(lines) + "\n  }"

    def resource(self, index: int) -> str:
        """An object: the primary first."""
        primary = index == 0
        name = ("app", "sts", "cfg")[index]
        kind = "App" if primary else self.random.choice(("StatefulSet", "Secret", "Pod"))
        holder = Holder(name, self.fields(("spec.a", "status.b", "metadata.c", "data")))
        holder.finalizers = ["cleanup"] if self.chance(0.35) else []
        holder.deletable = self.chance(0.5)
        holder.array = not primary and self.chance(0.2)
        everything = any(self.runtime.startswith(known) for known in CACHES_ALL)
        holder.cached = everything or (primary and self.runtime.split()[0] not in ("ansible", "helm"))
        traits = ""
        if not primary and self.chance(0.7):
            traits += " owned by app" + self.random.choice(("", "", " (plain)", " (other version)"))
        presence = self.random.choice(("", "", " initially absent", " initially any", " initially present"))
        traits += presence
        holder.creatable = presence in (" initially absent", " initially any") or holder.deletable
        if self.chance(0.15):
            holder.cached = not holder.cached
            traits += " read cached" if holder.cached else " read live"
        if self.chance(0.1):
            traits += " without generation"
        role = "primary" if primary else "resource"
        size = "[size]" if holder.array else ""
        self.objects.append(holder)
        return f"  {role} {kind} as {name}{size}{traits} {self.declare(holder)}"

    def external(self) -> str:
        """A system outside."""
        holder = Holder("database", self.fields(("up", "secret")), object=False, notifies=self.chance(0.5))
        self.externals.append(holder)
        return f'  external database "a database"{" notifies" if holder.notifies else ""} {self.declare(holder)}'

    # ---- watches ------------------------------------------------------------------------------------------

    def event(self, holder: Holder, versions: list[Atom]) -> str:
        """One part of a predicate."""
        roll = self.random.random()
        parts = [name for name, _ in holder.fields]
        if holder.object and roll < 0.35:
            return self.random.choice(("spec", "status", "metadata"))
        if roll < 0.5:
            return self.random.choice(parts)
        kind = self.random.choice(("create", "update", "delete", "any"))
        return f"{kind} where ({self.condition(versions, 1)})" if self.chance(0.5) else kind

    def watch(self, holder: Holder, controller: str, primary: str) -> str:
        """A watch on an object or external."""
        late = self.chance(0.15) and holder.name != primary and not holder.array
        text = f"    {'late ' if late else ''}watch {holder.name}"
        name = holder.name
        if self.chance(0.2):
            name = self.fresh("w")
            text += f" as {name}"
        if late:
            self.late.append(name)
        versions = [(t, k) for side in ("old", "new") for t, k in holder.atoms(side)]
        if holder.object and holder.name != primary and self.chance(0.6):
            text += " via owner"
        elif self.chance(0.3):
            text += f" via ({self.condition(versions + self.cached(), 1)})"
        if self.chance(0.4):
            events = dict.fromkeys(self.event(holder, versions) for _ in range(self.random.choice((1, 2))))
            text += " on " + ", ".join(events)
        return text

    # ---- reconcile --------------------------------------------------------------------------------------------

    def outcome(self, atoms: list[Atom]) -> str:
        """How a path ends."""
        roll = self.random.random()
        if roll < 0.45:
            return "await change"
        if roll < 0.65:
            return f"requeue wait after {self.controller_wait}"
        if roll < 0.72:
            return f"requeue {self.fresh('wait')} after {self.random.choice(('5s', '1m'))}"
        if roll < 0.8:
            return f"requeue {self.fresh('poll')} every {self.random.choice(('5s', '10m'))}"
        if roll < 0.9 and self.clock is not None:
            numbers = [text for text, type_ in atoms if type_ in NUMBERS and text != "time.now"]
            limit = self.random.choice(numbers) if numbers and self.chance(0.5) else "2"
            return f"requeue {self.fresh('due')} when time.now >= {limit}"
        return "fail terminal" if self.chance(0.3) else "fail"

    def handler(self, errors: tuple[str, ...], atoms: list[Atom], depth: int, pad: str) -> str:
        """Perhaps a handler for an error of the effect before."""
        text = ""
        for error in self.random.sample(errors, k=self.random.choice((0, 0, 0, 1, 1, min(2, len(errors))))):
            if self.chance(0.4):
                text += f" on {error} continue"
            else:
                lines, _ = self.block(atoms, depth - 1, pad + "  ", 1)
                text += f" on {error} {{\n" + "\n".join(lines) + f"\n{pad}}}"
        return text

    def assignments(self, holder: Holder, atoms: list[Atom]) -> str:
        """The fields of a write."""
        chosen = self.random.sample(holder.written(), k=self.random.randint(1, len(holder.written())))
        parts = [f"{name} = {self.assigned(name, type_, atoms)}" for name, type_ in chosen]
        return "{ " + " ".join(parts) + " }"

    def assigned(self, name: str, type_: str, atoms: list[Atom]) -> str:
        """What is assigned: sometimes anything."""
        return "any" if not name.startswith("finalizers.") and self.chance(0.12) else self.value(type_, atoms)

    def write(self, holder: Holder, name: str, atoms: list[Atom], depth: int, pad: str) -> str:
        """A request that changes an object."""
        verbs = ["update", "update", "patch"]
        verbs += ["create", "apply"] * (1 + holder.creatable) if holder.creatable else []
        verbs += ["delete"] if holder.deletable else []
        verb = self.random.choice(verbs)
        errors = {
            "create": ("error", "exists"),
            "update": ("error", "conflict", "missing"),
            "patch": ("error", "missing"),
            "apply": ("error",),
            "delete": ("error", "missing"),
        }[verb]
        text = f"{verb} {name}"
        if verb in ("update", "patch") and self.chance(0.6):
            field_, type_ = self.random.choice(holder.written())
            operator = "+=" if type_ in ("0..1", "0..2") and self.chance(0.15) and holder.cached else "="
            text += f".{field_} {operator} {'1' if operator == '+=' else self.assigned(field_, type_, atoms)}"
        elif verb != "delete" and (verb not in ("create", "apply") or self.chance(0.7)):
            text += f" {self.assignments(holder, atoms)}"
        return text + self.handler(errors, atoms, depth, pad)

    def statement(self, atoms: list[Atom], depth: int, pad: str) -> tuple[list[str], bool]:
        """A statement, and whether what follows it can be reached; a `let` adds to `atoms`."""
        roll = self.random.random()
        if depth > 0 and roll < 0.4:
            lines, reachable = self.block(atoms, depth - 1, pad + "  ", 2)
            text = [f"{pad}when {self.condition(atoms)} {{", *lines]
            if self.chance(0.3):
                other, also = self.block(atoms, depth - 1, pad + "  ", 2)
                return [*text, f"{pad}}} else {{", *other, f"{pad}}}"], reachable or also
            return [*text, f"{pad}}}"], True
        if roll < 0.55:
            return [pad + self.let(atoms, depth, pad)], True
        if roll < 0.63 and self.externals:
            holder = self.externals[0]
            text_ = f"call {holder.name} {self.assignments(holder, atoms)}"
            return [pad + text_ + self.handler(("error",), atoms, depth, pad)], True
        if roll < 0.68 and self.memory:
            name, type_ = self.random.choice(self.memory)
            if type_ == "nat":
                return [f"{pad}remember {name} += 1"], True
            return [f"{pad}remember {name} = {self.assigned(name, type_, atoms)}"], True
        if roll < 0.75 and self.late:
            return [f"{pad}register {self.random.choice(self.late)}"], True
        arrays = [holder for holder in self.objects if holder.array]
        if roll < 0.82 and arrays:
            holder = self.random.choice(arrays)
            one = self.fresh("one")
            more = atoms + (holder.atoms(one) if holder.cached else [])
            inner = [pad + "  " + self.write(holder, one, more, 0, pad + "  ")]
            if self.chance(0.6):
                inner = [f"{pad}  when {self.condition(more)} {{", "  " + inner[0], f"{pad}  }}"]
            return [f"{pad}for {one} in {holder.name} {{", *inner, f"{pad}}}"], True
        holder = self.random.choice(self.objects)
        return [pad + self.write(holder, holder.element, atoms, depth, pad)], True

    def let(self, atoms: list[Atom], depth: int, pad: str) -> str:
        """A local: an expression or a live read."""
        name = self.fresh("x")
        if self.chance(0.35):
            type_ = self.random.choice(("bool", "0..1", "Color", "opaque"))
            same = [text for text, other in atoms if other == type_]
            value = self.condition(atoms) if type_ == "bool" else self.random.choice(same) if same else ""
            if value:
                atoms.append((name, type_))
                return f"let {name} = {value}"
        holder = self.random.choice(self.objects + self.externals)
        if self.chance(0.3):
            field_, type_ = self.random.choice(holder.written())
            text = f"let {name} = live({holder.element}.{field_})"
            new = [(name, type_)]
        else:
            text = f"let {name} = live({holder.element})"
            new = [(t, k) for t, k in holder.atoms(name) if not t.endswith(".deleting")]
            if holder.object and holder.deletable and holder.finalizers:
                new.append((f"{name}.deleting", "bool"))
        errors = ("error", "missing") if holder.object else ("error",)
        text += self.handler(errors, atoms, depth, pad)
        atoms += new
        return text

    def block(self, atoms: list[Atom], depth: int, pad: str, most: int) -> tuple[list[str], bool]:
        """A block's statements, and whether its end can be reached."""
        inner = list(atoms)
        lines: list[str] = []
        for _ in range(self.random.randint(0, most)):
            text, reachable = self.statement(inner, depth, pad)
            lines += text
            if not reachable:
                return lines, False
        if self.chance(0.4) or not lines:
            return [*lines, pad + self.outcome(inner)], False
        return lines, True

    def controller(self, name: str, primary: str) -> str:
        """A controller with its watches, rules and reconcile."""
        self.late, self.controller_wait = [], self.random.choice(("10s", "1m"))
        lines = [f"  controller {name} for {primary} {{"]
        for holder in self.objects + [external for external in self.externals if external.notifies]:
            if self.chance(0.95 if holder.name == primary else 0.6):
                lines.append(self.watch(holder, name, primary))
        if self.chance(0.25):
            lines.append(f"    requeue {self.fresh('every')} every {self.random.choice(('5s', '1h'))}")
        if self.chance(0.2):
            lines.append("    resync every 30m")
        author = self.runtime in ("client-go", "kube-rs", "wasm-operator")
        if author or self.chance(0.3):
            policies = ("backoff", "retry 1", "retry 2", "requeue after 5s", "await change", "stop")
            lines.append(f"    on error {self.random.choice(policies)}")
        body: list[str] = []
        atoms = self.cached()
        reachable = True
        for _ in range(self.random.randint(1, 3)):
            more, reachable = self.statement(atoms, 2, "      ")
            body += more
            if not reachable:
                break
        if reachable:
            body.append("      " + self.outcome(atoms))
        text = "\n".join([*lines, "    reconcile {", *body, "    }", "  }"])
        return text.replace("requeue wait after", f"requeue {name}_wait after")

    # ---- environment and questions --------------------------------------------------------------------------------

    def change(self, holder: Holder, name: str, atoms: list[Atom]) -> str:
        """One change by the environment."""
        roll = self.random.random()
        if holder.object and holder.deletable and roll < 0.3:
            return f"delete {name}"
        if holder.object and holder.creatable and roll < 0.45:
            return f"create {name} {self.assignments(holder, atoms)}"
        field_, type_ = self.random.choice(holder.written())
        if type_ in ("0..1", "0..2") and self.chance(0.2):
            return f"{name}.{field_} {self.random.choice(('+=', '-='))} 1"
        return f"{name}.{field_} = {'any' if self.chance(0.3) else self.value(type_, atoms)}"

    def action(self, kind: str) -> str:
        """A step of the environment."""
        atoms = self.world()
        holder = self.random.choice(self.objects + self.externals)
        guard = f" when {self.condition(atoms)}" if self.chance(0.6) else ""
        changes = [self.change(holder, holder.element, atoms)]
        if self.chance(0.15):
            other = self.random.choice(self.objects + self.externals)
            changes.append(self.change(other, other.element, atoms))
        text = "\n".join(f"      {change}" for change in changes)
        action = f"    {kind} {self.fresh('act')}{guard} {{\n{text}\n    }}"
        if holder.array and self.chance(0.5):
            one = self.fresh("one")
            inner = self.change(holder, one, atoms + holder.atoms(one))
            return f"    for {one} in {holder.name} {{ {kind} {self.fresh('act')} {{ {inner} }} }}"
        return action

    def environment(self) -> str:
        """Two or three actions, those that make objects come and go, and time."""
        kinds = ["process", "noise", "disturbance"]
        lines = [self.action(self.random.choice(kinds)) for _ in range(self.random.randint(1, 2))]
        for holder in self.objects:
            if holder.deletable:
                lines.append(f"    disturbance {self.fresh('gone')} {{ delete {holder.element} }}")
            if holder.finalizers and holder.deletable and self.chance(0.5):
                lines.append(
                    f"    process {self.fresh('strip')} when {holder.element}.deleting "
                    f"{{ {holder.element}.finalizers.cleanup = false }}"
                )
        if self.clock is not None:
            lines.append("    process tick when time.now < 2 { time.now += 1 }")
        return "  environment {\n" + "\n".join(lines) + "\n  }"

    def quantified(self) -> str:
        """A goal over an array, or a plain one."""
        arrays = [holder for holder in self.objects if holder.array]
        if not arrays:
            return self.condition(self.world())
        inner = self.condition(arrays[0].atoms("r"))
        word = self.random.choice(("all", "some", "count"))
        return f"{word}(r in {arrays[0].name}: {inner})" + (" >= 1" if word == "count" else "")

    def text(self) -> str:
        """The model."""
        head = f"  runtime {self.runtime}"
        if self.chance(0.4):
            knobs = {knob.split(" = ")[0]: knob for knob in self.random.sample(KNOBS, k=2)}
            head += " { " + " ".join(knobs.values()) + " }"
        parts = [head, *(self.resource(index) for index in range(self.random.choice((1, 2, 2, 3))))]
        if self.chance(0.5):
            parts.append(self.external())
        if self.chance(0.25):
            self.clock = Holder("time", [("now", "0..2")], object=False)
            parts.append("  clock time { now: 0..2 = 0 }")
        if self.chance(0.3):
            type_ = self.random.choice(("bool", "0..1", "opaque", "nat"))
            self.memory = [("memory.seen", type_)]
            parts.append(f"  memory {{ seen: {type_} = {self.random.choice(CONSTANTS[type_])} }}")
        parts.append(self.controller("first", "app"))
        if self.chance(0.25):
            plain = [holder.name for holder in self.objects if not holder.array]
            parts.append(self.controller("second", self.random.choice(plain)))
        parts.append(self.environment())
        faults = [f"{name} {self.random.choice(('on', 'off'))}" for name in ("api", "call", "crash", "relist")]
        faults.append(f"lost_event {'on' if self.chance(0.2) else 'off'}")
        parts.append("  faults { " + " ".join(faults) + " }")
        parts.append(f"  converges {{ settled: {self.quantified()} }}")
        parts.append(f"  always kept: {self.condition(self.world())}")
        parts.append(f"  reachable seen: {self.condition(self.world())}")
        prelude = "rdsl 1\nparam size: 1..2 = 2\ntype Color = red | green\n"
        return prelude + "operator made {\n" + "\n".join(parts) + "\n}\n"


def model_text(seed: int) -> str:
    """The random model of that seed."""
    return Maker(seed).text()


def check(seed: int, folder: Path, most_states: int) -> str | None:
    """What is wrong with the model of a seed: it is refused, or the two semantics disagree on it."""
    from support import disagreement

    path = folder / f"random{seed}.rdsl"
    path.write_text(model_text(seed))
    try:
        operator = load(path).operator
    except ModelError as error:
        return "\n".join(f"{d.code} at {d.span}: {d.message}; {d.instead}" for d in error.diagnostics)
    try:
        return disagreement(operator, Scope(schedule=seed % 2 == 0), most_states)
    except Exception:  # a crash is a finding like any other, and the seeds after it shall be tried
        return traceback.format_exc(limit=-2)


def main() -> int:
    """Looks for disagreements and prints them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=1_000, help="how many models")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--states", type=int, default=200, help="states compared in each model")
    parser.add_argument("--show", type=int, help="print the model of this seed and stop")
    arguments = parser.parse_args()
    if arguments.show is not None:
        print(model_text(arguments.show), end="")
        return 0
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.first, arguments.first + arguments.count):
            problem = check(seed, Path(folder), arguments.states)
            if problem is not None:
                found += 1
                print(f"seed {seed}: {problem}")
    print(f"{arguments.count} models, {found} with a disagreement")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
