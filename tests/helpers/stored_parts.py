"""Parts of made-up numbers that a GAN study stores as if it had trained."""

import numpy as np

MADE = {"device": "test", "seconds": 1.0, "together": 1}


def gan_part(study, number=0, **changes):
    """All generated events in one cell, that of ``number``, which the sample holds too."""
    sizes = study.event_sizes
    counts = np.zeros((len(sizes), 100), np.int32)
    counts[:, number % 100] = sizes
    density = np.zeros(162, np.int32)
    density[1 + number % 160] = sizes[-1]
    return {
        "sample": np.full((study.n_train, 1), float(number)),
        "counts": counts,
        "density": density,
        "losses": np.array([[study.epochs, 1, 0, 1]], np.float32),
        "diverged": np.array(-1),
        **changes,
    }
