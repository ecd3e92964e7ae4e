"""Generators of showers, and the weights that mend them."""
