"""The kinds of causes for which a goal fails: code, identifier, and what to do about each.

`reconcheck.codes` has them as pages (`reconcheck explain RC411`), `expect ... because` names them by identifier.
"""

from __future__ import annotations

from msgspec import Struct


class CauseKind(Struct, frozen=True):
    """One kind of cause; `title` is what it is called in a report, `name` in an `expect` line."""

    code: str
    name: str
    title: str
    lesson: str
    instead: str
    example: str


_KINDS = (
    CauseKind(
        "RC411",
        "unwatched_read",
        "unwatched read",
        """
        The last reconcile saw (or wrote) something that was changed afterwards, and the controller has no
        watch on it.  A wake-up at the end of the run helps, so nothing but the event is missing.  A Secret
        that is named in the spec is the classic one.  What one controller remembers in memory and another
        reads is unwatched too: no write to memory is an event.
        """,
        "Watch what is read; where it is not owned, map it to the objects that name it.",
        "watch users on password",
    ),
    CauseKind(
        "RC412",
        "wrong_mapping",
        "wrong or missing owner or mapping",
        """
        The change raised an event on a watch of the controller, and the mapping led to no key: the object has
        no owner reference, one without the controller flag or with another API version, or the mapping asks
        for a label, a name or a reference that was not there when the event was delivered.
        """,
        "Set the owner reference that the runtime follows, or map by what is there before the object is.",
        "resource StatefulSet as sts owned by app { ... }",
    ),
    CauseKind(
        "RC413",
        "dropped_by_predicate",
        "predicate that drops the event",
        """
        A watch saw the change, and its predicate did not let it through.  A generation predicate (`on spec`)
        drops every change of a status, of labels and of annotations, the controller's own writes among them,
        and of kinds without a generation it drops all updates.  Some runtimes filter by themselves: what the
        controller wrote (`own_writes`), or all but the content of what it watches (`secondary_filter`).
        """,
        "Let through what reconcile reads: name those fields in the watch.",
        "watch sts via owner on spec, status.ready",
    ),
    CauseKind(
        "RC414",
        "late_registration",
        "late or lost registration",
        """
        The watch that would have told of the change was not registered: the reconcile that registers it had
        not come that far, or a restart forgot the registration, and what happened meanwhile was told nobody.
        """,
        "Register the watch before the first read, or at the start of the process.",
        "register settings  let found = live(settings)",
    ),
    CauseKind(
        "RC415",
        "external_without_events",
        "external system without events",
        """
        Something outside of Kubernetes changed, and it tells nobody.  Here polling is an accepted use; a
        bridge that turns its changes into events (a webhook, a sidecar that patches an annotation) would do
        without.
        """,
        "Poll it with a `requeue ... every`, or let it notify.",
        "external grafana notifies { dashboard: opaque }",
    ),
    CauseKind(
        "RC416",
        "time_based_duty",
        "time-based duty",
        """
        Time went by, and it brought a duty that no object tells of: a certificate expires, a schedule is due.
        A timer is an accepted use here.  It need not be periodic: a deadline fires once, when it is due.
        """,
        "Arm a deadline at the end of every reconcile that leaves the duty open.",
        "requeue renewal when time.now >= 2",
    ),
    CauseKind(
        "RC417",
        "swallowed_error",
        "swallowed error",
        """
        A request failed, or conflicted, and the reconcile ended as if it had not: the error was handled,
        logged, or answered with `await change`, so it was not retried.  Had that request gone well, the goal
        would have been reached without any further wake-up, or the controller would at least have been woken by
        what the request changes.
        """,
        "Return the error (`fail`, or no handler at all), so that the error rule retries.",
        "patch app.status.ready = true",
    ),
    CauseKind(
        "RC418",
        "terminal_error",
        "terminal error",
        """
        The last reconcile ended with an error that is never retried (`fail terminal`), or the error rule
        stopped the controller.  That is right for what only an edit of the spec can cure, since the edit is
        an event.  Here the reason went away by itself, or was a request that fails now and then.
        """,
        "Use `fail` with a backoff for whatever can pass.",
        "when not reg.up { fail }",
    ),
    CauseKind(
        "RC419",
        "retries_exhausted",
        "retries exhausted",
        """
        A request failed more often than there are retries, and nothing tries again.  After so many errors or
        so long a delay a slow periodic retry is an accepted use; a backoff without a limit needs none.
        """,
        "Retry without a limit, with a longer and longer pause.",
        "on error backoff",
    ),
    CauseKind(
        "RC420",
        "timer_consumed",
        "timer consumed by an event",
        """
        A requeue was armed, or asked for, and an event took its place: the runtime keeps one entry for a key,
        and the event moved it to now.  The reconcile that the event started came too early and asked for no
        requeue of its own, so the timer is gone.  Had it survived, the goal would have been reached.
        """,
        "Ask for the requeue at the end of every reconcile that leaves the work open, not only of the first.",
        "when app.status.phase == waiting { requeue due when time.now >= 1 }",
    ),
    CauseKind(
        "RC421",
        "lost_at_restart",
        "timer or memory lost at a restart",
        """
        The process started anew, and with it went what was only in its memory: an armed timer, remembered
        facts, or events that were not delivered yet.  Without the restart the goal would have been reached;
        the listing at the start does not make up for it.
        """,
        "Keep what must survive in the status, and arm timers in every reconcile that leaves work open.",
        "patch app.status.requested = true",
    ),
    CauseKind(
        "RC422",
        "stale_read",
        "stale read acted upon",
        """
        A reconcile decided by a copy in the cache that was out of date.  Either nothing wakes it when the
        copy catches up, or what it did then cannot be undone by later reconciles.
        """,
        "Read live before a decision that is final, or write with `update`, so that a conflict says so.",
        "let now = live(lease)",
    ),
    CauseKind(
        "RC423",
        "missed_delete",
        "missed delete",
        """
        An object was deleted, and the deletion was never told: it happened in a gap of the watch or while the
        process was down, and a new list shows only what is still there; or the runtime does not report the
        deletion of a primary.
        """,
        "Use a finalizer where something has to follow a deletion.",
        "finalizer cleanup = true",
    ),
    CauseKind(
        "RC424",
        "lost_event",
        "event lost on the way",
        """
        A watch let the change through and the event was pending, but it never reached the queue: it was lost,
        or the two ends of a gap in the watch looked alike to the predicate.  Informers are built against it;
        where it can happen all the same, a slow schedule is an accepted use.
        """,
        "Compare with the state of the world in every reconcile, and keep a slow resync.",
        "resync every 10h",
    ),
    CauseKind(
        "RC425",
        "self_triggering_write",
        "self-triggering write",
        """
        The reconcile writes something that its own watch lets through, each time another value: a time, a
        counter, a field that somebody normalises.  Each write is an event, and each event the next reconcile.
        """,
        "Write only what differs from what is wanted, or filter the field out of the watch.",
        "watch app on spec",
    ),
    CauseKind(
        "RC426",
        "fight_between_writers",
        "fight between writers",
        """
        Two writers give one field different values, in turns and for ever: two controllers, or a controller
        and something in its environment.  Each undoes what the other did, and each change wakes one of them.
        """,
        "Give the field one owner; let the other leave it alone, or write another field.",
        "apply app { metadata.team = red }",
    ),
    CauseKind(
        "RC427",
        "error_loop",
        "error that retrying does not cure",
        """
        The reconcile ends with an error again and again, and retrying changes nothing about its reason.  The
        backoff hides it as a slow poll.
        """,
        "Wait for the event that takes the reason away, or correct what makes the request fail.",
        "when not settings.exists { await change }",
    ),
    CauseKind(
        "RC428",
        "logic",
        "logic that no wake-up can cure",
        """
        From the end of the run the controller was woken again and again, with fresh caches and without any
        failure, and the goal was still not reached.  No watch, requeue or schedule mends that: the reconcile
        itself has to do something else, or the model asks for something that nobody does.
        """,
        "Follow the reconcile from the last state of the run: which branch does it take, and why?",
        "when app.status.hash != grafana.hash { call grafana.hash = app.status.hash }",
    ),
)

KINDS: dict[str, CauseKind] = {kind.name: kind for kind in _KINDS}
"""Every kind of cause by its identifier, in the order of the codes."""

BY_CODE: dict[str, CauseKind] = {kind.code: kind for kind in _KINDS}
"""Every kind of cause by its code."""
