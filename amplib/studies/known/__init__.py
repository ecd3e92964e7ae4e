"""DCTR on pairs of known densities: learned weights beside the analytic ratio."""
