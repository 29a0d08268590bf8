"""Small models that do not converge, each for another reason, and their repairs."""

from __future__ import annotations

from pathlib import Path

from reconcheck.explain.diagnosis import Repair
from reconcheck.explain.repairs import repairs
from reconcheck.explain.verify import Verifier
from reconcheck.model.assemble import assemble
from reconcheck.model.operator import Loaded, Scope
from reconcheck.syntax.parser import parse_text

ROOT = Path(__file__).parent.parent
FILE = Path("small.rdsl")


def read(text: str) -> Loaded:
    return assemble(parse_text(text, str(FILE)), text, FILE, {})


def found(loaded: Loaded, seconds: float | None = None, most: int = 3) -> tuple[tuple[Repair, ...], tuple[str, ...]]:
    verifier = Verifier(loaded)
    answers = [verifier.answer(goal, Scope()) for goal in loaded.operator.goals]
    return repairs(loaded, answers, seconds, most_edits=most)


def titles(text: str) -> list[str]:
    made, undecided = found(read(text))
    assert not undecided
    return [repair.title for repair in made]


def model(
    controller: str,
    things: str = "external db {}",
    environment: str = "disturbance edit { app.spec.size = any }",
    goal: str = "synced: app.status.size == app.spec.size",
    faults: str = "faults { api off  call off  crash off  relist off }",
    rest: str = "",
    runtime: str = "controller-runtime 0.24 { resync = none }",
) -> str:
    return f"""rdsl 1

operator small {{
  runtime {runtime}
  primary App as app {{ spec.size: 0..1 = 0  status.size: 0..1 = 0 }}
  {things}
  controller app for app {{
    {controller}
  }}
  environment {{ {environment} }}
  {faults}
  converges {{ {goal} }}
  {rest}
}}
"""


COPIES = "reconcile { patch app.status.size = app.spec.size  await change }"
SECRET = "resource Secret as users { size: 0..1 = 0 }"
FROM_SECRET = "reconcile { patch app.status.size = users.size  await change }"
ROTATED = "disturbance rotated { users.size = any }"
AS_SECRET = "synced: app.status.size == users.size"

UNWATCHED = model(f"watch app {FROM_SECRET}", SECRET, ROTATED, AS_SECRET)
OWNED = model(f"watch app {FROM_SECRET}", SECRET.replace("users", "users owned by app"), ROTATED, AS_SECRET)
BY_REFERENCE = model(
    """watch app
    reconcile {
      when users.name == app.spec.ref { patch app.status.size = users.size }
      await change
    }""",
    "resource Secret as users { size: 0..1 = 0  name: opaque = none }",
    ROTATED,
    AS_SECRET,
).replace("spec.size: 0..1 = 0", "spec.size: 0..1 = 0  spec.ref: opaque = none")
FILTERED = model(f"watch app on status.size {COPIES}")
CONDITION = model(f"watch app on update where (new.spec.size == 1), create {COPIES}")
WRONG_MAPPING = model(f"watch app  watch users via (false) {FROM_SECRET}", SECRET, ROTATED, AS_SECRET)
SWALLOWED = model(
    "watch app reconcile { patch app.status.size = app.spec.size on error continue  await change }",
    faults="faults { crash off  relist off }",
)
NOT_RETRIED = model(f"watch app on error await change {COPIES}", faults="faults { crash off  relist off }")
TERMINAL = model(
    "watch app reconcile { patch app.status.size = app.spec.size on error { fail terminal }  await change }",
    faults="faults { crash off  relist off }",
)
STARTS = model(
    """watch app
    requeue poll every 7s
    reconcile {
      call db.asked = true
      let seen = live(db)
      when not seen.up { await change }
      patch app.status.size = app.spec.size
      await change
    }""",
    "external db { asked: bool = false  up: bool = false }",
    "disturbance edit { app.spec.size = any }  process comes_up when db.asked { db.up = true }",
)
BRIDGED = model(
    "watch app reconcile { let seen = live(db)  patch app.status.size = seen.size  await change }",
    'external db "the database" { size: 0..1 = 0 }',
    "disturbance drift { db.size = any }",
    "synced: app.status.size == db.size",
)
STALE = model(
    """watch app
    watch one via owner
    watch two via owner
    reconcile {
      when not one.exists and not two.exists { create one on exists { create two on exists continue } }
      await change
    }""",
    "resource Job as one owned by app initially absent  resource Job as two owned by app initially absent",
    goal="single: not (one.exists and two.exists)",
)
FIGHT = model(
    """watch app
    watch hook via owner
    reconcile { apply hook { bundle = false  rules = app.spec.size }  await change }
  }
  controller patcher for hook {
    watch hook
    reconcile {
      when hook.exists and not hook.bundle { patch hook.bundle = true on missing continue }
      await change
    }""",
    "primary Hook as hook owned by app { bundle: bool = false  rules: 0..1 = 0 }",
    goal="injects: hook.exists and hook.bundle",
)
NARROWER = FIGHT.replace("apply hook { bundle = false  rules = app.spec.size }", "patch hook.bundle = false")
POLLED = model(
    """watch app
    reconcile {
      call db.asked = true
      let seen = live(db)
      when not seen.up { requeue poll every 5s }
      await change
    }""",
    "external db { asked: bool = false  up: bool = false }",
    "process comes_up when db.asked { db.up = true }",
    "synced: app.status.size == 1 or db.up and app.status.size == 0",
)
TIMED = model(
    """watch app
    reconcile {
      when time.now >= 1 { patch app.status.size = 1 }
      await change
    }""",
    "clock time { now: 0..1 = 0 }",
    "process tick when time.now < 1 { time.now += 1 }",
    "synced: app.status.size == time.now",
)
TWO = model(
    f"watch app {FROM_SECRET.replace('users.size', 'users.size on error continue')}",
    SECRET,
    ROTATED,
    AS_SECRET,
    "faults { crash off  relist off  call off }",
)
HOPELESS = model("watch app reconcile { await change }")
SELF_TRIGGER = model(
    """watch app on spec
    reconcile {
      patch app.status.size = 1 - app.status.size
      patch stamp.size = app.spec.size
      await change
    }""",
    "resource Stamp as stamp { size: 0..1 = 0 }",
    "disturbance edit { stamp.size = any }",
    "stamped: stamp.size == app.spec.size",
)
LATE = model(
    f"watch app  late watch users reconcile {{ when app.spec.size == 1 {{ register users }}  {FROM_SECRET[11:]}",
    SECRET,
    ROTATED,
    AS_SECRET,
)
