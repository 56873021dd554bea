"""ESC-50: its layout, its part ESC-10, folds, missing clips, the download from a server on this machine."""

import functools
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fastlabel_gradio.errors import ConfigError, SourceError, UnreadableItemError
from fastlabel_gradio.sources import Source
from fastlabel_gradio.sources.folds import FoldedClips
from tests.source_data import ids, opened, reach_loopback_directly, save_sound, write_csv, write_esc50

HEADER = ["filename", "fold", "target", "category", "esc10", "src_file", "take"]


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Stays quiet."""


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a server whose `master.zip` is where ESC-50 is fetched from."""
    reach_loopback_directly(monkeypatch)
    (tmp_path / "served").mkdir()
    handler = functools.partial(QuietHandler, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setattr("fastlabel_gradio.sources.esc50.URL", f"http://127.0.0.1:{http.server_port}/master.zip")
        yield tmp_path / "served"
        http.shutdown()
        thread.join()


def zip_esc50(tmp_path: Path, archive: Path) -> None:
    folder = write_esc50(tmp_path / "original")
    with zipfile.ZipFile(archive, "w") as members:
        for path in folder.rglob("*.*"):
            members.write(path, Path("ESC-50-master", path.relative_to(folder)))
        members.writestr("ESC-50-master/README.md", "not wanted")
        members.writestr("ESC-50-master/audio/../../escaped.wav", "not wanted")


def opened_esc50(tmp_path: Path, **options: object) -> Source:
    return opened("esc50", tmp_path, path=str(write_esc50(tmp_path / "esc")), **options)


def test_every_clip_has_its_category_and_fold(tmp_path: Path) -> None:
    source = opened_esc50(tmp_path)
    assert isinstance(source, FoldedClips)
    items = list(source.scan())
    assert len(items) == 15
    assert source.classes() == ("cat", "dog", "rooster")
    assert all(item.id.startswith(f"{source.fold_of(item)}-") for item in items)
    assert [source.reference_label(item) for item in items[:3]] == ["dog", "rooster", "cat"]
    assert source.file(items[0]) == tmp_path / "esc" / "audio" / "1-101-A-0.wav"


def test_esc10_is_a_part_of_it(tmp_path: Path) -> None:
    source = opened_esc50(tmp_path, esc10_only=True)
    assert (len(ids(source)), source.classes()) == (10, ("dog", "rooster"))


def test_a_fold_can_be_held_out(tmp_path: Path) -> None:
    source = opened_esc50(tmp_path, test_fold=2)
    assert {item_id[0] for item_id in ids(source)} == set("1345")
    assert {item.id[0] for item in source.held_out()} == {"2"}
    assert (len(ids(source)), len(list(source.held_out()))) == (12, 3)


def test_a_fold_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"test_fold 6.*Its folds: 1, 2, 3, 4, 5"):
        opened_esc50(tmp_path, test_fold=6)
    with pytest.raises(ConfigError, match="test_fold"):
        opened_esc50(tmp_path, test_fold=0)


def test_a_missing_clip_is_an_item_that_gives_its_reason(tmp_path: Path) -> None:
    source = opened_esc50(tmp_path)
    (tmp_path / "esc" / "audio" / "1-101-A-0.wav").unlink()
    item = next(source.scan())
    assert (item.id, item.stamp) == ("1-101-A-0.wav", "missing")
    with pytest.raises(UnreadableItemError, match="No such file"):
        source.read(item)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["filename", "fold"]], "no column 'category'"),
        ([HEADER], "names no clip"),
        ([HEADER, ["a.wav", "one", "0", "dog", "True", "1", "A"]], "line 2: fold 'one' is not a number"),
        ([HEADER, ["a.wav", "", "0", "dog", "True", "1", "A"]], "line 2: 'fold' is empty"),
        ([HEADER, ["../a.wav", "1", "0", "dog", "True", "1", "A"]], "line 2: '../a.wav' is not the name of a file"),
        ([HEADER, ["..", "1", "0", "dog", "True", "1", "A"]], "line 2: '..' is not the name of a file"),
    ],
)
def test_a_bad_table_is_refused_with_the_place(tmp_path: Path, rows: list[list[str]], message: str) -> None:
    write_csv(tmp_path / "meta" / "esc50.csv", rows)
    with pytest.raises(SourceError) as caught:
        opened("esc50", tmp_path, path=".")
    assert message in str(caught.value)


def test_without_the_data_the_message_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"has no meta/esc50.csv.*download: true.*ESC-50/archive/master.zip"):
        opened("esc50", tmp_path)


class TestDownload:
    def test_it_is_fetched_once_and_unpacked_into_the_cache(self, served: Path, tmp_path: Path) -> None:
        zip_esc50(tmp_path, served / "master.zip")
        first = opened("esc50", tmp_path, download=True)
        (served / "master.zip").unlink()
        again = opened("esc50", tmp_path, download=True)
        assert ids(first) == ids(again)
        assert all(len(again.read(item).samples) for item in again.scan())
        assert [path.name for path in (tmp_path / "cache").iterdir()] == ["esc50"]
        assert not list(tmp_path.rglob("escaped.wav")) + list((tmp_path / "cache").rglob("README.md"))

    def test_an_archive_that_was_put_there_by_hand_is_used(self, tmp_path: Path) -> None:
        (tmp_path / "cache").mkdir()
        zip_esc50(tmp_path, tmp_path / "cache" / "esc50.zip")
        assert len(ids(opened("esc50", tmp_path, download=True))) == 15

    def test_something_else_at_the_address_is_refused_and_leaves_nothing(self, served: Path, tmp_path: Path) -> None:
        (served / "master.zip").write_text("<html>")
        with pytest.raises(SourceError, match="is not a good archive"):
            opened("esc50", tmp_path, download=True)
        with zipfile.ZipFile(served / "master.zip", "w") as members:
            members.writestr("other/README.md", "no sounds")
        with pytest.raises(SourceError, match=r"has no meta/esc50.csv in it"):
            opened("esc50", tmp_path, download=True)
        assert list((tmp_path / "cache").iterdir()) == []

    def test_data_that_is_there_is_not_fetched_again(self, tmp_path: Path) -> None:
        assert len(ids(opened_esc50(tmp_path, download=True))) == 15

    def test_a_folder_of_the_reader_is_not_overwritten(self, tmp_path: Path) -> None:
        save_sound(tmp_path / "mine" / "a.wav")
        zip_esc50(tmp_path, tmp_path / "mine.zip")
        with pytest.raises(SourceError, match="see that the folder is empty"):
            opened("esc50", tmp_path, path="mine", download=True)
        assert (tmp_path / "mine" / "a.wav").exists()
