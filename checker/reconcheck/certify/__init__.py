"""Checking proofs with Z3, without trusting who found them."""
