import random
import threading
from collections.abc import Callable

from fastlabel_gradio.labels import LabelStore
from tests.labels.conftest import batch, said


def test_a_claimed_item_is_given_to_nobody_else(store: LabelStore) -> None:
    assert store.claim("ada", batch("a", "3", "1", "2"), now=0, expires_at=60) == ("3", "1", "2")
    assert store.claim("bob", batch("b", "4", "2", "5"), now=0, expires_at=60) == ("4", "5")
    assert store.claim("cyd", batch("c", "1"), now=0, expires_at=60) == ()
    assert store.open_batch("cyd", now=0) is None
    assert [(c.item_id, c.annotator, c.batch_id) for c in store.claims(now=0)] == [
        ("3", "ada", "a"),
        ("1", "ada", "a"),
        ("2", "ada", "a"),
        ("4", "bob", "b"),
        ("5", "bob", "b"),
    ]


def test_a_labeled_item_is_claimed_again_only_after_undo(store: LabelStore) -> None:
    store.submit("ada", [("1", 0)], now=0)
    assert store.claim("bob", batch("b", "1", "2"), now=0, expires_at=60) == ("2",)
    store.undo("ada", now=1)
    assert store.claim("cyd", batch("c", "1", "2"), now=0, expires_at=60) == ("1",)


def test_the_open_batch_is_the_same_after_opening_again(
    store: LabelStore, open_store: Callable[..., LabelStore]
) -> None:
    store.claim("ada", batch("a", "3", "1", "2"), now=0, expires_at=60)
    assert open_store().open_batch("ada", now=59) == batch("a", "3", "1", "2")
    assert open_store().open_batch("bob", now=59) is None


def test_claims_that_ran_out_go_to_others(store: LabelStore) -> None:
    store.claim("ada", batch("a", "1", "2"), now=0, expires_at=60)
    assert store.claims(now=60) == []
    assert store.open_batch("ada", now=60) is None
    assert store.claim("bob", batch("b", "2"), now=60, expires_at=120) == ("2",)
    assert store.renew("ada", "a", expires_at=200) is False


def test_renewed_claims_last_longer(store: LabelStore) -> None:
    store.claim("ada", batch("a", "1"), now=0, expires_at=60)
    assert store.renew("ada", "a", expires_at=120)
    assert not store.renew("bob", "a", expires_at=999)
    assert store.claim("bob", batch("b", "1"), now=100, expires_at=160) == ()
    assert [claim.expires_at for claim in store.claims(now=100)] == [120]


def test_a_new_batch_replaces_those_that_were_given_back(store: LabelStore) -> None:
    store.claim("ada", batch("a1", "1", "2"), now=0, expires_at=60)
    store.claim("ada", batch("a2", "3"), now=1, expires_at=60)
    assert len(store.claims(now=1)) == 3
    assert set(store.release("ada")) == {"1", "2", "3"}
    assert store.claim("ada", batch("a3", "2", "4"), now=2, expires_at=60) == ("2", "4")
    assert [claim.item_id for claim in store.claims(now=2)] == ["2", "4"]
    assert store.open_batch("ada", now=2) == batch("a3", "2", "4")


def test_released_items_are_free(store: LabelStore) -> None:
    store.claim("ada", batch("a", "1", "2"), now=0, expires_at=60)
    assert store.release("ada") == ("1", "2")
    assert store.release("ada") == ()
    assert store.claim("bob", batch("b", "2", "1"), now=0, expires_at=60) == ("2", "1")


def test_submit_closes_its_batch_and_frees_the_rest(store: LabelStore) -> None:
    store.claim("ada", batch("a", "1", "2", "3"), now=0, expires_at=60)
    assert store.submit("ada", [("2", 0)], "a", now=1).released == ("2", "1", "3")
    assert store.open_batch("ada", now=1) is None
    assert store.claim("bob", batch("b", "1", "2", "3"), now=1, expires_at=60) == ("1", "3")


def test_submit_without_a_batch_leaves_the_rest_claimed(store: LabelStore) -> None:
    store.claim("ada", batch("a", "1", "2"), now=0, expires_at=60)
    assert store.submit("ada", [("2", 0)], now=1).released == ("2",)
    assert store.open_batch("ada", now=1) == batch("a", "1")
    store.submit("ada", [("1", 0)], now=2)
    assert store.open_batch("ada", now=2) is None
    assert not store.renew("ada", "a", expires_at=99)


def test_submit_does_not_close_the_batch_of_somebody_else(store: LabelStore) -> None:
    store.claim("ada", batch("a", "1", "2"), now=0, expires_at=60)
    assert store.submit("bob", [("9", 0)], "a", now=1).released == ()
    assert store.open_batch("ada", now=1) == batch("a", "1", "2")


def test_a_late_submit_counts_and_takes_the_item_from_its_new_holder(store: LabelStore) -> None:
    store.claim("ada", batch("a", "1", "2"), now=0, expires_at=60)
    store.claim("bob", batch("b", "1", "2"), now=61, expires_at=120)
    late = store.submit("ada", [("1", 0)], "a", now=62)
    assert (late.changed, late.released) == ({"1": 0}, ("1",))
    assert store.open_batch("bob", now=62) == batch("b", "2")
    assert store.submit("bob", [("1", 1), ("2", 1)], "b", now=63).changed == {"2": 1}


def test_eight_threads_never_hold_the_same_item(store: LabelStore) -> None:
    rounds, items = 12, tuple(f"{i}" for i in range(600))
    holders: dict[str, list[str]] = {item_id: [] for item_id in items}
    failures: list[BaseException] = []

    def work(name: str) -> None:
        order = random.Random(name)
        try:
            for number in range(rounds):
                wanted = batch(f"{name}-{number}", *order.sample(items, 40))
                got = store.claim(name, wanted, now=0, expires_at=60)
                for item_id in got:
                    holders[item_id].append(name)
                    assert holders[item_id] == [name]
                for item_id in got:
                    holders[item_id].remove(name)
                # What is not labeled goes back to the pool only now.
                store.submit(name, [(item_id, number % 3) for item_id in got[::3]], wanted.id, now=0)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"annotator {i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    labeled = [item_id for item_id, _, _ in said(store)]
    assert len(labeled) == len(set(labeled)) == len(store.current())
    assert store.claims(now=0) == []


def test_a_batch_that_is_put_behind_another_comes_when_that_is_closed(store: LabelStore) -> None:
    store.claim("ada", batch("a", "1", "2"), now=10, expires_at=60)
    store.claim("ada", batch("b", "3", "4"), now=20, expires_at=60)
    store.put_behind("ada", "b", "a")
    assert store.open_batch("ada", now=20) == batch("a", "1", "2")
    assert store.open_batches("ada", now=20) == [batch("a", "1", "2"), batch("b", "3", "4")]
    assert store.open_batches("bob", now=20) == []
    store.put_behind("bob", "b", "a")
    store.submit("ada", [("1", 0)], "a", now=21)
    assert store.open_batch("ada", now=21) == batch("b", "3", "4")
    store.claim("ada", batch("c", "2"), now=22, expires_at=60)
    assert store.release("ada", "b") == ("3", "4")
    assert store.open_batches("ada", now=22) == [batch("c", "2")]
