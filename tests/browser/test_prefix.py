"""The page behind a reverse proxy that serves it below a path of its own."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Serving, become_guest
from tests.browser.label_page import LabelPage, expect
from tests.pools import make_config, write_pictures

if TYPE_CHECKING:
    from playwright.sync_api import Page

PREFIX = "/below"
PASSED_ON = ("Content-Type", "Cookie", "Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode")


class _Proxy(BaseHTTPRequestHandler):
    """Passes requests below PREFIX on without it; there is nothing else."""

    target = ""
    astray: list[str] = []  # noqa: RUF012  # one list for all requests, read by the test

    def do_GET(self) -> None:
        self._pass_on(None)

    def do_POST(self) -> None:
        self._pass_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _pass_on(self, body: bytes | None) -> None:
        if not self.path.startswith(f"{PREFIX}/"):
            self.astray.append(self.path)
            self.send_error(404)
            return
        headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
        request = urllib.request.Request(self.target + self.path.removeprefix(PREFIX), body, headers)
        request.add_header("Host", self.headers["Host"])
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        content = answer.read()
        self.send_response(answer.status)
        for name in ("Content-Type", "Cache-Control", "Set-Cookie"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def below(serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a proxy, at whose PREFIX a served pool of pictures is."""
    monkeypatch.setenv("GRADIO_ROOT_PATH", PREFIX)
    _, address = serving(make_config(write_pictures(tmp_path / "pictures", per_class=10)))
    host, _, port = address.removeprefix("http://").partition("/")[0].partition(":")
    _Proxy.target, _Proxy.astray = f"http://{host}:{port}", []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Proxy) as proxy:
        Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_port}{PREFIX}"
        proxy.shutdown()


def test_scripts_rest_and_pictures_are_asked_for_below_the_prefix(page: "Page", below: str) -> None:
    become_guest(page.context, below)
    visitor = LabelPage(page, below).open()
    visitor.key("1", "2")
    visitor.submit()
    expect(visitor.number("labeled")).to_have_text("2")
    assert [path for path in _Proxy.astray if path.startswith(("/web", "/api", "/media"))] == []
