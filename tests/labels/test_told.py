"""What was told leaves one store and comes into another: opinions, times and what stands stay the same."""

import random
from collections.abc import Callable

import pytest

from fastlabel_gradio.errors import InvalidLabelsError
from fastlabel_gradio.labels import LabelStore, Taken, Told
from fastlabel_gradio.types import LabelSource, Said, State
from tests.labels.conftest import batch

NAMES = ["cat", "dog", "owl"]
SOURCES: tuple[LabelSource, ...] = ("person", "group", "review", "search", "import", "auto")


def random_history(store: LabelStore, rng: random.Random, annotators: str = "abc", items: int = 6) -> None:
    for moment in range(25):
        who = rng.choice(annotators)
        if rng.random() < 0.15:
            rng.choice((store.undo, store.redo))(who, now=moment)
            continue
        said = {f"{rng.randrange(items)}.jpg": random_said(rng) for _ in range(rng.randrange(1, 4))}
        store.submit(who, list(said.items()), now=moment + rng.random(), source=rng.choice(SOURCES))


def random_said(rng: random.Random) -> Said:
    state = rng.choice((State.LABEL, State.LABEL, State.LABEL, State.SKIP, State.UNSURE, State.BAD, State.CLEAR))
    label_id = rng.randrange(3) if state is State.LABEL else None
    return Said(label_id, state, True, rng.choice((None, 7)), rng.choice((None, 0.5)), rng.choice(("", "why")))


def test_what_any_history_told_stands_the_same_in_another_store(open_store: Callable[..., LabelStore]) -> None:
    rng = random.Random(3)
    for number in range(6):
        first, second = open_store(f"from {number}"), open_store(f"to {number}")
        for store in (first, second):
            store.ensure_labels(NAMES)
        random_history(first, rng)
        told = list(first.told())
        assert second.take_in(told, "import") == Taken(added=len(told))
        assert list(second.told()) == told
        assert second.everything(now=99).standing == first.everything(now=99).standing
        assert {one.item_id: one.said.label_id for one in told if one.stands and one.said.label_id is not None} == (
            first.current()
        )
        assert second.take_in(told, "again") == Taken(known=len(told))


def test_what_was_taken_in_is_taken_back_whole_and_nothing_else(open_store: Callable[..., LabelStore]) -> None:
    rng = random.Random(4)
    first, second = open_store("from"), open_store("to")
    for store in (first, second):
        store.ensure_labels(NAMES)
        random_history(store, rng)
    before = list(second.told())
    second.take_in(first.told(), "import-1")
    second.submit("dan", [("new.jpg", 1)], now=100)
    assert second.take_back_all("eve", "import-1", now=101) > 0
    assert [one for one in second.told() if one.item_id != "new.jpg"] == before
    assert second.take_back_all("eve", "import-1", now=102) == 0
    assert second.current()["new.jpg"] == 1


def test_opinions_of_others_become_second_opinions_and_later_ones_of_the_same_annotator_count(
    store: LabelStore,
) -> None:
    store.submit("ann", [("1.jpg", 0), ("2.jpg", 0), ("3.jpg", 0)], now=10)
    taken = store.take_in(
        [
            Told("1.jpg", "bob", 5.0, Said(1), "person"),
            Told("2.jpg", "ann", 20.0, Said(1), "person"),
            Told("3.jpg", "ann", 5.0, Said(1), "person"),
            Told("4.jpg", "bob", 5.0, Said(2), "person"),
        ],
        "import",
    )
    assert taken == Taken(added=3, older=1)
    assert store.current() == {"1.jpg": 0, "2.jpg": 1, "3.jpg": 0, "4.jpg": 2}
    assert [(one.item_id, one.annotator, one.stands) for one in store.told() if one.item_id == "1.jpg"] == [
        ("1.jpg", "ann", True),
        ("1.jpg", "bob", False),
    ]


def test_claims_on_items_that_were_taken_in_are_dropped(store: LabelStore) -> None:
    store.claim("ann", batch("b", "1.jpg", "2.jpg"), now=0, expires_at=100)
    store.take_in([Told("1.jpg", "bob", 5.0, Said(1), "import")], "import")
    assert [claim.item_id for claim in store.claims(now=1)] == ["2.jpg"]


def test_a_class_that_the_project_does_not_have_is_refused(store: LabelStore) -> None:
    with pytest.raises(InvalidLabelsError, match=r"label ids \[9\] are not known"):
        store.take_in([Told("1.jpg", "bob", 5.0, Said(9), "import")], "import")
    assert store.current() == {}


def test_who_watches_learns_of_what_was_taken_in_and_taken_back(store: LabelStore) -> None:
    start = store.everything(now=0).position
    store.take_in([Told("1.jpg", "bob", 5.0, Said(1), "import")], "import")
    changes = store.changes_since(start, now=1)
    assert {item_id: one and one.label_id for item_id, one in changes.standing.items()} == {"1.jpg": 1}
    store.take_back_all("ann", "import", now=2)
    assert store.changes_since(changes.position, now=3).standing == {"1.jpg": None}


def test_both_databases_tell_the_same(url: str) -> None:
    store = LabelStore(url, "birds")
    try:
        store.ensure_labels(NAMES)
        random_history(store, random.Random(9))
        told = list(store.told())
        other = LabelStore(url, "copy")
        other.ensure_labels(NAMES)
        other.take_in(told, "import")
        assert sorted(other.told()) == sorted(told)
        other.close()
    finally:
        store.close()
