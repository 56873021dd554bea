"""The page's scripts as they are served: kept for good by browsers, behind the login, and nothing else of the disk."""

import gzip
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fastlabel_gradio.app import App
from fastlabel_gradio.ui.one_script import NAME, one_script
from fastlabel_gradio.ui.web_files import WEB, WebFiles, _version, head_links, start_script, web_files, web_routes
from tests.cases import each
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
    assert set(FILES.contents) == {NAME} | {path.relative_to(WEB).as_posix() for path in WEB.rglob("*.js")}
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


@each("name", ["nothing.js", "..%2flabel_grid.py", "%2e%2e%2flabel_grid.py", "/etc/passwd", ""])
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


def test_the_page_fetches_one_script_and_those_of_added_views() -> None:
    scripts = one_script({"app.js": b'import { a } from "./label.js";', "label.js": b"export const a = 1;"})
    links = head_links(WebFiles("1", {**scripts, "views/own.js": b'import { a } from "../label.js";'}))
    assert re.findall('href="web/1/([^"]+)"', links) == [NAME, "app.js", "views/own.js"]


def test_the_one_script_runs_each_module_once_when_it_is_asked_for(tmp_path: Path) -> None:
    modules = {
        "app.js": b"""import { a as b, C } from "./part.js";
import "./side.js";
export const said = [b(), C.name, globalThis.ran];
""",
        "part.js": b"""import words from "./words/en.js";
export function a() {
  return words.hello;
}
export class C {}
""",
        "side.js": b"""globalThis.ran = (globalThis.ran ?? 0) + 1;
export const side = later("nothing");
function later(x) {
  return x;
}
""",
        "later.js": b"""import {
  side,
} from "./side.js";
export const later = [side, globalThis.ran];
globalThis.ran += 1;
""",
        "words/en.js": b'export default {\n  "hello": "a line\\nwith ${code}"\n};\n',
    }
    (tmp_path / "words").mkdir()
    for name, content in one_script(modules).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    asked = """
        const { said } = await import("./app.js");
        const { later } = await import("./later.js");
        console.log(JSON.stringify([said, later, globalThis.ran, (await import("./words/en.js")).default.hello]));
    """
    (tmp_path / "asked.js").write_text(asked)
    assert json.loads(node(tmp_path / "asked.js")) == [
        ["a line\nwith ${code}", "C", 1],
        ["nothing", 1],
        2,
        "a line\nwith ${code}",
    ]


def test_a_module_in_another_form_is_refused_by_name() -> None:
    for line in (
        "export * from './other.js';",
        'import * as all from "./other.js";',
        "export { a };",
        "export let a = 1;",
    ):
        with pytest.raises(ValueError, match=r"own\.js: .*no import or export of the form"):
            one_script({"own.js": line.encode()})


def test_modules_import_each_other_in_no_circle() -> None:
    """A circle would never end, as each module is made when the first other asks for it."""
    needed = {
        path.name: re.findall(r'^(?:import|.*from) .*"\./([^"]+)";$', path.read_text(), re.MULTILINE)
        for path in WEB.glob("*.js")
    }
    assert needed["app.js"]
    TopologicalSorter(needed).prepare()


def test_scripts_come_compressed_where_the_browser_takes_that() -> None:
    api = FastAPI()
    api.include_router(web_routes(FILES))
    client = TestClient(api)
    url = FILES.url(NAME)
    with client.stream("GET", url, headers={"Accept-Encoding": "gzip, br"}) as packed:
        raw = b"".join(packed.iter_raw())
    plain = client.get(url, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(raw) == plain.content == FILES.contents[NAME]
    assert len(raw) < len(plain.content) / 3
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_every_script_is_installed_with_the_package() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["fastlabel_gradio.ui"]
    installed = {path for pattern in patterns for path in WEB.parent.glob(pattern)}
    assert {WEB / name for name in FILES.contents} - {WEB / NAME} <= installed


def test_the_addresses_are_relative_to_the_page_so_that_they_hold_below_a_prefix() -> None:
    assert re.search(r"new URL\('web/\w+/app\.js', document\.baseURI\)", start_script(FILES))
    assert 'href="/' not in head_links(FILES)


def node(script: Path) -> str:
    """What a script prints. Skips where Node is not installed: the tests of the page in a browser run its script, too."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("No node on the PATH")
    return subprocess.run(
        [program, script], cwd=script.parent, check=True, capture_output=True, text=True, timeout=60
    ).stdout
