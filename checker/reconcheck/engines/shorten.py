"""Makes a counterexample shorter: what it does without is left out, as long as it still proves the same."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from msgspec import Struct

from reconcheck.engines.python_code import StateTuple
from reconcheck.engines.reduction import rank
from reconcheck.engines.runs import Judge, Move, Run
from reconcheck.engines.stepping import Choices, position

MOST_TAKEN = 1_000_000
"""Steps taken on trial before a run is left as it is: a few seconds."""
MOST_ADDED = 6
"""Steps added at the end of a trial."""
ELSEWHERE = ("process ", "noise ", "disturbance ")
"""How the actions of the environment begin."""
DELIVERIES = ("sync ", "retry ", "fire ", "resync ")
"""How what comes to the operator begins."""
MOST_BEGINNINGS = 200
"""Initial states that are tried in the place of the first."""
LOOK = 10
"""What it costs to look for a possible step, in steps taken."""


def shortened(judge: Judge, run: Run) -> Run:
    """A run that proves the same in at most as many steps."""
    return _Shortening(judge, run).result()


class _Shortening:
    """The best run so far, and the trials that make it better."""

    def __init__(self, judge: Judge, run: Run) -> None:
        self.judge, self.stepper, self.best = judge, judge.stepper, run
        self.taken = 0
        commands = self.stepper.system.commands
        self.rank = [rank(command) for command in commands]
        self.at = [position(command.guard) for command in commands]
        self.same: dict[object, list[int]] = {}
        """The commands by the step that they are and where they stand: the same effect, after another way to it."""
        for number, command in enumerate(commands):
            self.same.setdefault((command.step, self.at[number]), []).append(number)
        names = [command.step.action for command in commands]
        self.crash = [number for number, name in enumerate(names) if name.startswith("crash")]
        self.starts = {number for number, name in enumerate(names) if name.startswith("start ")}
        self.elsewhere = {number for number, name in enumerate(names) if name.startswith(ELSEWHERE)}
        self.deliveries = {number for number, name in enumerate(names) if name.startswith(DELIVERIES)}

    def result(self) -> Run:
        """The shortest run that was found."""
        self._cut_short()
        before = None
        while before is not self.best and self.taken < MOST_TAKEN:
            before = self.best
            self._leave_out(1)
            self._begin_otherwise()
            self._crash_instead()
            self._move_forward()
            size = len(self.best.moves) // 2
            while size > 1:
                self._leave_out(size)
                size //= 2
        return self.best

    def _cut_short(self) -> None:
        """Ends the run where it proves enough already."""
        if self.best.loop is not None:
            return
        for index, state in enumerate(self.best.states):
            if self.judge.is_end(state):
                self.best = Run(self.best.first, self.best.moves[:index], self.best.states[: index + 1])
                return

    def _leave_out(self, size: int) -> None:
        """Leaves out so many moves in a row, wherever that can be done; from the end, where less depends on them."""
        position = len(self.best.moves) - size
        while position >= 0 and self.taken < MOST_TAKEN:
            if position + size <= len(self.best.moves):
                self._improve(self._trial(position, position + size, ()))
            position -= size

    def _begin_otherwise(self) -> None:
        """Takes the same moves, as far as they are possible, from another initial state."""
        for choices in islice(self.stepper.first_choices(), MOST_BEGINNINGS):
            if choices != self.best.first and self.taken < MOST_TAKEN:
                self._improve(self._trial(0, 0, (), choices))

    def _crash_instead(self) -> None:
        """Before a run of a controller, a crash can stand for all deliveries since the run before."""
        position = len(self.best.moves) - 1
        while position >= 0 and self.taken < MOST_TAKEN:
            if position < len(self.best.moves) and self.best.moves[position][0] in self.starts:
                earlier = [i for i in range(position) if self.best.moves[i][0] in self.starts]
                begin = earlier[-1] if earlier else 0
                others = [move for move in self.best.moves[begin:position] if move[0] not in self.deliveries]
                for number in self.crash:
                    self._improve(self._trial(begin, position, [*others, (number, ())]))
            position -= 1

    def _move_forward(self) -> None:
        """Before a crash or a run of a controller, a change needs no delivery of its own."""
        position = len(self.best.moves) - 1
        while position > 0 and self.taken < MOST_TAKEN:
            moves = self.best.moves
            if moves[position][0] not in self.elsewhere:
                position -= 1
                continue
            turns = [i for i in range(position) if moves[i][0] in self.starts or moves[i][0] in self.crash]
            for turn in turns[:-3:-1]:
                kept = self.best
                self._improve(self._trial(turn, position + 1, [moves[position], *moves[turn:position]]))
                if self.best is not kept:
                    break
            position = min(position, len(self.best.moves)) - 1

    def _improve(self, trial: Run | None) -> None:
        """Takes the trial for the best run, if it is better."""
        if trial is None:
            return
        new, old = len(trial.moves), len(self.best.moves)
        if new < old or (new == old and trial.changes < self.best.changes):
            self.best = trial

    # ---- trials ----------------------------------------------------------------------------------------------------

    def _trial(self, start: int, end: int, instead: Iterable[Move], first: Choices | None = None) -> Run | None:
        """The run with other moves in the place of some, if it still proves something; with a start of 0, from `first`.

        Moves that are not possible any more are left out, and what has to happen after the last one is added.
        """
        run = self.best
        trial = _Draft(list(run.moves[:start]), list(run.states[: start + 1]))
        if first is not None:
            trial.states = [self.stepper.first(first)]
        loop = run.loop if run.loop is not None and run.loop < start else None
        for number, choices in instead:
            self._take(trial, number, choices)
        for index in range(end, len(run.moves)):
            if run.loop is not None and loop is None and index >= run.loop:
                loop = len(trial.moves)
            self._take(trial, *run.moves[index])
        if run.loop is None:
            self._finish(trial, min(len(run.moves), len(trial.moves) + MOST_ADDED))
        elif loop is None:
            return None
        made = Run(run.first if first is None else first, tuple(trial.moves), tuple(trial.states), loop)
        return made if self.judge.proves(made) else None

    def _take(self, trial: _Draft, number: int, choices: Choices) -> None:
        """Takes a move, or the same step by another way, if one is possible."""
        before = trial.states[-1]
        self.taken += 1
        after = self.stepper.take(number, before, choices)
        if after is None:
            for other in self._others(number, before):
                self.taken += 1
                after = self.stepper.take(other, before, choices)
                if after is not None:
                    number = other
                    break
            else:
                return
        assert after is not None
        trial.moves.append((number, choices))
        trial.states.append(after)

    def _others(self, number: int, state: StateTuple) -> list[int]:
        """The commands of the same step that stand where the state is."""
        here = self.at[number]
        if here is not None:
            here = here[0], state[self.stepper.index[here[0]]]
        return self.same.get((self.stepper.system.commands[number].step, here), [])

    def _finish(self, trial: _Draft, most: int) -> None:
        """Takes what has to happen, until nothing has to, or the run is too long."""
        while len(trial.moves) < most:
            state = trial.states[-1]
            self.taken += LOOK
            fair = [number for number in self.stepper.possible(state) if self.stepper.fair[number]]
            for number in sorted(fair, key=self.rank.__getitem__):
                step = next(self.stepper.steps(number, state), None)
                if step is not None:
                    trial.moves.append((number, step[0]))
                    trial.states.append(step[1])
                    break
            else:
                return


class _Draft(Struct):
    """A run in the making."""

    moves: list[Move]
    states: list[StateTuple]
