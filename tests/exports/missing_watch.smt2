; Written by reconcheck VERSION: missing_watch in SMT-LIB 2, without schedule.
; From tests/golden/missing-watch.rdsl.
;
; Questions: same (converges).
;
; To run it:
;   append to missing_watch.smt2, for a run of two steps:
;     (declare-const c0 Choice) (declare-const c1 Choice) (declare-const c2 Choice)
;     (declare-const s0 State) (declare-const s1 State) (declare-const s2 State)
;     (assert (init c0 s0)) (assert (trans s0 c1 s1)) (assert (trans s1 c2 s2))
;     (assert (|quiet same| s2)) (check-sat) (get-value (s0 c1 s1 c2 s2))
;   then: z3 missing_watch.smt2
;
; Disturbances and faults are possible until the step `calm` is taken, which is fair: they happen
; finitely often. Faults on: api, call, crash, relist. Each action says in its guard also that it
; changes something.
; There are 5 opaque values besides `none`, which is 0 where they are numbers. That is no bound:
; values are only compared and copied, and a step always finds one that is new.
; A step is asked for as (trans s c t): from the state s with the choice c, which says which step it
; is, to the state t. Every step changes something; where a run may end there is none.
; (typed s) holds in all states that can be reached, or the model is wrong. For a goal that converges,
; quiet finds runs that end without it; a livelock is a run of calm steps back to a state where it
; was, on which each unit is taken or somewhere impossible.

(set-logic ALL)

(declare-datatypes ((Name 0)) (((idle) (stopped) (|line 16|) (|line 17|) (|line 18|) (none) (error))))
(declare-datatypes ((Step 0)) ((
  (|reconcile app: read database (L16)|)
  (|reconcile app: call database (L17)|)
  (|reconcile app: await change (L18)|)
  (|reconcile app: await change (L18) #2|)
  (|sync app|)
  (|sync users|)
  (|start app|)
  (|retry app|)
  (|disturbance rotate|)
  (|reconcile app: read database fails (L16)|)
  (|reconcile app: call database fails (L17)|)
  (|reconcile app: call database fails after it took effect (L17)|)
  (crash)
  (|relist app|)
  (|relist users|)
  (|calm begins|)
)))
(declare-datatypes ((State 0)) (((state
  (|pc(app)| Name)  ; where the running reconcile goes on
  (|queued(app)| Bool)  ; the key waits in the queue
  (|timer(app)| Name)  ; the timer that is armed
  (|app/db.password| Int)
  (database.password Int)
  (|event(app: app)| Bool)  ; a change that passed is still to be delivered
  (users.password Int)
  (|view(users.password)| Int)  ; the copy in the informer cache
  (|stale(users)| Bool)  ; it changed since the cache last took it over
  (calm Bool)  ; disturbances and faults are over
))))
(declare-datatypes ((Choice 0)) (((choice (step Step)
  (any0 Int)
))))

(define-fun typed ((s State)) Bool (and true
  (or (= (|pc(app)| s) idle) (= (|pc(app)| s) stopped) (= (|pc(app)| s) |line 16|) (= (|pc(app)| s) |line 17|)
      (= (|pc(app)| s) |line 18|))
  (or (= (|timer(app)| s) none) (= (|timer(app)| s) error))
  (<= 0 (|app/db.password| s) 5)
  (<= 0 (database.password s) 5)
  (<= 0 (users.password s) 5)
  (<= 0 (|view(users.password)| s) 5)
))
(define-fun chosen ((c Choice)) Bool (and true
  (<= 1 (any0 c) 5)
))

(define-fun init ((c Choice) (s State)) Bool (and (chosen c)
  (= (|pc(app)| s) idle)
  (= (|queued(app)| s) true)
  (= (|timer(app)| s) none)
  (= (|app/db.password| s) 0)
  (= (database.password s) 0)
  (= (|event(app: app)| s) false)
  (= (users.password s) (any0 c))
  (= (|view(users.password)| s) (any0 c))
  (= (|stale(users)| s) false)
  (= (calm s) false)
))

; reconcile app: read database (L16) (fair)
;   L16: let db = live(database)
(define-fun |take reconcile app: read database (L16)| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) |reconcile app: read database (L16)|)
  (= (|pc(app)| s) |line 16|)
  (= (|pc(app)| t) |line 17|)
  (= (|app/db.password| t) (database.password s))
  ; the rest stays
  (= (|queued(app)| t) (|queued(app)| s))
  (= (|timer(app)| t) (|timer(app)| s))
  (= (database.password t) (database.password s))
  (= (|event(app: app)| t) (|event(app: app)| s))
  (= (users.password t) (users.password s))
  (= (|view(users.password)| t) (|view(users.password)| s))
  (= (|stale(users)| t) (|stale(users)| s))
  (= (calm t) (calm s))
))

; reconcile app: call database (L17) (fair)
;   L17: when db.password != users.password { call database.password = users.password }
(define-fun |take reconcile app: call database (L17)| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) |reconcile app: call database (L17)|)
  (= (|pc(app)| s) |line 17|)
  (not (= (|app/db.password| s) (|view(users.password)| s)))
  (= (|pc(app)| t) |line 18|)
  (= (|app/db.password| t) 0)
  (= (database.password t) (|view(users.password)| s))
  ; the rest stays
  (= (|queued(app)| t) (|queued(app)| s))
  (= (|timer(app)| t) (|timer(app)| s))
  (= (|event(app: app)| t) (|event(app: app)| s))
  (= (users.password t) (users.password s))
  (= (|view(users.password)| t) (|view(users.password)| s))
  (= (|stale(users)| t) (|stale(users)| s))
  (= (calm t) (calm s))
))

; reconcile app: await change (L18) (fair)
;   L18: await change
(define-fun |take reconcile app: await change (L18)| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) |reconcile app: await change (L18)|)
  (= (|pc(app)| s) |line 17|)
  (= (|app/db.password| s) (|view(users.password)| s))
  (= (|pc(app)| t) idle)
  (= (|app/db.password| t) 0)
  ; the rest stays
  (= (|queued(app)| t) (|queued(app)| s))
  (= (|timer(app)| t) (|timer(app)| s))
  (= (database.password t) (database.password s))
  (= (|event(app: app)| t) (|event(app: app)| s))
  (= (users.password t) (users.password s))
  (= (|view(users.password)| t) (|view(users.password)| s))
  (= (|stale(users)| t) (|stale(users)| s))
  (= (calm t) (calm s))
))

; reconcile app: await change (L18) (fair)
;   L18: await change
(define-fun |take reconcile app: await change (L18) #2| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) |reconcile app: await change (L18) #2|)
  (= (|pc(app)| s) |line 18|)
  (= (|pc(app)| t) idle)
  ; the rest stays
  (= (|queued(app)| t) (|queued(app)| s))
  (= (|timer(app)| t) (|timer(app)| s))
  (= (|app/db.password| t) (|app/db.password| s))
  (= (database.password t) (database.password s))
  (= (|event(app: app)| t) (|event(app: app)| s))
  (= (users.password t) (users.password s))
  (= (|view(users.password)| t) (|view(users.password)| s))
  (= (|stale(users)| t) (|stale(users)| s))
  (= (calm t) (calm s))
))

; sync app (fair)
(define-fun |take sync app| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) |sync app|)
  (|event(app: app)| s)
  (= (|queued(app)| t) true)
  (= (|timer(app)| t) none)
  (= (|event(app: app)| t) false)
  ; the rest stays
  (= (|pc(app)| t) (|pc(app)| s))
  (= (|app/db.password| t) (|app/db.password| s))
  (= (database.password t) (database.password s))
  (= (users.password t) (users.password s))
  (= (|view(users.password)| t) (|view(users.password)| s))
  (= (|stale(users)| t) (|stale(users)| s))
  (= (calm t) (calm s))
))

; sync users (fair)
(define-fun |take sync users| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) |sync users|)
  (|stale(users)| s)
  (= (|view(users.password)| t) (users.password s))
  (= (|stale(users)| t) false)
  ; the rest stays
  (= (|pc(app)| t) (|pc(app)| s))
  (= (|queued(app)| t) (|queued(app)| s))
  (= (|timer(app)| t) (|timer(app)| s))
  (= (|app/db.password| t) (|app/db.password| s))
  (= (database.password t) (database.password s))
  (= (|event(app: app)| t) (|event(app: app)| s))
  (= (users.password t) (users.password s))
  (= (calm t) (calm s))
))

; start app (fair)
(define-fun |take start app| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) |start app|)
  (= (|pc(app)| s) idle)
  (|queued(app)| s)
  (= (|pc(app)| t) |line 16|)
  (= (|queued(app)| t) false)
  ; the rest stays
  (= (|timer(app)| t) (|timer(app)| s))
  (= (|app/db.password| t) (|app/db.password| s))
  (= (database.password t) (database.password s))
  (= (|event(app: app)| t) (|event(app: app)| s))
  (= (users.password t) (users.password s))
  (= (|view(users.password)| t) (|view(users.password)| s))
  (= (|stale(users)| t) (|stale(users)| s))
  (= (calm t) (calm s))
))

; retry app (fair)
(define-fun |take retry app| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) |retry app|)
  (= (|timer(app)| s) error)
  (= (|queued(app)| t) true)
  (= (|timer(app)| t) none)
  ; the rest stays
  (= (|pc(app)| t) (|pc(app)| s))
  (= (|app/db.password| t) (|app/db.password| s))
  (= (database.password t) (database.password s))
  (= (|event(app: app)| t) (|event(app: app)| s))
  (= (users.password t) (users.password s))
  (= (|view(users.password)| t) (|view(users.password)| s))
  (= (|stale(users)| t) (|stale(users)| s))
  (= (calm t) (calm s))
))

; disturbance rotate (disturbance)
;   L23: disturbance rotate { users.password = any }
(define-fun |take disturbance rotate| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) |disturbance rotate|)
  (not (calm s))
  (not (= (users.password s) (any0 c)))
  (= (users.password t) (any0 c))
  (= (|stale(users)| t) true)
  ; the rest stays
  (= (|pc(app)| t) (|pc(app)| s))
  (= (|queued(app)| t) (|queued(app)| s))
  (= (|timer(app)| t) (|timer(app)| s))
  (= (|app/db.password| t) (|app/db.password| s))
  (= (database.password t) (database.password s))
  (= (|event(app: app)| t) (|event(app: app)| s))
  (= (|view(users.password)| t) (|view(users.password)| s))
  (= (calm t) (calm s))
))

; reconcile app: read database fails (L16) (fault)
;   L16: let db = live(database)
(define-fun |take reconcile app: read database fails (L16)| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) |reconcile app: read database fails (L16)|)
  (not (calm s))
  (= (|pc(app)| s) |line 16|)
  (= (|pc(app)| t) idle)
  (= (|timer(app)| t) (ite (and (not (|queued(app)| s)) (not (= (|timer(app)| s) error))) error (|timer(app)|
      s)))
  ; the rest stays
  (= (|queued(app)| t) (|queued(app)| s))
  (= (|app/db.password| t) (|app/db.password| s))
  (= (database.password t) (database.password s))
  (= (|event(app: app)| t) (|event(app: app)| s))
  (= (users.password t) (users.password s))
  (= (|view(users.password)| t) (|view(users.password)| s))
  (= (|stale(users)| t) (|stale(users)| s))
  (= (calm t) (calm s))
))

; reconcile app: call database fails (L17) (fault)
;   L17: when db.password != users.password { call database.password = users.password }
(define-fun |take reconcile app: call database fails (L17)| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) |reconcile app: call database fails (L17)|)
  (not (calm s))
  (= (|pc(app)| s) |line 17|)
  (not (= (|app/db.password| s) (|view(users.password)| s)))
  (= (|pc(app)| t) idle)
  (= (|timer(app)| t) (ite (and (not (|queued(app)| s)) (not (= (|timer(app)| s) error))) error (|timer(app)|
      s)))
  (= (|app/db.password| t) 0)
  ; the rest stays
  (= (|queued(app)| t) (|queued(app)| s))
  (= (database.password t) (database.password s))
  (= (|event(app: app)| t) (|event(app: app)| s))
  (= (users.password t) (users.password s))
  (= (|view(users.password)| t) (|view(users.password)| s))
  (= (|stale(users)| t) (|stale(users)| s))
  (= (calm t) (calm s))
))

; reconcile app: call database fails after it took effect (L17) (fault)
;   L17: when db.password != users.password { call database.password = users.password }
(define-fun |take reconcile app: call database fails after it took effect (L17)| ((s State) (c Choice) (t
    State)) Bool (and
  (= (step c) |reconcile app: call database fails after it took effect (L17)|)
  (not (calm s))
  (= (|pc(app)| s) |line 17|)
  (not (= (|app/db.password| s) (|view(users.password)| s)))
  (= (|pc(app)| t) idle)
  (= (|timer(app)| t) (ite (and (not (|queued(app)| s)) (not (= (|timer(app)| s) error))) error (|timer(app)|
      s)))
  (= (|app/db.password| t) 0)
  (= (database.password t) (|view(users.password)| s))
  ; the rest stays
  (= (|queued(app)| t) (|queued(app)| s))
  (= (|event(app: app)| t) (|event(app: app)| s))
  (= (users.password t) (users.password s))
  (= (|view(users.password)| t) (|view(users.password)| s))
  (= (|stale(users)| t) (|stale(users)| s))
  (= (calm t) (calm s))
))

; crash (fault)
(define-fun |take crash| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) crash)
  (not (calm s))
  (or (|event(app: app)| s) (not (= (|view(users.password)| s) (users.password s))) (|stale(users)| s) (not (=
      (|pc(app)| s) idle)) (not (|queued(app)| s)) (not (= (|app/db.password| s) 0)) (not (= (|timer(app)| s)
      none)))
  (= (|pc(app)| t) idle)
  (= (|queued(app)| t) true)
  (= (|timer(app)| t) none)
  (= (|app/db.password| t) 0)
  (= (|event(app: app)| t) false)
  (= (|view(users.password)| t) (users.password s))
  (= (|stale(users)| t) false)
  ; the rest stays
  (= (database.password t) (database.password s))
  (= (users.password t) (users.password s))
  (= (calm t) (calm s))
))

; relist app (fault)
(define-fun |take relist app| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) |relist app|)
  (not (calm s))
  (|event(app: app)| s)
  (= (|queued(app)| t) true)
  (= (|timer(app)| t) none)
  (= (|event(app: app)| t) false)
  ; the rest stays
  (= (|pc(app)| t) (|pc(app)| s))
  (= (|app/db.password| t) (|app/db.password| s))
  (= (database.password t) (database.password s))
  (= (users.password t) (users.password s))
  (= (|view(users.password)| t) (|view(users.password)| s))
  (= (|stale(users)| t) (|stale(users)| s))
  (= (calm t) (calm s))
))

; relist users (fault)
(define-fun |take relist users| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) |relist users|)
  (not (calm s))
  (|stale(users)| s)
  (= (|view(users.password)| t) (users.password s))
  (= (|stale(users)| t) false)
  ; the rest stays
  (= (|pc(app)| t) (|pc(app)| s))
  (= (|queued(app)| t) (|queued(app)| s))
  (= (|timer(app)| t) (|timer(app)| s))
  (= (|app/db.password| t) (|app/db.password| s))
  (= (database.password t) (database.password s))
  (= (|event(app: app)| t) (|event(app: app)| s))
  (= (users.password t) (users.password s))
  (= (calm t) (calm s))
))

; calm (fair)
;   disturbances and faults are over
(define-fun |take calm begins| ((s State) (c Choice) (t State)) Bool (and
  (= (step c) |calm begins|)
  (not (calm s))
  (= (calm t) true)
  ; the rest stays
  (= (|pc(app)| t) (|pc(app)| s))
  (= (|queued(app)| t) (|queued(app)| s))
  (= (|timer(app)| t) (|timer(app)| s))
  (= (|app/db.password| t) (|app/db.password| s))
  (= (database.password t) (database.password s))
  (= (|event(app: app)| t) (|event(app: app)| s))
  (= (users.password t) (users.password s))
  (= (|view(users.password)| t) (|view(users.password)| s))
  (= (|stale(users)| t) (|stale(users)| s))
))

(define-fun trans ((s State) (c Choice) (t State)) Bool (and (chosen c) (or
  (|take reconcile app: read database (L16)| s c t)
  (|take reconcile app: call database (L17)| s c t)
  (|take reconcile app: await change (L18)| s c t)
  (|take reconcile app: await change (L18) #2| s c t)
  (|take sync app| s c t)
  (|take sync users| s c t)
  (|take start app| s c t)
  (|take retry app| s c t)
  (|take disturbance rotate| s c t)
  (|take reconcile app: read database fails (L16)| s c t)
  (|take reconcile app: call database fails (L17)| s c t)
  (|take reconcile app: call database fails after it took effect (L17)| s c t)
  (|take crash| s c t)
  (|take relist app| s c t)
  (|take relist users| s c t)
  (|take calm begins| s c t)
)))

(define-fun |possible reconcile app| ((s State)) Bool (or (= (|pc(app)| s) |line 16|) (and (= (|pc(app)| s)
    |line 17|) (not (= (|app/db.password| s) (|view(users.password)| s)))) (and (= (|pc(app)| s) |line 17|) (=
    (|app/db.password| s) (|view(users.password)| s))) (= (|pc(app)| s) |line 18|)))
(define-fun |possible sync app| ((s State)) Bool (|event(app: app)| s))
(define-fun |possible sync users| ((s State)) Bool (|stale(users)| s))
(define-fun |possible start app| ((s State)) Bool (and (= (|pc(app)| s) idle) (|queued(app)| s)))
(define-fun |possible retry app| ((s State)) Bool (= (|timer(app)| s) error))
(define-fun |possible calm| ((s State)) Bool (not (calm s)))
; nothing has to happen any more
(define-fun resting ((s State)) Bool (and (not (|possible reconcile app| s)) (not (|possible sync app| s))
    (not (|possible sync users| s)) (not (|possible start app| s)) (not (|possible retry app| s)) (not
    (|possible calm| s))))
; same (converges)
; L26: converges { same: database.password == users.password }
(define-fun |goal same| ((s State)) Bool (= (database.password s) (users.password s)))
(define-fun |quiet same| ((s State)) Bool (and (resting s) (not (|goal same| s))))
