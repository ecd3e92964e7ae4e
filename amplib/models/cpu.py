"""What makes a worker process fast on a CPU: its matrix products, its threads and its memory."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable

import torch
from torch import Tensor

EXACT = 1e-6
"""Relative error (rms) of a product that still is one of float32: it gives some 3e-7, bfloat16
operands 2e-3."""
MEMBERS, ROWS, WIDTH = 8, 40, 256
"""Shape of the test product: a stack of GANs in the hidden layers of the discriminator."""
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3  # <malloc.h>


def prepare() -> str:
    """Set this process up for float32 training on one core; returns what multiplies its matrices.

    One thread, as two processes of one thread are faster than one of two and ``OMP_NUM_THREADS``
    comes too late; memory that is kept; and oneDNN for float32 products where ``onednn`` allows.
    """
    torch.set_num_threads(1)
    keep_memory()
    return onednn()


def onednn() -> str:
    """Send float32 products through oneDNN if that is both exact and faster here.

    MKL takes its AVX2 path on chips that are not Intel's, oneDNN all that the chip has.  PyTorch
    names this path ``bf16``, for what oneDNN may round operands to where the chip multiplies
    bfloat16; on others it computes in float32.  Therefore a product is tested before the path is
    used, and one that rounds is refused.

    Returns:
        ``oneDNN float32`` or, if all stays as PyTorch set it, ``default``.
    """
    setting = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = setting.fp32_precision
    default = _product_seconds()
    setting.fp32_precision = "bf16"
    if product_error(torch.bmm) < EXACT and _product_seconds() < default:
        return "oneDNN float32"
    setting.fp32_precision = before
    return "default"


def product_error(multiply: Callable[[Tensor, Tensor], Tensor]) -> float:
    """Error of a float32 product against float64, root mean square over that of its entries."""
    a, b = _operands()
    exact = torch.bmm(a.double(), b.double())
    return ((multiply(a, b) - exact).norm() / exact.norm()).item()


def _operands() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((MEMBERS, ROWS, WIDTH), (MEMBERS, WIDTH, WIDTH))
    a, b = (torch.randn(shape, generator=generator) for shape in shapes)
    return a, b


def _product_seconds(turns: int = 20) -> float:
    """Least time of one product, which a busy neighbour does not change."""
    a, b = _operands()
    times = []
    for _ in range(turns):
        start = time.perf_counter()
        torch.bmm(a, b)
        times.append(time.perf_counter() - start)
    return min(times)


def keep_memory() -> bool:
    """Let glibc keep what is freed: else every step hands its tensors back to the kernel and
    faults them in again.  Returns whether there is a glibc to tell."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    megabyte = 1 << 20
    settings = (
        (_M_MMAP_THRESHOLD, 32 * megabyte),  # the most that glibc takes
        (_M_TRIM_THRESHOLD, 1024 * megabyte),
        (_M_TOP_PAD, 64 * megabyte),
    )
    return all(mallopt(name, value) for name, value in settings)
