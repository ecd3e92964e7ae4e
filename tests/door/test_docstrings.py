"""Examples in docstrings say what they print: of the door, and of what it answers with."""

import doctest
from importlib import import_module

import pytest

MODULES = (
    "book.generate", "door.amplify", "door.event_file", "door.judge", "door.reweight", "estimate",
    "files",
)  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name):
    found = doctest.testmod(import_module(f"amplib.{name}"))
    assert found.attempted and not found.failed
