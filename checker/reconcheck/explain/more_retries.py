"""Candidates by which an error is tried again that the operator gives up, or never hears of."""

from __future__ import annotations

from collections.abc import Iterator

from reconcheck.explain.broken import Broken, place, reconcile, words_end
from reconcheck.explain.candidate import Candidate
from reconcheck.explain.walk import statements
from reconcheck.syntax import tree

GIVES_UP = frozenset({"await", "stop", "retry"})
"""Error rules after which a failed reconcile may never be tried again."""


def more_retries(broken: Broken, controller: tree.Controller) -> Iterator[Candidate]:
    """What would make a controller try again where it gives up now."""
    for statement, sight in statements(reconcile(controller).block):
        match statement:
            case tree.Effect(handlers=handlers) | tree.Let(handlers=handlers):
                for handler in handlers:
                    yield from _returned(broken, controller, statement, handler)
            case tree.Await() if sight.handler is not None:
                yield _failing(broken, controller, statement, "return the error")
            case tree.Fail(terminal=True):
                yield _failing(broken, controller, statement, "let the error be tried again")
    yield from _rule(broken, controller)


def _returned(
    broken: Broken, controller: tree.Controller, request: tree.Effect | tree.Let, handler: tree.Handler
) -> Iterator[Candidate]:
    """An error that is swallowed, returned instead."""
    line = request.span.line
    what = _name(request)
    title = f"return the {handler.error if handler.error != 'error' else ''} error".replace("  ", " ")
    if handler.block is None:
        edit = broken.source.without(handler.span)
    elif _falls_through(handler.block):
        end = broken.source.end(handler.block.span) - 1
        begin = len(broken.source.text[:end].rstrip(" \t"))
        own_line = broken.source.text[:begin].endswith("\n")
        edit = broken.source.replace(end, end, "  fail\n" + " " * (end - begin) if own_line else "fail ")
    else:
        return
    yield Candidate(
        key=f"{controller.name}: {handler.error} at {handler.span.line}:{handler.span.column}",
        title=f"{title} of `{what}` (L{line})",
        edits=(edit,),
        places=(place(request, controller),),
        failures=frozenset({line}),
    )


def _name(request: tree.Effect | tree.Let) -> str:
    if isinstance(request, tree.Let):
        return f"live({request.live.text})" if request.live is not None else request.name.text
    fields = [request.target.text] if len(request.target.parts) > 1 else []
    return f"{request.verb} {fields[0] if fields else request.target.text}"


def _falls_through(block: tree.Block) -> bool:
    last = block.statements[-1] if block.statements else None
    return not isinstance(last, tree.Await | tree.Requeue | tree.Fail | tree.When)


def _failing(broken: Broken, controller: tree.Controller, outcome: tree.Await | tree.Fail, title: str) -> Candidate:
    """`fail` instead of another outcome; its citation stays."""
    source, begin = broken.source, broken.source.begin(outcome.span)
    return Candidate(
        key=f"{controller.name}: fail at {outcome.span.line}:{outcome.span.column}",
        title=f"{title} (L{outcome.span.line})",
        edits=(source.replace(begin, words_end(source, outcome), "fail"),),
        places=(place(outcome, controller),),
        outcomes=frozenset({outcome.span.line}),
    )


def _rule(broken: Broken, controller: tree.Controller) -> Iterator[Candidate]:
    """`on error backoff` instead of a rule that gives up."""
    source = broken.source
    written = [member for member in controller.members if isinstance(member, tree.ErrorRule)]
    if written and written[0].policy in GIVES_UP:
        rule = written[0]
        edit = source.replace(source.begin(rule.span), words_end(source, rule), "on error backoff")
        near = place(rule, controller)
    elif not written and broken.manager(controller).profile["on_error"] in GIVES_UP:
        near = place(reconcile(controller).block.statements[0], controller)
        edit = source.before(reconcile(controller).span, "on error backoff")
    else:
        return
    yield Candidate(
        key=f"{controller.name}: backoff",
        title="retry after every error, later and later (`on error backoff`)",
        edits=(edit,),
        places=(near,),
        errors=True,
    )
