"""The latent space of the top pairs: priors, reconstructions, principal components."""
