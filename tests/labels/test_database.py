import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.labels import LabelStore
from tests.cases import each
from tests.labels.conftest import batch

# Labels one item per submit and prints each one that was acknowledged, until it is killed.
SUBMITTING = """
import sys
from fastlabel_gradio.labels import LabelStore
store = LabelStore(sys.argv[1], "birds")
for number in range(int(sys.argv[2]), 1_000_000):
    store.submit("ada", [(f"{number}/{part}", number % 2) for part in range(3)], now=float(number))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""

# Claims batches of the same 400 items once it is told to go, labels half of each, and prints what it claimed.
CLAIMING = """
import sys
from fastlabel_gradio.labels import ClaimedBatch, LabelStore
store = LabelStore(sys.argv[1], "birds")
name = sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for start in range(0, 400, 10):
    wanted = ClaimedBatch(f"{name}-{start}", tuple(f"{start + i}" for i in range(10)), "random", 0)
    got = store.claim(name, wanted, now=0.0, expires_at=60.0)
    store.submit(name, [(item_id, 0) for item_id in got[::2]], now=0.0)
    print(*got, flush=True)
"""


@pytest.fixture
def sqlite_store(open_store: Callable[..., LabelStore], sqlite_url: str) -> LabelStore:
    made = open_store(at=sqlite_url)
    made.ensure_labels(["cat", "dog", "owl"])
    return made


def test_readers_are_not_blocked_by_a_writer(sqlite_store: LabelStore, tmp_path: Path) -> None:
    sqlite_store.submit("ada", [("1", 0)], now=0)
    stream = sqlite_store.annotations()
    next(stream)
    with sqlite3.connect(tmp_path / "labels.sqlite", timeout=0) as other:
        other.execute("BEGIN IMMEDIATE")
        assert sqlite_store.current() == {"1": 0}
        other.execute("ROLLBACK")
    assert sqlite_store.submit("bob", [("2", 0)], now=1).accepted == 1
    stream.close()  # type: ignore[attr-defined]


def test_two_processes_on_one_database_never_get_the_same_item(store: LabelStore, url: str) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMING, url, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in ("ada", "bob")
    ]
    for process in started:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    claimed = [process.communicate("go\n", timeout=60)[0].split() for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert sorted(map(int, [*claimed[0], *claimed[1]])) == list(range(400))
    assert set(store.current()) | {claim.item_id for claim in store.claims(now=0)} == {f"{i}" for i in range(400)}


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(store: LabelStore, url: str) -> None:
    kills = random.Random(7)
    acknowledged: list[int] = []
    for _ in range(3):
        start = acknowledged[-1] + 1 if acknowledged else 0
        with subprocess.Popen(
            [sys.executable, "-c", SUBMITTING, url, str(start)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            for _ in range(kills.randint(3, 60)):
                acknowledged.append(int(child.stdout.readline()))
            child.send_signal(signal.SIGKILL)
            acknowledged += [int(line) for line in child.stdout.read().splitlines() if line]
        labels = store.current()
        assert all(labels[f"{number}/{part}"] == number % 2 for number in acknowledged for part in range(3))
        assert len(labels) % 3 == 0
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_commits_wait_for_the_disk(sqlite_url: str) -> None:
    pragmas: dict[str, object] = {}

    def look(connection: sqlite3.Connection, *_: object) -> None:
        for name in ("journal_mode", "synchronous", "foreign_keys"):
            pragmas[name] = connection.execute(f"PRAGMA {name}").fetchone()[0]

    event.listen(Pool, "checkout", look)
    try:
        LabelStore(sqlite_url, "birds").close()
    finally:
        event.remove(Pool, "checkout", look)
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@each(
    "address, reason",
    [
        ("sqlite:////no/such/folder/labels.sqlite", "folder /no/such/folder does not exist. Create it"),
        ("sqlite://", "in memory are lost"),
        ("sqlite:///:memory:", "in memory are lost"),
        ("sqlite:///file:x?mode=memory&uri=true", "in memory are lost"),
        ("labels.sqlite", "no SQLAlchemy URL"),
        ("nosuchdb://host/labels", "driver is missing"),
        ("oracle+cx_oracle://host/labels", "driver is missing"),
    ],
)
def test_an_address_that_cannot_be_used_names_the_next_step(address: str, reason: str) -> None:
    with pytest.raises(StoreError, match=reason):
        LabelStore(address, "birds")


def test_errors_do_not_show_the_password() -> None:
    with pytest.raises(StoreError) as caught:
        LabelStore("oracle+cx_oracle://ada:hunter2@host/labels", "birds")
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but long enough to be looked at as one by SQLite: " * 20)
    before = file.read_bytes()
    with pytest.raises(StoreError, match=r"not a database.*Move that file away"):
        LabelStore(f"sqlite:///{file}", "birds")
    assert file.read_bytes() == before


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"unable to open database file.*writable folder"):
        LabelStore(f"sqlite:///{tmp_path}", "birds")


def test_a_read_only_database_is_refused(sqlite_store: LabelStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"readonly database.*Make the file and its folder writable"):
        LabelStore(f"sqlite:///file:{tmp_path}/labels.sqlite?mode=ro&uri=true", "birds")


def test_a_database_of_another_layout_is_refused(sqlite_store: LabelStore, sqlite_url: str, tmp_path: Path) -> None:
    sqlite_store.close()
    with sqlite3.connect(tmp_path / "labels.sqlite") as connection:
        connection.execute("UPDATE fastlabel_version SET version = 7")
    connection.close()
    with pytest.raises(StoreError, match="has layout 7, this FastLabel reads layout 1"):
        LabelStore(sqlite_url, "birds")


def test_a_full_disk_stores_nothing_and_the_store_goes_on(tmp_path: Path) -> None:
    def limit_pages(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA max_page_count=60")

    event.listen(Pool, "connect", limit_pages)
    store = LabelStore(f"sqlite:///{tmp_path}/labels.sqlite", "birds")
    try:
        store.ensure_labels(["cat", "dog"])
        store.submit("ada", [("small", 0)], now=0)
        store.claim("ada", batch("b", "1", "2"), now=0, expires_at=60)
        with pytest.raises(StoreError, match=r"disk is full.*Nothing of this request was stored. Free space"):
            store.submit("ada", [(f"long name {i:0200d}", 1) for i in range(2000)], "b", now=1)
        assert store.current() == {"small": 0}
        assert store.open_batch("ada", now=1) == batch("b", "1", "2")
        assert store.submit("ada", [("1", 1)], "b", now=2).changed == {"1": 1}
    finally:
        store.close()
        event.remove(Pool, "connect", limit_pages)


def test_a_constraint_that_fails_in_the_middle_undoes_the_whole_undo(sqlite_store: LabelStore, tmp_path: Path) -> None:
    sqlite_store.submit("ada", [("1", 0)], now=0)
    with sqlite3.connect(tmp_path / "labels.sqlite") as connection:
        connection.execute(
            "CREATE TRIGGER no_undo BEFORE INSERT ON fastlabel_submissions WHEN NEW.reverts IS NOT NULL "
            "BEGIN SELECT RAISE(ABORT, 'undo is switched off'); END"
        )
    with pytest.raises(StoreError, match="undo is switched off"):
        sqlite_store.undo("ada", now=1)
    assert sqlite_store.current() == {"1": 0}
