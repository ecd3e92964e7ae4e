"""Showers, and what is measured of them."""
