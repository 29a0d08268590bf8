"""Remembers reports, so that what has not changed is not verified twice."""
