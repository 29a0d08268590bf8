/* Spin refuses an option that is always possible and does nothing: "has unconditional self-loop".
 * A condition that happens to hold always (`-DBEGUN`) will do.
 */
bool begun = true;

active proctype worker() {
  do
#ifdef BEGUN
  :: begun
#else
  :: true
#endif
  od
}
