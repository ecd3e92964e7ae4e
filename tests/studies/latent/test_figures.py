"""What is drawn: displays, panels, and the map to explore."""

import json
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from amplib.book.obtain import stored
from amplib.studies.latent import figures
from amplib.studies.latent.charts import ANGLES, RADII
from amplib.studies.latent.display import arrows, in_words
from amplib.studies.latent.explorer import explorer
from amplib.studies.latent.reading import Chart, judged_priors, marginal_chi2
from amplib.truth.collisions.columns import TTBAR


def event(**columns):
    """An event of these columns, GeV and radians, all others zero."""
    values = np.zeros(len(TTBAR))
    for name, value in columns.items():
        values[TTBAR.index(name)] = value * (1000 if name.startswith(("E", "pT", "MET")) else 1)
    return values


PAIR = event(
    MET=30, phi_MET=np.pi, E_j1=200, pT_j1=120, phi_j1=np.pi / 2, E_j2=60, pT_j2=30, phi_j2=0,
    E_l1=10, pT_l1=30, phi_l1=-np.pi / 2, E_l2=9, pT_l2=9,
)  # fmt: skip


@pytest.fixture(scope="module")
def chart():
    return Chart.of(stored("latent-map", "laptop"))


# ---- an event ----


def test_arrows_of_an_event():
    """Lengths by the root of pT, widths by the energy; the faint lepton is none."""
    found = {a.name: a for a in arrows(PAIR)}
    assert list(found) == ["j1", "j2", "l1", "MET"]
    assert [found[n].kind for n in found] == ["jet", "jet", "lepton", "missing"]
    assert (found["j1"].x, found["j1"].y) == pytest.approx((0, 1))
    assert (found["j2"].x, found["j2"].y) == pytest.approx((0.5, 0))
    assert (found["MET"].x, found["MET"].y) == pytest.approx((-0.5, 0))
    assert found["j1"].share == pytest.approx(200 / 300)
    assert sum(a.share for a in found.values()) == pytest.approx(1)


def test_what_a_decoder_may_give_is_drawn_or_left_out():
    """Negative momenta, negative energies, nothing at all."""
    assert arrows(np.zeros(26)) == []
    assert [a.name for a in arrows(event(pT_j1=-5, E_j1=3, pT_j2=20, E_j2=-1, MET=-3))] == ["j2"]
    assert in_words(np.zeros(26)) == "no jet; no lepton; missing 0 GeV"
    assert in_words(PAIR) == "2 jets, leading 120 GeV; 1 lepton, leading 30 GeV; missing 30 GeV"


def test_colours_are_the_papers(monkeypatch):
    drawn = []
    _, ax = plt.subplots()
    monkeypatch.setattr(
        ax, "annotate", lambda *a, arrowprops: drawn.append((a[1], arrowprops)) or None
    )
    figures.draw_event(ax, PAIR)
    colors = [p["color"] for _, p in drawn]
    assert sorted(colors) == sorted([figures.BLUE] * 2 + [figures.VERMILLION, figures.GREEN])
    widths = [p["linewidth"] for _, p in drawn]
    assert widths == sorted(widths, reverse=True)  # the thin ones on top
    plt.close()


# ---- figures ----


def test_figures_have_their_panels(chart):
    assert len(figures.event_map(chart).axes) == 64
    panels = [ax for ax in figures.reconstructions(chart).axes if ax.axison]
    assert len(panels) == 2 * 26
    assert len(figures.steering(chart).axes) == 2
    plt.close("all")


def test_figure_9_is_the_grid(chart):
    """The events of the lattice at the paper's radii and angles, from top left on."""
    shown = chart.paper_lattice
    assert shown.shape == (8, 8, 26)
    np.testing.assert_array_equal(shown[7, 5], chart.lattice[14, 15])


def test_figure_7_has_a_panel_a_dimension_and_a_line_a_prior(chart):
    priors = judged_priors(stored("latent-priors", "laptop"))
    figure = figures.latent_histograms(chart, priors)
    panels = [ax for ax in figure.axes if ax.axison]
    fitted = [p for p in priors.values() if p.prior.kind in figures.FAMILIES]
    assert len(panels) == len(chart.codes) == 20
    assert len(panels[0].patches) == 1 + len(fitted)
    looks = figures.line_looks(priors)
    assert len({(color, str(style)) for color, style in looks.values()}) == len(fitted)
    plt.close("all")


# ---- numbers ----


def test_chi2_of_histograms_by_hand():
    same = np.array([[5, 5], [2, 0]])
    assert marginal_chi2(same, 3 * same) == 0
    apart = np.array([[10, 0], [0, 2]])
    # (1/2)^2 / (3/2) + (1/2)^2 / (1/2), and 2 of shares that have nothing in common.
    assert marginal_chi2(apart, same) == pytest.approx(((1 / 6 + 1 / 2) + 2) / 2)


# ---- the map to explore ----


def test_the_explorer_holds_every_event_and_asks_for_nothing(chart):
    html = explorer(chart, "a-map")
    assert 'id="a-map"' in html
    # The name of a namespace alone would be allowed, and is not there.
    assert not re.search(r"https?:|src=|@import|url\(", html)
    text = re.search(r'<script type="application/json">(.*?)</script>', html, re.S)[1]
    data = json.loads(text)
    assert np.shape(data["events"]) == (len(RADII), len(ANGLES))
    numbers = [e["number"] for row in data["events"] for e in row if "number" in e]
    assert numbers == list(range(1, 65))
    assert data["events"][14][15]["number"] == 62
    assert "$" not in html
