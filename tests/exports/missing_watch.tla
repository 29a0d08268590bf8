---- MODULE missing_watch ----
\* Written by reconcheck VERSION: missing_watch in TLA+, without schedule.
\* From tests/golden/missing-watch.rdsl.
\*
\* Questions: same (converges).
\*
\* To run it:
\*   java -cp tla2tools.jar tlc2.TLC -config missing_watch.cfg missing_watch.tla
\*
\* Disturbances and faults are possible until the step `calm` is taken, which is fair: they happen
\* finitely often. Faults on: api, call, crash, relist. Each action says in its guard also that it
\* changes something.
\* There are 5 opaque values besides `none`, which is 0 where they are numbers. That is no bound:
\* values are only compared and copied, and a step always finds one that is new.
\* TLC counts each state twice, before and after `calm`, and each renaming of opaque values by itself.

EXTENDS Integers

\* opaque values: nothing there, and all others
CONSTANTS None, Values

VARIABLES
  pc_app,  \* pc(app): where the running reconcile goes on
  queued_app,  \* queued(app): the key waits in the queue
  timer_app,  \* timer(app): the timer that is armed
  app_db_password,  \* app/db.password
  database_password,  \* database.password
  event_app_app,  \* event(app: app): a change that passed is still to be delivered
  users_password,  \* users.password
  view_users_password,  \* view(users.password): the copy in the informer cache
  stale_users,  \* stale(users): it changed since the cache last took it over
  calm  \* calm: disturbances and faults are over

vars == <<pc_app, queued_app, timer_app, app_db_password, database_password, event_app_app, users_password,
    view_users_password, stale_users, calm>>

Types ==
  /\ pc_app \in {"idle", "stopped", "line 16", "line 17", "line 18"}
  /\ queued_app \in BOOLEAN
  /\ timer_app \in {"none", "error"}
  /\ app_db_password \in Values \cup {None}
  /\ database_password \in Values \cup {None}
  /\ event_app_app \in BOOLEAN
  /\ users_password \in Values \cup {None}
  /\ view_users_password \in Values \cup {None}
  /\ stale_users \in BOOLEAN
  /\ calm \in BOOLEAN

Init ==
  \E any0 \in Values :
  /\ pc_app = "idle"
  /\ queued_app = TRUE
  /\ timer_app = "none"
  /\ app_db_password = None
  /\ database_password = None
  /\ event_app_app = FALSE
  /\ users_password = any0
  /\ view_users_password = any0
  /\ stale_users = FALSE
  /\ calm = FALSE

\* reconcile app: read database (L16) (fair)
\*   L16: let db = live(database)
reconcile_app_read_database_L16 ==
  /\ pc_app = "line 16"
  /\ pc_app' = "line 17"
  /\ app_db_password' = database_password
  /\ UNCHANGED <<queued_app, timer_app, database_password, event_app_app, users_password, view_users_password,
      stale_users, calm>>

\* reconcile app: call database (L17) (fair)
\*   L17: when db.password != users.password { call database.password = users.password }
reconcile_app_call_database_L17 ==
  /\ pc_app = "line 17"
  /\ app_db_password # view_users_password
  /\ database_password' = view_users_password
  /\ pc_app' = "line 18"
  /\ app_db_password' = None
  /\ UNCHANGED <<queued_app, timer_app, event_app_app, users_password, view_users_password, stale_users,
      calm>>

\* reconcile app: await change (L18) (fair)
\*   L18: await change
reconcile_app_await_change_L18 ==
  /\ pc_app = "line 17"
  /\ app_db_password = view_users_password
  /\ pc_app' = "idle"
  /\ app_db_password' = None
  /\ UNCHANGED <<queued_app, timer_app, database_password, event_app_app, users_password, view_users_password,
      stale_users, calm>>

\* reconcile app: await change (L18) (fair)
\*   L18: await change
reconcile_app_await_change_L18_2 ==
  /\ pc_app = "line 18"
  /\ pc_app' = "idle"
  /\ UNCHANGED <<queued_app, timer_app, app_db_password, database_password, event_app_app, users_password,
      view_users_password, stale_users, calm>>

\* sync app (fair)
sync_app ==
  /\ event_app_app
  /\ event_app_app' = FALSE
  /\ queued_app' = TRUE
  /\ timer_app' = "none"
  /\ UNCHANGED <<pc_app, app_db_password, database_password, users_password, view_users_password, stale_users,
      calm>>

\* sync users (fair)
sync_users ==
  /\ stale_users
  /\ view_users_password' = users_password
  /\ stale_users' = FALSE
  /\ UNCHANGED <<pc_app, queued_app, timer_app, app_db_password, database_password, event_app_app,
      users_password, calm>>

\* start app (fair)
start_app ==
  /\ pc_app = "idle"
  /\ queued_app
  /\ queued_app' = FALSE
  /\ pc_app' = "line 16"
  /\ UNCHANGED <<timer_app, app_db_password, database_password, event_app_app, users_password,
      view_users_password, stale_users, calm>>

\* retry app (fair)
retry_app ==
  /\ timer_app = "error"
  /\ timer_app' = "none"
  /\ queued_app' = TRUE
  /\ UNCHANGED <<pc_app, app_db_password, database_password, event_app_app, users_password,
      view_users_password, stale_users, calm>>

\* disturbance rotate (disturbance)
\*   L23: disturbance rotate { users.password = any }
disturbance_rotate ==
  \E any0 \in Values :
  /\ ~calm
  /\ users_password # any0
  /\ users_password' = any0
  /\ stale_users' = TRUE
  /\ UNCHANGED <<pc_app, queued_app, timer_app, app_db_password, database_password, event_app_app,
      view_users_password, calm>>

\* reconcile app: read database fails (L16) (fault)
\*   L16: let db = live(database)
reconcile_app_read_database_fails_L16 ==
  /\ ~calm
  /\ pc_app = "line 16"
  /\ pc_app' = "idle"
  /\ timer_app' = (IF ~queued_app /\ timer_app # "error" THEN "error" ELSE timer_app)
  /\ UNCHANGED <<queued_app, app_db_password, database_password, event_app_app, users_password,
      view_users_password, stale_users, calm>>

\* reconcile app: call database fails (L17) (fault)
\*   L17: when db.password != users.password { call database.password = users.password }
reconcile_app_call_database_fails_L17 ==
  /\ ~calm
  /\ pc_app = "line 17"
  /\ app_db_password # view_users_password
  /\ pc_app' = "idle"
  /\ timer_app' = (IF ~queued_app /\ timer_app # "error" THEN "error" ELSE timer_app)
  /\ app_db_password' = None
  /\ UNCHANGED <<queued_app, database_password, event_app_app, users_password, view_users_password,
      stale_users, calm>>

\* reconcile app: call database fails after it took effect (L17) (fault)
\*   L17: when db.password != users.password { call database.password = users.password }
reconcile_app_call_database_fails_after_it_took_effect_L17 ==
  /\ ~calm
  /\ pc_app = "line 17"
  /\ app_db_password # view_users_password
  /\ database_password' = view_users_password
  /\ pc_app' = "idle"
  /\ timer_app' = (IF ~queued_app /\ timer_app # "error" THEN "error" ELSE timer_app)
  /\ app_db_password' = None
  /\ UNCHANGED <<queued_app, event_app_app, users_password, view_users_password, stale_users, calm>>

\* crash (fault)
crash ==
  /\ ~calm
  /\ (event_app_app \/ view_users_password # users_password \/ stale_users \/ pc_app # "idle" \/
      ~queued_app \/ app_db_password # None \/ timer_app # "none")
  /\ event_app_app' = FALSE
  /\ view_users_password' = users_password
  /\ stale_users' = FALSE
  /\ pc_app' = "idle"
  /\ queued_app' = TRUE
  /\ app_db_password' = None
  /\ timer_app' = "none"
  /\ UNCHANGED <<database_password, users_password, calm>>

\* relist app (fault)
relist_app ==
  /\ ~calm
  /\ event_app_app
  /\ event_app_app' = FALSE
  /\ queued_app' = TRUE
  /\ timer_app' = "none"
  /\ UNCHANGED <<pc_app, app_db_password, database_password, users_password, view_users_password, stale_users,
      calm>>

\* relist users (fault)
relist_users ==
  /\ ~calm
  /\ stale_users
  /\ view_users_password' = users_password
  /\ stale_users' = FALSE
  /\ UNCHANGED <<pc_app, queued_app, timer_app, app_db_password, database_password, event_app_app,
      users_password, calm>>

\* calm (fair)
\*   disturbances and faults are over
calm_begins ==
  /\ ~calm
  /\ calm' = TRUE
  /\ UNCHANGED <<pc_app, queued_app, timer_app, app_db_password, database_password, event_app_app,
      users_password, view_users_password, stale_users>>

\* reconcile app
reconcile_app ==
  \/ reconcile_app_read_database_L16
  \/ reconcile_app_call_database_L17
  \/ reconcile_app_await_change_L18
  \/ reconcile_app_await_change_L18_2

Next ==
  \/ reconcile_app_read_database_L16
  \/ reconcile_app_call_database_L17
  \/ reconcile_app_await_change_L18
  \/ reconcile_app_await_change_L18_2
  \/ sync_app
  \/ sync_users
  \/ start_app
  \/ retry_app
  \/ disturbance_rotate
  \/ reconcile_app_read_database_fails_L16
  \/ reconcile_app_call_database_fails_L17
  \/ reconcile_app_call_database_fails_after_it_took_effect_L17
  \/ crash
  \/ relist_app
  \/ relist_users
  \/ calm_begins

Fairness ==
  /\ WF_vars(reconcile_app)
  /\ WF_vars(sync_app)
  /\ WF_vars(sync_users)
  /\ WF_vars(start_app)
  /\ WF_vars(retry_app)
  /\ WF_vars(calm_begins)

Spec == Init /\ [][Next]_vars /\ Fairness

\* L26: converges { same: database.password == users.password }
same == <>[](database_password = users_password)

====
