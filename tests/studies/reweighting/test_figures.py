"""Figures of reweighted showers, drawn of made-up repetitions: what they show is what is stored."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from amplib.studies.catalogue import make_study
from amplib.studies.reweighting import figures
from amplib.studies.reweighting import reading as r
from amplib.studies.reweighting.study import BINS, LOG_WEIGHTS, OBSERVABLES
from amplib.truth.showers.config import CORRELATED


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def reweighted(repetitions: int = 2) -> r.Reweighted:
    """r is 3 and 1.2 where the scores tell 2; correlations are off by 0.01 and by 0.5."""
    study = make_study("reweighted-simulation", "smoke")
    dilution = np.ones((3, 2, OBSERVABLES))
    dilution[1:, 0] = np.array([[3.0], [1.2]])
    rho = np.zeros((5, 2, len(CORRELATED), len(CORRELATED)))
    rho[1, 0], rho[2:, 0] = 0.01, 0.5
    arrays = {
        "dilution": dilution,
        "correlations": rho,
        "outlook": np.tile([[0.8], [2], [2], [0.25], [1], [0]], (2, 1, 2)),
        "clipped": np.zeros((2, 2)),
    }
    return r.Reweighted(study, [r.Repetition(study, arrays)] * repetitions)


def test_what_the_scores_told_is_held_to_the_r_that_was_measured():
    """A point a repetition and classifier, in both panels; the line is where both are the same."""
    left, right = figures.outlook_panels([reweighted()]).axes
    points = [line.get_xydata() for line in left.lines if line.get_marker() == "o"]
    assert [len(p) for p in points] == [2, 2]
    np.testing.assert_allclose(points[0], [[1 - 0.8, 0.25]] * 2)
    measured = [tuple(line.get_xydata()[0]) for line in right.lines if line.get_marker() == "o"]
    assert measured == [(2.0, 3.0), (2.0, 3.0), (2.0, 1.2), (2.0, 1.2)]
    identity = right.lines[-1].get_xydata()
    np.testing.assert_array_equal(identity[:, 0], identity[:, 1])


def test_the_summary_counts_observables_of_each_repetition():
    """Two repetitions with r of 1 and of 4: half of the observables at either, none at the mean."""
    one, other = reweighted(1).each[0], reweighted(1).each[0]
    contents = np.random.default_rng(1).poisson(100.0, (5, OBSERVABLES, BINS))
    shared = {"histograms": contents, "squares": contents[3:]}
    arrays = [{**x.arrays, **shared} for x in (one, other)]
    for part, r_high in zip(arrays, (1.0, 4.0), strict=True):
        part["dilution"] = np.full((3, 2, OBSERVABLES), r_high)
    both = r.Reweighted(one.study, [r.Repetition(one.study, part) for part in arrays])
    panel = figures.summary_panels(both).axes[2]
    counts, edges, _ = panel.patches[0].get_data()
    middles = (edges[1:] + edges[:-1]) / 2
    filled = {round(float(m)): c for m, c in zip(middles, counts, strict=True) if c}
    assert filled == {1: r.INPUTS / 2, 4: r.INPUTS / 2}


def test_correlations_stand_beside_their_floor():
    *panels, _ = figures.correlation_panels(reweighted()).axes
    assert [ax.get_title() for ax in panels] == [
        "truth again: rms 1",
        *(f"{name}: rms 50" for name in ("fast simulation", r.HIGH, r.LOW)),
    ]


def test_weights_beyond_the_axis_are_drawn_from_the_showers_that_are_kept():
    """High-level ones of 1e-6, in decades that the bins do not reach, and low-level ones of zero,
    which no logarithm has: a panel without them."""
    one = reweighted(1).each[0]
    counts = np.zeros((2, 2, len(LOG_WEIGHTS) + 1), int)
    counts[:, :, 0] = 100
    pairs = np.stack([np.zeros(100), np.full(100, 1e-6)], 1)
    beyond = {**one.arrays, "weights": counts, "pairs": pairs, "pearson": np.zeros(2)}
    both = r.Reweighted(one.study, [r.Repetition(one.study, beyond)])
    (top,) = figures.weight_panels(both).axes
    heights, edges, _ = top.patches[0].get_data()
    assert len(top.patches) == 1
    assert heights.sum() == 1
    assert edges[heights.argmax()] <= 1e-6 <= edges[heights.argmax() + 1]
    pairs[:, 0] = 1e-9
    assert len(figures.weight_panels(both).axes) == 2
