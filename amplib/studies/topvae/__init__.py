"""Top pairs from the B-VAE that the event paper considers best."""
