"""The chosen B-VAE's events over the plane of smudge factor and offset."""
