"""Disk, processes and network: what a study is, its stored parts, who computes them when."""
