"""REST of a project of sounds, over a real server: what a page reads, Range requests, parts of files, exports."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
from PIL import Image

from fastlabel_gradio.app import App, create_app
from fastlabel_gradio.config import AppConfig
from fastlabel_gradio.media.spectrograms import LARGE_SIZE_PX
from fastlabel_gradio.types import Item, Waveform
from tests.pools import make_sound_config, wait_for, write_sounds
from tests.test_api import free_port

WINDOW_S = 0.25


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, httpx.Client]]:
    """Two projects over the same 12 sounds of 0.5 to 1 s: whole, and cut into windows of 0.25 s."""
    folder = tmp_path_factory.mktemp("sounds")
    write_sounds(folder / "sounds", per_class=4)
    for sound in (folder / "sounds").rglob("*.wav"):
        sound.rename(sound.with_name(f"SITE{sound.stem}_20240131_050709.wav"))
    whole = make_sound_config(folder / "sounds")
    source = {"kind": "audio_folder", "path": str(folder / "sounds"), "window_s": WINDOW_S}
    cut = make_sound_config(folder / "sounds", name="cut", source=source, audit_share=0.3)
    app = create_app(AppConfig(projects=(whole, cut)), folder / "work")
    address = app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
    for project in app.projects.values():
        wait_for(lambda project=project: project.pipeline.progress.state == "done")  # type: ignore[misc]
    with httpx.Client(base_url=address, timeout=30) as client:
        yield app, client
    app.close()


def batch_of(client: httpx.Client, project: str, size: int = 6) -> dict[str, object]:
    answer = client.get("/api/next_batch", params={"project": project, "size": size, "fresh": True})
    return dict(answer.json())


def test_the_requests_that_show_a_batch_read_no_sound(
    served: tuple[App, httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, client = served

    def refuse(item: Item, resolution: int | None = None) -> None:
        raise AssertionError(f"{item.id} was read")

    monkeypatch.setattr(app.projects["audio"].source, "read", refuse)
    assert client.get("/").status_code == 200
    batch = batch_of(client, "audio")
    sheet = Image.open(io.BytesIO(client.get(f"/{batch['sheet_url']}").content))
    assert sheet.width > sheet.height
    assert batch["kind"] == "audio"
    lengths_s = [item["duration_s"] for item in batch["items"]]  # type: ignore[attr-defined]
    assert all(length_s >= 0.5 and length_s == round(length_s, 3) for length_s in lengths_s)


def test_a_sound_answers_range_requests_and_is_never_sniffed(served: tuple[App, httpx.Client]) -> None:
    app, client = served
    item = batch_of(client, "audio")["items"][0]  # type: ignore[index]
    whole = client.get(f"/{item['media_url']}")
    part = client.get(f"/{item['media_url']}", headers={"Range": "bytes=10-19"})
    assert (whole.status_code, part.status_code) == (200, 206)
    assert part.content == whole.content[10:20]
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    assert part.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-type"] == "audio/wav"
    original = app.projects["audio"].source.file(Item(item["id"]))
    assert original is not None
    assert whole.content == original.read_bytes()


def test_a_part_of_a_file_is_sent_alone_and_says_where_it_begins(served: tuple[App, httpx.Client]) -> None:
    _, client = served
    item = max(batch_of(client, "cut", 50)["items"], key=lambda item: item["start_s"])  # type: ignore[call-overload]
    assert item["start_s"] > 0
    assert item["id"].partition("#t=")[2].startswith(str(item["start_s"]))
    sent = client.get(f"/{item['media_url']}")
    assert sent.headers["content-type"] == "audio/flac"
    samples, rate = soundfile.read(io.BytesIO(sent.content))
    assert len(samples) / rate == pytest.approx(item["duration_s"], abs=0.01)
    assert item["duration_s"] <= WINDOW_S + 0.01


def test_the_large_view_is_the_spectrogram(served: tuple[App, httpx.Client]) -> None:
    _, client = served
    item = batch_of(client, "audio")["items"][0]  # type: ignore[index]
    assert Image.open(io.BytesIO(client.get(f"/{item['spectrogram_url']}").content)).size == LARGE_SIZE_PX
    missing = client.get("/media/audio/spectrogram/999")
    assert missing.status_code == 404
    assert "no item 999" in missing.json()["error"]


def test_exports_carry_where_a_part_begins_and_ends(served: tuple[App, httpx.Client]) -> None:
    _, client = served
    batch = batch_of(client, "cut", 3)
    labels = [{"id": item["id"], "label": "low"} for item in batch["items"]]  # type: ignore[attr-defined]
    client.post("/api/submit_labels", json={"project": "cut", "batch_id": batch["batch_id"], "labels": labels})
    rows = client.get("/api/export", params={"project": "cut", "format": "json"}).json()
    assert len(rows) == 3
    for row in rows:
        assert row["item_id"].endswith(f"#t={row['start_s']},{row['end_s']}")
        assert 0 < row["end_s"] - row["start_s"] <= WINDOW_S
        assert row["path"] == row["item_id"].partition("#t=")[0]
        start = timedelta(seconds=row["start_s"])
        assert datetime.fromisoformat(row["recorded_at"]) == datetime(2024, 1, 31, 5, 7, 9) + start


def test_a_window_s_group_is_its_file_and_the_figure_is_true_for_new_recordings(
    served: tuple[App, httpx.Client],
) -> None:
    _, client = served
    items = client.get("/api/next_batch", params={"project": "cut", "size": 30, "fresh": True}).json()["items"]
    assert all(item["group"] == item["id"].partition("#")[0] for item in items)
    labels = [{"id": item["id"], "label": item["group"].partition("/")[0]} for item in items]
    client.post("/api/submit_labels", json={"project": "cut", "labels": labels})
    client.post("/api/train", json={"project": "cut"})
    wait_for(lambda: bool(client.get("/api/evaluation", params={"project": "cut"}).json()["audit"]))
    audit = client.get("/api/evaluation", params={"project": "cut"}).json()["audit"]
    assert audit["true_for"] == "new recordings"
    assert 2 <= audit["groups"] <= 4
    assert {item["group"] for item in client.get("/api/next_batch", params={"project": "audio"}).json()["items"]} == {
        None
    }


def test_a_quiet_bat_has_its_seconds_its_gain_and_its_expansion(tmp_path: Path) -> None:
    (tmp_path / "bats").mkdir()
    call = np.sin(2 * np.pi * 45_000 * np.arange(64_000) / 256_000) / 1000
    soundfile.write(tmp_path / "bats" / "bat.wav", call, 256_000, subtype="FLOAT")
    source = {"kind": "audio_folder", "path": str(tmp_path / "bats"), "expand": 10}
    app = create_app(AppConfig(projects=(make_sound_config(tmp_path, source=source, classes=("a", "b")),)), tmp_path)
    address = app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
    wait_for(lambda: app.projects["audio"].pipeline.progress.state == "done")
    with httpx.Client(base_url=address, timeout=30) as client:
        [bat] = batch_of(client, "audio")["items"]  # type: ignore[misc]
        assert (bat["duration_s"], bat["peak_dbfs"], bat["gain_db"], bat["note"]) == (0.25, -60.0, 57, "")
        louder = client.get(f"/{bat['media_url']}", params={"normalised": True})
        samples, rate_hz = soundfile.read(io.BytesIO(louder.content))
        assert (len(samples) / rate_hz, np.abs(samples).max()) == (2.5, pytest.approx(0.7, abs=0.01))
        client.post("/api/submit_labels", json=[{"id": "bat.wav", "label": "a"}])
        [row] = client.get("/api/export", params={"format": "json"}).json()
        assert (row["item_id"], row["expand"]) == ("bat.wav", 10)
        view = {
            "top_hz": 128_000,
            "low_hz": 0,
            "expand": 10,
            "contrast": "decibels",
            "channel": "auto",
            "rate_hz": 256_000,
        }
        assert client.get("/api/status").json()["sound_view"] == view
    app.close()


def test_a_note_is_in_the_answer(served: tuple[App, httpx.Client]) -> None:
    app, client = served
    item = batch_of(client, "audio", 50)["items"][0]  # type: ignore[index]
    project = app.projects["audio"]
    [found] = [known for known in project.source.scan() if known.id == item["id"]]
    sound = project.source.read(found)
    assert isinstance(sound, Waveform)
    project.gallery.keep(found, replace(sound, note="louder than full scale: scaled down by 9.5 dB"))
    notes = {known["id"]: known["note"] for known in batch_of(client, "audio", 50)["items"]}  # type: ignore[attr-defined]
    assert {item_id for item_id, note in notes.items() if note} == {item["id"]}
    assert notes[item["id"]] == "louder than full scale: scaled down by 9.5 dB"
