"""The whole way over a real pool: plan, freeze, check, prove, accept, take back."""

import math
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastlabel_gradio.errors import FinishError
from fastlabel_gradio.finish import FinishReport, promise_of
from fastlabel_gradio.finish.campaign import Ranking, Terms
from fastlabel_gradio.finish.campaign_files import CampaignFiles
from fastlabel_gradio.finish.picked_out import PICKED_OUT, PickedOut
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import Said, State
from tests.finish_pools import answer, check_all, teach, true_class, wait_until_ready
from tests.pools import COLOURS, make_config, wait_for, write_pictures

EMBEDDING_NOTICE = "The first items are being embedded. This takes a moment."


def test_a_pool_is_finished_at_a_promise(labeler: Labeler) -> None:
    finisher = labeler.finisher
    planned = finisher.plan(0.9)
    assert planned.possible
    assert planned.pool == 315
    assert 250 < planned.items <= 315
    assert finisher.state().state == "none"
    begun = finisher.start("ann", 0.9)
    assert (begun.items, begun.checks) == (planned.items, planned.checks)
    assert finisher.state().state == "checking"
    checked = check_all(labeler)
    now = finisher.state()
    assert (now.state, now.checked, now.wrong) == ("proven", checked, 0)
    assert now.sure >= 0.9
    assert labeler.counts().labeled == 45 + checked
    accepted = finisher.accept("ann")
    assert accepted.state == "accepted"
    assert accepted.accepted is not None
    assert labeler.counts().labeled == 45 + planned.items
    page = labeler.finder.page(Query(sources=("auto",)), 0, 10)
    assert page.total == planned.items - checked == accepted.accepted.items
    assert all(true_class(one.item.id) == one.label for one in page.items)


def test_accepted_labels_are_not_trained_on_and_are_taken_back_as_one_step(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.9)
    checked = check_all(labeler)
    taught = labeler._ledger.trainable_count
    assert taught == 45 + checked
    accepted = finisher.accept("ann").accepted
    assert accepted is not None
    assert labeler._ledger.trainable_count == taught
    assert finisher.accept("ann").accepted == accepted  # once
    back = finisher.take_back("ben")
    assert back.state == "proven"
    assert labeler.counts().labeled == taught
    assert labeler.finder.count(Query(sources=("auto",))) == 0
    with pytest.raises(FinishError, match="No accepted labels stand"):
        finisher.take_back("ann")
    assert finisher.accept("ann").accepted is not None
    assert labeler.counts().labeled > taught


def test_rows_of_many_items_are_found_as_those_of_few(labeler: Labeler, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large part of the pool all rows are read at once."""
    monkeypatch.setattr("fastlabel_gradio.pool.known_rows.MANY_ITEMS", 1)
    finisher, ledger = labeler.finisher, labeler._ledger
    finisher.start("ann", 0.9)
    check_all(labeler)
    before = ledger.standings().said
    finisher.accept("ann")
    after = ledger.standings().said
    stored = labeler._label_store.current()
    rows = labeler._store.rows_of(list(stored))
    assert {item_id: int(after["label"][row]) for item_id, row in rows.items()} == stored
    assert (after["state"] > 0).sum() == len(stored) > (before["state"] > 0).sum()
    finisher.take_back("ann")
    again, is_said = ledger.standings().said, before["state"] > 0
    assert ((again["state"] > 0) == is_said).all()
    assert (again[is_said] == before[is_said]).all()
    assert len(ledger.acceptable_rows()[0]) > 200


def test_each_accepted_label_says_what_it_came_by(labeler: Labeler) -> None:
    labeler.finisher.start("ann", 0.9)
    check_all(labeler)
    accepted = labeler.finisher.accept("ann").accepted
    assert accepted is not None
    [evidence] = labeler.finisher.evidence()
    promise = evidence.promise
    assert (promise.precision, promise.checked, promise.wrong) == (0.9, accepted.checked, 0)
    assert promise_of(promise.note) == promise
    assert promise_of("I was not sure") is None
    with labeler._label_store._database.reading() as connection:
        rows = connection.exec_driver_sql(
            "SELECT note, head_version, confidence FROM fastlabel_annotations WHERE source = 'auto'"
        ).all()
    assert {(note, version) for note, version, _ in rows} == {(promise.note, accepted.head_version)}
    assert all(0 < confidence <= 1 for _, _, confidence in rows)
    assert evidence.items == accepted.items + accepted.checked
    assert sum(figures[0] for figures in evidence.classes.values()) == evidence.items
    labeler.finisher.take_back("ann")
    assert labeler.finisher.evidence() == []


def test_a_wrong_one_is_corrected_and_costs_more_checks(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.9)
    first = finisher.checks("ann", 10)
    odd = first.items[3].id
    more = finisher.state().more
    answer(labeler, first, lambda item_id: _other(item_id, odd))
    now = finisher.state()
    assert (now.checked, now.wrong) == (10, 1)
    assert now.more > more - 10
    assert sum(wrong for _, _, _, wrong in now.classes) == 1


def _other(item_id: str, odd: str) -> str:
    """Another class for the odd item."""
    if item_id != odd:
        return true_class(item_id)
    return "red" if true_class(item_id) == "blue" else "blue"


def test_an_open_check_counts_as_wrong_and_is_not_accepted(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.8)
    batch = finisher.checks("ann", 6)
    labeler.submit("ann", [(item.id, true_class(item.id)) for item in batch.items[1:]], batch.id)
    now = finisher.state()
    assert (now.checked, now.wrong) == (6, 1)
    check_all(labeler)
    assert finisher.accept("ann").state == "accepted"
    assert labeler.finder.page(Query(ids=(batch.items[0].id,)), 0, 1).items[0].label is None


def test_a_state_in_place_of_a_label_counts_as_wrong(labeler: Labeler) -> None:
    labeler.finisher.start("ann", 0.8)
    batch = labeler.finisher.checks("ann", 4)
    said = [(batch.items[0].id, State.BAD), (batch.items[1].id, State.UNSURE)]
    labeler.submit("ann", said + [(item.id, true_class(item.id)) for item in batch.items[2:]], batch.id)
    now = labeler.finisher.state()
    assert (now.checked, now.wrong) == (4, 2)


def test_retraining_and_labels_of_others_do_not_touch_a_frozen_set(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.8)  # some 4 % of the set become wrong: in any order of the draw that is proven
    first = finisher.checks("ann", 5)
    proposed = [one and one.index for one in first.predictions]
    other = labeler.next_batch("ben", 20, "random")
    assert not {item.id for item in other.items} & {item.id for item in first.items}
    # Others label some items of the set, one of them by another class, and the head learns nonsense.
    labeler.submit("ben", [(item.id, "red") for item in other.items], other.id)
    labeler.train()
    assert labeler.wait_for_training(60)
    again = finisher.checks("ann", 5)
    assert (again.id, [one and one.index for one in again.predictions]) == (first.id, proposed)
    check_all(labeler)
    accepted = finisher.accept("ann")
    assert accepted.state in ("accepted",)
    for one in labeler.finder.page(Query(ids=tuple(item.id for item in other.items)), 0, 20).items:
        assert (one.label, one.source) == ("red", "person")


def test_two_people_check_at_once_and_only_the_order_of_the_draw_counts(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.9)
    first, second = finisher.checks("ann", 8), finisher.checks("ben", 8)
    assert not {item.id for item in first.items} & {item.id for item in second.items}
    answer(labeler, second, annotator="ben")
    assert finisher.state().checked == 0  # those before are still out
    answer(labeler, first)
    assert finisher.state().checked == 16


def test_checks_stand_beside_the_batch_that_is_labeled(labeler: Labeler) -> None:
    finisher = labeler.finisher
    batch = labeler.next_batch("ann", 5, fresh=True)
    finisher.start("ann", 0.9)
    checks = finisher.checks("ann", 5)
    assert not {item.id for item in checks.items} & {item.id for item in batch.items}
    assert labeler.next_batch("ann", 5).id == batch.id
    labeler.next_batch("ann", 5, fresh=True)
    assert finisher.checks("ann", 5).id == checks.id


def test_an_undone_check_is_asked_again(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.9)
    batch = finisher.checks("ann", 10)
    answer(labeler, batch)
    assert finisher.state().checked == 10
    labeler.undo("ann")
    assert finisher.state().checked == 0


def test_a_hopeless_set_is_futile_and_the_next_attempt_is_stricter(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.9)
    batch = finisher.checks("ann", 30)
    labels = [(item.id, true_class(item.id)) for item in batch.items[4:]]
    labeler.submit("ann", [(item.id, State.UNSURE) for item in batch.items[:4]] + labels, batch.id)
    now = finisher.state()
    assert now.state == "futile"
    assert finisher.checks("ann").items == ()
    with pytest.raises(FinishError, match="is not proven"):
        finisher.accept("ann")
    assert finisher.give_up().state == "none"
    assert finisher.start("ann", 0.8).possible
    assert finisher.state().attempt == 2


def test_what_is_under_way_is_not_replaced_unseen(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.9)
    finisher.start("ann", 0.95)  # nothing was checked yet
    assert (finisher.state().precision, finisher.state().attempt) == (0.95, 1)
    answer(labeler, finisher.checks("ann", 3))
    with pytest.raises(FinishError, match="are being checked"):
        finisher.start("ann", 0.9)


def test_a_smaller_promise_may_be_accepted_before_the_planned_one_is_proven(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.95)
    answer(labeler, finisher.checks("ann", 40))
    now = finisher.state()
    assert now.state == "checking"
    assert 0.85 < now.sure < 0.95
    with pytest.raises(FinishError, match="95 % is not proven: sure so far is at least 9"):
        finisher.accept("ann")
    accepted = finisher.accept("ann", 0.85).accepted
    assert accepted is not None
    assert (accepted.precision, accepted.checked) == (0.85, 40)


def test_a_proven_set_grows_in_the_same_order(tmp_path: Path, open_project: Callable[..., Project]) -> None:
    pool = write_unsure_pictures(write_pictures(tmp_path / "pool", per_class=80, side_px=8), 80)
    labeler = open_project(make_config(pool, train_every=1_000_000)).labeler("ann")
    teach(labeler, 120)  # which ones is chance
    finisher = labeler.finisher
    first = finisher.start("ann", 0.9)
    assert 0 < 1.3 * first.items < first.pool
    asked = agree_with_all(labeler)
    now = finisher.state()
    assert (now.state, now.items, now.checked) == ("proven", first.items, len(asked))
    assert now.larger is not None
    assert now.larger.items == math.ceil(1.3 * first.items)
    grown = finisher.grow()
    assert (grown.state, grown.items, grown.proven_items) == ("checking", now.larger.items, first.items)
    more = agree_with_all(labeler)
    assert more
    assert not asked & more  # what was checked counts in the larger set, too
    assert (finisher.state().state, finisher.state().proven_items) == ("proven", now.larger.items)
    assert finisher.accept("ann").items == now.larger.items


def test_a_larger_set_that_cannot_be_proven_is_not_offered_again(
    tmp_path: Path, open_project: Callable[..., Project]
) -> None:
    pool = write_unsure_pictures(write_pictures(tmp_path / "pool", per_class=80, side_px=8), 80)
    labeler = open_project(make_config(pool, train_every=1_000_000)).labeler("ann")
    teach(labeler, 120)  # which ones is chance
    finisher = labeler.finisher
    first = finisher.start("ann", 0.9)
    agree_with_all(labeler)
    larger = finisher.grow().items
    while (batch := finisher.checks("ann", 5)).items:
        proposed = zip(batch.items, batch.predictions, strict=True)
        wrong = [(item.id, (one.index + 1) % 3) for item, one in proposed if one]
        labeler.submit("ann", wrong, batch.id)
    now = finisher.state()
    assert (now.state, now.items, now.larger) == ("proven", first.items, None)
    assert f"The larger set of {larger} cannot be proven at 90 %" in " ".join(one.text for one in now.lines)
    with pytest.raises(FinishError, match="could grow"):
        finisher.grow()
    assert finisher.accept("ann").items == first.items


def test_a_set_of_the_whole_pool_cannot_grow(labeler: Labeler) -> None:
    finisher = labeler.finisher
    assert finisher.start("ann", 0.8).items == 315
    check_all(labeler)
    assert finisher.state().larger is None
    with pytest.raises(FinishError, match="could grow"):
        finisher.grow()


def write_unsure_pictures(pool: Path, per_class: int) -> Path:
    """Pictures of the colour between red and blue, which nobody can tell: half of them in each folder."""
    rng = np.random.default_rng(0)
    between = np.mean([COLOURS["red"], COLOURS["blue"]], axis=0)
    for name in ("red", "blue"):
        for number in range(per_class):
            pixels = np.clip(rng.normal(between, 40, size=(8, 8, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(pool / name / f"unsure-{number:04d}.png")
    return pool


def agree_with_all(labeler: Labeler) -> set[str]:
    """Answers checks as the head proposes until there are no more; returns which items that were."""
    asked: set[str] = set()
    while (batch := labeler.finisher.checks("ann")).items:
        proposed = zip(batch.items, batch.predictions, strict=True)
        labeler.submit("ann", [(item.id, one.index) for item, one in proposed if one], batch.id)
        asked |= {item.id for item in batch.items}
    return asked


def test_each_class_may_have_a_promise_of_its_own(labeler: Labeler) -> None:
    finisher = labeler.finisher
    planned = finisher.start("ann", 0.9, per_class=True)
    assert 1 <= len(planned.sizes) <= 3
    assert finisher.plan(0.9).checks < planned.checks
    check_all(labeler, lambda item_id: "red" if true_class(item_id) == "green" else true_class(item_id))
    now = finisher.state()
    assert now.state == "proven"
    states = {
        labeler.schema.known_names[one.part.label_id]: one.state for one in now.parts if one.part.label_id is not None
    }
    assert states == {"red": "proven", "green": "futile", "blue": "proven"}
    finisher.accept("ann")
    found = labeler.finder.page(Query(sources=("auto",)), 0, 1000).items
    assert {one.label for one in found} == {"red", "blue"}


def test_without_a_head_there_is_no_plan(pictures: Path, open_project: Callable[..., Project]) -> None:
    finisher = open_project(make_config(pictures)).labeler("ann").finisher
    report = finisher.plan(0.95)
    assert not report.possible
    assert report.lines[0].text.startswith("There is no trained head yet.")
    assert not finisher.start("ann", 0.95).possible
    assert finisher.state().state == "none"
    with pytest.raises(FinishError, match="Nothing is frozen"):
        finisher.accept("ann")


def test_a_restart_loses_nothing(reopen: Callable[[], Labeler]) -> None:
    first = reopen()
    first.finisher.start("ann", 0.8)
    batch = first.finisher.checks("ann", 6)
    first.submit("ann", [(item.id, true_class(item.id)) for item in batch.items[1:]], batch.id)
    open_batch = first.finisher.checks("ann", 6)
    before = first.finisher.state()
    second = reopen()
    assert _figures(second.finisher.state()) == _figures(before)
    assert second.finisher.checks("ann", 6).id == open_batch.id
    check_all(second)
    second.finisher.accept("ann")
    wait_for(lambda: "unbundled" not in [one.key for one in second.finisher.state().lines])
    accepted = second.finisher.state()
    third = reopen()
    assert _figures(third.finisher.state()) == _figures(accepted)
    third.finisher.take_back("ann")
    assert _figures(reopen().finisher.state())[:2] == ("proven", accepted.items)


@pytest.mark.parametrize("teach", [False, True])
def test_what_was_picked_out_of_a_screen_does_not_come_again_for_that_person(
    reopen: Callable[..., Labeler], teach: bool
) -> None:
    labeler = reopen()
    finisher, (red, other, _) = labeler.finisher, labeler.schema.ids
    screen = finisher.verify("ann", red, 20, teach=teach)
    out, stay = {one.id for one in screen.items[:5]}, screen.items[5:]
    labeler.submit("ann", [(one.id, labeler.schema.known_names[red]) for one in stay], screen.id)
    assert not out & {one.id for one in finisher.verify("ann", red, 500, teach=teach).items}
    labeler.release("ann", finisher.verify("ann", red).id, by="ann")
    after_a_restart = reopen()
    finisher = after_a_restart.finisher
    again = finisher.verify("ann", red, 500)
    assert again.items
    assert not out & {one.id for one in again.items}
    after_a_restart.release("ann", again.id, by="ann")
    assert out < {one.id for one in finisher.verify("ben", red, 500).items}
    assert finisher.verify("ann", other, 500).items
    after_a_restart.release("ben", finisher.verify("ben", red).id, by="ben")
    rest = finisher.verify("ann", red, 500)
    after_a_restart.submit("ann", [(one.id, after_a_restart.schema.known_names[red]) for one in rest.items], rest.id)
    none = finisher.verify("ann", red, 500)
    assert (none.items, "but those that you left out as wrong" in none.notice) == ((), True)


def test_an_undone_screen_forgets_what_was_picked_out_in_it(reopen: Callable[..., Labeler]) -> None:
    labeler = reopen()
    finisher, red = labeler.finisher, labeler.schema.ids[0]
    name = labeler.schema.known_names[red]
    whole = finisher.verify("ann", red, 5)
    labeler.submit("ann", [], whole.id)  # all of it is wrong: nothing to undo
    screen = finisher.verify("ann", red, 20)
    out = {one.id for one in screen.items[:5]}
    labeler.submit("ann", [(one.id, name) for one in screen.items[5:]], screen.id)

    def shown(labeler: Labeler) -> set[str]:
        found = labeler.finisher.verify("ann", red, 500)
        labeler.release("ann", found.id, by="ann")
        return {one.id for one in found.items}

    assert not out & shown(labeler)
    labeler.undo("ann")
    assert out <= shown(labeler)
    assert labeler.redo("ann") == 15
    assert not out & shown(labeler)
    labeler.undo("ann")
    labeler = reopen()
    assert out <= shown(labeler)
    assert not {one.id for one in whole.items} & shown(labeler)


def test_lines_of_earlier_versions_say_what_was_picked_out(tmp_path: Path) -> None:
    path = tmp_path / PICKED_OUT
    path.write_text('{"annotator": "ann", "label_id": 1, "item_ids": ["a.png"]}\n')
    assert PickedOut(path).of("ann", 1) == {"": {"a.png"}}


def test_where_labels_stand_accepted_is_one_question(labeler: Labeler, monkeypatch: pytest.MonkeyPatch) -> None:
    finisher = labeler.finisher
    for _ in range(2):
        finisher.start("ann", 0.9)
        check_all(labeler)
        finisher.accept("ann")
        finisher.take_back("ann")
        finisher.give_up()
    finisher.start("ann", 0.9)
    asked: list[int] = []
    ask = labeler._label_store.standing_batches
    monkeypatch.setattr(
        labeler._label_store, "standing_batches", lambda wanted: asked.append(len(wanted)) or ask(wanted)
    )
    finisher.state()
    assert asked == [2]  # campaigns, in one question


def test_a_line_of_what_was_picked_out_that_a_stop_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "finish" / PICKED_OUT
    PickedOut(path).add("ann", 1, {"a.png"})
    with path.open("ab") as file:
        file.write(b'{"annotator": "an')
    PickedOut(path).add("ann", 1, {"b.png"})
    assert PickedOut(path).of("ann", 1) == {"": {"a.png", "b.png"}}


def test_what_is_asked_before_the_encoder_is_loaded_changes_nothing(
    reopen: Callable[..., Labeler], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = reopen()
    first.finisher.start("ann", 0.8)
    answer(first, first.finisher.checks("ann", 6))
    checks, screen = first.finisher.checks("ann", 6), first.finisher.verify("ann", first.schema.ids[0], 6)
    before, may_load = first.finisher.state(), threading.Event()

    def load(encoder: object, options: object) -> None:
        may_load.wait(30)

    monkeypatch.setattr("tests.pools.PixelEncoder.__init__", load)
    early = reopen(waits=False)
    finisher = early.finisher
    batches = [finisher.checks("ann", 6), finisher.verify("ann", early.schema.ids[0], 6)]
    assert [(batch.items, batch.notice) for batch in batches] == 2 * [((), EMBEDDING_NOTICE)]
    for report in (finisher.state(), finisher.plan(0.8), finisher.start("ann", 0.8)):
        assert [one.text for one in report.lines] == [EMBEDDING_NOTICE]
    for change in (finisher.grow, finisher.give_up, lambda: finisher.accept("ann")):
        with pytest.raises(FinishError, match=EMBEDDING_NOTICE):
            change()
    may_load.set()
    wait_until_ready(early)
    assert _figures(finisher.state()) == _figures(before)
    again = [finisher.checks("ann", 6), finisher.verify("ann", early.schema.ids[0], 6)]
    assert [(batch.id, batch.items) for batch in again] == [(batch.id, batch.items) for batch in (checks, screen)]


def test_a_check_that_is_left_open_before_the_encoder_is_loaded_counts_as_wrong(
    reopen: Callable[..., Labeler], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = reopen()
    first.finisher.start("ann", 0.8)
    batch, may_load = first.finisher.checks("ann", 5), threading.Event()

    def load(encoder: object, options: object) -> None:
        may_load.wait(30)

    monkeypatch.setattr("tests.pools.PixelEncoder.__init__", load)
    early = reopen(waits=False)
    early.submit("ann", [(item.id, true_class(item.id)) for item in batch.items[:3]], batch.id)
    may_load.set()
    wait_until_ready(early)
    now = early.finisher.state()
    assert now.checked == 5
    assert now.wrong >= 2


def test_ids_of_any_script_come_back_from_the_frozen_file(tmp_path: Path) -> None:
    files, ids = CampaignFiles(tmp_path), ["", "a/b.png", "ñandú\n.jpg", "猫 🐈.wav", "=cmd"]
    numbers = np.arange(len(ids))
    ranking = Ranking(numbers, numbers.astype(np.int32), numbers.astype(np.float32), numbers.astype(np.float64))
    files.freeze(Terms(1, 1, 0.04, 0.9, 1, 0.0, "ann", 5, 5, ()), ranking, ids)
    assert files.item_ids(1) == ids


def _figures(now: FinishReport) -> tuple[object, ...]:
    return now.state, now.items, now.checked, now.wrong, now.sure, now.more, [one.text for one in now.lines]


def test_a_line_that_a_stop_cut_off_is_left_out(reopen: Callable[[], Labeler], workdir: Path) -> None:
    first = reopen()
    first.finisher.start("ann", 0.9)
    answer(first, first.finisher.checks("ann", 5))
    journal = workdir / "images" / "finish" / "journal.jsonl"
    with journal.open("ab") as file:
        file.write(b'{"campaign": 1, "event": "en')
    second = reopen()
    assert second.finisher.state().checked == 5
    second.finisher.give_up()
    assert reopen().finisher.state().state == "none"


def test_what_was_accepted_is_taken_back_after_another_set_was_frozen(labeler: Labeler) -> None:
    finisher = labeler.finisher
    finisher.start("ann", 0.8)
    check_all(labeler)
    accepted = finisher.accept("ann").accepted
    assert accepted is not None
    labeler.actions.apply(
        "ann", Query(sources=("person",)), [], Said(state=State.CLEAR)
    )  # leaves items for another set
    assert finisher.start("ann", 0.8).possible
    now = finisher.state()
    assert (now.state, now.accepted, now.earlier) == ("checking", None, accepted)
    assert finisher.give_up().earlier == accepted
    now = finisher.state()
    assert (now.state, now.accepted) == ("none", None)
    assert f"{accepted.items} labels that were accepted before at 80 % stand." in [one.text for one in now.lines]
    back = finisher.take_back("ben")
    assert (back.state, back.earlier) == ("none", None)
    assert labeler.finder.count(Query(sources=("auto",))) == 0
    with pytest.raises(FinishError, match="No accepted labels stand"):
        finisher.take_back("ben")


def test_where_all_is_labeled_nothing_is_left_to_accept_and_that_is_said(labeler: Labeler) -> None:
    finisher = labeler.finisher
    items = finisher.start("ann", 0.8).items
    check_all(labeler)
    now = finisher.state()
    assert 0 < now.acceptable == items - now.checked < now.proven_items
    ids = labeler.schema.ids
    for place, name in enumerate(labeler.schema.names):
        labeler.actions.apply("ben", Query(text=f"{name}/", states=("none",)), [], Said(ids[place]))
    now = finisher.state()
    assert (now.state, now.proven_items, now.acceptable) == ("proven", items, 0)
    assert now.lines[-1].text == "All of these items are labeled already: none is left to accept."
    with pytest.raises(FinishError, match="none is left to accept"):
        finisher.accept("ann")
    assert finisher.state().state == "proven"
