"""The camel back of the amplification papers: samples, fits, GANs, ensembles, smoothing."""
