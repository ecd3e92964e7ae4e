"""Points in several dimensions, checked once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def as_points(x: ArrayLike, at_least: int = 1, columns: int | None = None) -> NDArray[np.float64]:
    """``x`` as ``(N, D)`` of doubles.

    Raises:
        ValueError: another shape, too few points, or a value that is not finite.
    """
    points = np.asarray(x, dtype=float)
    wanted = f"(N, {'D' if columns is None else columns})"
    if points.ndim != 2 or points.shape[1] == 0 or columns not in (None, points.shape[1]):
        raise ValueError(f"points must be {wanted}, got {points.shape}")
    if len(points) < at_least:
        raise ValueError(f"{at_least} points at least, got {len(points)}")
    if not np.isfinite(points).all():
        row, column = np.argwhere(~np.isfinite(points))[0]
        raise ValueError(f"point {row}: column {column} is {points[row, column]}")
    return points
