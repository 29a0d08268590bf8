"""The benchmark works: its models load, its stop-watch is right, and a quick run records what it is to record."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench import corpus, families, growth, known, record, report, verification
from bench.families import FAMILIES, Family
from bench.machine import compile_sources
from bench.measure import Limit, Run, run
from bench.peer_models import Instance, promela, rdsl, smv, tla
from bench.peers import CONVERGES, QUIET, TLC, NuSMV, Spin
from bench.record import CORPUS, DIAGNOSIS, FAMILY, KNOWN, PEER, Section
from reconcheck.model.load import load
from reconcheck.model.operator import Scope

ROOT = Path(__file__).resolve().parent.parent


# ---- models ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.title)
def test_models_of_any_size_load_and_expect_something_of_every_goal(family: Family) -> None:
    counts = []
    for size in (1, 2, 5):
        operator = load(family.path, family.settings(size)).operator
        expected = {line.goal for line in operator.expectations if line.scope == Scope(level=3)}
        assert expected == {goal.name for goal in operator.goals}
        counts.append(len(operator.objects) + len(operator.externals) + len(operator.controllers))
    assert counts == sorted(set(counts)), "the models do not grow"


@pytest.mark.parametrize("data", ["bounded", "unbounded"])
def test_half_of_the_externals_notify(data: str) -> None:
    (family,) = [family for family in FAMILIES if family.title == f"externals, {data}"]
    externals = load(family.path, family.settings(8)).operator.externals.values()
    assert [external.notifies for external in externals] == [True] * 4 + [False] * 4


@pytest.mark.parametrize("all_watched", [True, False])
def test_the_peers_texts_speak_of_every_secondary(all_watched: bool) -> None:
    instance = Instance(3, all_watched)
    assert instance.watched == (3 if all_watched else 2)
    for question in (CONVERGES, QUIET):
        assert f"_pid < {instance.watched} " in promela(instance, question)
        assert smv(instance, question).count("next(up") == 3
    assert f"Watched == 1..{instance.watched}" in tla(instance)
    watch = next(line for line in rdsl(instance).splitlines() if "watch cluster" in line)
    assert watch.count("up") == instance.watched


# ---- the stop-watch ----------------------------------------------------------------------------------------------


def test_a_run_is_timed_and_its_memory_is_seen(tmp_path: Path) -> None:
    code = "import time; block = bytearray(200_000_000); time.sleep(0.3); print(len(block))"
    result = run([sys.executable, "-c", code], Limit(60), tmp_path)
    assert (result.code, result.output) == (0, "200000000\n")
    assert result.wall > 0.3
    assert result.megabytes > 190


def test_a_run_beyond_its_limit_is_stopped_with_its_children(tmp_path: Path) -> None:
    begun = time.monotonic()
    child = f"import time; time.sleep(2); open({str(tmp_path / 'alive')!r}, 'w')"
    result = run(["sh", "-c", f'"{sys.executable}" -c "{child}" & wait'], Limit(1), tmp_path)
    assert result.code is None
    assert time.monotonic() - begun < 20
    time.sleep(2.5)
    assert not (tmp_path / "alive").exists()


def test_a_run_beyond_its_processor_time_is_stopped(tmp_path: Path) -> None:
    result = run([sys.executable, "-c", "while True: pass"], Limit(1, "processor"), tmp_path)
    assert result.code is None
    assert 0.8 < result.seconds("processor") < 2


def test_a_run_that_fails_is_told_from_one_that_is_stopped(tmp_path: Path) -> None:
    assert run(["sh", "-c", "exit 3"], Limit(60, "processor"), tmp_path).code == 3
    code = "bytearray(1_500_000_000)"
    result = run([sys.executable, "-c", code], Limit(60, gigabytes=1), tmp_path)
    assert result.code == 1
    assert "MemoryError" in result.errors


def test_what_is_measured_is_compiled_before(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("ONE = 1\n", encoding="utf-8")
    compile_sources(tmp_path)
    assert len([*tmp_path.rglob("one.*.pyc")]) == 1


def test_exponents_are_those_of_the_law() -> None:
    cubic = [(size, 0.01 * size**3) for size in (4, 8, 16, 32)]
    assert growth.exponent(cubic) == pytest.approx(3)
    assert growth.exponent(cubic[:1]) is None
    assert growth.exponent(growth.above([(size, seconds + 5) for size, seconds in cubic], 5)) == pytest.approx(3)
    assert growth.per_doubling((4, 1.0), (16, 16.0)) == pytest.approx(4)
    assert growth.per_doubling((4, 1.0), (4, 2.0)) is None


# ---- what checkers say -------------------------------------------------------------------------------------------


def test_a_search_that_was_cut_proves_nothing() -> None:
    done = "State-vector 60 byte, depth reached 213, errors: 0\n"
    assert Spin().verdict(done) == "holds"
    assert Spin().verdict("error: max search depth too small\n" + done) == "unknown"
    assert Spin().verdict("pan:1: acceptance cycle (at depth 9)\n errors: 1\n") == "fails"
    assert Spin().verdict("pan: out of memory\n") == "unknown"
    assert NuSMV().verdict("-- specification  F ( G settled)  is true\n") == "holds"
    assert NuSMV().verdict("-- invariant (a -> b)  is false\n-- as demonstrated by\n") == "fails"
    assert NuSMV().verdict("file model.smv: line 1: syntax error\n") == "unknown"
    assert TLC(None).verdict("Model checking completed. No error has been found.\n") == "holds"
    assert TLC(None).verdict("Error: Temporal property Converges was violated.\n") == "fails"
    assert TLC(None).verdict("Error: Java ran out of memory.\n") == "unknown"


def test_a_diagnosis_is_timed_with_the_verdicts_and_counted(tmp_path: Path) -> None:
    model = tmp_path / "model.rdsl"
    model.write_text(rdsl(Instance(1, all_watched=False)), encoding="utf-8")
    row = verification.diagnose(model, Limit(120))
    assert row["outcome"] == "answered"
    assert row["processor"] > 0
    found = row["diagnosis"]
    assert found["repairs"] >= 1
    assert found["asked"] > found["looked_at"] > 0
    (tmp_path / "broken.rdsl").write_text("rdsl 1\noperator", encoding="utf-8")
    broken = verification.diagnose(tmp_path / "broken.rdsl", Limit(120))
    assert (broken["outcome"], broken["diagnosis"]) == ("failed", None)


def test_the_page_says_which_diagnoses_are_within_the_target() -> None:
    done = {"repairs": 2, "not_told": 1, "asked": 1_050, "looked_at": 17}
    taken = {"outcome": "answered", "megabytes": 80.0, "answers": []}
    rows = [
        {"model": "quick.rdsl", "seconds": 4.5, "wall": 4.5, "processor": 6.2, "diagnosis": done, **taken},
        {"model": "slow.rdsl", "seconds": 29.0, "wall": 29.0, "processor": 31.0, "diagnosis": done, **taken},
        {"model": "none.rdsl", "seconds": 1.0, "wall": 1.0, "processor": 1.0, "diagnosis": None, **taken},
    ]
    page = report.page([Section(DIAGNOSIS, "diagnosis", {"cores": "2"}, 120, "wall", 0.2, rows)])
    assert (
        "The target is 5 s on two cores. 1 of 3 models are within it; the median takes 4.50 s, the slowest 29 s."
        in page
    )
    assert "Of 2,100 questions something was looked at for 34" in page
    assert "| slow.rdsl | answered | 29 | 31 | NO | 80 | 2 | 1 | 1,050 | 17 |" in page
    assert "| quick.rdsl | answered | 4.50 | 6.20 | yes | 80 | 2 | 1 | 1,050 | 17 |" in page
    assert "| none.rdsl | answered | 1.00 | 1.00 | NO | 80 |  |  |  |  |" in page


def test_a_verdict_against_the_expectation_is_wrong(tmp_path: Path) -> None:
    right = rdsl(Instance(1, all_watched=False))
    (tmp_path / "right.rdsl").write_text(right, encoding="utf-8")
    (tmp_path / "wrong.rdsl").write_text(right.replace("settled quiet", "settled converges"), encoding="utf-8")
    (tmp_path / "broken.rdsl").write_text("rdsl 1\noperator", encoding="utf-8")
    outcomes = [verification.verify(tmp_path / f"{name}.rdsl", Limit(120)) for name in ("right", "wrong", "broken")]
    assert [row["outcome"] for row in outcomes] == ["answered", "wrong", "failed"]
    assert "RC" in outcomes[2]["message"] or "exit code 2" in outcomes[2]["message"]


def finished(seconds: float, cached: tuple[bool, ...], code: int | None = 0) -> Run:
    """A run over as many models, that ended so."""
    output = json.dumps({"models": [{"cached": one} for one in cached]}) if cached else "error"
    return Run(seconds, seconds / 2, 100, code, output, "")


def test_a_second_run_over_the_corpus_has_to_compute_nothing() -> None:
    runs = [finished(seconds, (True, True)) for seconds in (3.5, 1.0, 2.0)]
    row = corpus.row(corpus.WARM, runs, Limit(120))
    assert (row["outcome"], row["models"], row["computed"], row["seconds"]) == ("answered", 2, 0, 2.0)
    assert corpus.row(corpus.WARM, runs, Limit(120, "processor"))["seconds"] == 1.0
    assert corpus.row(corpus.WARM, [finished(2, (True, False))], Limit(120))["outcome"] == "failed"
    cold = corpus.row(corpus.COLD, [finished(50, (False, False))], Limit(120))
    assert (cold["outcome"], cold["computed"]) == ("answered", 2)
    for code, cached, outcome in (
        (1, (False,), "wrong"),
        (3, (False,), "unknown"),
        (2, (False,), "failed"),
        (0, (), "failed"),
        (None, (False,), "stopped"),
    ):
        assert corpus.row(corpus.COLD, [finished(1, cached, code)], Limit(120))["outcome"] == outcome


def test_the_corpus_has_a_table_with_its_targets() -> None:
    rows = [
        corpus.row(corpus.COLD, [finished(50, (False,) * 3)], Limit(120)),
        corpus.row(corpus.WARM, [finished(4, (True,) * 3)], Limit(120)),
    ]
    page = report.page([Section(CORPUS, "models", {"cores": "2"}, 120, "wall", 0.5, rows)])
    assert "| with the cache off | answered | 3 | 3 | 50 | 25 | met: 60 s | 100.0 | 100 |" in page
    assert "| again, with nothing changed | answered | 3 | 0 | 4.00 | 2.00 | missed: 3 s | 8.0 | 100 |" in page


# ---- the whole ---------------------------------------------------------------------------------------------------


def test_what_is_measured_again_takes_the_place_of_what_was(tmp_path: Path) -> None:
    old = [Section(kind, "one", {}, 120, "wall", 0.2) for kind in (PEER, FAMILY)]
    new = Section(FAMILY, "one", {"cores": "8"}, 60, "wall", 0.1, [{"size": 4}])
    record.save(tmp_path / "results.json", record.replaced(old, new))
    assert record.load(tmp_path / "results.json") == [new, old[0]]


def test_all_models_of_operators_are_measured() -> None:
    libraries = set((ROOT / "models" / "std").glob("*.rdsl"))
    assert set(known.models()) == set((ROOT / "models").rglob("*.rdsl")) - libraries


def bench(folder: Path, *options: str) -> str:
    command = [sys.executable, "-m", "tests.bench", "--quick", "--output", str(folder), *options]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_a_quick_run_records_families_models_and_peers(tmp_path: Path) -> None:
    bench(tmp_path, "--only", "known", "--only", "corpus", "--limit", "120")
    bench(tmp_path, "--only", "diagnosis", "--limit", "120")
    bench(tmp_path, "--family", "fanout-missing-watch", "--data", "bounded", "--limit", "10")
    said = bench(tmp_path, "--only", "peers", "--limit", "120")
    sections = {
        (one["kind"], one["name"]): one for one in json.loads((tmp_path / "results.json").read_text())["sections"]
    }
    assert [row["outcome"] for row in sections[KNOWN, "models"]["rows"]] == ["answered"] * known.QUICK_MODELS
    diagnosed = sections[DIAGNOSIS, "diagnosis"]["rows"]
    assert len(diagnosed) == known.QUICK_MODELS
    assert all(row["diagnosis"]["asked"] > 0 for row in diagnosed)
    assert [(row["run"], row["outcome"], row["computed"]) for row in sections[CORPUS, "models"]["rows"]] == [
        (corpus.COLD, "answered", known.QUICK_MODELS),
        (corpus.WARM, "answered", 0),
    ]
    rows = sections[FAMILY, "fanout-missing-watch, bounded"]["rows"]
    assert rows[0]["size"] == families.QUICK_SIZES[0]
    assert {answer["verdict"] for answer in rows[0]["answers"]} == {"quiet"}
    for peer in ("Spin", "NuSMV", "TLC", "reconcheck"):
        if f"{peer} is not here: " in said:
            assert (PEER, peer) not in sections
        else:
            assert {row["outcome"] for row in sections[PEER, peer]["rows"]} == {"answered"}
    assert f"reconcheck {sections[KNOWN, 'models']['machine']['reconcheck']}" in (tmp_path / "results.md").read_text()


def test_a_quick_run_does_not_touch_the_recorded_results() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--quick"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 2
    assert "--output" in result.stderr
