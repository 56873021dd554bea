"""Databases of earlier layouts: each function leads from one layout to the next, in SQL of that time.

All of it happens in one transaction; of a SQLite file a copy is kept first. The functions know nothing of today's tables,
which change again: a migration once released stays as it is.
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection

from fastlabel_gradio.errors import StoreError

Migration = Callable[[Connection], None]


def _say_more(connection: Connection) -> None:
    """Layout 1 to 2: states, sources, checks, class events, undos of undos, and a count of what changed.

    SQLite cannot take NOT NULL from a column, so the annotations move to a new table.
    """
    options = " WITHOUT ROWID" if connection.dialect.name == "sqlite" else ""
    for statement in _SAY_MORE:
        connection.exec_driver_sql(statement.replace("$OPTIONS", options))


_SAY_MORE = (
    "ALTER TABLE fastlabel_projects ADD COLUMN revision INTEGER DEFAULT 0 NOT NULL",
    "ALTER TABLE fastlabel_submissions ADD COLUMN original INTEGER REFERENCES fastlabel_submissions (id)",
    "UPDATE fastlabel_submissions SET original = reverts WHERE reverts IS NOT NULL",
    "CREATE INDEX fastlabel_submissions_by_original ON fastlabel_submissions (original)",
    "ALTER TABLE fastlabel_annotations RENAME TO fastlabel_annotations_of_layout_1",
    "DROP INDEX fastlabel_annotations_by_item",
    """
    CREATE TABLE fastlabel_annotations (
        submission INTEGER NOT NULL REFERENCES fastlabel_submissions (id),
        position INTEGER NOT NULL,
        project INTEGER NOT NULL,
        item_id TEXT NOT NULL CHECK (item_id <> ''),
        label_id INTEGER,
        state TEXT DEFAULT 'label' NOT NULL,
        present BOOLEAN DEFAULT true NOT NULL,
        source TEXT DEFAULT 'person' NOT NULL,
        head_version INTEGER,
        confidence DOUBLE PRECISION,
        note TEXT DEFAULT '' NOT NULL,
        PRIMARY KEY (submission, position),
        CHECK ((state = 'label') = (label_id IS NOT NULL)),
        FOREIGN KEY (project, label_id) REFERENCES fastlabel_labels (project, id)
    )$OPTIONS
    """,
    """
    INSERT INTO fastlabel_annotations (submission, position, project, item_id, label_id)
    SELECT submission, position, project, item_id, label_id FROM fastlabel_annotations_of_layout_1
    ORDER BY submission, position
    """,
    "DROP TABLE fastlabel_annotations_of_layout_1",
    "CREATE INDEX fastlabel_annotations_by_item ON fastlabel_annotations (item_id, project, submission)",
    """
    CREATE TABLE fastlabel_checks (
        submission INTEGER NOT NULL REFERENCES fastlabel_submissions (id),
        position INTEGER NOT NULL,
        project INTEGER NOT NULL,
        item_id TEXT NOT NULL CHECK (item_id <> ''),
        label_id INTEGER NOT NULL,
        PRIMARY KEY (submission, position),
        FOREIGN KEY (project, label_id) REFERENCES fastlabel_labels (project, id)
    )$OPTIONS
    """,
    "CREATE INDEX fastlabel_checks_by_item ON fastlabel_checks (item_id, project, submission)",
    """
    CREATE TABLE fastlabel_class_events (
        submission INTEGER NOT NULL REFERENCES fastlabel_submissions (id),
        position INTEGER NOT NULL,
        project INTEGER NOT NULL,
        label_id INTEGER NOT NULL,
        kind TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (submission, position),
        FOREIGN KEY (project, label_id) REFERENCES fastlabel_labels (project, id)
    )
    """,
)


def _keep_heads(connection: Connection) -> None:
    """The newest head of each project, for all processes on the database."""
    kind = {"sqlite": "BLOB", "postgresql": "BYTEA"}.get(connection.dialect.name, "BLOB")
    connection.exec_driver_sql(_KEEP_HEADS.replace("$BYTES", kind))


_KEEP_HEADS = """
CREATE TABLE fastlabel_heads (
    project INTEGER NOT NULL PRIMARY KEY REFERENCES fastlabel_projects (id),
    revision INTEGER DEFAULT 0 NOT NULL,
    event INTEGER DEFAULT 0 NOT NULL,
    checkpoint $BYTES,
    record $BYTES,
    trainer TEXT DEFAULT '' NOT NULL,
    trains_until DOUBLE PRECISION DEFAULT 0 NOT NULL
)
"""

MIGRATIONS: tuple[Migration, ...] = (_say_more, _keep_heads)  # the first one is that of layout 1
NEWEST_LAYOUT = 1 + len(MIGRATIONS)


def migrate(connection: Connection, layout: int) -> None:
    """Leads a database from a layout, 1 to NEWEST_LAYOUT, to the newest, inside the caller's transaction."""
    for migration in MIGRATIONS[layout - 1 :]:
        migration(connection)


def keep_copy(file: Path, layout: int) -> Path:
    """Copies a SQLite database as it was last committed, beside itself and under a name that is free; returns the copy.

    Raises StoreError where it cannot be written; nothing of it is left then.
    """
    names = (f"{file.stem}.layout-{layout}{number}{file.suffix}" for number in ("", *(f"-{n}" for n in range(2, 1000))))
    copy = next(path for path in map(file.with_name, names) if not path.exists())
    part = copy.with_name(f"{copy.name}.part")
    try:
        part.unlink(missing_ok=True)
        source = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
        with closing(source), closing(sqlite3.connect(part)) as target:
            target.execute("PRAGMA synchronous=FULL")
            source.backup(target)
        shutil.copymode(file, part)
        part.replace(copy)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise StoreError(
            f"label store {file}: it is of an earlier version, and the copy that is kept before it is brought up to date "
            f"cannot be written ({error}). Make room on its disk and start again; the labels are as they were."
        ) from error
    return copy
