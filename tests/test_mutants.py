"""Changes that no test notices: each can still be made, and says why it does not matter."""

import mutants
import pytest
import yaml

SURVIVORS = yaml.safe_load((mutants.ROOT / "tests" / "survivors.yml").read_text())


@pytest.mark.parametrize("row", SURVIVORS, ids=lambda row: row["in"])
def test_a_survivor_is_a_change_of_todays_code_and_has_a_reason(row):
    found = {mutant.lines() for mutant in mutants.generated(row["in"])}
    assert (row["old"], row["new"]) in found
    assert len(row["why"].split()) > 3


def test_named_mutants_are_changes_of_todays_code():
    assert len(mutants.named()) > 20
