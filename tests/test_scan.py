"""A scan says of every row what the newest head says; it is kept over a restart and belongs to one head and one pool."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.head import Head, HeadInfo, train_head
from fastlabel_gradio.pool import scan as scan_module
from fastlabel_gradio.pool.scan import Scan
from fastlabel_gradio.pool.scanned import UNSEEN
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.superseded import Superseded
from fastlabel_gradio.types import Embeddings, Label
from tests.checkpoints import superseded_after
from tests.pools import make_config, true_labels, wait_for

ITEMS, CLASSES, BLOCK = 500, 3, 64
IDS = tuple(range(CLASSES))

OpenProject = Callable[..., Project]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_module, "BLOCK_ROWS", BLOCK)


@pytest.fixture(scope="module")
def vectors() -> Embeddings:
    drawn = np.random.default_rng(0).normal(size=(ITEMS, 16)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


@pytest.fixture(scope="module")
def head(vectors: Embeddings) -> Head:
    return make_head(vectors, 60)


@pytest.fixture(scope="module")
def newer(vectors: Embeddings) -> Head:
    return make_head(vectors, 90, version=2)


def make_head(vectors: Embeddings, labels: int, version: int = 1, first_id: int = 0) -> Head:
    schema = tuple(Label(first_id + number, str(number)) for number in range(CLASSES))
    targets = vectors[:labels, :CLASSES].argmax(axis=1)
    return train_head(vectors[:labels], targets, HeadInfo(version, schema, "test", labels))


def nothing() -> None:
    pass


def refreshed(scan: Scan, head: Head, vectors: Embeddings, blocks: int = 1000) -> Scan:
    """Scanned by that head until it is superseded after so many blocks."""
    with suppress(Superseded):
        scan.refresh(head, vectors, nothing, superseded_after(blocks))
    return scan


def test_a_scan_says_of_every_row_what_the_head_says(head: Head, vectors: Embeddings) -> None:
    found = refreshed(Scan(), head, vectors).view(IDS)
    said = head.predict_proba(vectors)
    ordered = np.sort(said, axis=1)
    np.testing.assert_array_equal(found.classes, said.argmax(axis=1))
    np.testing.assert_allclose(found.confidences, ordered[:, -1], atol=1e-6)
    np.testing.assert_allclose(found.margins, ordered[:, -1] - ordered[:, -2], atol=1e-3)
    assert (found.head_version, found.done) == (1, ITEMS)
    row = (found.classes.nbytes + found.confidences.nbytes + found.margins.nbytes) / ITEMS
    assert row <= 8


def test_a_newer_head_goes_over_the_rows_and_until_then_the_older_one_is_read(
    head: Head, newer: Head, vectors: Embeddings
) -> None:
    scan = refreshed(refreshed(Scan(), head, vectors), newer, vectors, blocks=3)
    found = scan.view(IDS)
    assert (found.head_version, found.done) == (2, 3 * BLOCK)
    by_newer = newer.predict_proba(vectors)[: 3 * BLOCK].max(axis=1)
    by_older = head.predict_proba(vectors)[3 * BLOCK :].max(axis=1)
    np.testing.assert_allclose(found.confidences, np.concatenate([by_newer, by_older]), atol=1e-6)
    assert scan.missing(newer, ITEMS) == ITEMS - 3 * BLOCK


def test_a_scan_grows_with_the_pool_and_says_what_nobody_looked_at(head: Head, vectors: Embeddings) -> None:
    scan = refreshed(Scan(), head, vectors[:100])
    assert scan.missing(head, ITEMS) == ITEMS - 100
    found = refreshed(scan, head, vectors, blocks=2).view(IDS)
    assert len(found.classes) == ITEMS
    assert (found.classes == UNSEEN).sum() == ITEMS - found.done > 0
    whole = refreshed(scan, head, vectors).view(IDS)
    np.testing.assert_array_equal(whole.classes, head.predict_proba(vectors).argmax(axis=1))


def test_what_a_head_says_of_some_rows_is_its_own_whatever_was_scanned(
    head: Head, newer: Head, vectors: Embeddings
) -> None:
    scan = refreshed(Scan(), newer, vectors)
    rows = np.array([499, 3, 70, 0, 64], dtype=np.int64)
    for one in (head, newer):
        classes, confidences = scan.said(one, vectors, rows)
        expected = one.predict_proba(vectors)[rows]
        np.testing.assert_array_equal(classes, expected.argmax(axis=1))
        np.testing.assert_allclose(confidences, expected.max(axis=1), atol=1e-6)
    assert scan.view(IDS).done == ITEMS  # the older one has not taken rows from the newer one


def test_what_is_asked_for_is_scored_once(head: Head, vectors: Embeddings) -> None:
    scan = Scan()
    scan.said(head, vectors, np.array([0, 130], dtype=np.int64))
    assert scan.missing(head, ITEMS) == ITEMS - 2 * BLOCK


def test_a_complete_scan_is_there_after_a_restart(head: Head, vectors: Embeddings, tmp_path: Path) -> None:
    path = tmp_path / "scan.safetensors"
    before = refreshed(Scan(path), head, vectors).view(IDS)
    again = Scan(path)
    again.load(head, vectors)
    assert again.missing(head, ITEMS) == 0
    for name in ("classes", "confidences", "margins", "head_version", "done"):
        np.testing.assert_array_equal(getattr(again.view(IDS), name), getattr(before, name))
    grown = Scan(path)
    grown.load(head, np.concatenate([vectors, vectors[:10]]))
    assert grown.missing(head, ITEMS + 10) == 10


def test_a_kept_scan_that_is_damaged_or_of_something_else_is_made_anew(
    head: Head, newer: Head, vectors: Embeddings, tmp_path: Path
) -> None:
    path = tmp_path / "scan.safetensors"
    refreshed(Scan(path), head, vectors)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[-100] ^= 1
    other_order = vectors[::-1].copy()
    cases: list[tuple[bytes, Head, Embeddings]] = [
        (b"", head, vectors),
        (whole[:-9], head, vectors),
        (b"\xff" * 64 + whole, head, vectors),
        (bytes(flipped), head, vectors),
        (whole, newer, vectors),
        (whole, head.at_temperature(2.0), vectors),
        (whole, head, vectors[:100]),
        (whole, head, other_order),
    ]
    for content, of, rows in cases:
        path.write_bytes(content)
        scan = Scan(path)
        scan.load(of, rows)
        assert scan.missing(of, len(rows)) == len(rows)
        assert refreshed(scan, of, rows).missing(of, len(rows)) == 0


def test_an_interrupted_scan_is_not_kept(head: Head, vectors: Embeddings, tmp_path: Path) -> None:
    refreshed(Scan(tmp_path / "scan.safetensors"), head, vectors, blocks=2)
    assert list(tmp_path.iterdir()) == []


def test_of_other_classes_nothing_is_known(head: Head, vectors: Embeddings) -> None:
    scan = refreshed(Scan(), head, vectors)
    assert len(scan.view((0, 1)).classes) == 0
    other = make_head(vectors, 60, version=2, first_id=7)
    assert len(refreshed(scan, other, vectors, blocks=1).view((7, 8, 9)).classes) == ITEMS
    assert len(scan.view(IDS).classes) == 0


def test_an_export_says_of_every_unlabeled_item_what_the_newest_head_says(
    pictures: Path, open_project: OpenProject
) -> None:
    labeler = open_project(make_config(pictures, train_every=1)).labeler("ann")
    for _ in range(2):
        labeler.submit("ann", true_labels(labeler, "ann", 12))
        assert labeler.wait_for_training(60)
        rows = [row for row in labeler.export_rows(include_predictions=True) if not row.label]
        places = labeler._store.rows_of([row.item_id for row in rows])
        said = labeler.predictions(np.array([places[row.item_id] for row in rows], dtype=np.int64))
        names = labeler.schema.names
        for row, prediction in zip(rows, said, strict=True):
            assert prediction is not None
            assert row.predicted_label == names[prediction.index]
            assert row.confidence == pytest.approx(prediction.confidence, abs=1e-5)
    assert len(rows) == 60 - 24


def test_a_scan_ends_where_a_head_of_another_process_was_taken_and_goes_on_with_that(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_module, "BLOCK_ROWS", 16)
    labeler = open_project(make_config(pictures, train_every=1)).labeler("ann")
    labeler.submit("ann", true_labels(labeler, "ann", 12))
    assert labeler.wait_for_training(60)
    learner, before = labeler._learner, labeler.head
    assert before is not None
    ground, scanned, taken = learner.ground_of(before), before.at_temperature(2.0), before.at_temperature(3.0)
    learner._head = scanned
    blocks = iter(range(9))

    def take_at_the_third() -> None:
        learner._head = taken if next(blocks) == 2 else learner._head

    with pytest.raises(Superseded):
        learner._scan(ground, scanned, take_at_the_third)
    assert ground.scan.missing(scanned, 60) == 60 - 2 * 16
    learner.scan_soon()
    assert labeler.wait_for_training(60)
    assert ground.scan.missing(taken, 60) == 0


def test_after_a_restart_the_pool_is_scanned_without_a_training(pictures: Path, open_project: OpenProject) -> None:
    config = make_config(pictures, train_every=1)
    project = open_project(config)
    labeler = project.labeler("ann")
    labeler.submit("ann", true_labels(labeler, "ann", 12))
    assert labeler.wait_for_training(60)
    kept = labeler.checkpoint.with_name("scan.safetensors")
    assert kept.exists()
    project.close()
    kept.unlink()
    again = open_project(config).labeler("ann")
    wait_for(kept.exists)
    assert again.head is not None
    assert again.head.info.version == 1
    assert again.status().training.state == "idle"
