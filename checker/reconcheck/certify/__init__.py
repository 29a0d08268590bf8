"""Checking proofs with a solver, without trusting who found them."""
