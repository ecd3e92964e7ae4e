"""The Gaussian mixtures of DCTRGAN: GANs, and the weights that mend them."""
