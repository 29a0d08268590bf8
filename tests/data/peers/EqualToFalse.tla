---- MODULE EqualToFalse ----
\* Of an invariant that is false whatever the state is, TLC says "The invariant of Never is equal to FALSE", and shows
\* no run; of others it says "Invariant ... is violated", and shows one.
EXTENDS Integers
VARIABLE x
Init == x = 0
Next == x' = 1 - x
Spec == Init /\ [][Next]_x
Never == ~(TRUE)
====
