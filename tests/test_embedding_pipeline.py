"""The pipeline embeds everything once, in the background, and survives what real folders hold."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.media.pictures import FORMATS
from fastlabel_gradio.pool import listing
from fastlabel_gradio.pool.milestones import Milestone
from fastlabel_gradio.pool.pipeline import EmbeddingPipeline
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.sources import open_source
from fastlabel_gradio.types import Item
from tests.pools import PixelEncoder, wait_for, write_pictures


class CountingEncoder(PixelEncoder):
    """Counts what it encodes, and can be told to stop in the middle."""

    def __init__(self, stop_after: int | None = None) -> None:
        super().__init__()
        self.encoded = 0
        self._stop_after = stop_after

    def encode(self, batch: np.ndarray) -> np.ndarray:
        if self._stop_after is not None and self.encoded >= self._stop_after:
            raise EncoderUnavailableError("the device went away")
        self.encoded += len(batch)
        return super().encode(batch)


RunPipeline = Callable[..., tuple[EmbeddingPipeline, EmbeddingStore, CountingEncoder]]


@pytest.fixture
def run_pipeline(pictures: Path, tmp_path: Path) -> RunPipeline:
    def run(stop_after: int | None = None) -> tuple[EmbeddingPipeline, EmbeddingStore, CountingEncoder]:
        source = open_source("image_folder", {"path": str(pictures)}, tmp_path, tmp_path)
        store = EmbeddingStore(tmp_path / "store")
        encoder = CountingEncoder(stop_after)
        pipeline = EmbeddingPipeline(source, store, lambda: (encoder, "a notice"), audit_share=0.0)
        pipeline.start()
        wait_for(lambda: pipeline.progress.state in ("done", "failed") and not pipeline.progress.scanning)
        pipeline.stop()
        return pipeline, store, encoder

    return run


def test_every_item_is_embedded_once_and_progress_says_so(run_pipeline: RunPipeline) -> None:
    pipeline, store, encoder = run_pipeline()
    progress = pipeline.progress
    assert (progress.state, progress.done, progress.total, progress.notice) == ("done", 60, 60, "a notice")
    assert encoder.encoded == len(store) == 60


def test_a_source_that_is_slow_to_list_gives_its_first_items_before_the_last(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "BLOCK_S", 0.0)
    source = open_source("image_folder", {"path": str(pictures)}, tmp_path, tmp_path)
    items, go_on = list(source.scan()), threading.Event()

    def slow_scan() -> Iterator[Item]:
        yield from items[:10]
        go_on.wait(30)
        yield from items[10:]

    monkeypatch.setattr(source, "scan", slow_scan)
    pipeline = EmbeddingPipeline(
        source, EmbeddingStore(tmp_path / "store"), lambda: (CountingEncoder(), ""), audit_share=0.0
    )
    pipeline.start()
    wait_for(lambda: pipeline.progress.done == 10)
    assert pipeline.progress.scanning
    go_on.set()
    wait_for(lambda: pipeline.progress.state == "done")
    assert pipeline.progress.done == 60
    pipeline.stop()


def test_embeddings_are_those_of_the_encoder(run_pipeline: RunPipeline, pictures: Path, tmp_path: Path) -> None:
    _, store, encoder = run_pipeline()
    source = open_source("image_folder", {"path": str(pictures)}, tmp_path, tmp_path)
    for item in source.scan():
        expected = encoder.encode(encoder.prepare(source.read(item))[np.newaxis])
        np.testing.assert_allclose(store.embeddings[[store.rows_of([item.id])[item.id]]], expected, atol=1e-6)


def test_a_second_run_embeds_nothing(run_pipeline: RunPipeline) -> None:
    run_pipeline()[1].close()
    assert run_pipeline()[2].encoded == 0


def test_an_embedded_pool_is_not_gone_through_item_by_item_at_a_start(
    run_pipeline: RunPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_pipeline()[1].close()
    gone_through: list[int] = []
    pending = EmbeddingStore.pending

    def counted(store: EmbeddingStore, after: int, limit: int) -> tuple[int, list[Item]]:
        gone_through.append(after)
        return pending(store, after, limit)

    monkeypatch.setattr(EmbeddingStore, "pending", counted)
    pipeline, _, _ = run_pipeline()
    assert pipeline.progress.state == "done"
    assert gone_through == []


def test_a_run_that_broke_off_is_taken_up_where_it_was(run_pipeline: RunPipeline) -> None:
    pipeline, store, encoder = run_pipeline(stop_after=30)
    assert (pipeline.progress.state, pipeline.progress.error) == ("failed", "the device went away")
    done = len(store)
    assert done <= encoder.encoded < 60
    store.close()
    assert run_pipeline()[2].encoded == 60 - done


def test_moved_files_are_not_encoded_again(run_pipeline: RunPipeline, pictures: Path) -> None:
    run_pipeline()[1].close()
    shutil.move(pictures / "red", pictures / "scarlet")
    _, store, encoder = run_pipeline()
    assert encoder.encoded == 0
    assert len(store.rows_of(["scarlet/0001.png"])) == 1
    assert len(store.retired_rows()) == 20


def test_only_new_files_are_encoded(run_pipeline: RunPipeline, pictures: Path, tmp_path: Path) -> None:
    run_pipeline()[1].close()
    write_pictures(tmp_path / "more", per_class=3, seed=9)
    for name in ("red", "blue"):
        shutil.copytree(tmp_path / "more" / name, pictures / f"new-{name}")
    assert run_pipeline()[2].encoded == 6


def test_unreadable_items_are_listed_with_their_reason(run_pipeline: RunPipeline, pictures: Path) -> None:
    (pictures / "red" / "0003.png").write_text("not a picture")
    pipeline, store, _ = run_pipeline()
    [(item_id, reason)] = store.unreadable(10)
    assert item_id == "red/0003.png"
    assert "not a picture" in reason
    assert (pipeline.progress.done, pipeline.progress.total) == (59, 59)


def test_an_unreadable_item_is_tried_again_at_the_next_start(
    run_pipeline: RunPipeline, monkeypatch: pytest.MonkeyPatch, pictures: Path
) -> None:
    Image.new("RGB", (9, 9), "red").save(pictures / "red" / "new.bmp")
    formats = tuple(kind for kind in FORMATS if kind not in ("BMP", "DIB"))
    monkeypatch.setattr("fastlabel_gradio.media.pictures.FORMATS", formats)
    assert [item_id for item_id, _ in run_pipeline()[1].unreadable(10)] == ["red/new.bmp"]
    monkeypatch.undo()
    pipeline, store, _ = run_pipeline()
    assert (store.unreadable(10), pipeline.progress.done) == ([], 61)


def test_a_pool_without_a_readable_item_ends_without_hanging(run_pipeline: RunPipeline, pictures: Path) -> None:
    for path in pictures.rglob("*.png"):
        path.write_bytes(b"")
    pipeline, store, _ = run_pipeline()
    assert (pipeline.progress.state, len(store), store.unreadable_count) == ("done", 0, 60)


def test_a_pool_of_duplicates_is_encoded_almost_once(run_pipeline: RunPipeline, pictures: Path) -> None:
    same = (pictures / "red" / "0000.png").read_bytes()
    for path in pictures.rglob("*.png"):
        path.write_bytes(same)
    pipeline, store, encoder = run_pipeline()
    assert (pipeline.progress.state, len(store)) == ("done", 60)
    assert encoder.encoded < 60
    assert len(np.unique(store.embeddings, axis=0)) == 1


def test_items_without_finite_numbers_are_listed(run_pipeline: RunPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = CountingEncoder.encode

    def broken(self: CountingEncoder, batch: np.ndarray) -> np.ndarray:
        vectors = encode(self, batch)
        vectors[0] = np.nan
        return vectors

    monkeypatch.setattr(CountingEncoder, "encode", broken)
    pipeline, store, _ = run_pipeline()
    assert pipeline.progress.state == "done"
    assert np.isfinite(store.embeddings).all()
    assert store.unreadable_count == 60 - len(store) > 0
    assert "finite" in store.unreadable(1)[0][1]


def test_a_source_that_fails_while_it_is_listed_is_not_called_done(
    run_pipeline: RunPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastlabel_gradio.errors import SourceError
    from fastlabel_gradio.sources.image_folder import ImageFolder

    def scan(self: ImageFolder) -> Iterator[Item]:
        yield from [Item("red/0001.png"), Item("red/0002.png")]
        raise SourceError("the disk was unplugged")

    monkeypatch.setattr(ImageFolder, "scan", scan)
    pipeline, _, _ = run_pipeline()
    assert (pipeline.progress.state, pipeline.progress.error) == ("failed", "the disk was unplugged")


def test_a_callback_that_fails_ends_neither_the_embedding_nor_the_other_callbacks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    called: list[str] = []

    def fail() -> None:
        raise ValueError("a damaged head")

    milestone = Milestone()
    milestone.call_back(fail)
    milestone.call_back(lambda: called.append("before"))
    forget = milestone.call_back(called.clear)
    milestone.call_back(lambda: called.append("waits"))
    forget()
    milestone.reach()
    milestone.call_back(fail)
    milestone.call_back(lambda: called.append("after"))
    assert called == ["before", "waits", "after"]
    assert caplog.text.count("a callback of the embedding pipeline failed") == 2


def test_what_is_listed_behind_the_walk_is_embedded_without_walking_through_all_again(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "BLOCK_S", 0.0)
    source, store = open_source("image_folder", {"path": str(pictures)}, tmp_path, tmp_path), EmbeddingStore(tmp_path)
    items, go_on, places, pending = list(source.scan()), threading.Event(), list[int](), store.pending

    def halting_scan() -> Iterator[Item]:
        yield from items[:-1]
        assert go_on.wait(30)
        yield items[-1]

    def noted(after: int, limit: int) -> tuple[int, list[Item]]:
        places.append(after)
        wait_for(lambda: store.total >= 59)
        if len(places) == 2:  # the rest is listed while the second of four blocks is looked at
            go_on.set()
            wait_for(lambda: not pipeline.progress.scanning)
        return pending(after, 20)

    monkeypatch.setattr(source, "scan", halting_scan)
    monkeypatch.setattr(store, "pending", noted)
    pipeline = EmbeddingPipeline(source, store, lambda: (PixelEncoder(), ""), audit_share=0.0)
    pipeline.start()
    wait_for(lambda: pipeline.progress.state == "done")
    pipeline.stop()
    assert len(store) == 60
    assert (places[0], places[4], places.count(-1), len(places)) == (-1, -1, 2, 6)
