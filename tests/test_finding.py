"""What the finder is made of: counts by facet agree with a slow count, lists stay as they were, vectors survive as text."""

import io
import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fastlabel_gradio.errors import ExpiredListError, InvalidQueryError, StoreError, UnreadableItemError
from fastlabel_gradio.explore.finding import found_lists
from fastlabel_gradio.explore.finding.facets import Facets
from fastlabel_gradio.explore.finding.saved_filters import FILE, MAX_FILTERS, SavedFilters
from fastlabel_gradio.explore.finding.sent_media import embed_sent
from fastlabel_gradio.explore.finding.sent_vectors import text_of, vector_of
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.media.sound_view import SoundView
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.types import State
from tests.pools import BandEncoder, PixelEncoder, make_config, true_labels, write_sounds
from tests.test_query import CLASSES, Known, OpenProject, is_wanted, known_of, random_query
from tests.test_query import labeler as labeler

KEYS_OF = {
    "labels": lambda one: one.label,
    "states": lambda one: one.state,
    "sources": lambda one: one.source,
    "annotators": lambda one: one.annotator,
    "predicted": lambda one: one.predicted,
    "agrees": lambda one: None if one.label is None else str(one.label == one.predicted).lower(),
    "days": lambda one: None if one.said_at is None else datetime.fromtimestamp(one.said_at, UTC).date().isoformat(),
    "folders": lambda one: one.id.split("/")[0],
}  # fmt: skip
FILTERED_BY = {"days": "time"}


def slow_count(pool: Iterable[Known], asked: dict[str, Any], facet: str) -> dict[str, int]:
    """One item after another, everything but the facet itself asked of each."""
    rest = {key: value for key, value in asked.items() if key != FILTERED_BY.get(facet, facet)}
    found = Counter(KEYS_OF[facet](one) for one in pool if is_wanted(one, rest))
    return {str(value): count for value, count in found.items() if value is not None}


def test_counts_by_facet_are_those_of_a_slow_count(labeler: Labeler) -> None:
    pool, rng = known_of(labeler), random.Random(2)
    for _ in range(120):
        asked = random_query(rng, pool)
        facets = labeler.finder.facets(Query.model_validate(asked))
        for facet in KEYS_OF:
            assert getattr(facets, facet) == slow_count(pool, asked, facet), (asked, facet)
        assert facets.total == labeler.finder.count(Query.model_validate(asked))
        rest = [one for one in pool if is_wanted(one, {k: v for k, v in asked.items() if k != "confidence"})]
        tenths = Counter(min(int(np.float32(one.confidence) * 10), 9) for one in rest)
        assert facets.confidence == tuple(tenths[tenth] for tenth in range(10)), asked
        groups = Counter(one.group for one in pool if is_wanted(one, {k: v for k, v in asked.items() if k != "group"}))
        by_row = {one.row: one.group for one in pool}
        assert {by_row[row]: count for row, count in facets.groups} == groups, asked
        most = list(facets.labels.values())
        assert most == sorted(most, reverse=True)


def test_folders_are_counted_a_step_below_where_they_part_and_filter_what_lies_in_them(
    tmp_path: Path, open_project: OpenProject
) -> None:
    places = {"site/a/day 1": 3, "site/a/day 2": 2, "site/b": 4, "site/ab": 1}
    for place, count in places.items():
        folder = tmp_path / "pictures" / place
        folder.mkdir(parents=True)
        for number in range(count):
            colour = (60 + 20 * number, len(place), 90)
            Image.new("RGB", (8, 8), colour).save(folder / f"{number}.png")
    finder = open_project(make_config(tmp_path / "pictures", classes=["x", "y"])).labeler("ann").finder

    def folders(folder: str | None = None, **asked: Any) -> dict[str, int]:
        return finder.facets(Query(folder=folder, **asked)).folders

    assert folders() == {"site/a": 5, "site/b": 4, "site/ab": 1}
    assert folders("site/a") == {"site/a": 5, "site/a/day 1": 3, "site/a/day 2": 2}
    assert folders("site/b") == {"site/b": 4}
    assert folders(text="day 2") == {"site/a/day 2": 2}
    for folder, count in {"site/a": 5, "site/a/day 1": 3, "site/ab": 1, "site": 10, "sit": 0, "": 0, "%": 0}.items():
        assert finder.count(Query(folder=folder)) == count, folder


def test_the_least_likely_labels_come_first(labeler: Labeler) -> None:
    head, store = labeler.head, labeler._store
    assert head
    probabilities = head.predict_proba_rows(store.embeddings, np.arange(60))

    def likely() -> dict[str, float]:
        labeled = [one for one in known_of(labeler) if one.label]
        places = {one.id: labeler.schema.names.index(one.label or "") for one in labeled}
        return {one.id: float(probabilities[one.row][places[one.id]]) for one in labeled}

    def found(order: str) -> list[float]:
        ids = list(labeler.finder.item_ids(Query.model_validate({"states": ["label"], "order": order})))
        assert set(ids) == likely().keys()
        return [likely()[item_id] for item_id in ids]

    assert found("label_probability") == pytest.approx(sorted(likely().values()), abs=1e-5)
    assert found("-label_probability") == pytest.approx(sorted(likely().values(), reverse=True), abs=1e-5)
    first = min(likely(), key=lambda one: likely()[one])
    label = next(one.label for one in known_of(labeler) if one.id == first)
    other = next(place for place, name in enumerate(CLASSES) if name != label)
    labeler._label_store.submit("eve", [(first, other)], now=300, source="review")
    assert found("label_probability") == pytest.approx(sorted(likely().values()), abs=1e-5)
    unlabeled = [one.id for one in known_of(labeler) if one.state == "none"]
    assert list(labeler.finder.item_ids(Query(states=("none",), order="label_probability"))) == unlabeled


def test_a_list_stays_as_it_was_while_its_items_are_shown_as_they_are(labeler: Labeler) -> None:
    query = Query.model_validate({"states": ["none"], "order": "confidence"})
    first = labeler.finder.page(query, 0, 5)
    before = list(labeler.finder.item_ids(query))
    labeler.submit("eve", [(first.items[0].item.id, State.SKIP), (before[7], "red")])
    pages = [labeler.finder.page(query, start, 5, first.list_id) for start in (5, 0, 10)]
    assert [one.item.id for page in (pages[1], pages[0], pages[2]) for one in page.items] == before[:15]
    assert [one.place for page in (pages[1], pages[0]) for one in page.items] == list(range(10))
    assert {page.total for page in pages} == {first.total}
    assert pages[1].items[0].state is State.SKIP
    assert pages[0].items[2].label == "red"
    assert labeler.finder.page(query, 0, 5).total == first.total - 2
    with pytest.raises(ExpiredListError, match="list 'abc' is not kept any more"):
        labeler.finder.page(query, 0, 5, "abc")


def test_lists_are_dropped_where_there_are_too_many_those_looked_at_least_lately_first(
    labeler: Labeler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(found_lists, "MAX_LISTS", 2)
    page = labeler.finder.page
    old, kept = page(Query(), 0, 1).list_id, page(Query(), 0, 1).list_id
    page(Query(), 0, 1, old)
    page(Query(), 0, 1)
    assert page(Query(), 5, 1, old).items[0].place == 5
    with pytest.raises(ExpiredListError):
        page(Query(), 0, 1, kept)
    monkeypatch.setattr(found_lists, "MAX_BYTES", 1)
    assert page(Query(), 0, 1, page(Query(), 0, 1).list_id).total == 60  # the newest is kept whatever its size


def test_a_sent_vector_survives_as_text_and_finds_what_it_is_of(labeler: Labeler) -> None:
    space = labeler._store.space
    assert space
    for row in (0, 17):
        text = text_of(space.embeddings[row], space.name)
        assert vector_of(text, space) == pytest.approx(space.embeddings[row], abs=1e-3)
        found = labeler.finder.page(Query.model_validate({"near": {"vectors": [text]}}), 0, 1).items[0]
        assert found.row == row
    whole = text_of(space.embeddings[0], space.name)
    mark = whole.partition(".")[0]
    nan = text_of(np.full(space.dim, np.nan, dtype=np.float32), space.name)
    zero = text_of(np.zeros(space.dim, dtype=np.float32), space.name)
    for wrong in (text_of(space.embeddings[0], "other"), "", "x", f"{mark}.", f"{mark}.%%", whole[:-8], nan, zero):
        with pytest.raises(InvalidQueryError, match="Send the picture or sound again"):
            vector_of(wrong, space)


def test_what_is_sent_has_the_vector_that_the_pool_would_give_it(tmp_path: Path) -> None:
    pixels, view = PixelEncoder(), SoundView()
    picture = Image.effect_noise((40, 30), 60).convert("RGB")
    file = io.BytesIO()
    picture.save(file, "PNG")
    assert embed_sent(file.getvalue(), "image", view, pixels) == pytest.approx(
        pixels.encode([pixels.prepare(picture)])[0], abs=1e-4
    )
    sound = next(write_sounds(tmp_path, per_class=1).rglob("*.wav"))
    before = set(Path(sound.parent).iterdir())
    assert np.linalg.norm(embed_sent(sound.read_bytes(), "audio", view, BandEncoder())) == pytest.approx(1, abs=1e-3)
    assert set(sound.parent.iterdir()) == before
    bomb = io.BytesIO()
    Image.new("1", (8_000, 8_000)).save(bomb, "PNG")
    for content, kind in ((b"", "image"), (b"%PDF-", "image"), (bomb.getvalue(), "image"), (b"<svg>", "audio")):
        with pytest.raises(UnreadableItemError):
            embed_sent(content, kind, view, pixels if kind == "image" else BandEncoder())  # type: ignore[arg-type]


def test_saved_filters_stay_over_a_restart_and_a_damaged_file_is_named(tmp_path: Path) -> None:
    filters = SavedFilters(tmp_path)
    assert filters.all() == {}
    filters.put("</script> 要看", Query(labels=("a",)))
    assert list(filters.put("a", Query(order="-time"))) == ["</script> 要看", "a"]
    assert SavedFilters(tmp_path).all() == {"</script> 要看": Query(labels=("a",)), "a": Query(order="-time")}
    assert list(filters.put("a", None)) == ["</script> 要看"]
    with pytest.raises(InvalidQueryError, match="there is no filter 'a' to drop"):
        filters.put("a", None)
    for number in range(MAX_FILTERS - 1):
        filters.put(str(number), Query())
    with pytest.raises(InvalidQueryError, match="200 saved filters"):
        filters.put("one more", Query())
    (tmp_path / FILE).write_text("[")
    with pytest.raises(StoreError, match=FILE):
        filters.all()


def test_a_batch_of_what_was_found_leaves_out_what_is_judged_held_or_of_the_audit(
    pictures: Path, open_project: Callable[..., Any]
) -> None:
    labeler = open_project(make_config(pictures, audit_share=0.3)).labeler("ann")
    held = [item.id for item in labeler.next_batch("bob", 5).items]
    labeler.submit("eve", [("red/0000.png", "red"), ("red/0001.png", State.BAD)])
    open_before = labeler.next_batch("ann", 4)
    rows = labeler.finder.rows(Query(text="red", order="pool"))
    audited = set(labeler._ledger.audit_rows(100).tolist())
    batch = labeler.batch_of("ann", rows, 100)
    ids = {item.id for item in batch.items}
    assert ids.isdisjoint([*held, "red/0000.png", "red/0001.png", *(item.id for item in open_before.items)])
    assert audited.isdisjoint(batch.rows)
    assert list(batch.rows) == sorted(batch.rows)
    left = [row for row in rows.tolist() if row not in audited and row not in batch.rows]
    claimed = [*held, "red/0000.png", "red/0001.png", *(item.id for item in open_before.items)]
    assert {item.id for item in labeler._store.items_at(np.array(left)).values()} <= set(claimed)
    assert labeler.next_batch("ann").id == batch.id
    labeler.submit("ann", [(item.id, "red") for item in batch.items], batch.id)
    assert {labeler.finder.page(Query(ids=(id_,)), 0, 1).items[0].source for id_ in ids} == {"search"}
    assert labeler.next_batch("ann").id == open_before.id
    assert labeler.batch_of("ann", rows, 100).items == ()
    labeler.submit("ann", true_labels(labeler, "ann", 3))
    assert labeler.finder.count(Query(sources=("person",))) == 5


def test_facets_of_a_pool_without_a_head_or_labels_say_so(pictures: Path, open_project: OpenProject) -> None:
    found = open_project(make_config(pictures)).labeler("ann").finder.facets(Query())
    nothing: dict[str, int] = {}
    assert found == Facets(
        total=60,
        labels=nothing,
        states={"none": 60},
        sources=nothing,
        annotators=nothing,
        predicted=nothing,
        agrees=nothing,
        confidence=(0,) * 10,
        days=nothing,
        folders={"blue": 20, "green": 20, "red": 20},
        groups=(),
    )
