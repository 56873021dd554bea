"""Roles: every route of the app, FastLabel's and Gradio's, for every role; and what each role may of the labels."""

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute

from fastlabel_gradio.app import App, create_app
from fastlabel_gradio.config import AppConfig
from fastlabel_gradio.server.access import Role, RouteTable
from fastlabel_gradio.server.api import create_api
from fastlabel_gradio.ui.plotly_file import plotly_routes
from fastlabel_gradio.ui.web_files import web_files, web_routes
from tests.pools import make_config, wait_for, write_pictures
from tests.test_api import free_port

NAMING = ("annotators", "planted", "slipped")  # parts of a query that name people
PEOPLE = {role.value: role for role in Role}
MCP = "/gradio_api/mcp"
ENDLESS = ("/gradio_api/heartbeat/{session_hash}", "/gradio_api/queue/data", "/gradio_api/call/{api_name}/{event_id}")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, str]]:
    """An app with one login of each role, named after it."""
    folder = tmp_path_factory.mktemp("roles")
    config = AppConfig(projects=(make_config(write_pictures(folder / "pictures", per_class=20), train_every=1000),))
    app = create_app(config, folder / "work", {name: f"of {name}" for name in PEOPLE}, PEOPLE)
    address = app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
    [project] = app.projects.values()
    wait_for(lambda: project.pipeline.progress.state == "done")
    yield app, address.rstrip("/")
    app.close()


@pytest.fixture
def people(served: tuple[App, str]) -> Iterator[dict[str, httpx.Client]]:
    """Somebody of each role, by the role's name."""
    app, address = served
    clients = {
        name: httpx.Client(base_url=address, headers={"Authorization": f"Bearer {app.access.token(name)}"}, timeout=30)
        for name in PEOPLE
    }
    yield clients
    for client in clients.values():
        client.close()


def api_of(app: App | None = None) -> FastAPI:
    """What answers in FastLabel's name."""
    api = create_api(app.projects if app else {})
    api.include_router(plotly_routes())
    api.include_router(web_routes(web_files()))
    return api


def routes_of(app: App) -> set[tuple[str, str]]:
    """Method and path of everything that answers in this process."""
    found = {*pairs(api_of(app).routes), *pairs(app.page.app.routes)}
    assert {("POST", "/gradio_api/queue/join"), ("POST", "/gradio_api/upload"), ("POST", "/api/undo")} < found
    return found


def pairs(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Method and path of each, those of included routers and mounted apps among them."""
    for route in routes:
        if context := getattr(route, "include_context", None):
            yield from pairs(route.original_router.routes, prefix + context.prefix)  # type: ignore[attr-defined]
        elif inner := getattr(route, "routes", None):
            yield from pairs(inner, prefix + getattr(route, "path", ""))
        else:
            yield from ((method, prefix + route.path) for method in getattr(route, "methods", None) or ())  # type: ignore[attr-defined]


def place(path: str) -> str:
    """A path of that kind."""
    return re.sub(r"{[^}]+}", "1", path)


def test_every_route_of_fastlabel_has_a_role() -> None:
    table = RouteTable()
    known = {(row.method, row.path) for row in table.rows}
    found = {(method, path) for method, path in pairs(api_of().routes) if method != "HEAD"}
    assert len(found) > 50
    missing = found - known
    assert not missing, "add rows to fastlabel_gradio/server/access/route_roles.py"


def test_every_row_is_of_a_route_that_exists(served: tuple[App, str]) -> None:
    of_the_hub = {("GET", "/login/huggingface"), ("GET", "/login/callback")}  # test_hub_users.py serves these
    rows = {(row.method, row.path) for row in RouteTable().rows}
    missing = {row for row in rows if not row[1].startswith(MCP)} - routes_of(
        served[0]
    )  # --mcp: tests/test_programs.py
    assert missing == of_the_hub


def test_every_route_is_open_to_the_roles_of_its_row_and_to_nobody_else(
    served: tuple[App, str], people: dict[str, httpx.Client]
) -> None:
    table = RouteTable()
    asked = 0
    for method, path in sorted(routes_of(served[0])):
        row = table.find(method, place(path))
        if path in ENDLESS:
            continue
        for name, client in people.items():
            # An empty object means something to few routes, so most that may be asked say 422.
            answer = client.request(method, place(path), json={} if method == "POST" else None)
            asked += 1
            if row is None:
                assert answer.status_code in (404, 405), (method, path, name)
            elif row.least is None or PEOPLE[name].covers(row.least):
                assert answer.status_code not in (401, 403), (method, path, name, answer.text)
            else:
                assert answer.status_code == 403, (method, path, name)
                if method != "HEAD":
                    says = answer.json()["error"]
                    assert row.what in says
                    assert str(row.least) in says
                    assert name in says
    assert asked > 400


def test_nobody_without_a_login_gets_beyond_what_is_for_everybody(served: tuple[App, str]) -> None:
    table = RouteTable()
    with httpx.Client(base_url=served[1]) as stranger:
        for row in table.rows:
            if row.least is not None:
                assert stranger.request(row.method, place(row.path)).status_code == 401, row.name


def test_everybody_is_told_their_role_and_what_it_opens(people: dict[str, httpx.Client]) -> None:
    may = {}
    for name, client in people.items():
        me = client.get("/api/me").json()
        assert (me["annotator"], me["role"]) == (name, name)
        may[name] = set(me["may"])
    assert may["viewer"] < may["annotator"] < may["reviewer"] <= may["owner"]
    assert "POST /api/submit_labels" in may["annotator"] - may["viewer"]
    assert "POST /api/export" in may["reviewer"] - may["annotator"]
    assert {"GET /api/invites", "POST /api/invites", "POST /api/invites/revoke"} <= may["owner"] - may["reviewer"]


def test_without_logins_everybody_is_an_owner(tmp_path: Path) -> None:
    config = AppConfig(projects=(make_config(write_pictures(tmp_path / "pictures", per_class=1)),))
    app = create_app(config, tmp_path / "work")
    try:
        address = app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
        me = httpx.get(f"{address.rstrip('/')}/api/me").json()
        assert me["role"] == "owner"
        assert not [
            route for route in me["may"] if "/api/invites" in route
        ]  # the page offers none, as they close nothing
        assert httpx.get(f"{address.rstrip('/')}/api/invites").status_code == 409
    finally:
        app.close()


# Other people's labels


@pytest.fixture
def said(people: dict[str, httpx.Client]) -> dict[str, list[str]]:
    """Items that the annotator and the owner labeled, by who did."""
    found: dict[str, list[str]] = {}
    for name in ("annotator", "owner"):
        batch = people[name].get("/api/next_batch", params={"size": 3, "fresh": True}).json()
        found[name] = [item["id"] for item in batch["items"]]
        labels = [{"id": id_, "label": id_.split("/")[0]} for id_ in found[name]]
        people[name].post("/api/submit_labels", json={"batch_id": batch["batch_id"], "labels": labels})
    return found


def shown(client: httpx.Client, ids: list[str]) -> dict[str, dict[str, object]]:
    return {one["id"]: one for one in client.post("/api/items", json={"query": {"ids": ids}}).json()["items"]}


def test_an_annotator_changes_their_own_labels_of_a_query_and_nobody_else_s(
    people: dict[str, httpx.Client], said: dict[str, list[str]]
) -> None:
    ann, everybody = people["annotator"], said["annotator"] + said["owner"]
    before = shown(people["owner"], everybody)
    for change in ({"label": "red"}, {"state": "bad"}, {}):
        for query in ({"ids": everybody}, {"ids": said["owner"]}, {"states": ["label"]}):
            for preview in (True, False):
                answer = ann.post("/api/apply", json={"query": query, "preview": preview, **change})
                assert answer.status_code == 403, (change, query)
                assert "reviewer" in answer.json()["error"]
                assert "owner" not in answer.json()["error"]
    assert shown(people["owner"], everybody) == before
    done = ann.post("/api/apply", json={"query": {"ids": said["annotator"]}, "state": "bad"})
    assert done.json()["changed"] == 3
    ann.post("/api/undo", json={})
    other = people["reviewer"].post(
        "/api/apply", json={"query": {"ids": said["owner"]}, "state": "bad", "preview": True}
    )
    assert other.json()["overruled"] == [{"annotator": "owner", "items": 3}]


def test_an_annotator_cannot_clear_what_somebody_else_said_beside_them(
    people: dict[str, httpx.Client], said: dict[str, list[str]]
) -> None:
    item = said["annotator"][0]
    people["owner"].post("/api/submit_labels", json=[{"id": item, "label": "green"}])  # a second opinion
    assert people["annotator"].post("/api/apply", json={"query": {"ids": [item]}}).status_code == 403
    relabeled = people["annotator"].post("/api/apply", json={"query": {"ids": [item]}, "label": "blue"})
    assert relabeled.status_code == 200


def test_what_an_annotator_submits_of_another_s_item_is_a_second_opinion(
    people: dict[str, httpx.Client], said: dict[str, list[str]]
) -> None:
    item = said["owner"][0]
    before = shown(people["owner"], [item])
    other = next(name for name in ("red", "green", "blue") if name != before[item]["label"])
    assert people["annotator"].post("/api/submit_labels", json=[{"id": item, "label": other}]).status_code == 200
    assert shown(people["owner"], [item]) == before
    assert people["annotator"].post("/api/undo", json={}).json()["undone"] == 1
    assert shown(people["owner"], [item]) == before


def test_names_of_others_are_shown_to_reviewers_and_owners_alone(
    people: dict[str, httpx.Client], said: dict[str, list[str]]
) -> None:
    everybody = said["annotator"] + said["owner"]
    for field in NAMING:
        people["owner"].post("/api/filters", json={"name": f"{field} of the owner", "query": {field: ["owner"]}})
    for name, client in people.items():
        visible = {"annotator", "owner"} if name in ("reviewer", "owner") else {name} & {"annotator"}
        assert {one["annotator"] for one in shown(client, everybody).values()} - {None} == visible
        counted = client.post("/api/items/counts", json={"query": {}}).json()["annotators"]
        assert {one["value"] for one in counted} == visible
        assert {one["annotator"] for one in client.get("/api/progress").json()["people"]} == visible
        saved = [one["name"] for one in client.get("/api/filters").json()["filters"]]
        assert saved == ([f"{field} of the owner" for field in NAMING] if "owner" in visible else [])
        for path, field in itertools.product(("/api/items", "/api/items/counts"), NAMING):
            status = client.post(path, json={"query": {field: ["owner"]}}).status_code
            assert status == (200 if "owner" in visible else 403), (path, field)
    for path, field in itertools.product(("/api/items/claim", "/api/apply"), NAMING):
        assert people["annotator"].post(path, json={"query": {field: ["owner"]}}).status_code == 403, (path, field)
    own = people["annotator"].post("/api/items", json={"query": {"annotators": ["annotator"]}}).json()
    assert {one["annotator"] for one in own["items"]} == {"annotator"}


def test_no_answer_that_an_annotator_or_a_viewer_gets_holds_another_s_name(tmp_path: Path) -> None:
    """Whatever route: everything that can be asked without arguments is searched for a name that is nothing else."""
    name = "zuleika-quill"
    config = AppConfig(projects=(make_config(write_pictures(tmp_path / "pictures", per_class=8), train_every=4),))
    logins = dict.fromkeys((name, "annotator", "viewer"), "secret")
    roles = {name: Role.OWNER, "annotator": Role.ANNOTATOR, "viewer": Role.VIEWER}
    app = create_app(config, tmp_path / "work", logins, roles)
    try:
        address = app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
        [project] = app.projects.values()
        wait_for(lambda: project.pipeline.progress.state == "done")
        clients = {
            one: httpx.Client(
                base_url=address, headers={"Authorization": f"Bearer {app.access.token(one)}"}, timeout=30
            )
            for one in logins
        }
        batch = clients[name].get("/api/next_batch", params={"size": 12}).json()
        labels = [{"id": item["id"], "label": item["id"].split("/")[0]} for item in batch["items"]]
        clients[name].post("/api/submit_labels", json={"batch_id": batch["batch_id"], "labels": labels})
        wait_for(lambda: clients[name].get("/api/status").json()["head"]["version"] > 0)
        picture = next((tmp_path / "pictures").rglob("*.png")).read_bytes()
        assert name in clients[name].post("/api/predict/media", content=picture).text
        for one in ("annotator", "viewer"):
            assert name not in clients[one].post("/api/predict/media", content=picture).text
            for row in RouteTable().rows:
                if row.path.startswith("/api/") and "{" not in row.path:
                    answer = clients[one].request(row.method, row.path, json={} if row.method == "POST" else None)
                    assert name not in answer.text, row.name
    finally:
        app.close()


def test_the_page_on_roles_has_the_table_that_the_app_goes_by() -> None:
    text = (Path(__file__).parents[2] / "docs" / "roles.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([^|]+) \| `(\w+ /[^`]+)` \| (\w+) \|$", text, re.MULTILINE)
    own = [row for row in RouteTable().rows if row.what != "open the page"]
    named = [re.sub(r"{(\w+)[^}]*}", r"$\1", row.name) for row in own]
    assert listed == [(row.what, name, str(row.least or "everybody")) for row, name in zip(own, named, strict=True)]
