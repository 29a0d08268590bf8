/* Under weak fairness Spin may repeat a step that does nothing, down to its depth limit.
 *
 * One process changes p again and again, another makes q follow, and a third can always do nothing.  That p does not
 * stay true is found, but with `-DLAST` only after "max search depth too small", whatever `-m` is.  Of the processes
 * Spin tries those first that were started last.  Its second search takes a state that is on the way of the first one
 * for a new one, unless nobody is owed a step there: so where it tries doing nothing first, it comes back and back.
 * Exports start that process before all others.
 */
bool p, q;

proctype others() {
  do
  :: p || !p /* nothing */
  od
}

proctype follows() {
  do
  :: d_step { q != p -> q = p }
  od
}

proctype changes() {
  do
  :: d_step { q == p -> p = !p }
  od
}

init {
  atomic {
#ifdef LAST
    run follows(); run changes(); run others()
#else
    run others(); run follows(); run changes()
#endif
  }
}

ltl p_stays { <> [] p }
