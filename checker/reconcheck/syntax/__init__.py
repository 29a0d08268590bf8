"""Text to syntax tree: the grammar, the parser, and what is wrong with a text."""
