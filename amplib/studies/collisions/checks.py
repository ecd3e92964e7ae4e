"""What must hold of the events, and what is measured: the rows of the pages' tables.

A row is (quantity, expected, measured).
"""

from __future__ import annotations

import numpy as np

from amplib.store.results import Result
from amplib.studies.collisions.reading import (
    TOP_WINDOW,
    W_WINDOW,
    Chi2,
    TopPairStatistics,
    asymmetry,
    chi2,
    flat,
    largest,
    share,
    total,
)
from amplib.studies.collisions.study import MOMENTA
from amplib.truth.collisions.checks import TOP_MASS, W_MASS
from amplib.truth.collisions.columns import GEV
from amplib.truth.collisions.two_body import PARENT_MASS, momentum_shares

Row = tuple[str, str, object]

JET_RANGES = ((40, 60), (60, 120))
"""Of the true pT, GeV, in which response and resolution are stated."""
ROUNDED, UNLIKELY = 1e-9, 1e-3
"""GeV, or GeV^2, that no rounding of 100 GeV exceeds; chance below which a density is another."""
SECTORS = np.linspace(-np.pi, np.pi, 37)


def _violations(result: Result) -> tuple[float, float, float]:
    """Largest of E^2 - p^2 - m^2, GeV^2, of a component of the sum of momenta, and of the sum of
    energies less the parent's mass, GeV."""
    off_shell, unbalanced = (largest(result, name).max() for name in ("off_shell", "unbalanced"))
    ends = np.array([part["energy"] for part in result.load().values()])
    return float(off_shell), float(unbalanced), float(np.abs(ends - PARENT_MASS).max())


def _densities(result: Result) -> dict[str, Chi2]:
    """Polar angle, azimuth and p_z against what they are drawn from."""
    angles = {name: flat(total(result, name)) for name in ("theta", "phi")}
    return angles | {"pz": chi2(total(result, "momenta")[2], momentum_shares(MOMENTA))}


def two_body_checks(result: Result) -> list[Row]:
    """Of a ``TwoBodySummary``: kinematics to rounding, and angles and p_z by their densities."""
    off_shell, unbalanced, not_conserved = _violations(result)
    found = _densities(result)
    return [
        ("largest violation of E² − p² − m²", "0 GeV², up to rounding", f"{off_shell:.1e} GeV²"),
        ("largest component of p₁ + p₂", "0 GeV", f"{unbalanced:.2g} GeV"),
        (
            f"E₁ + E₂ less the mass of {PARENT_MASS:g} GeV, at most",
            "0 GeV, up to rounding",
            f"{not_conserved:.1e} GeV",
        ),
        ("polar angle", "uniform", f"χ² = {found['theta']}"),
        ("azimuth", "uniform", f"χ² = {found['phi']}"),
        ("p_z of the first particle", "exact density", f"χ² = {found['pz']}"),
    ]


def two_body_holds(result: Result) -> str:
    """Whether all of ``two_body_checks`` hold, in words."""
    conserved = max(_violations(result)) < ROUNDED
    drawn = all(found.p > UNLIKELY for found in _densities(result).values())
    kept = f"energy, momentum and masses are {'' if conserved else 'not '}kept to rounding"
    have = f"angles and p_z {'have' if drawn else 'do not have'} their exact densities"
    return f"{'Yes' if conserved and drawn else 'No'}: {kept}, and {have}."


def z_checks(result: Result) -> list[Row]:
    """Of a ``ZSummary``: angles against the tree level, flavours in equal parts."""
    angles = chi2(total(result, "cos_theta"), total(result, "expected"))
    exact = float(next(iter(result.load().values()))["asymmetry"])
    return [
        ("cos θ", "tree level", f"χ² = {angles}"),
        ("azimuth", "uniform", f"χ² = {flat(total(result, 'phi'))}"),
        ("forward-backward asymmetry", f"{exact:.4f}", asymmetry(result)),
        ("share of electrons", "0.5", share(*total(result, "electrons"))),
    ]


def top_pair_checks(tops: TopPairStatistics) -> list[Row]:
    """Of a ``TopPairSummary``: what goes in, jets, missing momentum, leptons."""
    sectors = flat(np.histogram(tops.column("phi_j1")[:, 0], SECTORS)[0])
    return [
        ("azimuth of the first jet in sectors of 10°", "uniform", f"χ² = {sectors}"),
        (
            "its modulation with a period of 10°",
            "that of the hadronic cells",
            tops.cell_modulation("j1").percent(),
        ),
        *_masses(tops),
        *_jets(tops),
        *_missing(tops),
        (
            "share of events with two leptons",
            f"less than {100 * tops.dileptons_before_jets:.1f}%, by branching ratios and "
            "acceptance, as two of their four jets must be radiation",
            tops.dileptons.percent(),
        ),
    ]


def _masses(tops: TopPairStatistics) -> list[Row]:
    w, top = tops.w_jets(), tops.top_jets()
    return [
        (
            "median mass of W, before the detector",
            f"{W_MASS} GeV",
            f"{tops.true_mass('w_true'):.2f} GeV",
        ),
        (
            "median mass of t, before the detector",
            f"{TOP_MASS} GeV, Pythia's",
            f"{tops.true_mass('top_true'):.2f} GeV",
        ),
        (
            f"mass of the two jets of a W, median within {W_WINDOW[1]:g} GeV",
            f"{W_MASS} GeV, good to 5%: a cone leaves some out and takes others in, and one scale "
            "serves all jets",
            f"{w.estimate()} GeV, width {w.width:.1f}",
        ),
        (
            f"mass of the three jets of a top, median within {TOP_WINDOW[1]:g} GeV",
            f"{TOP_MASS} GeV, good to 5%, likewise; its b may hold neutrinos",
            f"{top.estimate()} GeV, width {top.width:.1f}",
        ),
    ]


def _jets(tops: TopPairStatistics) -> list[Row]:
    scales: list[Row] = []
    resolutions: list[Row] = []
    for low, high in JET_RANGES:
        least, response = tops.jets(low * GEV, high * GEV)
        scales.append(
            (
                f"jets of {low} to {high} GeV, measured over true transverse momentum",
                "1, good to 3%: what the card's one scale for all jets aims at",
                response.estimate(),
            )
        )
        resolutions.append(
            (
                f"resolution of jets of {low} to {high} GeV",
                f"{100 * least:.1f}% by the cells; up to twice that with what is below their "
                "thresholds or beside the jet",
                f"{100 * response.width:.1f}%",
            )
        )
    return scales + resolutions


def _missing(tops: TopPairStatistics) -> list[Row]:
    missing = tops.missing()
    return [
        (
            "missing momentum, measured − true",
            "0 GeV within 5 errors: no direction is special",
            f"{missing.estimate()} GeV",
        ),
        (
            "scale of the missing momentum along the neutrinos",
            f"less than {tops.expected_missing_scale():.3f}, which is what the cells miss of four "
            "jets; of the rest of an event they miss something, too",
            tops.missing_scale(),
        ),
        (
            "resolution of a component of the missing momentum",
            f"{tops.least_missing:.1f} GeV by four jets; up to three times that with the other "
            "particles, soft or unseen",
            f"{missing.width:.1f} GeV",
        ),
    ]
