"""Random numbers of many networks that train side by side, each member's its own."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

# SplitMix64 (Steele, Lea, Flood 2014): a counter-based generator when run from seed + index.
_GOLDEN = -0x61C8864680B583EB  # 0x9E3779B97F4A7C15 as a signed 64-bit number

_MIX_1 = -0x40A7B892E31B1A47  # 0xBF58476D1CE4E5B9

_MIX_2 = -0x6B2FB644ECCEEE15  # 0x94D049BB133111EB


def _mix(z: Tensor, shift: int, factor: int | None) -> Tensor:
    z = z ^ ((z >> shift) & ((1 << (64 - shift)) - 1))
    return z if factor is None else z.mul_(factor)


class Noise:
    """Random numbers of E members, each a function of (its seed, a counter) alone.

    A member's numbers are the same whether it is trained alone or in a stack, on a CPU or
    captured in a CUDA graph, and from whatever step a run resumes: there is no state but the
    counter.  Words come from SplitMix64.

    Args:
        seeds: E spawned seeds.
        device: where the words are made.
    """

    def __init__(self, seeds: list[np.random.SeedSequence], device: torch.device):
        state = np.stack([s.generate_state(1, np.uint64) for s in seeds]).view(np.int64)
        self.seeds = torch.from_numpy(state).to(device)

    def words(self, start: int | Tensor, count: int) -> Tensor:
        """``(E, count)`` words of 64 random bits for the counters ``start ... start + count``."""
        counter = torch.arange(1, count + 1, device=self.seeds.device) + start
        z = counter * _GOLDEN + self.seeds
        return _mix(_mix(_mix(z, 30, _MIX_1), 27, _MIX_2), 31, None)


class NoiseBlock:
    """Hands out one step's words in order, as uniform and normal numbers and dropout masks.

    Args:
        words: ``(E, count)`` from ``Noise.words``.
        dtype: floating type of what is handed out.
    """

    def __init__(self, words: Tensor, dtype: torch.dtype):
        self.words, self.dtype, self.taken = words, dtype, 0

    def _take(self, numbers: int, per_word: int, kind: torch.dtype) -> Tensor:
        count = -(-numbers // per_word)
        words = self.words[:, self.taken : self.taken + count].contiguous()
        if words.shape[1] < count:
            raise ValueError(f"noise block of {self.words.shape[1]} words is used up")
        self.taken += count
        return words.view(kind)[:, :numbers]

    def uniform(self, *shape: int) -> Tensor:
        """``(E, *shape)`` numbers, uniform on [-1, 1]."""
        bits = self._take(math.prod(shape), 2, torch.int32)
        return (bits.to(self.dtype) * 2.0**-31).unflatten(1, shape)

    def normal(self, *shape: int) -> Tensor:
        """``(E, *shape)`` numbers, of unit normal distribution (Box, Muller 1958)."""
        numbers = math.prod(shape)
        half = -(-numbers // 2)
        first, second = self.uniform(half), self.uniform(half)
        radius = (-2 * first.abs().clamp_(min=2.0**-33).log()).sqrt_()
        angle = math.pi * second
        both = torch.cat([radius * angle.cos(), radius * angle.sin()], 1)
        return both[:, :numbers].unflatten(1, shape)

    def normal_series(self, *shape: int) -> Tensor:
        """``(E, *shape)`` normal numbers, two a word: the first ones stay what they are if more are
        asked for."""
        numbers = math.prod(shape)
        bits = self._take(2 * series_words(numbers), 2, torch.int32)
        return box_muller(bits, self.dtype)[:, :numbers].unflatten(1, shape)

    def dropout(self, p: float, *shape: int) -> Tensor:
        """``(E, *shape)`` mask: 0 with probability p (to 2^-16), else 1 / (1 - p)."""
        bits = self._take(math.prod(shape), 4, torch.int16)
        dropped = round(p * 65536) - 32769  # the largest number that drops
        keep = bits.to(self.dtype).sub_(dropped).clamp_(0, 1)
        return keep.mul_(1 / (1 - p)).unflatten(1, shape)


class JoinedNoise:
    """Several blocks of equally many rows as one: their rows, one block's after the other's.

    Args:
        words: ``(E, blocks, count)``.
        dtype: floating type of what is handed out.
    """

    def __init__(self, words: Tensor, dtype: torch.dtype):
        self.blocks = words.shape[1]
        self.each = NoiseBlock(words.flatten(0, 1), dtype)

    def uniform(self, rows: int, *shape: int) -> Tensor:
        """``(E, rows, *shape)`` numbers, uniform on [-1, 1]."""
        return self._joined(self.each.uniform(rows // self.blocks, *shape))

    def normal(self, rows: int, *shape: int) -> Tensor:
        """``(E, rows, *shape)`` numbers, of unit normal distribution."""
        return self._joined(self.each.normal(rows // self.blocks, *shape))

    def _joined(self, numbers: Tensor) -> Tensor:
        return numbers.unflatten(0, (-1, self.blocks)).flatten(1, 2)


def box_muller(bits: Tensor, dtype: torch.dtype) -> Tensor:
    r"""Standard normal numbers from pairs of 32 random bits (Box, Muller 1958).

    :math:`\sqrt{-2 \ln u}\,(\cos\phi, \sin\phi)` with u uniform on (0, 1), from 31 of the first
    number's bits, and :math:`\phi` on :math:`[-\pi, \pi]`, from the second's.  The largest is 6.7,
    which one in 4e10 exceeds.

    Args:
        bits: ``int32``, ``(..., 2 k)``.
        dtype: of the numbers.

    Returns:
        ``(..., 2 k)``.
    """
    # Without its sign: a number of few bits keeps all of them in float32, so that the tail is fine.
    u = ((bits[..., ::2] & 0x7FFFFFFF).to(dtype) + 0.5) * 2.0**-31
    phi = bits[..., 1::2].to(dtype) * (math.pi * 2.0**-31)
    radius = u.log_().mul_(-2).sqrt_()
    return torch.stack([radius * phi.cos(), radius * phi.sin()], -1).flatten(-2)


def series_words(numbers: int) -> int:
    """Words that ``NoiseBlock.normal_series`` takes for so many numbers."""
    return -(-numbers // 2)


def uniform_words(numbers: int) -> int:
    """Words that ``NoiseBlock.uniform`` takes for so many numbers."""
    return -(-numbers // 2)


def normal_words(numbers: int) -> int:
    """Words that ``NoiseBlock.normal`` takes for so many numbers."""
    return 2 * uniform_words(-(-numbers // 2))


def dropout_words(numbers: int) -> int:
    """Words that ``NoiseBlock.dropout`` takes for so many numbers."""
    return -(-numbers // 4)
