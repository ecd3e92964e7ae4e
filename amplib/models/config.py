"""What defines a training: read by studies and notebooks that must not wait for torch."""

from __future__ import annotations

from dataclasses import dataclass

from amplib.parameters import Parameters, bounded, one_of


@dataclass(frozen=True)
class GANConfig(Parameters):
    """Architecture and training of the camel-back GAN; defaults are the paper's (amplify, sec. 2).

    What the paper leaves open is a named option, its first choice our reading:

    - ``generator_loss``: ``non-saturating`` (-log D), the practice of Goodfellow et al. and of
      Roth et al., whose penalty the paper takes; or ``saturating``, log(1 - D).
    - ``gradient_path``: the penalty's gradient is that of D(x, B) in ``x``, B held fixed, as x is
      the data point and B its context; or it passes through the discriminator's whole input, x and
      its ``batch``, as differentiating the module by its input gives.  Fewer trainings stay in one
      hump in the second reading (``studies.camel.escape``): it becomes the default when enough of
      its trainings are there at full length.
    - ``noise_order``: the noise on the real points is added ``before`` B is built, so that x is
      one of B's columns; or ``after``, to x alone.
    - ``aggregation``: ``std`` (unbiased, as ``torch.std``) or ``biased-std`` (as ``numpy.std``);
      ``mean``, ``max``, ``sum`` for the paper's remark that the choice hardly matters.
    - ``std_floor``: added to the variance before its root is taken.
    - ``updates``: the discriminator's step sees real and generated points ``joint``; or it takes
      two ``separate`` steps, real points first.
    - ``initialisation``: PyTorch's ``default`` of a linear layer, ``xavier`` or ``he``.
    """

    dimension: int = bounded(1, 1, 100)
    latent: int = bounded(1000, 1, 100_000)
    width: int = bounded(256, 1, 8192)
    depth: int = bounded(7, 1, 100)
    embedding: int = bounded(32, 1, 8192)
    dropout: float = bounded(0.5, 0.0, 0.99)
    batch_size: int = bounded(10, 2, 100_000)
    epochs: int = bounded(10_000, 1, 10_000_000)
    learning_rate: float = bounded(5e-5, 1e-9, 1.0)
    decay: float = bounded(0.9, 1e-3, 1.0)
    decay_epochs: int = bounded(1000, 1, 10_000_000)
    beta_1: float = bounded(0.5, 0.0, 0.9999)
    beta_2: float = bounded(0.9, 0.0, 0.9999)
    input_noise: float = bounded(0.1, 0.0, 100.0)
    penalty: float = bounded(0.01, 0.0, 1000.0)
    aggregation: str = one_of("std", "biased-std", "mean", "max", "sum")
    generator_loss: str = one_of("non-saturating", "saturating")
    gradient_path: str = one_of("x", "batch")
    noise_order: str = one_of("before", "after")
    std_floor: float = bounded(1e-8, 1e-30, 1.0, later=True)
    updates: str = one_of("joint", "separate", later=True)
    initialisation: str = one_of("default", "xavier", "he", later=True)


@dataclass(frozen=True)
class DCTRTraining(Parameters):
    """How a classifier is trained; the defaults are the paper's for the 2D mixtures.

    The paper trains for 100 epochs.  Its released code keeps a fifth of the events for validation
    and stops after ``patience`` epochs without a smaller loss there; so do we, and keep the network
    of the smallest one.

    - ``temperature``: ``on`` divides the logit by one number that makes the validation loss
      smallest (Guo et al., arXiv:1706.04599).
    """

    batch_size: int = bounded(200, 2, 1_000_000)
    epochs: int = bounded(100, 1, 100_000)
    patience: int = bounded(10, 1, 100_000)
    learning_rate: float = bounded(1e-3, 1e-9, 1.0)
    validation: float = bounded(0.2, 0.001, 0.9)
    temperature: str = one_of("off", "on")


STEPS_AN_EPOCH = 100
"""Of ``SmallGAN``; what the paper calls an epoch of its GANs is one step."""
