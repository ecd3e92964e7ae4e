"""What the event paper states (Otten et al., arXiv:1901.00875): pages and figures read it here.

A figure of merit is delta, delta_OF.
"""

from __future__ import annotations

Merit = tuple[float, float]
Buffers = dict[tuple[int, float, float, float], Merit]
"""By (dim z, B, alpha, gamma)."""

PAPER_EVENTS, PAPER_TRAINING = 1_200_000, 100_000
"""Top pairs in all, and those that train (sec. III C)."""
PAPER_IDEAL: Merit = (0.0003, 0.5)
"""What the paper expects of an ideal generator with ``PAPER_EVENTS`` (sec. III C)."""

TABLE_I: Buffers = {
    (20, 1e-6, 1, 0.01): (0.0076, 3.69),
    (20, 1e-7, 1, 0.01): (0.0090, 3.81),
    (20, 1e-6, 1, 0.05): (0.0090, 1.01),
    (16, 1e-7, 1, 0.01): (0.0095, 4.29),
    (16, 1e-6, 1, 0.01): (0.0101, 3.30),
    (16, 1e-6, 1, 0.05): (0.0122, 0.51),
    (16, 1e-5, 1, 0.05): (0.0137, 0.46),
    (24, 1e-5, 1, 0.05): (0.0138, 0.65),
    (16, 1e-5, 1, 0.01): (0.0148, 1.23),
    (20, 1e-5, 1, 0.01): (0.0148, 1.18),
    (24, 1e-5, 1, 0.01): (0.0149, 1.06),
    (28, 1e-7, 1, 0.01): (0.0155, 4.22),
    (24, 1e-7, 1, 0.01): (0.0156, 3.63),
    (24, 1e-6, 1, 0.01): (0.0165, 3.68),
    (28, 1e-6, 1, 0.01): (0.0176, 3.71),
}
"""alpha = 1."""

TABLE_II: Buffers = {
    (28, 1e-7, 1, 0): (0.0066, 94.00),
    (24, 1e-7, 1, 0): (0.0074, 97.92),
    (20, 1e-6, 1, 0): (0.0075, 17.48),
    (20, 1e-7, 1, 0): (0.0084, 106.64),
    (20, 1e-7, 5, 0): (0.0088, 5.67),
    (16, 1e-7, 5, 0): (0.0093, 7.96),
    (16, 1e-7, 1, 0): (0.0094, 133.48),
    (16, 1e-6, 1, 0): (0.0102, 14.02),
    (16, 1e-7, 10, 0): (0.0102, 2.05),
    (20, 1e-7, 10, 0): (0.0112, 1.65),
    (24, 1e-7, 5, 0): (0.0144, 4.55),
    (24, 1e-6, 1, 0): (0.0156, 15.45),
    (28, 1e-6, 1, 0): (0.0162, 13.52),
    (28, 1e-7, 5, 0): (0.0166, 4.60),
    (28, 1e-6, 5, 0): (0.0189, 0.68),
}
"""gamma = 0."""

TABLE_III: dict[str, Merit] = {
    "KDE": (0.2631, 7.30),
    "GMM, 50": (0.0297, 11.54),
    "GMM, 100": (0.0266, 12.70),
    "GMM, 1000": (0.0302, 7.64),
    "S-VAE, B = 1": (1.4452, 840.60),
    "S-VAE, B = 0.1": (1.1438, 756.56),
    "S-VAE, B = 0.01": (0.0689, 12.73),
    "S-VAE, B = 0.001": (0.0438, 3.36),
    "S-VAE, B = 0.0001": (0.0992, 9.26),
    "S-VAE, B = 1e-05": (0.3179, 12.33),
    "S-VAE, B = 1e-06": (0.8753, 238.33),
}
"""Other priors of the codes."""

TABLE_IV: dict[str, Merit] = {
    "DijetGAN": (0.3477, 19.70),
    "LSGAN": (0.3592, 3.03),
    "MMD-GAN": (0.9454, 642.20),
    "WGAN-GP": (1.1605, 723.79),
    "WGAN": (1.0672, 840.63),
}
"""GANs."""

TABLE_V: dict[str, Merit] = {
    "KDE": (0.6038, 4.99),
    "GMM, 50": (0.1078, 16.33),
    "GMM, 100": (0.0948, 20.43),
    "GMM, 1000": (0.0874, 12.09),
    "5% smearing": (0.0093, 3.53),
    "10% smearing": (0.0192, 3.89),
}
"""Densities of the events themselves, and training events that are smeared."""
PAPER_SMEARED, PAPER_SMEARED_OF = zip(TABLE_V["5% smearing"], TABLE_V["10% smearing"], strict=True)
"""delta and delta_OF (eta) of smeared events, by width."""
