"""What verdicts rest on: the faults that are taken not to happen, those that runs need, and the fairness of processes.

A proof with a fault on holds whether it happens or not, so a fault that is on is used by runs only.  A fault that is
off is an assumption of every proof: it is used if the goal fails once the fault is switched on, which is verified
like any verdict.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from reconcheck.explain.diagnosis import Absent
from reconcheck.explain.verdict import Answer, Report
from reconcheck.model.operator import FAULTS, Operator
from reconcheck.semantics.steps import Kind


def workers(operator: Operator) -> str:
    """What is taken for granted of workers and keys, in a sentence without its end."""
    written = {controller.span for controller in operator.controllers}
    if len(written) == len(operator.controllers):
        return "a worker is always free; one key stands for all"
    return "a worker is always free, so that keys of a loop run side by side; they stand for all others"


class Assumption(Struct, frozen=True):
    """A fault or the fairness of a process, with the goals whose verdicts rest on it and those whose do not.

    What is in neither is not known, or it does not concern the goal: a fault that is on concerns goals that fail,
    one that is off and fairness goals that converge.
    """

    kind: str
    """fault or fairness."""
    name: str
    on: bool
    """Whether the fault happens, or the process is fair."""
    used: tuple[str, ...]
    unused: tuple[str, ...]


def assumptions_of(report: Report) -> tuple[Assumption, ...]:
    """What the answers of a report rest on; of faults that are off only what its diagnosis found out."""
    operator = report.operator
    absent = {} if report.diagnosis is None else {one.name: one for one in report.diagnosis.absent}
    found: list[Assumption] = []
    for fault in FAULTS:
        if fault in operator.faults:
            found.append(_happening(report, fault))
        else:
            one = absent.get(fault, Absent(fault, (), ()))
            found.append(Assumption("fault", fault, False, one.needed, one.unneeded))
    fair = [action for action in operator.actions if action.kind == "process"]
    return (*found, *(_fairness(report, action.name) for action in fair))


def _happening(report: Report, fault: str) -> Assumption:
    """A fault that is on: whether the goals that fail need it to."""
    failing = [answer for answer in report.answers if answer.trace is not None and not answer.good]
    used = [one for one in failing if one.faultless is None and fault in faults_in(report.operator, one)]
    return Assumption("fault", fault, True, _names(used), _names(one for one in failing if one not in used))


def faults_in(operator: Operator, answer: Answer) -> frozenset[str]:
    """The faults that happen in the run of an answer."""
    found: set[str] = set()
    for step in answer.trace.steps if answer.trace is not None else ():
        verb = step.step.action.partition(" ")[0]
        if step.step.kind is not Kind.FAULT:
            continue
        if verb == "reconcile":  # a request to the API server, or to an external
            words = step.step.detail.split(" ")
            found.add("call" if words[0] == "call" or words[1] in operator.externals else "api")
        else:
            found.add("lost_event" if verb == "lose" else verb)
    return frozenset(found)


def _fairness(report: Report, process: str) -> Assumption:
    """A fair process: which proofs rely on its fairness."""
    proved = [one for one in report.answers if one.goal.kind == "converges" and one.verdict == "converges"]
    known = [(one, one.relies_on) for one in proved if one.relies_on is not None]
    used = [one for one, actions in known if f"process {process}" in actions]
    return Assumption("fairness", process, True, _names(used), _names(one for one, _ in known if one not in used))


def _names(answers: Iterable[Answer]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(answer.goal.name for answer in answers))
