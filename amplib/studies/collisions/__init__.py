"""Two-body decays, Z bosons and top pairs, and what is measured of them."""
