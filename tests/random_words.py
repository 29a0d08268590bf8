"""Random expressions for random models: what can be read, and formulas and values made of it."""

from __future__ import annotations

from random import Random

from msgspec import Struct, field

CONSTANTS = {
    "bool": ("true", "false"),
    "0..1": ("0", "1"),
    "0..2": ("0", "1", "2"),
    "Color": ("red", "green"),
    "Wide": ("red", "green", "blue"),
    "Other": ("red", "blue"),
    "opaque": ("none",),
    "nat": ("0", "1"),
    "int": ("0", "1", "(0 - 1)"),
    "Pending | Running": ("Pending", "Running"),
}
"""Constants of each type that occurs; the last one is a type of `std/workloads`."""
NUMBERS = ("0..1", "0..2", "nat", "int")
FITS = {"Wide": ("Color", "Other"), "0..2": ("0..1",), "nat": ("0..1", "0..2"), "int": ("0..1", "0..2", "nat")}
"""The other types whose values a type has too."""
BOUNDS = {"0..1": ("0", "1"), "0..2": ("0", "2"), "nat": ("0", "2"), "int": ("0 - 1", "1")}
"""Where counting down and up stops; for the endless types it could go on."""

Atom = tuple[str, str]
"""The text of something readable, and its type."""


class Holder(Struct):
    """A declared object, external or clock."""

    name: str
    fields: list[Atom]
    finalizers: list[str] = field(default_factory=list)
    object: bool = True
    array: bool = False
    cached: bool = True
    """Whether the reconcile that is written reads it through the cache."""
    read: str = ""
    """The trait that says so for every reconcile: cached or live."""
    deletable: bool = False
    creatable: bool = False
    notifies: bool = False
    alias: str = ""
    """How the loop around the controller that is written calls one of its elements."""

    @property
    def element(self) -> str:
        """How one object is named from outside a loop, or inside that around a controller."""
        return self.alias or (f"{self.name}[0]" if self.array else self.name)

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


class Words:
    """Makes random choices, names, values and conditions.

    With `small`, the model shall have few states: then there is less of everything, and counters stop early.
    """

    def __init__(self, seed: int, small: bool) -> None:
        self.random = Random(seed)
        self.small = small
        self.objects: list[Holder] = []
        self.externals: list[Holder] = []
        self.memory: list[Atom] = []
        """As the reconcile that is written calls it."""
        self.remembered: list[Atom] = []
        """As goals and the environment call it."""
        self.clock: Holder | None = None
        self.loops = False
        """Whether there are loops over numbers, and around controllers."""
        self.more = False
        """Whether there are enums of which neither has all values of the other, and actions of several steps."""
        self.count = 0

    # ---- small decisions ------------------------------------------------------------------------------

    def chance(self, probability: float, small: float | None = None) -> bool:
        """True with that probability, or with the second one in a small model."""
        return self.random.random() < (small if self.small and small is not None else probability)

    def fresh(self, stem: str) -> str:
        """A name not used before."""
        self.count += 1
        return f"{stem}{self.count}"

    # ---- what can be read -----------------------------------------------------------------------------

    def world(self) -> list[Atom]:
        """What goals and the environment can read."""
        atoms = [atom for holder in self.objects + self.externals for atom in holder.atoms(holder.element)]
        return atoms + self.remembered + self.clock_atoms() + self.quantities(self.objects)

    def cached(self) -> list[Atom]:
        """What a reconcile can read without a request."""
        holders = [holder for holder in self.objects if holder.cached]
        atoms = [atom for holder in holders for atom in holder.atoms(holder.element)]
        return atoms + self.memory + self.clock_atoms() + self.quantities(holders)

    def clock_atoms(self) -> list[Atom]:
        """The clock, where there is one."""
        return [] if self.clock is None else [(f"time.{name}", type_) for name, type_ in self.clock.fields]

    def quantities(self, holders: list[Holder]) -> list[Atom]:
        """Something about all elements of each array."""
        found: list[Atom] = []
        for holder in holders:
            if holder.array:
                one, where = ("r", holder.name) if not self.loops else (f"{holder.name}[r]", "0..size - 1")
                inner = self.condition(holder.atoms(one), 1)
                word = self.random.choice(("all", "some", "count"))
                found.append((f"{word}(r in {where}: {inner})", "nat" if word == "count" else "bool"))
        return found

    # ---- expressions ----------------------------------------------------------------------------------

    def value(self, type_: str, atoms: list[Atom]) -> str:
        """An expression that gives a value of the type."""
        same = [text for text, other in atoms if other == type_ or other in FITS.get(type_, ())]
        roll = self.random.random()
        if type_ == "bool" and roll < 0.3:
            return self.condition(atoms, 1)
        if same and roll < 0.65:
            return self.random.choice(same)
        if type_ == "0..2" and roll < 0.9:
            small = [text for text, other in atoms if other == "0..1"]
            if small:
                return f"{self.random.choice(small)} {self.random.choice(('+ 1', '* 2'))}"
        numbers = [text for text, other in atoms if other in NUMBERS]
        if type_ in NUMBERS and numbers and roll < 0.77:
            return self.counted(type_, self.random.choice(numbers))
        if same and type_ != "opaque" and roll < 0.82:
            constant = self.random.choice(CONSTANTS[type_])
            if self.more and self.chance(0.5):
                constant = self.random.choice(same)
            more = f"if {self.condition(atoms, 1)} then {constant} else " if self.chance(0.2) else ""
            return f"({more}if {self.condition(atoms, 1)} then {self.random.choice(same)} else {constant})"
        return self.random.choice(CONSTANTS[type_])

    def counted(self, type_: str, number: str) -> str:
        """A number made of another one, within the bounds of the type."""
        low, high = BOUNDS[type_]
        forms = (
            f"max({low}, min({high}, {number}))",
            f"max({low}, min({high}, {number} + 1))",
            f"min({high}, max({low}, {number} - 1))",
            f"(if {number} >= {high} then {low} else max({low}, {number} + 1))",
        )
        if type_ in ("nat", "int") and self.chance(0.1, small=0.04):
            return f"max(0, {number}) + 1"  # may grow without end
        return self.random.choice(forms)

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
            right = self.random.choice(other) if self.chance(0.5) else self.random.choice(("0", "1", "size"))
            return f"{text} {self.random.choice(('<', '<=', '>', '>='))} {right}"
        same = [t for t, kind in atoms if kind == type_ or kind in FITS.get(type_, ())]
        if self.more and depth > 0 and self.chance(0.3):
            left, right = self.random.choice(same), self.random.choice(same)
            return f"{text} == (if {self.condition(atoms, 0)} then {left} else {right})"
        right = self.random.choice(same) if self.chance(0.6) else self.random.choice(CONSTANTS[type_])
        return f"{text} {self.random.choice(('==', '!='))} {right}"

    def assigned(self, name: str, type_: str, atoms: list[Atom]) -> str:
        """What is assigned: sometimes anything."""
        endless = type_ in ("nat", "int")
        if not name.startswith("finalizers.") and self.chance(0.03 if endless else 0.12):
            return "any"
        return self.value(type_, atoms)

    def step_by(self, path: str, type_: str) -> tuple[str, str]:
        """Counting: a condition that keeps a number within bounds, and the end of the assignment."""
        low, high = BOUNDS[type_]
        if self.chance(0.5):
            return f"{path} < {high}", "+= 1"
        return f"{path} > {low}", "-= 1"
