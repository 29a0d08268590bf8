/* Without `spin -o2`, a variable that is assigned and never read is no part of the state: 1 state is stored instead of 2.
 */
bool x;

active proctype worker() {
  do
  :: x = true
  :: x = false
  od
}
