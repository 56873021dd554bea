"""Pages of other sites in a real browser: by address, and by a name of theirs that was made to lead here."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import become_guest
from tests.browser.label_page import BROWSER_ARGUMENTS, CHROMIUM, LabelPage
from tests.test_api import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# What a page tries that wants in: each answer that it could read, or "refused".
ATTACK = """
async (app) => {
  const tell = (promise) => promise.then((answer) => answer.text(), () => "refused");
  const text = JSON.stringify([{id: "red/0000.png", label: 0}]);
  const file = new FormData();
  file.append("files", new Blob(["x".repeat(100000)]), "a.txt");
  const shown = (name, address) => new Promise((resolve) => {
    const element = Object.assign(document.createElement(name), {
      onload: () => resolve("loaded"), onerror: () => resolve("refused"), src: address});
    document.body.append(element);
  });
  return {
    read: await tell(fetch(app + "/api/export?format=json")),
    read_as_known: await tell(fetch(app + "/api/export?format=json", {credentials: "include"})),
    config: await tell(fetch(app + "/config")),
    page: await tell(fetch(app + "/")),
    change: await tell(fetch(app + "/api/submit_labels", {method: "POST", mode: "no-cors", body: text})),
    upload: await tell(fetch(app + "/gradio_api/upload", {method: "POST", mode: "no-cors", body: file})),
    picture: await shown("img", app + "/media/images/item/0"),
    script: await shown("script", app + "/api/status"),
  };
}
"""


@pytest.fixture
def foreign_site(tmp_path: Path) -> Iterator[str]:
    """The address of a page of another site on this machine, by a name that is not the app's."""
    (tmp_path / "index.html").write_text("<!doctype html><title>evil</title><body></body>", encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", free_port()), partial(_Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def misled_browser(browser: "Browser") -> Iterator["Browser"]:
    """A browser that takes every name below .example for this machine, as a hostile name server would have it."""
    arguments = [*BROWSER_ARGUMENTS, "--host-resolver-rules=MAP *.example 127.0.0.1"]
    misled = browser.browser_type.launch(executable_path=CHROMIUM, args=arguments)
    yield misled
    misled.close()


def test_a_page_of_another_site_can_neither_read_nor_change_nor_upload(
    page: "Page", ten_classes: str, foreign_site: str
) -> None:
    become_guest(page.context, ten_classes)
    visitor = LabelPage(page, ten_classes).open()
    before = visitor.rest.status()["labeled"]
    page.goto(foreign_site)
    tried = page.evaluate(ATTACK, ten_classes)
    assert {tried.pop("change"), tried.pop("upload")} <= {"", "refused"}  # sent, and answered with what nobody can read
    assert set(tried.values()) == {"refused"}
    assert visitor.rest.status()["labeled"] == before
    assert visitor.rest.stored() == {}


def test_a_page_of_another_site_cannot_show_the_app_in_a_frame(
    page: "Page", ten_classes: str, foreign_site: str
) -> None:
    page.goto(foreign_site)
    with page.expect_response(f"{ten_classes}/") as answered:
        page.evaluate(
            "(app) => { document.body.append(Object.assign(document.createElement('iframe'), {src: app})) }",
            f"{ten_classes}/",
        )
    assert answered.value.headers["x-frame-options"] == "SAMEORIGIN"
    page.wait_for_function("frames.length == 1")
    for _ in range(100):  # the browser answers first and shows its own page a moment later
        if page.frames[1].url:
            break
        page.wait_for_timeout(50)
    assert page.frames[1].url.startswith("chrome-error://")


def test_a_link_on_a_page_of_another_site_opens_the_app(page: "Page", ten_classes: str, foreign_site: str) -> None:
    become_guest(page.context, ten_classes)
    page.goto(foreign_site)
    page.evaluate("(app) => { location.href = app }", f"{ten_classes}/")
    page.wait_for_url(f"{ten_classes}/")
    LabelPage(page, ten_classes).wait_ready()


@pytest.mark.parametrize("name", ["evil.example", "a{b}.example", "a`b.example", "a'b.example", "a_b.example"])
def test_a_name_made_to_lead_here_shows_nothing(misled_browser: "Browser", ten_classes: str, name: str) -> None:
    page = misled_browser.new_page()
    try:
        for path in ("/", "/config", "/api/export?format=json", "/media/images/item/0", "/gradio_api/info"):
            answer = page.goto(f"http://{name}:{urlsplit(ten_classes).port}{path}")
            assert answer is not None
            assert answer.status == 403
            assert "is not this app" in answer.text()
    finally:
        page.close()
