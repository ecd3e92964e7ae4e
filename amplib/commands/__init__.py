"""What ``python -m amplib`` does: options to calls."""
