"""Half of a proof for somebody else: the same answers, and nobody waits for a worker that is gone."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from processes import masked_json, run, verified, where_copied
from reconcheck.certify.solvers import Z3
from reconcheck.cli.helping import Helped, Shared, Undone, help_with

ONE_PROOF = ("models/percona-mongodb/cluster-with-watches-users-secret.rdsl", "--with", "schedule", "--goal", "applied")
"""One question, whose proof has enough obligations to be shared."""

SHARING = """
import os
import sys
from reconcheck.cli import helping, jobs, worker
from reconcheck.cli.main import main

if __name__ == "__main__":
    seen, help = [], jobs.Crew.help
    jobs.Crew.help = lambda crew, one, message: seen.append(type(message).__name__) or help(crew, one, message)
    match sys.argv[1]:
        case "helper dies":
            worker.help_with = lambda share: os._exit(9)
        case "helper fails":
            helping.Z3 = None
        case "asker dies":
            helping.Helped._is_helped = lambda own: own._connection.send(helping.Wanted()) or os._exit(9)
    code = main(["verify", "--no-cache", "--no-diagnose", "--jobs", "2", "--format", "json", *sys.argv[2:]])
    print(*seen, file=sys.stderr)
    sys.exit(code)
"""
"""The program with two workers; it says what they told of shares, whatever happens to them."""


@where_copied
def test_a_worker_without_a_question_does_half_of_a_proof() -> None:
    alone = verified(*ONE_PROOF, "--no-cache", "--no-diagnose", "--jobs", "1", "--format", "json")
    assert alone.returncode == 0
    for happens, told in {"": ["Shared"], "helper dies": [], "helper fails": ["Undone"]}.items():
        shared = run("-c", SHARING, happens, *ONE_PROOF)
        assert masked_json(shared.stdout) == masked_json(alone.stdout), shared.stderr
        assert shared.stderr.split() == ["Wanted", "Share", *told]


@where_copied
def test_nobody_waits_for_the_share_of_a_worker_that_died() -> None:
    shared = run("-c", SHARING, "asker dies", *ONE_PROOF)
    (answer,) = json.loads(shared.stdout)["models"][0]["answers"]
    assert (answer["verdict"], shared.stderr.split()) == ("unknown", ["Wanted"])
    assert "ended with code 9" in answer["reason"]


class Other:
    """The other end of a connection: says first whether there is help, then what came of the share."""

    def __init__(self, *answers: object) -> None:
        self.answers, self.sent = list(answers), list[object]()

    def send(self, message: object) -> None:
        self.sent.append(message)

    def recv(self) -> object:
        answer = self.answers.pop(0)
        return answer(self.sent[-1]) if callable(answer) else answer


@pytest.mark.parametrize("wrong", [(), (0,), (1,), (6, 9), (7, 8), (5, 19)], ids=str)
@pytest.mark.parametrize("answers", [(False,), (True, help_with), (True, Undone())], ids=["alone", "helped", "undone"])
def test_a_shared_proof_fails_where_it_fails_alone(wrong: tuple[int, ...], answers: tuple[object, ...]) -> None:
    terms = ["p" if number in wrong else "(and p (not p))" for number in range(20)]
    other = Other(*answers)
    found = Helped(cast("Any", other)).refute("(declare-const p Bool)", terms, None)
    assert found == Z3().refute("(declare-const p Bool)", terms, None)
    assert (None if found is None else found.number) == min(wrong, default=None)
    assert not other.answers
    assert len(other.sent) == len(answers)


def test_what_comes_back_is_awaited_also_where_the_own_half_goes_wrong() -> None:
    """Else it would be taken for the next thing on the connection."""
    other = Other(True, Shared(None))
    with pytest.raises(Exception, match="unknown constant"):
        Helped(cast("Any", other)).refute("", ["q"] * 20, None)
    assert not other.answers


def test_few_obligations_are_not_shared() -> None:
    other = Other()
    assert Helped(cast("Any", other)).refute("", ["false"] * 3, None) is None
    assert not other.sent
