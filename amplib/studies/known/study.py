"""Classifiers of pairs of known densities, and how far their weights are from the exact ratio.

No event is stored: a part holds weighted means, the learned ln W in bins of the exact one, and what
the weights leave of the events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from amplib.models.config import DCTRTraining
from amplib.parameters import bounded
from amplib.progress import Progress
from amplib.store.ranges import ROUNDING, counting, estimates, finite, within
from amplib.store.study import Arrays, Layout, Part, Presets, Study
from amplib.truth.pairs import PAIRS, kinds

NAMES = tuple(PAIRS)
"""Of the pairs, in the order of the parts."""
WEIGHTS = ("learned", "exact", "none")
"""Of the generated events, with which each expectation is taken."""
LOG_RATIO = np.linspace(-6, 6, 61)
"""Bins of the exact ln W; what lies beyond them is counted at either end."""
USUAL_EPOCHS = 30
"""After which a classifier has usually stopped."""


@dataclass(frozen=True)
class KnownRatios(Study):
    """Part (i, k) is the k-th training on the i-th of ``NAMES``, on events of its own.

    The classifiers are trained as those of DCTRGAN's mixtures.  At the paper's scale two things are
    smaller, with which twenty trainings on a million events of either kind take an hour of a shared
    core, and not many: in several dimensions two hidden layers of 64, where the paper has up to
    256, and batches of 1000, where it has 200 for two dimensions.
    """

    name: ClassVar[str] = "known-ratios"
    store: ClassVar[str] = "known-ratios"
    presets: ClassVar[Presets] = {
        "smoke": {
            "repetitions": 2, "events": 2000, "test_events": 1000, "batch_size": 100, "epochs": 2,
        },
        "laptop": {"events": 40_000, "test_events": 50_000, "batch_size": 500, "patience": 5},
        "paper": {},
    }  # fmt: skip
    unit: ClassVar[str] = "steps"
    rate: ClassVar[float] = 400.0

    seed: int = bounded(2009_03796, 0, 2**63 - 1)
    repetitions: int = bounded(5, 1, 1000, extent=True)
    events: int = bounded(1_000_000, 100, 100_000_000)
    test_events: int = bounded(500_000, 100, 100_000_000)
    hidden: tuple[int, ...] = bounded((64, 64), 1, 8192)
    hidden_1d: tuple[int, ...] = bounded((20, 20, 20), 1, 8192)
    batch_size: int = bounded(1000, 2, 1_000_000)
    epochs: int = bounded(100, 1, 100_000)
    patience: int = bounded(10, 1, 100_000)
    learning_rate: float = bounded(1e-3, 1e-9, 1.0)

    def parts(self) -> list[Part]:
        return [(i, k) for k in range(self.repetitions) for i in range(len(NAMES))]

    def repetitions_done(self, done: Sequence[Part]) -> int:
        """Trainings that are there of every pair."""
        stored = set(done)
        return sum(
            stored.issuperset((i, k) for i in range(len(NAMES))) for k in range(self.repetitions)
        )

    def priority(self, part: Part) -> float:
        return 1 / (1 + part[1])

    def training(self) -> DCTRTraining:
        """How a classifier is trained."""
        return DCTRTraining(
            batch_size=self.batch_size, epochs=self.epochs, patience=self.patience,
            learning_rate=self.learning_rate,
        )  # fmt: skip

    @property
    def steps(self) -> int:
        """Of one classifier, usually."""
        trained_on = 2 * (1 - self.training().validation) * self.events
        return round(min(self.epochs, USUAL_EPOCHS) * trained_on / self.batch_size)

    def work(self, parts: Sequence[Part]) -> float:
        return len(parts) * self.steps

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """The arrays of ``measuring.measure``."""
        from amplib.models.checkpoint import Checkpoint
        from amplib.studies.known.measuring import measure

        for part in parts:
            kept = Checkpoint(checkpoint).at(f"{part}")
            yield part, measure(self, part, progress, checkpoint=kept)
            kept.drop()

    def layout(self) -> Layout:
        cells = len(LOG_RATIO) + 1
        return {
            "means": ("float64", (len(WEIGHTS), None, 2)),
            "weights": ("float64", (2, 2, 2)),
            "counts": ("int64", (cells,)),
            "deviations": ("float64", (3, cells)),
            "losses": ("float32", (None, 2)),
        }

    def faults(self, arrays: Arrays) -> Iterator[str]:
        found, allowed = arrays["means"].shape[1], {len(kinds(p.dimension)) for p in PAIRS.values()}
        if found not in allowed:
            yield f"means has {found} observables, expected one of {sorted(allowed)}"
        yield from finite("means", arrays["means"])
        yield from estimates("means", arrays["means"], -np.inf, np.inf)
        share_at_most = np.array([np.inf, 1 + ROUNDING])
        yield from finite("weights", arrays["weights"])
        yield from estimates("weights", arrays["weights"], 0, share_at_most)
        yield from counting("counts", arrays["counts"], 2 * self.test_events)
        yield from finite("deviations", arrays["deviations"])
        yield from within("deviations", arrays["deviations"][2], 0, np.inf)
        yield from finite("losses", arrays["losses"])
        yield from within("losses", arrays["losses"], 0, np.inf)

    def fingerprint(self) -> list[float]:
        """Two epochs in float64 on some hundred events of every pair, and all that is measured."""
        from amplib.studies.known.measuring import tiny_run

        batch = min(self.batch_size, 50)
        return tiny_run(replace(self, events=200, test_events=200, epochs=2, batch_size=batch))
