"""The newest head of a project in its label store, and whose turn it is to train."""

import threading
from collections.abc import Callable

from fastlabel_gradio.labels import LabelStore, StoredHead
from fastlabel_gradio.loop.head_exchange import HeadExchange

OpenStore = Callable[..., LabelStore]


def test_a_head_reaches_others_whole_and_once(store: LabelStore, open_store: OpenStore) -> None:
    other = open_store()
    assert other.head_after(0) is None
    assert store.store_head(7, bytes(range(256)) * 4096, b"\0curve") == 1
    assert other.head_after(0) == StoredHead(1, 7, bytes(range(256)) * 4096, b"\0curve")
    assert other.head_after(1) is None
    assert open_store("sounds").head_after(0) is None


def test_a_head_replaces_no_head_that_knew_more(store: LabelStore, open_store: OpenStore) -> None:
    assert store.store_head(5, b"first", b"") == 1
    assert open_store().store_head(6, b"second", b"") == 2
    assert store.store_head(5, b"first, calibrated late", b"") == 0
    assert open_store().store_head(6, b"second, calibrated", b"") == 3
    found = store.head_after(2)
    assert found is not None and (found.revision, found.checkpoint) == (3, b"second, calibrated")


def test_one_at_a_time_trains_and_a_turn_that_is_not_renewed_ends(store: LabelStore, open_store: OpenStore) -> None:
    other = open_store()
    assert store.begin_training("a", now=0, until=30)
    assert not other.begin_training("b", now=29, until=59)
    assert store.begin_training("a", now=29, until=59)
    assert not other.begin_training("b", now=58, until=88)
    assert other.begin_training("b", now=59, until=89)
    store.end_training("a")  # not theirs any more
    assert not store.begin_training("a", now=60, until=90)
    other.end_training("b")
    assert store.begin_training("a", now=61, until=91)
    assert open_store("sounds").begin_training("b", now=61, until=91)


def test_who_waits_for_a_turn_or_holds_nothing_waits_for_no_writer(store: LabelStore, open_store: OpenStore) -> None:
    other = open_store()
    assert store.begin_training("a", now=0, until=30)
    with store._database.writing():  # that another one would wait for
        assert not other.begin_training("b", now=1, until=31)
        assert other.release("bob") == ()


def test_a_turn_of_a_clock_that_was_ahead_does_not_last_for_ever(store: LabelStore) -> None:
    assert store.begin_training("a", now=1_000_000, until=1_000_030)
    assert store.begin_training("b", now=10, until=40)


def test_who_watches_learns_of_a_new_head(store: LabelStore) -> None:
    told = threading.Event()
    stop = store.watch(told.set)
    assert told.wait(10)
    told.clear()
    store.store_head(1, b"head", b"")
    assert told.wait(10)
    stop()


def test_who_does_not_need_a_head_at_once_leaves_it_to_the_process_that_trains(
    store: LabelStore, open_store: OpenStore
) -> None:
    ours, theirs = HeadExchange(store), HeadExchange(open_store())
    with ours.turn(waits=True) as is_ours, theirs.turn(waits=False) as is_theirs:
        assert (is_ours, is_theirs) == (True, False)
    with theirs.turn(waits=False) as is_theirs:
        assert is_theirs
