"""A batch is embedded by a pure function, in whatever executor."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.pool.embed_batch import embed_batch, embed_keyed, keyed_batch
from fastlabel_gradio.pool.workers import Workers
from fastlabel_gradio.sources import open_source
from fastlabel_gradio.types import Item
from tests.grey_encoder import GreyEncoder


def test_a_batch_is_embedded_without_a_store_and_its_outcome_can_be_sent(pictures: Path, tmp_path: Path) -> None:
    source, encoder = open_source("image_folder", {"path": pictures}, tmp_path, tmp_path), GreyEncoder()
    items = [*list(source.scan())[:5], Item("none.png", "")]
    outcome = embed_batch(source, encoder, items)
    assert [entry.item for entry in outcome.embedded] == items[:5]
    assert [item.id for item, _ in outcome.unreadable] == ["none.png"]
    sent = pickle.loads(pickle.dumps(outcome))
    np.testing.assert_array_equal(sent.vectors, outcome.vectors)
    again = embed_batch(source, encoder, items)
    np.testing.assert_array_equal(again.vectors, outcome.vectors)


def test_contents_that_are_known_are_not_read(pictures: Path, tmp_path: Path) -> None:
    source, encoder = open_source("image_folder", {"path": pictures}, tmp_path, tmp_path), GreyEncoder()
    items, read = list(source.scan())[:4], list[Item]()
    keyed = keyed_batch(source, encoder, items)
    there = {keyed.entries[1].content_key: np.zeros(encoder.dim, dtype=np.float32)}

    def noted(item: Item) -> object:
        read.append(item)
        return source.read(item, encoder.resolution)

    outcome = embed_keyed(encoder, keyed.without(there), noted).with_known(*keyed.known(there))  # type: ignore[arg-type]
    assert read == [items[0], *items[2:]]
    assert [entry.item for entry in outcome.embedded] == [items[0], *items[2:], items[1]]
    assert not outcome.vectors[-1].any()


def test_workers_give_results_in_order_with_one_and_end_at_a_stop_and_at_an_error() -> None:
    with ThreadPoolExecutor(1) as executor:
        workers = Workers(executor, 1)
        assert list(workers.done(lambda number: number * 2, range(20), lambda: False)) == list(range(0, 40, 2))
        assert len(list(workers.done(lambda number: number, range(20), lambda: True))) <= 1
        with pytest.raises(ZeroDivisionError):
            list(workers.done(lambda number: 1 / number, [4, 0, 2], lambda: False))
