"""A stored result belongs to the code that would compute it today.

Each record holds the fingerprint of its study: numbers of a tiny float64 run of the same code,
made when the first part was stored.  If the code has changed what it computes, today's
fingerprint differs, and the stored parts are of another model.
"""

import json
import os
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

from amplib.files import ROOT
from amplib.store.results import same_fingerprint
from amplib.store.study import PRESETS, Study
from amplib.studies.camel.study import CamelStudy
from amplib.studies.catalogue import STUDIES, make_study

RECORDS = sorted(ROOT.glob("results/*/*/*/record.json"))


def study_of(record: dict) -> Study:
    """The study with the recorded parameters."""
    cls = next(cls for cls in STUDIES.values() if cls.store == record["study"])
    return cls(**record["parameters"])


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: "-".join(p.parts[-4:-1]))
def test_stored_results_are_of_this_code(path):
    record = json.loads(path.read_text())
    study = study_of(record)
    remedy = (
        f"delete {path.parent.relative_to(ROOT)} and run "
        f"make compute STUDY={study.name} PRESET={record['preset']}"
    )
    assert study.key() == path.parent.name, f"the meaning of a parameter has changed: {remedy}"
    assert same_fingerprint(study.fingerprint(), record["fingerprint"]), (
        f"the code no longer computes what is stored: {remedy}"
    )


# ---- the fingerprint itself ----


def small_gan(**changes):
    return make_study("gan", "smoke", **changes)


@pytest.fixture(scope="module")
def original() -> dict[str, list[float]]:
    return {name: make_study(name, "smoke").fingerprint() for name in ("fit", "gan", "smoothing")}


def test_a_fingerprint_repeats_itself(original):
    for name, numbers in original.items():
        assert numbers == make_study(name, "smoke").fingerprint()
        assert np.isfinite(numbers).all()


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", STUDIES)
def test_a_record_gives_its_study_back(name, preset):
    study = make_study(name, preset)
    parameters = json.loads(json.dumps(study.asdict(extent=False)))
    rebuilt = study_of({"study": study.store, "parameters": parameters})
    assert rebuilt.key() == study.key()


PATCHES = [
    ("amplib.models.layers.LEAK", 0.0101),
    ("amplib.models.gan.aggregate", lambda f: lambda *a: 1.0001 * f(*a)),
    ("amplib.models.gan.aggregation_weights", lambda f: lambda *a: 1.0001 * f(*a)),
    ("amplib.models.gan.discriminator_loss", lambda f: lambda a, b, gamma: f(a, b, 1.01 * gamma)),
    ("amplib.models.gan.F.elu", lambda f: lambda x: f(x, alpha=1.001)),
    ("amplib.models.noise._MIX_2", 3),
    ("amplib.studies.camel.study._MEMBER", 7),
]


@pytest.mark.parametrize(("target", "change"), PATCHES, ids=[target for target, _ in PATCHES])
def test_a_changed_gan_moves_the_fingerprint(target, change, original, monkeypatch):
    """A leak of 0.0101, a penalty 1% stronger, another stream of random numbers ... are seen."""
    patch(monkeypatch, target, change)
    assert not same_fingerprint(small_gan().fingerprint(), original["gan"])


def test_a_changed_sample_moves_every_fingerprint(original, monkeypatch):
    """A training sample shifted by a thousandth of a hump's width."""
    patch(monkeypatch, "amplib.studies.camel.study.CamelStudy.training_sample", shifted)
    for name, numbers in original.items():
        assert not same_fingerprint(make_study(name, "smoke").fingerprint(), numbers), name


def shifted(f):
    return lambda self, repetition: f(self, repetition) + 1e-3


def test_rounding_does_not_move_a_fingerprint(original, monkeypatch):
    """A training sample off by 1e-15, as another machine's library may give."""
    noise = 1e-15 * np.random.default_rng(0).normal(size=100)
    sample = CamelStudy.training_sample
    monkeypatch.setattr(
        CamelStudy,
        "training_sample",
        lambda self, k: sample(self, k) * (1 + noise[: self.n_train]),
    )
    for name, numbers in original.items():
        moved = make_study(name, "smoke").fingerprint()
        assert same_fingerprint(moved, numbers), name


ELSEWHERE = {
    "other products": ({"MKL_CBWR": "COMPATIBLE"}, "x86_64"),
    "no AVX2": ({"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}, "arm64"),
}


@pytest.mark.parametrize("name", ["gan", "event-gans"])
@pytest.mark.parametrize("where", ELSEWHERE)
def test_another_processor_gives_the_same_fingerprint(where, name):
    """One that adds up in another order, and one that draws single-precision normal numbers
    with another approximation.  Deterministic: no seed, no false alarms on one machine."""
    changes, machine = ELSEWHERE[where]
    script = (
        "import json; from amplib.studies.catalogue import make_study;"
        f"print(json.dumps(make_study({name!r}, 'paper').fingerprint()))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | changes,
        capture_output=True,
        text=True,
        check=True,
    )
    there, here = json.loads(ran.stdout), make_study(name, "paper").fingerprint()
    assert same_fingerprint(there, here, machine)


@pytest.mark.parametrize(
    "change",
    [
        {"learning_rate": 1e-4},
        {"decay": 0.8},
        {"beta_1": 0.6},
        {"beta_2": 0.99},
        {"penalty": 0.02},
        {"input_noise": 0.2},
        {"dropout": 0.4},
        {"batch_size": 5},
        {"aggregation": "mean"},
        {"generator_loss": "saturating"},
        {"gradient_path": "x"},
        {"noise_order": "after"},
        {"aggregation": "biased-std"},
        {"std_floor": 1e-6},
        {"updates": "separate"},
        {"initialisation": "he"},
        {"seed": 1},
    ],
    ids=str,
)
def test_a_parameter_enters_the_fingerprint(change, original):
    """What the tiny run keeps of the study's parameters is used by it."""
    assert not same_fingerprint(small_gan(**change).fingerprint(), original["gan"])


def patch(monkeypatch, target, change):
    """Set ``target`` to ``change``, or to what ``change`` makes of it if that is a function."""
    if callable(change):
        change = change(pkgutil.resolve_name(target))
    monkeypatch.setattr(target, change)
