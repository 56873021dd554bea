"""The page's scripts as they are served: kept for good by browsers, behind the login, and nothing else of the disk."""

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fastlabel_gradio.app import App
from fastlabel_gradio.ui.web_files import WEB, WebFiles, _version, head_links, start_script, web_files, web_routes
from tests.test_api import start
from tests.test_docs import PROJECT

FILES = web_files()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, str]]:
    app, address = start(tmp_path_factory.mktemp("guarded"), {"ann": "secret-a"})
    yield app, address
    app.close()


def test_every_script_comes_as_javascript_that_a_browser_keeps_for_good() -> None:
    api = FastAPI()
    api.include_router(web_routes(FILES))
    client = TestClient(api)
    assert set(FILES.contents) == {path.relative_to(WEB).as_posix() for path in WEB.rglob("*.js")}
    for name, content in FILES.contents.items():
        answer = client.get(FILES.url(name))
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["content-type"].startswith("text/javascript")
        assert "immutable" in answer.headers["cache-control"]


def test_the_scripts_ask_for_the_login_like_everything_else(guarded: tuple[App, str]) -> None:
    app, address = guarded
    url = f"{address}/{FILES.url('app.js')}"
    assert httpx.get(url).status_code == 401
    headers = {"Authorization": f"Bearer {app.access.token('ann')}"}
    assert httpx.get(url, headers=headers).content == FILES.contents["app.js"]


@pytest.mark.parametrize("name", ["nothing.js", "..%2flabel_grid.py", "%2e%2e%2flabel_grid.py", "/etc/passwd", ""])
def test_nothing_but_the_scripts_is_served(guarded: tuple[App, str], name: str) -> None:
    headers = {"Authorization": f"Bearer {guarded[0].access.token('ann')}"}
    answer = httpx.get(f"{guarded[1]}/web/{FILES.version}/{name}", headers=headers)
    assert answer.status_code == 404
    assert answer.json()["error"]


def test_another_version_is_not_served_under_the_name_of_an_old_one() -> None:
    api = FastAPI()
    api.include_router(web_routes(WebFiles("new", {"app.js": b"new"})))
    answer = TestClient(api).get("/web/old/app.js")
    assert answer.status_code == 404
    assert "Reload the page" in answer.json()["detail"]


def test_the_version_changes_with_any_change_of_a_script() -> None:
    versions = {_version(files) for files in ({"a": b"1"}, {"a": b"2"}, {"b": b"1"}, {"a": b"1", "b": b""}, {})}
    assert len(versions) == 5


def test_every_module_that_a_script_imports_is_there() -> None:
    for name, content in FILES.contents.items():
        for imported in re.findall(r'(?:from|import|import\() ?"\./([^"]+)"', content.decode()):
            assert imported in FILES.contents, name


def test_the_first_view_s_modules_are_fetched_at_once_and_those_of_others_when_they_are_opened() -> None:
    scripts = {
        "app.js": b'import { a } from "./label.js";\nimport("./explore.js");',
        "label.js": b'import {\n  b,\n} from "./words/en.js";\nimport "./side.js";',
        "words/en.js": b'export * from "../shared.js";',
        "views/own.js": b'import { c } from "../shared.js";',
        **dict.fromkeys(("side.js", "shared.js", "explore.js"), b""),
    }
    links = head_links(WebFiles("1", scripts))
    assert re.findall('href="web/1/([^"]+)"', links) == [
        *("app.js", "views/own.js", "label.js", "shared.js", "words/en.js", "side.js")
    ]


def test_every_script_is_installed_with_the_package() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["fastlabel_gradio.ui"]
    installed = {path for pattern in patterns for path in WEB.parent.glob(pattern)}
    assert {WEB / name for name in FILES.contents} <= installed


def test_the_addresses_are_relative_to_the_page_so_that_they_hold_below_a_prefix() -> None:
    assert re.search(r"new URL\('web/\w+/app\.js', document\.baseURI\)", start_script(FILES))
    assert 'href="/' not in head_links(FILES)
