"""The typed operator: names resolved, types checked, nothing left to guess."""
