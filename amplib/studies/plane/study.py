"""One point of the plane of smudge factor alpha and offset gamma: what the chosen B-VAE's events
are worth there.

``bvae.Scan`` has trained it; to draw from its buffer in another way trains nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from amplib.models.config import BufferConfig
from amplib.parameters import bounded
from amplib.progress import Progress
from amplib.store.results import wherever_stored
from amplib.store.study import Arrays, Layout, Part, Presets, summed
from amplib.studies.bvae.small import TOY_EVENTS, made_up_top_pairs
from amplib.studies.bvae.study import Scan
from amplib.studies.merit.judge import BATCH, Reference, faults_of_merit, judged, layout_of_merit
from amplib.studies.topvae.study import JUDGED, OfTheChosen, untrained

if TYPE_CHECKING:
    from amplib.models.buffer import TrainedVAE

GENERATION = 1  # which stream of a seed


@dataclass(frozen=True)
class BufferPoint(OfTheChosen, BufferConfig):
    """Both figures of merit of the model (20, 1e-6) at one alpha and gamma: a part is one training.

    All points of a plane draw the same encodings and the same noise, so that they differ by alpha
    and gamma alone.
    """

    name: ClassVar[str] = "top-point"
    store: ClassVar[str] = "top-point"
    presets: ClassVar[Presets] = {
        "smoke": {**Scan.presets["smoke"]},
        "laptop": {**Scan.presets["laptop"], "trainings": 3},
        "paper": {**Scan.presets["paper"]},
    }
    rate: ClassVar[float] = 200_000.0

    gamma: float = bounded(0.05, 0.0, 1e6)

    def parts(self) -> list[Part]:
        return [(k,) for k in range(self.trainings)]

    def work(self, parts: Sequence[Part]) -> float:
        """Events, each generated and judged."""
        return len(parts) * JUDGED * self.events

    def compute(
        self, parts: Sequence[Part], device: str, checkpoint: Path, progress: Progress
    ) -> Iterator[tuple[Part, Arrays]]:
        """Each part holds ``delta`` ``(2,)`` and ``delta_of`` ``(2, 2)`` (eta, phi), values with
        their errors over events, and the share of entries that are ``dropped``; NaN if an event or
        an observable is not finite.

        Raises:
            ValueError: the training has diverged.
        """
        from amplib.studies.bvae.scan import chosen_model
        from amplib.studies.merit.reading import stored_reference

        scan = self.made_of()
        reference = stored_reference(wherever_stored(scan.made_of()))
        for part in parts:
            model = chosen_model(scan, part[0]).to(device)
            yield part, self.judged(part, model, reference, progress)

    def judged(
        self, part: Part, model: TrainedVAE, reference: Reference, progress: Progress
    ) -> Arrays:
        """Generate as many events as the truth has, and judge them; see ``compute``."""
        seed = self.stream(GENERATION, *part)

        def batches() -> Iterator[NDArray[np.floating]]:
            for batch in model.generate(reference.events, seed, self.buffer(), BATCH):
                yield batch
                progress(JUDGED * len(batch))

        return judged(reference, batches())

    def layout(self) -> Layout:
        return layout_of_merit()

    def faults(self, arrays: Arrays) -> Iterator[str]:
        yield from faults_of_merit(arrays, may_be_none=True)

    def fingerprint(self) -> list[float]:
        """Events of a small untrained network in float64, beside made-up top pairs."""
        small = self.small()
        truth = made_up_top_pairs(TOY_EVENTS, np.random.default_rng(self.seed))
        model = untrained(small.made_of(), truth[:40])
        made = small.judged((0,), model, Reference.of(truth), lambda work: None)
        return [summed(a) for a in made.values()]
