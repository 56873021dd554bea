"""Workers: the door to whatever computes beside the driver: threads of this process, or any other executor."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

from fastlabel_gradio.devices import begin_worker

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Workers:
    """An executor and how many tasks it runs at once."""

    executor: Executor
    count: int

    def done(
        self, work: Callable[[Task], Result], tasks: Iterable[Task], is_stopped: Callable[[], bool]
    ) -> Generator[Result, None, None]:
        """The result of each task as it is ready; with one worker in the order of the tasks.

        One task more than there are workers is asked for ahead, so that none of them waits. After a stop what has not begun
        is left out. Raises what a task raises, and cancels the others then; so does whoever closes the iterator.
        """
        running: list[Future[Result]] = []
        try:
            for task in tasks:
                running.append(self.executor.submit(work, task))
                if len(running) > self.count:
                    finished, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in [future for future in running if future in finished]:
                        running.remove(future)
                        yield future.result()
                if is_stopped():
                    break
            while running:
                future = running.pop(0)
                if not (is_stopped() and future.cancel()):
                    yield future.result()
        finally:
            for future in running:
                future.cancel()
            wait(running)


def thread_workers(count: int, name: str = "embed") -> Workers:
    """So many threads of this process at a low priority; its executor is to be shut down."""
    return Workers(ThreadPoolExecutor(count, name, begin_worker), count)
