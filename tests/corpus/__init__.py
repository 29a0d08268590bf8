"""The page about the models, `models/README.md`: `python -m tests.corpus` writes it from what diagnosing them gives."""
