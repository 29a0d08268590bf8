"""How far each search for an answer got."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from reconcheck.engines.budget import Exhausted
from reconcheck.engines.explicit import StateGraph
from reconcheck.explain.missing import Effort


class Efforts:
    """How far each search for an answer got, in the order in which they were begun."""

    def __init__(self) -> None:
        self.found: dict[str, Effort] = {}

    @contextmanager
    def at(self, engine: str) -> Iterator[None]:
        """Counts what is done meanwhile as work of an engine."""
        begun = time.process_time()
        try:
            yield
        except Exhausted as spent:
            self.reached(engine, spent.reached)
            raise
        finally:
            before = self._of(engine)
            self.found[engine] = replace(before, seconds=before.seconds + time.process_time() - begun)

    def reached(self, engine: str, number: int, steps: int = 0) -> None:
        """An engine has come so far, if not farther."""
        before = self._of(engine)
        self.found[engine] = replace(before, reached=max(before.reached, number), steps=max(before.steps, steps))

    def listed(self, graph: StateGraph) -> None:
        """So many states were listed, by now or before."""
        whole = graph.followed == len(graph.states)
        self.reached("state graph", len(graph.states), 0 if whole else graph.depth[graph.followed])

    def leave_out(self, engine: str, why: str) -> None:
        """An engine is of no use here."""
        self.found[engine] = replace(self._of(engine), left_out=why)

    def _of(self, engine: str) -> Effort:
        return self.found.get(engine, Effort(engine, 0.0))
