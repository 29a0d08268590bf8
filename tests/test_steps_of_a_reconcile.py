"""Where the steps of a reconcile begin and end, and what it keeps between them; how large it is when compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

import random_models
from reconcheck.engines.python_code import StateTuple, canonical, initial_states, successors
from reconcheck.model import expr as e
from reconcheck.model.load import load
from reconcheck.model.operator import Controller, Operator, Scope
from reconcheck.model.types import zero
from reconcheck.semantics import layout as layout_module
from reconcheck.semantics import pauses
from reconcheck.semantics.compiler import compile_system
from reconcheck.semantics.flow import Flow, flow
from reconcheck.semantics.layout import IDLE, STOPPED, layout
from reconcheck.semantics.steps import Endless, LeftRange, Step
from reconcheck.semantics.system import System
from support import GOLDEN, MODELS, disagreement, meets, read, search

CREATE_OR_UPDATE = """
      for s in sub {
        when not s.exists { create s { spec.version = app.spec.version } }
        else when s.spec.version != app.spec.version { update s.spec.version = app.spec.version }
      }
      when all(s in sub: s.status.ready) { update app { status.ready = true  status.version = app.spec.version } }
      await change
"""
CUT_SEEDS = range(40)
KEPT_SEEDS = range(60)
MOST_STATES = 800


def model(tmp_path: Path, body: str, size: int = 1, runtime: str = "controller-runtime 0.24") -> Operator:
    """An operator with an array of secondaries, and a reconcile that begins on line 10."""
    path = tmp_path / "model.rdsl"
    path.write_text(f"""rdsl 1
operator fan {{
  runtime {runtime}
  primary App as app {{ spec.version: 0..2 = any  status.version: 0..2 = 0  status.ready: bool = false }}
  resource Sub as sub[{size}] owned by app initially any {{ spec.version: 0..2 = 0  status.ready: bool = false }}
  external db {{ n: 0..2 = 0 }}  clock time {{ now: 0..2 = 0 }}
  controller app for app {{
    watch app on spec  watch sub via owner
    on error backoff
    reconcile {{{body}}}
  }}
  environment {{
    for s in sub {{ process ready when s.exists {{ s.status.ready = true }}  disturbance gone {{ delete s }} }}
    disturbance edit {{ app.spec.version = any }}
    process tick when time.now < 2 {{ time.now += 1 }}
  }}
  converges {{ copied: all(s in sub: s.exists and s.spec.version == app.spec.version) }}
}}
""")
    return load(path).operator


def held_at(operator: Operator) -> dict[int, set[str]]:
    """For each line with a place: the objects of which the version is kept there."""
    steps = flow(operator, operator.controllers[0])
    return {
        int(label.split()[1]): {target for target, held in steps.held.items() if held.name in steps.needed[place]}
        for place, label in steps.labels.items()
    }


# ---- what is kept --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "held"),
    [
        pytest.param(
            "when app.spec.version == 1 {\n update app.status.version = 1 }\n await change",
            {10: set(), 12: set()},
            id="read and written in one step",
        ),
        pytest.param(
            "when app.spec.version == 1 {\n call db.n = 1 }\n update app.status.version = 1\n await change",
            {10: set(), 12: {"app"}, 13: set()},
            id="read in an earlier step, and not after the last update",
        ),
        pytest.param(
            "when app.spec.version == 1 {\n update sub[0].spec.version = 1 }\n"
            "else {\n update sub[0].spec.version = 2 }\n await change",
            {10: set(), 14: set()},
            id="one update on each way",
        ),
        pytest.param(
            "call db.n = app.spec.version\n patch app.status.version = 1\n update app.status.version = 2\nawait change",
            {10: set(), 11: set(), 12: {"app"}, 13: set()},
            id="the answer to a write tells a newer version",
        ),
        pytest.param(
            "call db.n = app.spec.version\n patch app.status.version = 1 on error continue\n"
            " update app.status.version = 2\n await change",
            {10: set(), 11: {"app"}, 12: {"app"}, 13: set()},
            id="without an answer the older version stays",
        ),
        pytest.param(
            "update app.status.version = 1 on conflict {\n call db.n = 1\n fail }\n await change",
            {10: set(), 11: set(), 12: set(), 13: set()},
            id="no update after the conflict",
        ),
    ],
)
def test_a_version_is_kept_from_the_first_read_to_the_last_update(
    tmp_path: Path, body: str, held: dict[int, set[str]]
) -> None:
    assert held_at(model(tmp_path, body)) == held


def test_objects_read_live_are_held_from_the_start_of_the_run(tmp_path: Path) -> None:
    body = "call db.n = 1\n let s = live(sub[0])\n when s.exists {\n update sub[0].spec.version = 1 }\n await change"
    assert held_at(model(tmp_path, body, runtime="kube-rs 4"))[12] == {"sub[0]"}
    twice = "update sub[0].spec.version = 1\n update sub[0].spec.version = 2\n await change"
    assert held_at(model(tmp_path, twice, runtime="kube-rs 4")) == {10: {"sub[0]"}, 11: {"sub[0]"}, 12: set()}


def test_secondaries_that_are_read_and_written_in_one_step_are_not_held(tmp_path: Path) -> None:
    for size in (3, 30):
        assert set(flow_of(model(tmp_path, CREATE_OR_UPDATE, size)).held) == {"app"}


def test_a_local_is_kept_where_a_way_on_reads_it(tmp_path: Path) -> None:
    body = (
        "let v = app.spec.version\n call db.n = 1\n when app.status.ready {\n call db.n = v }\n"
        "else {\n call db.n = 0\n call db.n = 1 }\n await change"
    )
    assert kept_at(model(tmp_path, body), "app/v") == {"line 12"}


def test_a_local_is_kept_for_the_deadline_that_reads_it(tmp_path: Path) -> None:
    body = "let v = app.spec.version\n call db.n = 1\n call db.n = 0\n requeue due when time.now >= v"
    assert kept_at(model(tmp_path, body), "app/v") == {"line 12", "line 13"}


def kept_at(operator: Operator, local: str) -> set[str]:
    """The places at which a local is kept."""
    steps = flow_of(operator)
    return {label for place, label in steps.labels.items() if local in steps.needed[place]}


def flow_of(operator: Operator) -> Flow:
    """The steps of the first controller."""
    return layout(operator, Scope()).flows[operator.controllers[0].name]


def keeping_everything(operator: Operator, controller: Controller) -> Flow:
    """The same steps; nothing is forgotten before the run ends."""
    known = flow(operator, controller)
    return replace(known, needed=dict.fromkeys(known.needed, frozenset(variable.name for variable in known.kept)))


def forgetting(system: System) -> Callable[[StateTuple], StateTuple]:
    """What makes of a state the one without what the system does not keep."""
    names = [variable.name for variable in system.variables]
    rename = canonical(system)

    def forgotten(state: StateTuple) -> StateTuple:
        values = dict(zip(names, state, strict=True))
        for controller, steps in system.layout.flows.items():
            label = values[f"pc({controller})"]
            needed = frozenset[str]() if label in (IDLE, STOPPED) else steps.needed[steps.place(str(label))]
            values |= {variable.name: zero(variable.type) for variable in steps.kept if variable.name not in needed}
        return rename(tuple(values[name] for name in names))

    return forgotten


Graph = dict[StateTuple, set[tuple[Step, StateTuple]] | str]


def graph(system: System) -> Graph | None:
    """Each reachable state with its steps, or why they cannot be listed; None where there are too many."""
    following = successors(system)
    try:
        todo = list(initial_states(system))
    except Endless:
        return None
    found: Graph = {}
    while todo:
        state = todo.pop()
        if state in found:
            continue
        if len(found) == MOST_STATES:
            return None
        try:
            steps = {(system.commands[command].step, after) for command, after in following(state)}
        except (Endless, LeftRange) as error:
            found[state] = type(error).__name__
            continue
        found[state] = steps
        todo += [after for _, after in steps]
    return found


def kept_models(tmp_path: Path) -> Iterator[Operator]:
    """The golden models and some random ones."""
    yield from (read(path) for path in GOLDEN)
    for seed in KEPT_SEEDS:
        path = tmp_path / f"random{seed}.rdsl"
        path.write_text(random_models.model_text(seed))
        yield read(path)


def test_what_is_forgotten_decides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are the same where nothing is forgotten before the end of the run."""
    smaller = 0
    for operator in kept_models(tmp_path):
        system = compile_system(operator, Scope())
        with monkeypatch.context() as patched:
            patched.setattr(layout_module, "flow", keeping_everything)
            everything = compile_system(operator, Scope())
        whole, lean = graph(everything), graph(system)
        if whole is None or lean is None or all(not steps.kept for steps in system.layout.flows.values()):
            continue
        forgotten = forgetting(system)
        for state, steps in whole.items():
            image = forgotten(state)
            there = lean[image]
            if isinstance(steps, str) or isinstance(there, str):
                assert steps == there, operator.file
                continue
            wanted = {(step, forgotten(after)) for step, after in steps}
            assert {s for s in wanted if s[1] != image} == {s for s in there if s[1] != image}, operator.file
        smaller += len(lean) < len(whole)
    assert smaller >= 5


# ---- where a long evaluation is cut ------------------------------------------------------------------------------


@pytest.fixture
def cut_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses wherever there can be one."""
    for name, value in {"MOST_EVALUATED": 0, "MANY_WAYS": 1, "LONG_WAY": 1, "RELUCTANCE": 1}.items():
        monkeypatch.setattr(pauses, name, value)


def cuts_of(operator: Operator) -> list[pauses.Cuts]:
    return [steps.cuts for steps in layout(operator, Scope()).flows.values()]


@pytest.mark.parametrize("path", [*GOLDEN, *MODELS], ids=lambda path: path.stem)
def test_no_model_that_comes_along_is_cut(path: Path) -> None:
    operator = read(path)
    for controller, cut in zip(operator.controllers, cuts_of(operator), strict=True):
        assert cut == pauses.Cuts(controller.program.stops, frozenset())


@pytest.mark.usefixtures("cut_everything")
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_verdicts_stay_where_everything_is_cut(path: Path) -> None:
    operator = read(path)
    for expectation in operator.expectations:
        found = search(operator, expectation.scope, 20_000).verdict(operator.goal(expectation.goal))
        assert meets(expectation, found), f"{expectation.goal} {expectation.scope}: {found}"
    assert disagreement(operator, Scope(), 200) is None


@pytest.mark.usefixtures("cut_everything")
@pytest.mark.parametrize("seed", CUT_SEEDS)
def test_random_models_agree_where_everything_is_cut(seed: int, tmp_path: Path) -> None:
    assert random_models.check(seed, tmp_path, 60) is None


@pytest.mark.usefixtures("cut_everything")
def test_the_models_of_these_tests_are_cut(tmp_path: Path) -> None:
    """Else the tests above say nothing."""
    random = 0
    for seed in CUT_SEEDS:
        path = tmp_path / "random.rdsl"
        path.write_text(random_models.model_text(seed))
        random += any(cut.pauses for cut in cuts_of(read(path)))
    assert random >= 10
    assert sum(any(cut.pauses for cut in cuts_of(read(path))) for path in GOLDEN) >= 5


def test_a_large_reconcile_agrees(tmp_path: Path) -> None:
    operator = model(tmp_path, CREATE_OR_UPDATE, 10)
    assert flow_of(operator).cuts.pauses
    assert disagreement(operator, Scope(), 40) is None


def test_a_long_let_is_read_once(tmp_path: Path) -> None:
    """What uses it reads the local; what it reads is in the commands of one step only."""
    loop = "for s in sub { when ready { patch s.spec.version = 1 } }"
    body = f"let ready = all(s in sub: s.status.ready)\n {loop}\n await change"
    operator = model(tmp_path, body, 100)
    steps = flow_of(operator)
    assert [local.name for local in steps.locals] == ["app/ready"]
    commands = compile_system(operator, Scope()).commands
    last = "view(sub[99].status.ready)"
    reading = [c for c in commands if c.step.action == "reconcile app" and last in c.reads]
    assert [c.step.detail for c in reading] == ["read ready (L10)"]


# ---- how large it is ------------------------------------------------------------------------------------------------


def size(operator: Operator) -> tuple[int, int]:
    """How many commands there are, and how long their guards and updates are when written out."""
    commands = compile_system(operator, Scope()).commands
    shown = [
        e.show(part) for c in commands if c.step.action != "crash" for part in (c.guard, *dict(c.updates).values())
    ]
    return len(commands), sum(map(len, shown))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(CREATE_OR_UPDATE, id="create or update"),
        pytest.param(
            "for s in sub { when s.status.ready and s.spec.version == 2 { fail } }\n await change", id="guards"
        ),
        pytest.param(
            "for s in sub { when s.exists { when s.status.ready { let v = s.spec.version  when v == 1 {} } } }\n"
            "call db.n = 1  await change",
            id="ways that do nothing",
        ),
        pytest.param(
            "let ready = all(s in sub: s.status.ready)  let n = count(s in sub: s.exists)\n"
            "for s in sub { when ready and n >= 2 { patch s.spec.version = 1 on missing continue } }\n await change",
            id="aggregates",
        ),
        pytest.param(
            "for s in sub { let v = app.spec.version  let old = s.spec.version\n"
            "when s.exists and old != v { update s.spec.version = v on conflict continue on error { fail } } }\n"
            "await change",
            id="lets",
        ),
    ],
)
def test_a_compiled_reconcile_grows_with_the_operator(tmp_path: Path, body: str) -> None:
    (a, short), (b, longer), (c, longest) = (size(model(tmp_path, body, count)) for count in (64, 96, 128))
    assert abs((c - b) - (b - a)) <= 0.05 * (b - a)
    assert longest - longer <= 1.1 * (longer - short)  # indexes of three digits are longer


def test_the_page_names_the_bounds() -> None:
    page = (Path(__file__).parent.parent / "spec" / "semantics.md").read_text(encoding="utf-8")
    text = " ".join(page.partition("### A long evaluation is several steps")[2].split())
    assert f"read more than {pauses.MOST_EVALUATED:,} values together" in text
    assert f"more than {pauses.MANY_WAYS} ways lead" in text
    assert text.count(f"more than {pauses.LONG_WAY} values") == 2
    assert pauses.RELUCTANCE == 4
    assert "four times as much is accepted" in text
