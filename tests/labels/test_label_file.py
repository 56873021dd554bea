"""A label file that is deleted, moved or replaced while it is open: nothing is acknowledged that is in no file."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.labels import LabelStore

OpenStore = Callable[..., LabelStore]


@pytest.fixture
def url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "labels.sqlite"


@pytest.fixture
def store(open_store: OpenStore) -> LabelStore:
    """One with a label, of which the others of this process know too."""
    made = open_store()
    made.ensure_labels(["cat", "dog"])
    made.submit("ada", [("1", 0)], now=0)
    return made


def in_file(file: Path, tmp_path: Path) -> set[str]:
    """The items of all labels that a copy of the file holds, as the next start would find them."""
    copies = tmp_path / "copies"
    shutil.rmtree(copies, ignore_errors=True)
    copies.mkdir()
    for path in file.parent.glob(f"{file.name}*"):
        if not path.name.endswith("-shm"):
            shutil.copy(path, copies)
    with sqlite3.connect(copies / file.name) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = {item_id for (item_id,) in connection.execute("SELECT item_id FROM fastlabel_annotations")}
    connection.close()
    return found


def delete(file: Path) -> None:
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()


def move(file: Path) -> None:
    file.rename(file.with_name("moved.sqlite"))


def delete_folder(file: Path) -> None:
    shutil.rmtree(file.parent)


@pytest.mark.parametrize("lose", [delete, move, Path.unlink, delete_folder])
def test_a_lost_file_is_written_again_and_the_request_refused_once(
    store: LabelStore, file: Path, tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    lose(file)
    with pytest.raises(StoreError, match=r"deleted or moved.*written there again.*Send it again"):
        store.submit("ada", [("2", 1)], now=1)
    assert in_file(file, tmp_path) == {"1"}
    assert store.submit("ada", [("2", 1)], now=1).accepted == 1
    assert in_file(file, tmp_path) == {"1", "2"}
    assert store.current() == {"1": 0, "2": 1}


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_a_lost_sidecar_loses_no_label(store: LabelStore, file: Path, tmp_path: Path, suffix: str) -> None:
    file.with_name(file.name + suffix).unlink()
    with pytest.raises(StoreError, match=rf"labels.sqlite{suffix}.*was deleted"):
        store.submit("ada", [("2", 1)], now=1)
    assert in_file(file, tmp_path) == {"1"}
    assert store.submit("ada", [("2", 1)], now=1).accepted == 1
    assert in_file(file, tmp_path) == {"1", "2"}


def test_a_file_that_is_lost_during_a_transaction_is_written_again_before_the_answer(
    store: LabelStore, file: Path, tmp_path: Path
) -> None:
    with store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE fastlabel_annotations SET item_id = 'new'")
        delete(file)
    assert in_file(file, tmp_path) == {"new"}


def test_another_file_in_its_place_is_left_alone_until_it_is_moved_away(
    store: LabelStore, file: Path, tmp_path: Path
) -> None:
    move(file)
    file.write_text("the notes of somebody")
    for _ in range(2):
        with pytest.raises(StoreError, match=r"another file.*left alone.*Nothing of this request was stored"):
            store.submit("ada", [("2", 1)], now=1)
    assert file.read_text() == "the notes of somebody"
    file.unlink()
    with pytest.raises(StoreError, match="written there again"):
        store.submit("ada", [("2", 1)], now=1)
    assert in_file(file, tmp_path) == {"1"}


def test_a_file_that_was_put_back_is_used_as_before(store: LabelStore, file: Path, tmp_path: Path) -> None:
    move(file)
    file.with_name("moved.sqlite").rename(file)
    assert store.submit("ada", [("2", 1)], now=1).accepted == 1
    assert in_file(file, tmp_path) == {"1", "2"}


@pytest.mark.parametrize("share", [0, 0.5])
def test_nothing_is_stored_in_a_file_that_was_cut_short(store: LabelStore, file: Path, share: float) -> None:
    with sqlite3.connect(file) as other:
        other.execute("PRAGMA wal_checkpoint(FULL)")
    other.close()
    store.submit("ada", [("2", 1)], now=1)
    with file.open("r+b") as opened:
        opened.truncate(int(share * file.stat().st_size))
    for _ in range(2):
        with pytest.raises(StoreError, match=r"cut short.*put back a copy"):
            store.submit("ada", [("3", 0)], now=2)


def test_all_projects_of_a_process_follow_the_file_that_was_written_again(
    open_store: OpenStore, store: LabelStore, file: Path, tmp_path: Path
) -> None:
    other = open_store("fish")
    other.ensure_labels(["eel", "cod"])
    delete(file)
    with pytest.raises(StoreError):
        store.submit("ada", [("2", 1)], now=1)
    assert other.submit("bob", [("3", 0)], now=1).accepted == 1
    assert in_file(file, tmp_path) == {"1", "3"}


def test_reading_a_lost_file_puts_no_empty_one_in_its_place(store: LabelStore, file: Path) -> None:
    stream = store.annotations()
    assert next(stream).item_id == "1"
    delete(file)
    with pytest.raises(StoreError, match="deleted or moved"):  # needs a second connection
        store.current()
    assert not file.exists()
    stream.close()  # type: ignore[attr-defined]
    assert store.current() == {"1": 0}


def test_a_lost_file_is_written_again_at_the_end(open_store: OpenStore, store: LabelStore, file: Path) -> None:
    delete(file)
    store.close()
    assert open_store().current() == {"1": 0}


def test_a_lost_file_that_cannot_be_written_again_says_what_to_do(open_store: OpenStore, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    store = open_store(at=f"sqlite:///{folder}/labels.sqlite")
    store.ensure_labels(["cat", "dog"])
    shutil.rmtree(folder)
    folder.touch()  # a file where the folder was
    with pytest.raises(StoreError, match=r"cannot be written again.*Leave FastLabel running"):
        store.submit("ada", [("2", 1)], now=1)
    folder.unlink()
    with pytest.raises(StoreError, match="written there again"):
        store.submit("ada", [("2", 1)], now=1)
    assert store.submit("ada", [("2", 1)], now=1).accepted == 1
