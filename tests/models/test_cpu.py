"""Which path multiplies float32 matrices: only one that is exact, and only if it is faster."""

import ctypes

import pytest
import torch

from amplib.models import cpu


@pytest.fixture(autouse=True)
def restored():
    """PyTorch's own setting and threads after each test."""
    setting, threads = torch.backends.mkldnn.matmul, torch.get_num_threads()
    before = setting.fp32_precision
    yield
    setting.fp32_precision = before
    torch.set_num_threads(threads)


def rounding(a, b):
    """What oneDNN does where the chip multiplies bfloat16."""
    return torch.bmm(a.bfloat16().float(), b.bfloat16().float())


def chip(monkeypatch, multiply, gain):
    """A machine whose oneDNN multiplies so and is so much faster."""
    setting = torch.backends.mkldnn.matmul
    setting.fp32_precision = "ieee"
    error = cpu.product_error(multiply)
    seconds = {"ieee": 1.0, "bf16": 1 / gain}
    monkeypatch.setattr(cpu, "product_error", lambda _: error)
    monkeypatch.setattr(cpu, "_product_seconds", lambda: seconds[setting.fp32_precision])


@pytest.mark.parametrize(
    ("multiply", "gain", "chosen"),
    [
        (rounding, 10.0, "default"),
        (torch.bmm, 0.9, "default"),
        (torch.bmm, 2.0, "oneDNN float32"),
    ],
    ids=["rounds", "slower", "exact and faster"],
)
def test_which_path_is_taken(monkeypatch, multiply, gain, chosen):
    chip(monkeypatch, multiply, gain)
    assert cpu.onednn() == chosen
    taken = torch.backends.mkldnn.matmul.fp32_precision
    assert taken == ("ieee" if chosen == "default" else "bf16")


def test_the_error_tells_float32_from_bfloat16():
    """What is let through lies between them, far from bfloat16."""
    torch.backends.mkldnn.matmul.fp32_precision = "ieee"
    assert cpu.product_error(torch.bmm) < cpu.EXACT < cpu.product_error(rounding) / 300


def test_whatever_is_chosen_here_is_float32():
    cpu.prepare()
    assert torch.get_num_threads() == 1
    assert cpu.product_error(torch.bmm) < cpu.EXACT


def test_memory_is_kept_where_there_is_a_glibc(monkeypatch):
    assert cpu.keep_memory() == hasattr(ctypes.CDLL(None), "gnu_get_libc_version")

    def nowhere(name):
        raise OSError

    monkeypatch.setattr(cpu.ctypes, "CDLL", nowhere)
    assert not cpu.keep_memory()
