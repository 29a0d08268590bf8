"""`reconcheck sources`: what a model cites, looked up in the operator's repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconcheck.cli.errors import OK, wrong_value
from reconcheck.cli.options import colours, model_files
from reconcheck.cli.outputs import outputs, say
from reconcheck.report.formats import format_of

if TYPE_CHECKING:
    from reconcheck.cli.clones import Clones
    from reconcheck.explain.cited import ModelSources, SourcesReport
    from reconcheck.syntax.tree import File

FORMATS = ("text", "json", "markdown")


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Look everything up in the repositories.")
@click.option(
    "--repo",
    "clones",
    multiple=True,
    metavar="[URL=]DIR",
    help="A clone of the operator's repository, with a work tree or bare; with URL, of that one; several times.",
)
@click.option(
    "--repo-root",
    "roots",
    multiple=True,
    metavar="DIR",
    help="A folder with clones: HOST/OWNER/NAME, OWNER/NAME or NAME in it, also with `.git` at the end; several times.",
)
@click.option("--at", "revision", metavar="REVISION", help="Also see whether it is still so there, such as HEAD.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="How to answer; text by default.")
@click.option(
    "--output",
    "-o",
    "written",
    multiple=True,
    metavar="[FORMAT=]FILE",
    help="Write FILE as well, in that format or in that of its ending (.txt .json .md); several times.",
)
def command(
    models: tuple[str, ...],
    check: bool,
    clones: tuple[str, ...],
    roots: tuple[str, ...],
    revision: str | None,
    format_: str | None,
    written: tuple[str, ...],
) -> int:
    """List what MODELS (files or folders) cite, with commit; with --check, see whether files and lines are there.

    A citation that names something, as in `@"app.go#L52-L60 SetupWithManager"`, has to have it in these lines.
    The clone of a model's `source` is the one that --repo gives for its address, or the one below --repo-root, or
    the one that --repo gives without an address.

    Exit codes: 0 all is there, 1 something is not, or has no clone, 2 a model, a repository or the command line is
    wrong.
    """
    from reconcheck.cli.clones import Clones
    from reconcheck.explain.cited import SourcesReport
    from reconcheck.syntax.citation import source_of
    from reconcheck.syntax.parser import parse_file

    into = outputs(format_, written, FORMATS, _format_of)
    if check != bool(clones or roots) or (revision is not None and not check):
        instead = "give `--check` with one of the two, or none of them to list citations"
        raise wrong_value("`--check` and `--repo DIR` or `--repo-root DIR` belong together", instead)
    paths = model_files(models)
    into.spare(paths)
    files = {str(path): parse_file(path) for path in paths}
    cited = {source.url for file, _ in files.values() if (source := source_of(file)) is not None}
    known = Clones(clones, roots, cited) if check else None
    found = tuple(_looked_up(path, file, text, known, revision) for path, (file, text) in files.items())
    report = SourcesReport(found, check, revision)
    say(_rendered(report, into.standard, colours()))
    into.write(lambda name: _rendered(report, name, False))
    return 1 if report.problems else OK


def _looked_up(path: str, file: File, text: str, known: Clones | None, revision: str | None) -> ModelSources:
    """The citations of a model, looked up where clones are given.  Raises `ModelError` (RC107)."""
    from reconcheck.cli.citations import problem, unclear
    from reconcheck.diagnostic import Diagnostic
    from reconcheck.explain.cited import Looked, ModelSources, State
    from reconcheck.syntax.citation import citations, source_of

    cited, source = citations(file), source_of(file)
    address = source.url if source is not None else None
    if known is None:
        return ModelSources(path, text, address, None, tuple(Looked(one, State.LISTED) for one in cited))
    clone = known.of(address)
    if clone is None:
        looked = [
            Looked(one, State.NOT_LOOKED_UP if wrong is None else State.WRONG, wrong)
            for one, wrong in ((one, unclear(one)) for one in cited)
        ]
        missing = None
        if cited and address is None:
            missing = Diagnostic("RC607", "the model names no repository", cited[0].cite.span, "write a `source`")
        elif cited and source is not None and address is not None:
            places = ", ".join(known.searched(address))
            instead = f"clone it; looked for: {places}" if places else f"give `--repo {address}=DIR`"
            missing = Diagnostic("RC607", f"there is no clone of {address}", source.span, instead)
        return ModelSources(path, text, address, None, tuple(looked), missing)
    if revision is not None and clone.commit(revision) is None:
        raise wrong_value(f"{clone.folder} has no revision {revision}", "give a branch, a tag or a commit")
    found = ((one, problem(one, clone, revision)) for one in cited)
    looked = [Looked(one, State.THERE if wrong is None else State.WRONG, wrong) for one, wrong in found]
    return ModelSources(path, text, address, clone.folder, tuple(looked))


def _format_of(file: str) -> str | None:
    known = format_of(file)
    return known if known in FORMATS else None


def _rendered(report: SourcesReport, name: str, colour: bool) -> str:
    match name:
        case "json":
            from reconcheck.report.sources import rendered

            return rendered(report)
        case "markdown":
            from reconcheck.render.sources import sources_markdown

            return sources_markdown(report)
        case _:
            from reconcheck.render.sources import render_sources

            return render_sources(report, colour)
