"""What has weights or estimates a density: networks, fits, kernels."""
