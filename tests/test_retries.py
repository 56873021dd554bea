"""What cannot be read or stored for a reason that passes is read and stored once it has passed."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from fastlabel_gradio.encoders import check_encoder
from fastlabel_gradio.encoders.offline import OfflineEncoder
from fastlabel_gradio.errors import StoreError, UnavailableItemError, UnreadableItemError
from fastlabel_gradio.media.item_file import check_system, open_file
from fastlabel_gradio.media.pictures import open_picture
from fastlabel_gradio.media.sounds import open_sound
from fastlabel_gradio.pool import listing, retries, shortages
from fastlabel_gradio.pool.pipeline import EmbeddingPipeline
from fastlabel_gradio.pool.retries import FIRST_PAUSE_S, LONGEST_PAUSE_S, Retries
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.sources import open_source
from fastlabel_gradio.types import EmbeddedItem, Item
from tests.cases import each
from tests.pools import PixelEncoder, wait_for


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_items_come_back_after_a_pause_that_doubles_with_every_try_in_vain() -> None:
    clock = Clock()
    waiting = Retries(clock)
    assert (waiting.due_in_s, waiting.take()) == (None, [])
    pauses = []
    for _ in range(12):
        waiting.add(Item("a"))
        waiting.add(Item("b"))
        assert waiting.take() == []
        pauses.append(waiting.due_in_s)
        clock.now += waiting.due_in_s or 0.0
        assert waiting.take() == [Item("a"), Item("b")]
        assert waiting.due_in_s is None
    assert pauses[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert pauses[-1] == LONGEST_PAUSE_S


def test_a_new_fault_after_a_quiet_time_begins_with_the_shortest_pause() -> None:
    clock = Clock()
    waiting = Retries(clock)
    for quiet_s in (0.0, 3 * FIRST_PAUSE_S):
        clock.now += quiet_s
        waiting.add(Item("a"))
        assert waiting.due_in_s == FIRST_PAUSE_S
        clock.now += FIRST_PAUSE_S
        waiting.take()


@each(
    "error",
    [MemoryError(), *(OSError(number, os.strerror(number)) for number in (errno.EIO, errno.EMFILE, errno.ESTALE))],
)
def test_a_fault_of_the_system_is_not_one_of_the_content(error: BaseException) -> None:
    with pytest.raises(UnavailableItemError):
        check_system(error)


@each("error", [OSError("image file is truncated"), ValueError("bad"), OSError(errno.EISDIR, "folder")])
def test_what_a_decoder_says_of_content_is_not_a_fault_of_the_system(error: BaseException) -> None:
    check_system(error)


def test_a_missing_file_may_come_back_and_a_damaged_one_does_not(tmp_path: Path) -> None:
    with pytest.raises(UnavailableItemError), open_file(tmp_path / "gone.png"):
        pass
    for name, read in (("damaged.png", open_picture), ("damaged.wav", open_sound)):
        (tmp_path / name).write_bytes(b"nothing that can be decoded")
        with pytest.raises(UnreadableItemError) as caught:
            read(tmp_path / name)
        assert not isinstance(caught.value, UnavailableItemError)


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(shortages, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(listing, "FIRST_PAUSE_S", 0.05)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddingStore]:
    opened = EmbeddingStore(tmp_path / "store")
    yield opened
    opened.close()


class Interrupted(PixelEncoder):
    """Has something happen after its first batch."""

    def __init__(self, happen: object) -> None:
        super().__init__()
        self._happen = happen

    def encode(self, batch: np.ndarray) -> np.ndarray:
        happen, self._happen = self._happen, None
        if callable(happen):
            happen()
        return super().encode(batch)


@pytest.mark.usefixtures("short_pauses")
def test_a_folder_that_was_away_for_a_moment_is_embedded_whole(
    pictures: Path, tmp_path: Path, store: EmbeddingStore
) -> None:
    source = open_source("image_folder", {"path": str(pictures)}, tmp_path, tmp_path)
    (pictures / "damaged.png").write_bytes(b"nothing that can be decoded")
    away = tmp_path / "away"
    items = len(list(source.scan()))
    encoder = Interrupted(lambda: pictures.rename(away))
    pipeline = EmbeddingPipeline(source, store, lambda: (encoder, ""), workers=1, audit_share=0.0)
    pipeline.start()
    wait_for(
        lambda: store.unreadable_count == items - len(store) and len(store) > 0 and pipeline.progress.state == "done"
    )
    away.rename(pictures)
    wait_for(lambda: store.unreadable_count == 1)
    wait_for(lambda: len(store) == items - 1 and pipeline.progress.state == "done")
    assert [item_id for item_id, _ in store.unreadable(9)] == ["damaged.png"]
    pipeline.stop()


@pytest.mark.usefixtures("short_pauses")
def test_embedding_waits_for_room_on_the_disk_says_so_and_goes_on(
    pictures: Path, tmp_path: Path, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = True
    append = store.append

    def append_or_refuse(embedded: list[EmbeddedItem], vectors: np.ndarray) -> None:
        if full:
            raise StoreError("No space left on device.")
        append(embedded, vectors)

    monkeypatch.setattr(store, "append", append_or_refuse)
    source = open_source("image_folder", {"path": str(pictures)}, tmp_path, tmp_path)
    pipeline = EmbeddingPipeline(source, store, lambda: (PixelEncoder(), ""), audit_share=0.0)
    pipeline.start()
    wait_for(lambda: pipeline.progress.shortage.startswith("No space left on device."))
    assert (pipeline.progress.state, len(store)) == ("embedding", 0)
    full = False
    wait_for(lambda: pipeline.progress.state == "done")
    assert (len(store), pipeline.progress.shortage) == (60, "")
    pipeline.stop()


@pytest.mark.usefixtures("short_pauses")
def test_an_encoder_that_finds_no_room_for_what_it_learned_waits_for_it(
    pictures: Path, tmp_path: Path, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, _ = check_encoder("offline", {}, "image").open()
    save, refusals, fits = OfflineEncoder.save, iter(range(2)), []
    fit = OfflineEncoder.fit
    monkeypatch.setattr(OfflineEncoder, "fit", lambda self, *sample: fits.append(fit(self, *sample)))

    def save_or_refuse(self: OfflineEncoder, path: Path) -> None:
        if next(refusals, None) is not None:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(self, path)

    monkeypatch.setattr(OfflineEncoder, "save", save_or_refuse)
    source = open_source("image_folder", {"path": str(pictures)}, tmp_path, tmp_path)
    pipeline = EmbeddingPipeline(source, store, lambda: (encoder, ""), audit_share=0.0)
    pipeline.start()
    wait_for(lambda: pipeline.progress.state == "done")
    assert (len(store), pipeline.progress.shortage, pipeline.progress.error, len(fits)) == (60, "", "", 1)
    assert next(refusals, None) is None
    pipeline.stop()


def torch_without_memory() -> None:
    torch.empty(1 << 55, dtype=torch.uint8)


def no_thread() -> None:
    raise RuntimeError("can't start new thread")  # as Python says it


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize("run_short", [torch_without_memory, no_thread])
def test_embedding_waits_for_memory_and_threads_too(
    run_short: Callable[[], None],
    pictures: Path,
    tmp_path: Path,
    store: EmbeddingStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encode, has_room = PixelEncoder.encode, threading.Event()

    def encode_or_run_short(self: PixelEncoder, arrays: list[np.ndarray]) -> np.ndarray:
        if not has_room.is_set():
            run_short()
        return encode(self, arrays)

    monkeypatch.setattr(PixelEncoder, "encode", encode_or_run_short)
    source = open_source("image_folder", {"path": str(pictures)}, tmp_path, tmp_path)
    pipeline = EmbeddingPipeline(source, store, lambda: (PixelEncoder(), ""), audit_share=0.0)
    pipeline.start()
    wait_for(lambda: pipeline.progress.shortage.endswith("It goes on by itself."))
    assert pipeline.progress.state != "failed"
    has_room.set()
    wait_for(lambda: pipeline.progress.state == "done")
    assert (len(store), pipeline.progress.shortage, pipeline.progress.error) == (60, "", "")
    pipeline.stop()


@pytest.mark.usefixtures("short_pauses")
def test_a_source_that_could_not_be_listed_is_listed_again_by_itself(
    pictures: Path, tmp_path: Path, store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals, add_items = iter(range(3)), store.add_items

    def add_or_refuse(*arguments: Any) -> list[Item]:
        if next(refusals, None) is not None:
            raise StoreError("The items cannot be written (database or disk is full). Free some space.")
        return add_items(*arguments)

    monkeypatch.setattr(store, "add_items", add_or_refuse)
    source = open_source("image_folder", {"path": str(pictures)}, tmp_path, tmp_path)
    pipeline = EmbeddingPipeline(
        source, store, lambda: (PixelEncoder(), ""), audit_share=0.0
    )  # no rescans by the clock
    pipeline.start()
    wait_for(lambda: pipeline.progress.state == "done" and len(store) == 60)
    assert pipeline.progress.error == ""
    pipeline.stop()


def test_a_picture_is_read_again_after_a_fault_of_its_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png")

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched, pytest.raises(UnavailableItemError, match="Input/output error"):
        patched.setattr(Image, "open", fail)
        open_picture(tmp_path / "a.png")
    assert open_picture(tmp_path / "a.png").size == (8, 8)
