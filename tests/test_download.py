"""Downloads from a real server on this machine."""

import functools
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources.download import download, unpack_zip
from tests.source_data import make_sheet, reach_loopback_directly


class Handler(BaseHTTPRequestHandler):
    """Answers with the bytes of the test, cut short or redirected as the path says."""

    def __init__(self, content: bytes, *args: object) -> None:
        self.content = content
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/whole")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/gone" else 200)
        if self.path != "/chunked":
            self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content[: len(self.content) // 2] if self.path == "/cut" else self.content)

    def log_message(self, *args: object) -> None:
        """Stays quiet."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    reach_loopback_directly(monkeypatch)
    content = make_sheet(tmp_path / "served.png").read_bytes()
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, content)) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def accept(path: Path) -> None:
    assert path.stat().st_size > 0


@pytest.mark.parametrize("path", ["/whole", "/chunked", "/moved"])
def test_the_file_arrives_whole(server: str, tmp_path: Path, path: str) -> None:
    download(server + path, tmp_path / "new" / "sheet.png", accept)
    assert (tmp_path / "new" / "sheet.png").read_bytes() == (tmp_path / "served.png").read_bytes()
    assert len(list((tmp_path / "new").iterdir())) == 1


@pytest.mark.parametrize("path", ["/cut", "/gone"])
def test_a_failed_download_leaves_nothing_and_names_the_place(server: str, tmp_path: Path, path: str) -> None:
    with pytest.raises(SourceError) as caught:
        download(server + path, tmp_path / "new" / "sheet.png", accept)
    assert str(tmp_path / "new" / "sheet.png") in str(caught.value)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_file_that_fails_its_check_does_not_replace_a_good_one(server: str, tmp_path: Path) -> None:
    def refuse(path: Path) -> None:
        raise SourceError("not what is wanted")

    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "sheet.png").write_bytes(b"good")
    with pytest.raises(SourceError, match="not what is wanted"):
        download(server + "/whole", tmp_path / "new" / "sheet.png", refuse)
    assert [file.read_bytes() for file in (tmp_path / "new").iterdir()] == [b"good"]


def test_an_endless_download_is_stopped(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastlabel_gradio.sources.download.MAX_DOWNLOAD_BYTES", 100)
    for path in ("/whole", "/chunked"):
        with pytest.raises(SourceError, match="larger than"):
            download(server + path, tmp_path / "new" / "sheet.png", accept)
    assert list((tmp_path / "new").iterdir()) == []


class TestUnpackZip:
    @pytest.fixture
    def archive(self, tmp_path: Path) -> Path:
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as members:
            for name in ("top/audio/1.wav", "top/meta/t.csv", "top/other.py", "../escaped.wav", "/absolute.wav"):
                members.writestr(name, name * 100)
        return tmp_path / "a.zip"

    def place(self, member: str) -> str | None:
        return member.removeprefix("top/") if member.startswith(("top/audio/", "top/meta/")) else None

    def test_what_is_wanted_appears_and_nothing_else(self, archive: Path, tmp_path: Path) -> None:
        unpack_zip(archive, tmp_path / "new", self.place)
        files = [path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*.*")]
        assert sorted(files) == ["audio/1.wav", "meta/t.csv"]
        assert (tmp_path / "new" / "audio" / "1.wav").read_text() == "top/audio/1.wav" * 100
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "new"]

    def test_a_damaged_archive_leaves_nothing(self, archive: Path, tmp_path: Path) -> None:
        content = bytearray(archive.read_bytes())
        content[50:60] = bytes(10)  # inside of the first member
        archive.write_bytes(content)
        with pytest.raises(SourceError, match="cannot be unpacked"):
            unpack_zip(archive, tmp_path / "new", self.place)
        archive.write_bytes(content[:100])
        with pytest.raises(SourceError, match="cannot be unpacked"):
            unpack_zip(archive, tmp_path / "new", self.place)
        assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]

    def test_a_folder_that_holds_something_is_left_as_it_is(self, archive: Path, tmp_path: Path) -> None:
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "mine.txt").touch()
        with pytest.raises(SourceError, match="empty"):
            unpack_zip(archive, tmp_path / "new", self.place)
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "mine.txt", "new"]

    def test_an_archive_that_would_fill_the_disk_is_refused(
        self, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("fastlabel_gradio.sources.download.MAX_UNPACKED_BYTES", 100)
        with pytest.raises(SourceError, match="more than 100 bytes"):
            unpack_zip(archive, tmp_path / "new", self.place)
        assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
