"""The embedding store keeps one row per item and content, survives a kill, and never blocks on a bad item."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.pool.index_file import IndexFile
from fastlabel_gradio.pool.item_index import END_OF_POOL
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.types import EmbeddedItem, Item

DIM = 4


def _items(*numbers: int, stamp: str = "1") -> list[Item]:
    return [Item(f"item-{number}", stamp) for number in numbers]


def _scan(store: EmbeddingStore, items: list[Item]) -> None:
    store.begin_scan()
    store.add_items(items)
    store.end_scan()


def _vectors(items: list[Item]) -> np.ndarray:
    return np.array([[float(item.id.split("-")[1])] * DIM for item in items], dtype=np.float32)


def _append(store: EmbeddingStore, items: list[Item]) -> None:
    store.append([EmbeddedItem(item, f"content-{item.id}-{item.stamp}") for item in items], _vectors(items))


def _pending(store: EmbeddingStore) -> list[Item]:
    found, after = [], -1
    while after != END_OF_POOL:
        after, items = store.pending(after, 3)
        found += items
    return found


@pytest.fixture
def store(tmp_path: Path) -> EmbeddingStore:
    opened = EmbeddingStore(tmp_path / "store")
    opened.use_encoder("one", DIM)
    return opened


def test_items_come_in_one_fixed_shuffled_order(store: EmbeddingStore) -> None:
    items = _items(*range(50))
    _scan(store, items)
    pending = _pending(store)
    assert sorted(pending, key=lambda item: item.id) == sorted(items, key=lambda item: item.id)
    assert pending != items
    assert pending == _pending(store)


def test_rows_hold_what_was_appended_and_are_found_by_item(store: EmbeddingStore) -> None:
    items = _items(*range(10))
    _scan(store, items)
    _append(store, items)
    assert len(store) == 10
    rows = store.rows_of(["item-3", "item-7", "stranger"])
    assert set(rows) == {"item-3", "item-7"}
    np.testing.assert_array_equal(store.embeddings[rows["item-7"]], [7, 7, 7, 7])
    assert store.items_at(np.array([rows["item-7"], rows["item-3"]])) == {
        rows["item-7"]: Item("item-7", "1"),
        rows["item-3"]: Item("item-3", "1"),
    }
    assert _pending(store) == []


def test_a_reopened_store_goes_on_where_it_was(store: EmbeddingStore, tmp_path: Path) -> None:
    items = _items(*range(10))
    _scan(store, items)
    _append(store, items[:6])
    store.close()
    again = EmbeddingStore(tmp_path / "store")
    again.use_encoder("one", DIM)
    assert (len(again), again.total) == (6, 10)
    np.testing.assert_array_equal(again.embeddings, _vectors(items[:6]))
    assert {item.id for item in _pending(again)} == {item.id for item in items[6:]}


def test_vectors_that_no_transaction_names_are_written_over(store: EmbeddingStore, tmp_path: Path) -> None:
    """As after a kill between writing the vectors and naming them."""
    items = _items(*range(4))
    _scan(store, items)
    _append(store, items[:2])
    assert store.space is not None
    store.space.write(np.full((2, DIM), 99, dtype=np.float32))
    store.close()
    again = EmbeddingStore(tmp_path / "store")
    again.use_encoder("one", DIM)
    assert len(again) == 2
    _append(again, items[2:])
    np.testing.assert_array_equal(again.embeddings, _vectors(items))


def test_only_added_items_are_pending(store: EmbeddingStore) -> None:
    _scan(store, _items(1, 2))
    _append(store, _items(1, 2))
    _scan(store, _items(1, 2, 3))
    assert _pending(store) == _items(3)
    assert store.total == 3


def test_a_changed_item_is_embedded_again_and_its_old_row_retires(store: EmbeddingStore) -> None:
    _scan(store, _items(1, 2))
    _append(store, _items(1, 2))
    _scan(store, [Item("item-1", "changed"), Item("item-2", "1")])
    assert _pending(store) == [Item("item-1", "changed")]
    _append(store, [Item("item-1", "changed")])
    assert store.rows_of(["item-1"]) == {"item-1": 2}
    assert store.retired_rows().tolist() == [0]


def test_a_pool_is_embedded_when_each_readable_item_is_as_it_is_now(store: EmbeddingStore) -> None:
    def is_embedded() -> bool:
        return store.is_embedded(lambda: False)

    _scan(store, _items(*range(6)))
    _append(store, _items(*range(5)))
    assert not is_embedded()
    _append(store, _items(5))
    assert is_embedded()
    assert not store.is_embedded(lambda: True), "a stop says nothing of the pool"
    _scan(store, [*_items(*range(5)), *_items(5, stamp="2")])
    assert not is_embedded(), "changed, though there are as many rows as items"
    store.mark_unreadable([(item, "damaged") for item in _items(5, stamp="2")])
    assert is_embedded()
    _scan(store, _items(*range(4)))
    assert is_embedded(), "what is gone needs no embedding"
    store.use_encoder("other", 4)
    assert not is_embedded()


def test_a_removed_item_retires_and_comes_back_without_embedding(store: EmbeddingStore) -> None:
    _scan(store, _items(1, 2))
    _append(store, _items(1, 2))
    _scan(store, _items(2))
    assert store.retired_rows().tolist() == [0]
    assert (store.total, store.known_ids(["item-1", "item-2"])) == (1, {"item-2"})
    _scan(store, _items(1, 2))
    assert store.retired_rows().tolist() == []
    assert _pending(store) == []


def test_a_scan_that_was_cut_off_retires_nothing(store: EmbeddingStore, tmp_path: Path) -> None:
    _scan(store, _items(1, 2, 3))
    _append(store, _items(1, 2, 3))
    store.begin_scan()
    store.add_items(_items(1))
    store.close()
    again = EmbeddingStore(tmp_path / "store")
    again.use_encoder("one", DIM)
    assert again.retired_rows().tolist() == []
    assert again.total == 3


def test_items_are_counted_only_once_they_can_be_read(store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[tuple[int, int, int]] = []
    writing = IndexFile.writing

    @contextmanager
    def watched(index: IndexFile, *arguments: str) -> Iterator[None]:
        with writing(index, *arguments):
            yield
            counts.append((store.total, store.arrivals, store.unreadable_count))  # the last moment before the commit

    monkeypatch.setattr(IndexFile, "writing", watched)
    store.begin_scan()
    store.add_items(_items(1, 2, 3))
    assert counts == [(0, 0, 0)]
    store.mark_unreadable([(item, "truncated") for item in _items(1, 2)])
    store.retry(["item-1"])
    store.retry_all()
    assert counts == [(0, 0, 0), (3, 3, 0), (3, 3, 2), (3, 3, 1)]
    store.begin_scan()
    store.add_items([])
    counts.clear()
    store.end_scan()
    assert (counts[0], store.total) == ((3, 3, 0), 0)


def test_unreadable_items_are_listed_and_tried_again_once_they_change(store: EmbeddingStore) -> None:
    _scan(store, _items(1, 2))
    store.mark_unreadable([(_items(1)[0], "truncated")])
    store.mark_unreadable([(_items(1)[0], "truncated")])
    assert store.unreadable(10) == [("item-1", "truncated")]
    assert store.unreadable_count == 1
    assert _pending(store) == _items(2)
    assert store.known_ids(["item-1"]) == set()
    _scan(store, _items(1, 2))
    assert store.unreadable_count == 1
    _scan(store, [Item("item-1", "mended"), Item("item-2", "1")])
    assert store.unreadable_count == 0
    assert len(_pending(store)) == 2


def test_what_was_replaced_while_it_was_read_is_not_unreadable(store: EmbeddingStore) -> None:
    _scan(store, _items(1))
    _scan(store, [Item("item-1", "mended")])
    store.mark_unreadable([(_items(1)[0], "truncated")])
    assert (store.unreadable(10), store.unreadable_count) == ([], 0)
    assert _pending(store) == [Item("item-1", "mended")]


def test_unreadable_items_are_tried_again_on_request(store: EmbeddingStore) -> None:
    _scan(store, _items(1, 2))
    store.mark_unreadable([(_items(1)[0], "HEIC: install its reader")])
    store.retry_all()
    assert (store.unreadable(10), store.unreadable_count) == ([], 0)
    assert len(_pending(store)) == 2


def test_each_encoder_has_rows_of_its_own(store: EmbeddingStore) -> None:
    _scan(store, _items(1, 2))
    _append(store, _items(1, 2))
    store.use_encoder("two", DIM)
    assert len(store) == 0
    assert len(_pending(store)) == 2
    store.use_encoder("one", DIM)
    assert len(store) == 2


def test_content_is_found_by_its_key(store: EmbeddingStore) -> None:
    _scan(store, _items(1, 2))
    _append(store, _items(1, 2))
    assert store.rows_of_content(["content-item-2-1", "other"]) == {"content-item-2-1": 1}


def test_the_map_grows_and_earlier_views_stay_valid(store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastlabel_gradio.pool.space.GROWTH_ROWS", 8)
    items = _items(*range(40))
    _scan(store, items)
    _append(store, items[:8])
    early = store.embeddings
    for start in range(8, 40, 8):
        _append(store, items[start : start + 8])
    np.testing.assert_array_equal(store.embeddings, _vectors(items))
    np.testing.assert_array_equal(early, _vectors(items[:8]))


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match="workdir"):
        EmbeddingStore(tmp_path / "file")


def test_a_file_shorter_than_its_rows_is_refused(store: EmbeddingStore, tmp_path: Path) -> None:
    _scan(store, _items(1, 2))
    _append(store, _items(1, 2))
    store.close()
    with (tmp_path / "store" / "one.f32").open("r+b") as file:
        file.truncate(8)
    with pytest.raises(StoreError, match="shorter"):
        EmbeddingStore(tmp_path / "store").use_encoder("one", DIM)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident pages are counted on Linux")
def test_what_was_read_of_the_file_need_not_stay_resident(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path / "large")
    store.use_encoder("one", 512)
    items = _items(*range(20_000))
    _scan(store, items)
    store.append([EmbeddedItem(item, item.id) for item in items], np.ones((len(items), 512), dtype=np.float32))
    before, view = _mapped_mib(), store.embeddings
    assert view.sum() == view.size
    assert _mapped_mib() > before + 30
    store.release_pages()
    assert _mapped_mib() < before + 10
    assert (view[::1000] == 1).all()


def _mapped_mib() -> float:
    """Pages of mapped files that are resident."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["RssFile"].split()[0]) / 1024


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, -200.0])
def test_a_file_with_numbers_that_no_embedding_has_is_refused(tmp_path: Path, bad: float) -> None:
    store = EmbeddingStore(tmp_path)
    items = _items(1, 2, 3)
    _scan(store, items)
    store.use_encoder("e", DIM)
    _append(store, items)
    store.close()
    numbers = np.memmap(tmp_path / "e.f32", dtype=np.float32, mode="r+", shape=(3, DIM))
    numbers[1, 2] = bad
    numbers.flush()
    store = EmbeddingStore(tmp_path)
    with pytest.raises(StoreError, match=r"e\.f32 is damaged.*Delete it and .*pool\.sqlite.*keep labels\.sqlite"):
        store.use_encoder("e", DIM)
    assert len(store) == 0
    store.close()


def test_a_folder_in_place_of_the_embeddings_is_told(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path)
    (tmp_path / "e.f32").mkdir()
    with pytest.raises(StoreError, match="embeddings cannot be stored"):
        store.use_encoder("e", DIM)
    store.close()
