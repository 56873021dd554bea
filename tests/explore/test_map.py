"""The map: layouts that stay, new items that join them, areas as a filter, and the bytes that the page draws."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from fastlabel_gradio.errors import InvalidQueryError
from fastlabel_gradio.explore import layout as layouts
from fastlabel_gradio.explore import map_picture
from fastlabel_gradio.explore.area import is_within
from fastlabel_gradio.explore.layout import fit_projection, neighbour_layout, placed
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import State
from tests.pools import make_config, rescan, wait_for, write_pictures

OpenProject = Callable[..., Project]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A neighbour layout of a few items needs few steps."""
    monkeypatch.setattr(layouts, "ITERATIONS", 150)


def crowds(items: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of three crowds, and the crowd of each."""
    rng = np.random.default_rng(seed)
    crowd = rng.integers(3, size=items)
    vectors = np.eye(3, 12)[crowd] + rng.normal(0, 0.1, (items, 12))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), crowd


def test_a_layout_by_neighbours_is_the_same_for_the_same_seed_and_keeps_crowds_together() -> None:
    vectors, crowd = crowds(90)
    reduced = fit_projection(vectors).of(vectors)
    shares: list[float] = []
    points = neighbour_layout(reduced, seed=5, tell=shares.append)
    np.testing.assert_array_equal(points, neighbour_layout(reduced, seed=5))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    distances = np.linalg.norm(points[:, None] - points[None], axis=2) + np.diag(np.full(90, np.inf))
    assert (crowd[distances.argmin(axis=1)] == crowd).all()
    more, of = crowds(40, seed=1)
    joined = placed(fit_projection(vectors).of(more), reduced, points)
    nearest = np.linalg.norm(joined[:, None] - points[None], axis=2).argmin(axis=1)
    assert (crowd[nearest] == of).all()
    stopped = neighbour_layout(reduced, is_stopped=lambda: True)
    assert stopped.shape == (90, 2)
    for few in (1, 2, 7):
        assert neighbour_layout(fit_projection(vectors[:few]).of(vectors[:few])).shape == (few, 2)


def test_an_area_holds_what_plain_geometry_says() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-2, 2, (500, 2)).astype(np.float32)
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    np.testing.assert_array_equal(is_within(points, square), (np.abs(points) < 1).all(axis=1))
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lengths = np.linalg.norm(points, axis=1)
    sure = np.abs(lengths - 1) > 0.01
    np.testing.assert_array_equal(is_within(points, circle)[sure], lengths[sure] < 1)
    bow_tie = np.array([[-1, -1], [1, 1], [1, -1], [-1, 1]])
    x, y = points.T
    np.testing.assert_array_equal(is_within(points, bow_tie), (np.abs(x) < 1) & (np.abs(y) < np.abs(x)))
    assert not is_within(points, np.zeros((3, 2))).any()


def test_the_neighbour_layout_is_kept_and_new_items_join_it(
    pictures: Path, tmp_path: Path, open_project: OpenProject
) -> None:
    project = open_project(make_config(pictures))
    labeler = project.labeler("ann")
    layout, version, points = project.map.points()
    assert (layout, points.shape) == ("pca", (60, 2))
    with pytest.raises(InvalidQueryError, match="not there yet"):
        project.map.points("neighbours")
    wait_for(lambda: project.map.points()[0] == "neighbours", timeout=120)
    _, newer, laid_out = project.map.points()
    assert newer != version
    for new in sorted(write_pictures(tmp_path / "more", per_class=22).rglob("*.png")):
        if not (pictures / new.parent.name / new.name).exists():
            shutil.copy(new, pictures / new.parent.name / new.name)
    rescan(project)
    _, same, grown = project.map.points()
    assert same == newer
    np.testing.assert_array_equal(grown[:60], laid_out)
    assert grown.shape == (66, 2)
    box = [grown.min(axis=0) - 1, grown.max(axis=0) + 1]
    polygon = [[box[a][0], box[b][1]] for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
    everything = Query.model_validate({"area": {"map": same, "polygon": np.array(polygon, dtype=float).tolist()}})
    assert labeler.finder.count(everything) == 66
    project.close()
    again = open_project(make_config(pictures))
    layout, kept, points = again.map.points()
    assert (layout, kept) == ("neighbours", newer)
    np.testing.assert_array_equal(points[:60], laid_out)
    assert again.labeler("ann").finder.count(everything) == 66
    again.close()
    for content in (b"", b"rubbish", (again.folder / "map.safetensors").read_bytes()[:-3]):
        (again.folder / "map.safetensors").write_bytes(content)
        fresh = open_project(make_config(pictures))
        assert fresh.map.points()[0] == "pca"
        fresh.close()


def test_the_neighbour_layout_waits_while_somebody_waits_for_a_batch(pictures: Path, open_project: OpenProject) -> None:
    project = open_project(make_config(pictures))
    with project.map.paused():
        project.map.points()
        wait_for(lambda: project.map.finding.answer is not None, timeout=120)
        seen = project.map.finding
        assert project.labeler("ann").next_batch("ann", 3).items
        assert project.map.finding == seen
    wait_for(lambda: project.map.finding.state == "answered", timeout=120)


def test_areas_find_the_items_inside_and_wrong_ones_are_refused(pictures: Path, open_project: OpenProject) -> None:
    project = open_project(make_config(pictures))
    finder = project.labeler("ann").finder
    _, version, points = project.map.points("pca")
    polygon = [[float(points[:, 0].min()) - 1, -9.0], [0.0, -9.0], [0.0, 9.0], [float(points[:, 0].min()) - 1, 9.0]]
    found = finder.page(Query.model_validate({"area": {"map": version, "polygon": polygon}}), 0, 100)
    assert 0 < found.total < 60
    assert {one.row for one in found.items} == set(np.flatnonzero(points[:, 0] < 0).tolist())
    with pytest.raises(InvalidQueryError, match="laid out anew"):
        finder.count(Query.model_validate({"area": {"map": "pca-000", "polygon": polygon}}))
    few, many, odd = [[0, 0], [1, 1]], [[0, 0]] * 501, ([0, float("nan")], [0, 0, 0], [0, "x"], [0, 1e300])
    for wrong in (few, many, *([corner] * 3 for corner in odd)):
        with pytest.raises(ValidationError):
            Query.model_validate({"area": {"map": version, "polygon": wrong}})


def read_map(content: bytes) -> tuple[dict[str, object], list[np.ndarray]]:
    """As docs/rest.md says."""
    assert content[:4] == b"FLM1"
    length = int.from_bytes(content[4:8], "little")
    header, at, arrays = json.loads(content[8 : 8 + length]), 8 + length, []
    kinds = ["<u4", "<f4", "<f4"] if header["places"] else []
    for kind in (*kinds, "<i2", "<i2", "u1", "u1"):
        arrays.append(np.frombuffer(content, kind, header["points"], at))
        at += -(-header["points"] * np.dtype(kind).itemsize // 4) * 4
    assert at == len(content)
    return header, arrays


def test_the_picture_of_the_map_says_where_items_lie_and_what_is_known_of_them(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = open_project(make_config(pictures, train_every=1000))
    labeler = project.labeler("ann")
    page = labeler.finder.page(Query(), 0, 100).items
    first, second = page[0], page[1]
    labeler.submit("ann", [(first.item.id, "green"), (second.item.id, State.BAD)])
    _, version, points = project.map.points("pca")
    schema = labeler.schema

    def drawn(*, with_places: bool) -> tuple[dict[str, object], list[np.ndarray]]:
        picture = labeler.finder.drawn_map(points)
        return read_map(map_picture.as_bytes(picture, schema, {"version": version}, with_places=with_places))

    header, (rows, x, y, labels, predicted, confidences, states) = drawn(with_places=True)
    assert (header["points"], header["items"], header["classes"], header["version"]) == (
        60,
        60,
        list(schema.names),
        version,
    )
    assert header["states"] == ["none", "label", "skip", "unsure", "bad"]
    np.testing.assert_array_equal(np.stack([x, y], axis=1), points[rows])
    places = {int(row): place for place, row in enumerate(rows)}
    assert labels[places[first.row]] == schema.names.index("green")
    assert (labels >= 0).sum() == 1
    assert [states[places[one.row]] for one in (first, second)] == [1, 4]
    assert (predicted == -1).all()
    assert (confidences == 255).all()
    assert drawn(with_places=False)[0]["places"] is False
    monkeypatch.setattr(map_picture, "MOST_POINTS", 10)
    header, arrays = drawn(with_places=True)
    assert (header["points"], header["items"], len(arrays[0])) == (10, 60, 10)
