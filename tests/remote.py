"""Real stores on loopback for tests: a server of S3 (moto) with a bucket, and a web server of a folder."""

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import pytest

BUCKET = "pictures"


@dataclass
class WebServer:
    """A folder behind `address`.

    Attributes:
        asked: the paths that were asked for, with their query and the Authorization header.
        login: what the Authorization header has to be; "" for nothing.
        torn: paths whose answers end in the middle.
        has_ranges: whether a part of a file can be asked for.
        sent: bytes of the parts that were.
    """

    address: str
    asked: list[tuple[str, str]] = field(default_factory=list)
    login: str = ""
    torn: set[str] = field(default_factory=set)
    has_ranges: bool = False
    sent: int = 0


class S3:
    """A bucket on a server that can be stopped and started again at the same port, with the objects that it had."""

    def __init__(self) -> None:
        self.port = 0
        self.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def client(self) -> Any:
        import boto3

        return boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1")

    def put(self, folder: Path, prefix: str = "") -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                key = prefix + path.relative_to(folder).as_posix()
                self.client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def start(self) -> None:
        """The objects are in the memory of this process."""
        from moto.server import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import make_server

        app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", self.port, app, threaded=True)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """An empty bucket; the environment says where the server is and who asks."""
    pytest.importorskip("s3fs", reason="s3fs is not installed: pip install 'fastlabel-gradio[remote]'")
    from fastlabel_gradio.sources import remote_store

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ann")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(remote_store, "PAUSES_S", (0.01,))
    bucket = S3()
    httpx.post(f"{bucket.endpoint}/moto-api/reset").raise_for_status()
    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket.endpoint)
    remote_store.forget()
    bucket.client.create_bucket(Bucket=BUCKET)
    yield bucket
    bucket.stop()
    remote_store.forget()


@pytest.fixture
def gs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path, str], None]]:
    """An empty bucket on a server of Google's storage; puts a folder below a prefix."""
    pytest.importorskip("gcsfs", reason="gcsfs is not installed: pip install 'fastlabel-gradio[remote]'")
    from gcp_storage_emulator.server import create_server

    from fastlabel_gradio.sources import remote_store

    server = create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
    server.start()
    endpoint = f"http://127.0.0.1:{server._api._httpd.server_port}"
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", endpoint)
    monkeypatch.setenv("FSSPEC_GS_TOKEN", "anon")
    remote_store.forget()

    def put(folder: Path, prefix: str) -> None:
        for path in folder.rglob("*"):
            if path.is_file():
                asked = {"uploadType": "media", "name": prefix + path.relative_to(folder).as_posix()}
                address = f"{endpoint}/upload/storage/v1/b/{BUCKET}/o"
                httpx.post(address, params=asked, content=path.read_bytes()).raise_for_status()

    yield put
    server.stop()
    remote_store.forget()


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """A web server of `tmp_path / "web"`."""
    pytest.importorskip("aiohttp", reason="aiohttp is not installed: pip install 'fastlabel-gradio[remote]'")
    from fastlabel_gradio.sources import remote_store

    monkeypatch.setattr(remote_store, "PAUSES_S", (0.01,))
    (tmp_path / "web").mkdir()
    said = WebServer("")
    handler = functools.partial(_Handler, said, directory=str(tmp_path / "web"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        said.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield said
        server.shutdown()


class _Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, said: WebServer, *args: Any, **options: Any) -> None:
        self._said = said
        super().__init__(*args, **options)

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        self._said.asked.append((self.path, given))
        if self._said.login and given != self._said.login:
            self.send_error(401)
        elif self.path in self._said.torn:
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"half")
        elif self._said.has_ranges and self.headers.get("Range"):
            self._send_part()
        else:
            super().do_GET()

    def _send_part(self) -> None:
        start, end = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        with Path(self.translate_path(self.path)).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(start)
            part = file.read(end + 1 - start)
        self._said.sent += len(part)
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        """Says nothing."""
