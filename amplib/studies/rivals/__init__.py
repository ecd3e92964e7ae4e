"""What else generates top pairs: GANs, densities of the events themselves, flows."""
