"""What a reader is told that happened since it last looked, whoever did it; on every kind of database."""

import threading
from collections.abc import Callable
from dataclasses import replace

from fastlabel_gradio.labels import Changes, ClassEdit, LabelStore, Position, Standing
from fastlabel_gradio.types import State
from tests.labels.conftest import batch

OpenStore = Callable[..., LabelStore]


class Reader:
    """Follows a store and tells what it hears."""

    def __init__(self, store: LabelStore) -> None:
        self._store = store
        self._position = store.everything(now=0).position

    def hears(self) -> Changes:
        changes = self._store.changes_since(self._position, now=0)
        self._position = changes.position
        return changes


def label(number: int) -> Standing:
    return Standing(State.LABEL, number, "person")


def test_a_reader_hears_of_labels_undos_and_redos(store: LabelStore) -> None:
    store.submit("ada", [("1", 0)], now=1)
    reader = Reader(store)
    assert (reader.hears().standing, reader.hears().claims) == ({}, None)
    store.submit("ada", [("1", 1), ("2", 2)], now=2)
    store.submit("bob", [("2", 0), ("3", State.BAD)], now=3)
    assert reader.hears().standing == {"1": label(1), "2": label(2), "3": Standing(State.BAD, None, "person")}
    assert reader.hears().standing == {}
    store.undo("ada", now=4)
    assert reader.hears().standing == {"1": label(0), "2": label(0)}
    store.redo("ada", now=5)
    store.undo("bob", now=6)
    assert reader.hears().standing == {"1": label(1), "2": label(2), "3": None}


def test_a_reader_hears_of_claims_that_come_are_renewed_and_go(store: LabelStore) -> None:
    reader = Reader(store)
    store.claim("ada", batch("a", "1", "2"), now=0, expires_at=60)
    claims = reader.hears().claims
    assert claims is not None and [claim.item_id for claim in claims] == ["1", "2"]
    store.renew("ada", "a", expires_at=99)
    renewed = reader.hears().claims
    assert renewed is not None and renewed == [replace(claim, expires_at=99) for claim in claims]
    store.submit("ada", [("1", 0)], now=1)
    assert [claim.item_id for claim in reader.hears().claims or ()] == ["2"]
    store.release("ada")
    assert reader.hears().claims == []
    store.release("ada")  # nothing is held: nothing changed
    assert reader.hears().claims is None


def test_a_reader_hears_of_classes(store: LabelStore) -> None:
    reader = Reader(store)
    store.submit("ada", [("1", 0)], now=1)
    assert not reader.hears().classes_changed
    store.edit_classes("ada", [ClassEdit("add", value="emu")], now=2)
    assert reader.hears().classes_changed
    assert not reader.hears().classes_changed
    store.undo("ada", now=3)
    assert reader.hears().classes_changed
    store.redo("ada", now=4)
    assert reader.hears().classes_changed


def test_a_reader_from_the_beginning_hears_everything(store: LabelStore) -> None:
    store.submit("ada", [(str(number), number % 3) for number in range(700)], now=1)
    store.submit("ada", [("0", 2)], now=2)
    found = store.changes_since(Position(), now=0)
    assert found.standing == store.everything(now=0).standing
    assert len(found.standing) == 700


def test_other_projects_of_a_database_are_not_heard(store: LabelStore, open_store: OpenStore) -> None:
    other = open_store("fish")
    other.ensure_labels(["eel", "cod"])
    reader = Reader(store)
    other.submit("ada", [("1", 0)], now=1)
    assert reader.hears() == Changes(reader._position, {}, None)
    store.submit("ada", [("2", 0)], now=2)
    assert set(reader.hears().standing) == {"2"}


def test_who_watches_is_told_of_a_change(store: LabelStore, open_store: OpenStore) -> None:
    told = threading.Event()
    others = threading.Event()
    stop = store.watch(told.set)
    open_store("fish").watch(others.set)
    assert told.wait(10) and others.wait(10)  # once at the start
    told.clear()
    others.clear()
    store.submit("ada", [("1", 0)], now=1)
    assert told.wait(10)
    assert not others.is_set()
    stop()
