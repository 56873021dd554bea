"""Which device and precision are picked. No GPU is assumed."""

import time
from collections.abc import Iterator
from typing import cast

import pytest
import torch

from fastlabel_gradio import devices
from tests.tiny_models import precision_of_before


@pytest.fixture(autouse=True)
def fresh_choice() -> Iterator[None]:
    with precision_of_before():
        yield


def test_the_picked_device_can_compute() -> None:
    device = devices.pick_device()
    assert device in ("cuda", "mps", "cpu")
    assert torch.ones(2, device=device).sum().item() == 2


def test_the_measured_precision_of_a_cpu_is_bf16_or_fp32() -> None:
    assert devices.matmul_dtype("cpu") in (torch.bfloat16, torch.float32)


def test_a_matrix_product_takes_a_measurable_time() -> None:
    assert 0 < devices.matmul_seconds(torch.float32) < 10


def test_time_in_which_other_programs_have_the_processor_does_not_count() -> None:
    class Waits:
        def __matmul__(self, other: "Waits") -> None:
            time.sleep(0.05)

    assert devices._seconds_of_product(cast(torch.Tensor, Waits()), cast(torch.Tensor, Waits())) < 0.01


@pytest.mark.parametrize(("bf16_seconds", "expected"), [(1.25, torch.bfloat16), (40.0, torch.float32)])
def test_a_classifier_computes_in_the_precision_of_its_training_unless_this_cpu_emulates_it(
    bf16_seconds: float, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 0.8 of fp32's speed, as AVX-512 without units for bf16 has it, noise does not decide."""
    monkeypatch.setattr(devices, "matmul_seconds", lambda dtype: bf16_seconds if dtype == torch.bfloat16 else 1.0)
    with devices.computing_on("cpu", "bfloat16"):
        assert devices.matmul_dtype("cpu") is expected


@pytest.mark.parametrize(
    ("bf16_seconds", "expected"), [(0.2, torch.bfloat16), (0.9, torch.float32), (5.0, torch.float32)]
)
def test_a_cpu_uses_bf16_only_where_it_is_clearly_faster(
    bf16_seconds: float, expected: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "matmul_seconds", lambda dtype: bf16_seconds if dtype == torch.bfloat16 else 1.0)
    assert devices.matmul_dtype("cpu") is expected


def test_the_precision_is_measured_once_per_process(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[torch.dtype] = []
    monkeypatch.setattr(devices, "matmul_seconds", lambda dtype: measured.append(dtype) or 1.0)
    assert devices.matmul_dtype("cpu") is devices.matmul_dtype("cpu")
    assert len(measured) == 2


def test_mps_computes_in_fp16() -> None:
    assert devices.matmul_dtype("mps") is torch.float16
