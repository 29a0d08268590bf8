"""`reconcheck sources`: what a model cites, looked up in the operator's repository."""

from __future__ import annotations

import click

from reconcheck.cli.errors import OK, wrong_value
from reconcheck.cli.options import colours, model_files


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Look everything up in the repository.")
@click.option("--repo", "folder", metavar="DIR", help="A clone of the operator's repository, with a work tree or bare.")
@click.option("--at", "revision", metavar="REVISION", help="Also see whether it is still so there, such as HEAD.")
def command(models: tuple[str, ...], check: bool, folder: str | None, revision: str | None) -> int:
    """List what MODELS cite, with commit; with --check, see whether the files and lines are there.

    A citation that names something, as in `@"app.go#L52-L60 SetupWithManager"`, has to have it in these lines.
    Exit codes: 0 all is there, 1 something is not, 2 a model, the repository or the command line is wrong.
    """
    from reconcheck.cli.citations import citations, problem
    from reconcheck.cli.repository import Repository
    from reconcheck.render.diagnostics import render_diagnostics
    from reconcheck.syntax.parser import parse_file

    if check != (folder is not None) or (revision is not None and not check):
        raise wrong_value("`--check` and `--repo DIR` belong together", "give both, or neither to list citations")
    files = {path: parse_file(path) for path in model_files(models)}
    if folder is None:
        for path, (file, _) in files.items():
            for one in citations(file):
                click.echo(f"{path}:{one.cite.span.line}: {one.cite.location} at {one.commit or 'no commit'}")
        return OK
    repository = Repository(folder)
    if revision is not None and repository.commit(revision) is None:
        raise wrong_value(f"{folder} has no revision {revision}", "give a branch, a tag or a commit")
    wrong = count = 0
    for path, (file, text) in files.items():
        cited = citations(file)
        found = [diagnostic for one in cited if (diagnostic := problem(one, repository, revision)) is not None]
        if found:
            click.echo(render_diagnostics(found, {str(path): text}, colours()) + "\n")
        wrong, count = wrong + len(found), count + len(cited)
    click.echo(f"{count - wrong} of {count} citations are there" + (f", and at {revision}" if revision else ""))
    return 1 if wrong else OK
