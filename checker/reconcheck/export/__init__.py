"""Models in the languages of other model checkers."""
