/* Bits cannot be hidden: "bit variable (b) cannot be hidden".  A byte (`-DBYTE`) can.
 */
#ifdef BYTE
hidden byte b;
#else
hidden bool b;
#endif

active proctype worker() {
  b = true
}
