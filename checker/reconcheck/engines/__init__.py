"""Finding verdicts: explicit search, slices, bounded search."""
