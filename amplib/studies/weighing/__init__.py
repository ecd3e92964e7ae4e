"""Weights for every generator of the book."""
