"""Parts of made-up numbers, such as studies store them."""

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


def fit_part(study):
    """A hundred fits that find the truth exactly, of samples with all of their points in a cell."""
    sizes = (100, 200, 300, 500, 1000)
    sample, lines = np.zeros((100, 100), np.uint16), np.zeros((100, len(sizes), 100), np.uint16)
    sample[:, 0], lines[..., 0] = study.n_train, sizes
    return {
        "sample": sample,
        "lines": lines,
        "fit": np.full((100, 100), 0.01, np.float32),
        "parameters": np.tile([-4.0, 4.0, 1.0, 1.0, 0.5], (100, 1)),
        "covariance": np.zeros((100, 5, 5), np.float32),
        "valid": np.ones(100, bool),
    }
