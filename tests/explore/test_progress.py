"""The figures of Progress equal what plain arithmetic makes of the export."""

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.explore.pace import timed
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import State
from tests.explore.test_mistakes import all_ids
from tests.pools import make_config

OpenProject = Callable[..., Project]


@pytest.fixture
def labeler(pictures: Path, open_project: OpenProject) -> Labeler:
    return open_project(make_config(pictures, audit_share=0.3, train_every=1000)).labeler("ann")


def label_at_random(labeler: Labeler, rng: random.Random) -> None:
    """Three people label most of the pool in 30 submissions with breaks, and undo and redo some."""
    ids, now = all_ids(labeler), 1000.0
    for _ in range(30):
        now += rng.choice([0.4, 2.5, 30.0, 90.0, 200.0, 5000.0])
        who = rng.choice(["ann", "bob", "eve"])
        some = [ids.pop() for _ in range(rng.randint(1, 2)) if ids]
        said = [(one, labeler.schema.ids[labeler.schema.names.index(one.split("/")[0])]) for one in some]
        labeler._label_store.submit(who, [(said[0][0], State.SKIP), *said[1:]] if rng.random() < 0.1 else said, now=now)
        if rng.random() < 0.2:
            labeler._label_store.undo(who, now=now)
            if rng.random() < 0.5:
                labeler._label_store.redo(who, now=now)


def pace_of_export(labeler: Labeler) -> dict[str, tuple[int, int, float]]:
    """By person: labels, timed labels, seconds."""
    submissions: dict[str, Counter[float]] = defaultdict(Counter)
    for row in labeler.export_rows():
        submissions[row.annotator][datetime.fromisoformat(row.created_at).timestamp()] += 1
    found = {}
    for who, counts in submissions.items():
        moments = sorted(counts)
        gaps = [(after - before, counts[after]) for before, after in pairwise(moments)]
        kept = [(gap, count) for gap, count in gaps if gap <= 60 * count]
        found[who] = (counts.total(), sum(count for _, count in kept), sum(gap for gap, _ in kept))
    return found


def test_labels_a_minute_are_those_of_the_export_also_after_undo_and_redo(labeler: Labeler) -> None:
    rng = random.Random(0)
    label_at_random(labeler, rng)
    for _ in range(2):
        people = labeler.progress.figures().people
        found = {one.annotator: (one.label_count, one.timed, pytest.approx(one.seconds)) for one in people}
        assert found == pace_of_export(labeler)
        labeler._label_store.undo("bob", now=9e6)
    assert len(found) == 3
    assert any(one.timed < one.label_count - 1 for one in people)


def test_a_gap_counts_up_to_a_minute_a_label_and_the_first_act_has_none() -> None:
    people, labels = np.array([0, 1, 0, 0, 1]), np.array([1, 5, 2, 1, 1])
    is_timed, seconds = timed(people, np.array([0.0, 10.0, 120.0, 181.0, 70.0]), labels)
    assert is_timed.tolist() == [False, False, True, False, True]
    assert seconds[[2, 3, 4]].tolist() == [120.0, 61.0, 60.0]


def test_classes_and_confusions_are_those_of_each_item(labeler: Labeler) -> None:
    assert labeler.progress.figures().confusions is None
    rng, names = random.Random(1), labeler.schema.names
    labeler.submit("ann", [(one, rng.choice([*names, one.split("/")[0]])) for one in all_ids(labeler)[:50]])
    labeler.train()
    assert labeler.wait_for_training(60)
    figures = labeler.progress.figures()
    labels = {row.item_id: row.label for row in labeler.export_rows()}
    assert dict(zip(names, figures.labeled.tolist(), strict=True)) == Counter(labels.values())
    page = labeler.finder.page(Query(), 0, 1000).items
    said = labeler.predictions(np.array([one.row for one in page]))
    predicted = Counter(names[one.index] for one in said if one)
    assert dict(zip(names, figures.predicted.tolist(), strict=True)) == predicted
    assert (figures.looked_at, figures.rows) == (60, 60)
    audited = labeler.finder.page(Query(audited=True), 0, 1000).items
    assert 5 < len(audited) < 30
    assert labeler.finder.count(Query(audited=False)) == 60 - len(audited)
    prediction_of = {one.item.id: names[said_of.index] for one, said_of in zip(page, said, strict=True) if said_of}
    expected = Counter((names.index(labels[one.item.id]), names.index(prediction_of[one.item.id])) for one in audited)
    assert figures.confusions is not None
    found = {(int(a), int(b)): int(figures.confusions[a, b]) for a, b in np.argwhere(figures.confusions)}
    assert found == expected
