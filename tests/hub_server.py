"""A hub on this machine: what `huggingface_hub` asks to make a repository and to commit files to it, over HTTP."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hub:
    """One repository.

    Attributes:
        files: what was committed, by name.
        commits: the names that each commit added.
        fails_at: the number of a commit that is refused, from 0; None for none.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.commits: list[list[str]] = []
        self.made: list[dict[str, Any]] = []
        self.fails_at: int | None = None
        self.address = ""

    def answer(self, path: str, body: bytes) -> tuple[int, object]:
        """Status and JSON for a request."""
        if path == "/api/repos/create":
            self.made.append(json.loads(body))
            return 200, {"url": f"{self.address}/datasets/{self.made[-1]['organization']}/{self.made[-1]['name']}"}
        if "/preupload/" in path:
            return 200, {"files": [self._known(one["path"]) for one in json.loads(body)["files"]]}
        if "/commit/" in path:
            return self._commit([json.loads(line) for line in body.splitlines() if line.strip()])
        return 200, {"sha": "0" * 40, "id": "ann/x", "errors": [], "warnings": [], "siblings": []}

    def _known(self, name: str) -> dict[str, object]:
        content = self.files.get(name)
        oid = None if content is None else hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        return {"path": name, "uploadMode": "regular", "shouldIgnore": False, "oid": oid}

    def _commit(self, lines: list[dict[str, Any]]) -> tuple[int, object]:
        if self.fails_at == len(self.commits):
            self.fails_at = None
            return 400, {"error": "too many commits"}
        added = [line["value"] for line in lines if line["key"] == "file"]
        self.files |= {one["path"]: base64.b64decode(one["content"]) for one in added}
        self.commits.append([one["path"] for one in added])
        return 200, {"commitUrl": f"{self.address}/datasets/ann/x/commit/1", "commitOid": "1" * 40, "success": True}


@contextmanager
def hub_on_this_machine() -> Iterator[Hub]:
    """The hub, at its address until the block ends."""
    hub = Hub()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = hub.answer(self.path, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        hub.address = f"http://127.0.0.1:{server.server_port}"
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
