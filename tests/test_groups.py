"""Groups: which are drawn for the audit, that they stay there as a pool grows, and in what order their items are drawn."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.sources import groups
from fastlabel_gradio.sources.grouped import file_id_of
from fastlabel_gradio.sources.groups import (
    AUDITED,
    TRAINED,
    WAITING,
    audit_least,
    draw_groups,
    group_key,
    spread_order,
)
from fastlabel_gradio.types import Item
from tests.cases import each


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddingStore]:
    opened = EmbeddingStore(tmp_path / "pool")
    yield opened
    opened.close()


def sizes_of(count: int, items: int = 20) -> dict[int, int]:
    return {group_key(f"recording {number}"): items for number in range(count)}


def drawn(decided: dict[int, bool]) -> set[int]:
    return {key for key, is_drawn in decided.items() if is_drawn}


def listed(store: EmbeddingStore, recordings: range, share: float = 0.1, items: int = 5) -> dict[str, int]:
    """On which side each recording is after a listing of so many items of each."""
    store.group_by("recordings")
    store.begin_scan()
    for number in recordings:
        named = [Item(f"{number}.wav#t={part}.0,{part + 1}.0") for part in range(items)]
        store.add_items(named, file_id_of)
    store.end_scan(audit_share=share)
    keys = np.array([group_key(f"{number}.wav") for number in recordings])
    return dict(zip((f"{number}.wav" for number in recordings), store.groups.sides(keys).tolist(), strict=True))


@each("count, least", [(1, 1), (2, 1), (5, 2), (24, 8), (30, 10), (80, 10), (1_000, 100)])
def test_few_groups_give_the_audit_a_third_and_many_its_share(count: int, least: int) -> None:
    assert audit_least(count, 0.1) == least


def test_a_large_share_is_kept_of_few_groups_too() -> None:
    assert audit_least(8, 0.5) == 4


def test_as_many_groups_are_drawn_as_wanted_and_a_share_of_many() -> None:
    assert len(drawn(draw_groups(sizes_of(24), 0.1, 8))) == 8
    assert 70 <= len(drawn(draw_groups(sizes_of(1_000), 0.1, 0))) <= 130


def test_a_single_group_and_one_that_is_most_of_the_pool_are_not_drawn() -> None:
    assert drawn(draw_groups(sizes_of(1), 0.1, 1)) == set()
    sizes = {**sizes_of(4, 10), group_key("huge"): 1_000}
    found = drawn(draw_groups(sizes, 0.9, 5))
    assert group_key("huge") not in found
    assert len(found) == 4


def test_never_more_than_half_of_the_items_are_drawn() -> None:
    assert len(drawn(draw_groups(sizes_of(20), 0.9, 20))) == 10


def test_a_group_keeps_its_side_as_the_pool_grows_and_new_ones_are_drawn_too(store: EmbeddingStore) -> None:
    before = listed(store, range(12))
    after = listed(store, range(400))
    assert {name: after[name] for name in before} == before
    assert Counter(before.values()) == {TRAINED: 8, AUDITED: 4}
    later = [side for name, side in after.items() if name not in before]
    assert 0.05 < later.count(AUDITED) / len(later) < 0.2
    assert WAITING not in later


def test_the_sides_are_found_again_after_a_restart(tmp_path: Path, store: EmbeddingStore) -> None:
    before = listed(store, range(12))
    keys = np.array([group_key(name) for name in before])
    again = EmbeddingStore(tmp_path / "pool")
    again.group_by("recordings")
    assert again.groups.sides(keys).tolist() == list(before.values())
    assert again.groups.mark == store.groups.mark
    again.close()


def test_groups_of_another_rule_are_drawn_anew_and_wait_until_they_are_listed(store: EmbeddingStore) -> None:
    before = listed(store, range(12))
    mark = store.groups.mark
    store.group_by(r"groups by ^(\d)")
    keys = np.array([group_key(name) for name in before])
    assert set(store.groups.sides(keys).tolist()) == {WAITING}
    assert store.groups.mark not in ("", mark)
    store.group_by("")
    assert store.groups.mark == ""


def test_without_an_audit_no_group_is_decided_on(store: EmbeddingStore) -> None:
    assert set(listed(store, range(12), share=0.0).values()) == {WAITING}
    assert set(listed(store, range(12), share=0.1).values()) == {TRAINED, AUDITED}


def test_a_long_listing_lets_some_groups_be_learned_from_meanwhile(
    store: EmbeddingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "EARLY_AFTER_S", 0.0)
    store.group_by("recordings")
    store.begin_scan()
    store.add_items([Item(f"{number}") for number in range(200)], file_id_of)
    keys = np.array([group_key(f"{number}") for number in range(200)])
    early = store.groups.sides(keys)
    store.end_scan(audit_share=0.1)
    late = store.groups.sides(keys)
    assert 20 < (early == TRAINED).sum() < 80
    assert not (early == AUDITED).any()
    assert (late[early == TRAINED] == TRAINED).all()
    assert (late == AUDITED).sum() >= 10


def test_sides_may_be_asked_for_while_groups_are_added(store: EmbeddingStore) -> None:
    keys = np.array([group_key(f"{number}.wav") for number in range(300)])
    reader = threading.Thread(target=lambda: [store.groups.sides(keys) for _ in range(200)])
    reader.start()
    for count in range(50, 301, 50):
        listed(store, range(count), items=1)
    reader.join()
    assert WAITING not in store.groups.sides(keys).tolist()


def test_every_beginning_of_the_order_holds_the_same_part_of_each_group() -> None:
    of_item = np.repeat([11, 22, 33, 44], [40, 20, 20, 20])
    of_item = np.random.default_rng(0).permutation(of_item)
    order = spread_order(of_item, np.zeros(0, dtype=np.int64))
    assert sorted(order.tolist()) == list(range(100))
    for count in (10, 25, 50):
        found = Counter(of_item[order[:count]].tolist())
        assert all(
            abs(found[group] - count * size / 100) <= 1 for group, size in ((11, 40), (22, 20), (33, 20), (44, 20))
        )


def test_a_group_of_which_much_was_drawn_comes_later() -> None:
    free, before = np.array([1, 1, 1, 2, 2, 2, 2, 2]), np.array([1, 1])
    assert set(free[spread_order(free, before)][:2].tolist()) == {2}


def test_a_listing_without_news_asks_for_no_group_and_writes_nothing(store: EmbeddingStore) -> None:
    before = listed(store, range(30))
    written, version = store._writer.total_changes, store.groups.version
    asked: list[str] = []

    def group_of(item: Item) -> str:
        asked.append(item.id)
        return file_id_of(item)

    store.begin_scan()
    store.add_items(
        [Item(f"{number}.wav#t={part}.0,{part + 1}.0") for number in range(30) for part in range(5)], group_of
    )
    store.end_scan(audit_share=0.1)
    assert (asked, store._writer.total_changes, store.groups.version) == ([], written, version)
    store.begin_scan()
    store.add_items([Item("0.wav#t=0.0,1.0", "changed"), Item("30.wav#t=0.0,1.0"), Item("0.wav#t=1.0,2.0")], group_of)
    store.end_scan(audit_share=0.1)
    assert set(asked) == {"0.wav#t=0.0,1.0", "30.wav#t=0.0,1.0"}
    assert before.items() <= listed(store, range(31)).items()


def test_groups_that_an_unfinished_listing_found_wait_for_the_next_one(store: EmbeddingStore) -> None:
    store.group_by("recordings")
    store.begin_scan()
    store.add_items([Item(f"{number}.wav#t=0.0,1.0") for number in range(12)], file_id_of)
    store.end_scan(is_complete=False, audit_share=0.1)
    assert set(store.groups.sides(np.array([group_key(f"{number}.wav") for number in range(12)])).tolist()) == {WAITING}
    assert Counter(listed(store, range(12), items=1).values()) == {TRAINED: 8, AUDITED: 4}
