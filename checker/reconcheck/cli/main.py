"""The command line: one lazy command each, so that help and syntax errors answer at once."""

from __future__ import annotations

import importlib
import io
import os
import sys

import click

from reconcheck import __version__

COMMANDS = {
    "verify": ("reconcheck.cli.verify", "Prove that operators converge without scheduled reconciliation."),
    "repair": ("reconcheck.cli.repair", "Find the smallest changes with which a model converges."),
    "diff": ("reconcheck.cli.diff", "Say what changed between two versions of a model."),
    "certify": ("reconcheck.cli.certify", "Check certificates of proofs, with nothing but the model and a solver."),
    "simulate": ("reconcheck.cli.simulate", "Walk a model step by step, with a seed."),
    "graph": ("reconcheck.cli.graph", "Draw the state graph of a model."),
    "export": ("reconcheck.cli.export", "Write a model in the language of another model checker."),
    "import-trace": (
        "reconcheck.cli.import_trace",
        "Show another model checker's counterexample in the model's terms.",
    ),
    "fix": ("reconcheck.cli.fix", "Apply the fixes that diagnostics offer."),
    "new": ("reconcheck.cli.new", "Write a model to begin with."),
    "models": ("reconcheck.cli.models", "List and print the models that come along."),
    "sources": ("reconcheck.cli.sources", "Check what a model cites against the operator's repository."),
    "explain": ("reconcheck.cli.explain", "Explain a diagnostic code such as RC203."),
}


class LazyGroup(click.Group):
    """A group that imports a command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


EXIT_CODES = """
Exit codes: 0 as asked (all converge, or every expectation is met), 1 something diverges or an expectation is
not met, 2 the model or the command line is wrong, 3 unknown, 4 internal error.
"""


@click.group(cls=LazyGroup, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="reconcheck")
def group() -> None:
    """Find out which wake-ups a Kubernetes operator needs.

    reconcheck proves that an operator, described in a small language (.rdsl), converges without scheduled
    reconciliation, or shows the shortest run on which it does not.
    """


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line, and says how it ended; nothing ever ends in a traceback."""
    from reconcheck.cli.errors import guarded

    _open_streams()
    sys.setrecursionlimit(20_000)
    return guarded(lambda: group.main(args=arguments, prog_name="reconcheck", standalone_mode=False))


def _open_streams() -> None:
    """Makes standard streams that can be used whatever the caller closed, and whatever is to be printed."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - open until the end
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may have bytes that are no text
        sys.stdout.reconfigure(errors="backslashreplace")
