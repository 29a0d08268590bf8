"""Random controllers for random models: watches, requeue rules, and what a reconcile does."""

from __future__ import annotations

from msgspec import Struct

from random_words import FITS, NUMBERS, Atom, Holder, Words

POLICIES = ("backoff", "retry 1", "retry 2", "requeue after 5s", "await change", "stop")


class Intent(Struct, frozen=True):
    """What a controller is there for: to make one thing the same as another."""

    holder: Holder | None
    """Whose field it is; None for memory."""
    name: str
    source: Atom
    operator: str = ""
    """Whose memory it is, where there are several operators."""

    @property
    def target(self) -> str:
        """The field that is to change."""
        return self.name if self.holder is None else f"{self.holder.element}.{self.name}"

    @property
    def changed(self) -> str:
        """The same as goals call it."""
        return f"memory.{self.operator}.{self.name[7:]}" if self.holder is None and self.operator else self.target


class Reconciles(Words):
    """Writes random controllers."""

    def __init__(self, seed: int, small: bool) -> None:
        super().__init__(seed, small)
        self.needs_policy = False
        self.copies = False
        """Whether reconciles copy whole objects."""
        self.operator = ""
        """The operator that is written, where there are several."""
        self.late: list[str] = []
        self.rules: list[str] = []
        self.intents: list[Intent] = []
        self.wait = "10s"

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

    def watch(self, holder: Holder, primary: str) -> str:
        """A watch on an object or external."""
        late = self.chance(0.15, small=0.1) and holder.element != primary and not holder.array
        name = holder.alias if holder.alias and self.chance(0.8) else holder.name
        text = f"    {'late ' if late else ''}watch {name}"
        if self.chance(0.2):
            name = self.fresh("w")
            text += f" as {name}"
        if late:
            self.late.append(name)
        versions = [(t, k) for side in ("old", "new") for t, k in holder.atoms(side)]
        if holder.object and holder.element != primary and self.chance(0.6):
            text += " via owner"
        elif self.chance(0.3, small=0.1):
            readable = versions + (self.cached() if self.chance(0.5) else [])
            text += f" via ({self.condition(readable, 1)})"
        if self.chance(0.4, small=0.2):
            events = dict.fromkeys(self.event(holder, versions) for _ in range(self.random.choice((1, 2))))
            text += " on " + ", ".join(events)
        return text + self.cite()

    def cite(self) -> str:
        """Sometimes a citation, which changes nothing."""
        return f' @"main.go#L{self.random.randint(1, 99)}"' if self.chance(0.03) else ""

    # ---- reconcile --------------------------------------------------------------------------------------------

    def outcome(self, atoms: list[Atom]) -> str:
        """How a path ends."""
        roll = self.random.random()
        if roll < 0.45:
            return "await change" + self.cite()
        if roll < 0.65:
            return f"requeue wait after {self.wait}"
        if roll < 0.72:
            return f"requeue {self.rule('wait')} after {self.random.choice(('5s', '1m', '1m30s'))}"
        if roll < 0.8:
            return f"requeue {self.rule('poll')} every {self.random.choice(('5s', '10m', '250ms'))}"
        if roll < 0.95 and self.clock is not None:
            (clock, _), *_ = self.clock_atoms()
            numbers = [text for text, type_ in atoms if type_ in NUMBERS and text != clock]
            inside = ("one", "x") if self.loops else "one"
            numbers = [text for text in numbers if not text.startswith(inside)]  # a rule is the same in every round
            limit = self.random.choice(numbers) if numbers and self.chance(0.5) else self.random.choice(("1", "2"))
            return f"requeue {self.rule('due')} when {clock} >= {limit}"
        return "fail terminal" if self.chance(0.3) else "fail"

    def rule(self, stem: str) -> str:
        """The name of a new rule."""
        self.rules.append(self.fresh(stem))
        return self.rules[-1]

    def handler(self, errors: tuple[str, ...], atoms: list[Atom], depth: int, pad: str) -> str:
        """Perhaps a handler for an error of the effect before."""
        text = ""
        for error in self.random.sample(errors, k=self.random.choice((0, 0, 0, 1, 1, min(2, len(errors))))):
            if self.chance(0.4, small=0.7):
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
            if type_ in NUMBERS and holder.cached and self.chance(0.3):
                condition, more = self.step_by(f"{name}.{field_}", type_)
                handler = self.handler(errors, atoms, 0, pad)
                return f"when {condition} {{ {text}.{field_} {more}{handler} }}"
            text += f".{field_} = {self.assigned(field_, type_, atoms)}"
        elif verb != "delete" and (verb not in ("create", "apply") or self.chance(0.7)):
            text += f" {self.assignments(holder, atoms)}"
        return text + self.cite() + self.handler(errors, atoms, depth, pad)

    def call(self, atoms: list[Atom], depth: int, pad: str) -> str:
        """A request to an external."""
        holder = self.random.choice(self.externals)
        text = f"call {holder.name}"
        if self.chance(0.9):
            text += f" {self.assignments(holder, atoms)}"
        return text + self.handler(("error",), atoms, depth, pad)

    def remember(self, atoms: list[Atom]) -> str:
        """An assignment to memory."""
        name, type_ = self.random.choice(self.memory)
        if type_ in NUMBERS and self.chance(0.5):
            condition, more = self.step_by(name, type_)
            if type_ in ("nat", "int") and more == "+= 1" and self.chance(0.1, small=0.03):
                return f"remember {name} += 1"  # grows without end
            return f"when {condition} {{ remember {name} {more} }}"
        return f"remember {name} = {self.assigned(name, type_, atoms)}"

    def when(self, atoms: list[Atom], depth: int, pad: str) -> tuple[list[str], bool]:
        """A branch, and whether what follows it can be reached."""
        lines, reachable = self.block(atoms, depth - 1, pad + "  ", 2)
        text = [f"{pad}when {self.condition(atoms)} {{", *lines]
        if self.chance(0.1):
            more, also = self.block(atoms, depth - 1, pad + "  ", 1)
            text += [f"{pad}}} else when {self.condition(atoms, 1)} {{", *more]
            reachable = reachable or also
        if self.chance(0.3):
            other, also = self.block(atoms, depth - 1, pad + "  ", 2)
            return [*text, f"{pad}}} else {{", *other, f"{pad}}}"], reachable or also
        return [*text, f"{pad}}}"], True

    def statement(self, atoms: list[Atom], depth: int, pad: str) -> tuple[list[str], bool]:
        """A statement, and whether what follows it can be reached; a `let` adds to `atoms`."""
        roll = self.random.random()
        if depth > 0 and roll < 0.4:
            return self.when(atoms, depth, pad)
        if roll < 0.55:
            return [pad + self.let(atoms, depth, pad)], True
        if roll < 0.63 and self.externals:
            return [pad + self.call(atoms, depth, pad)], True
        if roll < 0.7 and self.memory:
            return [pad + self.remember(atoms)], True
        if roll < 0.76 and self.late:
            return [f"{pad}register {self.random.choice(self.late)}"], True
        arrays = [holder for holder in self.objects if holder.array]
        if roll < 0.84 and arrays:
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
        """A local: an expression, a copy or a live read."""
        name = self.fresh("x")
        cached = [holder for holder in self.objects if holder.cached]
        if self.copies and cached and self.chance(0.4):
            holder = self.random.choice(cached)
            atoms += holder.atoms(name)
            return f"let {name} = {holder.element}"
        if self.chance(0.35):
            type_ = self.random.choice(("bool", "0..1", "Color", "opaque"))
            same = [text for text, other in atoms if other == type_]
            value = self.condition(atoms) if type_ == "bool" else self.random.choice(same) if same else ""
            if value:
                atoms.append((name, type_))
                return f"let {name} = {value}"
        holder = self.random.choice(self.objects + self.externals)
        if self.chance(0.3, small=0.6):
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
        for _ in range(self.random.randint(0, 1 if self.small else most)):
            text, reachable = self.statement(inner, depth, pad)
            lines += text
            if not reachable:
                return lines, False
        if self.chance(0.4) or not lines:
            return [*lines, pad + self.outcome(inner)], False
        return lines, True

    # ---- what a reconcile is for ---------------------------------------------------------------------------

    def intent(self, primary: str) -> Intent | None:
        """Something that can be made the same as something else."""
        holders = [holder for holder in self.objects if holder.element != primary] + self.externals
        fields = [(holder, name, type_) for holder in holders for name, type_ in holder.fields]
        targets: list[tuple[Holder | None, str, str]] = [*fields, *((None, name, type_) for name, type_ in self.memory)]
        sources = [(f"{h.element}.{n}", t) for h in self.objects if h.cached for n, t in h.fields] + self.clock_atoms()
        pairs = [
            Intent(holder, name, (source, other), self.operator)
            for holder, name, type_ in targets
            for source, other in sources
            if (type_ == other or other in FITS.get(type_, ())) and source != f"{holder and holder.element}.{name}"
        ]
        return self.random.choice(pairs) if pairs else None

    def intended(self, intent: Intent, atoms: list[Atom]) -> list[str]:
        """Statements that bring about what is meant, more or less carefully."""
        target, (source, _), pad = intent.target, intent.source, " " * 6
        if intent.holder is None:
            return [f"{pad}remember {target} = {source}"]
        if not intent.holder.object:
            call = f"call {target} = {source}" + self.handler(("error",), atoms, 0, pad)
            if self.chance(0.3):
                local = self.fresh("x")
                return [f"{pad}let {local} = live({target})", f"{pad}when {local} != {source} {{ {call} }}"]
            return [pad + call]
        name, lines = intent.holder.element, []
        if intent.holder.creatable and self.chance(0.7):
            create = f"create {name} {{ {intent.name} = {source} }} on exists continue"
            if not intent.holder.cached:
                return [f"{pad}apply {name} {{ {intent.name} = {source} }}"]
            lines = [f"{pad}when not {name}.exists {{ {create} }}"]
        verb = self.random.choice(("update", "patch"))
        write = f"{verb} {target} = {source}" + self.random.choice(("", " on missing continue"))
        if intent.holder.cached and self.chance(0.6):
            write = f"when {target} != {source} {{ {write} }}"
        return [*lines, pad + write]

    def meant(self, intent: Intent) -> str:
        """The goal that belongs to an intent."""
        goal = f"{intent.changed} == {intent.source[0]}"
        if intent.holder is not None and intent.holder.object and self.chance(0.7):
            word = "and" if intent.holder.creatable and self.chance(0.3) else "implies"
            goal = f"({intent.holder.element}.exists {word} {goal})"
        origin = next((h for h in self.objects if intent.source[0].startswith(f"{h.element}.") and h.deletable), None)
        return f"({origin.element}.exists implies {goal})" if origin is not None and self.chance(0.8) else goal

    # ---- controllers ---------------------------------------------------------------------------------------

    def controller(self, name: str, primary: str) -> str:
        """A controller with its watches, rules and reconcile."""
        self.late, self.wait = [], self.random.choice(("10s", "1m"))
        intent = self.intent(primary) if self.chance(0.6, small=0.9) else None
        lines = [f"  controller {name} for {primary} {{"]
        for holder in self.objects + [external for external in self.externals if external.notifies]:
            if self.chance(0.95 if holder.element == primary else 0.6):
                lines.append(self.watch(holder, primary))
        for _ in range(self.random.choice((0, 0, 0, 0, 0, 0, 1, 1, 2))):
            lines.append(f"    requeue {self.rule('every')} every {self.random.choice(('5s', '1h'))}")
        if self.chance(0.2, small=0.1):
            lines.append("    resync every 30m")
        if self.needs_policy or self.chance(0.3):
            lines.append(f"    on error {self.random.choice(POLICIES)}")
        body: list[str] = []
        atoms = self.cached()
        if intent is not None and self.chance(0.7):
            body += self.intended(intent, atoms)
            self.intents.append(intent)
            intent = None
        reachable = True
        most = self.random.choice((1, 1, 2)) if self.small else 3
        for _ in range(self.random.randint(0 if body else 1, most)):
            more, reachable = self.statement(atoms, 1 if self.small else 2, "      ")
            body += more
            if not reachable:
                break
        if reachable and intent is not None:
            body += self.intended(intent, atoms)
            self.intents.append(intent)
        if reachable:
            body.append("      " + self.outcome(atoms))
        text = "\n".join([*lines, "    reconcile {", *body, "    }", "  }"])
        return text.replace("requeue wait after", f"requeue {name}_wait after")
