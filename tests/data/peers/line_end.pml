/* Spin takes the end of the line for the end of the statement: "syntax error saw '||'" in the line of the operator.
 * With the operator at the end of the line before (`-DBEHIND`) it is none.
 */
bool a, b, x;

active proctype worker() {
#ifdef BEHIND
  x = a ||
    b;
#else
  x = a
    || b;
#endif
}
