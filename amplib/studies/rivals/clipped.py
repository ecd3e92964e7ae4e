"""How far a WGAN's generator gets, by the clip of its critic's weights.

The slope of a critic whose weights are all within c is at most of the order of c to the number of
its layers.  RMSprop divides a gradient by its root mean square plus 1e-8: below that nothing moves.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from amplib.models.config import EVENT_GANS
from amplib.models.event_gans import WGAN

TURNS = 20
RELEASED_CLIP = 1e-5
"""Of the event paper's code; the WGAN's own is 0.01 (arXiv:1701.07875)."""


def moved(events: NDArray[np.floating], clip: float, turns: int = TURNS) -> tuple[float, float]:
    """The modulus by which weights and biases of the generator have changed after so many turns of
    a training from its start: median and largest, in learning rates.

    Args:
        events: to train on, ``(N, columns)``.
        clip: largest modulus of the critic's weights.
        turns: steps of the generator, each after ``critic_steps`` of the critic.
    """
    config = replace(EVENT_GANS["WGAN"], clip=clip, warm_up=0, steps=turns)
    gan = WGAN(config, events, [np.random.SeedSequence(0)])
    before = [p.detach().clone() for p in gan.generator.parameters()]
    for _ in gan.train(config.epochs):
        pass
    pairs = zip(gan.generator.parameters(), before, strict=True)
    changes = torch.cat([(p.detach() - old).abs().flatten() for p, old in pairs])
    changes = changes.double() / config.learning_rate
    return float(changes.median()), float(changes.max())
