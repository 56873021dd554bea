"""What is said of a proof on its whole way: cards left open, promises of each class, sets that grow."""

import pytest

from fastlabel_gradio.errors import FinishError
from fastlabel_gradio.finish import FinishReport
from fastlabel_gradio.labeler import Labeler
from tests.finish_pools import check_all, true_class


def _told(now: FinishReport) -> str:
    return " ".join(one.text for one in now.lines)


def test_a_card_left_open_is_not_said_to_be_corrected(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.8)
    batch = finisher.checks("ann", 6)
    labels = {item.id: true_class(item.id) for item in batch.items[1:]}
    odd = batch.items[3].id
    labels[odd] = "red" if true_class(odd) == "blue" else "blue"
    labeler.submit("ann", list(labels.items()), batch.id)
    now = finisher.state()
    assert (now.checked, now.wrong) == (6, 2)
    assert _told(now).startswith("6 checked, 1 wrong (corrected). ")
    left_open = "1 of the checked ones were left open, or left the pool: that counts as wrong."
    assert left_open in _told(now)
    check_all(labeler)
    proven = finisher.state()
    assert f"by your own judgement of {proven.checked - 1} random ones" in _told(proven)
    assert left_open in _told(proven)
    accepted = finisher.accept("ann")
    assert f"(proven by {accepted.checked} random checks, 1 of them wrong and corrected)" in _told(accepted)
    assert left_open in _told(accepted)
    [evidence] = finisher.evidence()
    assert "1 were wrong and are corrected, 1 were left open, which counts as wrong." in evidence.words
    assert evidence.promise.wrong == 2


def test_a_promise_of_each_class_is_told_as_one(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.9, per_class=True)
    check_all(labeler)
    assert "at least 90 % of each class are right" in _told(finisher.state())
    accepted = finisher.accept("ann")
    assert "checked or labeled before at least 90 % of each class are right" in _told(accepted)
    [evidence] = finisher.evidence()
    assert "at least 90 % of each class are right (95 % confidence a class)" in evidence.words


def test_a_proven_set_is_not_dropped_unasked(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.8)
    check_all(labeler)
    proven = finisher.state()
    with pytest.raises(FinishError, match="items are proven and not accepted yet"):
        finisher.start("ann", 0.9)
    assert finisher.state() == proven
    finisher.give_up()
    assert finisher.start("ann", 0.9).possible


def test_items_that_somebody_has_on_the_screen_are_said_to_be_left_out_of_a_plan(labeler: Labeler) -> None:
    finisher = labeler.finisher
    before = finisher.plan(0.9)
    assert "held" not in [one.key for one in before.lines]
    batch = labeler.next_batch("ben", 40, "random")
    planned = finisher.plan(0.9)
    assert (planned.pool, planned.reserved) == (before.pool, before.reserved)
    assert planned.lines[-1].text == (
        "40 items in open batches and screens are left out: submit these, or give batches back in Progress."
    )
    labeler.release("ben", batch.id, by="ben")
    assert finisher.plan(0.9) == before
    labeler.next_batch("ben", before.pool, "random")
    nothing = finisher.plan(0.9)
    assert [one.key for one in nothing.lines] == ["no_items", "held"]


def test_checks_of_which_none_is_answered_are_all_wrong(labeler: Labeler) -> None:
    labeler.finisher.start("ann", 0.8)
    batch = labeler.finisher.checks("ann", 6)
    labeler.submit("ann", [], batch.id)
    assert (labeler.finisher.state().checked, labeler.finisher.state().wrong) == (6, 6)


def test_a_screen_of_another_class_is_given_back(labeler: Labeler) -> None:
    blue, green, _ = labeler.schema.ids
    labeler.finisher.verify("ann", blue, 20)
    labeler.finisher.verify("ann", green, 10)
    assert labeler.finisher.plan(0.9).lines[-1].values == {"held": 10}
    labeler.finisher.verify("ann", green, 10)  # as it was left
    labeler.finisher.verify("ben", blue, 20)
    assert labeler.finisher.plan(0.9).lines[-1].values == {"held": 30}
