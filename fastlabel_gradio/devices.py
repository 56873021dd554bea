"""Which device computes, in which precision it is fastest, measured and not assumed, and which thread goes first."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

BENCHMARK_SHAPE = (512, 768, 1536)  # rows, inner, columns: a few pictures in a layer of ViT-B; 1.2 GFLOP
BENCHMARK_ROUNDS = 3
NICENESS = 10
WORTHWHILE_SPEEDUP = 1.5  # below it bf16 costs precision for nothing; CPUs that emulate it are slower than fp32


@cache
def pick_device() -> str:
    """The fastest device here: "cuda", else "mps", else "cpu"."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


@cache
def matmul_dtype(device: str) -> "torch.dtype":
    """The precision in which that device multiplies matrices fastest at an accuracy that embeddings can bear.

    CUDA: bf16 where the hardware has it, else fp16. MPS: fp16. CPU: bf16 where a few timed products show it
    to be clearly faster than fp32, else fp32; never fp16, which CPUs compute at a hundredth of the speed of fp32.
    """
    import torch

    if device == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device == "mps":
        return torch.float16
    speedup = matmul_seconds(torch.float32) / matmul_seconds(torch.bfloat16)
    return torch.bfloat16 if speedup >= WORTHWHILE_SPEEDUP else torch.float32


@cache
def use_one_thread_per_operation() -> None:
    """Makes torch and NumPy compute each operation in the thread that asks for it; work is shared out by batches instead.

    People label while items are embedded and heads are trained, so more threads want to compute than there are cores.
    Torch's helper threads then wait for each other at every operation: with the cores busy a training took five times as
    long as alone, and less than twice as long with one thread (`benchmarks/threads.py`).
    """
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    threadpool_limits(1, user_api="blas")


def lower_priority() -> None:
    """Lets other threads go before the calling one from now on: Linux gives every thread a niceness of its own."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def at_low_priority(work: Callable[[], object]) -> None:
    """Does something in a thread of low priority and waits for it; what it raises is raised here."""
    with ThreadPoolExecutor(1, "background", lower_priority) as thread:
        thread.submit(work).result()


def matmul_seconds(dtype: "torch.dtype") -> float:
    """Seconds that the CPU takes for one representative matrix product: the best of a few, after one to warm up."""
    import torch

    rows, inner, columns = BENCHMARK_SHAPE
    left, right = torch.ones(rows, inner, dtype=dtype), torch.ones(inner, columns, dtype=dtype)
    with torch.inference_mode():
        return min([_seconds_of_product(left, right) for _ in range(BENCHMARK_ROUNDS + 1)][1:])


def _seconds_of_product(left: "torch.Tensor", right: "torch.Tensor") -> float:
    start = time.perf_counter()
    left @ right
    return time.perf_counter() - start
