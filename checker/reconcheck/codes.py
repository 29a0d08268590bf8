"""The closed catalogue of diagnostic codes: what each means, why it matters, and what to write instead.

`RC1xx` is about text and files, `RC2xx` about names and types, `RC3xx` are findings about a model that means
something but hardly what was wanted, `RC4xx` are verdicts and (from RC411) their causes, `RC5xx` are about
certificates, `RC6xx` about citations, `RC7xx` about traces of other checkers, `RC9xx` are faults of reconcheck
itself.  A test keeps the catalogue and the code in step; `reconcheck explain RC203` prints an entry.
"""

from __future__ import annotations

import textwrap

from msgspec import Struct

from reconcheck.cause_kinds import KINDS


class Code(Struct, frozen=True):
    """One code: `lesson` says what it means for a controller, `instead` what to write, `example` shows it.

    `instead` and `example` are empty where there is nothing to do about it (verdicts and internal errors).
    """

    code: str
    title: str
    lesson: str
    instead: str = ""
    example: str = ""

    @property
    def family(self) -> str:
        """What kind of thing the code is about, in a word or two."""
        return FAMILIES.get(self.code[:4]) or FAMILIES[self.code[:3]]


FAMILIES: dict[str, str] = {
    "RC1": "text and files",
    "RC2": "names and types",
    "RC3": "finding",
    "RC4": "verdict",
    "RC41": "cause",
    "RC42": "cause",
    "RC5": "certificate",
    "RC6": "citation",
    "RC7": "trace of another checker",
    "RC9": "internal error",
}
"""The family of a code, by its first three characters, or by four where a family has a part of its own."""


def _code(code: str, title: str, lesson: str, instead: str = "", example: str = "") -> Code:
    return Code(code, title, textwrap.dedent(lesson).strip(), textwrap.dedent(instead).strip(), example)


_TEXT = (
    _code(
        "RC101",
        "the file cannot be read",
        """
        The path does not exist, is a folder, may not be read, or holds bytes that are not UTF-8 text.
        Nothing was checked: a model that cannot be read has no verdict.
        """,
        "Give the path of a `.rdsl` file, saved as UTF-8 text.",
    ),
    _code(
        "RC102",
        "the language version is missing or unknown",
        """
        A model says which version of the language it is written in, so that a later version can give a
        word another meaning without changing what older models say.  Version 1 is the only one so far.
        """,
        "Begin the file with `rdsl 1`; comments may stand before it.",
        "rdsl 1",
    ),
    _code(
        "RC103",
        "the file, or a number in it, is too large",
        """
        The code stands for two limits.  A file of more than 128 KiB is not a model of one operator; a number
        of more than 18 digits is no replica count and no duration.  Both limits keep every check short.
        """,
        "Split the operator into slices, one file each; use the smallest numbers that show the behaviour.",
    ),
    _code(
        "RC104",
        "nested too deeply",
        """
        Brackets, `not`, `implies`, `else when`, `if` and sums may be nested, or chained, 100 deep.  A
        reconcile function that needs more could not be read by anybody, and its trace neither.
        """,
        "Name the parts with `let`, use `all(...)` or `count(...)` over an array, or split the model.",
        "let ready = sts.exists and sts.status.ready == app.spec.size",
    ),
    _code(
        "RC105",
        "the file is empty",
        "There is nothing in the file but blanks and comments, so there is no model to check.",
        "Start with `rdsl 1` and an `operator`.",
        "rdsl 1\noperator app { ... }",
    ),
    _code(
        "RC106",
        "there is no model in the folder",
        """
        A folder stands for the models below it: all files that end in `.rdsl` and have an `operator`.
        There is none here.  A check of nothing is not reported as a success.
        """,
        "Give a folder that contains `.rdsl` files with an operator, or the path of one file.",
    ),
    _code(
        "RC107",
        "a bad value on the command line",
        """
        An option names something that is not there, or has a value that it does not take: an unknown goal,
        an unknown requeue rule, an unknown output format.  Nothing was checked, because a check of another
        question than the one asked would be misleading.
        """,
        "Use one of the names that the message lists; `--help` shows every option.",
    ),
    _code(
        "RC108",
        "the output cannot be written",
        """
        The folder of an output file does not exist or may not be written, or the disk is full.  The verdict
        may have been found; the file that should record it is missing or incomplete.
        """,
        "Give a path in a folder that can be written.",
    ),
    _code(
        "RC110",
        "unexpected word or character",
        """
        The text does not follow the grammar at this place.  The message lists what may stand here; when a
        word is nearly one of these, it is offered as a fix.  After an error the line is skipped, so several
        mistakes are found in one pass.
        """,
        "Write one of the things listed, or the keyword that is offered.",
        "watch sts via owner        // not: watch sts by owner",
    ),
    _code(
        "RC111",
        "a spelling of another language",
        """
        The symbol has a meaning in Go, Rust or C, and another spelling here.  There is one spelling for each
        thing, so that models of different authors read alike.  Most of these can be fixed automatically.
        """,
        'Write `and`, `or`, `not`, `implies`, `if ... then ... else`, `//` for comments, "..." for texts.',
        "when sts.exists and not sts.status.ready { ... }",
    ),
    _code(
        "RC112",
        "the file ends too early",
        """
        The text stops in the middle of a declaration, most often because a `{` is never closed.  The place
        given is the end of the file; the brace that is missing may belong much further up.
        """,
        "Close the brace, or complete the last declaration.",
    ),
)

_NAMES = (
    _code(
        "RC201",
        "unknown name",
        """
        Nothing of that name is declared, or not as what is needed here (an object, an array, a type, a goal,
        a requeue rule, a late watch, a scope).  A guess would check another operator than the one meant.
        """,
        "Use the name that is offered, or declare it first.",
        "resource StatefulSet as sts owned by app { ... }",
    ),
    _code(
        "RC202",
        "declared or written twice",
        """
        Two things have the same name (objects, fields, kinds, types, parameters, operators, controllers,
        watches, actions, goals, locals), a rule that exists once is given twice (the runtime, the error rule, a
        handler for one error), a value is listed twice in a type, or a request writes a field twice.  Traces
        and expectations refer to things by name, so each name stands for one thing.
        """,
        "Choose another name, or keep one of the two.  A second watch of an object gets a name with `as`.",
        "watch sts as sts_status via owner on status",
    ),
    _code(
        "RC203",
        "a value of another type",
        """
        The expression has another type than its place needs: a number where a Boolean stands, values of two
        types compared, a whole object used as a value, a name that is not a value of the enum.  Comparing
        unlike things is always false in most languages, and a condition that is never true hides a branch.
        """,
        "Compare and assign values of one type; name a field of the object, such as `sts.exists`.",
        "when app.status.phase == running { ... }",
    ),
    _code(
        "RC204",
        "a value outside its range",
        """
        A range `high..low` is empty, or a constant is given to a field whose type does not contain it.  A
        model whose values leave their range says nothing about the real object.
        """,
        "Write the smaller bound first; use a value of the type, or make the range wider.",
        "spec.replicas: 0..3 = 0",
    ),
    _code(
        "RC205",
        "unknown field",
        """
        The object, external, clock or memory has no field of that name, a watch names a part that the object
        does not have, or a field is asked of something that is a plain value.
        """,
        "Use a declared field; every object also has `exists`, and `deleting` where it can be deleted.",
        "sts.status.ready",
    ),
    _code(
        "RC206",
        "this cannot be done here",
        """
        The statement does not fit its object or its place: `call` on a Kubernetes object, `update` of an
        external, a clock or a local value, a write or an action that changes nothing, a handler for an error
        that the effect cannot have, `apply` in the environment, `via owner` for an external.
        """,
        "Use `call` for externals and `create`, `update`, `patch`, `apply`, `delete` for objects.",
        "call database.password = users.password",
    ),
    _code(
        "RC207",
        "a read that needs a request of its own",
        """
        What is not in the cache is read from the API server or from the external itself.  Such a request is
        a step of its own: it can fail, and what it saw may be old when the next write happens.  Which objects
        are cached depends on the runtime and on `read cached` and `read live`.
        """,
        "Bind it with `let`, then use the local.",
        "let db = live(database)\nwhen db.password != users.password { ... }",
    ),
    _code(
        "RC208",
        "this cannot be read or written here",
        """
        A predicate (`where`) decides from the old and the new version of the one object that changed; it has
        no cache and no memory.  `exists` and `deleting` are set by creating and deleting.  Memory belongs to
        the operator: its reconciles write it, the environment does not.
        """,
        "Read `new.f` or `old.f`, put other reads into `via (...)`, use `create`, `delete` or `remember`.",
        "watch sts via owner on update where (old.status.ready != new.status.ready)",
    ),
    _code(
        "RC209",
        "a watch on something that sends no events",
        """
        A database, a bucket or a cloud does not tell the API server about its changes.  Unless something
        turns them into events (a webhook, an event source), the operator learns of them only by asking.
        This is one of the few good reasons for a scheduled reconciliation.
        """,
        "Read it on a `requeue`, or declare `external x notifies` if something does send events.",
        "external database notifies { up: bool }",
    ),
    _code(
        "RC210",
        "a path without an outcome",
        """
        Every path through `reconcile` ends in an outcome, because the outcome decides what may wake the
        operator again: an event, a timer, or the error rule.  A path that just stops hides that decision.
        """,
        "End it with `await change`, `requeue NAME after 10s` or `fail`.",
        "when sts.exists { await change } else { fail }",
    ),
    _code(
        "RC211",
        "a statement that is never reached",
        """
        The statement before it ends the reconcile on every path, so this one never runs.  In an operator this
        is often a write after an early return.
        """,
        "Remove it, or put the earlier outcome into a `when`.",
        "when not sts.exists { await change }\nupdate sts.spec.replicas = 1",
    ),
    _code(
        "RC212",
        "a duration without a unit",
        """
        Seconds and milliseconds are a thousand apart, and source code has both.  A bare number is no
        duration.
        """,
        "Write the unit: `ms`, `s`, `m`, `h` or `d`, also combined.",
        "requeue poll every 1m30s",
    ),
    _code(
        "RC213",
        "no runtime, or an unknown one",
        """
        The runtime decides what a timer does when an event comes first, what is cached, what follows an
        error.  The same reconcile converges under one and not under another, so a model names its runtime;
        each operator of a system names its own.
        The code is also given for unknown knobs of a runtime and for values that a knob does not have.
        """,
        "Name a runtime and its version; set a knob to one of the values listed.",
        "runtime controller-runtime 0.24 { resync = none }",
    ),
    _code(
        "RC214",
        "no error rule",
        """
        This runtime (client-go, kube-rs and wasm-operator) leaves to the author what happens after an error.
        Whether a failed reconcile is ever tried again is half of the question that is being checked.
        """,
        "State it in the controller.",
        "on error requeue after 5s",
    ),
    _code(
        "RC215",
        "a deadline without a clock",
        """
        `requeue NAME when ...` waits for a moment in time, such as the renewal of a certificate.  Its
        condition has to read a clock; a condition on objects is not a timer but a watch.
        """,
        "Declare a `clock` and compare with it, wait with `after`, or watch the object.",
        "requeue renew when time.now >= cert.status.renew_at",
    ),
    _code(
        "RC216",
        "something is missing",
        """
        A model needs an operator, at least one controller with exactly one `reconcile`, and a question.
        A `system` needs at least one operator, and each of its operators a controller.
        Without a question there is nothing that could be proved or refuted.
        """,
        "Add what the message names.",
        "converges { scaled: sts.spec.replicas == app.spec.size }",
    ),
    _code(
        "RC217",
        "expectations that contradict each other",
        """
        Two `expect` lines give different answers for one goal in one scope, or a scope is `with` and
        `without` the schedule at once.  One of them can never be met.
        """,
        "Keep one, or give the two lines different scopes.",
        "expect scaled converges with schedule\nexpect scaled diverges without schedule",
    ),
    _code(
        "RC219",
        "not an answer to this question",
        """
        Each kind of question has its own answers.  `converges`: converges, diverges, quiet, livelock.
        `always`: holds, fails.  `reachable`: reachable, unreachable.  Each may also be unknown.
        """,
        "Use one of the answers that the message lists.",
        "expect no_data_loss holds",
    ),
    _code(
        "RC220",
        "a bad use of an array",
        """
        An array of objects is used like one object, an object like an array, an index is outside the array,
        the size is not between 0 and 1000, a loop over numbers begins below 0, or all loops together have too
        many rounds.  Loops are unrolled, and each element has its own place in every state.
        """,
        "Write `rs[0]`, `for r in rs { ... }`, `for i in 0..2 { ... }`, `all(r in rs: ...)` or `count(...)`.",
        "for r in rs { when not r.exists { create r } }",
    ),
    _code(
        "RC221",
        "a constant is needed here",
        """
        A bound, a size, an index or an initial value is known before the system starts, so it cannot read
        the state.  A memory variable needs such a value, because a restart resets it to that.
        """,
        "Use a number or a `param`; for a field, `any` stands for every value of its type.",
        "memory { seen: bool = false }",
    ),
    _code(
        "RC222",
        "unknown fault",
        "Faults are named one by one, because every one that is on or off is printed with the verdict.",
        "Use `api`, `call`, `crash`, `relist` or `lost_event`.",
        "faults { crash off }",
    ),
    _code(
        "RC223",
        "an import that does not work",
        """
        The file is not there, imports itself, is a whole model, or declares a parameter.  An import brings
        kinds and types; a second operator in one model would have no meaning.
        """,
        'Give a path from the importing file\'s folder, or a library such as "std/workloads".',
        'import "std/workloads"',
    ),
    _code(
        "RC224",
        "a bad parameter",
        """
        A parameter is a number within its range.  The code is given for a parameter of another type, for a
        value (declared, or set on the command line) outside the range, and for setting one that is not there.
        """,
        "Write `param NAME: LOW..HIGH = VALUE`, `int`, `nat` or an open range, and set a value inside.",
        "param replicas: 1.. = 3",
    ),
    _code(
        "RC225",
        "an unknown owner",
        """
        `owned by` names an object of this model, the one whose UID the owner reference carries.  The owner
        decides whom `watch ... via owner` wakes; a wrong one is a watch that never fires.
        """,
        "Name the primary, or another declared object (not an array and not an external).",
        "resource Pod as pod owned by app { ... }",
    ),
    _code(
        "RC226",
        "values without an order",
        "Booleans, enum values and opaque values are equal or not; none is smaller than another.",
        "Compare with `==` and `!=`; use a range if there is an order.",
        "when app.status.phase != failed { ... }",
    ),
    _code(
        "RC227",
        "one name for different requeue rules",
        """
        Requeue rules have names, so that a verdict can say which of them it needs.  The same rule may be
        returned in several places, but only with the same duration or condition.
        """,
        "Give each rule a name of its own.",
        "requeue pods_up after 10s\nrequeue db_up after 30s",
    ),
    _code(
        "RC228",
        "a reserved name",
        """
        `exists`, `deleting` and `finalizers` are on every object by themselves; `old`, `new`, `self` and
        `owner` have a meaning of their own in watches and kinds.
        """,
        "Choose another name; a finalizer is declared with `finalizer NAME`.",
        "finalizer cleanup = true",
    ),
)

_FINDINGS = (
    _code(
        "RC301",
        "the goal is true in every reachable state",
        """
        The operator converges to this goal because nothing ever makes it false.  Either the environment
        lacks the disturbance that would, or the formula says less than was meant.  Nothing is proved about
        the operator's work.
        """,
        "Start from another state (`= any`, `initially absent`), or add a `disturbance`.",
        "disturbance edit { app.spec.size = any }",
    ),
    _code(
        "RC302",
        "the goal is false in every reachable state",
        """
        No run ever reaches the goal, not even without faults.  That is rarely a bug of the operator and
        often one of the model: a process that is missing, or a range that is too small.
        """,
        "Add the process that makes it true, or correct the formula.",
        "process pods_start when sts.exists { sts.status.ready = true }",
    ),
    _code(
        "RC303",
        "a watch that never wakes its controller",
        """
        The watch goes through owner references, and none leads from this object to the controller's primary:
        the object has no owner, another owner, or a kind of reference that this runtime does not follow.
        Its changes are seen by the cache and reconciled by nobody, which a periodic requeue often hides.
        If that is what the code does, the finding is the result.
        """,
        "Declare the object as `owned by` the primary, or map it with `via (...)`.",
        "resource StatefulSet as sts owned by app { ... }",
    ),
    _code(
        "RC304",
        "a generation filter on an object without a generation",
        """
        A predicate on `spec` compares `metadata.generation`.  Secrets, ConfigMaps, Services and some other
        kinds have none (it stays 0), so the predicate drops every update of them.
        """,
        "Name the fields that are read, or leave the filter out.",
        "watch users on data",
    ),
    _code(
        "RC305",
        "something that never happens",
        """
        A step, a requeue rule or a branch is in the model and in no reachable state.  It may be dead code in
        the operator.  More often the model lacks what would lead there, and then the verdict says nothing
        about that branch.
        """,
        "Add the disturbance or process that leads there, or remove the branch.",
        "disturbance pod_dies when sts.status.ready { sts.status.ready = false }",
    ),
    _code(
        "RC306",
        "a field that is read and whose changes no watch lets through",
        """
        The reconcile reads a field of an object that its controller watches, somebody else changes that field,
        and no watch of the controller lets such a change through.  The reconcile hears of the object, but not
        of this.  That may be meant, and harmless where another change always follows; a verdict says so.
        """,
        "Name the field in the watch, or leave the predicate out.",
        "watch sts via owner on spec, status.ready",
    ),
    _code(
        "RC307",
        "a wait that is periodic in fact",
        """
        A `requeue ... after` counts as a wait, which ends when what it waits for has come.  Here it is armed
        and fires again and again in states where every goal holds: it is a schedule in all but name, and
        `without schedule` does not take it away.  Goals that no run ever settles on are left out, and named.
        """,
        "Ask for it only while something is missing, or declare it as a schedule (`every`).",
        "when not sts.status.ready { requeue pods_up after 10s }",
    ),
    _code(
        "RC308",
        "a wake-up that makes no difference",
        """
        In all reachable states, restarts and gaps in the watch among them, this watch never wakes its controller
        when nothing else does: without it each step leads to the same states, so no verdict depends on it.  Of a
        requeue rule it says that it never fires before its key is queued anyhow.  This is more than "not needed
        for a goal" in a diagnosis, where the watch does wake the controller and the goal is reached all the same.
        """,
        "Leave it out, or let the environment do what it is there for.",
        "watch sts via owner on status\nwatch sts as again via owner on status.ready",
    ),
    _code(
        "RC309",
        "an action that can never matter",
        """
        The action changes only what no goal can depend on: neither a goal reads it, nor a reconcile, watch,
        timer or action that leads to what a goal reads.  With it the model has more states and says nothing more.
        """,
        "Leave it out, or ask about what it changes.",
        "noise heartbeat { node.status.beat = any }",
    ),
    _code(
        "RC310",
        "a step makes a value leave its range",
        """
        A reachable step assigns a value that the variable's type does not contain, such as `ready += 1` at
        the upper bound.  It is an error, not a saturation: a model that wraps or clips proves something
        about other numbers than the real ones.
        """,
        "Guard the step, make the range wider, or use `min` and `max`.",
        "process pods_start when sts.status.ready < 3 { sts.status.ready += 1 }",
    ),
)

_VERDICTS = (
    _code(
        "RC401",
        "quiet but not converged",
        """
        A state is reached in which the goal is false and nothing fair can happen: no event is pending, no
        timer runs, nobody works on it.  The operator sleeps and nothing will wake it.  The trace ends with
        the change that nobody was told about.  The usual causes are a missing or filtered watch, a wrong
        owner, a swallowed error, or a read of something that sends no events.
        """,
    ),
    _code(
        "RC402",
        "livelock: busy for ever without converging",
        """
        After the last disturbance there is a cycle that treats every fair step fairly and passes through
        states in which the goal is false.  Typical are a write that triggers its own reconcile, two
        controllers that undo each other, and a retry of something that cannot succeed.
        """,
    ),
    _code(
        "RC403",
        "an `always` property is violated",
        """
        A state in which the property is false can be reached; the trace leads to it.  Safety properties hold
        in every state, also during disturbances and faults.
        """,
    ),
    _code(
        "RC404",
        "a `reachable` state is not reachable",
        """
        No run leads to the state asked for.  Such questions guard a model against proving too much: when the
        interesting situation cannot arise, a convergence proof about it is empty.
        """,
    ),
    _code(
        "RC405",
        "an expectation is not met",
        """
        An `expect` line says another verdict than the one found.  Either the model changed its meaning, or
        the operator was corrected: read the trace before changing the line.
        """,
    ),
    _code(
        "RC406",
        "unknown: the budget is spent",
        """
        The time, the number of states allowed or the memory was used up before an answer was found.  Neither
        convergence nor divergence is claimed.  Smaller ranges, fewer objects, or a larger budget may give one.
        """,
    ),
    _code(
        "RC407",
        "unknown: unbounded integers",
        """
        The model has `int` or `nat` variables that take infinitely many values, and no engine found a proof
        or a counterexample.  A bounded range in their place gives an answer for those values.
        """,
    ),
)

_CAUSES = tuple(_code(kind.code, kind.title, kind.lesson, kind.instead, kind.example) for kind in KINDS.values())

_CERTIFICATES = (
    _code(
        "RC501",
        "not a certificate",
        """
        The file cannot be read, is no JSON, or is not a certificate of reconcheck; or a folder holds none.
        The `.smt2` file beside a certificate is for other solvers: it is made from the certificate and the
        model, and never trusted.
        """,
        "Give a `.json` file that `reconcheck verify --certificate DIR` wrote, or the folder.",
    ),
    _code(
        "RC502",
        "a certificate of another version",
        """
        The form of certificates has a version, which grows when a reader could misunderstand.  A certificate
        in another version is not guessed at.
        """,
        "Check it with the version of reconcheck that wrote it (`reconcheck` in the file), or verify anew.",
    ),
    _code(
        "RC503",
        "a malformed certificate",
        """
        A field is missing, unknown, or of another kind than the form of certificates asks for
        (`spec/certificate.schema.json`).  The message names the place.
        """,
        "Verify the model anew with `--certificate DIR`.",
    ),
    _code(
        "RC504",
        "a certificate that names what is not there",
        """
        The certificate speaks of a variable, a fair action or a program counter that the model does not have
        in this scope.  Either the model has changed since, or the certificate was altered.
        """,
        "Give the model that the certificate was written for, or verify the model anew.",
    ),
    _code(
        "RC505",
        "a certificate with a wrong type or value",
        """
        A formula of the certificate compares unlike things, a value is not one of its variable's type, a
        column does not fit its term, or a place of a run has no natural number.  Obligations about such
        formulas would mean nothing.
        """,
        "Give the model that the certificate was written for, or verify the model anew.",
    ),
    _code(
        "RC506",
        "a certificate with a broken diagram",
        """
        A decision diagram tests its columns in their order, and each node leads to nodes listed before it or
        to a rank that exists.  This one does not.
        """,
        "Verify the model anew with `--certificate DIR`.",
    ),
    _code(
        "RC507",
        "a certificate of another question",
        """
        The model does not ask what the certificate answers: there is no such goal or requeue rule, or the
        goal has another formula.  A proof of something else proves nothing about this goal.
        """,
        "Verify the goal anew with `--certificate DIR`.",
    ),
    _code(
        "RC508",
        "the model has changed",
        """
        The SHA-256 of the model, or of a file that it imports, is not the one in the certificate, or a
        parameter has another value.  The certificate is checked all the same: what counts is whether it
        holds of the model as it is now.
        """,
        "Nothing, if it holds; else verify the model anew.",
    ),
    _code(
        "RC509",
        "the solver is not installed",
        """
        Z3 comes with reconcheck; cvc5 is optional.  It shares no code with Z3, so that an error would have to
        be in both.
        """,
        "Install it: `pip install cvc5`.",
    ),
    _code(
        "RC510",
        "an obligation fails",
        """
        The certificate is refused: the solver found a state in which one of its claims is wrong.  The model
        has changed, or the certificate was altered.  That says nothing about the operator: another proof may
        exist.
        """,
        "Verify the model anew with `--certificate DIR`.",
    ),
    _code(
        "RC511",
        "the solver gave up",
        """
        The solver could neither discharge an obligation nor find a state in which it fails, so that the
        certificate is neither accepted nor refused.
        """,
        "Try the other solver: `--solver z3` or `--solver cvc5`.",
    ),
)

_CITATIONS = (
    _code(
        "RC601",
        "a citation that cannot be looked up",
        """
        A citation is the path of a file in the operator's repository, then perhaps `#L12` or `#L12-L20`, then
        perhaps a name that has to be there.  This one is written otherwise, so nobody can find what it cites.
        """,
        'Write it like `@"controllers/app.go#L52-L60"`.',
    ),
    _code(
        "RC602",
        "a citation of an unknown commit",
        """
        What a line says depends on the commit.  None is given, neither in the citation nor in `source`, or the
        repository does not have it; a shallow clone has the newest commits only.
        """,
        'Give the commit in `source ... at "..."`, or fetch it into the repository.',
    ),
    _code(
        "RC603",
        "a citation of a file that is not there",
        """
        At the commit that is cited, the repository has no such file.  It was renamed, or the path is not from
        the repository's root.
        """,
        "Give the path from the root of the repository at that commit.",
    ),
    _code(
        "RC604",
        "a citation of lines that are not there",
        """
        The file is there, and shorter than the citation says, or the lines cited have nothing in them.
        """,
        "Give the lines as the repository's web page numbers them, from 1.",
    ),
    _code(
        "RC605",
        "a citation whose lines do not hold what it names",
        """
        The citation names a function, a field or a rule, and the lines that it cites do not have that word:
        they were counted at another commit, or shifted.
        """,
        "Cite the lines where the name stands.",
    ),
    _code(
        "RC606",
        "what a citation cites has changed",
        """
        At the commit that is cited all is well, but the revision that was asked about has the lines somewhere
        else, or no more.  Where they are gone, the model may describe an operator that there is no more.
        """,
        "Read the new code, change the model if need be, and cite the new lines and commit.",
    ),
    _code(
        "RC607",
        "a model whose repository was not looked into",
        """
        The citations of a model are looked up in a clone of the repository that its `source` names.  No clone of
        that one was given, nor found below the folders given, or the model has no `source`.
        """,
        "Clone the repository, and give it with `--repo URL=DIR` or `--repo-root DIR`.",
    ),
)

_FOREIGN_TRACES = (
    _code(
        "RC701",
        "no trace of another checker",
        """
        The file cannot be read, or nothing in it looks like a counterexample of Spin, NuSMV, nuXmv or TLC.  A
        checker that found no counterexample prints none.
        """,
        "Give what the checker printed: `spin -t -p` for Spin, the whole output for the others; or say `--from`.",
    ),
    _code(
        "RC702",
        "a trace of another model",
        """
        The trace speaks of a variable, a value or a step that the export of this model does not have.  The model
        was exported in another scope, with other parameters, by another version, or has changed since.
        """,
        "Give the scope and the parameters of the export (`--level`, `--without`, `--set`), or export it anew.",
    ),
    _code(
        "RC703",
        "a step of the trace cannot be replayed",
        """
        The reference interpreter has no such step there, or it leads elsewhere; the message says where.  If the
        model and its scope are those of the export, then the export, the other checker or the interpreter is wrong:
        that is what exports are for.
        """,
        "Check that scope, parameters and model are those of the export; if they are, report it with the trace.",
    ),
    _code(
        "RC704",
        "a trace that shows nothing",
        """
        Every step was replayed, but the end is not a counterexample: something still has to happen there, or the
        loop is not fair to some action, or no question is refuted by it.
        """,
        "Say with `--goal` which question the checker was asked; for convergence it has to be fair (Spin: `-f`).",
    ),
)

_INTERNAL = (
    _code(
        "RC901",
        "a trace does not replay",
        """
        The engine found a counterexample that the reference interpreter does not accept, so it is withheld.
        This is a bug in reconcheck, not in the model; please report it with the model.
        """,
    ),
    _code(
        "RC902",
        "a certificate is refused",
        """
        The engine claims a proof, and the independent check of its certificate fails, so no verdict is given.
        This is a bug in reconcheck, not in the model; please report it with the model.
        """,
    ),
    _code(
        "RC903",
        "an unexpected internal error",
        """
        Something happened inside reconcheck that it has no message for.  No verdict is given.  This is a bug
        in reconcheck, not in the model; please report it with the model.
        """,
    ),
    _code(
        "RC904",
        "a repair is not what it says",
        """
        A repaired model was read again before it was written, and its verdicts are others than those with which
        it was offered, so nothing is written.  This is a bug in reconcheck, not in the model; please report it
        with the model.
        """,
    ),
)

CODES: dict[str, Code] = {
    code.code: code
    for group in (_TEXT, _NAMES, _FINDINGS, _VERDICTS, _CAUSES, _CERTIFICATES, _CITATIONS, _FOREIGN_TRACES, _INTERNAL)
    for code in group
}
"""Every code, in ascending order."""
