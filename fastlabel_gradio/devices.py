"""Which device computes, in which precision it is fastest, measured and not assumed, and which thread goes first."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

BENCHMARK_SHAPE = (512, 768, 1536)  # rows, inner, columns: a few pictures in a layer of ViT-B; 1.2 GFLOP
BENCHMARK_ROUNDS = 3
FINE_S = 1e-4  # Windows counts a thread's time in steps of 16 ms
NICENESS = 10
NOT_EMULATED = 0.5  # of fp32's speed: bf16 units give 4.3 times of it, AVX-512 without them 0.8, AVX2 0.02
WORTHWHILE_SPEEDUP = 1.5  # below it bf16 costs precision for nothing; CPUs that emulate it are slower than fp32


_device: ContextVar[str | None] = ContextVar("device", default=None)
_precision: ContextVar["torch.dtype | None"] = ContextVar("precision", default=None)


def pick_device() -> str:
    """The fastest device here: "cuda", else "mps", else "cpu"; inside `computing_on` that one."""
    return _device.get() or _fastest_device()


@cache
def _fastest_device() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def matmul_dtype(device: str) -> "torch.dtype":
    """`fastest_dtype`, inside `computing_on` with a precision that one."""
    return _precision.get() or fastest_dtype(device)


@cache
def fastest_dtype(device: str) -> "torch.dtype":
    """The precision in which that device multiplies matrices fastest at an accuracy that embeddings can bear.

    CUDA: bf16 where the hardware has it, else fp16. MPS: fp16. CPU: bf16 where a few timed products show it
    to be clearly faster than fp32, else fp32; never fp16, which CPUs compute at a hundredth of the speed of fp32.
    """
    import torch

    if device == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device == "mps":
        return torch.float16
    return torch.bfloat16 if _bf16_speedup() >= WORTHWHILE_SPEEDUP else torch.float32


@contextmanager
def computing_on(device: str, precision: str = "") -> Iterator[None]:
    """Models that are built inside, in this thread, compute on that device.

    Args:
        precision: "float32" or "bfloat16", in which they compute on a CPU, so that two programs get the same bits; not taken
            where this CPU emulates it.
    """
    import torch

    wanted: torch.dtype | None = None
    if device == "cpu" and precision:
        emulates = precision == "bfloat16" and _bf16_speedup() < NOT_EMULATED
        wanted = torch.float32 if precision == "float32" or emulates else torch.bfloat16
    tokens = _device.set(device), _precision.set(wanted)
    try:
        yield
    finally:
        _device.reset(tokens[0])
        _precision.reset(tokens[1])


@contextmanager
def one_thread_per_operation() -> Iterator[None]:
    """As `use_one_thread_per_operation`, until the block ends: results of some operations depend on it in the last bit."""
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(before)


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


def compute_alone() -> None:
    """Makes each operation of the calling thread use no other: a new thread begins with as many as there are cores.

    The sums of some operations are rounded otherwise by several threads.
    """
    import torch

    torch.set_num_threads(1)  # MKL keeps this number for each thread


def begin_worker() -> None:
    """What a thread that embeds in the background begins with."""
    lower_priority()
    compute_alone()


def lower_priority() -> None:
    """Lets other threads go before the calling one from now on: Linux gives every thread a niceness of its own."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def at_low_priority(work: Callable[[], object]) -> None:
    """Does something in a thread of low priority and waits for it; what it raises is raised here."""
    with ThreadPoolExecutor(1, "background", begin_worker) as thread:
        thread.submit(work).result()


def matmul_seconds(dtype: "torch.dtype") -> float:
    """Seconds that the CPU takes for one representative matrix product: the best of a few, after one to warm up.

    Other programs do not count: on a busy machine seconds of the clock said now one precision and now the other, so that two
    processes with one classifier gave other bits.
    """
    import torch

    rows, inner, columns = BENCHMARK_SHAPE
    left, right = torch.ones(rows, inner, dtype=dtype), torch.ones(inner, columns, dtype=dtype)
    with torch.inference_mode():
        return min([_seconds_of_product(left, right) for _ in range(BENCHMARK_ROUNDS + 1)][1:])


def _bf16_speedup() -> float:
    import torch

    return matmul_seconds(torch.float32) / matmul_seconds(torch.bfloat16)


def _seconds_of_product(left: "torch.Tensor", right: "torch.Tensor") -> float:
    clock = time.thread_time if time.get_clock_info("thread_time").resolution < FINE_S else time.perf_counter
    start = clock()
    left @ right
    return clock() - start
