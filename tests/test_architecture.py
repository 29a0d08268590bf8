"""Imports run one way along the pipeline, and Z3 stays where it belongs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "checker" / "reconcheck"
ORDER = [
    "syntax",
    "model",
    "semantics",
    "proof",
    "engines",
    "certify",
    "explain",
    "export",
    "render",
    "report",
    "cache",
    "cli",
    "api",
]
"""A folder may import itself and those before it; files beside the folders are below all of them."""

FILES = sorted(PACKAGE.rglob("*.py"))


def layer(module: str) -> int:
    parts = module.split(".")
    return ORDER.index(parts[1]) if len(parts) > 1 and parts[1] in ORDER else -1


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, f"{file}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_run_along_the_pipeline(file: Path) -> None:
    own = file.relative_to(PACKAGE).parts[0]
    if own not in ORDER:
        if own in ("__main__.py", "__init__.py"):  # the ways in; what `__init__` imports when, test_api.py says
            return
        assert all(layer(module) < 0 for module in imports(file) if module.startswith("reconcheck"))
        return
    for module in imports(file):
        if module.startswith("reconcheck"):
            assert layer(module) <= ORDER.index(own), f"{own} must not import {module}"


def test_z3_stays_in_engines_and_certify() -> None:
    users = {
        file.relative_to(PACKAGE).parts[0] for file in FILES if any(m.split(".")[0] == "z3" for m in imports(file))
    }
    assert users == {"engines", "certify"}
    others = {
        file.relative_to(PACKAGE).parts[0] for file in FILES if any(m.split(".")[0] == "cvc5" for m in imports(file))
    }
    assert others == {"certify"}


def test_the_checker_of_proofs_knows_no_engine() -> None:
    for file in (PACKAGE / "certify").glob("*.py"):
        assert not any(module.startswith("reconcheck.engines") for module in imports(file)), file


def reached(file: Path) -> set[Path]:
    """The files that a file imports, at the top or in a function, and those that they import.

    Not what the package itself offers: it imports nothing before somebody asks for it (test_api.py).
    """
    found = {file}
    work = [file]
    while work:
        for module in imports(work.pop()):
            path = PACKAGE.parent / Path(*module.split("."))
            for target in (path.with_suffix(".py"), path / "__init__.py"):
                if target.is_file() and target not in found and target != PACKAGE / "__init__.py":
                    found.add(target)
                    work.append(target)
    return found


def test_certificates_are_judged_without_any_engine() -> None:
    """`reconcheck certify` reaches model, semantics, proofs and their checker, and nothing that finds proofs."""
    files = reached(PACKAGE / "cli" / "certify.py")
    folders = {file.parent.name for file in files}
    assert {"model", "semantics", "proof", "certify"} <= folders
    assert not folders & {"engines", "explain"}
    assert "engines" in {file.parent.name for file in reached(PACKAGE / "cli" / "verify.py")}


def test_every_folder_is_in_the_order() -> None:
    folders = {file.parent.name for file in FILES if file.parent != PACKAGE}
    assert folders <= set(ORDER)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_every_module_and_public_name_says_what_it_is(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if file.name != "__init__.py" or tree.body:
        assert ast.get_docstring(tree), f"{file} has no docstring"
