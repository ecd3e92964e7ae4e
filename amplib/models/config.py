"""What defines a model: read by studies and notebooks that must not wait for torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from amplib.parameters import Parameters, bounded, one_of


@dataclass(frozen=True)
class GANConfig(Parameters):
    """Architecture and training of the camel-back GAN; defaults are the paper's (amplify, sec. 2).

    What the paper leaves open is a named option, its first choice our reading:

    - ``generator_loss``: ``non-saturating`` (-log D), the practice of Goodfellow et al. and of
      Roth et al., whose penalty the paper takes; or ``saturating``, log(1 - D).
    - ``gradient_path``: the penalty's gradient passes through the discriminator's whole input, x
      and its ``batch``, as differentiating the module by its input gives; or it is that of D(x, B)
      in ``x``, B held fixed, as x is the data point and B its context.  More trainings stay in one
      hump in the second reading, which was the default before (``studies.camel.escape``).
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
    gradient_path: str = one_of("batch", "x")
    noise_order: str = one_of("before", "after")
    std_floor: float = bounded(1e-8, 1e-30, 1.0, later=True)
    updates: str = one_of("joint", "separate", later=True)
    initialisation: str = one_of("default", "xavier", "he", later=True)


@dataclass(frozen=True)
class VAETraining(Parameters):
    """Architecture and training of the (B-)VAE; defaults are the event paper's for top pairs.

    Sec. III A gives width, depth, batch and epochs; rates, momentum and where the shortcuts
    begin are those of the published code, as the paper is silent.  Where it can be read in several
    ways, or its code differs, a named option has the other one:

    - ``initialisation``: the paper gives hidden weights "a variance of (1.55/128)^0.5", for the
      variance to stay as it is from layer to layer.  It stays if that is their ``deviation``, as in
      the code; taken at its word, as their ``variance``, it grows about sevenfold a layer.
    - ``sgd_phases``: 4 in the paper, 3 in its code.

    Phases end at the best weights of the validation events so far; optimisers begin anew.
    """

    width: int = bounded(128, 1, 8192)
    depth: int = bounded(6, 1, 100)
    batch_size: int = bounded(1024, 2, 1_000_000)
    learning_rate: float = bounded(1e-3, 1e-9, 1.0)
    rate_factor: float = bounded(0.5, 1e-3, 1.0)
    adam_phases: int = bounded(4, 1, 100)
    adam_epochs: int = bounded(240, 1, 1_000_000)
    sgd_phases: int = bounded(4, 0, 100)
    sgd_epochs: int = bounded(120, 1, 1_000_000)
    momentum: float = bounded(0.9, 0.0, 0.9999)
    initialisation: str = one_of("deviation", "variance")

    @property
    def epochs(self) -> int:
        """Of all phases."""
        return self.adam_phases * self.adam_epochs + self.sgd_phases * self.sgd_epochs

    def phase(self, epoch: int) -> tuple[int, bool]:
        """Number of the phase that an epoch belongs to, from 0, and whether it is its first.

        >>> VAETraining(adam_phases=1, adam_epochs=5, sgd_phases=2, sgd_epochs=3).phase(9)
        (2, True)
        """
        done = epoch - 1
        adam = self.adam_phases * self.adam_epochs
        if done < adam or not self.sgd_phases:
            phase, within = divmod(done, self.adam_epochs)
            last = self.adam_phases - 1
        else:
            phase, within = divmod(done - adam, self.sgd_epochs)
            phase, last = phase + self.adam_phases, self.adam_phases + self.sgd_phases - 1
        return min(phase, last), within == 0 and phase <= last


@dataclass(frozen=True)
class VAEConfig(VAETraining):
    """One (B-)VAE: its dim z and its B beside all else; by default the one that the paper chose."""

    latent: int = bounded(20, 1, 64)
    kl_weight: float = bounded(1e-6, 0.0, 0.999)


@dataclass(frozen=True)
class StagedVAEConfig(VAEConfig):
    """A VAE of the codes of another one (event paper, sec. III B c).

    Three layers of 64, without shortcuts; all else as of the VAE of top pairs, the scaling to
    [-1, 1] and the hyperbolic tangent of the output among it.  Its dim z' the paper does not say:
    that of the codes, as Dai and Wipf (arXiv:1903.05789) have it, whom it follows.
    """

    width: int = bounded(64, 1, 8192)
    depth: int = bounded(3, 1, 100)
    kl_weight: float = bounded(1e-3, 0.0, 1e6)


@dataclass(frozen=True)
class BufferConfig(Parameters):
    """How codes are drawn from the density information buffer (event paper, eqs. 16 to 19).

    - ``offset``: gamma is added to the ``variance`` (eq. 19), or to the ``deviation``, as in the
      published code.
    - ``smudge``: alpha multiplies the ``variance`` (eq. 17), or the ``deviation``, for which
      delta_OF of the paper's Tables I and II speaks.
    - ``draw``: encodings at ``random`` (eq. 16), or all of them ``in turn``, each as often as any
      other, as in the published code.
    - ``negative``: energies, transverse momenta and masses that are decoded below zero are
      ``kept``, as neither the paper nor its code says anything else, or set to ``zero``, which is
      what the columns of an absent lepton hold.
    """

    alpha: float = bounded(1.0, 0.0, 1e6)
    gamma: float = bounded(0.0, 0.0, 1e6)
    threshold: float = bounded(0.05, 0.0, 1e6)
    offset: str = one_of("variance", "deviation")
    draw: str = one_of("random", "in turn")
    negative: str = one_of("kept", "zero", later=True)
    smudge: str = one_of("variance", "deviation", later=True)

    def buffer(self) -> BufferConfig:
        """These fields alone: of a study that has them among others."""
        return BufferConfig(**self.fields_of(BufferConfig))


@dataclass(frozen=True)
class RegularGANConfig(Parameters):
    """A small GAN of dense layers.

    The event paper says of the one for two-body decays that it is regular (Goodfellow et al.,
    arXiv:1406.2661) and of small capacity, and no more.  Rate and beta_1 are those that Radford et
    al. (arXiv:1511.06434), which it cites beside it, recommend; the rest is ours.
    """

    noise: int = bounded(16, 1, 10_000)
    width: int = bounded(64, 1, 8192)
    depth: int = bounded(3, 1, 100)
    batch_size: int = bounded(1024, 2, 1_000_000)
    learning_rate: float = bounded(2e-4, 1e-9, 1.0)
    beta_1: float = bounded(0.5, 0.0, 0.9999)
    epochs: int = bounded(100, 1, 1_000_000)


@dataclass(frozen=True)
class DCTRTraining(Parameters):
    """How a classifier is trained; the defaults are the paper's for the 2D mixtures.

    The paper trains for 100 epochs.  Its released code keeps a fifth of the events for validation
    and stops after ``patience`` epochs without a smaller loss there; so do we.

    - ``keep``: the network of the epoch that is ``best``, with the smallest loss of validation, or
      of the ``last``.
    - ``temperature``: ``on`` divides the logit by one number that makes the validation loss
      smallest (Guo et al., arXiv:1706.04599).
    - ``balance``: either class counts for one half, whatever its size.  ``weights`` weight the
      smaller one up, ``tiling`` repeats its events, "equivalent to increasing the training
      weights", which "was found to converge better" (sec. III B).
    """

    batch_size: int = bounded(200, 2, 1_000_000)
    epochs: int = bounded(100, 1, 100_000)
    patience: int = bounded(10, 1, 100_000)
    learning_rate: float = bounded(1e-3, 1e-9, 1.0)
    validation: float = bounded(0.2, 0.001, 0.9)
    temperature: str = one_of("off", "on")
    balance: str = one_of("weights", "tiling")
    keep: str = one_of("best", "last")


STEPS_AN_EPOCH = 100
"""Of ``SmallGAN``; what the paper calls an epoch of its GANs is one step."""


@dataclass(frozen=True)
class ImageTraining(Parameters):
    """How a generator of images is trained, whichever it is.

    - ``pieces``: of an epoch.  After each the training can be stopped, and generated images are
      compared with ``judged`` others that are not trained on: the weights that are kept are those
      of the piece with the smallest mean distance (``generators.ImageStack``).
    - ``decay``: of the learning rate, an epoch.
    - ``precision``: of convolutions and dense layers; what is added up stays in float32.
    - ``start``: of generated images.  As ``published`` they start from weights near zero, and the
      last ReLU lets a training of few steps end where every image is empty and nothing has a
      gradient any more.  With ``mean`` a trained value a cell is added before it, at first that of
      the mean training image.
    """

    published_weights: ClassVar[int]
    """Of what generates, and of what encodes or discriminates, at the published size."""

    epochs: int = bounded(35, 1, 1_000_000)
    pieces: int = bounded(50, 1, 100_000)
    judged: int = bounded(1000, 2, 100_000)
    precision: str = one_of("float32", "bfloat16")
    start: str = one_of("published", "mean")
    batch_size: int = bounded(8, 2, 100_000)
    learning_rate: float = bounded(5e-4, 1e-9, 1.0)
    decay: float = bounded(0.95, 1e-3, 1.0)
    beta_1: float = bounded(0.5, 0.0, 0.9999)
    beta_2: float = bounded(0.9, 0.0, 0.9999)


@dataclass(frozen=True)
class BIBAEConfig(ImageTraining):
    """The BIB-AE of *Getting High* (arXiv:2005.05334) as DCTRGAN changes it (sec. III B).

    Defaults are the published ones: 71 million weights, batches of 8, 35 epochs.  What DCTRGAN
    changes: two networks for each critic, one of which starts anew at every epoch; uniform noise;
    no post-processor.

    - ``scale``: channels and dense layers are divided by it; the latent numbers are not.
    - ``detour``: of the decoder through images of ``60`` cells a side; ``none`` leaves out the two
      layers that lead there and back, which cost a CPU most of the decoder's time.
    - ``noise``: numbers that are added to the latent ones, divided by ``scale`` as well.
    - ``latent_rate``: of the latent critics, in units of ``learning_rate``.
    - ``critic_weight`` and the others: of the terms that the autoencoder minimises.
    """

    published_weights: ClassVar[int] = 71_443_094

    scale: int = bounded(1, 1, 64)
    detour: str = one_of("60", "none")
    latent: int = bounded(24, 1, 10_000)
    noise: int = bounded(488, 0, 100_000)
    latent_rate: float = bounded(4.0, 1e-3, 1000.0)
    critic_steps: int = bounded(5, 1, 100)
    penalty: float = bounded(10.0, 0.0, 1000.0)
    critic_weight: float = bounded(1.0, 0.0, 1e6)
    latent_weight: float = bounded(100.0, 0.0, 1e6)
    divergence_weight: float = bounded(0.05, 0.0, 1e6)
    discrepancy_weight: float = bounded(100.0, 0.0, 1e6)


@dataclass(frozen=True)
class ImageGANConfig(ImageTraining):
    """The plain GAN of *Getting High* (arXiv:2005.05334): transposed convolutions, batch norm.

    Its authors' repository has the layers, the noise and the optimiser; ``channels`` of the
    generator's last hidden layer are 32 there, which makes 4.4 million weights: 16 are the 1.5
    million of the paper.  The discriminator has 2.1 million.

    - ``channels``, ``critic_channels``: of the layers nearest to the image; deeper ones have 2, 4
      and 8 times as many.
    """

    published_weights: ClassVar[int] = 3_564_081

    channels: int = bounded(16, 1, 1024)
    critic_channels: int = bounded(32, 1, 1024)
    latent: int = bounded(100, 1, 100_000)
    batch_size: int = bounded(32, 2, 100_000)
    learning_rate: float = bounded(1e-5, 1e-9, 1.0)
    decay: float = bounded(1.0, 1e-3, 1.0)
    beta_2: float = bounded(0.999, 0.0, 0.9999)


@dataclass(frozen=True)
class EventGANConfig(Parameters):
    """One of the GANs of top pairs (event paper, Table IV and Fig. 6); see ``EVENT_GANS``.

    - ``steps``: of the generator.
    - ``critic_steps``: for each of them; ``warm_up``: so many for the first 25 steps of the
      generator and for every 500th, if that is more (released codes of WGAN and MMD-GAN).
    - ``clip``: largest modulus of the critic's weights; ``penalty``: weight of the gradient's.
    - ``scaling``: columns are divided by their largest ``modulus``, as the paper does "in all
      cases", or brought from their ``range`` to [-1, 1].
    """

    noise: int = bounded(100, 1, 10_000)
    width: int = bounded(512, 1, 8192)
    batch_size: int = bounded(64, 2, 1_000_000)
    learning_rate: float = bounded(5e-5, 1e-9, 1.0)
    beta_1: float = bounded(0.5, 0.0, 0.9999)
    beta_2: float = bounded(0.999, 0.0, 0.9999)
    steps: int = bounded(100_000, 1, 100_000_000)
    critic_steps: int = bounded(1, 1, 1000)
    warm_up: int = bounded(0, 0, 100_000)
    clip: float = bounded(0.01, 1e-9, 1e3)
    penalty: float = bounded(10.0, 0.0, 1e3)
    scaling: str = one_of("modulus", "range")

    @property
    def turns_an_epoch(self) -> int:
        """Steps of the generator between two records of the losses."""
        return -(-self.steps // RECORDS)

    @property
    def epochs(self) -> int:
        """Of a whole training; its last one is whole as well."""
        return -(-self.steps // self.turns_an_epoch)


RECORDS = 200
"""Epochs of an ``EventGAN`` at most: losses are recorded after each."""
_WEIGHTS_CLIPPED = EventGANConfig(critic_steps=5, warm_up=100)
EVENT_GANS: dict[str, EventGANConfig] = {
    "DijetGAN": EventGANConfig(
        noise=128, width=128, batch_size=32, learning_rate=1e-5, beta_2=0.9, scaling="range"
    ),
    "LSGAN": EventGANConfig(learning_rate=2e-4, steps=96_000),
    "MMD-GAN": _WEIGHTS_CLIPPED,
    "WGAN-GP": EventGANConfig(learning_rate=1e-4, beta_1=0.0, beta_2=0.9, critic_steps=5),
    "WGAN": _WEIGHTS_CLIPPED,
    "WGAN + MBD": _WEIGHTS_CLIPPED,
    "WGAN + MBD + MMD": _WEIGHTS_CLIPPED,
}
"""What the event paper calls "the recommended hyperparameters from the corresponding papers".

Batch, optimiser, rate, critic steps, clip and penalty are those of LSGAN (arXiv:1611.04076),
MMD-GAN (1705.08584), WGAN-GP (1704.00028) and WGAN (1701.07875); DijetGAN (1903.02433) is as its
authors released it.  All but DijetGAN's, which is about pairs of jets, are about images.  Dense
layers, their width and the 100 numbers of noise are those of the perceptrons that WGAN's and
WGAN-GP's authors use where they use any; DijetGAN's are its own.  Steps are 10^5 where nothing is
recommended, LSGAN's those of the event paper's code, as its layers are.  That code has minibatch
discrimination and batches of 1024 for its LSGAN, WGAN clipped at 1e-5 and batches of 256 for
WGAN-GP: the text's "recommended" is followed instead.
"""


@dataclass(frozen=True)
class FlowMatchingConfig(Parameters):
    """A velocity field that carries N(0, 1) to the events (arXiv:2210.02747); sizes are ours.

    - ``flow_steps``: of the midpoint rule, in generation.
    """

    width: int = bounded(512, 1, 8192)
    depth: int = bounded(4, 1, 100)
    batch_size: int = bounded(1024, 2, 1_000_000)
    learning_rate: float = bounded(1e-3, 1e-9, 1.0)
    epochs: int = bounded(1000, 1, 1_000_000)
    flow_steps: int = bounded(50, 1, 10_000)


@dataclass(frozen=True)
class SplineFlowConfig(Parameters):
    """A normalising flow of rational-quadratic splines (arXiv:1906.04032); sizes are ours.

    - ``transforms``: coupling layers of half of the columns, each with a network of its own.
    - ``bins``: of a spline.
    """

    transforms: int = bounded(8, 1, 100)
    bins: int = bounded(8, 2, 1000)
    width: int = bounded(256, 1, 8192)
    depth: int = bounded(2, 1, 100)
    batch_size: int = bounded(1024, 2, 1_000_000)
    learning_rate: float = bounded(1e-3, 1e-9, 1.0)
    epochs: int = bounded(200, 1, 1_000_000)
