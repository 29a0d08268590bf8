"""Loops over numbers and around controllers: that they mean what is written out by hand, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconcheck.diagnostic import ModelError
from reconcheck.explain.assumptions import workers
from reconcheck.explain.repairs import repaired_text, repairs
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import Operator, Read, Scope

FILE = Path("small.rdsl")

LOOPS = """rdsl 1
param N: 0..9 = 2
operator rows {
  runtime controller-runtime 0.24
  primary App as apps[N] { spec.size: 0..9 = index  status.seen: bool = false  finalizer cleanup = true }
  resource Pod as pods[N] owned by apps[index] initially absent { spec.size: 0..9 = 0 }
  external member[N] notifies { size: 0..9 = index * 2 }
  memory { seen: bool = false }

  for i in 0..N-1 {
    controller app for apps[i] {
      watch apps[i] on spec
      watch pods via owner on delete
      watch pods[N - 1 - i] as other via (i == 0 and new.spec.size > 0)
      late watch member[i] as mine
      requeue poll every 5m
      resync every 10h
      on error retry 2

      reconcile {
        when not memory.seen { remember memory.seen = true  register mine }
        when i > 0 { when apps[i - 1].spec.size > i { fail } }
        let found = live(member[i])
        for j in i..N-1 { when not pods[j].exists { create pods[j] { spec.size = if j == 0 then 0 else j - 1 } } }
        when all(j in 0..i: pods[j].exists) and found.size > 0 { requeue again after 10s }
        await change
      }
    }
  }
  for a in apps {
    controller cleaner for a {
      watch a
      on error backoff
      reconcile { when not a.exists { await change } delete a on missing continue await change }
    }
  }

  environment {
    for i in 0..N-1 { disturbance edit { apps[i].spec.size = any } }
    for p in pods { process gone when p.exists { delete p } }
  }
  converges { sized: all(i in 1..N-1: pods[i].spec.size == i - 1) }
}
"""

BY_HAND = """rdsl 1
param N: 2..2 = 2
operator rows {
  runtime controller-runtime 0.24
  primary App as apps_0 { spec.size: 0..9 = 0  status.seen: bool = false  finalizer cleanup = true }
  primary App as apps_1 { spec.size: 0..9 = 1  status.seen: bool = false  finalizer cleanup = true }
  resource Pod as pods_0 owned by apps_0 initially absent { spec.size: 0..9 = 0 }
  resource Pod as pods_1 owned by apps_1 initially absent { spec.size: 0..9 = 0 }
  external member_0 notifies { size: 0..9 = 0 }
  external member_1 notifies { size: 0..9 = 2 }
  memory { seen: bool = false }

  controller app_0 for apps_0 {
    watch apps_0 on spec
    watch pods_0 via owner on delete
    watch pods_1 as other via (new.spec.size > 0)
    late watch member_0 as mine
    requeue poll_0 every 5m
    resync every 10h
    on error retry 2

    reconcile {
      when not memory.seen { remember memory.seen = true  register mine }
      let found = live(member_0)
      when not pods_0.exists { create pods_0 { spec.size = 0 } }
      when not pods_1.exists { create pods_1 { spec.size = 0 } }
      when pods_0.exists and found.size > 0 { requeue again_0 after 10s }
      await change
    }
  }
  controller app_1 for apps_1 {
    watch apps_1 on spec
    watch pods_1 via owner on delete
    watch pods_0 as other via (false)
    late watch member_1 as mine
    requeue poll_1 every 5m
    resync every 10h
    on error retry 2

    reconcile {
      when not memory.seen { remember memory.seen = true  register mine }
      when apps_0.spec.size > 1 { fail }
      let found = live(member_1)
      when not pods_1.exists { create pods_1 { spec.size = 0 } }
      when pods_0.exists and pods_1.exists and found.size > 0 { requeue again_1 after 10s }
      await change
    }
  }
  controller cleaner_0 for apps_0 {
    watch apps_0
    on error backoff
    reconcile { when not apps_0.exists { await change } delete apps_0 on missing continue await change }
  }
  controller cleaner_1 for apps_1 {
    watch apps_1
    on error backoff
    reconcile { when not apps_1.exists { await change } delete apps_1 on missing continue await change }
  }

  environment {
    disturbance edit_0 { apps_0.spec.size = any }
    disturbance edit_1 { apps_1.spec.size = any }
    process gone_0 when pods_0.exists { delete pods_0 }
    process gone_1 when pods_1.exists { delete pods_1 }
  }
  converges { sized: pods_1.spec.size == 0 }
}
"""


def read(text: str, **settings: int) -> Operator:
    return load(FILE, settings, text=text).operator


def meaning(operator: Operator) -> str:
    """What an operator is made of, without the places in its file."""
    parts = (operator.objects, operator.externals, operator.memory, operator.controllers, operator.actions)
    text = repr((*parts, [goal.formula for goal in operator.goals]))
    text = re.sub(r"(place|span|declared)?=?Span\([^()]*\)", "", text)
    return re.sub(r"\[(\d+)\]", r"_\1", text)


def test_a_loop_is_what_one_writes_out_by_hand() -> None:
    assert meaning(read(LOOPS)) == meaning(read(BY_HAND))


def test_what_numbers_rule_out_is_left_out_of_a_round() -> None:
    """The first round ends where the others go on: what follows there may be about an element that there is not."""
    text = LOOPS.replace(
        "let found",
        "when i == 0 { await change } else { for j in 0..i - 1 { when pods[j].exists { fail } } }\n let found",
    )
    programs = [controller.program for controller in read(text.replace("register mine", ""), N=3).controllers[:3]]
    assert len(programs[0].code) < len(programs[1].code)
    assert not any(isinstance(instruction, Read) for instruction in programs[0].code)
    assert all(any(isinstance(instruction, Read) for instruction in program.code) for program in programs[1:])


def test_what_no_round_comes_to_is_refused() -> None:
    both = "when memory.seen { await change } else { await change }"
    with pytest.raises(ModelError) as raised:
        read(LOOPS.replace("let found", f"{both}\n        let found"))
    assert [one.code for one in raised.value.diagnostics] == ["RC211"]


def test_a_loop_may_have_any_number_of_rounds() -> None:
    for size in (1, 2, 5):
        names = [controller.name for controller in read(LOOPS, N=size).controllers]
        assert names == [f"{name}[{i}]" for name in ("app", "cleaner") for i in range(size)]


def test_a_loop_variable_hides_what_has_its_name() -> None:
    hidden = (
        LOOPS.replace("for a in apps", "for apps in apps")
        .replace("for a {", "for apps {")
        .replace("watch a\n", "watch apps\n")
    )
    hidden = hidden.replace("when not a.exists", "when not apps.exists").replace("delete a on", "delete apps on")
    assert meaning(read(hidden)) == meaning(read(LOOPS))


def test_one_round_alone_may_put_reads_off_and_two_may_not() -> None:
    """Others act on what a reconcile reads through the cache only where there are others (spec/semantics.md)."""
    text = LOOPS[: LOOPS.index("  for a in apps")] + LOOPS[LOOPS.index("  environment") :]
    alone, two = read(text, N=1).controllers[0].program, read(text, N=2).controllers[0].program
    assert not alone.stops
    assert two.stops


def test_scopes_take_the_rules_and_watches_of_all_rounds_away() -> None:
    lines = "expect sized diverges without poll, without watch pods  expect sized diverges without watch other\n}"
    first, second = read(LOOPS[:-2] + lines).expectations
    assert first.scope == Scope(
        first.scope.level, ("app[0].watch pods[0]", "app[1].watch pods[1]", "poll[0]", "poll[1]")
    )
    assert second.scope.without == ("app[0].watch other", "app[1].watch other")


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ("for apps[i] {", "for apps {", "RC220", "`apps` is an array"),
        ("for apps[i] {", "for apps[i + 1] {", "RC220", "`apps` has 2 elements, there is no [2]"),
        ("for apps[i] {", "for i {", "RC206", "`i` is a number, not an object"),
        ("for apps[i] {", "for app {", "RC201", "unknown object `app`"),
        ("for apps[i] {", "for member[i] {", "RC206", "`member[...]` is not a Kubernetes object"),
        ("watch apps[i] on", "watch apps[i + N] on", "RC220", "`apps` has 2 elements, there is no [2]"),
        ("watch apps[i] on", "watch i on", "RC206", "`i` is a number, not an object"),
        ("watch apps[i] on", "watch apps.spec on", "RC110", "unexpected `apps.`"),
        ("owned by apps[index]", "owned by apps", "RC220", "`apps` is an array"),
        ("owned by apps[index]", "owned by apps[index + 1]", "RC220", "`apps` has 2 elements, there is no [2]"),
        ("owned by apps[index]", "owned by app", "RC225", "unknown owner `app`"),
        ("owned by apps[index]", "owned by member[index]", "RC225", "unknown owner `member`"),
        ("for i in 0..N-1 {\n    controller", "for i in 0-1..N-1 {\n    controller", "RC220", "this loop begins at -1"),
        ("for i in 0..N-1 {\n    controller", "for i in 0..N*99999 {\n    controller", "RC220", "20,000 rounds"),
        ("for i in 0..N-1 {\n    controller", "for i in 0..apps[0].spec.size {\n    controller", "RC221", "not known"),
        ("for a in apps {", "for a in app {", "RC201", "unknown array `app`"),
        ("controller cleaner", "controller app", "RC202", "controller `app` is declared twice"),
        ("for a {\n      watch a\n", "for a {\n      watch a\n      requeue poll every 1m\n", "RC202", "`poll`"),
        (
            "requeue again after 10s }\n        await",
            "requeue again after 10s }\n        requeue again after 9s await",
            "RC227",
            "`again`",
        ),
        ("apps[i].spec.size = any", "i.size = any", "RC206", "`i` is a number, not an object"),
        ("spec.size: 0..9 = index  status", "spec.size: 0..0 = index  status", "RC204", "1 is not a value"),
    ],
)
def test_what_is_wrong_with_a_loop_is_said(old: str, new: str, code: str, message: str) -> None:
    assert LOOPS.count(old) == 1
    with pytest.raises(ModelError) as raised:
        read(LOOPS.replace(old, new))
    said = [(one.code, one.message) for one in raised.value.diagnostics]
    assert any(found == code and message in text for found, text in said), said


def test_without_a_round_there_is_no_controller() -> None:
    with pytest.raises(ModelError) as raised:
        read(LOOPS, N=0)
    assert [one.code for one in raised.value.diagnostics] == ["RC216"]


def test_a_watch_by_owner_of_an_array_is_of_the_owned_elements() -> None:
    first, second, *_ = read(LOOPS).controllers
    assert [watch.name for watch in first.watches] == ["apps[0]", "pods[0]", "other", "mine"]
    assert [watch.name for watch in second.watches] == ["apps[1]", "pods[1]", "other", "mine"]
    text = LOOPS.replace("owned by apps[index] ", "")
    findings = [one for one in load(FILE, {}, text=text).findings if one.code == "RC303"]
    assert [one.message for one in findings] == [
        "this watch never wakes `app[0]`: it has no owner reference",
    ]


def test_kinds_know_the_owner_of_each_element() -> None:
    kind = "kind Pod { process collected when not owner.exists { delete self } }\n"
    text = LOOPS.replace("operator rows", f"{kind}operator rows").replace(
        "for p in pods { process gone when p.exists { delete p } }", ""
    )
    guards = {action.name: repr(action.guard) for action in read(text).actions}
    assert "apps[1].exists" in guards["pods[1].collected"]
    assert "apps[0].exists" not in guards["pods[1].collected"]


def test_what_is_the_primary_in_a_loop_is_read_through_the_cache() -> None:
    """Where a runtime caches primaries only, what a loop of controllers goes through is a primary."""
    text = """rdsl 1
    system two {
      resource App as apps[2] { ready: bool = false }
      operator one {
        runtime java-operator-sdk
        for a in apps {
          controller app for a { watch a  on error backoff  reconcile { when a.ready { await change } await change } }
        }
      }
      environment { disturbance edit { apps[0].ready = any } }
      converges { never: not apps[0].ready }
    }
    """
    assert {frozenset({"one"})} == {object_.cached for object_ in read(text).objects.values()}


UNWATCHED = """rdsl 1
operator pods {
  runtime controller-runtime 0.24
  primary App as apps[2] { spec.size: 1..2 = index + 1 }
  resource Pod as pods[2] owned by apps[index] { spec.size: 0..2 = 0 }

  for i in 0..1 {
    controller app for apps[i] {
      watch apps[i]
      on error backoff
      reconcile { patch pods[i].spec.size = apps[i].spec.size  await change }
    }
  }

  environment { disturbance drift { pods[1].spec.size = any } }
  faults { api off  crash off  relist off }
  converges { sized: all(i in 0..1: pods[i].spec.size == apps[i].spec.size) }
  expect sized quiet because unwatched_read
}
"""


def test_a_repair_of_a_loop_speaks_of_its_elements() -> None:
    loaded = load(FILE, {}, text=UNWATCHED)
    made, _ = repairs(loaded, [Verifier(loaded).answer(loaded.operator.goal("sized"), Scope())])
    assert [repair.title for repair in made] == ["watch pods[i] via owner"]
    assert "      watch apps[i]\n      watch pods[i] via owner\n" in repaired_text(loaded.operator, made[0])


def test_a_repair_takes_the_schedule_of_all_rounds_away() -> None:
    polled = UNWATCHED.replace("await change", "requeue poll every 5m")
    loaded = load(
        FILE, {}, text=polled.replace("expect sized quiet", "expect sized quiet without poll, without schedule")
    )
    made, _ = repairs(loaded, [Verifier(loaded).answer(loaded.operator.goal("sized"), Scope())])
    after = repaired_text(loaded.operator, made[0])
    assert made[0].title == "watch pods[i] via owner"
    assert "poll" not in after
    assert "await change" in after


def test_where_one_element_is_watched_a_repair_watches_another() -> None:
    text = re.sub(r"for i in 0\.\.1 \{\n    (controller.*?\n    \})\n  \}", r"\1", UNWATCHED, flags=re.DOTALL)
    text = text.replace("apps[i]", "apps[0]").replace("watch apps[0]", "watch apps[0]  watch pods[0]")
    text = text.replace("patch pods[i]", "patch pods[1].spec.size = apps[0].spec.size  patch pods[0]")
    text = text.replace("pods[0].spec.size == apps[0].spec.size", "pods[i].spec.size == apps[0].spec.size")
    loaded = load(FILE, {}, text=text)
    made, _ = repairs(loaded, [Verifier(loaded).answer(loaded.operator.goal("sized"), Scope())])
    assert [repair.title for repair in made] == ["watch pods[1]"]


def test_a_report_says_that_keys_of_a_loop_run_side_by_side() -> None:
    assert "keys of a loop run side by side" in workers(read(LOOPS))
    assert workers(read(BY_HAND)) == "a worker is always free; one key stands for all"
