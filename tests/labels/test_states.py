"""What can be said of an item beside its label, redo, and checks; on every kind of database."""

from collections.abc import Callable

import pytest

from fastlabel_gradio.errors import InvalidLabelsError
from fastlabel_gradio.labels import LabelStore, Standing
from fastlabel_gradio.types import Annotation, Said, State
from tests.labels.conftest import batch, said

OpenStore = Callable[..., LabelStore]


def standing(store: LabelStore) -> dict[str, Standing | None]:
    return store.everything(now=0).standing


def test_a_state_in_place_of_a_label_is_kept_and_undone_like_one(store: LabelStore) -> None:
    store.claim("ada", batch("b", "1", "2", "3", "4"), now=0, expires_at=60)
    done = store.submit("ada", [("1", State.SKIP), ("2", State.UNSURE), ("3", State.BAD), ("4", 1)], "b", now=1)
    assert (done.accepted, done.changed) == (4, {"4": 1})
    assert {item_id: one and one.state.value for item_id, one in standing(store).items()} == {
        "1": "skip",
        "2": "unsure",
        "3": "bad",
        "4": "label",
    }
    assert store.current() == {"4": 1}
    assert store.claim("bob", batch("c", "1", "2", "3", "5"), now=2, expires_at=60) == ("5",)
    assert store.submit("ada", [("1", State.SKIP)], now=3).standing == {}  # nothing new
    undone = store.undo("ada", now=4)
    assert undone is not None
    assert undone.labels == (("1", None), ("2", None), ("3", None), ("4", 1))
    assert undone.changed == {"4": None}
    assert standing(store) == {}
    assert store.claim("bob", batch("d", "1"), now=5, expires_at=60) == ("1",)


def test_a_label_after_a_skip_and_a_skip_after_a_label_are_corrections(store: LabelStore) -> None:
    store.submit("ada", [("1", State.SKIP), ("2", 0)], now=1)
    assert store.submit("ada", [("1", 2), ("2", State.UNSURE)], now=2).changed == {"1": 2, "2": None}
    assert store.current() == {"1": 2}
    assert list(store.annotations()) == [
        Annotation("1", 2, "ada", 2.0),
        Annotation("2", None, "ada", 2.0, State.UNSURE),
    ]


def test_a_state_and_a_label_for_one_item_are_refused(store: LabelStore) -> None:
    with pytest.raises(InvalidLabelsError, match="'1' has two labels"):
        store.submit("ada", [("1", 0), ("1", State.SKIP)], now=1)
    with pytest.raises(InvalidLabelsError, match=r"Nothing was stored"):
        store.submit("ada", [("1", Said(None))], now=1)  # a label without one
    assert standing(store) == {}


def test_what_a_label_came_by_is_kept(store: LabelStore) -> None:
    store.submit("app", [("1", Said(1, head_version=7, confidence=0.98)), ("2", 1)], now=1, source="auto")
    store.submit("ada", [("1", Said(2, note="a wolf"))], now=2)
    store.submit("eve", [("1", 0)], now=3, source="review")
    assert store.submit("ada", [("1", 1)], now=4).changed == {}
    assert standing(store) == {
        "1": Standing(State.LABEL, 0, "review"),
        "2": Standing(State.LABEL, 1, "auto"),
    }
    assert [(a.item_id, a.annotator, a.label_id, a.source) for a in store.annotations()] == [
        ("1", "app", 1, "auto"),
        ("2", "app", 1, "auto"),
        ("1", "eve", 0, "review"),
        ("1", "ada", 1, "person"),
    ]


def test_what_an_item_is_not_is_no_label(store: LabelStore) -> None:
    assert store.submit("ada", [("1", Said(1, present=False))], now=1).changed == {}
    assert (standing(store), said(store)) == ({}, [])
    assert store.claim("bob", batch("b", "1"), now=2, expires_at=60) == ("1",)


def test_redo_brings_back_what_undo_took_back_one_at_a_time(store: LabelStore) -> None:
    for number in range(3):
        store.submit("ada", [("1", number), (f"only {number}", 0)], f"b{number}", now=number)
    for expected in ("b2", "b1"):
        undone = store.undo("ada", now=5)
        assert undone is not None and undone.batch_id == expected
    redone = store.redo("ada", now=6)
    assert redone is not None
    assert (redone.batch_id, redone.changed) == ("b1", {"1": 1, "only 1": 0})
    again = [undone and undone.batch_id for undone in (store.undo("ada", now=7) for _ in range(3))]
    assert again == ["b1", "b0", None]
    back = [redone and redone.batch_id for redone in (store.redo("ada", now=8) for _ in range(4))]
    assert back == ["b0", "b1", "b2", None]
    assert store.current() == {"1": 2, "only 0": 0, "only 1": 0, "only 2": 0}


def test_nothing_is_redone_after_something_else_was_said(store: LabelStore) -> None:
    store.submit("ada", [("1", 0)], now=1)
    store.undo("ada", now=2)
    store.submit("bob", [("2", 0)], now=3)
    assert store.redo("bob", now=4) is None
    store.submit("ada", [("3", 0)], now=5)
    assert store.redo("ada", now=6) is None
    assert store.current() == {"2": 0, "3": 0}


def test_a_check_says_that_a_label_is_right_until_it_is_undone(store: LabelStore) -> None:
    store.submit("ada", [("1", 0), ("2", 1)], now=1)
    store.check("eve", {"1": 0}, now=2)
    assert store.checked() == {"1": {0}}
    with pytest.raises(
        InvalidLabelsError, match=r"item '2' does not carry the label that was checked.*Look at it again"
    ):
        store.check("eve", {"1": 0, "2": 0}, now=3)
    assert store.current() == {"1": 0, "2": 1}
    store.undo("eve", now=4)
    assert store.checked() == {}
    store.redo("eve", now=5)
    assert store.checked() == {"1": {0}}
