"""What a model means, twice: the reference interpreter and the compiled system."""
