"""One small operator in the languages of four checkers, for any number of secondaries.

There is one key.  A user changes a version (0..2) finitely often, and each change queues the key.  A reconcile
begins when the key is queued: it notes the version and whether all secondaries are up.  When it ends and the noted
version is a new one, that version is observed, every secondary is restarted (and so down), and "not ready" is
reported; otherwise what was noted is reported.  Each secondary comes up by itself, fairly.  When a secondary that
is watched goes up or down the key is queued.  To be shown: from some moment on the version is observed and what is
reported is true.  That holds if all secondaries are watched, and fails if the last one is not.

There are no caches and no faults, and a reconcile reads and writes everything at once: much less than reconcheck
looks at by default.
"""

from __future__ import annotations

from msgspec import Struct


class Instance(Struct, frozen=True):
    """How many secondaries there are, and whether the last one is watched too."""

    size: int
    all_watched: bool

    @property
    def watched(self) -> int:
        """How many secondaries are watched: those with the lowest numbers."""
        return self.size if self.all_watched else self.size - 1


def promela(instance: Instance, question: str) -> str:
    """For Spin.  The idle process is needed: without it `pan -a -f` overlooks runs that end (Spin's issue 38)."""
    numbers = range(instance.size)
    every, watched = (
        " && ".join(f"up[{i}]" for i in numbers),
        " || ".join(f"up[{i}]" for i in numbers[: instance.watched]),
    )
    restart = " ".join(f"up[{i}] = false;" for i in numbers)
    lines = [
        "byte version, observed, noted;",
        "bool running, noted_up, reported, calm;",
        "bool queued = true;",
        f"bool up[{instance.size}];",
        f"#define ALL_UP ({every})",
        f"#define WATCHED_UP ({watched or 'false'})",
        "#define SETTLED (observed == version && reported == ALL_UP)",
        f"active [{instance.size}] proctype secondary() {{",
        "end: do",
        f"  :: d_step {{ !up[_pid] -> up[_pid] = true; queued = queued || _pid < {instance.watched} }}",
        "  od }",
        "active proctype controller() {",
        "end: do",
        "  :: d_step { queued && !running ->",
        "       queued = false; running = true; noted = version; noted_up = ALL_UP }",
        "  :: d_step { running ->",
        "       running = false;",
        "       if",
        "       :: noted != observed -> queued = queued || WATCHED_UP; observed = noted; reported = false;",
        f"            {restart}",
        "       :: else -> reported = noted_up",
        "       fi;",
        "       noted = 0; noted_up = false }",
        "  od }",
        "active proctype user() {",
        "end: do",
        *(f"  :: d_step {{ !calm && version != {v} -> version = {v}; queued = true }}" for v in range(3)),
        "  od }",
        "active proctype calming() { d_step { calm = true } }",
    ]
    if question == "quiet":
        lines += ["active proctype judge() {", "end: timeout -> assert(SETTLED) }"]
    else:
        lines += ["active proctype idle() {", "end: do :: running = running od }", "ltl converges { <>[] SETTLED }"]
    return "\n".join(lines) + "\n"


def smv(instance: Instance, question: str) -> str:
    """For NuSMV.  Each fair action disables itself, so that it is fair says: its guard is false again and again."""
    numbers = range(instance.size)
    ups = [f"up{i}" for i in numbers]
    begins = " | ".join(f"(step = raise{i} & !up{i})" for i in numbers[: instance.watched])
    lines = [
        "MODULE main",
        "IVAR",
        f"  step : {{begin, finish, edit, settle, {', '.join(f'raise{i}' for i in numbers)}}};",
        "  chosen : 0..2;",
        "VAR",
        "  version : 0..2; observed : 0..2; noted : 0..2;",
        "  running : boolean; queued : boolean; noted_up : boolean; reported : boolean; calm : boolean;",
        *(f"  {up} : boolean;" for up in ups),
        "DEFINE",
        f"  all_up := {' & '.join(ups)};",
        f"  watched_up := {' | '.join(ups[: instance.watched]) or 'FALSE'};",
        "  settled := observed = version & (reported <-> all_up);",
        "  begins := step = begin & queued & !running;",
        "  finishes := step = finish & running;",
        "  restarts := finishes & noted != observed;",
        "  edits := step = edit & !calm & chosen != version;",
        f"  wakes := {begins or 'FALSE'};",
        "ASSIGN",
        "  init(version) := 0; init(observed) := 0; init(noted) := 0;",
        "  init(running) := FALSE; init(queued) := TRUE; init(noted_up) := FALSE;",
        "  init(reported) := FALSE; init(calm) := FALSE;",
        "  next(version) := case edits : chosen; TRUE : version; esac;",
        "  next(observed) := case finishes : noted; TRUE : observed; esac;",
        "  next(noted) := case begins : version; finishes : 0; TRUE : noted; esac;",
        "  next(running) := case begins : TRUE; finishes : FALSE; TRUE : running; esac;",
        "  next(queued) := case begins : FALSE; edits | wakes | restarts & watched_up : TRUE; TRUE : queued; esac;",
        "  next(noted_up) := case begins : all_up; finishes : FALSE; TRUE : noted_up; esac;",
        "  next(reported) := case restarts : FALSE; finishes : noted_up; TRUE : reported; esac;",
        "  next(calm) := calm | step = settle;",
    ]
    for i in numbers:
        lines += [
            f"  init(up{i}) := FALSE;",
            f"  next(up{i}) := case restarts : FALSE; step = raise{i} : TRUE; TRUE : up{i}; esac;",
        ]
    if question == "quiet":
        lines.append("INVARSPEC calm & !queued & !running & all_up -> settled")
    else:
        fair = ["!(queued & !running)", "!running", "calm", *ups]
        lines += [*(f"JUSTICE {guard}" for guard in fair), "LTLSPEC F G settled"]
    return "\n".join(lines) + "\n"


def tla(instance: Instance) -> str:
    """For TLC: the module `Fanout`.  Which question is asked is up to the configuration."""
    return f"""---- MODULE Fanout ----
EXTENDS Naturals
Secondaries == 1..{instance.size}
Watched == 1..{instance.watched}
VARIABLES version, observed, noted, running, queued, notedUp, reported, calm, up
vars == <<version, observed, noted, running, queued, notedUp, reported, calm, up>>
AllUp == \\A i \\in Secondaries : up[i]
Init ==
  /\\ version = 0 /\\ observed = 0 /\\ noted = 0
  /\\ running = FALSE /\\ queued = TRUE /\\ notedUp = FALSE /\\ reported = FALSE /\\ calm = FALSE
  /\\ up = [i \\in Secondaries |-> FALSE]
Begin ==
  /\\ queued /\\ ~running
  /\\ queued' = FALSE /\\ running' = TRUE /\\ noted' = version /\\ notedUp' = AllUp
  /\\ UNCHANGED <<version, observed, reported, calm, up>>
Restart ==
  /\\ queued' = (queued \\/ \\E i \\in Watched : up[i])
  /\\ reported' = FALSE
  /\\ up' = [i \\in Secondaries |-> FALSE]
Finish ==
  /\\ running
  /\\ IF noted # observed THEN Restart ELSE reported' = notedUp /\\ UNCHANGED <<queued, up>>
  /\\ observed' = noted
  /\\ running' = FALSE /\\ noted' = 0 /\\ notedUp' = FALSE
  /\\ UNCHANGED <<version, calm>>
Raise(i) ==
  /\\ ~up[i]
  /\\ up' = [up EXCEPT ![i] = TRUE]
  /\\ queued' = (queued \\/ i \\in Watched)
  /\\ UNCHANGED <<version, observed, noted, running, notedUp, reported, calm>>
Edit ==
  /\\ ~calm
  /\\ \\E v \\in 0..2 \\ {{version}} : version' = v
  /\\ queued' = TRUE
  /\\ UNCHANGED <<observed, noted, running, notedUp, reported, calm, up>>
Settle ==
  /\\ ~calm
  /\\ calm' = TRUE
  /\\ UNCHANGED <<version, observed, noted, running, queued, notedUp, reported, up>>
Next == Begin \\/ Finish \\/ Edit \\/ Settle \\/ \\E i \\in Secondaries : Raise(i)
Spec ==
  /\\ Init /\\ [][Next]_vars
  /\\ WF_vars(Begin) /\\ WF_vars(Finish) /\\ WF_vars(Settle) /\\ \\A i \\in Secondaries : WF_vars(Raise(i))
Settled == observed = version /\\ reported = AllUp
Converges == <>[]Settled
Quiet == calm /\\ ~queued /\\ ~running /\\ AllUp => Settled
====
"""


def tla_configuration(question: str) -> str:
    """What TLC is asked about the module."""
    asked = "INVARIANT Quiet" if question == "quiet" else "PROPERTY Converges"
    return f"SPECIFICATION Spec\n{asked}\nCHECK_DEADLOCK FALSE\n"


def rdsl(instance: Instance) -> str:
    """For reconcheck, as near as its language comes.

    All data are fields of one external, so that one live read gets them all and one call writes them all.  An event
    waits to be delivered, which it does not in the other languages; that the reconcile ends is a step of its own.
    """
    numbers = range(instance.size)
    every = " and ".join(f"cluster.up{i}" for i in numbers)
    return "\n".join(
        [
            "rdsl 1",
            "operator one_object {",
            "  runtime controller-runtime 0.24",
            "  primary App as app",
            "  external cluster notifies {",
            "    version: 0..2 = 0  observed: 0..2 = 0  reported: bool = false",
            *(f"    up{i}: bool = false" for i in numbers),
            "  }",
            "  controller app for app {",
            "    watch app on create",
            f"    watch cluster on {', '.join(['version', *(f'up{i}' for i in numbers[: instance.watched])])}",
            "    on error backoff",
            "    reconcile {",
            "      let noted = live(cluster)",
            "      when noted.version != noted.observed {",
            "        call cluster {",
            "          observed = noted.version",
            "          reported = false",
            *(f"          up{i} = false" for i in numbers),
            "        }",
            "      } else {",
            f"        call cluster.reported = {every.replace('cluster', 'noted')}",
            "      }",
            "      await change",
            "    }",
            "  }",
            "  environment {",
            *(f"    process raise{i} {{ cluster.up{i} = true }}" for i in numbers),
            "    disturbance edit { cluster.version = any }",
            "  }",
            "  faults { api off  call off  crash off  relist off }",
            "  converges {",
            f"    settled: cluster.observed == cluster.version and cluster.reported == ({every})",
            "  }",
            f"  expect settled {'converges' if instance.all_watched else 'quiet'}",
            "}",
            "",
        ]
    )
