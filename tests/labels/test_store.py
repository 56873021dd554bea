import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event

from fastlabel_gradio.errors import ConfigError, InvalidLabelsError
from fastlabel_gradio.labels import ClaimedBatch, LabelStore
from fastlabel_gradio.types import Annotation
from tests.labels.conftest import batch, said

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "${process.env}{{7*7}}",
    "'; DROP TABLE fastlabel_labels; --",
    'quote " backslash \\ percent %s :name ?',
    "line\nend\r\ttab",
    "مرحبا\u202eabc",
    "🐈‍⬛ e\u0301",
)
NUL = "nul\x00byte"  # PostgreSQL has it in no text


def test_label_ids_survive_reordering_and_new_classes(open_store: Callable[..., LabelStore]) -> None:
    first = open_store().ensure_labels(["cat", "dog", "owl"])
    second = open_store().ensure_labels(["owl", "emu", "cat", "dog"])
    ids = dict(zip(second.names, second.ids, strict=True))
    assert second.names == ("owl", "emu", "cat", "dog")
    assert [ids[name] for name in first.names] == list(first.ids)
    assert len(set(ids.values())) == 4


def test_a_dropped_class_stays_in_the_schema_while_it_carries_labels(store: LabelStore) -> None:
    store.submit("ada", [("1.jpg", 2)], now=1)
    assert store.ensure_labels(["emu", "cat"]).names == ("emu", "cat", "owl")
    store.undo("ada", now=2)
    assert store.ensure_labels(["emu", "cat"]).names == ("emu", "cat")
    assert store.ensure_labels(["cat", "owl"]).ids == (0, 2)


def test_a_dropped_class_stays_when_undo_can_bring_it_back(store: LabelStore) -> None:
    store.submit("ada", [("1.jpg", 2)], now=1)
    store.submit("ada", [("1.jpg", 0)], now=2)
    assert store.ensure_labels(["cat", "dog"]).names == ("cat", "dog", "owl")


def test_label_names_are_compared_composed_and_stripped(open_store: Callable[..., LabelStore]) -> None:
    store = open_store()
    assert store.ensure_labels(["cafe\u0301", " tea "]) == store.ensure_labels(["caf\u00e9", "tea"])


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["cat", "dog", " cat"], "'cat' is listed twice"),
        (["caf\u00e9", "cafe\u0301"], "listed twice"),
        (["cat", "  "], "class 2 of 2 has an empty name"),
    ],
)
def test_class_lists_that_cannot_be_used_are_refused(
    open_store: Callable[..., LabelStore], names: list[str], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        open_store().ensure_labels(names)


def test_a_project_may_begin_with_one_class_or_none(open_store: Callable[..., LabelStore]) -> None:
    assert len(open_store("none").ensure_labels([])) == 0
    assert open_store("one").ensure_labels(["cat"]).names == ("cat",)


def test_a_submit_labels_its_items(store: LabelStore) -> None:
    done = store.submit("ada", [("b.jpg", 1), ("a.jpg", 0)], now=12.5)
    assert (done.accepted, done.changed) == (2, {"b.jpg": 1, "a.jpg": 0})
    assert store.current() == {"b.jpg": 1, "a.jpg": 0}
    assert list(store.annotations()) == [Annotation("b.jpg", 1, "ada", 12.5), Annotation("a.jpg", 0, "ada", 12.5)]
    assert store.standing(["a.jpg", "never.jpg"]) == {"a.jpg": 0}


def test_an_empty_submit_is_accepted_and_closes_its_batch(store: LabelStore) -> None:
    store.claim("ada", batch("b1", "1", "2"), now=0, expires_at=60)
    done = store.submit("ada", [], "b1", now=1)
    assert (done.accepted, done.changed, done.released) == (0, {}, ("1", "2"))
    assert store.undo("ada", now=2) is None


def test_a_submit_that_comes_twice_counts_once(store: LabelStore) -> None:
    store.submit("ada", [("1", 0)], now=1)
    store.submit("ada", [("2", 1)], "b", now=2)
    again = store.submit("ada", [("2", 1), ("2", 1)], "b", now=3)
    assert (again.accepted, again.changed) == (2, {})
    assert len(said(store)) == 2
    undone = store.undo("ada", now=4)
    assert undone is not None and undone.labels == (("2", 1),)
    assert store.current() == {"1": 0}


def test_another_label_by_the_same_annotator_is_a_correction(store: LabelStore) -> None:
    store.submit("ada", [("1", 0), ("2", 0)], now=1)
    assert store.submit("ada", [("1", 1), ("2", 0)], now=2).changed == {"1": 1}
    assert store.current() == {"1": 1, "2": 0}
    assert said(store) == [("2", 0, "ada"), ("1", 1, "ada")]


def test_undo_restores_the_previous_label(store: LabelStore) -> None:
    store.submit("ada", [("1", 0)], "b1", now=1)
    store.submit("ada", [("1", 1), ("2", 2)], "b2", now=2)
    undone = store.undo("ada", now=3)
    assert undone is not None
    assert (undone.batch_id, undone.labels) == ("b2", (("1", 1), ("2", 2)))
    assert undone.changed == {"1": 0, "2": None}
    assert store.current() == {"1": 0}


def test_undo_goes_back_one_submission_at_a_time(store: LabelStore) -> None:
    for number in range(3):
        store.submit("ada", [(str(number), number)], f"b{number}", now=number)
    undone = [store.undo("ada", now=9) for _ in range(4)]
    assert [one and one.batch_id for one in undone] == ["b2", "b1", "b0", None]
    assert store.current() == {}


def test_labels_after_an_undo_stand(store: LabelStore) -> None:
    store.submit("ada", [("1", 0)], now=1)
    store.undo("ada", now=2)
    assert store.submit("ada", [("1", 0)], now=3).changed == {"1": 0}
    assert store.current() == {"1": 0}


def test_undo_leaves_the_labels_of_others(store: LabelStore) -> None:
    store.submit("ada", [("1", 0)], now=1)
    store.submit("bob", [("2", 1)], now=2)
    store.undo("ada", now=3)
    assert store.undo("ada", now=4) is None
    assert store.current() == {"2": 1}


def test_a_second_opinion_is_kept_and_overwrites_nothing(store: LabelStore) -> None:
    store.submit("ada", [("1", 0)], now=1)
    assert store.submit("bob", [("1", 2)], now=2).changed == {}
    assert store.submit("ada", [("1", 1)], now=3).changed == {"1": 1}
    assert store.current() == {"1": 1}
    assert said(store) == [("1", 2, "bob"), ("1", 1, "ada")]


def test_the_second_opinion_stands_once_the_first_is_undone(store: LabelStore) -> None:
    store.submit("ada", [("1", 0)], now=1)
    store.submit("bob", [("1", 2)], now=2)
    undone = store.undo("ada", now=3)
    assert undone is not None and undone.changed == {"1": 2}
    assert store.submit("ada", [("1", 0)], now=4).changed == {}
    assert store.current() == {"1": 2}


def test_the_state_is_the_same_after_opening_again(store: LabelStore, open_store: Callable[..., LabelStore]) -> None:
    store.submit("ada", [(f"{i}", i % 3) for i in range(2000)], now=1)
    store.submit("bob", [(f"{i}", 0) for i in range(1990, 2010)], now=2)
    store.submit("ada", [("0", 2)], now=3)
    store.undo("bob", now=4)
    again = open_store()
    assert again.current() == store.current() == {**{f"{i}": i % 3 for i in range(2000)}, "0": 2}
    assert len(said(again)) == 2000


def test_projects_in_one_database_do_not_see_each_other(
    store: LabelStore, open_store: Callable[..., LabelStore]
) -> None:
    other = open_store("sounds")
    other.ensure_labels(["dog", "cat"])
    store.submit("ada", [("1", 0)], now=1)
    store.claim("ada", batch("b", "2"), now=1, expires_at=9)
    assert (other.current(), said(other), other.claims(now=1), other.undo("ada", now=2)) == ({}, [], [], None)
    assert other.claim("bob", batch("b", "1", "2"), now=1, expires_at=9) == ("1", "2")
    assert other.submit("bob", [("1", 1)], "b", now=2).changed == {"1": 1}
    assert store.current() == {"1": 0}
    assert len(store.claims(now=1)) == 1
    with pytest.raises(InvalidLabelsError, match=r"\[2\] are not known"):
        other.submit("bob", [("1", 2)], now=2)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (("5", 99), r"label ids \[99\] are not known. Known: \[0, 1, 2\]"),
        (("5", 2**70), "not known"),
        (("", 1), "CHECK constraint failed|violates check constraint"),
        (("0", 1), "'0' has two labels"),
        (("bad\udcff.jpg", 1), "no text"),
    ],
)
def test_one_bad_label_stores_nothing_of_its_request(store: LabelStore, bad: tuple[str, int], reason: str) -> None:
    store.claim("ada", batch("b", "0", "1"), now=0, expires_at=60)
    with pytest.raises(InvalidLabelsError, match=reason):
        store.submit("ada", [("0", 0), ("1", 0), bad, ("2", 0)], "b", now=1)
    assert store.current() == {}
    assert store.open_batch("ada", now=1) == batch("b", "0", "1")
    assert store.undo("ada", now=2) is None
    assert store.submit("ada", [("0", 0)], "b", now=3).changed == {"0": 0}


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_comes_back_as_it_was(store: LabelStore, open_store: Callable[..., LabelStore], text: str) -> None:
    comes_back(store, open_store, text)


def test_a_text_that_the_database_cannot_hold_is_refused_by_name(
    store: LabelStore, open_store: Callable[..., LabelStore], url: str
) -> None:
    if url.startswith("sqlite"):
        comes_back(store, open_store, NUL)
        return
    for item_id, annotator in ((NUL, "ada"), ("1", NUL)):
        with pytest.raises(InvalidLabelsError, match=r"NUL.*Nothing of this request was stored"):
            store.submit(annotator, [("0", 1), (item_id, 1)], now=1)
    assert store.current() == {}


def comes_back(store: LabelStore, open_store: Callable[..., LabelStore], text: str) -> None:
    schema = open_store(text).ensure_labels([f"x{text}x", "other"])
    assert schema.names[0] == unicodedata.normalize("NFC", f"x{text}x")
    store.submit(text, [(text, 1)], text, now=1)
    store.claim(text, ClaimedBatch(text, (f"{text}2",), text, 0, text), now=1, expires_at=9)
    assert store.current() == {text: 1}
    assert said(store) == [(text, 1, text)]
    assert store.open_batch(text, now=1) == ClaimedBatch(text, (f"{text}2",), text, 0, text)
    undone = store.undo(text, now=2)
    assert undone is not None and undone.batch_id == text


def test_a_submit_and_a_claim_ask_the_database_little(tmp_path: Path) -> None:
    store, asked = LabelStore(f"sqlite:///{tmp_path / 'labels.sqlite'}", "p"), list[str]()
    store.ensure_labels(["cat", "dog"])
    engine = store._database._engine
    event.listen(engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    items = tuple(f"{number}.jpg" for number in range(100))
    store.claim("ann", ClaimedBatch("b", items, "random", 0), now=0.0, expires_at=600.0)
    assert len(asked) <= 8
    asked.clear()
    submission = store.submit("ann", [(item, 0) for item in items], "b", now=1.0)
    assert len(asked) <= 13
    assert submission.position == store.changes_since(submission.since, now=1.0).position
    store.close()
