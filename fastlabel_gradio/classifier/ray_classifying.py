"""A classifier over many files on a Ray cluster: what each worker is, and the tasks that it gets."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from fastlabel_gradio.classifier.classifier import Classified
from fastlabel_gradio.classifier.journal import Entry
from fastlabel_gradio.classifier.listing import Named
from fastlabel_gradio.classifier.loading import load_classifier
from fastlabel_gradio.ray_cluster import open_cluster

BATCHES_OF_TASK = 8  # read, embedded and sent back at once; what a worker that dies costs


@dataclass(frozen=True, slots=True)
class ClassifyJob:
    """All that another process needs to classify files.

    Attributes:
        model, project, device, batch_size: of `load_classifier`; a path is absolute.
        best: how many classes are named. folder: that relative paths are relative to, where it is there.
        threads: of each worker.
    """

    model: str
    project: str | None
    device: str | None
    batch_size: int
    best: int
    folder: Path
    threads: int = 1

    def classify(self) -> Callable[[Sequence[Named]], list[Entry]]:
        """Raises as `load_classifier`."""
        with suppress(OSError):  # on another machine it may not be there: absolute paths still are
            os.chdir(self.folder)
        classifier = load_classifier(
            self.model, project=self.project, device=self.device, batch_size=self.batch_size, workers=self.threads
        )
        return lambda names: [entry_of(said, self.best, classifier.classes) for said in classifier.stream(names)]


def entries_by_ray(job: ClassifyJob, names: Sequence[Named], address: str, workers: int | None) -> Iterator[Entry]:
    """What is said of each file, in their order. Raises FastLabelError."""
    size = BATCHES_OF_TASK * job.batch_size
    tasks = [names[start : start + size] for start in range(0, len(names), size)]
    with open_cluster(address, workers) as cluster:
        for entries in cluster.results(replace(job, threads=cluster.workers.cpus).classify, tasks):
            yield from entries


def entry_of(said: Classified, best: int, classes: Sequence[str]) -> Entry:
    """What is kept of an answer."""
    return Entry(str(said.item), said.best(best, classes), said.unreadable, said.may_come)
