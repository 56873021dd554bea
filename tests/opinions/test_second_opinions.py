"""Labeled items that another person is asked about, blind."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.opinions import drawn_by, shares_of
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import Batch, State
from tests.pools import make_config, wait_for, write_pictures

OpenProject = Callable[..., Project]


@pytest.fixture(params=("sqlite", "postgresql"))
def labeler(pictures: Path, open_project: OpenProject, request: pytest.FixtureRequest) -> Labeler:
    database = request.getfixturevalue("new_postgres")() if request.param == "postgresql" else None
    config = make_config(pictures, second_opinions=0.5, train_every=1000, database=database)
    return open_project(config).labeler("ann")


def label(labeler: Labeler, annotator: str, size: int, said: str | State | None = None) -> Batch:
    """A batch of somebody, submitted as its folders say, or all of it as something else."""
    batch = labeler.next_batch(annotator, size, fresh=True)
    labeler.submit(annotator, [(item.id, said or item.id.split("/")[0]) for item in batch.items], batch.id)
    labeler.catch_up()
    return batch


def ids_of(batch: Batch) -> set[str]:
    return {item.id for item in batch.items}


def owners(labeler: Labeler) -> dict[str, str]:
    return {
        one.item.id: one.owner.annotator
        for one in labeler.finder.page(Query(states=("label",)), 0, 100).items
        if one.owner
    }


def test_the_drawn_share_is_exact_in_the_long_run_and_the_audit_comes_first() -> None:
    places = np.array([drawn_by("images", f"{n}.png") for n in range(20_000)])
    assert np.histogram(places, bins=10, range=(0, 1))[0] == pytest.approx(np.full(10, 2000), abs=200)
    assert drawn_by("images", "1.png") == drawn_by("images", "1.png") != drawn_by("others", "1.png")
    assert shares_of(0.05, 0.1) == (0.5, 0.0)
    assert shares_of(0.05, 0.0) == (0.05, 0.05)
    for share, audit in ((0.05, 0.1), (0.3, 0.1), (1.0, 0.2), (0.1, 0.1)):
        of_audit, of_others = shares_of(share, audit)
        assert audit * of_audit + (1 - audit) * of_others == pytest.approx(share)
        assert of_audit == 1 or of_others == 0


def test_drawn_items_go_to_another_person_once_without_a_suggestion_and_never_to_the_first(labeler: Labeler) -> None:
    first = label(labeler, "ann", 30)
    drawn = {item_id for item_id in ids_of(first) if drawn_by("images", item_id) < 0.5}
    assert 5 < len(drawn) < 25
    labeler.train()
    assert labeler.wait_for_training(60)
    assert ids_of(labeler.next_batch("ann", 10, fresh=True)).isdisjoint(ids_of(first))
    batch = labeler.next_batch("bob", 40, fresh=True)
    asked = ids_of(batch) & ids_of(first)
    assert asked == drawn
    for item, prediction in zip(batch.items, batch.predictions, strict=True):
        assert (prediction is None) == (item.id in asked)
    places = [place for place, item in enumerate(batch.items) if item.id in asked]
    assert places != list(range(places[0], places[0] + len(places))), "mixed among the others"
    assert ids_of(labeler.next_batch("eve", 8, fresh=True)).isdisjoint(asked), "somebody holds them"
    labeler.submit("bob", [(item_id, "blue") for item_id in ids_of(batch)], batch.id)
    standing = owners(labeler)
    assert {standing[item_id] for item_id in asked} == {"ann"}
    labeler.catch_up()
    assert labeler.second_opinions.counts("eve").given == len(asked)
    assert ids_of(label(labeler, "eve", 20)).isdisjoint(asked)


def test_of_somebody_asked_nothing_that_others_or_heads_say_is_shown_anywhere(labeler: Labeler) -> None:
    label(labeler, "ann", 30)
    labeler.train()
    assert labeler.wait_for_training(60)
    asked = ids_of(labeler.next_batch("bob", 40, fresh=True)) & owners(labeler).keys()
    hidden = labeler.second_opinions.held_by("bob")
    assert hidden == asked
    assert labeler.second_opinions.held_by("eve") == frozenset()
    told = labeler.finder.page(Query(ids=tuple(asked)), 0, 100, hidden=hidden).items
    assert {(one.label, one.state, one.source, one.owner) for one in told} == {(None,) * 4}
    suspects = labeler.suspects  # worked out in the background, from when they are asked for
    wait_for(lambda: suspects.listing("mistakes").missing == suspects.listing("known_labels").missing == 0)
    revealing = (
        [Query(labels=(name,)) for name in labeler.schema.names]
        + [Query(predicted=(name,)) for name in labeler.schema.names]
        + [Query(annotators=("ann",)), Query(agrees=True), Query(agrees=False), Query(confidence=(0.0, 1.0))]
        + [Query(margin=(0.0, 1.0)), Query(sources=("person",)), Query(states=("label",)), Query(order="mistakes")]
        + [Query(order="known_labels"), Query(order="label_probability", states=("label",))]
    )
    for query in revealing:
        found = {one.item.id for one in labeler.finder.page(query, 0, 100, hidden=hidden).items}
        assert found.isdisjoint(asked), query
        assert len(labeler.finder.rows(query, hidden)) == len(found)
    facets = labeler.finder.facets(Query(), hidden)
    assert (facets.total, facets.states["none"], sum(facets.labels.values())) == (60, 30 + len(asked), 30 - len(asked))
    assert sum(facets.predicted.values()) == 60 - len(asked)
    picture = labeler.finder.drawn_map(np.zeros((60, 2), dtype=np.float32), hidden)
    assert int((picture.labels >= 0).sum()) == 30 - len(asked)
    assert int((picture.predicted >= 0).sum()) == 60 - len(asked)


def test_an_undo_opens_a_second_opinion_again_and_a_restart_asks_the_same(
    pictures: Path, open_project: OpenProject
) -> None:
    config = make_config(pictures, second_opinions=0.3, train_every=1000)
    project = open_project(config)
    labeler = project.labeler("ann")
    label(labeler, "ann", 40)
    batch = labeler.next_batch("bob", 12)
    asked = ids_of(batch) & owners(labeler).keys()
    assert asked
    project.close()
    labeler = open_project(config).labeler("bob")
    again = labeler.next_batch("bob", 12)
    assert (again.id, again.items) == (batch.id, batch.items)
    assert labeler.second_opinions.held_by("bob") == asked
    label(labeler, "bob", 12, "red")
    assert not labeler.second_opinions.held_by("bob")
    reopened = labeler.undo("bob")
    assert reopened.batch is not None
    assert asked <= ids_of(reopened.batch)
    assert labeler.second_opinions.held_by("bob") == asked
    assert {owners(labeler)[item_id] for item_id in asked} == {"ann"}


def test_who_skips_is_not_asked_again_but_others_are(labeler: Labeler) -> None:
    label(labeler, "ann", 60)
    waiting = labeler.second_opinions.counts("bob").for_annotator
    batch = label(labeler, "bob", 60, State.UNSURE)
    assert len(batch.items) == waiting, "second opinions are all that is left"
    assert not labeler.next_batch("bob", 60, fresh=True).items
    counts = labeler.second_opinions.counts("bob")
    assert (counts.given, counts.waiting, counts.for_annotator) == (0, waiting, 0)
    assert ids_of(labeler.next_batch("eve", 60)) == ids_of(batch)


def test_of_an_audit_those_items_are_asked_first(tmp_path: Path, open_project: OpenProject) -> None:
    folder = write_pictures(tmp_path / "more", 40)
    labeler = open_project(make_config(folder, second_opinions=0.1, audit_share=0.2, train_every=1000)).labeler("ann")
    label(labeler, "ann", 120)
    audited = {one.item.id for one in labeler.finder.page(Query(audited=True), 0, 1000).items}
    asked = set(labeler.second_opinions.due("bob", 100))
    assert asked == {item_id for item_id in audited if drawn_by("images", item_id) < 0.5}
    assert len(asked) > 3


def test_without_the_option_nobody_is_asked_twice(pictures: Path, open_project: OpenProject) -> None:
    labeler = open_project(make_config(pictures, train_every=1000)).labeler("ann")
    label(labeler, "ann", 50)
    assert len(label(labeler, "bob", 60).items) == 10
    assert not labeler.next_batch("eve", 10).items
