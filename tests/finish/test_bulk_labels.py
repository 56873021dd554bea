"""Labels that many items got at once are no checks: only what people say card by card proves a promise."""

from collections.abc import Callable

import numpy as np
import pytest

from fastlabel_gradio.errors import FinishError
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.api_models import SubmitInput
from fastlabel_gradio.server.routes.labels import _submitted
from fastlabel_gradio.types import Said, State
from tests.finish_pools import answer, check_all, true_class

Way = Callable[[Labeler, list[str]], None]


def _apply(labeler: Labeler, item_ids: list[str], annotator: str = "ben") -> None:
    ids = {name: labeler.schema.ids[place] for place, name in enumerate(labeler.schema.names)}
    labeler.actions.apply_each(annotator, {item_id: Said(ids[true_class(item_id)]) for item_id in item_ids})


def _apply_over_another(labeler: Labeler, item_ids: list[str]) -> None:
    """The second word is that of a reviewer, of many items at once."""
    wrong = Said(labeler.schema.ids[0])
    labeler.actions.apply("ben", Query(ids=tuple(item_ids)), [], wrong)
    _apply(labeler, item_ids, "cid")


def _in_a_group(labeler: Labeler, item_ids: list[str]) -> None:
    labeler.submit("ben", [(item_id, true_class(item_id)) for item_id in item_ids], together=item_ids)


def _written(source: str) -> Way:
    def write(labeler: Labeler, item_ids: list[str]) -> None:
        ids = {name: labeler.schema.ids[place] for place, name in enumerate(labeler.schema.names)}
        labeler.actions.write("ben", item_ids, [ids[true_class(one)] for one in item_ids], source=source)  # type: ignore[arg-type]

    return write


WAYS = {
    "applied": _apply,
    "applied over another": _apply_over_another,
    "in a group": _in_a_group,
    "imported": _written("import"),
    "let pass": _written("verify"),
    "by the program": _written("auto"),
}


def _frozen(labeler: Labeler) -> list[str]:
    return labeler.finisher._files.item_ids(1)


@pytest.mark.parametrize("way", WAYS)
def test_labels_of_many_items_at_once_prove_nothing(labeler: Labeler, way: str) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.9)
    more = finisher.state().more
    WAYS[way](labeler, _frozen(labeler))
    now = finisher.state()
    assert (now.state, now.checked, now.more) == ("checking", 0, more)
    checked = check_all(labeler)  # they are shown as checks like any other
    now = finisher.state()
    assert (now.state, now.checked, now.wrong) == ("proven", checked, 0)
    assert checked == more


def test_a_request_of_many_labels_without_a_batch_proves_nothing(reopen: Callable[..., Labeler]) -> None:
    labeler = reopen()
    finisher = labeler.finisher
    finisher.start("ann", 0.9)
    screen = finisher.checks("ann", 4)
    drawn = [item.id for item in screen.items]
    labeler.release("ann", screen.id, by="ann")

    def send(item_ids: list[str]) -> None:
        labels = [{"id": item_id, "label": true_class(item_id)} for item_id in item_ids]
        _submitted(labeler, "ann", SubmitInput.model_validate({"labels": labels}))

    send(drawn[1:])
    found = labeler.finder.page(Query(ids=tuple(drawn[1:])), 0, 4).items
    assert {(one.label == true_class(one.item.id), one.source) for one in found} == {(True, "group")}
    assert finisher.state().checked == 0
    send(drawn[:1])
    assert finisher.state().checked == 1  # by itself


def test_a_check_decides_over_a_label_that_many_items_got(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.9)
    frozen = _frozen(labeler)
    _apply(labeler, frozen[:200])
    _apply(labeler, frozen[200:], "ann")
    batch = finisher.checks("ann", 10)
    assert len(batch.items) == 10
    odd, unclear = batch.items[2].id, batch.items[4].id
    other = "red" if true_class(odd) == "blue" else "blue"
    said = {item.id: true_class(item.id) for item in batch.items} | {odd: other, unclear: State.UNSURE}
    labeler.submit("ann", list(said.items()), batch.id)
    now = finisher.state()
    assert (now.checked, now.wrong) == (10, 2)
    assert labeler.finder.page(Query(ids=(odd,)), 0, 1).items[0].label == other
    labeler.submit("ann", list(said.items()), batch.id)  # the same again changes nothing
    assert (finisher.state().checked, finisher.state().wrong) == (10, 2)
    labeler.undo("ann")
    assert finisher.state().checked == 0


def test_a_check_over_such_a_label_that_is_left_open_counts_as_wrong(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.9)
    _apply(labeler, _frozen(labeler))
    batch = finisher.checks("ann", 6)
    labeler.submit("ann", [(item.id, true_class(item.id)) for item in batch.items[1:]], batch.id)
    assert (finisher.state().checked, finisher.state().wrong) == (6, 1)


def test_two_people_check_such_labels_without_being_asked_the_same(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.9)
    _apply(labeler, _frozen(labeler))
    first, second = finisher.checks("ann", 8), finisher.checks("cid", 8)
    assert len(first.items) == len(second.items) == 8
    assert not {item.id for item in first.items} & {item.id for item in second.items}
    answer(labeler, second, annotator="cid")
    answer(labeler, first)
    assert finisher.state().checked == 16


@pytest.mark.parametrize("per_class", [False, True])
def test_other_labels_of_many_items_at_once_are_not_covered(labeler: Labeler, *, per_class: bool) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.9, per_class=per_class)
    check_all(labeler)
    before = finisher.state()
    unlabeled = labeler.finder.page(Query(ids=tuple(_frozen(labeler)), states=("none",)), 0, 1000).items
    reds = [one.item.id for one in unlabeled if true_class(one.item.id) == "red"]
    agreeing, others = reds[:4], reds[4:9]
    ids = dict(zip(labeler.schema.names, labeler.schema.ids, strict=True))
    labeler.actions.write("ben", agreeing, ids["red"], source="import")
    labeler.actions.write("ben", others, ids["blue"], source="import")
    now = finisher.state()
    assert now.state == "proven"
    [told] = [one for one in now.lines if one.key == "others"]
    accepted = finisher.accept("ann").accepted
    assert accepted
    part = next((one.items for one in before.parts if one.part.label_id == ids["red"]), before.items)
    promised = np.floor(1000 * (1 - 0.1 * part / (part - 5))) / 1000
    assert (accepted.others, accepted.precision) == (5, promised)
    assert told.values == {"others": 5, "percent": round(100 * promised, 1)}
    assert accepted.covered == before.items - 5
    [first, *_] = finisher.state().lines
    assert first.values["given"] == before.items - 5 - accepted.items  # checked, or imported as proposed
    assert told in finisher.state().lines
    [evidence] = finisher.evidence()
    assert (evidence.items, evidence.promise.precision) == (before.items - 5, promised)
    page = labeler.finder.page(Query(ids=tuple(others)), 0, 10).items
    assert {(one.label, one.source) for one in page} == {("blue", "import")}


def test_where_most_have_another_label_nothing_is_accepted(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.9)
    check_all(labeler)
    unlabeled = [
        one.item.id for one in labeler.finder.page(Query(ids=tuple(_frozen(labeler)), states=("none",)), 0, 1000).items
    ]
    labeler.actions.write("ben", unlabeled[:-1], None, state=State.BAD, source="search")
    with pytest.raises(FinishError, match="too little can be promised of the rest"):
        finisher.accept("ann")
    assert finisher.state().accepted is None


def test_no_label_that_stands_is_accepted_over(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.9)
    given = _frozen(labeler)[:100]
    _apply(labeler, given)
    check_all(labeler)
    finisher.accept("ann")
    assert not any(one.source == "auto" for one in labeler.finder.page(Query(ids=tuple(given)), 0, 100).items)
