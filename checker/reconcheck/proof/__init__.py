"""What proofs are made of: the language that finders and the checker share."""
