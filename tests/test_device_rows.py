"""A copy of the pool's vectors on a device is scored as the pool is. Here the device is the CPU; `test_gpu.py` has a GPU."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.head import Head, HeadInfo, train_head
from fastlabel_gradio.pool import device_rows as device_rows_module
from fastlabel_gradio.pool import scan as scan_module
from fastlabel_gradio.pool.device_rows import DeviceRows, device_rows
from fastlabel_gradio.pool.scan import Scan
from fastlabel_gradio.pool.scoring import score_rows
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.superseded import Superseded
from fastlabel_gradio.types import Embeddings, Label
from tests.cases import each
from tests.checkpoints import superseded_after
from tests.finish_pools import teach
from tests.pools import make_config

ITEMS, DIM, CLASSES, BLOCK, CHUNK = 500, 16, 3, 32, 128
ROOM = 2 * DIM * ITEMS

OpenProject = Callable[..., Project]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_module, "BLOCK_ROWS", BLOCK)
    monkeypatch.setattr(device_rows_module, "CHUNK_ROWS", CHUNK)


@pytest.fixture(scope="module")
def vectors() -> Embeddings:
    drawn = np.random.default_rng(0).normal(size=(ITEMS, DIM)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


@pytest.fixture(scope="module")
def head(vectors: Embeddings) -> Head:
    labels = tuple(Label(number, str(number)) for number in range(CLASSES))
    return train_head(vectors[:60], vectors[:60, :CLASSES].argmax(axis=1), HeadInfo(1, labels, "test", 60))


@each("rows", [[3], range(ITEMS), range(120, 140), [499, 0, 128, 127, 0]])
def test_rows_of_the_copy_are_scored_as_those_of_the_pool(vectors: Embeddings, head: Head, rows: list[int]) -> None:
    copy, wanted = DeviceRows("cpu", ROOM), np.array(list(rows), dtype=np.int64)
    copy.fill(vectors)
    nothing_to_read = np.full_like(vectors, np.nan)
    said = score_rows(head, nothing_to_read, wanted, copy)
    np.testing.assert_allclose(said, score_rows(head, vectors, wanted), atol=0.02)


def test_rows_beyond_the_copy_are_scored_from_memory(vectors: Embeddings, head: Head) -> None:
    copy, wanted = DeviceRows("cpu", 2 * DIM * 200), np.array([10, 300])
    copy.fill(vectors)
    assert len(copy) == 200
    assert not copy.scores(head, wanted)
    np.testing.assert_array_equal(score_rows(head, vectors, wanted, copy), score_rows(head, vectors, wanted))


def test_rows_that_come_later_are_copied_too(vectors: Embeddings, head: Head) -> None:
    copy = DeviceRows("cpu", ROOM)
    for count in (10, 130, 130, 384, ITEMS):
        copy.fill(vectors[:count])
        assert len(copy) == count
    said = copy.probabilities(head, np.arange(ITEMS))
    np.testing.assert_allclose(said, head.predict_proba(vectors), atol=0.02)


def test_a_cleared_copy_holds_nothing_and_takes_nothing(vectors: Embeddings) -> None:
    copy = DeviceRows("cpu", ROOM)
    copy.fill(vectors)
    copy.clear()
    copy.fill(vectors)
    assert len(copy) == 0


@each("room", [ROOM, 2 * DIM * 200, 0])
def test_a_scan_by_the_copy_says_what_the_head_says(vectors: Embeddings, head: Head, room: int) -> None:
    """In places the copy has all rows, some, none."""
    scan = Scan(None, DeviceRows("cpu", room))
    scan.refresh(head, vectors, lambda: None, superseded_after(1000))
    found, said = scan.view(tuple(range(CLASSES))), head.predict_proba(vectors)
    ordered = np.sort(said, axis=1)
    np.testing.assert_allclose(found.confidences, ordered[:, -1], atol=0.02)
    np.testing.assert_allclose(found.margins, ordered[:, -1] - ordered[:, -2], atol=0.04)
    assert (found.classes == said.argmax(axis=1)).mean() > 0.98
    assert found.done == ITEMS


def test_a_scan_that_is_superseded_while_it_copies_keeps_what_is_there(vectors: Embeddings, head: Head) -> None:
    scan = Scan(None, DeviceRows("cpu", ROOM))
    with pytest.raises(Superseded):
        scan.refresh(head, vectors, lambda: None, superseded_after(2))
    assert scan.on_device is not None
    assert 0 < len(scan.on_device) < ITEMS
    scan.refresh(head, vectors, lambda: None, superseded_after(1000))
    assert scan.view(tuple(range(CLASSES))).done == ITEMS


def test_only_a_gpu_with_a_share_gets_a_copy() -> None:
    assert device_rows("cpu", 0.25) is None
    assert device_rows("cuda", 0.0) is None


def test_a_project_frees_its_copy_when_it_is_closed(
    open_project: OpenProject, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies: list[DeviceRows] = []

    def on_cpu(device: str, share: float) -> DeviceRows:
        copies.append(DeviceRows(device, int(share * 10_000_000)))
        return copies[-1]

    monkeypatch.setattr("fastlabel_gradio.pool.store.device_rows", on_cpu)
    project = open_project(make_config(pictures, gpu_share=0.5))
    labeler = project.labeler("ann")
    teach(labeler)
    assert len(copies[-1]) == len(project.store)
    project.close()
    assert len(copies[-1]) == 0
