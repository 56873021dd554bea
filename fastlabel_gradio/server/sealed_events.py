"""Sealed events: what was appended to a SQLite label store since a submission, as a file, and back into a copy of the store.

Written and read in SQL, table by table as the file has them, so that events of one layout go into a store of that layout
whatever the tables of today are. Who holds which items is not in it: batches end with the process.
"""

import gzip
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastlabel_gradio.errors import StoreError

SUBMISSIONS = "fastlabel_submissions"
OF_THE_MOMENT = frozenset({"fastlabel_version", "fastlabel_batches", "fastlabel_claims", "fastlabel_heads"})


@dataclass(frozen=True, slots=True)
class StoreState:
    """How far a label store is: its newest submission, and how often anything in it was changed."""

    submission: int
    revision: int


def state_of(label_file: Path) -> StoreState:
    """Raises StoreError where it cannot be read."""
    with _reading(label_file) as connection:
        newest = connection.execute(f"SELECT coalesce(max(id), 0) FROM {SUBMISSIONS}").fetchone()[0]
        revision = connection.execute("SELECT coalesce(sum(revision), 0) FROM fastlabel_projects").fetchone()[0]
    return StoreState(newest, revision)


def read_events(label_file: Path, after: int) -> tuple[StoreState, bytes]:
    """How far the store is, and what came after a submission, as `apply_events` reads it. Raises StoreError."""
    with _reading(label_file) as connection:
        connection.execute("BEGIN")  # all tables as of one moment
        newest = connection.execute(f"SELECT coalesce(max(id), 0) FROM {SUBMISSIONS}").fetchone()[0]
        revision = connection.execute("SELECT coalesce(sum(revision), 0) FROM fastlabel_projects").fetchone()[0]
        layout = connection.execute("SELECT version FROM fastlabel_version").fetchone()[0]
        lines = [{"layout": layout, "after": after, "to": newest}]
        lines += [_table(connection, name, after) for name in _tables(connection)]
        connection.execute("ROLLBACK")
    content = "".join(f"{json.dumps(line)}\n" for line in lines)
    return StoreState(newest, revision), gzip.compress(content.encode(), compresslevel=3, mtime=0)


def apply_events(file: Path, label_file: Path) -> None:
    """Puts the events of a file into a store that holds all that came before them.

    Raises:
        StoreError: the file is damaged or of another layout, or events between it and the store are missing. Nothing of it
            is in the store then.
    """
    try:
        about, *tables = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
        with closing(sqlite3.connect(label_file)) as connection, connection:
            layout = connection.execute("SELECT version FROM fastlabel_version").fetchone()[0]
            newest = connection.execute(f"SELECT coalesce(max(id), 0) FROM {SUBMISSIONS}").fetchone()[0]
            if (about["layout"], about["after"] <= newest) != (layout, True):
                raise StoreError(f"{file} does not follow on what was restored so far.")
            for table in tables:
                names, marks = ", ".join(table["columns"]), ", ".join("?" * len(table["columns"]))
                insert = f"INSERT OR REPLACE INTO {table['table']} ({names}) VALUES ({marks})"
                connection.executemany(insert, table["rows"])
    except (OSError, EOFError, ValueError, LookupError, TypeError, sqlite3.Error) as error:
        raise StoreError(f"{file} cannot be read ({error}).") from error


def _tables(connection: sqlite3.Connection) -> list[str]:
    """The tables that are kept, those before others that refer to them."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid").fetchall()
    return [name for (name,) in found if name.startswith("fastlabel_") and name not in OF_THE_MOMENT]


def _table(connection: sqlite3.Connection, name: str, after: int) -> dict[str, Any]:
    """What is new of a table that is only appended to; all of one that is not, such as the names of classes."""
    columns = [column[1] for column in connection.execute(f"PRAGMA table_info({name})")]
    counted = "id" if name == SUBMISSIONS else "submission" if "submission" in columns else None
    where = f" WHERE {counted} > {after:d}" if counted else ""
    rows = connection.execute(f"SELECT {', '.join(columns)} FROM {name}{where}").fetchall()
    return {"table": name, "columns": columns, "rows": rows}


@contextmanager
def _reading(label_file: Path) -> Iterator[sqlite3.Connection]:
    try:
        found = sqlite3.connect(f"{label_file.resolve().as_uri()}?mode=ro", uri=True, timeout=30, isolation_level=None)
        with closing(found) as connection:
            yield connection
    except sqlite3.Error as error:
        raise StoreError(f"{label_file} cannot be read: {error}.") from error
