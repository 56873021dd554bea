"""`benchmarks/load.py` at a tiny size: nothing is lost, nobody gets another's item."""

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.load import (
    asked_at_once,
    asked_while_locked,
    at_once_table,
    clients_table,
    killed,
    kills_table,
    label_together,
    locked_table,
    processes_table,
    started_together,
    visitors_table,
    visits,
)
from benchmarks.workload import started
from tests.fork_server import Started
from tests.pools import write_pictures
from tests.served import served_here
from tests.test_api import start


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("load")


@pytest.fixture(scope="module")
def label_file(folder: Path, address: str) -> Path:
    [found] = folder.rglob("labels.sqlite")
    return found


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Of an app over 360 pictures."""
    write_pictures(folder / "pictures", per_class=120)
    app, address = start(folder)
    yield address
    app.close()


def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", Started)
    folder = write_pictures(tmp_path / "pictures", per_class=60)
    words, workdir = [str(folder), "--encoder", "offline"], tmp_path / "work"

    @contextmanager
    def start_again() -> Iterator[tuple[str, subprocess.Popen[bytes] | None]]:
        """In a process that can be killed; after that in this one, which starts sooner."""
        if workdir.exists():
            with served_here(words, workdir) as address:
                yield address, None
        else:
            with started(words, workdir, {"HF_HUB_OFFLINE": "1"}) as process:
                yield process

    found = killed(start_again, 1, random.Random(0), 2)
    assert (found.kills, found.lost, found.made_up) == (1, set(), set())
    assert kills_table(found).rows[0][0] == 1


def test_people_who_label_steadily_lose_nothing_and_share_no_item(address: str) -> None:
    found = label_together([address], 3, 0.5)
    assert found[1] == 0
    table = clients_table(found, 0.5)
    assert [row[0] for row in table.rows] == ["next batch", "submit"]
    assert " 0 lost, 0 items given to two." in table.note


def test_people_in_two_processes_lose_nothing_and_share_no_item(
    tmp_path: Path, new_postgres: Callable[[], str]
) -> None:
    """In this process, which starts sooner; tests/test_two_processes.py has real ones."""
    few = write_pictures(tmp_path / "few", per_class=60)
    with started_together(few, tmp_path, new_postgres(), 2, served_here) as addresses:
        found = label_together(addresses, 4, 1.0, 0.01)
    assert found[1] == 0
    table = processes_table(found, 1.0, 2, 0.01)
    assert table.title.startswith("4 people who take 0.01 s for a label, in 2 processes")
    assert [row[0] for row in table.rows] == ["next batch", "submit"]
    assert " 0 lost, 0 items given to two." in table.note
    assert int(table.note.split()[0]) > 0


def test_what_needs_no_label_file_answers_while_it_is_held(address: str, label_file: Path) -> None:
    waiting, taken = asked_while_locked(address, label_file, 0.3)
    assert waiting.acknowledged
    assert all(taken.values())
    assert [row[0] for row in locked_table((waiting, taken)).rows] == ["status", "picture", "sheet"]


def test_many_who_ask_at_once_get_items_of_their_own(address: str) -> None:
    found = [asked_at_once(address, 9, with_head) for with_head in (False, True)]
    assert [(len(waits), twice) for _, waits, twice in found] == [(9, 0), (9, 0)]
    assert len(at_once_table(found).rows) == 2


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts as Linux does")
def test_what_a_process_holds_for_its_visitors_is_counted(address: str) -> None:
    held = visits(address, os.getpid(), 2)
    assert [each.when for each in held] == ["before", "after 2 visitors", "after 4 visitors"]
    assert len(visitors_table(held).rows) == 3
