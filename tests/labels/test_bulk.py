"""Many items in one step: written, taken back and brought back as a whole, however the events of so many are read."""

import pytest
from sqlalchemy import select

from fastlabel_gradio.errors import InvalidLabelsError
from fastlabel_gradio.labels import LabelStore, Standing, events
from fastlabel_gradio.labels.tables import annotations
from fastlabel_gradio.types import Said, State
from tests.labels.conftest import batch, said

CAT, DOG, OWL = range(3)
ITEMS = [f"{number:04d}.jpg" for number in range(1200)]


def test_many_labels_are_one_step(store: LabelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.submit("bob", [(ITEMS[0], DOG), ("other.jpg", OWL)], now=0)
    store.claim("eve", batch("b1", ITEMS[1], "held.jpg"), now=0, expires_at=60)
    before = store.current()
    for many in (events.MANY_ITEMS, 100):
        monkeypatch.setattr(events, "MANY_ITEMS", many)
        labels = [number % 3 for number in range(len(ITEMS))]
        done = store.submit_many("ann", ITEMS, labels, source="group", now=1)
        assert done.accepted == len(ITEMS)
        assert (len(done.changed), len(done.standing)) == (len(ITEMS) - 1, len(ITEMS) - 1)  # bob was first with one
        assert store.current() == {**dict(zip(ITEMS, labels, strict=True)), ITEMS[0]: DOG, "other.jpg": OWL}
        undone = store.undo("ann", now=2)
        assert undone is not None and undone.step.event == done.event
        assert (len(undone.labels), set(undone.standing.values())) == (len(ITEMS), {None})
        assert store.current() == before
        redone = store.redo("ann", now=3)
        assert redone is not None and redone.standing == done.standing
        assert store.undo("ann", now=4) is not None
    assert [claim.item_id for claim in store.claims(now=1)] == ["held.jpg"]


def test_confidences_head_version_and_note_are_stored(store: LabelStore) -> None:
    options = {"source": "auto", "head_version": 7, "confidences": [0.5, 0.75], "note": "promise 1"}
    store.submit_many("app", ["2", "1"], [CAT, DOG], now=1, **options)  # type: ignore[arg-type]
    columns = (annotations.c.item_id, annotations.c.label_id, annotations.c.head_version, annotations.c.confidence)
    with store._database.reading() as connection:
        rows = connection.execute(select(*columns, annotations.c.note, annotations.c.source)).all()
    assert [tuple(row) for row in rows] == [
        ("1", DOG, 7, 0.75, "promise 1", "auto"),
        ("2", CAT, 7, 0.5, "promise 1", "auto"),
    ]


def test_items_of_many_statements_keep_what_was_said_of_each(store: LabelStore) -> None:
    items = [f"{'é' * (number % 3)}{number:04d} 'q\".jpg" for number in range(2 * events.ROWS_AT_ONCE + 1)]
    confidences = [None if number % 7 == 0 else number / len(items) for number in range(len(items))]
    wanted = dict(zip(items, zip([number % 3 for number in range(len(items))], confidences, strict=True), strict=True))
    store.submit_many("app", items, [label for label, _ in wanted.values()], confidences=confidences, now=1)
    found = {one.item_id: (one.said.label_id, one.said.confidence) for one in store.told()}
    assert found == wanted
    mixed = [
        (items[0], State.SKIP),
        (items[1], Said(OWL, note="%s ? {}", head_version=3)),
        (items[2], Said(CAT, confidence=0.5)),
    ]
    store.submit("ann", mixed, now=2)
    states = {one.item_id: one.said for one in store.told() if one.annotator == "ann"}
    assert states == {item_id: Said(state=one) if isinstance(one, State) else one for item_id, one in mixed}


def test_one_label_or_state_serves_for_all(store: LabelStore) -> None:
    store.submit_many("ann", ["1", "2"], OWL, now=1)
    store.submit_many("ann", ["3", "4"], None, state=State.SKIP, now=2)
    assert said(store) == [("1", OWL, "ann"), ("2", OWL, "ann"), ("3", None, "ann"), ("4", None, "ann")]


def test_lists_that_do_not_fit_are_refused(store: LabelStore) -> None:
    cases = [
        ((["1", "1"], CAT), {}, "an item comes twice"),
        ((["1", "2"], [CAT]), {}, "different numbers"),
        ((["1", "2"], CAT), {"confidences": [0.5]}, "different numbers"),
        ((["1", ""], CAT), {}, "refused"),
        ((["1"], 9), {}, r"label ids \[9\] are not known"),
        ((["1"], None), {}, "refused"),
    ]
    for arguments, options, reason in cases:
        with pytest.raises(InvalidLabelsError, match=reason):
            store.submit_many("ann", *arguments, now=1, **options)  # type: ignore[arg-type]
    assert store.submit_many("ann", [], CAT, now=1).event is None
    assert (said(store), store.undo("ann", now=2)) == ([], None)


def test_each_item_may_come_by_something_else(store: LabelStore) -> None:
    store.submit("ann", [("1", CAT)], now=1)
    store.submit("bob", [("1", Said(DOG, source="review")), ("2", Said(DOG))], now=2, source="search")
    standing = store.everything(now=3).standing
    assert standing == {"1": Standing(State.LABEL, DOG, "review"), "2": Standing(State.LABEL, DOG, "search")}


def test_a_label_of_many_is_a_persons_once_the_card_is_confirmed(store: LabelStore) -> None:
    for source in ("search", "verify"):
        store.submit_many("ann", [f"{source}-1", f"{source}-2"], CAT, now=1, source=source)  # type: ignore[arg-type]
        confirmed = store.submit("ann", [(f"{source}-1", CAT)], now=2)
        assert (confirmed.changed, confirmed.standing) == ({}, {f"{source}-1": Standing(State.LABEL, CAT, "person")})
        assert store.submit("ann", [(f"{source}-1", CAT)], now=3).event is None
        assert store.submit("ann", [(f"{source}-1", CAT)], now=4, source=source).event is None  # type: ignore[arg-type]
        assert store.undo("ann", now=5) is not None
        standing = store.everything(now=6).standing
        assert {standing[f"{source}-{number}"] for number in (1, 2)} == {Standing(State.LABEL, CAT, source)}


def test_who_clears_an_item_takes_back_what_everybody_said(store: LabelStore) -> None:
    store.submit("ann", [("1", CAT), ("2", CAT)], now=1)
    store.submit("bob", [("1", DOG)], now=2, source="review")
    done = store.submit("eve", [("1", State.CLEAR), ("3", State.CLEAR)], now=3)
    assert (done.changed, done.standing) == ({"1": None}, {"1": None})  # of the third nobody said anything
    assert said(store) == [("2", CAT, "ann")]
    assert store.owners()[1] == {"2": ("ann", 1.0)}
    assert store.claim("eve", batch("b1", "1", "2", "3"), now=4, expires_at=60) == ("1", "3")
    assert store.submit("ann", [("1", CAT)], now=5).changed == {"1": CAT}  # the same again is news now
    assert store.undo("ann", now=6) is not None
    assert store.undo("eve", now=7) is not None
    assert store.current() == {"1": DOG, "2": CAT}
    assert sorted(said(store)) == [("1", CAT, "ann"), ("1", DOG, "bob"), ("2", CAT, "ann")]


def test_whoever_knows_all_before_a_submit_knows_all_after_it(store: LabelStore) -> None:
    known = store.everything(now=0).position
    for change in (
        lambda: store.submit_many("ann", ["1", "2"], CAT, now=1),
        lambda: store.undo("ann", now=2),
        lambda: store.redo("ann", now=3),
        lambda: store.submit("ann", [("1", CAT)], now=4),  # says nothing new
    ):
        done = change()
        assert done is not None and done.since == known
        assert store.changes_since(done.position, now=5).position == done.position
        known = done.position
