"""Models that the language cannot express with a parameter: N externals, and N controllers in a row."""

from __future__ import annotations


def externals(size: int, unbounded: bool) -> str:
    """One controller that copies its version to `size` externals, of which every second one sends events.

    The others are polled, so their goal holds with the schedule only.  Names are short: `n1` notifies, `p0` is
    polled, `f_n1` is what was found there.
    """
    names = [f"{'n' if number % 2 else 'p'}{number}" for number in range(size)]
    notifying, polled = names[1::2], names[0::2]
    data = "version: nat = 0  content: opaque = none" if unbounded else "version: 0..2 = 0"
    primary = "spec.version: nat = 0  spec.content: opaque" if unbounded else "spec.version: 0..2 = any"
    lines = [
        "rdsl 1",
        f"/// {size} externals, every second one of which sends events.  {_data(unbounded)}",
        f"operator externals{'_unbounded' if unbounded else ''} {{",
        "  runtime controller-runtime 0.24",
        f"  primary App as app {{ {primary}  status.observed: {'nat' if unbounded else '0..2'} = 0 }}",
        *(f"  external {name}{' notifies' if name in notifying else ''} {{ {data} }}" for name in names),
        "  controller app for app {",
        "    watch app on spec",
        *(f"    watch {name}" for name in notifying),
        "    requeue poll every 5m",
        "    on error backoff",
        "    reconcile {",
    ]
    for name in names:
        different, written = f"f_{name}.version != app.spec.version", "version = app.spec.version"
        if unbounded:
            different += f" or f_{name}.content != app.spec.content"
            written += "  content = app.spec.content"
        lines += [f"      let f_{name} = live({name})", f"      when {different} {{ call {name} {{ {written} }} }}"]
    edit = "app.spec.version += 1  app.spec.content = any" if unbounded else "app.spec.version = any"
    lines += [
        "      update app.status.observed = app.spec.version",
        "      await change",
        "    }",
        "  }",
        "  environment {",
        f"    disturbance edit {{ {edit} }}",
    ]
    for name in names:
        changed = f"{name}.version += 1  {name}.content = any" if unbounded else f"{name}.version = any"
        lines.append(f"    disturbance of_{name} {{ {changed} }}")
    lines += ["  }", "  converges {"]
    expected = ["expect observed converges"]
    for goal, group in (("notified", notifying), ("polled", polled)):
        equal = [f"{name}.version == app.spec.version" for name in group]
        equal += [f"{name}.content == app.spec.content" for name in group] if unbounded else []
        if equal:
            lines.append(f"    {goal}: " + "\n      and ".join(equal))
            expected.append(f"expect {goal} {'quiet' if goal == 'polled' else 'converges'}")
    lines += ["    observed: app.status.observed == app.spec.version", "  }"]
    return "\n".join([*lines, *(f"  {line}" for line in expected), "  expect polled converges with schedule", "}", ""])


def controllers(size: int, unbounded: bool) -> str:
    """`size` controllers in a row: each watches the object that the one before writes, and writes the next one.

    Sizes go down the row, readiness comes up from its end.  Of unbounded data, the last object is scaled one replica
    at a time.
    """
    number, changed = ("nat", "self.spec.size += 1") if unbounded else ("0..2", "self.spec.size = any")
    fields = [
        f"  spec.size: {number} = 0",
        *(["  status.size: nat = 0"] if unbounded else []),
        "  status.ready: bool = false",
    ]
    lines = [
        "rdsl 1",
        "kind App {",
        *fields,
        f"  disturbance edit {{ {changed} }}",
        "}",
        "kind Stage {",
        *fields,
        f"  disturbance changed when self.exists {{ {changed} }}",
        "  disturbance deleted when self.exists { delete self }",
        "}",
        f"/// {size} controllers in a row.  {_data(unbounded)}",
        f"operator controllers{'_unbounded' if unbounded else ''} {{",
        "  runtime controller-runtime 0.24",
        "  primary App as s0",
    ]
    for stage in range(1, size + 1):
        role = "primary" if stage < size else "resource"
        lines.append(f"  {role} Stage as s{stage} owned by s{stage - 1} initially absent")
    for stage in range(size):
        lines += _controller(f"s{stage}", f"s{stage + 1}", may_be_gone=stage > 0)
    lines += [
        "  environment {",
        *_end_of_the_row(f"s{size}", unbounded),
        "  }",
        "  converges {",
        "    copied: "
        + "\n      and ".join(f"s{n}.exists and s{n}.spec.size == s0.spec.size" for n in range(1, size + 1)),
        "    status: s0.status.ready",
        "  }",
        "  expect copied converges",
        "  expect status converges",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _data(unbounded: bool) -> str:
    return "Data are unbounded." if unbounded else "Data are bounded."


def _controller(this: str, after: str, may_be_gone: bool) -> list[str]:
    """The controller of one stage: creates and corrects the stage after it, and takes over that one's readiness."""
    return [
        f"  controller {this} for {this} {{",
        f"    watch {this}  watch {after} via owner  on error backoff  reconcile {{",
        *([f"      when not {this}.exists {{ await change }}"] if may_be_gone else []),
        f"      when not {after}.exists {{ create {after} {{ spec.size = {this}.spec.size }} }}",
        f"      else when {after}.spec.size != {this}.spec.size {{ update {after}.spec.size = {this}.spec.size }}",
        f"      update {this}.status.ready = {after}.status.ready",
        "      await change",
        "    }",
        "  }",
    ]


def _end_of_the_row(last: str, unbounded: bool) -> list[str]:
    """What makes the last stage ready: at once, or when it is scaled to what is asked."""
    if not unbounded:
        return [f"    process ready when {last}.exists {{ {last}.status.ready = true }}"]
    have, want = f"{last}.status.size", f"{last}.spec.size"
    return [
        f"    process scale_up when {have} < {want} {{ {have} += 1 }}",
        f"    process scale_down when {have} > {want} {{ {have} -= 1 }}",
        f"    process ready when {last}.exists and {have} == {want} {{ {last}.status.ready = true }}",
    ]
