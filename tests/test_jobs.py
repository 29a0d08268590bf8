"""Several processes: the same answers as one, and a clean end whatever happens to them.

The models here are copies of `data/many-objects.rdsl` with so many objects that they take longer than any test.
"""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import jsonschema
import pytest

from processes import (
    ROOT,
    at_work,
    begin,
    children,
    ended,
    masked,
    masked_json,
    none_lives,
    run,
    until,
    verified,
    where_copied,
)
from reconcheck.cli import jobs
from reconcheck.cli.jobs import Crew
from reconcheck.cli.looking import CrewHands
from reconcheck.cli.options import ScopeAsked
from reconcheck.cli.request import Request
from reconcheck.explain import convergence, reachability
from reconcheck.explain.diagnose import diagnose
from reconcheck.explain.diagnosis import Diagnosis
from reconcheck.explain.verdict import Answer, Report
from reconcheck.explain.verify import Verifier
from reconcheck.model.load import load
from reconcheck.model.operator import Goal, Scope
from reconcheck.render.text import Paint, render_report

SMALL = "models/minimal/external-system.rdsl"
FOUR_QUESTIONS = "models/kubebuilder/cronjob.rdsl"
LONG = (ROOT / "tests/data/many-objects.rdsl").read_text().replace("= 4\n", "= 100\n")

AT_ONCE = """
import sys
from reconcheck.cli import jobs
from reconcheck.cli.main import main

if __name__ == "__main__":
    jobs.PATIENCE = dict.fromkeys(jobs.PATIENCE, 0.0)
    hired, hire = [], jobs.Crew.hire
    jobs.Crew.hire = lambda crew, *model: hired.append(crew) or hire(crew, *model)
    if sys.argv[1] == "spawn":
        jobs.start_method = lambda: "spawn"
    code = main(sys.argv[2:])
    print(f"{len(hired)} workers", file=sys.stderr)
    sys.exit(code)
"""
"""The program, with a second worker at a model from the beginning; it says how many there were."""


@pytest.fixture
def long_model(tmp_path: Path) -> str:
    path = tmp_path / "long.rdsl"
    path.write_text(LONG)
    return str(path)


# ---- the same answers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [["--verbose"], ["--format", "json"]], ids=["text", "json"])
def test_one_job_and_two_say_the_same(form: list[str], tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.rdsl"
    wrong.write_text("rdsl 1\noperator x { }\n")
    models = [SMALL, "models/wasm", str(wrong), "models/minimal/time.rdsl"]
    one, two = (verified(*models, "--jobs", jobs, *form) for jobs in ("1", "2"))
    assert one.returncode == two.returncode == 2
    assert "error[RC" in one.stderr or "--format" in form
    mask = masked_json if "--format" in form else masked
    assert mask(one.stdout) == mask(two.stdout)
    assert len(one.stdout.splitlines()) >= 6


@pytest.mark.parametrize("start", ["default", "spawn"])
def test_the_questions_of_a_model_can_be_answered_by_several(start: str) -> None:
    alone = verified(FOUR_QUESTIONS, "--no-diagnose", "--jobs", "1", "--format", "json")
    shared = run("-c", AT_ONCE, start, "verify", FOUR_QUESTIONS, "--no-diagnose", "--jobs", "3", "--format", "json")
    assert alone.returncode == shared.returncode == 0, shared.stderr
    assert shared.stderr.splitlines()[-1] == "3 workers"
    assert masked_json(alone.stdout) == masked_json(shared.stdout)


def test_a_diagnosis_is_the_same_with_one_job_and_with_two() -> None:
    one, two = (verified("models/minimal/time.rdsl", "--jobs", count, "--format", "json") for count in ("1", "2"))
    assert one.returncode == two.returncode == 0, one.stderr + two.stderr
    assert masked_json(one.stdout) == masked_json(two.stdout)
    assert json.loads(one.stdout)["models"][0]["diagnosis"]["sufficient"]


def told(found: Diagnosis) -> object:
    """What a diagnosis says, whatever time it took."""
    answers = [(one.goal.span, one.scope, one.verdict) for level in found.levels for one in level.answers]
    return answers, found.sufficient, [repair.title for repair in found.repairs], found.undecided


def test_each_of_several_models_is_diagnosed_by_workers_that_have_it() -> None:
    """Both have a goal of the same name, so that a look at the other model would pass for an answer."""
    files = [ROOT / SMALL, ROOT / "models/minimal/external-with-notifies.rdsl"]
    request = Request((), ScopeAsked(), {}, None, also_with_schedule=True)
    alone = [request.diagnose(Verifier(load(file)).report(Scope()), None) for file in files]
    assert told(alone[0]) != told(alone[1])
    with Crew(files, request, 2) as crew:
        crew.hire(), crew.hire()
        # The first is diagnosed while the second is being verified.
        found = [request.diagnose(outcome, crew) for outcome in crew.outcomes() if isinstance(outcome, Report)]
        again = request.diagnose(Verifier(load(files[0])).report(Scope()), crew)
        assert {worker.model for worker in crew.workers} <= set(crew.models)
    assert [told(one) for one in (*found, again)] == [told(one) for one in (*alone, alone[0])]


def test_what_is_remembered_is_diagnosed_without_the_crew_of_the_others() -> None:
    request = Request((), ScopeAsked(), {}, None)
    report = Verifier(load(ROOT / SMALL)).report(Scope())
    with Crew([ROOT / FOUR_QUESTIONS], request, 2) as crew:
        assert crew.model_of(report.operator.file) is None
        assert told(request.diagnose(report, crew)) == told(request.diagnose(report, None))


def test_a_difference_is_the_same_with_one_job_and_with_two() -> None:
    models = (SMALL, "models/minimal/external-with-notifies.rdsl")
    one, two = (run("-m", "reconcheck", "diff", *models, "--jobs", count, "--format", "json") for count in ("1", "2"))
    assert one.returncode == two.returncode == 0, one.stderr + two.stderr
    assert masked_json(one.stdout) == masked_json(two.stdout)


def test_a_diagnosis_without_living_workers_says_what_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load(ROOT / SMALL)
    report = Verifier(loaded).report(Scope())
    request = Request((), ScopeAsked(), {}, None)
    with Crew([ROOT / SMALL], request, 2) as crew:
        monkeypatch.setattr(jobs, "work", print)  # each ends at once
        found = diagnose(report, CrewHands(crew, crew.models[0], lambda _text: None), None, lambda _text: None)
    assert [answer.verdict for answer in found.levels[0].answers] == ["unknown", *["quiet"] * 3, "converges"]
    assert any(reason.startswith("shown at L0") for reason in found.undecided)
    assert found.sufficient == ()


def test_a_short_model_gets_one_worker_only() -> None:
    code = AT_ONCE.replace("PATIENCE, 0.0", "PATIENCE, 30.0")
    shared = run("-c", code, "spawn", "verify", FOUR_QUESTIONS, "--no-diagnose", "--jobs", "3")
    assert shared.stderr.splitlines()[-1] == "1 workers"


ORPHAN = """
import os
import sys
import time
from pathlib import Path
from reconcheck.cli.options import ScopeAsked
from reconcheck.cli.reading import Reader
from reconcheck.cli.request import Request

def load(*_):
    time.sleep(0.5)
    return "x" * 1_000_000, None

Request.load = load
reader = Reader(Request((), ScopeAsked(), {}, None), Path("none"))
print(reader._process, flush=True)
os._exit(0)
"""
"""A process that ends while another reads a large model for it."""


@where_copied
def test_who_reads_a_model_ends_also_when_nobody_wants_it_any_more() -> None:
    ended = run("-c", ORPHAN, timeout=60)  # its output ends with the last process that has it
    until(lambda: none_lives({int(ended.stdout)}))


READ = """
import os
import signal
import sys
from pathlib import Path
from reconcheck.cli import jobs
from reconcheck.cli.options import ScopeAsked
from reconcheck.cli.request import Request
from reconcheck.explain.run import Failure

def refuse(*_):
    raise OSError

def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def short_of_memory(*_):
    raise MemoryError

match sys.argv[1]:
    case "refused":
        os.fork = refuse
    case "killed":
        Request.load = killed
    case "memory":
        Request.load = short_of_memory
with jobs.Crew([Path(sys.argv[2])], Request((), ScopeAsked(), {}, None), 2) as crew:
    print(crew.context.get_start_method(), crew.reader is not None, len(crew.workers))
    outcome = next(crew.outcomes())
    print(type(outcome).__name__, len(crew.workers))
    if isinstance(outcome, Failure):
        print(outcome.exit_code, outcome.diagnostics[0].message)
print(len(crew.workers), len(crew.ending), crew.reader)
"""
"""A crew that reads a model, whatever happens to who reads it."""


@where_copied
def test_the_only_model_is_read_by_a_copy_of_this_process(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.rdsl"
    wrong.write_text("rdsl 1\noperator {", encoding="utf-8")
    assert run("-c", READ, "read", SMALL).stdout.splitlines() == ["fork True 0", "Report 2", "0 0 None"]
    begun, failed, why, left = run("-c", READ, "read", str(wrong)).stdout.splitlines()
    assert (begun, failed, left) == ("fork True 0", "Failure 0", "0 0 None")
    assert run("-c", READ, "refused", str(wrong)).stdout.splitlines() == ["fork False 0", failed, why, left]
    for happens, reason in (("killed", "was killed"), ("memory", "memory was used up")):
        begun, failed, why, left = run("-c", READ, happens, SMALL).stdout.splitlines()
        assert (begun, failed, left) == ("fork True 0", "Failure 0", "0 0 None")
        assert why.startswith("3 ")
        assert reason in why


COPIED = """
from pathlib import Path
from reconcheck.certify.solvers import Z3
from reconcheck.cli.jobs import Crew
from reconcheck.cli.options import ScopeAsked
from reconcheck.cli.request import Request

if __name__ == "__main__":
    with Crew([Path("{model}")], Request((), ScopeAsked(), {{}}, None), 3) as crew:
        kinds = [type(crew.hire().process).__name__]
        Z3().refute("(declare-const p Bool)", ["(and p (not p))"], 1.0)
        print(*kinds, type(crew.hire().process).__name__, len([*crew.outcomes()]))
"""
"""A crew of a process that asks Z3 something meanwhile."""


@where_copied
def test_a_process_that_has_asked_z3_something_is_not_copied_any_more() -> None:
    """Z3 has a thread then, which a copy of the process would wait for in vain."""
    answer = run("-c", COPIED.format(model=SMALL))
    assert answer.stdout.split() == ["ForkProcess", "SpawnProcess", "1"], answer.stderr


def test_the_first_error_of_a_model_counts(tmp_path: Path) -> None:
    """In whatever order the questions of a model that is wrong are answered."""
    path = tmp_path / "range.rdsl"
    path.write_text((ROOT / SMALL).read_text().replace("edited_in_grafana {", "odd { dashboard.status.n += 1 }\n"
                    "    disturbance edited_in_grafana {").replace("{ spec.json: opaque }",
                    "{ spec.json: opaque  status.n: 0..1 = 0 }"))  # fmt: skip
    alone = verified(str(path), "--jobs", "1")
    shared = run("-c", AT_ONCE, "default", "verify", str(path), "--jobs", "3")
    assert alone.returncode == shared.returncode == 2
    assert "RC310" in alone.stderr
    assert alone.stderr in shared.stderr


# ---- whatever happens -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["everybody", "the parent"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_interrupting_ends_all_workers(long_model: str, to: str, form: str) -> None:
    command = ["-m", "reconcheck", "verify", long_model, "--jobs", "2", "--format", form]
    with ended(begin(*command)) as process:
        workers = at_work(process, 2)
        assert len(workers) == 2
        (os.killpg if to == "everybody" else os.kill)(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert output == ""
    assert "Traceback" not in errors
    assert errors.splitlines()[-1].startswith("interrupted")
    assert none_lives(workers)


def test_workers_end_with_a_parent_that_is_killed(long_model: str) -> None:
    with ended(begin("-m", "reconcheck", "verify", long_model, "--jobs", "2")) as process:
        workers = at_work(process, 2)
        assert len(workers) == 2
        process.kill()
        process.wait()
        until(lambda: none_lives(workers), 15)


def kill_workers(process: subprocess.Popen[str], pause: float) -> None:
    """Kills every worker of a run, again and again, until the run ends by itself."""
    limit = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < limit:
        for worker in children(process.pid):
            os.kill(worker, signal.SIGKILL)
        time.sleep(pause)


def test_a_killed_worker_makes_its_question_unknown(long_model: str) -> None:
    """What was answered before stays."""
    with ended(begin("-m", "reconcheck", "verify", SMALL, long_model, "--jobs", "2", "--verbose")) as process:
        assert process.stdout is not None
        while "expectations met" not in (line := process.stdout.readline()):
            assert line
        assert len(at_work(process, 2)) == 2
        kill_workers(process, 1.0)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 3, output + errors
    assert "Traceback" not in errors
    text = " ".join(output.split())
    assert text.count("unknown [RC406]") == 2
    assert text.count("on it was killed, most likely because memory was used up; with `--jobs 1` there is more") == 4
    assert "1 of 2 models as expected, 2 of 2 expectations met" in text


def test_workers_that_cannot_live_do_not_keep_anybody_waiting(long_model: str) -> None:
    """Each worker is killed as soon as it is seen, while it reads the model or works on it."""
    with ended(begin("-m", "reconcheck", "verify", long_model, "--jobs", "2")) as process:
        kill_workers(process, 0.05)
        assert process.poll() == 3
        output, errors = process.communicate()
    assert "Traceback" not in output + errors
    assert "was killed" in " ".join((output + errors).split())


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_time_limit_ends_every_model_with_the_reason(long_model: str, jobs: str, tmp_path: Path) -> None:
    other = tmp_path / "other.rdsl"
    other.write_text(LONG)
    result = verified(long_model, str(other), SMALL, "--jobs", jobs, "--timeout", "3", "--format", "json")
    document = json.loads(result.stdout)
    assert result.returncode == 3
    assert "Traceback" not in result.stderr
    *slow, quick = document["models"]
    assert [model["exit_code"] for model in document["models"]] == [3, 3, 0]
    for answer in (answer for model in slow for answer in model["answers"]):
        assert answer["verdict"] == "unknown"
        assert answer["code"] == "RC406"
        assert answer["reason"].startswith("the time limit of 3 s was reached")
        assert answer["seconds"] < 15
    assert all(len(model["answers"]) == 2 for model in slow)
    assert quick["expectations"][0]["met"]


def test_used_up_memory_is_unknown_for_that_question_only(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Verifier._answer
    asked: list[str] = []

    def first_without_memory(verifier: Verifier, goal: Goal, scope: Scope) -> Answer:
        asked.append(goal.name)
        if len(asked) == 1:
            raise MemoryError
        return answer(verifier, goal, scope)

    monkeypatch.setattr(Verifier, "_answer", first_without_memory)
    report = Verifier(load(ROOT / SMALL)).report(Scope())
    first, second = (checked.answer for checked in report.expectations)
    assert (first.verdict, first.reason, first.code) == ("unknown", "memory is used up", "RC406")
    assert second.verdict == "converges"
    assert report.exit_code == 3


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_progress_is_shown_on_a_terminal_and_wiped_out(jobs: str, tmp_path: Path) -> None:
    path = tmp_path / "long.rdsl"
    path.write_text(LONG)
    ours, theirs = pty.openpty()
    command = ["-m", "reconcheck", "verify", SMALL, str(path), "--jobs", jobs, "--timeout", "4"]
    with ended(begin(*command, stderr=theirs)) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # how Linux ends it
                break
            if not part:
                break
            shown += part
        output, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 3
    lines = shown.decode().split("\r\033[K")
    assert sum(line.startswith(f"{path}: ") for line in lines) >= 2
    assert lines[0] == lines[-1] == ""
    assert "\033" not in output


# ---- what a run took ------------------------------------------------------------------------------------------


def test_a_report_says_what_the_run_took() -> None:
    *_, last = verified(SMALL, "--jobs", "2").stdout.splitlines()
    assert re.fullmatch(r"in all \d+\.\d\d s, at most \d+ MB of memory in a process", last)
    runs = []
    for count in ("1", "2"):
        document = json.loads(verified(SMALL, "--jobs", count, "--format", "json").stdout)
        runs.append(document["run"])
        assert document["run"]["seconds"] >= sum(model["seconds"] for model in document["models"])
    alone, shared = (found["peak_memory"] for found in runs)
    assert 20_000_000 < alone < 1_000_000_000
    assert alone / 2 < shared < alone * 2, "the memory of workers is counted"


def test_a_report_says_what_each_answer_rests_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from reconcheck.explain.run import Outcome, Run
    from reconcheck.report.document import document

    monkeypatch.setattr(convergence, "WORTH_SLICING", 0)
    monkeypatch.setattr(reachability, "WORTH_SLICING", 0)
    report = Verifier(load(ROOT / SMALL)).report(Scope(level=4), every_scope=False)
    written = document(Run((Outcome(SMALL, report),), 1.0, None, str(ROOT)))
    jsonschema.validate(written, json.loads((ROOT / "spec/report.schema.json").read_text()))
    (sliced, *_) = written["models"][0]["answers"]
    assert sliced["verdict"] == "converges"
    assert sliced["engine"] == "slices"
    assert sliced["proof"]["slices"] == len(sliced["proof"]["parts"]) == 1
    whole = Verifier(load(ROOT / SMALL)).report(Scope(level=3), every_scope=False).answers[0]
    assert whole.engine == "whole state graph"
    shown = " ".join(render_report(report, Paint(False)).split())
    proof = sliced["proof"]
    assert f" s 1 slice of {proof['variables']} variables, {proof['states']} states" in shown
