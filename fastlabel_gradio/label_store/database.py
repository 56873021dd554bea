"""The database under the label store: its tables, how it is opened, and the two kinds of transaction.

What the rows mean is the subject of the files beside this. Every row knows its project: one database serves many.
Annotations and submissions are only ever appended. No index of a long table starts with the project: without statistics
SQLite takes the first column of an index for a rare value, and would read the whole project to find one item.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from sqlite3 import Error as SQLiteError
from typing import Any

from sqlalchemy import (
    URL,
    CheckConstraint,
    Column,
    Connection,
    Double,
    Engine,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    insert,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from fastlabel_gradio.errors import InvalidLabelsError, StoreError, shown
from fastlabel_gradio.label_store.label_file import LabelFile

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1
LOCK_WAIT_S = 10.0

metadata = MetaData()

# The opened databases of this process by address, and how many use each: all share its connections, its one writer and
# what is known of its file.
_opened: dict[str, "LabelDatabase"] = {}
_opening = threading.Lock()

versions = Table("fastlabel_version", metadata, Column("version", Integer, primary_key=True))

projects = Table(
    "fastlabel_projects",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

labels = Table(
    "fastlabel_labels",
    metadata,
    Column("project", ForeignKey(projects.c.id), primary_key=True),
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("project", "name"),
)

# A submission is one act of one annotator: annotations made together or, with `reverts`, the undoing of an earlier one.
submissions = Table(
    "fastlabel_submissions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project", ForeignKey(projects.c.id), nullable=False),
    Column("annotator", Text, nullable=False),
    Column("batch_id", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("reverts", ForeignKey("fastlabel_submissions.id"), unique=True),
    Index("fastlabel_submissions_by_annotator", "annotator", "project", "id"),
)

annotations = Table(
    "fastlabel_annotations",
    metadata,
    Column("submission", ForeignKey(submissions.c.id), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("project", Integer, nullable=False),
    Column("item_id", Text, CheckConstraint("item_id <> ''"), nullable=False),
    Column("label_id", Integer, nullable=False),
    ForeignKeyConstraint(["project", "label_id"], [labels.c.project, labels.c.id]),
    Index("fastlabel_annotations_by_item", "item_id", "project", "submission"),
    sqlite_with_rowid=False,
)

batches = Table(
    "fastlabel_batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project", ForeignKey(projects.c.id), primary_key=True),
    Column("annotator", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("head_version", Integer, nullable=False),
    Column("notice", Text, nullable=False),
    Column("opened_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
)

# The key is what makes two holders of one item impossible, whatever the processes do.
claims = Table(
    "fastlabel_claims",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("project", Integer, primary_key=True, autoincrement=False),
    Column("batch_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    ForeignKeyConstraint(["batch_id", "project"], [batches.c.id, batches.c.project]),
    Index("fastlabel_claims_by_batch", "batch_id", "project"),
)


class LabelDatabase:
    """An opened database with its tables in place. `open_database` gives it.

    Args:
        url: any SQLAlchemy address, e.g. "sqlite:////data/labels.sqlite".

    Raises:
        StoreError: it cannot be opened and written; the message says why and what to do.
    """

    def __init__(self, url: str) -> None:
        address = _checked_url(url)
        self._url = url
        # hide_password is the default of render_as_string: messages may reach a screen.
        self.where = address.render_as_string()
        self.users = 0
        self._engine = _engine(address, self.where)
        self._writer = self._engine.execution_options(fastlabel_begin="BEGIN IMMEDIATE")
        # Writers queue here instead of polling SQLite's file lock, which starved some for seconds.
        self._write_lock = threading.Lock()
        self._file: LabelFile | None = None
        try:
            with self.writing() as connection:
                _prepare_tables(connection, self.where)
            self._file = self._hold_file(address)
        except StoreError:
            self._engine.dispose()
            raise
        except (ValueError, TypeError) as error:  # options in the address, such as ?timeout=soon
            raise StoreError(f"label store {self.where}: {error}. Correct the address and its options.") from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that never waits for a writer; on SQLite all its queries see one state."""
        with self._errors_named(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The only writing transaction of this process: all of it is on disk when the block ends, or nothing is.

        On disk means: in the file that stands at the address then. One that was deleted is written again.
        """
        with self._errors_named(), self._turn_to_write():
            self._check_file()
            with self._writer.begin() as connection:
                yield connection
            if self._file and not self._file.is_whole():
                self._mend_file()

    def close(self) -> None:
        """Closes all connections once nobody uses the database any more."""
        with _opening:
            self.users -= 1
            if self.users > 0:
                return
            del _opened[self._url]
        try:
            with self._turn_to_write():
                if self._file and not self._file.is_whole():
                    self._mend_file()
        except (StoreError, SQLiteError, OSError) as error:
            log.error("%s", error)
        if self._file:
            self._file.close()
        self._engine.dispose()

    @contextmanager
    def _turn_to_write(self) -> Iterator[None]:
        """Raises StoreError where another transaction of this process takes too long, one that waits for the disk."""
        if not self._write_lock.acquire(timeout=LOCK_WAIT_S):
            raise StoreError(
                f"label store {self.where}: it is busy with what came before, for {LOCK_WAIT_S:.0f} s. Nothing of this "
                "request was stored. Send it again."
            )
        try:
            yield
        finally:
            self._write_lock.release()

    def _check_file(self) -> None:
        """Raises StoreError where the file is not the one that was opened, also where it was written again."""
        if self._file is None or self._file.is_whole():
            return
        try:
            self._file.check()
        except StoreError as problem:
            self._mend_file()
            raise StoreError(
                f"{problem} All labels until now were written there again. Nothing of this request was stored. Send it again."
            ) from problem

    def _mend_file(self) -> None:
        assert self._file
        self._file.mend(self._engine.dispose)
        log.warning(
            "%s was deleted or moved while FastLabel runs. Its labels were written there again.", self._file.path
        )

    def _hold_file(self, address: URL) -> LabelFile | None:
        if address.get_backend_name() != "sqlite":
            return None
        dialect = self._engine.dialect
        arguments, options = dialect.create_connect_args(address)

        def connect() -> SQLiteConnection:
            connection: Any = dialect.connect(*arguments, **options)
            _set_up_sqlite(connection)
            return connection  # type: ignore[no-any-return]

        path = Path(address.database or "")
        with self._errors_named():
            file = LabelFile(path, connect)
        # A connection to a path where nothing stands would make an empty file there.
        event.listen(self._engine, "do_connect", lambda *_: file.check())
        return file

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, SQLiteError, OSError) as error:
            raise StoreError(_explained(error, self.where)) from error
        except UnicodeEncodeError as error:
            raise InvalidLabelsError(
                f"{shown(error.object)} cannot be stored: it holds bytes that are no text (UTF-8). Rename the file or label."
            ) from error
        except OverflowError as error:
            raise InvalidLabelsError(
                f"a number is too large to store ({error}). Label ids are small integers."
            ) from error


def open_database(url: str) -> LabelDatabase:
    """The database at an address, the same for all of this process who name it; each of them closes it.

    Args:
        url: as `LabelDatabase` has it, which raises StoreError.
    """
    with _opening:
        database = _opened.get(url) or _opened.setdefault(url, LabelDatabase(url))
        database.users += 1
    return database


def _checked_url(url: str) -> URL:
    try:
        address = make_url(url)
        if address.get_backend_name() == "sqlite":
            _check_sqlite_path(address)
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number, a NUL in a path
        raise StoreError(
            "the address of the label store is no SQLAlchemy URL. Write it like sqlite:////folder/labels.sqlite "
            "or postgresql+psycopg://user:password@host/database."
        ) from error
    return address


def _check_sqlite_path(address: URL) -> None:
    path = address.database or ""
    if path in ("", ":memory:") or address.query.get("mode") == "memory" or "mode=memory" in path:
        raise StoreError("labels in memory are lost when the app stops. Give a file: sqlite:////folder/labels.sqlite.")
    folder = Path(path).parent
    if not path.startswith("file:") and not folder.is_dir():
        raise StoreError(f"label store {path}: folder {folder} does not exist. Create it (mkdir -p) or choose another.")


def _engine(address: URL, where: str) -> Engine:
    sqlite = address.get_backend_name() == "sqlite"
    try:
        engine = create_engine(address, connect_args={"timeout": LOCK_WAIT_S} if sqlite else {})
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(
            f"label store {where}: its database driver is missing ({error}). Install it with pip (for PostgreSQL: "
            "pip install psycopg[binary], address postgresql+psycopg://…), or use a sqlite:/// address."
        ) from error
    except (SQLAlchemyError, TypeError, ValueError) as error:
        raise StoreError(f"label store {where}: {error} Correct the address, or use a sqlite:/// address.") from error
    if sqlite:
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: SQLiteConnection, _: ConnectionPoolEntry | None = None) -> None:
    # Python's driver begins transactions late, and never for SELECT; with None it leaves them to _begin_sqlite
    # (SQLAlchemy's manual, dialects/sqlite, "Transactions with SQLite and the sqlite3 driver").
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA journal_mode=WAL")
    # In WAL mode only FULL waits for the disk at each commit: an answered submit survives a power cut.
    connection.execute("PRAGMA synchronous=FULL")


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns into a writer fails at once when another process wrote meanwhile.
    connection.exec_driver_sql(connection.get_execution_options().get("fastlabel_begin", "BEGIN"))


def _prepare_tables(connection: Connection, where: str) -> None:
    metadata.create_all(connection)
    version = connection.scalar(select(versions.c.version))
    if version is None:
        connection.execute(insert(versions).values(version=SCHEMA_VERSION))
    elif version != SCHEMA_VERSION:
        raise StoreError(
            f"label store {where} has layout {version}, this FastLabel reads layout {SCHEMA_VERSION}. "
            "Use the FastLabel that wrote it, or another label store."
        )
    # Changes nothing, but fails now, not at the first submit, where the database can only be read.
    connection.execute(update(versions).values(version=SCHEMA_VERSION))


def _explained(error: Exception, where: str) -> str:
    reason = str(getattr(error, "orig", None) or error).strip()
    return f"label store {where}: {reason}. Nothing of this request was stored. {_next_step(reason)}"


def _next_step(reason: str) -> str:
    steps = {
        "disk is full": "Free space on its disk and send the request again.",
        "disk I/O error": "Check its disk (space, quota, cable), then send the request again.",
        "readonly": "Make the file and its folder writable, or choose another folder.",
        "read-only": "Make the file and its folder writable, or choose another folder.",
        "unable to open": "Check that the path names a file in a writable folder.",
        "not a database": "Move that file away or give another path; FastLabel does not overwrite it.",
        "malformed": "The file is damaged: put back a copy, or try `sqlite3 FILE .recover`.",
        "locked": "Another program holds the database. Close it and send the request again.",
    }
    return next(
        (step for words, step in steps.items() if words in reason), "Check the address and the database server."
    )
