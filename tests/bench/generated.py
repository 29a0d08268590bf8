"""Models that the language cannot express with a parameter: N controllers in a row."""

from __future__ import annotations


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
