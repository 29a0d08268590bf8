"""What the runtimes decide, as one table: each knob's value with the evidence for it.

Evidence is `repository path:line` at the commit in `COMMITS`, or an experiment with the repository's own
queue code.  `spec/semantics.md` says what each knob means; a model may override any of them in its
`runtime ... { knob = value }` block.
"""

from __future__ import annotations

from msgspec import Struct

COMMITS = {
    "controller-runtime": "kubernetes-sigs/controller-runtime 86a0d40e (0.24)",
    "client-go": "kubernetes/client-go 32ce75a7",
    "kube-rs": "kube-rs/kube ac95b199 (4.2.0)",
    "java-operator-sdk": "operator-framework/java-operator-sdk 78b877be",
    "kopf": "nolar/kopf 60d02aef (1.44.6)",
    "metacontroller": "metacontroller/metacontroller 175eac07",
    "ansible": "operator-framework/ansible-operator-plugins 292a56a4",
    "helm": "operator-framework/helm-operator-plugins 0400a794",
    "crossplane": "crossplane/crossplane-runtime 4e7ed235",
    "wasm-operator": "idlab-discover/wasm-operator d91e9cf",
}

KNOBS: dict[str, tuple[str, ...]] = {
    "timer_on_event": ("survives", "consumed", "cancelled_on_success"),
    "requeue_if_queued": ("kept", "dropped"),
    "timer_merge": ("earliest", "latest"),
    "timer_at_restart": ("lost", "kept"),
    "on_error": ("backoff", "retry", "author", "stop"),
    "reads": ("all_cached", "primary_cached", "secondaries_cached", "all_live"),
    "owner_match": ("controller", "any_owner", "exact_version"),
    "deleted_primary": ("wakes", "silent"),
    "missing_primary": ("runs", "dropped"),
    "listed_primary": ("wakes", "wakes_unhandled"),
    "relist": ("keeps_deletes", "loses_deletes"),
    "relist_early": ("no", "yes"),
    "primary_filter": ("everything", "spec", "essence"),
    "secondary_filter": ("everything", "content"),
    "own_writes": ("events", "filtered"),
    "unloads": ("no", "yes"),
}
"""Knobs with a few named values.  `resync` and `period` take a duration or `none`, `retries` a number."""

DURATIONS = ("resync", "period")
NUMBERS = ("retries",)


class Setting(Struct, frozen=True):
    """A knob's value and why it is that."""

    value: str
    evidence: str


class Profile(Struct, frozen=True):
    """A runtime from a version on: every knob has a setting."""

    name: str
    since: tuple[int, ...]
    settings: dict[str, Setting]

    def __getitem__(self, knob: str) -> str:
        return self.settings[knob].value


def _profile(name: str, since: tuple[int, ...], **settings: tuple[str, str]) -> Profile:
    return Profile(name, since, {knob: Setting(value, evidence) for knob, (value, evidence) in settings.items()})


def _based_on(base: Profile, name: str, since: tuple[int, ...] = (), **settings: tuple[str, str]) -> Profile:
    changed = {knob: Setting(value, evidence) for knob, (value, evidence) in settings.items()}
    return Profile(name, since, base.settings | changed)


_CLASSIC = _profile(
    "controller-runtime",
    (),
    timer_on_event=("survives", "experiment A with client-go util/workqueue; delaying_queue.go:297-305"),
    requeue_if_queued=("kept", "experiment B with client-go util/workqueue"),
    timer_merge=("earliest", "client-go util/workqueue/delaying_queue.go:354-369"),
    timer_at_restart=("lost", "queue and timers are memory; pkg/manager/internal.go:627-638"),
    on_error=("backoff", "pkg/internal/controller/controller.go:486-497"),
    retries=("none", "no retry limit; client-go util/workqueue/default_rate_limiters.go:50-56"),
    reads=("all_cached", "pkg/client/client.go:242-264"),
    owner_match=("controller", "pkg/handler/enqueue_owner.go:203-221; group and kind, any version :178-198"),
    deleted_primary=("wakes", "pkg/handler/enqueue.go:87-96"),
    missing_primary=("runs", "pkg/reconcile/reconcile.go:163-167"),
    listed_primary=("wakes", "a listing is handled like creates; client-go tools/cache/shared_informer.go:1037-1056"),
    relist=("keeps_deletes", "client-go tools/cache/the_real_fifo.go:604-735"),
    relist_early=("no", "store replaced before handlers; client-go tools/cache/controller.go:972-1016"),
    primary_filter=("everything", "pkg/builder/controller.go:319-327"),
    secondary_filter=("everything", "pkg/builder/controller.go:335-365"),
    own_writes=("events", "pkg/handler/enqueue.go:51-86"),
    resync=("10h", "pkg/cache/cache.go:45,153-187"),
    period=("none", "pkg/internal/controller/controller.go:511-516"),
    unloads=("no", "-"),
)

_PRIORITY = _based_on(
    _CLASSIC,
    "controller-runtime",
    (0, 23),
    timer_on_event=("consumed", "experiment A; pkg/controller/priorityqueue/priorityqueue.go:277-280"),
    timer_merge=("earliest", "pkg/controller/priorityqueue/priorityqueue.go:255-259,273-293"),
    requeue_if_queued=("dropped", "experiment B; pkg/controller/priorityqueue/priorityqueue.go:273-293"),
)

_CLIENT_GO = _based_on(
    _CLASSIC,
    "client-go",
    on_error=("author", "the retry policy is the author's; examples/workqueue/main.go:94-116"),
    reads=("all_cached", "the author's listers read the informers' store; tools/cache/shared_informer.go:110-125"),
    deleted_primary=("wakes", "OnDelete is a handler like any other; tools/cache/shared_informer.go:110-125"),
    missing_primary=("runs", "what a missing key means is the author's code"),
    period=("none", "nothing is queued that the author does not queue; util/workqueue/queue.go:197-203"),
    owner_match=("any_owner", "mapping is the author's code; the sample controller compares kind and name"),
    resync=("none", "tools/cache/shared_informer.go:155-161"),
)

_KUBE_RS = _profile(
    "kube-rs",
    (),
    timer_on_event=("consumed", "experiment A; kube-runtime/src/scheduler.rs:77-112"),
    requeue_if_queued=("dropped", "experiment B; kube-runtime/src/scheduler.rs:79-82"),
    timer_merge=("earliest", "kube-runtime/src/scheduler.rs:77-112"),
    timer_at_restart=("lost", "kube-runtime/src/controller/mod.rs:432-441"),
    on_error=("author", "error_policy; kube-runtime/src/controller/mod.rs:530-533"),
    retries=("none", "no counter; kube-runtime/src/controller/mod.rs:1683-1688"),
    reads=("primary_cached", "kube-runtime/src/controller/mod.rs:450-461"),
    owner_match=("exact_version", "kube-runtime/src/controller/mod.rs:243-267, reflector/object_ref.rs:222-240"),
    deleted_primary=("silent", "applied_objects; kube-runtime/src/controller/mod.rs:749-754"),
    missing_primary=("dropped", "ObjectNotFound; kube-runtime/src/controller/mod.rs:450,478-480"),
    listed_primary=("wakes", "applied_objects; kube-runtime/src/controller/mod.rs:749-754"),
    relist=("loses_deletes", "experiment; kube-runtime/src/utils/event_decode.rs:40"),
    relist_early=("yes", "experiment; kube-runtime/src/reflector/store.rs:118-135"),
    primary_filter=("everything", "kube-runtime/src/controller/mod.rs:749-754"),
    secondary_filter=("everything", "touched_objects; kube-runtime/src/controller/mod.rs:1016,1282"),
    own_writes=("events", "kube-runtime/src/controller/mod.rs:749-754"),
    resync=("none", "no periodic resync in kube-runtime"),
    period=("none", "Action::await_change; kube-runtime/src/controller/mod.rs:95-121"),
    unloads=("no", "-"),
)

PROFILES: tuple[Profile, ...] = (
    _CLASSIC,
    _PRIORITY,
    _CLIENT_GO,
    _KUBE_RS,
    _based_on(
        _KUBE_RS,
        "wasm-operator",
        on_error=("author", "kube-rs error_policy; controllers/simple-rust-controller/src/main.rs:98-106"),
        relist_early=("no", "its kube-runtime fork, 0.71 at adb7c125, swaps the store and triggers in one event"),
        unloads=("yes", "pkg/controller/src/modules/module.rs:24-27,153-165: any result, a timer too, reloads it"),
    ),
    _profile(
        "java-operator-sdk",
        (),
        timer_on_event=("cancelled_on_success", "processing/event/EventProcessor.java:305,457-463"),
        requeue_if_queued=("dropped", "processing/event/EventProcessor.java:313-318,381-393"),
        timer_merge=("latest", "processing/event/source/timer/TimerEventSource.java:57-72"),
        timer_at_restart=("lost", "LeaderElectionManager.java:156-170"),
        on_error=("retry", "processing/event/EventProcessor.java:296-303,377-413"),
        retries=("5", "processing/retry/GradualRetry.java:29-36, GenericRetryExecution.java:81-94"),
        reads=("all_cached", "processing/event/source/informer/InformerEventSource.java:236-259"),
        owner_match=("any_owner", "processing/event/source/informer/Mappers.java:109-118"),
        deleted_primary=("silent", "without finalizer: EventProcessor.java:161-166,475-479"),
        missing_primary=("dropped", "processing/event/EventProcessor.java:134-141"),
        listed_primary=("wakes", "processing/event/source/controller/ControllerEventSource.java:123-133"),
        relist=("keeps_deletes", "fabric8 7.8.0 informers/impl/cache/ProcessorStore.java:105-120"),
        relist_early=("no", "stored before told; fabric8 7.8.0 informers/impl/cache/ProcessorStore.java:48-66"),
        primary_filter=("spec", "processing/event/source/controller/InternalEventFilters.java:25-70"),
        secondary_filter=("everything", "processing/event/source/informer/InformerEventSource.java:208-233"),
        own_writes=("filtered", "dependents and resourceOperations(); api/reconciler/ResourceOperations.java:126-140"),
        resync=("none", "processing/event/source/informer/InformerManager.java:175-179"),
        period=("10h", "maximal interval; api/config/ControllerConfiguration.java:89-90"),
        unloads=("no", "-"),
    ),
    _profile(
        "kopf",
        (),
        timer_on_event=("cancelled_on_success", "the delay is the handler's; kopf/_core/actions/execution.py:188"),
        requeue_if_queued=("kept", "kopf/_core/actions/application.py:68-101"),
        timer_merge=("earliest", "kopf/_core/actions/application.py:68-101"),
        timer_at_restart=("kept", "docs/continuity.rst:12-45"),
        on_error=("backoff", "60 s for ever; kopf/_core/actions/execution.py:232-233"),
        retries=("none", "kopf/_core/actions/execution.py:247,277"),
        reads=("primary_cached", "the body comes with the event; kopf/_core/reactor/processing.py:308-323"),
        owner_match=("any_owner", "mapping is the author's code; handlers are registered on a kind"),
        deleted_primary=("silent", "Reason.GONE has no handlers; kopf/_core/intents/causes.py:309-311"),
        missing_primary=("dropped", "Reason.GONE has no handlers; kopf/_core/intents/causes.py:309-311"),
        listed_primary=("wakes_unhandled", "compared with what was handled; kopf/_core/intents/causes.py:324-342"),
        relist=("loses_deletes", "kopf/_cogs/clients/watching.py:166-182"),
        relist_early=("no", "-"),
        primary_filter=("essence", "kopf/_cogs/configs/diffbase.py:39-99"),
        secondary_filter=("everything", "on.event; kopf/_core/reactor/processing.py:350-374"),
        own_writes=("events", "who wrote is not asked; kopf/_core/intents/causes.py:309-342"),
        resync=("none", "none; timers are per object"),
        period=("none", "-"),
        unloads=("no", "-"),
    ),
    _based_on(
        _CLASSIC,
        "metacontroller",
        on_error=("backoff", "pkg/controller/composite/controller.go:205-210,359-383"),
        reads=("all_cached", "pkg/controller/composite/controller.go:594-598"),
        deleted_primary=("wakes", "pkg/controller/composite/controller.go:269-273"),
        period=("none", "resyncPeriodSeconds is off by default; pkg/controller/composite/controller.go:274-290"),
        owner_match=("controller", "pkg/controller/composite/controller.go:441-473"),
        missing_primary=("dropped", "pkg/controller/composite/controller.go:594-598"),
        resync=("30m", "pkg/cmd/metacontroller/main.go:46"),
    ),
    _based_on(
        _CLASSIC,
        "ansible",
        owner_match=("any_owner", "internal/ansible/proxy/proxy.go:242-244"),
        reads=("secondaries_cached", "internal/ansible/proxy/cache_response.go:59-149, controller/reconcile.go:67-75"),
        missing_primary=("dropped", "internal/ansible/controller/reconcile.go:72-75"),
        primary_filter=("spec", "internal/ansible/controller/controller.go:105-114"),
        secondary_filter=("content", "proxy/proxy.go:242-244 with operator-lib predicate/dependent.go:55-105"),
        period=("10h", "internal/ansible/flags/flag.go:102-105"),
    ),
    _based_on(
        _CLASSIC,
        "helm",
        reads=("all_live", "unstructured reads are live: controller-runtime pkg/cluster/cluster.go:208"),
        missing_primary=("dropped", "pkg/reconciler/reconciler.go:590-593"),
        secondary_filter=("content", "reconciler/internal/hook/hook.go:63-120, internal/predicate/predicates.go:35-86"),
        period=("1m", "internal/flags/flag.go:57-60"),
    ),
    _based_on(
        _PRIORITY,
        "crossplane",
        missing_primary=("dropped", "pkg/reconciler/managed/reconciler.go:934-938"),
        primary_filter=("spec", "pkg/resource/predicates.go:49-70"),
        period=("1m", "pkg/reconciler/managed/reconciler.go:1496-1514,52"),
    ),
)


def names() -> tuple[str, ...]:
    """The runtimes a model can name."""
    return tuple(dict.fromkeys(profile.name for profile in PROFILES))


def find(name: str, version: str | None) -> Profile | None:
    """The profile of a runtime at a version (the newest when none is given)."""
    wanted = tuple(int(part) for part in version.split(".")) if version else None
    known = [profile for profile in PROFILES if profile.name == name]
    if wanted is not None:
        known = [profile for profile in known if profile.since <= wanted]
    return max(known, key=lambda profile: profile.since, default=None)
