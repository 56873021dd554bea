"""REST over a real server: the routes, their errors, logins, origins and media."""

import io
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from fastlabel_gradio.app import App, create_app
from fastlabel_gradio.config import AppConfig
from fastlabel_gradio.gallery import SHEET_COLUMNS
from fastlabel_gradio.head.evaluation import wilson_interval
from tests.cases import each
from tests.pools import make_config, wait_for, write_pictures

Serve = Callable[..., httpx.Client]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(tmp_path: Path, logins: dict[str, str] | None = None, **settings: object) -> tuple[App, str]:
    """A served app over 60 pictures, fully embedded, and its address."""
    folder = tmp_path / "pictures"
    if not folder.exists():
        write_pictures(folder, per_class=20)
    app = create_app(AppConfig(projects=(make_config(folder, **settings),)), tmp_path / "work", logins)
    address = app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
    [project] = app.projects.values()
    wait_for(lambda: project.pipeline.progress.state == "done")
    return app, address.rstrip("/")


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    app, address = start(tmp_path_factory.mktemp("shared"), train_every=5)
    yield address
    app.close()


@pytest.fixture
def client(shared_server: str) -> Iterator[httpx.Client]:
    """A guest of their own, so that tests do not share a batch."""
    guest = f"guest-{free_port()}"
    with httpx.Client(base_url=shared_server, cookies={"fastlabel_annotator": guest}, timeout=30) as opened:
        yield opened
        opened.get("/api/next_batch", params={"size": 1, "fresh": True})


@pytest.fixture(scope="module")
def guarded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, str]]:
    app, address = start(tmp_path_factory.mktemp("guarded"), {"ann": "secret-a", "bob": "secret-b"})
    yield app, address
    app.close()


@pytest.fixture(scope="module")
def audited_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of its 60 pictures about 18 are for the audit."""
    settings = {"sharing": "private", "train_every": 1000, "audit_share": 0.3, "target": 0.8}
    app, address = start(tmp_path_factory.mktemp("audited"), **settings)
    yield address
    app.close()


@pytest.fixture
def audited(audited_server: str) -> Iterator[httpx.Client]:
    """A guest whose labels are their own, of a project with an audit and a target of 0.8."""
    with httpx.Client(base_url=audited_server, cookies={"fastlabel_annotator": f"guest-{free_port()}"}) as opened:
        yield opened


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves the pictures in `tmp_path` with other settings."""
    started: list[App] = []

    def serve_one(**settings: object) -> httpx.Client:
        app, address = start(tmp_path, **settings)
        started.append(app)
        return httpx.Client(base_url=address, timeout=30)

    yield serve_one
    for app in started:
        app.close()


def label_as_the_folders_say(client: httpx.Client, size: int) -> None:
    batch = client.get("/api/next_batch", params={"size": size, "fresh": True}).json()
    labels = [{"id": item["id"], "label": item["id"].split("/")[0]} for item in batch["items"]]
    client.post("/api/submit_labels", json={"batch_id": batch["batch_id"], "labels": labels})


def test_next_batch_has_what_the_design_says(client: httpx.Client) -> None:
    answer = client.get("/api/next_batch", params={"project": "images", "size": 4}).json()
    assert answer["kind"] == "image"
    assert answer["classes"] == ["blue", "green", "red"]
    assert len(answer["items"]) == 4
    assert answer["labeled"] + answer["unlabeled"] == 60
    assert set(answer["items"][0]) == {
        "id",
        "media_url",
        "spectrogram_url",
        "duration_s",
        "peak_dbfs",
        "gain_db",
        "note",
        "start_s",
        "group",
        "prediction",
        "label",
        "state",
    }
    again = client.get("/api/next_batch", params={"size": 4}).json()
    assert again["batch_id"] == answer["batch_id"]


def test_labels_by_name_and_by_index_are_stored_and_undone(client: httpx.Client) -> None:
    batch = client.get("/api/next_batch", params={"size": 3, "fresh": True}).json()
    first, second, _ = (item["id"] for item in batch["items"])
    answer = client.post(
        "/api/submit_labels",
        json={
            "project": "images",
            "batch_id": batch["batch_id"],
            "labels": [{"id": first, "label": "red"}, {"id": second, "label": 0}],
        },
    ).json()
    assert answer["accepted"] == 2
    rows = {row["item_id"]: row["label"] for row in client.get("/api/export", params={"format": "json"}).json()}
    assert (rows[first], rows[second]) == ("red", "blue")
    undone = client.post("/api/undo", json={"project": "images"}).json()
    assert undone["undone"] == 2
    assert {item["id"]: item["label"] for item in undone["batch"]["items"]} == {first: 2, second: 0}
    rows = {row["item_id"]: row["label"] for row in client.get("/api/export", params={"format": "json"}).json()}
    assert first not in rows


def test_a_plain_list_of_labels_is_accepted(client: httpx.Client) -> None:
    [item] = client.get("/api/next_batch", params={"size": 1, "fresh": True}).json()["items"]
    assert client.post("/api/submit_labels", json=[{"id": item["id"], "label": 1}]).json()["accepted"] == 1
    assert client.post("/api/undo").json()["undone"] == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([{"id": "red/0000.png", "label": "red"}, {"id": "nowhere.png", "label": "red"}], "nowhere.png"),
        ([{"id": "red/0000.png", "label": "red"}, {"id": "red/0001.png", "label": "purple"}], "purple"),
        ([{"id": "red/0000.png", "label": 99}], "99"),
        ([{"id": "red/0000.png", "label": True}], "label"),
        ([{"id": "red/0000.png", "label": None}], "label"),
        ([{"id": "red/0000.png"}], "label"),
        ([{"id": "red/0000.png", "label": "red", "extra": 1}], "extra"),
        ({"project": "elsewhere", "labels": [{"id": "red/0000.png", "label": "red"}]}, "elsewhere"),
        ({"labels": "red"}, "labels"),
        ("text", "list"),
        ([{"id": "../../etc/passwd", "label": "red"}], "passwd"),
    ],
)
def test_a_bad_submit_is_refused_with_a_reason_and_nothing_stored(
    client: httpx.Client, body: object, says: str
) -> None:
    before = client.get("/api/status").json()["labeled"]
    answer = client.post("/api/submit_labels", json=body)
    assert 400 <= answer.status_code < 500
    assert says.lower() in answer.json()["error"].lower()
    assert client.get("/api/status").json()["labeled"] == before


@pytest.mark.parametrize("content", [b'[{"id": 1, ', b'[{"id": "\\ud800", "label": "red"}]', b"\xff", b""])
def test_malformed_json_is_refused_with_a_reason(client: httpx.Client, content: bytes) -> None:
    answer = client.post("/api/submit_labels", content=content, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/api/next_batch?size=0", "size"),
        ("/api/next_batch?size=many", "size"),
        ("/api/next_batch?strategy=margn", "Did you mean 'margin'"),
        ("/api/next_batch?project=x", "Known: images"),
        ("/api/export?format=xls", "csv"),
        ("/media/images/item/99999", "99999"),
        ("/media/images/item/-1", "-1"),
        ("/media/images/sheet/nosuchbatch.jpg", "nosuchbatch"),
        ("/media/x/item/1", "Known: images"),
        ("/api/evaluation?project=x", "Known: images"),
    ],
)
def test_a_bad_question_gets_a_reason(client: httpx.Client, path: str, says: str) -> None:
    answer = client.get(path)
    assert 400 <= answer.status_code < 500
    assert says in answer.json()["error"]


def test_each_card_keeps_its_picture_when_another_item_leaves_the_batch(client: httpx.Client) -> None:
    before = client.get("/api/next_batch", params={"size": 8, "fresh": True}).json()
    sheet, gone = client.get("/" + before["sheet_url"]), before["items"][0]["id"]
    assert "max-age" in sheet.headers["cache-control"]  # so an address must always mean the same pictures
    applied = client.post("/api/apply", json={"query": {"ids": [gone]}, "label": "red"})
    try:
        assert applied.json()["changed"] == 1
        after = client.get("/api/next_batch", params={"size": 8}).json()
        assert (after["batch_id"], [one["id"] for one in after["items"]]) == (
            before["batch_id"],
            [one["id"] for one in before["items"][1:]],
        )
        assert client.get("/" + before["sheet_url"]).content == sheet.content
        assert after["sheet_url"] != before["sheet_url"]
        renewed = client.get("/" + after["sheet_url"])
        assert _tiles(renewed.content, 7) == pytest.approx(_tiles(sheet.content, 8)[1:], abs=3)
        now = client.get(f"/media/images/sheet/{after['batch_id']}.jpg")
        assert (now.content, now.headers["cache-control"]) == (renewed.content, "no-store")
    finally:
        client.post("/api/undo", json={})


def _tiles(sheet: bytes, count: int) -> np.ndarray:
    """float64[count, 3], the mean colour of each tile."""
    picture = np.asarray(Image.open(io.BytesIO(sheet)).convert("RGB"), dtype=np.float64)
    side = picture.shape[1] // SHEET_COLUMNS
    corners = [(place // SHEET_COLUMNS * side, place % SHEET_COLUMNS * side) for place in range(count)]
    return np.array([picture[top : top + side, left : left + side].mean(axis=(0, 1)) for top, left in corners])


def test_media_are_pictures_and_never_paths(client: httpx.Client) -> None:
    batch = client.get("/api/next_batch", params={"size": 12, "fresh": True}).json()
    sheet = client.get("/" + batch["sheet_url"])
    assert sheet.headers["content-type"] == "image/jpeg"
    assert sheet.headers["x-content-type-options"] == "nosniff"
    tile_px = Image.open(io.BytesIO(sheet.content)).width // batch["columns"]
    assert Image.open(io.BytesIO(sheet.content)).height == 2 * tile_px
    assert client.get(f"/media/images/sheet/{batch['batch_id']}.jpg").content == sheet.content
    for item in batch["items"]:
        assert item["id"] not in item["media_url"]
    picture = Image.open(io.BytesIO(client.get("/" + batch["items"][0]["media_url"]).content))
    assert picture.size == (24, 24)


def test_status_tells_all_that_the_page_shows(client: httpx.Client) -> None:
    status = client.get("/api/status", params={"project": "images"}).json()
    assert status["annotator"].startswith("guest-")
    assert status["embedding"]["done"] == status["embedding"]["total"] == 60
    assert status["embedding"]["encoder"] == "pixels"
    assert status["head"].keys() >= {"version", "labels", "seconds", "state", "message", "error"}
    assert status["unreadable"] == []
    assert (status["missing_count"], status["left_out_count"], status["left_out"]) == (0, 0, [])


def test_what_is_left_out_or_missing_is_counted_and_a_rescan_finds_it(tmp_path: Path) -> None:
    app, address = start(tmp_path, rescan_minutes=0)
    try:
        with httpx.Client(base_url=address, timeout=30) as client:
            (tmp_path / "pictures" / "notes.txt").touch()
            client.post("/api/submit_labels", json=[{"id": "red/0000.png", "label": "red"}])
            (tmp_path / "pictures" / "red" / "0000.png").unlink()
            assert client.post("/api/rescan", json={"project": "images"}).json() == {"requested": True}
            wait_for(lambda: client.get("/api/status").json()["embedding"]["scans"] == 1)
            status = client.get("/api/status").json()
            assert (status["missing_count"], status["left_out_count"], status["left_out_noun"]) == (1, 1, "file")
            assert status["left_out"] == [{"what": ".txt", "why": "not a picture, by the suffix", "count": 1}]
            assert client.post("/api/rescan").json() == {"requested": True}
            assert client.post("/api/rescan", json={"project": "birds"}).status_code == 404
    finally:
        app.close()


def test_a_head_is_trained_on_request_and_can_be_taken_along(client: httpx.Client) -> None:
    label_as_the_folders_say(client, 12)
    before = client.get("/api/status").json()["head"]["version"]
    assert client.post("/api/train", json={}).json()["requested"]
    wait_for(lambda: client.get("/api/status").json()["head"]["version"] > before)
    predictions = [item["prediction"] for item in client.get("/api/next_batch?size=5&fresh=true").json()["items"]]
    assert all(0 < prediction["confidence"] <= 1 for prediction in predictions)
    assert client.get("/api/checkpoint").content[8:9] == b"{"


def test_before_there_is_a_head_the_evaluation_has_no_figures(audited: httpx.Client) -> None:
    answer = audited.get("/api/evaluation", params={"project": "images"}).json()
    assert (answer["audit"], answer["curve"], answer["enough"], answer["brought"]) == (None, [], False, None)
    assert answer["target"] == 0.8
    assert "too early" in answer["advice"]
    assert answer["reasons"]


def test_the_evaluation_counts_the_random_items_and_no_others(audited: httpx.Client) -> None:
    label_as_the_folders_say(audited, 40)
    audited.post("/api/train", json={})
    wait_for(lambda: bool(audited.get("/api/evaluation").json()["curve"]))
    answer = audited.get("/api/evaluation").json()
    audit, recall = answer["audit"], answer["audit"]["recall"]
    assert audit["items"] == sum(row["items"] for row in recall) == 12
    assert audit["correct"] == sum(row["correct"] for row in recall)
    assert audit["accuracy"] == audit["correct"] / 12
    assert (audit["low"], audit["high"]) == wilson_interval(audit["correct"], 12)
    assert 0 <= audit["calibration_error"] <= 1
    assert [row["label"] for row in recall] == ["blue", "green", "red"]
    assert (audit["groups"], audit["true_for"]) == (None, "items like these")
    figures = {"correct": audit["correct"], "low": audit["low"], "high": audit["high"]}
    assert answer["curve"] == [{"labels": 28, "audit_items": 12, "agreement": None, **figures}]


def test_the_evaluation_is_about_the_target_that_was_asked_for(audited: httpx.Client) -> None:
    assert audited.get("/api/evaluation", params={"target": 0.975}).json()["target"] == 0.975


@pytest.mark.parametrize("target", ["0", "1", "-0.5", "90", "nan", "high", ""])
def test_a_target_that_is_no_share_is_refused(audited: httpx.Client, target: str) -> None:
    answer = audited.get("/api/evaluation", params={"target": target})
    assert 400 <= answer.status_code < 500
    assert "target" in answer.json()["error"]


def test_without_an_audit_the_evaluation_says_so_and_does_not_guess(client: httpx.Client) -> None:
    label_as_the_folders_say(client, 12)
    client.post("/api/train", json={})
    wait_for(lambda: bool(client.get("/api/evaluation").json()["curve"]))
    answer = client.get("/api/evaluation").json()
    assert answer["audit"] is None
    assert {point["audit_items"] for point in answer["curve"]} == {0}


def test_a_batch_is_renewed_by_its_annotator_only(client: httpx.Client, shared_server: str) -> None:
    batch_id = client.get("/api/next_batch", params={"size": 2, "fresh": True}).json()["batch_id"]
    assert client.post("/api/renew", json={"batch_id": batch_id}).json() == {"renewed": True}
    assert httpx.post(shared_server + "/api/renew", json={"batch_id": batch_id}).json() == {"renewed": False}


@pytest.mark.parametrize("format", ["csv", "json", "jsonl"])
def test_exports_come_as_files_with_predictions_on_request(client: httpx.Client, format: str) -> None:
    answer = client.get("/api/export", params={"format": format, "predictions": True})
    assert answer.status_code == 200
    assert f"images-labels.{format}" in answer.headers["content-disposition"]
    assert answer.text.count(".png") == 120  # its id and its path


def test_names_that_a_spreadsheet_would_run_are_marked_in_a_csv_unless_it_is_switched_off(
    tmp_path: Path, serve: Serve
) -> None:
    folder = write_pictures(tmp_path / "pictures", per_class=1)
    (folder / "red" / "0000.png").rename(folder / "=1+1.png")
    client = serve(classes=["-red", "blue"])
    assert client.post("/api/submit_labels", json=[{"id": "=1+1.png", "label": "-red"}]).status_code == 200
    texts = {
        (format, safe): client.get("/api/export", params={"format": format, "spreadsheet_safe": safe}).text
        for format in ("csv", "jsonl")
        for safe in (True, False)
    }
    assert "'=1+1.png,'-red," in texts["csv", True]
    assert "\n=1+1.png,-red," in texts["csv", False]
    assert texts["jsonl", True] == texts["jsonl", False]
    assert texts["jsonl", True].startswith('{"item_id": "=1+1.png", "label": "-red"')


def test_the_status_says_where_copies_contradict_each_other(tmp_path: Path, serve: Serve) -> None:
    folder = write_pictures(tmp_path / "pictures", per_class=1)
    shutil.copy(folder / "red" / "0000.png", folder / "blue" / "copy.png")
    client = serve()
    wait_for(lambda: client.get("/api/status").json()["contradictions"]["known"] is not None)
    status = client.get("/api/status").json()
    assert status["contradictions"] == {
        "known": {"count": 1, "example": [["blue/copy.png", "blue"], ["red/0000.png", "red"]]},
        "given": None,
    }
    assert "'blue/copy.png' is 'blue', 'red/0000.png' with the same content is 'red'" in status["notice"]


def test_the_openapi_pages_describe_the_routes(client: httpx.Client) -> None:
    assert client.get("/docs").status_code == 200
    assert "/api/submit_labels" in client.get("/openapi.json").json()["paths"]


FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Host": "evil.example:7860"},
    {"Host": "evil.example:7860", "Origin": "http://evil.example:7860"},
)


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_another_site_can_neither_change_nor_read(client: httpx.Client, headers: dict[str, str]) -> None:
    body = [{"id": "red/0000.png", "label": "red"}]
    assert client.post("/api/submit_labels", json=body, headers=headers).status_code == 403
    for path in ("/api/export", "/api/status", "/api/evaluation", "/api/next_batch?fresh=true", "/media/images/item/0"):
        assert client.get(path, headers=headers).status_code == 403


def test_the_page_s_own_requests_are_let_through(client: httpx.Client) -> None:
    body = [{"id": "red/0000.png", "label": "red"}]
    own = str(client.base_url).rstrip("/")
    assert client.post("/api/submit_labels", json=body, headers={"Origin": own}).status_code == 200
    assert client.post("/api/undo", json={}, headers={"Origin": own}).status_code == 200


@each(
    "path",
    [
        "/api/next_batch",
        "/api/status",
        "/api/evaluation",
        "/api/export",
        "/api/checkpoint",
        "/media/images/item/0",
        "/media/images/sheet/x.jpg",
    ],
)
def test_without_a_login_nothing_is_answered(guarded_server: tuple[App, str], path: str) -> None:
    answer = httpx.get(guarded_server[1] + path)
    assert answer.status_code == 401
    assert "Bearer" in answer.json()["error"]


@each("path", ["/api/submit_labels", "/api/undo", "/api/train", "/api/renew"])
def test_without_a_login_nothing_is_changed(guarded_server: tuple[App, str], path: str) -> None:
    assert httpx.post(guarded_server[1] + path, json={}).status_code == 401
    headers = {"Authorization": "Bearer guessed"}
    assert httpx.post(guarded_server[1] + path, json={}, headers=headers).status_code == 401


def test_the_page_s_login_cookie_opens_rest_and_names_the_annotator(guarded_server: tuple[App, str]) -> None:
    with httpx.Client(base_url=guarded_server[1]) as browser:
        assert browser.post("/login", data={"username": "ann", "password": "wrong"}).status_code == 400
        assert browser.get("/api/status").status_code == 401
        assert browser.post("/login", data={"username": "ann", "password": "secret-a"}).status_code == 200
        assert browser.get("/api/status").json()["annotator"] == "ann"
        assert browser.get("/api/status", cookies={"fastlabel_annotator": "guest-abcd"}).json()["annotator"] == "ann"


def test_a_bearer_token_opens_rest_and_names_the_annotator(guarded_server: tuple[App, str]) -> None:
    app, address = guarded_server
    headers = {"Authorization": f"Bearer {app.access.token('bob')}"}
    assert httpx.get(address + "/api/status", headers=headers).json()["annotator"] == "bob"


def test_the_secret_is_its_owner_s_only(guarded_server: tuple[App, str]) -> None:
    assert (guarded_server[0].workdir / "secret").stat().st_mode & 0o777 == 0o600
