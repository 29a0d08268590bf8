"""From exceptions to messages and exit codes."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

import click

from reconcheck.diagnostic import Diagnostic, InternalError, ModelError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""What the system says where a disk is full."""
OK, WRONG, UNKNOWN, INTERNAL, INTERRUPTED = 0, 2, 3, 4, 130


def guarded(run: Callable[[], object]) -> int:
    """Runs a command and turns whatever it ends with into an exit code.

    The code is 2 for a wrong model or command line, 4 for an internal error, 130 after Ctrl-C.
    """
    try:
        result = run()
        sys.stdout.flush()
        return result if isinstance(result, int) else OK
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except click.UsageError as error:
        if error.ctx is not None and error.format_message() == error.ctx.get_help():  # there are no arguments
            click.echo(error.format_message(), err=True)
            return WRONG
        usage = error.ctx.get_usage() + "\n" if error.ctx is not None else ""
        click.echo(f"{usage}error[RC107]: {error.format_message()}", err=True)
        return WRONG
    except click.ClickException as error:
        click.echo(f"error[RC107]: {error.format_message()}", err=True)
        return WRONG
    except ModelError as error:
        from reconcheck.render.diagnostics import render_diagnostics  # not needed where nothing is wrong

        click.echo(render_diagnostics(error.diagnostics, error.sources, colour=sys.stderr.isatty()), err=True)
        return WRONG
    except BrokenPipeError:
        return _read_enough()
    except SystemExit as ended:
        if ended.code != 1:
            raise
        return _read_enough()  # click has noticed it, and would end with what is a verdict here
    except MemoryError:
        click.echo("unknown[RC406]: memory is used up; split the model or make ranges smaller", err=True)
        return UNKNOWN
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            _drop_output()
            click.echo(f"error[RC108]: cannot write the answer: {error.strerror}", err=True)
            return WRONG
        code = error.code if isinstance(error, InternalError) else "RC903"
        click.echo(f"internal error[{code}]: {type(error).__name__}: {error}", err=True)
        click.echo("this is a bug in reconcheck, not a verdict; `reconcheck explain " + code + "` says more", err=True)
        if os.environ.get("RECONCHECK_DEBUG"):
            raise
        return INTERNAL


def _read_enough() -> int:
    """Who reads what is printed has closed the pipe: nothing more is to be said."""
    _drop_output()
    return OK


def _drop_output() -> None:
    """Lets what is still to be written to standard output vanish, so that Python does not complain about it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def wrong_value(message: str, instead: str) -> ModelError:
    """A bad value on the command line (RC107)."""
    return ModelError([Diagnostic("RC107", message, None, instead)])
