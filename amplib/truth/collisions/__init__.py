"""Two-body decays, Z bosons, and top pairs behind a parametrised detector."""
