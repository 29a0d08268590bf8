/* Under weak fairness Spin overlooks runs that come to rest (nimble-code/Spin, issue 38).
 *
 * The one run there is makes p false and ends, so p does not stay true: `pan -a` says so, and `pan -a -f` finds no
 * error.  In exports a process can always do nothing, so that no run ends; with `-DALIVE` this model has one too, and
 * then `pan -a -f` finds the error.
 */
bool p = true;

active proctype worker() {
  p = false
}

#ifdef ALIVE
active proctype others() {
  do
  :: p || !p /* nothing */
  od
}
#endif

ltl p_stays { <> [] p }
