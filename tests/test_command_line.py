"""The command line, as a user meets it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).parent.parent
EXTERNAL = "models/minimal/external-system.rdsl"


def reconcheck(*arguments: str, timeout: float = 60, path: str = "") -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([path, str(ROOT / "checker")] if path else [str(ROOT / "checker")])
    environment = {**os.environ, "PYTHONPATH": paths, "NO_COLOR": "1"}
    command = [sys.executable, "-m", "reconcheck", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout)


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def goal_model(goal: str = "converges { g: x.up }", extra: str = "") -> str:
    return f"""rdsl 1
param N: 1..5 = 2
operator small {{
  runtime controller-runtime 0.24
  primary App as app {{ spec.n: 0..1 = 0 }}
  external x "something" {{ up: bool = false }}
  controller app for app {{
    watch app
    on error backoff
    reconcile {{ call x.up = true  await change }}
  }}
  environment {{ disturbance edit {{ app.spec.n = any }}  disturbance down {{ x.up = false }} }}
  {goal}
  {extra}
}}
"""


def test_verify_shows_the_run_on_which_an_operator_diverges() -> None:
    result = reconcheck("verify", EXTERNAL)
    assert result.returncode == 0  # as expected in the model
    assert "does not converge without scheduled reconciliation" in result.stdout
    assert "shown: quiet but not converged [RC401]" in result.stdout
    assert "NO: grafana sends" in result.stdout
    assert "replayed step by step on the reference interpreter" in result.stdout
    assert "144 a day" in result.stdout
    assert max(len(line) for line in result.stdout.splitlines()) <= 100
    assert "\033[" not in result.stdout


def test_exit_codes(tmp_path: Path) -> None:
    diverges = write(tmp_path / "diverges.rdsl", goal_model())
    assert reconcheck("verify", diverges).returncode == 1
    expected = write(tmp_path / "expected.rdsl", goal_model(extra="expect g quiet without schedule"))
    assert reconcheck("verify", expected).returncode == 0
    wrong = write(tmp_path / "wrong.rdsl", goal_model(extra="expect g converges without schedule"))
    result = reconcheck("verify", wrong)
    assert result.returncode == 1
    assert "expectation not met [RC405]" in result.stdout
    assert reconcheck("verify", expected, "--with", "schedule").returncode == 0
    assert reconcheck("verify", str(tmp_path / "none.rdsl")).returncode == 2
    assert reconcheck("verify").returncode == 2
    assert reconcheck("nonsense").returncode == 2


def test_livelock_says_why_the_loop_is_fair(tmp_path: Path) -> None:
    text = goal_model("converges { g: app.status.odd }").replace("= 0 }", "= 0  status.odd: bool = false }")
    text = text.replace("call x.up = true", "patch app.status.odd = not app.status.odd")
    result = reconcheck("verify", write(tmp_path / "loop.rdsl", text))
    assert result.returncode == 1
    assert "livelock" in result.stdout
    assert "fair: " in result.stdout
    assert "repeat for ever" in result.stdout


def test_several_models_get_a_line_each_and_totals() -> None:
    result = reconcheck("verify", "models/minimal", timeout=120)
    lines = result.stdout.splitlines()
    assert result.returncode == 0, result.stdout + result.stderr
    assert sum(line.startswith("ok ") for line in lines) == len(list((ROOT / "models/minimal").glob("*.rdsl")))
    assert "models as expected" in lines[-2]


def test_json_follows_its_schema() -> None:
    schema = json.loads((ROOT / "spec" / "report.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for arguments in (["verify", EXTERNAL, "--format", "json"], ["verify", "models/wasm", "--format", "json"]):
        document = json.loads(reconcheck(*arguments).stdout)
        jsonschema.validate(document, schema)
    assert document["models"][0]["answers"][0]["verdict"]


def test_a_diagnosis_follows_the_verdicts_of_a_single_model() -> None:
    shown = reconcheck("verify", EXTERNAL).stdout
    assert shown.index("2 of 2 expectations met") < shown.index("L0 events")
    assert "  shown  quiet      quiet       quiet      quiet          proved" in shown
    assert "resync_period (L22): NECESSARY for shown; 144 wake-ups a day for each object" in shown
    assert "L0 events" not in reconcheck("verify", EXTERNAL, "--no-diagnose").stdout
    assert "L0 events" not in reconcheck("verify", "models/minimal", "--verbose").stdout
    several = reconcheck("verify", EXTERNAL, "models/minimal/time.rdsl", "--verbose", "--diagnose").stdout
    assert several.count("L0 events") == 2


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_diagnosis_as_json_has_every_level_and_wake_up(jobs: str) -> None:
    document = json.loads(reconcheck("verify", EXTERNAL, "--format", "json", "--jobs", jobs).stdout)
    found = document["models"][0]["diagnosis"]
    assert [answer["scope"]["level"] for answer in found["levels"][0]["answers"]] == [0, 1, 2, 3, 4]
    assert found["levels"][0]["lowest"] == 4
    assert {need["kind"] for need in found["wake_ups"]} == {"watch", "backoff", "schedule", "resync"}
    assert found["sufficient"] == [["dashboard.watch dashboard", "dashboard.on error", "resync_period"]]
    assert found["most_reconciles"] == [{"controller": "dashboard", "most": 1}]
    assert found["undecided"] == []


def test_levels_and_single_wake_ups_can_be_asked_for(tmp_path: Path) -> None:
    def verdict(*arguments: str) -> str:
        shown = reconcheck("verify", "models/minimal/time.rdsl", "--no-diagnose", "--format", "json", *arguments).stdout
        return str(json.loads(shown)["models"][0]["answers"][0]["verdict"])

    assert [verdict("--level", f"L{level}") for level in range(5)] == ["quiet", "quiet", "quiet", *["converges"] * 2]
    assert verdict("--without", "watch cert") == "quiet"
    assert verdict("--level", "L4", "--without", "resync", "--without", "on error") == "quiet"
    expected = write(
        tmp_path / "expected.rdsl",
        (ROOT / EXTERNAL).read_text().rstrip().removesuffix("}")
        + "expect shown quiet with schedule, without watch dashboard\n}\n",
    )
    assert "3 of 3 expectations met" in reconcheck("verify", expected, "--no-diagnose").stdout


def test_results_are_deterministic() -> None:
    first, second = (reconcheck("verify", EXTERNAL, "--format", "json").stdout for _ in range(2))

    def without_times(text: str) -> object:
        varying = ("seconds", "peak_memory")
        return json.loads(text, object_hook=lambda d: {k: v for k, v in d.items() if k not in varying})

    assert without_times(first) == without_times(second)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["verify", "{folder}"], "RC106"),
        (["verify", "{folder}/missing.rdsl"], "RC101"),
        (["verify", "{model}", "--set", "nonsense"], "RC107"),
        (["verify", "{model}", "--set", "N=many"], "RC107"),
        (["verify", "{model}", "--set", "M=3"], "RC224"),
        (["verify", "{model}", "--set", "N=99"], "RC224"),
        (["verify", "{model}", "--goal", "other"], "RC107"),
        (["verify", "{model}", "--without", "other"], "RC107"),
        (["verify", "{model}", "--with", "timers"], "RC107"),
        (["verify", "{model}", "--format", "yaml"], "RC107"),
        *((["verify", "{model}", f"--timeout={time}"], "RC107") for time in ("soon", "0", "-1", "nan", "inf", "1e12")),
        (["simulate", "{folder}"], "RC107"),
        (["simulate", "{model}", "--steps", "0"], "RC107"),
        (["verify", "{model}", "--certificate", "{model}"], "RC107"),
        (["verify", "{model}", "--certificate", ""], "RC107"),
        (["verify", ""], "RC101"),
        (["verify", "{model}", "--output", "text={model}"], "RC107"),
        (["verify", "{folder}/..", "--output", "json={folder}/../small.rdsl"], "RC107"),
        (["diff", "{model}", "{model}", "--output", "json={model}"], "RC107"),
        (["sources", "{model}", "--output", "json={model}"], "RC107"),
        (["repair", "{model}", "--force"], "RC107"),
        (["certify", "{folder}", "{model}"], "RC501"),
        (["certify", "{model}"], "RC107"),
        (["certify", "{model}", "{folder}"], "RC107"),
        (["certify", "{model}", "{folder}/missing.rdsl"], "RC101"),
        (["certify", "{model}", "{model}", "--set", "M=3"], "RC224"),
        (["certify", "{model}", "{model}", "--solver", "other"], "RC107"),
        (["explain", "RC999"], "RC107"),
        (["unknown-command"], "RC107"),
    ],
)
def test_a_wrong_command_line_is_answered_with_a_code(arguments: list[str], code: str, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    model = write(tmp_path / "small.rdsl", goal_model())
    result = reconcheck(*(a.format(folder=folder, model=model) for a in arguments))
    assert result.returncode == 2
    assert f"[{code}]" in result.stderr
    assert "Traceback" not in result.stderr + result.stdout


def test_a_model_is_never_replaced_by_its_report(tmp_path: Path) -> None:
    model = write(tmp_path / "small.rdsl", goal_model())
    (tmp_path / "link.md").symlink_to(model)
    for output in (f"text={model}", str(tmp_path / "link.md")):
        assert reconcheck("verify", model, "--no-diagnose", "--output", output).returncode == 2
    assert Path(model).read_text() == goal_model()


def test_without_arguments_there_is_help() -> None:
    result = reconcheck()
    assert result.returncode == 2
    assert result.stderr.startswith("Usage: reconcheck [OPTIONS] COMMAND")
    assert "error[" not in result.stderr


def shell(line: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """A line for the shell, in which `$R` is reconcheck."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "checker"), "R": f"{sys.executable} -m reconcheck"}
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env={**environment, **variables}, capture_output=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$R verify small.rdsl --no-diagnose >&-", 1),
        ("$R verify small.rdsl --no-diagnose 2>&-", 1),
        ("$R new other.rdsl <&-", 0),
        ("mkdir gone && cd gone && rmdir ../gone && $R verify $OLDPWD/small.rdsl --no-diagnose", 1),
        ("mkdir folder.rdsl && cp small.rdsl folder.rdsl && $R verify . --no-diagnose", 1),
        ("$R verify nothing.rdsl --within .", 0),
    ],
)
def test_odd_surroundings_are_no_error(line: str, code: int, tmp_path: Path) -> None:
    write(tmp_path / "small.rdsl", goal_model("reachable g: app.spec.n == 7"))
    if "--within" in line:  # a name that is too long for a file is an import of nothing
        write(tmp_path / "long.rdsl", goal_model().replace("rdsl 1\n", f'rdsl 1\nimport "{"a" * 5000}"\n'))
    result = shell(line, tmp_path)
    assert result.returncode == code, result.stdout + result.stderr
    assert b"internal error" not in result.stderr
    assert b"Traceback" not in result.stderr


def test_a_full_disk_is_not_a_bug(tmp_path: Path) -> None:
    write(tmp_path / "small.rdsl", goal_model())
    for line in ("$R explain > /dev/full", "$R verify small.rdsl --no-diagnose --format json > /dev/full"):
        result = shell(line, tmp_path)
        assert result.returncode == 2
        assert result.stderr.startswith(b"error[RC108]: cannot write the answer: ")


def test_a_name_of_a_file_may_have_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"x\xff.rdsl")).write_text(goal_model("always g: app.spec.n < 2"))
    model = "$'x\\xff.rdsl'"
    for encoding in ("utf-8:strict", "latin-1"):
        for line in (
            f"$R verify {model} --no-diagnose --format json -o a.sarif -o a.xml -o a.md --certificate proofs",
            f"$R verify {model} --no-diagnose",
            f"$R certify proofs {model}",
            f"$R export {model} --to smt2 -o exported",
            f"$R graph {model} -o g.dot",
            f"$R sources {model} --format json",
        ):
            result = shell(line, tmp_path, PYTHONIOENCODING=encoding)
            assert result.returncode == 0, (line, result.stderr)
    written = json.loads(shell(f"$R verify {model} --no-diagnose --format json", tmp_path).stdout)
    assert written["models"][0]["file"] == os.fsdecode(b"x\xff.rdsl")
    assert json.loads((tmp_path / "a.sarif").read_bytes())["runs"]


def test_goals_that_say_nothing_are_findings(tmp_path: Path) -> None:
    always = write(tmp_path / "always.rdsl", goal_model("converges { g: true }"))
    result = reconcheck("verify", always)
    assert result.returncode == 0
    assert "finding[RC301]" in result.stdout
    never = write(tmp_path / "never.rdsl", goal_model("converges { g: false }"))
    assert "finding[RC302]" in reconcheck("verify", never).stdout


def test_a_value_outside_of_its_range_is_an_error_of_the_model(tmp_path: Path) -> None:
    text = goal_model().replace("app.spec.n = any", "app.spec.n += 1")
    result = reconcheck("verify", write(tmp_path / "range.rdsl", text))
    assert result.returncode == 2
    assert "RC310" in result.stderr


def test_parameters_can_be_set(tmp_path: Path) -> None:
    model = write(tmp_path / "small.rdsl", goal_model("reachable g: app.spec.n + N == 5"))
    assert reconcheck("verify", model).returncode == 1
    assert reconcheck("verify", model, "--set", "N=4").returncode == 0


def test_unbounded_integers_are_never_answered_wrongly(tmp_path: Path) -> None:
    """A goal that fails is shown; one that needs the number is unknown, never guessed."""
    text = goal_model("converges { g: app.spec.n < 3 }").replace("spec.n: 0..1 = 0", "spec.n: int = 0")
    result = reconcheck("verify", write(tmp_path / "int.rdsl", text), "--timeout", "20")
    assert result.returncode == 1
    assert "quiet" in result.stdout
    text = goal_model("converges { g: app.spec.n * app.spec.n >= 0 }").replace("spec.n: 0..1 = 0", "spec.n: int = 0")
    result = reconcheck("verify", write(tmp_path / "square.rdsl", text), "--timeout", "20")
    assert result.returncode in (0, 3)


def test_fix_applies_what_the_diagnostics_offer(tmp_path: Path) -> None:
    text = goal_model("converges { g: x.up && app.spec.m == 0 || x.up }").replace(
        "on error backoff", "requeue p every 5"
    )
    path = tmp_path / "foreign.rdsl"
    model = write(path, text)
    shown = reconcheck("fix", model)
    assert "-  converges { g: x.up && app.spec.m == 0 || x.up }" in shown.stdout
    assert "+  converges { g: x.up and app.spec.n == 0 or x.up }" in shown.stdout
    assert "+    requeue p every 5s" in shown.stdout
    assert path.read_text() == text
    assert shown.returncode == 0
    assert reconcheck("fix", model, "--write").returncode == 0
    assert "&&" not in path.read_text()
    assert reconcheck("verify", model).returncode == 1
    assert reconcheck("fix", write(tmp_path / "beyond.rdsl", "rdsl 1\noperator x { }\n")).returncode == 2


def test_simulate_walks_the_same_way_for_the_same_seed() -> None:
    first = reconcheck("simulate", EXTERNAL, "--seed", "7", "--steps", "40")
    second = reconcheck("simulate", EXTERNAL, "--seed", "7", "--steps", "40")
    other = reconcheck("simulate", EXTERNAL, "--seed", "8", "--steps", "40")
    assert first.returncode == 0
    assert first.stdout == second.stdout != other.stdout
    assert "woke the controller?" in first.stdout


def test_timeout_ends_with_unknown() -> None:
    model = str(ROOT / "tests" / "data" / "large.rdsl")
    result = reconcheck("verify", model, "--timeout", "1")
    assert result.returncode == 3
    assert "the time limit of 1 s was reached" in " ".join(result.stdout.split())


def test_interrupting_leaves_no_traceback() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "checker")}
    command = [sys.executable, "-m", "reconcheck", "verify", str(ROOT / "tests" / "data" / "large.rdsl")]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    time.sleep(2.5)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "interrupted" in errors


def test_help_and_version_need_no_solver() -> None:
    code = "import sys; from reconcheck.cli.main import main; main(['--help']); print('z3' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "checker")}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert result.stdout.strip().endswith("False")
    assert "verify" in result.stdout
    assert reconcheck("--version").stdout.startswith("reconcheck, version")
    for command in ("verify", "certify", "simulate", "graph", "explain"):
        assert reconcheck(command, "--help").returncode == 0


def test_the_readme_shows_real_output() -> None:
    text = (ROOT / "README.md").read_text()
    shown = text.split("$ reconcheck verify models/minimal/external-system.rdsl\n")[1].split("```")[0]
    real = reconcheck("verify", EXTERNAL).stdout

    def without_cost(output: str) -> list[str]:
        import re

        return [re.sub(r" *[0-9.]+ (s|MB)\b", r" _ \1", line).rstrip() for line in output.strip().splitlines()]

    assert without_cost(shown) == without_cost(real)


# ---- certificates ------------------------------------------------------------------------------------------

SHOWN = "external-system.shown.with-schedule"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates") / "new" / "folder"
    result = reconcheck("verify", EXTERNAL, "--certificate", str(folder), "--format", "json")
    assert result.returncode == 0
    assert json.loads(result.stdout)["models"][0]["operator"] == "external_system"
    assert f"wrote {folder / SHOWN}.json and .smt2: " in result.stderr
    return folder


def test_what_is_proved_gets_a_certificate_and_nothing_else_does(certificates: Path) -> None:
    """The goal is not proved without the schedule, so there is one certificate only."""
    assert sorted(path.name for path in certificates.iterdir()) == [f"{SHOWN}.json", f"{SHOWN}.smt2"]
    script = (certificates / f"{SHOWN}.smt2").read_text()
    assert script.count("(check-sat)") == script.count("(assert ")
    before = (certificates / f"{SHOWN}.json").read_bytes()
    again = reconcheck("verify", EXTERNAL, "--certificate", str(certificates), "--with", "schedule")
    assert (certificates / f"{SHOWN}.json").read_bytes() == before
    assert "wrote" not in again.stdout
    unproved = reconcheck("verify", EXTERNAL, "--certificate", str(certificates), "--without", "schedule")
    assert "nothing was proved, so no certificate was written" in unproved.stderr


@pytest.mark.parametrize("solver", ["z3", "cvc5"])
def test_certificates_are_checked_without_what_found_them(certificates: Path, solver: str) -> None:
    result = reconcheck("certify", str(certificates), EXTERNAL, "--solver", solver)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{certificates / SHOWN}.json: shown converges, with schedule" in result.stdout
    assert re.search(rf"holds +[0-9]+ obligations, {solver} [0-9.]+, [0-9.]+ s", result.stdout, re.I)
    assert result.stdout.rstrip().endswith(f"1 certificate of {EXTERNAL}: 1 holds")


def test_judgements_as_json_follow_their_schema(certificates: Path, tmp_path: Path) -> None:
    schema = json.loads((ROOT / "spec" / "certify.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    good = str(certificates / f"{SHOWN}.json")
    content = json.loads(Path(good).read_text())
    content["proof"]["parts"].pop()
    refused = write(tmp_path / "refused.json", json.dumps(content))
    content["goal"]["name"] = "other"
    other = write(tmp_path / "other.json", json.dumps(content))
    broken = write(tmp_path / "broken.json", "{")
    missing = str(tmp_path / "missing.json")
    result = reconcheck("certify", good, refused, other, broken, missing, EXTERNAL, "--format", "json")
    document = json.loads(result.stdout)
    jsonschema.validate(document, schema)
    verdicts = [one["verdict"] for one in document["certificates"]]
    assert verdicts == ["holds", "refused", "refused", "wrong", "wrong"]
    assert [one["code"] for one in document["certificates"]] == [None, "RC510", "RC507", None, None]
    assert document["certificates"][1]["obligation"] == "the parts give the goal"
    assert document["certificates"][3]["problems"][0]["code"] == "RC501"
    assert result.returncode == 2
    assert reconcheck("certify", good, refused, other, EXTERNAL).returncode == 1
    text = reconcheck("certify", refused, broken, EXTERNAL).stdout
    assert "refused  [RC510]" in text
    assert "Z3 found a state in which it fails" in text
    assert "error[RC501]: it is no JSON" in text


def test_a_changed_model_is_said_and_checked_all_the_same(certificates: Path, tmp_path: Path) -> None:
    good = str(certificates / f"{SHOWN}.json")
    model = (ROOT / EXTERNAL).read_text()
    same = write(tmp_path / "same.rdsl", model + "// nothing new\n")
    result = reconcheck("certify", good, same)
    assert result.returncode == 0
    assert "note[RC508]" in result.stdout
    assert "holds" in result.stdout
    text = model.replace("disturbance edited_in_grafana", "noise edited_in_grafana")
    worse = write(tmp_path / "worse.rdsl", text)
    result = reconcheck("certify", good, worse)
    assert result.returncode == 1
    assert "note[RC508]" in result.stdout
    assert "refused" in result.stdout


def test_a_solver_that_is_missing_is_told_how_to_install(certificates: Path, tmp_path: Path) -> None:
    write(tmp_path / "cvc5.py", "raise ImportError\n")
    result = reconcheck("certify", str(certificates), EXTERNAL, "--solver", "cvc5", path=str(tmp_path))
    assert result.returncode == 2
    assert "[RC509]" in result.stderr
    assert "pip install cvc5" in result.stderr
    assert reconcheck("explain", "RC509").returncode == 0


def test_a_code_may_be_given_in_short() -> None:
    whole = reconcheck("explain", "RC411").stdout
    assert whole
    assert reconcheck("explain", "411").stdout == reconcheck("explain", "rc411").stdout == whole
    assert reconcheck("explain", "11").returncode == 2


def test_several_models_share_a_folder_of_certificates(tmp_path: Path) -> None:
    goal = "converges { g: app.spec.n <= 1 }"
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "small.rdsl", goal_model(goal))
    result = reconcheck("verify", str(tmp_path), "--certificate", str(tmp_path / "c"))
    assert result.returncode == 0
    names = sorted(path.name for path in (tmp_path / "c").glob("*.json"))
    assert names == ["a-small.g.json", "b-small.g.json"]
    settings = ["--set", "N=3"]
    result = reconcheck("certify", str(tmp_path / "c"), str(tmp_path / "a" / "small.rdsl"), *settings)
    assert result.returncode == 0
    assert "the certificate was written for N = 2, asked is N = 3" in result.stdout
