"""`spec/semantics.md` is kept true: its tables are compared with the code that they speak about.

`python tests/test_spec.py` prints the tables of the runtimes as the page must have them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcheck.model import managers, runtimes
from reconcheck.model.operator import FAULTS
from reconcheck.semantics import interpreter, layout, reconciling
from reconcheck.semantics.compiler import compile_system
from support import GOLDEN, read, scopes

SPEC = Path(__file__).resolve().parent.parent / "spec"
PAGE = (SPEC / "semantics.md").read_text(encoding="utf-8")
EVERY_KNOB = (*runtimes.KNOBS, *runtimes.NUMBERS, *runtimes.DURATIONS)
ENVIRONMENT = ("process", "noise", "disturbance")
"""Steps whose name begins with the kind of an action of the environment."""
STEPS_OF_A_PROCESS = ("sync", "relist", "relist_page", "crash")
"""The functions of a `Manager` that name steps."""

RECREATED = """rdsl 1
operator recreated {
  runtime controller-runtime 0.24
  primary App as app
  resource Deployment as back initially absent { spec.size: 0..1 = 0 }
  controller app for app {
    watch app
    watch back on spec
    reconcile {
      when not back.exists { create back { spec.size = 1 } on exists continue }
      await change
    }
  }
  environment { disturbance removed { delete back } }
  converges { there: back.exists }
}
"""
"""A model in which it matters that an object was deleted and created again between two looks at it."""


# ---- the tables of the runtimes ------------------------------------------------------------------------------


def named(group: list[runtimes.Profile]) -> list[str]:
    """The names of some profiles, with versions where not all profiles of a name are among them."""
    names: list[str] = []
    for profile in group:
        same = [other for other in runtimes.PROFILES if other.name == profile.name]
        later = sorted(other.since for other in same if other.since > profile.since)
        if all(other in group for other in same):
            names.append(profile.name)
        elif later:
            names.append(f"{profile.name} before {'.'.join(map(str, later[0]))}")
        else:
            names.append(f"{profile.name} since {'.'.join(map(str, profile.since))}")
    return list(dict.fromkeys(names))


def knob_table(knob: str) -> str:
    """A knob's values: which runtimes have it, and by which evidence."""
    groups: dict[tuple[str, str], list[runtimes.Profile]] = {}
    for profile in runtimes.PROFILES:
        setting = profile.settings[knob]
        groups.setdefault((setting.value, setting.evidence), []).append(profile)
    lines = ["| value | runtimes | evidence |", "| --- | --- | --- |"]
    lines += [f"| {value} | {', '.join(named(group))} | {evidence} |" for (value, evidence), group in groups.items()]
    return "\n".join(lines)


def commit_table() -> str:
    """Which commit the evidence of each runtime was read at."""
    lines = ["| runtime | read at |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| {name} | {commit} |" for name, commit in runtimes.COMMITS.items())])


# ---- reading the page --------------------------------------------------------------------------------------------


def section(title: str) -> str:
    """The text below a heading, up to the next heading of the same or a higher level."""
    found = re.search(rf"^(#+) {re.escape(title)}\n", PAGE, re.MULTILINE)
    assert found, f"the page has no section {title!r}"
    rest = PAGE[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each row of the tables in a text, without their headings."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        heading = number + 1 < len(lines) and lines[number + 1].startswith("| ---")
        if line.startswith("|") and not line.startswith("| ---") and not heading:
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def pattern(name: str) -> re.Pattern[str]:
    """What a name of the page stands for: a letter that stands alone is any name."""
    return re.compile(re.sub(r"\b[a-z]\b", ".+", re.escape(name).replace(r"\ ", " ")))


def steps_of_the_page() -> dict[str, set[str]]:
    """The action names of the table of steps with their kinds."""
    return {row[0].strip("`"): set(re.findall(r"\w+", row[1])) for row in rows(section("Steps"))}


def names_in_a_system() -> dict[str, str]:
    """What is called otherwise in an operator of a system, with how it is called elsewhere."""
    return {row[1].strip("`"): row[0].strip("`") for row in rows(section("Several operators"))}


# ---- tests -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("knob", EVERY_KNOB)
def test_each_knob_is_described_and_its_table_is_that_of_the_code(knob: str) -> None:
    text = section(f"`{knob}`")
    assert knob_table(knob) in text
    prose = text.split("\n| value |")[0]
    assert len(prose.split()) >= 15, f"{knob} is not described"
    for value in runtimes.KNOBS.get(knob, ()):
        assert f"`{value}`" in prose, f"the value {value} of {knob} is not described"


def test_the_page_has_no_knob_that_the_code_has_not() -> None:
    assert re.findall(r"^### `(\w+)`$", section("Runtimes"), re.MULTILINE) == list(EVERY_KNOB)


def test_the_commits_are_those_of_the_code() -> None:
    assert commit_table() in section("Runtimes")


def literal_beginning(node: ast.expr) -> str | None:
    """What a string begins with; None where that is not written down."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        return str(node.values[0].value)
    return None


def step_beginnings() -> Iterator[str]:
    """The first words of every action name in the interpreter's source."""
    for module in (interpreter, reconciling, layout, managers):
        assert module.__file__ is not None
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            named: list[ast.expr] = []
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Step":
                named = node.args[:1]
            elif isinstance(node, ast.FunctionDef) and node.name in ("timer_action", *STEPS_OF_A_PROCESS):
                named = [value for value in ast.walk(node) if isinstance(value, ast.JoinedStr)]
            elif isinstance(node, ast.Assign):
                targets, value = node.targets[0], node.value
                pairs = (
                    zip(targets.elts, value.elts, strict=True)
                    if isinstance(targets, ast.Tuple) and isinstance(value, ast.Tuple)
                    else [(targets, value)]
                )
                named = [text for name, text in pairs if isinstance(name, ast.Name) and name.id == "action"]
            for text in named:
                beginning = literal_beginning(text)
                if beginning is not None:
                    yield beginning.split(" ")[0]


def test_every_step_of_the_interpreter_is_in_the_table_of_steps() -> None:
    known = {name.split(" ")[0] for name in steps_of_the_page()}
    used = {*step_beginnings(), *ENVIRONMENT} - {"begin"}
    assert len(used) >= 12
    assert used == known
    assert "`begin`" in PAGE


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_steps_of_golden_models_have_the_kind_that_the_page_says(path: Path) -> None:
    table, operator = steps_of_the_page(), read(path)
    if operator.managers[0].name:
        inside = names_in_a_system()
        table = {name: kinds for name, kinds in table.items() if name not in inside.values()} | {
            name: table[elsewhere] for name, elsewhere in inside.items() if elsewhere in table
        }
    for scope in scopes(operator):
        for command in compile_system(operator, scope).commands:
            fitting = [name for name in table if pattern(name).fullmatch(command.step.action)]
            assert fitting, f"{command.step.action} is not in the table of steps"
            assert str(command.step.kind) in table[max(fitting, key=len)]


def test_names_in_a_system_are_those_of_the_code() -> None:
    profile = runtimes.PROFILES[0]
    for here, elsewhere in names_in_a_system().items():
        manager = managers.Manager("o" if "o" in re.findall(r"\b\w\b", here) else "", profile)
        alone = managers.Manager("", profile)
        made = {
            (one(manager), one(alone))
            for one in (
                lambda m: m.view("r.f"),
                lambda m: m.stale("r"),
                lambda m: m.recreated("r"),
                lambda m: f"{m.memory}.m",
                lambda m: m.sync("x"),
                lambda m: m.relist("r"),
                lambda m: m.relist_page("r"),
                lambda m: m.crash,
            )
        }
        assert (here, elsewhere) in made
        assert len(names_in_a_system()) == len(made)


def test_the_variables_are_those_of_the_layout(tmp_path: Path) -> None:
    recreated = tmp_path / "recreated.rdsl"
    recreated.write_text(RECREATED, encoding="utf-8")
    used: set[str] = set()
    for path in (*GOLDEN, recreated):
        operator = read(path)
        for scope in scopes(operator):
            names = [variable.name for variable in layout.layout(operator, scope).variables]
            used |= {name.split("(")[0] for name in names if re.match(r"\w+\(", name)}
    described = {name for row in rows(section("State")) for name in re.findall(r"`(\w+)\(", row[0])}
    assert described == used


def test_the_faults_are_those_of_the_code() -> None:
    assert [row[0].strip("`") for row in rows(section("Faults"))] == list(FAULTS)


def test_functions_that_the_page_names_exist() -> None:
    assert interpreter.__file__ is not None
    known: set[str] = set()
    for file in Path(interpreter.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                known.add(node.name)
    named = set(re.findall(r"`(_[a-z_]+)`", PAGE))
    assert named
    assert named <= known


def test_links_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", PAGE, re.M)
    }
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGE):
        file, _, anchor = target.partition("#")
        assert (SPEC / file).exists(), target
        if not file:
            assert anchor in headings, target


if __name__ == "__main__":
    print(commit_table())
    for name in EVERY_KNOB:
        print(f"\n### `{name}`\n\n{knob_table(name)}")
