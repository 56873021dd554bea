"""The guard around a served app: hosts, Gradio's routes, origins, logins, lengths, and what answers carry."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fastlabel_gradio.app import App
from fastlabel_gradio.server.access import RouteTable
from fastlabel_gradio.server.access.body_limit import MAX_BODY_BYTES, MAX_ENTRY_BYTES
from fastlabel_gradio.server.access.login_delay import FREE, LoginDelay
from fastlabel_gradio.server.json_body import MOST_FIELDS
from tests.cases import each
from tests.pools import wait_for
from tests.test_api import start

PASSWORDS = {"ann": "secret-a", "bob": "secret-b"}
EVERYWHERE = (
    *("/", "/config", "/theme.css", "/static/img/logo.svg", "/gradio_api/info", "/gradio_api/upload", "/nothing"),
    *("/api/status", "/api/nothing", "/media/images/item/0", "/docs", "/openapi.json", "/login", "/logout"),
)
CLOSED = (
    *("/gradio_api/upload", "/gradio_api/upload?upload_id=1", "/gradio_api/component_server", "/gradio_api/stream/1"),
    *("/gradio_api/run/predict", "/gradio_api/process_recording"),
)
FOR_PROGRAMS = (
    "/gradio_api/queue/join",
    "/gradio_api/call/x",
)  # Gradio's own client; tests/test_programs.py calls them


@pytest.fixture(scope="module")
def open_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, str]]:
    app, address = start(tmp_path_factory.mktemp("open"))
    yield app, address
    app.close()


@pytest.fixture(scope="module")
def closed_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, str]]:
    """An app with logins."""
    app, address = start(tmp_path_factory.mktemp("closed"), PASSWORDS)
    yield app, address
    app.close()


@pytest.fixture
def guarded(closed_app: tuple[App, str], monkeypatch: pytest.MonkeyPatch) -> tuple[App, str]:
    """That app, with no wrong login so far."""
    monkeypatch.setattr(closed_app[0].access, "_delay", LoginDelay())
    return closed_app


def exchange(address: str, *parts: bytes) -> tuple[int, dict[str, str], bytes]:
    """Sends bytes as they are and reads one answer: its status, headers and body."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65_536)
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65_536)
    return int(first.split()[1]), headers, body


def ask(method: str, url: str, **request: Any) -> httpx.Response:
    """One request without cookies of others; `verify=False` saves the reading of certificates, which takes 50 ms."""
    with httpx.Client(verify=False, timeout=30) as client:
        return client.request(method, url, **request)


def reason(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()) == {"error"}
    return str(answer.json()["error"])


# Host names


@each("path", EVERYWHERE)
def test_a_name_made_to_lead_here_gets_nothing_from_any_route(open_app: tuple[App, str], path: str) -> None:
    for host in ("evil.example", "a{b}.example:7860", "a`b.example", 'a"b.example', "[::1"):
        for method in ("GET", "POST", "OPTIONS"):
            answer = ask(method, open_app[1] + path, headers={"Host": host})
            assert answer.status_code == 403, (host, method)
            assert "--allow-host" in reason(answer), (host, method)


def test_a_login_does_not_open_other_names(guarded: tuple[App, str]) -> None:
    headers = {"Host": "evil.example", "Authorization": f"Bearer {guarded[0].access.token('ann')}"}
    assert ask("GET", f"{guarded[1]}/api/status", headers=headers).status_code == 403


@each("head", [b"", b"Host: 127.0.0.1\r\nHost: evil.example\r\n"])
@each("version", [b"1.0", b"1.1"])
def test_a_request_without_one_host_is_refused(open_app: tuple[App, str], head: bytes, version: bytes) -> None:
    status, _, _ = exchange(open_app[1], b"GET /config HTTP/" + version + b"\r\n" + head + b"\r\n")
    assert status == 400


@each("host", ["localhost", "LOCALHOST:7860", "[::1]:7860", "127.0.0.1"])
def test_this_machine_s_names_lead_to_page_and_rest(open_app: tuple[App, str], host: str) -> None:
    for path in ("/", "/config", "/api/status", "/docs"):
        assert ask("GET", open_app[1] + path, headers={"Host": host}).status_code == 200


# Gradio's routes


def test_of_gradio_only_what_the_page_needs_is_open(open_app: tuple[App, str]) -> None:
    app, address = open_app
    routes = app.page.app.openapi()["paths"]
    assert {"/gradio_api/upload", "/gradio_api/queue/join", "/config"} < set(routes)
    needed = set()
    for path, methods in routes.items():
        for method in map(str.upper, methods):
            place = re.sub(r"{[^}]+}", "x", path)
            if RouteTable().find(method, place):
                needed.add(path)
            else:
                answer = ask(method, address + place)
                assert answer.status_code == 404, (method, path)
                assert method == "HEAD" or "/docs" in reason(answer)
    assert needed == {
        *("/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/pwa_icon", "/pwa_icon/{size}"),
        *("/robots.txt", "/login", "/logout", "/assets/{path}", "/static/{path}", "/svelte/{path}"),
        "/gradio_api/startup-events",
        *(
            "/gradio_api/info",
            "/gradio_api/queue/join",
            "/gradio_api/queue/data",
            "/gradio_api/heartbeat/{session_hash}",
        ),
        *(
            "/gradio_api/call/{api_name}",
            "/gradio_api/call/{api_name}/{event_id}",
            "/gradio_api/reset",
            "/gradio_api/cancel",
        ),
    }


@each("headers", [{}, {"Origin": "https://evil.example"}])
@each("path", CLOSED)
def test_no_file_is_taken(open_app: tuple[App, str], path: str, headers: dict[str, str]) -> None:
    app, address = open_app
    uploads = Path(app.page.app.uploaded_file_dir)
    before = sorted(uploads.rglob("*")) if uploads.exists() else []
    answer = ask("POST", address + path, files={"files": ("a.txt", b"x" * 100_000)}, headers=headers)
    assert answer.status_code in (403, 404)
    assert reason(answer)
    assert (sorted(uploads.rglob("*")) if uploads.exists() else []) == before


@each("path", FOR_PROGRAMS)
def test_no_event_is_taken_from_another_site_and_none_with_a_file(open_app: tuple[App, str], path: str) -> None:
    app, address = open_app
    uploads = Path(app.page.app.uploaded_file_dir)
    before = sorted(uploads.rglob("*")) if uploads.exists() else []
    event = {"data": [], "session_hash": "x", "fn_index": 0}
    answer = ask("POST", address + path, json=event, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert reason(answer)
    assert ask("POST", address + path, files={"files": ("a.txt", b"x" * 100_000)}).status_code == 422
    assert (sorted(uploads.rglob("*")) if uploads.exists() else []) == before


def test_an_upload_is_refused_before_its_body_is_sent(open_app: tuple[App, str]) -> None:
    head = head_of(open_app[1], f"Content-Length: {10**9}", path="/gradio_api/upload")
    assert exchange(open_app[1], head)[0] == 404


@each("path", ["/", "/api/status", "/gradio_api/queue/join"])
def test_there_are_no_websockets(open_app: tuple[App, str], path: str) -> None:
    handshake = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert exchange(open_app[1], handshake.encode())[0] != 101


@each("path", ["/assets/../../../../etc/passwd", "/static/..%2f..%2f..%2fetc/passwd", "/svelte/%2e%2e/%2e%2e/x"])
def test_the_page_s_files_are_no_way_out_of_their_folder(open_app: tuple[App, str], path: str) -> None:
    status, _, body = exchange(open_app[1], f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    assert status in (403, 404)
    assert b"root:" not in body


# Origins


@each("path", ["/", "/config", "/theme.css", "/login", "/api/status", "/api/undo", "/docs"])
def test_a_foreign_or_malformed_origin_is_a_plain_refusal(open_app: tuple[App, str], path: str) -> None:
    for origin in ("http://[::1", "http://[", "http://a:b", "null", "\x80", "https://evil.example"):
        for method in ("GET", "POST", "OPTIONS"):
            answer = ask(method, open_app[1] + path, headers={"Origin": origin.encode("latin-1")})
            assert 400 <= answer.status_code < 500, (origin, method)
            assert reason(answer)
            assert "access-control-allow-origin" not in answer.headers, (origin, method)


@each("name", ["Referer", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Gradio-Server", "Cookie", "Range"])
def test_a_malformed_header_is_no_fault_of_the_server(open_app: tuple[App, str], name: str) -> None:
    for value in (b"http://[::1", b"\xff\xff", b"a{b}", b"", b"," * 1000):
        for path in ("/", "/config", "/logout", "/api/status", "/media/images/item/0"):
            assert ask("GET", open_app[1] + path, headers=[(name, value)]).status_code < 500, (path, value)


def test_a_link_from_another_site_opens_the_page_alone(open_app: tuple[App, str]) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert ask("GET", f"{open_app[1]}/", headers=link).status_code == 200
    for path in ("/api/export", "/config", "/logout", "/media/images/item/0"):
        assert ask("GET", open_app[1] + path, headers=link).status_code == 403


def test_a_form_of_another_site_cannot_log_a_browser_in(guarded: tuple[App, str]) -> None:
    form = {"username": "ann", "password": "secret-a"}
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = ask("POST", f"{guarded[1]}/login", data=form, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


# Errors


@each("path", ["/api", "/api/", "/api/nothing", "/media", "/media/images", "/media/images/item/a/b"])
def test_a_path_that_does_not_exist_has_a_reason(open_app: tuple[App, str], path: str) -> None:
    answer = ask("GET", open_app[1] + path)
    assert answer.status_code == 404
    assert path in reason(answer)


def test_a_method_that_does_not_exist_has_a_reason(open_app: tuple[App, str]) -> None:
    for method, path in (("GET", "/api/undo"), ("DELETE", "/api/status"), ("PUT", "/media/images/item/0")):
        answer = ask(method, open_app[1] + path)
        assert answer.status_code == 405
        assert f"{method} {path}" in reason(answer)
        assert answer.headers["allow"]


def test_a_bug_is_answered_in_json_too(open_app: tuple[App, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(open_app[0].projects["images"], "labeler", fail)
    answer = ask("GET", f"{open_app[1]}/api/status")
    assert answer.status_code == 500
    assert "log says why" in reason(answer)
    assert "secret detail" not in answer.text


LONG = "x" * 5_000


@each(
    "path, body",
    [
        (f"/api/status?project={LONG}", None),
        (f"/api/next_batch?strategy={LONG}", None),
        (f"/api/export?format={LONG}", None),
        (f"/api/evaluation?target={LONG}", None),
        (f"/media/{LONG}/item/0", None),
        (f"/media/images/item/{'9' * 5_000}", None),
        (f"/media/images/sheet/{LONG}.jpg", None),
        (f"/api/{LONG}", None),
        ("/api/renew", {"batch_id": LONG}),
        ("/api/undo", {"project": LONG}),
        ("/api/submit_labels", {"labels": [], "batch_id": LONG}),
        ("/api/submit_labels", [{"id": LONG, "label": 0}]),
        ("/api/submit_labels", [{"id": LONG * 2, "label": 0}]),
        ("/api/submit_labels", [{"id": "red/0000.png", "label": LONG[:1000]}]),
        ("/api/submit_labels", [{"id": "red/0000.png", "label": LONG}]),
        ("/api/submit_labels", [{"id": 10**400, "label": 0}]),
        ("/api/submit_labels", [{"id": 0, "label": 10**400}]),
        ("/api/submit_labels", {LONG: 1}),
    ],
)
def test_what_is_repeated_of_a_long_value_is_cut(open_app: tuple[App, str], path: str, body: object) -> None:
    answer = ask("GET" if body is None else "POST", open_app[1] + path, json=body)
    assert 400 <= answer.status_code < 500
    assert len(reason(answer)) < 1_000


# Lengths


def head_of(address: str, *lines: str, path: str = "/api/submit_labels") -> bytes:
    host = f"Host: {address.removeprefix('http://')}"
    return "\r\n".join((f"POST {path} HTTP/1.1", host, "Content-Type: application/json", *lines, "", "")).encode()


def test_without_a_login_nothing_of_a_body_is_read(guarded: tuple[App, str]) -> None:
    for length in ("Content-Length: 91000000", "Transfer-Encoding: chunked"):
        status, _, body = exchange(guarded[1], head_of(guarded[1], length))  # not a byte of the body is sent
        assert status == 401
        assert "Bearer" in json.loads(body)["error"]


def test_a_body_that_says_it_is_too_long_is_not_read(open_app: tuple[App, str]) -> None:
    status, _, body = exchange(open_app[1], head_of(open_app[1], f"Content-Length: {MAX_BODY_BYTES + 1}"))
    assert status == 413
    assert f"{MAX_BODY_BYTES:,} bytes" in json.loads(body)["error"]


def test_a_body_is_counted_while_it_comes_in(open_app: tuple[App, str]) -> None:
    chunk = b"%x\r\n" % 100_000 + b" " * 100_000 + b"\r\n"
    chunks = [chunk] * (MAX_BODY_BYTES // 100_000 + 1)  # the end never comes
    status, _, body = exchange(open_app[1], head_of(open_app[1], "Transfer-Encoding: chunked"), *chunks)
    assert status == 413
    assert "nothing was stored" in json.loads(body)["error"]


def test_the_login_form_is_limited_too(guarded: tuple[App, str]) -> None:
    answer = ask("POST", f"{guarded[1]}/login", data={"username": "ann", "password": "x" * MAX_BODY_BYTES})
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/login", "/invite"])
def test_little_is_read_of_whoever_has_not_logged_in(guarded: tuple[App, str], path: str) -> None:
    status, _, body = exchange(guarded[1], head_of(guarded[1], f"Content-Length: {MAX_ENTRY_BYTES + 1}", path=path))
    assert status == 413
    assert f"{MAX_ENTRY_BYTES:,} bytes" in json.loads(body)["error"]


def test_a_list_ends_at_its_first_wrong_value(open_app: tuple[App, str]) -> None:
    """Each further one would be another error to write down: 400,000 of them kept everybody waiting for seconds."""
    routes = ask("GET", f"{open_app[1]}/openapi.json").json()
    lists = [(path, *place) for path, body in bodies_of(routes) for place in lists_of(body, routes) if place]
    assert ("/api/submit_labels", "labels") in lists
    assert ("/api/items", "query", "states") in lists
    for path, *place in lists:
        body: Any = [{"no": "such"}] * 3
        for name in reversed(place):
            body = {name: body}
        answer = ask("POST", open_app[1] + path, json=body)
        assert answer.status_code == 422
        assert f"{place[-1]}.0" in reason(answer), (path, place)
        assert f"{place[-1]}.1" not in reason(answer), (path, place)


def bodies_of(routes: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The path and the schema of every JSON body."""
    for path, methods in routes["paths"].items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {})
        if "application/json" in content:
            yield path, content["application/json"]["schema"]


def lists_of(schema: dict[str, Any], routes: dict[str, Any]) -> set[tuple[str, ...]]:
    """Where a body has lists of any length: the names of the fields that lead there."""
    if "$ref" in schema:
        return lists_of(routes["components"]["schemas"][schema["$ref"].rpartition("/")[2]], routes)
    found = {place for choice in schema.get("anyOf", ()) for place in lists_of(choice, routes)}
    for name, field in schema.get("properties", {}).items():
        found |= {(name, *place) for place in lists_of(field, routes)}
    return found | ({()} if "items" in schema else set())


@each("path", ["/api/items", "/api/submit_labels", "/invite"])
def test_an_object_of_very_many_fields_is_refused_whole(open_app: tuple[App, str], path: str) -> None:
    body = {"query": {f"field {number}": 1 for number in range(MOST_FIELDS + 1)}}
    answer = ask("POST", open_app[1] + path, json=body)
    assert answer.status_code == 422
    assert f"at most {MOST_FIELDS}" in reason(answer)


def test_as_many_labels_as_are_allowed_fit(open_app: tuple[App, str]) -> None:
    labels = [
        {"id": f"some/folder/with/a/longer/name/recording_{number:06}.flac#t=12.0,15.0", "label": 0}
        for number in range(10_000)
    ]
    answer = ask("POST", f"{open_app[1]}/api/submit_labels", json=labels)
    assert answer.status_code == 422
    assert "not in this project" in reason(answer)


# Logins


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/api/nothing", "/media", "/config"])
def test_descriptions_and_unknown_paths_ask_for_the_login(guarded: tuple[App, str], path: str) -> None:
    app, address = guarded
    assert ask("GET", address + path).status_code == 401
    if path in ("/docs", "/openapi.json"):
        token = {"Authorization": f"Bearer {app.access.token('ann')}"}
        assert ask("GET", address + path, headers=token).status_code == 200


def log_in(address: str, name: str, password: str) -> httpx.Response:
    return ask("POST", f"{address}/login", data={"username": name, "password": password})


def guess_elsewhere(app: App, **key: str) -> None:
    """So many wrong logins of that name or address that the next one would wait for minutes."""
    [pair] = key.items()
    while app.access._delay.turn(pair)[1]:
        pass


def test_wrong_passwords_are_told_in_the_log(guarded: tuple[App, str], caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(FREE["name"]):
        assert log_in(guarded[1], "ann", "guess-1").status_code == 400
    [line] = [record.getMessage() for record in caplog.records if "wrong login" in record.getMessage()]
    assert f"as 'ann' from 127.0.0.1: {FREE['name']} of late" in line
    assert "guess-1" not in caplog.text


def test_a_name_that_is_guessed_at_waits_also_with_the_right_password(guarded: tuple[App, str]) -> None:
    app, address = guarded
    cookies = log_in(address, "ann", "secret-a").cookies
    guess_elsewhere(app, name="ann")
    answer = log_in(address, "ann", "secret-a")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 10
    assert "Try again in" in answer.json()["detail"]
    assert log_in(address, "bob", "secret-b").status_code == 200
    assert ask("GET", f"{address}/api/status", cookies=cookies).json()["annotator"] == "ann"
    token = {"Authorization": f"Bearer {app.access.token('ann')}"}
    assert ask("GET", f"{address}/api/status", headers=token).json()["annotator"] == "ann"


def test_an_address_that_guesses_waits_under_every_name(guarded: tuple[App, str]) -> None:
    guess_elsewhere(guarded[0], address="127.0.0.1")
    assert log_in(guarded[1], "bob", "secret-b").status_code == 429
    assert log_in(guarded[1], "nobody", "x").status_code == 429


def test_wrong_tokens_are_slowed_down_and_right_ones_are_not(
    guarded: tuple[App, str], caplog: pytest.LogCaptureFixture
) -> None:
    app, address = guarded
    guessed = {"Authorization": "Bearer guessed"}
    statuses = [ask("GET", f"{address}/api/status", headers=guessed).status_code for _ in range(FREE["token"])]
    assert set(statuses) == {401}
    assert "wrong login with a token from 127.0.0.1" in caplog.text
    guess_elsewhere(app, token="127.0.0.1")
    refused = ask("GET", f"{address}/api/status", headers=guessed)
    assert refused.status_code == 429
    assert "Too many wrong logins" in reason(refused)
    right = {"Authorization": f"Bearer {app.access.token('ann')}"}
    assert ask("GET", f"{address}/api/status", headers=right).status_code == 200
    assert log_in(address, "ann", "secret-a").status_code == 200


def test_a_login_that_waits_holds_nobody_up(guarded: tuple[App, str]) -> None:
    app, address = guarded
    for _ in range(FREE["name"] + 1):
        app.access._delay.turn(("name", "ann"))
    answers: list[int] = []
    waiting = threading.Thread(target=lambda: answers.append(log_in(address, "ann", "secret-a").status_code))
    waiting.start()
    token = {"Authorization": f"Bearer {app.access.token('bob')}"}
    assert ask("GET", f"{address}/api/status", headers=token).status_code == 200
    assert answers == []
    wait_for(lambda: bool(answers))
    assert answers == [200]
    waiting.join()


def test_the_page_s_login_is_for_this_site_only(guarded: tuple[App, str]) -> None:
    cookies = log_in(guarded[1], "ann", "secret-a").headers.get_list("set-cookie")
    assert len(cookies) == 3  # Gradio's two; and that of an invite, which a login ends
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert cookie.lower().count("samesite") == 1
        assert "SameSite=Lax" in cookie


# Answers


@each("path", ["/", "/theme.css", "/docs", "/api/status", "/api/nothing", "/nothing"])
def test_no_answer_can_be_framed_by_another_site_or_taken_for_another_type(
    open_app: tuple[App, str], path: str
) -> None:
    headers: Any = ask("GET", open_app[1] + path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["content-security-policy"] == "frame-ancestors 'self'"
    assert headers["referrer-policy"] == "same-origin"


# The working directory


def test_everything_in_the_working_directory_is_its_owner_s(open_app: tuple[App, str]) -> None:
    app, address = open_app
    batch = ask("GET", f"{address}/api/next_batch").json()
    labels = [{"id": item["id"], "label": item["id"].split("/")[0]} for item in batch["items"]]
    ask("POST", f"{address}/api/submit_labels", json={"batch_id": batch["batch_id"], "labels": labels})
    wait_for(lambda: (app.workdir / "images" / "head.safetensors").exists())
    found = [app.workdir, *app.workdir.rglob("*")]
    assert {path.name for path in found} >= {"labels.sqlite", "labels.sqlite-wal", "labels.sqlite-shm", "secret"}
    assert [path for path in found if path.stat().st_mode & 0o077] == []
