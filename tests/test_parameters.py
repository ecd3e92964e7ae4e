"""Impossible parameters: one line that names the parameter, the value and what is allowed."""

import dataclasses
import os
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from amplib.__main__ import main
from amplib.models.config import GANConfig
from amplib.parameters import ParameterError, Parameters, bounded, one_of
from amplib.store.study import PRESETS
from amplib.studies.camel.study import CamelGAN
from amplib.studies.catalogue import STUDIES, make_study

NAN, INF = float("nan"), float("inf")
BAD = [
    ("n_train", 0, "n_train = 0: must be an integer from 10 to 1e+06"),
    ("n_train", -100, "n_train = -100: must be an integer from 10"),
    ("n_train", 10**7, "n_train = 10000000: must be an integer from 10 to 1e+06"),
    ("n_train", NAN, "n_train = nan: must be an integer"),
    ("n_train", INF, "n_train = inf: must be an integer"),
    ("n_train", 100.0, "n_train = 100.0: must be an integer"),
    ("n_train", "100", "n_train = '100': must be an integer"),
    ("n_train", "many", "n_train = 'many': must be an integer"),
    ("n_train", True, "n_train = True: must be an integer"),
    ("n_train", [100], "n_train = [100]: must be an integer"),
    ("n_train", (100, 200), "n_train = (100, 200): must be an integer"),
    ("n_train", {"a": 1}, "n_train = {'a': 1}: must be an integer"),
    ("seed", -1, "seed = -1: must be an integer from 0"),
    ("seed", 2**63, f"seed = {2**63}: must be an integer from 0"),
    ("repetitions", 0, "repetitions = 0: must be an integer from 1"),
    ("learning_rate", 0.0, "learning_rate = 0.0: must be a number from 1e-09 to 1"),
    ("learning_rate", NAN, "learning_rate = nan: must be a number"),
    ("learning_rate", -INF, "learning_rate = -inf: must be a number"),
    ("learning_rate", "fast", "learning_rate = 'fast': must be a number"),
    ("learning_rate", False, "learning_rate = False: must be a number"),
    ("learning_rate", 1j, "learning_rate = 1j: must be a number"),
    ("dropout", 1.0, "dropout = 1.0: must be a number from 0 to 0.99"),
    ("dropout", np.nan, "dropout = nan: must be a number from 0 to 0.99"),
    ("batch_size", 1, "batch_size = 1: must be an integer from 2"),
    ("batch_size", 101, "batch_size = 101: must not exceed n_train = 100"),
    ("dimension", 2, "dimension = 2: the camel back has 1"),
    ("max_events", 99, "max_events = 99: must be an integer from 100"),
    ("members", 100, "members = 100: must be an integer from 1 to 99"),
    (
        "aggregation",
        "median",
        "aggregation = 'median': allowed are std, biased-std",
    ),
    ("aggregation", 1, "aggregation = 1: allowed are std, biased-std"),
    ("aggregation", ["std"], "aggregation = ['std']: allowed are std, biased-std"),
    ("generator_loss", "Saturating", "allowed are non-saturating, saturating"),
    ("gradient_path", True, "gradient_path = True: allowed are batch, x"),
    ("epocs", 3, "unknown parameter 'epocs' (did you mean epochs?); allowed: "),
    ("learning-rate", 3, "unknown parameter 'learning-rate' (did you mean learning_rate?)"),
    ("zzz", 3, "unknown parameter 'zzz'; allowed: dimension, latent"),
    ("__class__", 3, "unknown parameter '__class__'"),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD, ids=lambda v: str(v)[:20])
def test_a_bad_value_is_refused_in_one_line(name, value, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        make_study("gan", "paper", **{name: value})
    line = str(caught.value)
    assert message in line
    assert "\n" not in line


@pytest.mark.parametrize("name", ["seed", "learning_rate"])
def test_a_huge_integer_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} = 1000"):
        make_study("gan", "paper", **{name: 10**400})


@pytest.mark.parametrize(
    ("study", "preset", "message"),
    [
        ("gan", "huge", "preset = 'huge': allowed are smoke, laptop, paper"),
        ("gan", "", "preset = '': allowed are"),
        ("gnn", "paper", "unknown study 'gnn'; allowed: .*fit, smoothing, gan, ensemble"),
    ],
)
def test_an_unknown_study_or_preset_is_refused(study, preset, message):
    with pytest.raises(ValueError, match=message):
        make_study(study, preset)


def test_none_leaves_a_parameter_as_it_is():
    """As papermill passes what its cell does not set."""
    study = make_study("gan", "laptop", epochs=None, n_train=None)
    assert study == make_study("gan", "laptop")


def test_numbers_of_numpy_are_numbers():
    study = make_study("gan", "laptop", n_train=np.int64(200), learning_rate=np.float32(0.5))
    assert (study.n_train, study.learning_rate) == (200, 0.5)
    assert type(study.n_train) is int


def test_every_preset_of_every_study_is_possible():
    for preset in PRESETS:
        for name in STUDIES:
            assert make_study(name, preset).parts()


def test_the_paper_preset_is_the_papers():
    study = make_study("gan", "paper")
    assert (study.n_train, study.repetitions, study.members) == (100, 100, 1)
    assert make_study("ensemble", "paper").members == 10
    for field in dataclasses.fields(GANConfig):
        assert getattr(study, field.name) == field.default


def test_every_field_says_what_it_allows():
    for cls in STUDIES.values():
        for field in dataclasses.fields(cls):
            assert {"low", "choices"} & field.metadata.keys(), f"{cls.__name__}.{field.name}"


def test_numbers_take_the_kind_of_their_default():
    """An integer is a number; both give the same study and the same key."""
    study = CamelGAN(dropout=0, learning_rate=1)
    assert type(study.dropout) is float
    assert study.key() == CamelGAN(dropout=0.0, learning_rate=1.0).key()


@dataclass(frozen=True)
class Lists(Parameters):
    """Parameters of kinds that the camel studies do not have yet."""

    quantiles: tuple[int, ...] = bounded((10, 20, 50), 2, 1000)
    how: str = one_of("this", "that")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (10, "quantiles = 10: must be a non-empty list of numbers"),
        ([], "quantiles = []: must be a non-empty list of numbers"),
        ("10", "quantiles = '10': must be a non-empty list"),
        ([10, 1], "quantiles = 1: must be an integer from 2 to 1000"),
        ([10, 0], "quantiles = 0: must be an integer from 2"),
        ([10, "20"], "quantiles = '20': must be an integer"),
        ([10, NAN], "quantiles = nan: must be an integer"),
        ([[10]], "quantiles = [10]: must be an integer"),
    ],
    ids=str,
)
def test_a_bad_list_is_refused(value, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        Lists(quantiles=value)
    assert message in str(caught.value)


def test_a_list_becomes_a_tuple():
    assert Lists(quantiles=[10, 20]).quantiles == (10, 20)


# ---- the command line ----


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gan", "--set", "n_train=nan"], "n_train = 'nan': must be an integer"),
        (["gan", "--set", "n_train=1e3"], "n_train = 1000.0: must be an integer"),
        (["gan", "--set", "n_train=True"], "n_train = 'True': must be an integer"),
        (["gan", "--set", "seed=-1"], "seed = -1: must be an integer"),
        (["gan", "--set", "epocs=3"], "did you mean epochs?"),
        (["gan", "--set", "epochs"], "'epochs': expected NAME=VALUE"),
        (["gan", "--set", "epochs="], "'epochs=': expected NAME=VALUE"),
        (["gan", "--set", "aggregation=median"], "aggregation = 'median': allowed are"),
        (["gan", "--preset", "huge"], "preset = 'huge': allowed are"),
        (["gnn"], "unknown study 'gnn'"),
    ],
    ids=lambda v: "-".join(v) if isinstance(v, list) else "",
)
def test_bad_arguments_end_with_one_line(arguments, message, capsys):
    assert main(["compute", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out


def test_a_bad_value_ends_the_command_before_any_work(tmp_path):
    """The real command: status 2, one line on stderr, no traceback, nothing written."""
    store = tmp_path / "store"
    done = subprocess.run(
        [sys.executable, "-m", "amplib", "compute", "gan", "--set", "n_train=0"],
        env={**os.environ, "AMPLIFY_RESULTS": str(store)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stderr == "amplib: n_train = 0: must be an integer from 10 to 1e+06\n"
    assert not done.stdout
    assert not store.exists()


@dataclass(frozen=True)
class Grown(Parameters):
    """A set of parameters to which two were added when results were stored already."""

    old: int = bounded(1, 0, 9)
    number: float = bounded(0.5, 0.0, 1.0, later=True)
    choice: str = one_of("plain", "fancy", later=True)


def test_a_field_that_was_added_later_defines_a_part_only_where_it_is_changed():
    assert Grown().asdict(extent=False) == {"old": 1}
    assert Grown(choice="fancy").asdict(extent=False) == {"old": 1, "choice": "fancy"}
    assert Grown().asdict() == {"old": 1, "number": 0.5, "choice": "plain"}
    with pytest.raises(ParameterError, match="choice = 'odd'"):
        Grown(choice="odd")


def test_the_fields_of_another_kind_are_those_alone():
    """With this one's values, in that one's order."""
    study = make_study("gan", "smoke", learning_rate=2e-4)
    shared = study.fields_of(GANConfig)
    assert list(shared) == [f.name for f in dataclasses.fields(GANConfig)]
    assert GANConfig(**shared).learning_rate == 2e-4
    with pytest.raises(AttributeError):
        GANConfig().fields_of(CamelGAN)
