"""ClusterRows: vectors of a very large pool as the machines of a Ray cluster see them, each in a file under the same path.

They score the rows; eight bytes a row come back. When to scan, and what becomes of that, is not known here.
"""

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from fastlabel_gradio.devices import pick_device, use_one_thread_per_operation
from fastlabel_gradio.errors import FastLabelError, StoreError
from fastlabel_gradio.head import BLOCK_ROWS, Head
from fastlabel_gradio.pool.scanned import Scanned, of_probabilities
from fastlabel_gradio.ray_cluster import open_cluster
from fastlabel_gradio.superseded import Checkpoint
from fastlabel_gradio.types import Embeddings

SETTING = "scan_on_ray"
TASK_ROWS = 128 * BLOCK_ROWS  # a second or two of one core; 2 MiB come back

LOOK_EVERY_S = 0.1
END_S = 10.0


@dataclass(frozen=True, slots=True)
class ClusterRows:
    """The rows of one encoder.

    Attributes:
        address: of the cluster, as of `open_cluster`.
        file: an `EmbeddingSpace`'s, float32 numbers; absolute.
        more_than: rows that a pool must have for the cluster to be asked.
        task_rows: that a task scores, whole blocks of a scan.
    """

    address: str
    file: Path
    more_than: int
    task_rows: int = TASK_ROWS

    def scanned(
        self, head: Head, embeddings: Embeddings, starts: Sequence[int], checkpoint: Checkpoint
    ) -> Iterator[tuple[slice, Scanned]]:
        """What the head says of the `task_rows` rows from each start on, in their order, as it comes.

        A process of its own is connected to the cluster meanwhile: Ray ends every process whose cluster goes away.

        Raises:
            FastLabelError: there is no such cluster, it failed, or one of its machines has other vectors or none.
            Superseded: by `checkpoint`, while it waits; what is under way is given up.
        """
        parts = [self._part(embeddings, start) for start in starts]
        scoring = _Scoring(head if head.device == "cpu" else head.on("cpu"), self.file, embeddings.shape[1])
        spawn = get_context("spawn")
        answers, gives = spawn.Pipe(duplex=False)
        asking = spawn.Process(target=_ask, args=(gives, self.address, scoring, parts), name="scan on ray", daemon=True)
        asking.start()
        gives.close()
        try:
            for part in parts:
                yield slice(part.start, part.stop), _answer(answers, checkpoint)
                checkpoint()
        finally:
            asking.terminate()
            asking.join(END_S)
            asking.kill()
            answers.close()

    def _part(self, embeddings: Embeddings, start: int) -> "_Part":
        return _Part(start, min(start + self.task_rows, len(embeddings)), np.array(embeddings[start]))


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Rows start <= row < stop, of which the first is this one."""

    start: int
    stop: int
    first: Float32[np.ndarray, " dim"]


@dataclass(frozen=True, slots=True, eq=False)
class _Scoring:
    """What all tasks share."""

    head: Head
    file: Path
    dim: int


def _ask(gives: Connection, address: str, scoring: _Scoring, parts: Sequence[_Part]) -> None:
    """What the process does that is connected: gives what is said of each part, or an error."""
    try:
        with open_cluster(address, option=SETTING) as cluster:
            for said in cluster.shared_results(_scanned, scoring, parts):
                gives.send(said)
    except FastLabelError as error:
        gives.send(error)


def _answer(answers: Connection, checkpoint: Checkpoint) -> Scanned:
    """Raises FastLabelError."""
    while not answers.poll(LOOK_EVERY_S):
        checkpoint()
    try:
        answer: Scanned | FastLabelError = answers.recv()
    except EOFError as error:
        raise FastLabelError("The Ray cluster went away in the middle.") from error
    if isinstance(answer, FastLabelError):
        raise answer
    return answer


def _scanned(scoring: _Scoring, part: _Part) -> Scanned:
    """What a task does, on a machine of the cluster. Raises StoreError."""
    use_one_thread_per_operation()
    device = pick_device()
    head = scoring.head if device == scoring.head.device else scoring.head.on(device)
    vectors = _vectors(scoring, part)
    blocks = [
        of_probabilities(torch.from_numpy(head.predict_proba(vectors[start : start + BLOCK_ROWS])))
        for start in range(0, len(vectors), BLOCK_ROWS)
    ]
    return Scanned(
        np.concatenate([block.classes for block in blocks]),
        np.concatenate([block.confidences for block in blocks]),
        np.concatenate([block.margins for block in blocks]),
    )


def _vectors(scoring: _Scoring, part: _Part) -> Embeddings:
    file, shape = scoring.file, (part.stop - part.start, scoring.dim)
    try:
        vectors: Embeddings = np.memmap(file, "<f4", "r", part.start * scoring.dim * 4, shape)
    except (OSError, ValueError) as error:  # the latter where it is shorter than that
        raise StoreError(
            f"{platform.node()} cannot read rows {part.start} to {part.stop - 1} of {file} ({error}). Every machine of the "
            f"cluster must see the working directory under the same path; else leave {SETTING} out."
        ) from error
    if not np.array_equal(vectors[0], part.first):
        raise StoreError(
            f"{platform.node()} has other vectors in {file} than the app. Every machine of the cluster must see the app's "
            f"working directory, not a copy; else leave {SETTING} out."
        )
    return vectors
