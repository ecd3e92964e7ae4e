"""What the figures of the chosen B-VAE show: the stored numbers, all of them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from chosen_events import events_result, kept, tiny, truth_result

from amplib.estimate import Estimate
from amplib.metrics.crowding import GRIDS
from amplib.studies.event_paper import TABLE_I, TABLE_II
from amplib.studies.merit.judge import DIRECTIONS
from amplib.studies.topvae import figures
from amplib.studies.topvae.ranking import Candidate
from amplib.studies.topvae.reading import ChosenEvents, Truth
from amplib.truth.collisions.observables import OBSERVABLES


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return events_result(folder, kept(tiny())), truth_result(folder)


@pytest.fixture(scope="module")
def shown(results):
    made, simulated = results
    return ChosenEvents.of(made), Truth.of(simulated)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_29_observables_are_drawn_as_they_are_stored(shown):
    events, truth = shown
    figure = figures.marginals(events, truth)
    panels = figure.axes[:-1]
    assert len(panels) == 2 * 29
    assert figure.get_supylabel().startswith("events per bin")
    assert set(figures.OBSERVED) == {n for n in OBSERVABLES if not n.endswith("_l2")}
    for name, top, below in zip(figures.OBSERVED, panels[::2], panels[1::2], strict=True):
        marginal = events.marginal(name, truth)
        readings = [events.marginal(name, truth, prior) for prior in events.readings]
        logarithmic = top.get_yscale() == "log"
        for drawn, counts in zip(
            top.patches, (marginal.truth, *(r.generated for r in readings)), strict=True
        ):
            lowest = 0.5 if logarithmic else 0
            np.testing.assert_array_equal(drawn.get_data().values, np.maximum(counts, lowest))
        assert logarithmic == (name[:2] in ("E_", "pT", "ME", "M_"))
        enough = marginal.truth >= figures.FEWEST
        for ratio, reading in zip(below.patches, readings, strict=True):
            np.testing.assert_allclose(
                ratio.get_data().values[enough], reading.generated[enough] / marginal.truth[enough]
            )
            assert np.isnan(ratio.get_data().values[~enough]).all()
        unit = 1000 if logarithmic else 1
        np.testing.assert_allclose(ratio.get_data().edges, marginal.edges / unit)
        assert ("(GeV)" in below.get_xlabel()) == logarithmic


def test_maps_are_of_four_samples_whole_and_in_part(shown):
    events, truth = shown
    figure = figures.azimuth_maps(events, truth)
    maps = [ax for ax in figure.axes if ax.images]
    assert len(maps) == 8
    training, made, long_run = events.azimuths
    for row, counts in enumerate((training, truth.azimuths, made, long_run)):
        for column in range(2):
            (image,) = maps[2 * row + column].images
            drawn = image.get_array()
            np.testing.assert_array_equal(drawn.filled(0), counts.T)
            np.testing.assert_array_equal(drawn.mask, counts.T == 0)  # empty bins are white
    assert maps[0].get_xlim() == pytest.approx((-np.pi, np.pi))
    assert {(ax.get_xlim(), ax.get_ylim()) for ax in maps[1::2]} == {((2, 3), (2, 3))}
    titles = [ax.get_title(loc="left") for ax in maps[::2]]
    assert titles == [
        "400 training events", "600 simulated", "600 generated", "1,000 generated",
    ]  # fmt: skip


def test_curves_are_of_every_way_to_draw_codes(shown, results):
    events, truth = shown
    figure = figures.crowding(events, truth, results[1], {})
    axes = {ax.get_title(): ax for ax in figure.axes}
    for (name, plane), less in zip(figures.PLANES.items(), figure.axes[2:4], strict=True):
        simulated, copies, *models = axes[plane].lines
        np.testing.assert_array_equal(simulated.get_ydata(), truth.empty_held_out[name])
        np.testing.assert_array_equal(copies.get_ydata(), events.empty_training(name))
        assert len(models) == len(events.priors)
        for prior, line, below in zip(events.priors, models, less.lines[1:-1], strict=True):
            curve = events.empty(prior, name)
            np.testing.assert_array_equal(line.get_xdata(), GRIDS)
            np.testing.assert_array_equal(line.get_ydata(), curve)
            np.testing.assert_array_equal(below.get_ydata(), curve - truth.empty_held_out[name])
            low, high = less.get_ylim()  # no curve leaves the frame
            assert low <= below.get_ydata().min() <= below.get_ydata().max() <= high
            assert line.get_label() == figures.title(prior)
    assert figures.title(events.priors[1]).endswith(r"on $\sigma$")
    assert list(figures.PLANES) == list(DIRECTIONS)


def test_curves_of_others_are_thin_and_have_looks_of_their_own(shown, results):
    events, truth = shown
    others = {
        f"rival {k}": {name: np.full(len(GRIDS), (k + 1) / 20) for name in DIRECTIONS}
        for k in range(13)
    }
    figure = figures.crowding(events, truth, results[1], others)
    eta, phi, *less = figure.axes[:4]
    for (name, above), below in zip({"eta": eta, "phi": phi}.items(), less, strict=True):
        drawn = dict(zip(others, above.lines[-13:], strict=True))
        for (label, line), difference in zip(drawn.items(), below.lines[-14:-1], strict=True):
            curve = others[label][name]
            np.testing.assert_array_equal(line.get_ydata(), curve)
            np.testing.assert_array_equal(
                difference.get_ydata(), curve - truth.empty_held_out[name]
            )
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names[-13:] == list(others) and not {*names[:-13]} & {*others}
    looks = [figures.look_of_other(k) for k in range(13)]
    assert len({(look["color"], look["marker"]) for look in looks}) == 13


def test_every_curve_has_a_look_of_its_own(shown):
    for own in (tiny(), tiny(gamma=0.01), tiny(gamma=0.3)):
        looks = [figures.look(prior, own.priors()[0]) for prior in own.priors()]
        assert len(set(looks)) == len(looks)


# ---- beside the paper's tables ----


def test_every_setting_of_the_tables_is_a_point():
    """A scan that has the paper's numbers lies on the line; one with twice as much above it."""
    published = TABLE_I | TABLE_II

    def scan(factor):
        return [
            Candidate(*key, Estimate(factor * delta, 0.1), {"eta": Estimate(factor * of, 0.1)})
            for key, (delta, of) in published.items()
        ]

    figure = figures.beside_tables({"one": scan(1), "two": scan(2)}, 0.4)
    for ax, column in zip(figure.axes, (1, 0), strict=True):
        points = [
            line.get_xydata() for line in ax.lines if line.get_marker() in figures.MARKS.values()
        ]
        points = np.concatenate([p for p in points if len(p)])
        assert len(points) == 2 * len(published)
        assert sorted(points[:, 0]) == pytest.approx(
            sorted([v[column] for v in published.values()] * 2)
        )
        ratios = points[:, 1] / points[:, 0]
        assert sorted(ratios) == pytest.approx([1] * len(published) + [2] * len(published))
    assert all(ax.get_title() for ax in figure.axes)
    (legend,) = figure.legends
    assert [t.get_text() for t in legend.get_texts()][:2] == ["one", "two"]
