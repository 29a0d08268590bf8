"""The benchmark: `python -m tests.bench`, described in README.md."""
