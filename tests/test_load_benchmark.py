"""`benchmarks/load.py` at a tiny size: nothing is lost, nobody gets another's item."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.load import (
    BATCH,
    LABEL_FILE,
    asked_at_once,
    asked_while_locked,
    at_once_table,
    killed,
    kills_table,
    locked_table,
    visitors_table,
    visits,
)
from benchmarks.workload import started
from tests.pools import write_pictures
from tests.test_api import start


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of an app over 360 pictures, and its working directory."""
    folder = tmp_path_factory.mktemp("load")
    write_pictures(folder / "pictures", per_class=120)
    app, address = start(folder)
    yield address, app.workdir
    app.close()


@pytest.fixture
def address(served: tuple[str, Path]) -> str:
    return served[0]


def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pictures", per_class=60)
    words = [str(folder), "--encoder", "offline"]
    found = killed(lambda: started(words, tmp_path / "work", {"HF_HUB_OFFLINE": "1"}), 1, random.Random(0), 2)
    assert (found.kills, found.lost, found.made_up) == (1, set(), set())
    assert kills_table(found).rows[0][0] == 1


def test_many_who_ask_at_once_get_items_of_their_own(address: str) -> None:
    found = [asked_at_once(address, 9, with_head) for with_head in (False, True)]
    assert [(len(waits), twice) for _, waits, twice in found] == [(9, 0), (9, 0)]
    assert len(at_once_table(found).rows) == 2


def test_what_needs_no_label_file_is_answered_while_another_program_holds_it(
    served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastlabel_gradio.label_store.database.LOCK_WAIT_S", 0.1)
    address, workdir = served
    waiting, looking = asked_while_locked(address, workdir / LABEL_FILE, 0.5)
    assert len(waiting.acknowledged) == BATCH
    assert {name for name, taken in looking.seconds.items() if taken} == {"next batch", "status", "picture", "sheet"}
    table = locked_table([waiting, looking])
    assert [row[0] for row in table.rows] == ["status", "picture", "sheet"]
    assert "10 labels waited" in table.note


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts as Linux does")
def test_what_a_process_holds_for_its_visitors_is_counted(address: str) -> None:
    held = visits(address, os.getpid(), 2)
    assert [each.when for each in held] == ["before", "after 2 visitors", "after 4 visitors"]
    assert len(visitors_table(held).rows) == 3
