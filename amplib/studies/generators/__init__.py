"""Generators that are trained on showers."""
