"""The one style of the book's figures.

Colours are Okabe and Ito's, which survive colour blindness; every curve also has a line style or
marker of its own, so that it survives a black-and-white print.
"""

from __future__ import annotations

import re
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

BLACK, BLUE, GREEN, ORANGE, PURPLE = "#000000", "#0072B2", "#009E73", "#E69F00", "#7B4EA3"
VERMILLION, SKY, GREY = "#D55E00", "#56B4E9", "#777777"

CENTRAL = (0.16, 0.84)
"""Quantiles that hold the central 68%."""

STYLE: dict[str, Any] = {
    "font.size": 10,
    "axes.labelsize": 11,
    "axes.linewidth": 0.8,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "figure.dpi": 110,
    "savefig.bbox": "tight",
    "svg.fonttype": "path",
    "svg.hashsalt": "amplify",
    "pdf.fonttype": 42,
}


def use_style() -> None:
    """Apply the book's style to matplotlib."""
    mpl.rcParams.update(STYLE)  # type: ignore[arg-type]


def band(ax: Axes, x: np.ndarray, values: np.ndarray, color: str, label: str, style: str) -> None:
    """Mean over repetitions (axis 0) with a band of one standard deviation."""
    mean = values.mean(0)
    ax.plot(x, mean, style, color=color, label=label)
    if len(values) > 1:
        shade(ax, x, mean, values.std(0, ddof=1), color)


def middle_band(
    ax: Axes, x: np.ndarray, values: np.ndarray, color: str, label: str, style: str
) -> None:
    """Mean over repetitions (axis 0) with the band that holds their central 68%."""
    ax.plot(x, values.mean(0), style, color=color, label=label)
    low, high = np.quantile(values, CENTRAL, axis=0)
    ax.fill_between(x, low, high, color=color, alpha=0.22, linewidth=0)


def shade(ax: Axes, x: np.ndarray, mean: np.ndarray, spread: np.ndarray, color: str) -> None:
    """A band about a mean, on an axis that may be logarithmic."""
    low = np.maximum(mean - spread, 1e-3 * mean)
    ax.fill_between(x, low, mean + spread, color=color, alpha=0.22, linewidth=0)


def with_powers(text: str) -> str:
    """With powers of ten as they are written.

    >>> with_powers("S-VAE, B = 1e-05"), with_powers("commit 1234567e89 of 1.2e6")
    ('S-VAE, B = 10⁻⁵', 'commit 1234567e89 of 1.2 × 10⁶')
    """

    def power(found: re.Match[str]) -> str:
        factor, exponent = found[1], str(int(found[2]))
        ten = "10" + exponent.translate(_SUPERSCRIPTS)
        return ten if factor == "1" else f"{factor} × {ten}"

    return re.sub(r"(?<![\w.])(\d(?:\.\d+)?)e([-+]?\d{1,2})\b", power, text)


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def with_minus(text: str) -> str:
    """With the minus of typography before numbers, and hyphens elsewhere.

    >>> with_minus("-1.9 to -1.5 (-12) of the B-VAE, 3-5")
    '−1.9 to −1.5 (−12) of the B-VAE, 3-5'
    """
    return re.sub(r"(?<![^\s(])-(?=\d)", "−", text)


def printed(number: object) -> str:
    """A number as a figure prints it, whose texts no page typesets.

    >>> printed(-0.5), printed("9.3e-04 ± 1e-05")
    ('−0.5', '9.3 × 10⁻⁴ ± 10⁻⁵')
    """
    return with_minus(with_powers(str(number)))
