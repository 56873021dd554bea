"""Databases that earlier versions wrote: what stands, what can be undone and who holds what is the same after the update."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.labels import LabelStore, migrations
from fastlabel_gradio.labels.migrations import NEWEST_LAYOUT
from tests.labels.conftest import said

OpenStore = Callable[..., LabelStore]

# Layout 1, as the versions until November 2026 made it.
LAYOUT_1 = """
CREATE TABLE fastlabel_version (version INTEGER NOT NULL PRIMARY KEY);
CREATE TABLE fastlabel_projects (id $SERIAL NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE fastlabel_labels (
    project INTEGER NOT NULL REFERENCES fastlabel_projects (id), id INTEGER NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (project, id), UNIQUE (project, name)
);
CREATE TABLE fastlabel_submissions (
    id $SERIAL NOT NULL PRIMARY KEY, project INTEGER NOT NULL REFERENCES fastlabel_projects (id), annotator TEXT NOT NULL,
    batch_id TEXT NOT NULL, created_at DOUBLE PRECISION NOT NULL, reverts INTEGER UNIQUE REFERENCES fastlabel_submissions (id)
);
CREATE INDEX fastlabel_submissions_by_annotator ON fastlabel_submissions (annotator, project, id);
CREATE TABLE fastlabel_annotations (
    submission INTEGER NOT NULL REFERENCES fastlabel_submissions (id), position INTEGER NOT NULL, project INTEGER NOT NULL,
    item_id TEXT NOT NULL CHECK (item_id <> ''), label_id INTEGER NOT NULL, PRIMARY KEY (submission, position),
    FOREIGN KEY (project, label_id) REFERENCES fastlabel_labels (project, id)
)$OPTIONS;
CREATE INDEX fastlabel_annotations_by_item ON fastlabel_annotations (item_id, project, submission);
CREATE TABLE fastlabel_batches (
    id TEXT NOT NULL, project INTEGER NOT NULL REFERENCES fastlabel_projects (id), annotator TEXT NOT NULL,
    strategy TEXT NOT NULL, head_version INTEGER NOT NULL, notice TEXT NOT NULL, opened_at DOUBLE PRECISION NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL, PRIMARY KEY (id, project)
);
CREATE TABLE fastlabel_claims (
    item_id TEXT NOT NULL, project INTEGER NOT NULL, batch_id TEXT NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (item_id, project), FOREIGN KEY (batch_id, project) REFERENCES fastlabel_batches (id, project)
);
CREATE INDEX fastlabel_claims_by_batch ON fastlabel_claims (batch_id, project);
INSERT INTO fastlabel_version VALUES (1);
INSERT INTO fastlabel_projects (name) VALUES ('birds');
INSERT INTO fastlabel_labels VALUES (1, 0, 'cat'), (1, 1, 'dog'), (1, 2, 'owl');
INSERT INTO fastlabel_submissions (project, annotator, batch_id, created_at, reverts) VALUES
    (1, 'ada', 'a1', 10, NULL), (1, 'bob', 'b1', 20, NULL), (1, 'ada', 'a2', 30, NULL), (1, 'ada', 'a2', 40, 3),
    (1, 'bob', '', 50, NULL);
INSERT INTO fastlabel_annotations VALUES
    (1, 0, 1, '1.jpg', 0), (1, 1, 1, '2.jpg', 1), (2, 0, 1, '3.jpg', 2), (3, 0, 1, '1.jpg', 2), (3, 1, 1, '4.jpg', 0),
    (5, 0, 1, '2.jpg', 2);
INSERT INTO fastlabel_batches VALUES ('a3', 1, 'ada', 'margin', 3, 'notice', 60, 1000);
INSERT INTO fastlabel_claims VALUES ('8.jpg', 1, 'a3', 0), ('7.jpg', 1, 'a3', 1);
"""


def write_layout_1(url: str) -> str:
    """A database as an earlier version left it; returns its address."""
    sqlite = url.startswith("sqlite")
    script = LAYOUT_1.replace("$SERIAL", "INTEGER" if sqlite else "SERIAL")
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in script.replace("$OPTIONS", " WITHOUT ROWID" if sqlite else "").split(";\n")[:-1]:
            connection.exec_driver_sql(statement)
    engine.dispose()
    return url


@pytest.fixture
def old(empty_url: str) -> Iterator[str]:
    yield write_layout_1(empty_url)


def tables(url: str) -> dict[str, object]:
    """Columns, keys and indexes of every table, in an order of their own."""
    engine = create_engine(url)
    found = inspect(engine)
    described = {
        name: (
            {column["name"]: (_type(column["type"]), column["nullable"]) for column in found.get_columns(name)},
            found.get_pk_constraint(name)["constrained_columns"],
            sorted(
                (key["constrained_columns"], key["referred_table"], key["referred_columns"])
                for key in found.get_foreign_keys(name)
            ),
            sorted((str(index["name"]), index["column_names"]) for index in found.get_indexes(name)),
        )
        for name in found.get_table_names()
    }
    engine.dispose()
    return described


def test_what_an_earlier_version_stored_stands_as_it_did(old: str, open_store: OpenStore) -> None:
    store = open_store(at=old)
    assert store.ensure_labels(["cat", "dog", "owl"]).ids == (0, 1, 2)
    assert store.current() == {"1.jpg": 0, "2.jpg": 1, "3.jpg": 2}
    assert said(store) == [("1.jpg", 0, "ada"), ("2.jpg", 1, "ada"), ("3.jpg", 2, "bob"), ("2.jpg", 2, "bob")]
    assert [(c.item_id, c.annotator, c.expires_at) for c in store.claims(now=70)] == [
        ("8.jpg", "ada", 1000.0),
        ("7.jpg", "ada", 1000.0),
    ]
    assert store.submit("bob", [("4.jpg", 1)], now=80).changed == {"4.jpg": 1}


def test_what_an_earlier_version_undid_stays_undone_and_the_rest_can_be_undone(old: str, open_store: OpenStore) -> None:
    store = open_store(at=old)
    redone = store.redo("ada", now=70)
    assert redone is not None and redone.changed == {"1.jpg": 2, "4.jpg": 0}
    batches = [undone and undone.batch_id for undone in (store.undo("ada", now=80) for _ in range(3))]
    assert batches == ["a2", "a1", None]
    assert store.current() == {"2.jpg": 2, "3.jpg": 2}


def test_the_tables_are_those_of_a_new_database(
    old: str, open_store: OpenStore, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    sqlite = old.startswith("sqlite")
    new = f"sqlite:///{tmp_path}/new.sqlite" if sqlite else request.getfixturevalue("new_postgres")()
    for url in (old, new):
        open_store(at=url)
    assert tables(old) == tables(new)


def test_a_copy_is_kept_beside_the_file_and_named_in_the_log(
    sqlite_url: str, open_store: OpenStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_layout_1(sqlite_url)
    with caplog.at_level(logging.WARNING):
        open_store(at=sqlite_url).close()
    copy = tmp_path / "labels.layout-1.sqlite"
    assert str(copy) in caplog.text
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("SELECT version FROM fastlabel_version").fetchall() == [(1,)]
        assert kept.execute("SELECT count(*) FROM fastlabel_annotations").fetchone() == (6,)
    before = copy.read_bytes()
    open_store(at=sqlite_url).close()
    (tmp_path / "labels.sqlite").unlink()
    write_layout_1(sqlite_url)
    open_store(at=sqlite_url).close()
    assert copy.read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("*.sqlite")) == [
        "labels.layout-1-2.sqlite",
        "labels.layout-1.sqlite",
        "labels.sqlite",
    ]


def test_a_migration_that_fails_changes_nothing(
    sqlite_url: str, open_store: OpenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_layout_1(sqlite_url)
    with sqlite3.connect(tmp_path / "labels.sqlite") as connection:
        connection.execute("CREATE TABLE fastlabel_checks (stands_in_the_way TEXT)")
    connection.close()
    with pytest.raises(StoreError, match="fastlabel_checks already exists"):
        open_store(at=sqlite_url)
    with sqlite3.connect(tmp_path / "labels.sqlite") as connection:
        connection.execute("DROP TABLE fastlabel_checks")
        assert connection.execute("SELECT version FROM fastlabel_version").fetchall() == [(1,)]
    connection.close()
    assert open_store(at=sqlite_url).current() == {"1.jpg": 0, "2.jpg": 1, "3.jpg": 2}


def test_a_copy_that_cannot_be_written_leaves_the_file_as_it_is(
    sqlite_url: str, open_store: OpenStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_layout_1(sqlite_url)
    monkeypatch.setattr(migrations.shutil, "copymode", _no_room)
    with pytest.raises(StoreError, match=r"cannot be written.*Make room.*the labels are as they were"):
        open_store(at=sqlite_url)
    assert [path.name for path in tmp_path.glob("labels.layout*")] == []
    monkeypatch.undo()
    assert len(open_store(at=sqlite_url).current()) == 3


@pytest.mark.parametrize("layout", [NEWEST_LAYOUT + 1, 0])
def test_a_database_of_a_later_version_is_refused_and_left_alone(old: str, open_store: OpenStore, layout: int) -> None:
    engine = create_engine(old)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE fastlabel_version SET version = {layout}")
    with pytest.raises(
        StoreError, match=f"has layout {layout}, this FastLabel reads layout 1 to {NEWEST_LAYOUT}. Use the FastLabel"
    ):
        open_store(at=old)
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT version FROM fastlabel_version").scalar() == layout
    engine.dispose()


def _type(column_type: object) -> str:
    """SQLite has one kind of number with a fraction, whatever it is called."""
    return "DOUBLE" if str(column_type).startswith(("DOUBLE", "REAL", "FLOAT")) else str(column_type)


def _no_room(*_: object) -> None:
    raise OSError("No space left on device")
