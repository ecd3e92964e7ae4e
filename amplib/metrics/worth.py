"""What one generator's events are worth, from how many of them lie in each cell, weights and all.

Everything is said in 1/N_equiv, in which errors add up.  Let a generator put the probability pi_j
into cell j of the q that hold 1/q of the truth each, and

1/N_equiv = sum_j (pi_j - 1/q)^2 / (1 - 1/q),

the limit of eq. (2) for infinitely many events over its expectation for one true point.  The
fractions p_j of n events add their own noise,

<1/N_as_it_is> = sum_j <(p_j - 1/q)^2> / (1 - 1/q) = (1 - 1/n) / N_equiv + 1/n,

exactly; solved for 1/N_equiv this is an unbiased estimate, the U statistic of pairs of events in
one cell.  Cells cut from M held-out events (:class:`amplib.cells.Splits`) add 1/(M + 2) likewise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtr, chdtri, chndtrinc

from amplib.cells import Partition, check_cells
from amplib.estimate import LEVEL, AtLeast, Estimate, mean, t_quantile
from amplib.metrics.quantiles import expected_mse, n_equiv, quantile_mse
from amplib.metrics.weights import as_weights

Array = NDArray[np.float64]

TAIL = (1 - LEVEL) / 2
VISIBLE = 2.0
"""Errors by which a cell deviates from 1/q to be taken for more than noise."""
TOO_EVEN = 1e-3
"""Probability of independent events below which they are called too even."""
TOO_EVEN_TO_USE = 1e-4
"""No bound is made of a smaller deviation than true events have in one case of so many."""
STEEPEST = 0.1
"""The variance of an estimate grows with it at least at this part of the rate that small deviations
have; without it a generator with all its events in half of the cells would have no error at all."""


@dataclass(frozen=True, eq=False)
class CellContents:
    """Events of one generator in ``q`` cells.

    Args:
        weights: sum of the weights in each cell, (q,); the counts without weights.
        squares: sum of the squared weights in each cell, (q,).
        held_out: M, of the held-out events that the cells were cut from; None for exact cells.
    """

    weights: Array
    squares: Array
    held_out: int | None = None

    @property
    def q(self) -> int:
        """Number of cells."""
        return len(self.weights)

    @property
    def fractions(self) -> Array:
        """p, (q,)."""
        return self.weights / self.weights.sum()

    @property
    def effective(self) -> float:
        """Effective number of events, n = (sum w)^2 / sum w^2."""
        return float(self.weights.sum() ** 2 / self.squares.sum())

    @property
    def mse(self) -> float:
        """Eq. (2) of the events as they are, the noise of held-out events included."""
        return float(quantile_mse(self.fractions))

    @property
    def noise(self) -> float:
        """1/n + 1/(M + 2): what perfect events would show in place of 1/N_equiv."""
        return 1 / self.effective + self._cut_noise

    @property
    def _cut_noise(self) -> float:
        return 0.0 if self.held_out is None else 1 / (self.held_out + 2)

    @cached_property
    def inverse(self) -> float:
        """Unbiased estimate of 1/N_equiv; may be negative, as an unbiased one must.

        The masses of cells from held-out events scatter by (1/q)(1 - 1/q)/(M + 2), and where the
        generator's density is w_j times the true one its pi_j scatters w_j^2 times as much: the sum
        over cells is (1 + (q - 1)/N_equiv)/(M + 2).
        """
        n, seen = self.effective, self.mse / expected_mse(1, self.q)
        cut = self._cut_noise
        return ((seen - 1 / n) / (1 - 1 / n) - cut) / (1 + (self.q - 1) * cut)

    def deviation(self) -> Array:
        """pi_j - 1/q where it can be seen, scaled to the estimate of 1/N_equiv; (q,)."""
        seen = self.fractions - 1 / self.q
        hidden = VISIBLE**2 * self.noise / self.q
        shape = np.where(
            seen**2 > hidden, np.sign(seen) * np.sqrt(np.maximum(seen**2 - hidden, 0)), 0.0
        )
        shape -= shape.mean()
        square = float(shape @ shape)
        size = max(self.inverse, 0) * (1 - 1 / self.q)
        return shape * (size / square) ** 0.5 if square > 0 else shape

    @cached_property
    def steepness(self) -> float:
        """How the variance of ``inverse`` grows with it, in units of what small deviations have.

        Var sum_j (p_j - 1/q)^2 = 4 d' C d + ... with the deviations d_j = pi_j - 1/q and the
        covariance of the p_j - 1/q,

        C_jk = ((r_j delta_jk - r_j pi_k - pi_j r_k + pi_j pi_k) / n
                + (q pi_j^2 delta_jk - pi_j pi_k) / (M + 2)),

        r_j being the share of the squared weights in cell j, without weights pi_j.  For small
        deviations this is 4 d'd noise/q.  A peak scatters more, a hole less.
        """
        d = self.deviation()
        square = float(d @ d)
        if square == 0:
            return 1.0
        p = np.maximum(1 / self.q + d, 0)
        r = np.maximum(p + self.squares / self.squares.sum() - self.fractions, 0)
        variance = (r @ d**2 - 2 * (r @ d) * (p @ d) + (p @ d) ** 2) / self.effective
        variance += (self.q * (p**2 @ d**2) - (p @ d) ** 2) * self._cut_noise
        return max(float(variance) * self.q / (self.noise * square), STEEPEST)

    @cached_property
    def noise_variance(self) -> float:
        """Variance of ``inverse`` for a perfect generator, 2 noise^2/(q - 1) without weights."""
        r = self.squares / self.squares.sum()
        n, cut = self.effective, self._cut_noise
        spread = float(r @ r) / n**2 + (2 * cut / n + cut**2) / self.q
        return 2 * spread / (1 - 1 / self.q)

    def error(self) -> float:
        """Standard error of ``inverse``, whose variance is Var_0 + 4 a/N_equiv: Var_0, the
        ``noise_variance``, of a perfect generator, and a = steepness noise/(q - 1)."""
        slope = 4 * self._unit * max(self.inverse, 0)
        return (slope + self.noise_variance) ** 0.5

    @property
    def _unit(self) -> float:
        return self.steepness * self.noise / (self.q - 1)

    @property
    def _freedom(self) -> float:
        return self.noise_variance / (2 * self._unit**2)

    def interval(self) -> tuple[float, float]:
        """Ends of the 95% interval of 1/N_equiv; the lower is zero where only noise is seen.

        With a = steepness noise/(q - 1) and nu = Var_0/(2 a^2), the estimate over a plus nu is
        taken for a noncentral chi square of nu degrees of freedom and noncentrality
        1/(a N_equiv): it has the mean 1/(a N_equiv) + nu and the variance 2 nu + 4/(a N_equiv),
        which is that of ``error`` over a^2, whatever N_equiv.  For small deviations a is
        noise/(q - 1) and nu is q - 1: Pearson's chi square of q equal cells.  The interval is where
        neither tail is below 2.5%; the lower tail in units of what it is at 1/N_equiv = 0 (Read's
        CLs), so that a downward fluctuation excludes nothing that the events cannot tell apart.
        """
        unit, nu = self._unit, self._freedom
        seen = max(self.inverse / unit + nu, float(chdtri(nu, 1 - TOO_EVEN_TO_USE)))
        below = float(chdtr(nu, seen))
        low = float(chndtrinc(seen, nu, 1 - TAIL)) if below > 1 - TAIL else 0.0
        return low * unit, float(chndtrinc(seen, nu, TAIL * below)) * unit

    def evenness(self) -> float:
        """Probability of true, independent events to lie as evenly as these or more."""
        return float(chdtr(self._freedom, max(self.inverse / self._unit + self._freedom, 0)))

    def n_equiv(self) -> Estimate | AtLeast:
        """N_equiv of the generator, without the noise of its n events; or its lower bound."""
        low, high = self.interval()
        if low == 0:
            return AtLeast(1 / high)
        value = 1 / self.inverse
        return Estimate(value, value**2 * self.error(), 1 / high, 1 / low)

    def as_it_is(self) -> Estimate:
        """What these n events are worth; never more than n."""
        n = self.effective
        low, high = ((1 - 1 / n) * end + 1 / n for end in self.interval())
        value = 1 / ((1 - 1 / n) * max(self.inverse, 0) + 1 / n)
        return Estimate(value, value**2 * self.error(), 1 / high, 1 / low)


def cell_contents(
    events: NDArray[Any],
    cells: Partition,
    q: int,
    weights: Array | None = None,
    held_out: int | None = None,
) -> CellContents:
    """Count events in cells.

    Args:
        events: N of them, in the shape that ``cells`` takes.
        cells: the number of the cell of each.
        q: number of cells.
        weights: (N,), not negative, or None.
        held_out: M, if the cells were cut from so many.

    Raises:
        ValueError: weights that are none, fewer (effective) events than cells, events in no cell.
    """
    check_cells(q)
    n = len(events)
    w = np.ones(n) if weights is None else as_weights(weights, n)
    effective = float(w.sum() ** 2 / (w @ w))
    if effective < q * (1 - 1e-9):
        kind = "events" if weights is None else "effective events"
        raise ValueError(f"{effective:.6g} {kind} are too few for {q} quantiles")
    cell = np.asarray(cells(events))
    if cell.shape != (n,) or not np.issubdtype(cell.dtype, np.integer):
        raise ValueError(f"cells must be {n} integers, got {cell.dtype} of shape {cell.shape}")
    if outside := int(((cell < 0) | (cell >= q)).sum()):
        raise ValueError(f"{outside} of {n} events lie outside of the truth's support")
    counts, squares = (np.bincount(cell, x, q).astype(float) for x in (w, w**2))
    return CellContents(counts, squares, held_out)


def n_equiv_without_noise(mse: Array, q: int, n: int) -> Estimate | AtLeast:
    """N_equiv of a generator over R >= 2 trainings, without the noise of the n events of each.

    1/N_equiv = (1/N_as_it_is - 1/n) / (1 - 1/n), for the value, whose bias of one over a mean is
    removed, and for both ends of the 95% interval of
    :func:`amplib.metrics.quantiles.n_equiv`.  Where that reaches n there is only a lower bound,
    and no better one than the spread of the trainings allows.

    Raises:
        ValueError: as :func:`amplib.metrics.quantiles.n_equiv`; fewer than two repetitions.
    """
    mse = np.asarray(mse, dtype=float)
    if mse.size < 2:
        raise ValueError("an error over trainings needs two of them")
    _, _, low, high, repetitions = n_equiv(mse, q)
    assert low is not None and high is not None
    inverses = mse / expected_mse(1, q)
    error = float(inverses.std(ddof=1)) / mse.size**0.5 / (1 - 1 / n)
    inverse, least, most = (
        (x - 1 / n) / (1 - 1 / n) for x in (float(inverses.mean()), 1 / high, 1 / low)
    )
    return _reciprocal(Estimate(inverse, error, least, most, repetitions))


def n_equiv_over(inverses: ArrayLike) -> Estimate | AtLeast:
    """N_equiv over R >= 2 repetitions, from the unbiased ``CellContents.inverse`` of each.

    Raises:
        ValueError: for fewer than two.
    """
    inverses = np.asarray(inverses, dtype=float)
    if inverses.size < 2:
        raise ValueError("an error over repetitions needs two of them")
    return _reciprocal(mean(inverses))


def _reciprocal(inverse: Estimate) -> Estimate | AtLeast:
    """N_equiv of 1/N_equiv, the bias of one over a mean removed; a bound where that reaches zero,
    and no better one than the spread of the repetitions allows."""
    seen, error, least, most, repetitions = inverse
    assert least is not None and most is not None and repetitions is not None
    if least <= 0:
        farthest = max(most, t_quantile(repetitions) * error)
        return AtLeast(1 / farthest if farthest > 0 else np.inf)
    value = 1 / seen / (1 + (error / seen) ** 2)
    return Estimate(value, value * error / seen, 1 / most, 1 / least, repetitions)
