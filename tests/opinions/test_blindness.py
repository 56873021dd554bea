"""What somebody may see of an item before their own answer, and which answers count as independent of the first one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.labels import judgements_of
from fastlabel_gradio.labels.resolve import Opinion, Opinions, Standing
from fastlabel_gradio.opinions import drawn_by
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.access import Person, Role, person_of
from fastlabel_gradio.server.api import create_api
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import LabelSource, State
from tests.opinions.test_second_opinions import ids_of, label
from tests.pools import make_config

_LABELED = Query(states=("label",))
OpenProject = Callable[..., Project]


class Server:
    """The routes of a project, asked by one person or another."""

    def __init__(self, project: Project) -> None:
        self._who = Person("", Role.OWNER)
        api = create_api({project.name: project})
        api.dependency_overrides[person_of] = lambda: self._who
        self._client = TestClient(api)

    def post(self, name: str, role: Role, path: str, **body: Any) -> Any:
        self._who = Person(name, role)
        return self._client.post(f"/api/{path}", json=body)

    def said_of(self, name: str, role: Role, ids: set[str]) -> dict[str, str | None]:
        """The label of each item as that person is shown it."""
        found = self.post(name, role, "items", query={"ids": sorted(ids)}, size=100).json()["items"]
        for one in found:
            assert one["label"] or (one["prediction"], one["source"], one["known_label"]) == (None, None, None)
        return {one["id"]: one["label"] for one in found}


@pytest.fixture
def project(pictures: Path, open_project: OpenProject) -> Iterator[Project]:
    yield open_project(make_config(pictures, second_opinions=0.5, train_every=1000))


@pytest.fixture
def labeler(project: Project) -> Labeler:
    labeler = project.labeler("ann")
    label(labeler, "ann", 30)
    labeler.train()
    assert labeler.wait_for_training(60)
    return labeler


def drawn_among(item_ids: set[str]) -> set[str]:
    return {item_id for item_id in item_ids if drawn_by("images", item_id) < 0.5}


def test_what_may_come_to_an_annotator_is_hidden_before_it_does(project: Project, labeler: Labeler) -> None:
    server = Server(project)
    labeled = {one.item_id for one in project.export_rows("ann")}
    drawn = drawn_among(labeled)
    assert 0 < len(drawn) < 30
    before = server.said_of("bob", Role.ANNOTATOR, labeled)
    assert {item_id for item_id, said in before.items() if said is None} == drawn
    assert None not in server.said_of("ann", Role.ANNOTATOR, labeled).values(), "who labeled them sees their own"
    assert None not in server.said_of("rita", Role.REVIEWER, labeled).values()
    assert None not in server.said_of("vic", Role.VIEWER, labeled).values(), "a viewer is never asked"
    one = min(drawn)
    for path, body in (
        ("predict", {"ids": [one]}),
        ("checks", {"labels": [{"id": one, "label": one.split("/")[0]}]}),
        ("apply", {"query": {"ids": [one]}, "label": "red"}),
    ):
        refused = server.post("bob", Role.ANNOTATOR, path, **body)
        assert (refused.status_code, "opinion of your own" in refused.json()["error"]) == (422, True), path
    held = ids_of(labeler.next_batch("eve", 60)) & drawn
    assert held
    assert server.said_of("bob", Role.ANNOTATOR, held) == dict.fromkeys(held), "he may get what she gives back"
    batch = labeler.next_batch("eve", 60)
    labeler.submit("eve", [(item.id, item.id.split("/")[0]) for item in batch.items], batch.id)
    labeler.catch_up()
    assert None not in server.said_of("bob", Role.ANNOTATOR, held).values(), "nobody is asked about them any more"


def test_only_answers_that_were_given_blind_count_as_agreement(labeler: Labeler) -> None:
    first = ids_of(labeler.next_batch("eve", 20, fresh=True))
    asked = first & {one.item.id for one in labeler.finder.page(_LABELED, 0, 100).items}
    others = sorted({one.item.id for one in labeler.finder.page(_LABELED, 0, 100).items} - asked)
    labeler.submit("bob", [(item_id, item_id.split("/")[0]) for item_id in others[:5]])
    labeler.catch_up()
    assert labeler.reliability.report().overall.items == 0
    assert labeler.second_opinions.counts("bob").given == 0
    batch = labeler.next_batch("eve", 20)
    labeler.submit("eve", [(item_id, item_id.split("/")[0]) for item_id in asked], batch.id)
    labeler.catch_up()
    assert labeler.reliability.report().overall.items == len(asked) > 0
    labeler.submit("ann", [(others[6], "red"), (others[7], "red")])
    labeler.catch_up()
    sources = {one.item.id: one.source for one in labeler.finder.page(_LABELED, 0, 100).items}
    assert sources[others[6]] == sources[others[7]] == "person", "who corrects their own label has seen no other"


def opinion(annotator: str, source: LabelSource = "person", state: State = State.LABEL) -> Opinion:
    return Opinion(annotator, Standing(state, 0 if state is State.LABEL else None, source))


def test_what_is_said_in_explore_is_a_judgement_where_nobody_decided_before() -> None:
    unsure = opinion("ann", state=State.UNSURE)
    for opinions, judges in (
        ((opinion("ann", "search"), opinion("bob")), ["ann", "bob"]),
        ((opinion("ann"), opinion("bob", "search")), ["ann"]),
        ((unsure, opinion("bob", "search"), opinion("eve")), ["ann", "bob", "eve"]),
        ((opinion("ann", "import"), opinion("bob", "search")), ["bob"]),
        ((opinion("ann"), opinion("bob", "search"), opinion("eve", "group")), ["ann", "eve"]),
    ):
        told: Opinions = opinions
        assert [one.annotator for one in judgements_of(told)] == judges
