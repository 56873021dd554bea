"""A Ray cluster, local or elsewhere, that does tasks: `Cluster.results` gives what comes of each, in their order.

What a worker does is a function that is made once in each worker, from what can be pickled; where that costs nothing, a
function of what all tasks share (`Cluster.shared_results`). A worker that dies costs the task in its hands, which another one
does again. Knows nothing of encoders or files.
"""

import argparse
import logging
import os
import pickle
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from fastlabel_gradio.errors import ConfigError, FastLabelError

Task = TypeVar("Task")
Result = TypeVar("Result")
Shared = TypeVar("Shared")
Make = Callable[[], Callable[[Task], Result]]  # makes what a worker does; runs once in each

LOCAL, AUTO = "local", "auto"
OBJECT_STORE_BYTES = 512 << 20  # of a local cluster: tasks and what comes of them are small
TASKS_A_WORKER = 2  # of those that share something: one in hand, one that waits


@dataclass(frozen=True, slots=True)
class Workers:
    """How many there are, and what each has."""

    count: int
    cpus: int = 1
    gpus: int = 0


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that is connected: `open_cluster`."""

    workers: Workers

    def results(self, make: "Make[Task, Result]", tasks: Iterable[Task]) -> Iterator[Result]:
        """What comes of each task, in their order, while they are done.

        Raises:
            FastLabelError: what a worker raised.
        """
        import ray
        from ray.data import ActorPoolStrategy, DataContext
        from ray.exceptions import RayError

        logging.getLogger("ray.data").setLevel(logging.ERROR)  # its import sets what it tells of each run
        blocks = [_block(task) for task in tasks]
        if not blocks:
            return
        DataContext.get_current().execution_options.preserve_order = True
        DataContext.get_current().enable_progress_bars = False
        done = ray.data.from_arrow(blocks).map_batches(
            _Worker,
            batch_size=None,
            compute=ActorPoolStrategy(size=min(self.workers.count, len(blocks))),
            fn_constructor_args=(make,),
            num_cpus=self.workers.cpus,
            num_gpus=self.workers.gpus,
        )
        try:
            for row in done.iter_rows():
                yield _told(pickle.loads(row["pickled"]))
        except RayError as error:
            raise FastLabelError(f"{_failure(error)} Run it again: what is done stays done.") from error

    def shared_results(
        self, work: Callable[[Shared, Task], Result], shared: Shared, tasks: Iterable[Task]
    ) -> Generator[Result, None, None]:
        """What comes of `work(shared, task)`, in the order of the tasks, of which few are under way at a time.

        What they share goes to each machine once. Closing the generator gives up the tasks that are under way.

        Raises:
            FastLabelError: what a worker raised.
        """
        import ray
        from ray.exceptions import RayError

        remote = ray.remote(num_cpus=self.workers.cpus, num_gpus=self.workers.gpus)(_answer)
        waiting, running = iter(tasks), deque[Any]()
        try:
            place = ray.put(shared)
            while True:
                more = islice(waiting, TASKS_A_WORKER * self.workers.count - len(running))
                running.extend(remote.remote(work, place, task) for task in more)
                if not running:
                    return
                yield _told(ray.get(running.popleft()))
        except RayError as error:
            raise FastLabelError(_failure(error)) from error
        finally:
            for task in running:
                ray.cancel(task)


@contextmanager
def open_cluster(address: str, workers: int | None = None, option: str = "--ray") -> Iterator[Cluster]:
    """Connects, and disconnects at the end; a cluster that is connected already stays so.

    Args:
        address: "local" starts one on this machine, "auto" finds the one that runs here, else `HOST:PORT`.
        workers: how many; by default one a GPU, or one a CPU core where there is no GPU.
        option: that gave the address; begins every message.

    Raises:
        ConfigError: Ray is not installed, or there is no cluster.
    """
    try:
        import ray
    except ImportError as error:
        raise ConfigError(f'{option} needs Ray. Install it: pip install "fastlabel-gradio[ray]"') from error
    is_ours = not ray.is_initialized()
    if is_ours:
        _connect(address, option)
    try:
        yield Cluster(_workers(ray.cluster_resources(), workers))  # type: ignore[no-untyped-call]
    finally:
        if is_ours:
            ray.shutdown()


def add_ray_options(options: argparse.ArgumentParser) -> None:
    """Where a command runs, and with how many workers."""
    options.add_argument(
        "--ray",
        metavar="WHERE",
        help=f"run on a Ray cluster: {LOCAL} starts one on this machine, {AUTO} finds the one running here, or HOST:PORT",
    )
    options.add_argument(
        "--workers",
        type=count,
        metavar="N",
        help="how many work at once (default: one a GPU, else one a core)",
    )


def count(text: str) -> int:
    """A count on a command line. Raises ArgumentTypeError."""
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no count: give a whole number from 1 on")
    return int(text)


def _connect(address: str, option: str) -> None:
    import ray

    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "include_dashboard": False}
    try:
        if address == LOCAL:
            ray.init(address=LOCAL, object_store_memory=OBJECT_STORE_BYTES, **quiet)
        else:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # Ray raises just this where a part of it does not start
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        if address == LOCAL:
            raise ConfigError(
                f"{option} {LOCAL}: Ray did not start on this machine ({reason}). Run it again when less runs beside it, or "
                f"leave {option} out."
            ) from error
        raise ConfigError(
            f"{option} {address}: there is no such cluster ({reason}). Start one with `ray start --head`, give its "
            f"HOST:PORT, or write {option} {LOCAL}."
        ) from error


def _workers(resources: dict[str, float], wanted: int | None) -> Workers:
    cpus, gpus = int(resources.get("CPU", 1)), int(resources.get("GPU", 0))
    if gpus:
        count = min(wanted or gpus, gpus)
        return Workers(count, max(1, cpus // gpus), 1)
    return Workers(min(wanted or cpus, cpus))


class _Worker(Generic[Task, Result]):
    """What runs in an actor. An error of ours is an answer: Ray would wrap it, and print it."""

    def __init__(self, make: "Make[Task, Result]") -> None:
        self._work: Callable[[Task], Result] | None = None
        try:
            self._work = make()
        except FastLabelError as error:
            self._error = error

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        return {"pickled": [pickle.dumps(self._answer(pickle.loads(task))) for task in batch["pickled"]]}

    def _answer(self, task: Task) -> "Result | FastLabelError":
        return self._error if self._work is None else _answer(self._work, task)


def _answer(work: Callable[..., Result], *arguments: object) -> "Result | FastLabelError":
    try:
        return work(*arguments)
    except FastLabelError as error:
        return error


def _block(task: object) -> Any:
    import pyarrow as pa

    return pa.table({"pickled": pa.array([pickle.dumps(task)], pa.large_binary())})


def _told(answer: "Result | FastLabelError") -> Result:
    """Raises FastLabelError: what a worker raised."""
    if isinstance(answer, FastLabelError):
        raise answer
    return answer


def _failure(error: Exception) -> str:
    return f"The Ray cluster failed: {str(error).strip().splitlines()[-1]}"
