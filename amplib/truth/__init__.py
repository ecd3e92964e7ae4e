"""Densities and simulators that are known exactly: what everything else is judged by."""
