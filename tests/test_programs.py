"""Programs that call the app: Gradio's own client by names, and an MCP client with tools that read; both behind the guard."""

import asyncio
import json
import re
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from gradio_client import Client
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client

from fastlabel_gradio.app import App, create_app
from fastlabel_gradio.config import AppConfig
from fastlabel_gradio.serve_command import parser
from fastlabel_gradio.server.access import Role
from fastlabel_gradio.ui.api_names import NAMES
from tests.classifier_pools import train
from tests.documents import blocks, read
from tests.pools import make_config, wait_for, write_pictures
from tests.test_api import free_port

READ = ["list_to_review", "predict", "search", "status"]
LOGINS = {"ann": "of ann", "vic": "of vic"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("programs")
    config = AppConfig(projects=(make_config(write_pictures(folder / "pictures", per_class=20)),))
    roles = {"ann": Role.ANNOTATOR, "vic": Role.VIEWER}
    app = create_app(config, folder / "work", LOGINS, roles, mcp="read")
    app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
    project = app.projects["images"]
    wait_for(lambda: project.pipeline.progress.state == "done")
    train(project, batches=1)
    yield app
    app.close()


@pytest.fixture(scope="module")
def address(app: App) -> str:
    return str(app.page.local_url).rstrip("/")


@pytest.fixture(scope="module")
def ann(address: str) -> Client:
    return Client(address, auth=("ann", LOGINS["ann"]), verbose=False)


def in_a_thread(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Its result. The thread of the tests may have a loop already: Playwright's."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, coroutine).result()


def bearer(app: App, name: str = "ann") -> dict[str, str]:
    return {"Authorization": f"Bearer {app.access.token(name)}"}


def rest(app: App, address: str, path: str) -> dict[str, Any]:
    return dict(httpx.get(f"{address}{path}", headers=bearer(app)).json())


def test_gradios_client_labels_as_rest_does(app: App, address: str, ann: Client) -> None:
    before = rest(app, address, "/api/status")
    assert ann.predict(api_name="/status")["labeled"] == before["labeled"] == 12
    batch = ann.predict(size=6, api_name="/next_batch")
    assert len(batch["items"]) == 6
    assert rest(app, address, "/api/next_batch?size=6")["batch_id"] == batch["batch_id"]
    labels = [{"id": item["id"], "label": item["id"].split("/")[0]} for item in batch["items"]]
    done = ann.predict(labels=labels, batch_id=batch["batch_id"], api_name="/submit_labels")
    assert (done["accepted"], done["labeled"]) == (6, 18)
    assert ann.predict(query={"annotators": ["ann"]}, api_name="/search")["total"] == 18
    said = ann.predict(ids=[labels[0]["id"]], api_name="/predict")["predictions"]
    assert [one["id"] for one in said] == [labels[0]["id"]]


def test_the_example_of_the_documents_labels(app: App, address: str) -> None:
    before = rest(app, address, "/api/status")["labeled"]
    [example] = [block for block in blocks(read("docs/rest.md"), "python") if block.heading == "From programs"]
    here = f'"{address}", auth=("ann", "{LOGINS["ann"]}"), verbose=False'
    exec(example.text.replace('"http://127.0.0.1:7860"', here), {})
    assert rest(app, address, "/api/status")["labeled"] > before


def test_the_documents_name_what_programs_call() -> None:
    named = set(re.findall(r"^\| `/(\w+)` \|", read("docs/rest.md"), re.MULTILINE))
    assert named == {name.__name__ for name in NAMES}


def test_the_foot_of_the_page_leads_to_what_programs_call(app: App, address: str) -> None:
    assert rest(app, address, "/config")["footer_links"] == ["api"]
    assert set(rest(app, address, "/gradio_api/info")["named_endpoints"]) == {f"/{name.__name__}" for name in NAMES}


def test_an_error_of_a_name_is_that_of_its_route(ann: Client) -> None:
    with pytest.raises(Exception, match="purple"):
        ann.predict(labels=[{"id": "red/0001.png", "label": "purple"}], api_name="/submit_labels")
    with pytest.raises(Exception, match="'nothing'"):
        ann.predict(project="nothing", api_name="/status")


def test_the_roles_of_the_routes_hold_for_the_names(address: str) -> None:
    viewer = Client(address, auth=("vic", LOGINS["vic"]), verbose=False)
    assert viewer.predict(api_name="/status")["project"] == "images"
    with pytest.raises(Exception, match="need the role annotator"):
        viewer.predict(api_name="/next_batch")
    with pytest.raises(Exception, match="need the role annotator"):
        viewer.predict(labels=[{"id": "red/0001.png", "label": "red"}], api_name="/submit_labels")


def test_a_token_serves_where_there_is_no_login_form(app: App, address: str) -> None:
    client = Client(address, headers=bearer(app), verbose=False)
    assert client.predict(api_name="/status")["project"] == "images"
    called = httpx.post(f"{address}/gradio_api/call/status", json={"data": [""]}, headers=bearer(app))
    event = called.json()["event_id"]
    answer = httpx.get(f"{address}/gradio_api/call/status/{event}", headers=bearer(app))
    assert "event: complete" in answer.text


def test_nobody_calls_without_a_login(address: str) -> None:
    for method, path in (
        ("POST", "/gradio_api/queue/join"),
        ("POST", "/gradio_api/call/status"),
        ("POST", "/gradio_api/mcp/"),
        ("GET", "/gradio_api/info"),
    ):
        assert httpx.request(method, f"{address}{path}", json={"data": [""]}).status_code == 401, path
    for path in ("/gradio_api/upload", "/gradio_api/run/status", "/gradio_api/file=/etc/passwd", "/gradio_api/mcp/sse"):
        assert httpx.post(f"{address}{path}", json={}).status_code == 404, path


def test_an_mcp_client_reads_and_does_not_write(app: App, address: str) -> None:
    async def use() -> tuple[list[str], list[dict[str, Any]], str]:
        async with (
            streamablehttp_client(f"{address}/gradio_api/mcp/", headers=bearer(app)) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = sorted(tool.name for tool in (await session.list_tools()).tools)
            calls = (
                ("status", {}),
                ("search", {"query": {"text": "red/"}, "size": 3}),
                ("predict", {"ids": ["red/0001.png"]}),
                ("list_to_review", {}),
            )
            answers = []
            for call in calls:
                answer = await session.call_tool(*call)
                assert not answer.isError, answer.content
                answers.append(json.loads(answer.content[0].text))  # type: ignore[union-attr]
            refused = await session.call_tool("submit_labels", {"labels": []})
            assert refused.isError
            return tools, answers, refused.content[0].text  # type: ignore[union-attr]

    tools, (status, found, said, doubted), refused = in_a_thread(use())
    assert tools == READ
    assert status["project"] == "images"
    assert (found["total"], len(found["items"])) == (20, 3)
    assert said["predictions"][0]["id"] == "red/0001.png"
    assert doubted["items"] == [] or doubted["items"][0]["label"]
    assert "submit_labels" in refused


def test_mcp_is_off_by_default_and_writing_has_a_word_of_its_own() -> None:
    assert [parser().parse_args(words).mcp for words in ([], ["--mcp"], ["--mcp", "write"])] == [None, "read", "write"]
