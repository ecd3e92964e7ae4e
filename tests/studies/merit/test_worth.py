"""What generated top pairs are worth in cells of held-out events."""

import numpy as np
import pytest

import amplib
from amplib.cells import Splits
from amplib.estimate import AtLeast, Estimate
from amplib.studies.bvae.small import made_up_top_pairs
from amplib.studies.merit.worth import (
    CELL_COLUMNS,
    QUANTILES,
    HeldOutCells,
    faults_of_cells,
    layout_of_cells,
    worth_in_cells,
)
from amplib.truth.collisions.columns import TTBAR, columns

HELD_OUT = made_up_top_pairs(999, np.random.default_rng(1))
EVENTS = made_up_top_pairs(5000, np.random.default_rng(2))
EVENTS[:, columns(TTBAR, "pT_j1", "MET")] *= 1.3


@pytest.fixture(scope="module")
def arrays():
    counts = HeldOutCells(HELD_OUT).sample()
    for batch in np.split(EVENTS.astype(np.float32), [7, 3000]):
        counts.add(batch)
    return counts.arrays()


def test_it_is_what_amplib_worth_says_of_the_same_columns(arrays):
    """Batch by batch or all at once, to the last digit."""
    seen = columns(TTBAR, *CELL_COLUMNS)
    events = EVENTS[:, seen].astype(np.float32)
    for q, found in worth_in_cells(arrays).items():
        judged = amplib.worth(events, held_out=HELD_OUT[:, seen], quantiles=q)
        assert found == judged.n_equiv


def test_cells_are_those_of_the_named_columns():
    """Held-out events fill them evenly, as they were cut from them."""
    cells = HeldOutCells(HELD_OUT, (4,))
    counts = cells.sample()
    counts.add(HELD_OUT)
    own = Splits(HELD_OUT[:, columns(TTBAR, *CELL_COLUMNS)], 4)
    by_hand = np.bincount(own(HELD_OUT[:, columns(TTBAR, *CELL_COLUMNS)]), minlength=4)
    assert counts.arrays()["cells_4"].tolist() == by_hand.tolist()
    assert by_hand.max() - by_hand.min() <= 2
    assert not cells.sample().arrays()["cells_4"].any()


def test_counts_have_their_layout(arrays):
    for name, (kind, shape) in layout_of_cells().items():
        assert arrays[name].dtype == kind and arrays[name].shape == shape
    assert not list(faults_of_cells(arrays, len(EVENTS), len(HELD_OUT)))
    assert list(faults_of_cells(arrays, len(EVENTS) + 1, len(HELD_OUT)))
    assert list(faults_of_cells(arrays, len(EVENTS), 10))


def counted(counts, held_out):
    return {"cells_50": counts, "cut_from": np.array([held_out])}


def test_worth_is_of_the_cells_that_were_counted():
    even = np.full(50, 20_000)
    assert isinstance(worth_in_cells(counted(even, 19_999), (50,))[50], AtLeast)
    uneven = even.copy()
    uneven[:25] += 4000  # pi_j = 1/50 (1 +- 0.0909): 1/N = 0.0909^2 / 49
    found = worth_in_cells(counted(uneven, 19_999), (50,))[50]
    low, high = found.interval()[1:]
    assert low < 49 / (1 / 11) ** 2 < high
    nothing = worth_in_cells(counted(0 * even, 19_999), (50,))[50]
    assert isinstance(nothing, Estimate) and np.isnan(nothing.value)


def test_fewer_held_out_events_than_cells_are_refused():
    with pytest.raises(ValueError, match="9 held-out events cannot make 10 quantiles"):
        HeldOutCells(HELD_OUT[:9], QUANTILES)
