"""Two numbers for generated top pairs, and what else is asked of them."""
