"""Queries find what a slow, obvious filter finds, in a stable order and in whole pages; wrong ones are refused."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from pydantic import ValidationError

from fastlabel_gradio.errors import EncoderUnavailableError, InvalidQueryError
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.labels import ClassEdit
from fastlabel_gradio.labels.events import all_events
from fastlabel_gradio.labels.resolve import Event
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import LabelSource, State
from tests.labels.test_resolve import standing_event
from tests.pools import PixelEncoder, make_config, true_labels, wait_for
from tests.test_api import start

OpenProject = Callable[..., Project]
CLASSES = ("blue", "green", "red")
PEOPLE = ("ann", "bob", "eve")


@dataclass(frozen=True)
class Known:
    """What is true of one item, found one by one."""

    id: str
    row: int
    label: str | None
    state: str
    source: str | None
    annotator: str | None
    said_at: float | None
    predicted: str
    confidence: float
    margin: float
    group: str
    vector: np.ndarray


@pytest.fixture
def labeler(pictures: Path, open_project: OpenProject) -> Labeler:
    """60 pictures in groups of ten, a head, and all kinds of things that three people and the head said of them."""
    source = {"kind": "image_folder", "path": str(pictures), "group_pattern": r"^([a-z]+/\d\d\d)"}
    opened = open_project(make_config(pictures, source=source, train_every=1000)).labeler("ann")
    opened.submit("ann", true_labels(opened, "ann", 12))
    opened.train()
    assert opened.wait_for_training(60)
    rng = random.Random(0)
    ids = [item_id for block in opened._store.item_blocks() for _, item_id in block]
    sources: tuple[LabelSource, ...] = ("person", "group", "review", "import", "auto")
    for moment in range(1, 15):
        said = [(item_id, rng.choice([0, 1, 2, *list(State)[1:]])) for item_id in rng.sample(ids, 4)]
        opened._label_store.submit(rng.choice(PEOPLE), said, now=moment, source=rng.choice(sources))
    opened._label_store.undo("bob", now=99)
    return opened


def known_of(labeler: Labeler) -> list[Known]:
    """Every item of the pool, each looked up by itself."""
    head, store = labeler.head, labeler._store
    assert head is not None
    with labeler._label_store._database.reading() as connection:
        events = [Event._make(row) for row in all_events(connection, labeler._label_store._project)]
        times = dict(connection.exec_driver_sql("SELECT id, created_at FROM fastlabel_submissions").all())
    groups = labeler._pipeline._source.group_of
    found = []
    for block in store.item_blocks():
        for row, item_id in block:
            probabilities = head.predict_proba_rows(store.embeddings, np.array([row]))[0]
            second, first = np.sort(probabilities)[-2:]
            stands = standing_event([event for event in events if event.item_id == item_id])
            names = labeler.schema.known_names
            found.append(
                Known(
                    id=item_id,
                    row=row,
                    label=names[stands.label_id] if stands and stands.label_id is not None else None,
                    state=stands.state if stands else "none",
                    source=stands.source if stands else None,
                    annotator=stands.annotator if stands else None,
                    said_at=times[stands.submission] if stands else None,
                    predicted=labeler.schema.names[int(probabilities.argmax())],
                    confidence=float(first),
                    margin=float(np.float16(first - second)),
                    group=groups(store.items_at(np.array([row]))[row]) or "",
                    vector=np.array(store.embeddings[row]),
                )
            )
    return found


def is_wanted(one: Known, query: dict[str, Any]) -> bool:
    """Key by key, as the documents have it."""
    low, high = query.get("confidence", (0, 1))
    least, most = query.get("margin", (0, 1))
    begins, ends = query.get("time", (None, None))
    return all(
        (
            "labels" not in query or one.label in query["labels"],
            "states" not in query or one.state in query["states"],
            "sources" not in query or one.source in query["sources"],
            "annotators" not in query or one.annotator in query["annotators"],
            "predicted" not in query or one.predicted in query["predicted"],
            low <= one.confidence <= high,
            least <= one.margin <= most,
            "agrees" not in query or (one.label is not None and (one.label == one.predicted) == query["agrees"]),
            "text" not in query or query["text"].lower() in one.id.lower(),
            "ids" not in query or one.id in query["ids"],
            "group" not in query or one.group == query["group"],
            one.id not in query.get("exclude", ()),
            "time" not in query or one.said_at is not None,
            begins is None or (one.said_at or 0) >= begins,
            ends is None or (one.said_at or 0) <= ends,
        )
    )


def random_query(rng: random.Random, pool: list[Known]) -> dict[str, Any]:
    def some(values: Any) -> list[Any]:
        return rng.sample(list(values), rng.randint(0, 3))

    def limits() -> list[float]:
        return sorted(round(rng.random(), 2) for _ in range(2))

    ids = [one.id for one in pool]
    makers: dict[str, Callable[[], Any]] = {
        "labels": lambda: some(CLASSES),
        "states": lambda: some(["none", "label", "skip", "unsure", "bad"]),
        "sources": lambda: some(["person", "group", "review", "import", "auto"]),
        "annotators": lambda: some([*PEOPLE, "nobody"]),
        "predicted": lambda: some(CLASSES),
        "confidence": limits,
        "margin": limits,
        "agrees": lambda: rng.random() < 0.5,
        "text": lambda: rng.choice(["red", "RED/", "1", "%", "_", "\\", "ö", "", ".png", "nothing"]),
        "ids": lambda: [*rng.sample(ids, 20), "unknown.png"],
        "group": lambda: rng.choice(["red/000", "blue/001", "nothing"]),
        "exclude": lambda: rng.sample(ids, 15),
        "time": lambda: rng.choice([[3, 9], [None, 5], [8, None], [None, None]]),
    }
    return {key: makers[key]() for key in rng.sample(list(makers), rng.choice([0, 1, 1, 2, 3]))}


def test_queries_find_what_a_slow_filter_finds_in_order_and_in_whole_pages(labeler: Labeler) -> None:
    pool, rng, sizes = known_of(labeler), random.Random(1), set()
    orders: dict[str, Callable[[Known], Any]] = {
        "pool": lambda one: one.row,
        "confidence": lambda one: (one.confidence, one.row),
        "-confidence": lambda one: (-one.confidence, one.row),
        "margin": lambda one: (one.margin, one.row),
        "-margin": lambda one: (-one.margin, one.row),
        "time": lambda one: (one.said_at is None, one.said_at, one.row),
        "-time": lambda one: (one.said_at is None, -(one.said_at or 0), one.row),
    }
    for _ in range(250):
        asked = random_query(rng, pool)
        order = rng.choice(list(orders))
        query = Query.model_validate({**asked, "order": order})
        expected = [one.id for one in sorted((one for one in pool if is_wanted(one, asked)), key=orders[order])]
        assert list(labeler.finder.item_ids(query)) == expected, (asked, order)
        size = rng.choice([19, 100])
        starts = range(0, len(expected) + size, size)
        pages = [labeler.finder.page(query, start, size) for start in starts]
        assert [one.item.id for page in pages for one in page.items] == expected, (asked, order)
        assert {page.total for page in pages} == {len(expected)} == {labeler.finder.count(query)}
        sizes.add(len(expected))
    assert len(sizes) > 20


def test_a_page_says_what_stands_of_each_item_and_who_said_it(labeler: Labeler) -> None:
    page = labeler.finder.page(Query(), 0, 100)
    pool = known_of(labeler)
    assert (page.total, page.scanned, page.rows, page.head_version) == (60, 60, 60, 1)
    for found, one in zip(page.items, pool, strict=True):
        state = found.state.value if found.state else "none"
        assert (found.item.id, found.label, state, found.source) == (one.id, one.label, one.state, one.source)
        assert (found.owner.annotator if found.owner else None) == one.annotator
        assert (found.owner.said_at if found.owner else None) == one.said_at


def test_likeness_is_the_cosine_with_what_is_wanted_less_half_of_what_is_not(labeler: Labeler) -> None:
    pool = {one.id: one for one in known_of(labeler)}
    near = {"ids": ["red/0000.png", "red/0001.png"], "not_ids": ["blue/0000.png"]}
    page = labeler.finder.page(Query.model_validate({"near": near, "labels": ["red"]}), 0, 100)
    seeds = [pool[item_id].vector for item_id in near["ids"]]
    wanted = np.mean(seeds, axis=0) - 0.5 * pool["blue/0000.png"].vector
    wanted /= np.linalg.norm(wanted)
    expected = sorted(
        ((float(one.vector @ wanted), one.id) for one in pool.values() if one.label == "red"), reverse=True
    )
    assert [one.item.id for one in page.items] == [item_id for _, item_id in expected]
    assert [one.similarity for one in page.items] == pytest.approx([alike for alike, _ in expected], abs=1e-5)


def test_what_is_said_and_undone_and_what_leaves_the_pool_is_seen_by_the_next_query(
    pictures: Path, open_project: OpenProject
) -> None:
    config = make_config(pictures)
    project = open_project(config)
    labeler = project.labeler("ann")
    count = labeler.finder.count
    assert (count(Query(states=("none",))), count(Query(annotators=("ann",)))) == (60, 0)
    labeler.submit("ann", [("red/0000.png", "red"), ("red/0001.png", State.SKIP)])
    assert (count(Query(labels=("red",))), count(Query(states=("skip",))), count(Query(annotators=("ann",)))) == (
        1,
        1,
        2,
    )
    labeler.submit("bob", [("red/0001.png", "red")])
    assert (count(Query(annotators=("ann",))), count(Query(annotators=("bob",)))) == (1, 1)
    labeler.undo("ann")
    assert (count(Query(annotators=("ann",))), count(Query(states=("none",)))) == (0, 59)
    project.close()
    (pictures / "red" / "0001.png").unlink()
    labeler = open_project(config).labeler("ann")
    assert (labeler.finder.count(Query()), labeler.finder.count(Query(labels=("red",)))) == (59, 0)


def test_without_a_head_nothing_is_predicted(pictures: Path, open_project: OpenProject) -> None:
    labeler = open_project(make_config(pictures)).labeler("ann")
    for asked in ({"predicted": CLASSES}, {"confidence": [0, 1]}, {"margin": [0, 1]}, {"agrees": False}):
        assert labeler.finder.count(Query.model_validate(asked)) == 0
    page = labeler.finder.page(Query(order="confidence"), 0, 7)
    assert (page.total, len(page.items), page.head_version, page.scanned) == (60, 7, 0, 0)


def test_a_class_that_was_merged_or_renamed_is_found_by_its_name_of_now(labeler: Labeler) -> None:
    before = {name: labeler.finder.count(Query(labels=(name,))) for name in CLASSES}
    labeler._label_store.edit_classes("ann", [ClassEdit("rename", 2, "crimson"), ClassEdit("merge", 0, 1)], now=200)
    assert labeler.finder.count(Query(labels=("crimson",))) == before["red"]
    assert labeler.finder.count(Query(labels=("green",))) == before["green"] + before["blue"]
    with pytest.raises(InvalidQueryError, match=r"class 'red' is not known\. Known: "):
        labeler.finder.count(Query(labels=("red",)))


def test_texts_are_searched_where_the_encoder_reads_them(labeler: Labeler, monkeypatch: pytest.MonkeyPatch) -> None:
    query = Query.model_validate({"near": {"text": "something red"}})
    with pytest.raises(EncoderUnavailableError, match="has no text tower"):
        labeler.finder.page(query, 0, 5)
    red = np.array([one.vector for one in known_of(labeler) if one.id.startswith("red/")]).mean(axis=0)
    monkeypatch.setattr(PixelEncoder, "encode_text", lambda encoder, texts: np.array([red for _ in texts]))
    assert all(one.item.id.startswith("red/") for one in labeler.finder.page(query, 0, 20).items)


def test_wrong_queries_are_refused(labeler: Labeler) -> None:
    hostile: list[dict[str, Any]] = [
        {"label": ["red"]},
        {"labels": "red"},
        {"labels": [1]},
        {"states": ["deleted"]},
        {"sources": ["robot"]},
        {"confidence": [0.5]},
        {"confidence": [0.9, 0.1]},
        {"confidence": [0, 2]},
        {"confidence": [float("nan"), 1]},
        {"confidence": ["0", "1"]},
        {"agrees": "yes"},
        {"agrees": 1},
        {"text": "x" * 1_001},
        {"text": "\ud800"},
        {"ids": ["a"] * 10_001},
        {"ids": ["x" * 5_001]},
        {"time": ["yesterday", None]},
        {"time": [9, 3]},
        {"near": {}},
        {"near": {"not_ids": ["red/0000.png"]}},
        {"near": {"ids": ["red/0000.png"] * 101}},
        {"near": {"ids": ["red/0000.png"], "like": 1}},
        {"order": "similarity"},
        {"order": "size; DROP TABLE items"},
    ]
    for asked in hostile:
        with pytest.raises(ValidationError):
            Query.model_validate(asked)
    refused: list[dict[str, Any]] = [
        {"labels": ["purple"]},
        {"predicted": ["purple"]},
        {"near": {"ids": ["unknown.png"]}},
        {"near": {"ids": ["red/0000.png"], "not_ids": ["unknown.png"]}},
    ]
    for asked in refused:
        with pytest.raises(InvalidQueryError):
            labeler.finder.page(Query.model_validate(asked), 0, 5)
    harmless: list[dict[str, Any]] = [{"text": "'; --"}, {"text": "\0"}, {"group": "\0"}, {"ids": ["\0", "a'b"]}]
    for asked in harmless:
        assert labeler.finder.count(Query.model_validate(asked)) == 0


def test_items_by_rest(tmp_path: Path) -> None:
    app, address = start(tmp_path, train_every=5)
    try:
        with httpx.Client(base_url=address, timeout=60) as client:
            batch = client.get("/api/next_batch", params={"size": 12}).json()
            said = [{"id": item["id"], "label": item["id"].split("/")[0]} for item in batch["items"]]
            client.post("/api/submit_labels", json={"batch_id": batch["batch_id"], "labels": said})
            wait_for(lambda: client.get("/api/status").json()["head"]["settled"])
            answer = client.post("/api/items", json={"query": {"states": ["label"], "order": "confidence"}, "size": 5})
            page = answer.json()
            assert (page["total"], len(page["items"]), page["head_version"], page["scanned"]) == (12, 5, 1, 60)
            first = page["items"][0]
            assert (first["label"], first["state"], first["source"], first["annotator"]) == (
                first["id"].split("/")[0],
                "label",
                "person",
                "local",
            )
            assert datetime.fromisoformat(first["created_at"]).tzinfo == UTC
            assert first["prediction"].keys() == {"label", "index", "confidence", "runners_up"}
            assert client.get(f"/{first['media_url']}").headers["content-type"] == "image/jpeg"
            nothing = client.post("/api/items", json={}).json()
            assert (nothing["total"], nothing["items"][0]["similarity"]) == (60, None)
            near = {"query": {"near": {"ids": [first["id"]]}}, "size": 1}
            alike = client.post("/api/items", json=near).json()["items"][0]
            assert (alike["id"], alike["similarity"]) == (first["id"], pytest.approx(1, abs=1e-3))
            for body, status, reason in (
                ({"query": {"predicted": ["purple"]}}, 422, "class 'purple' is not known"),
                ({"query": {"predict": ["red"]}}, 422, "query.predict"),
                ({"query": {}, "size": 1001}, 422, "size"),
                ({"query": {}, "offset": -1}, 422, "offset"),
                ({"query": {"near": {"text": "a dog"}}}, 400, "no text tower"),
                ({"project": "other"}, 404, "project 'other' is not known"),
            ):
                refused = client.post("/api/items", json=body)
                assert (refused.status_code, reason in refused.json()["error"]) == (status, True), refused.text
    finally:
        app.close()
