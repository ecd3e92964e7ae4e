"""The event paper's numbers are the same where pages read them and where claims are judged."""

import re

import pytest

from amplib.book.claims import documents
from amplib.studies.bvae.study import CHOSEN
from amplib.studies.event_paper import PAPER_IDEAL, TABLE_I, TABLE_II, TABLE_III, TABLE_IV, TABLE_V

CLAIMS = documents()["bvae"]


@pytest.mark.parametrize(
    ("claim", "merit"),
    [
        ("best-model", TABLE_I[*CHOSEN, 1, 0.05]),
        ("best-delta", min(TABLE_II.values())),
        ("ideal", PAPER_IDEAL),
        ("s-vae", TABLE_III["S-VAE, B = 0.001"]),
    ],
)
def test_both_figures_of_merit_are_those_of_the_claim(claim, merit):
    assert tuple(CLAIMS[claim]["value"].values()) == merit


@pytest.mark.parametrize(("claim", "table"), [("gans", TABLE_IV), ("direct-densities", TABLE_V)])
def test_a_claims_deltas_are_those_of_its_table(claim, table):
    stated = re.findall(r"\d\.\d{4}", CLAIMS[claim]["says"])
    assert stated == [f"{delta:.4f}" for delta, _ in table.values()]


def test_the_claim_about_lsgan_has_its_delta_of():
    assert TABLE_IV["LSGAN"][1] == CLAIMS["lsgan-delta-of"]["value"]
