"""`reconcheck graph`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconcheck.cli.errors import wrong_value
from reconcheck.cli.files import replace_file
from reconcheck.cli.options import ScopeAsked, parse_settings, scope_of, scope_options, settings_option
from reconcheck.cli.progress import Progress
from reconcheck.diagnostic import Diagnostic, ModelError

if TYPE_CHECKING:
    from reconcheck.model.operator import Goal, Operator
    from reconcheck.render.state_graph import Picture

FORMATS = (".svg", ".png", ".dot", ".mmd")


@click.command()
@click.argument("model")
@click.option("-o", "output", default="-", metavar="FILE", help="x.svg, x.png, x.dot or x.mmd; `-` prints DOT.")
@click.option("--goal", "goal_name", metavar="NAME", help="The question to show; else the first that does not hold.")
@scope_options
@settings_option
def command(
    model: str,
    output: str,
    goal_name: str | None,
    with_: str | None,
    without: tuple[str, ...],
    level: str | None,
    settings: tuple[str, ...],
) -> int:
    """Draw the state graph of MODEL, folded to what a person can read; a run that violates a goal is bold."""
    from reconcheck.model.load import load
    from reconcheck.render.state_graph import picture
    from reconcheck.semantics.steps import LeftRange

    suffix = ".dot" if output == "-" else Path(output).suffix.lower()
    if suffix not in FORMATS:
        what = f"`{suffix}`" if suffix else f"`{output}` without an ending"
        raise wrong_value(f"cannot draw to {what}", f"end the file's name in {', '.join(FORMATS)}")
    if Path(model).is_dir():
        raise wrong_value(f"{model} is a folder", "give one model")
    operator = load(Path(model), parse_settings(settings)).operator
    scope = scope_of(operator, ScopeAsked(with_, without, level))
    goal = _goal(operator, goal_name)
    with Progress(model) as progress:
        from reconcheck.engines.budget import Budget, Exhausted

        try:
            drawn = picture(operator, scope, goal, Budget(report=progress))
        except LeftRange as wrong:
            instead = "guard the step, widen the range, or use `nat` or `int`"
            raise ModelError([Diagnostic("RC310", str(wrong), operator.span, instead)], operator.sources) from wrong
        except Exhausted as spent:
            raise wrong_value(f"{model} cannot be drawn: {spent}", "let fewer values be `any`") from spent
        progress("drawing")
        content = _content(drawn, suffix)
    if output == "-":
        click.echo(content.decode(), nl=False)
        return 0
    replace_file(Path(output), content)
    click.echo(f"wrote {output}: {drawn.title}")
    for sentence in drawn.caption:
        click.echo(f"  {sentence}")
    return 0


def _goal(operator: Operator, name: str | None) -> Goal | None:
    if name is None:
        return None
    known = {goal.name: goal for goal in operator.goals}
    if name not in known:
        raise wrong_value(f"`{operator.name}` has no goal `{name}`", f"its goals are: {', '.join(sorted(known))}")
    return known[name]


def _content(drawn: Picture, suffix: str) -> bytes:
    """The file's content.  Raises `ModelError` (RC108) where Graphviz's `dot` is needed and missing."""
    from reconcheck.render.dot import GraphvizError, dot, render
    from reconcheck.render.mermaid import mermaid

    if suffix == ".dot":
        return dot(drawn).encode("utf-8", "backslashreplace")
    if suffix == ".mmd":
        return mermaid(drawn).encode("utf-8", "backslashreplace")
    try:
        return render(drawn, suffix[1:])
    except GraphvizError as error:
        instead = "install Graphviz (https://graphviz.org/download), or write `-o x.dot` or `-o x.mmd`"
        raise ModelError([Diagnostic("RC108", str(error), None, instead)]) from error
