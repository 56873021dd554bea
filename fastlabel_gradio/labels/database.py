"""The database under the label store: how it is opened and brought up to date, and the two kinds of transaction.

Its tables stand in `tables.py`, how those of earlier versions become these in `migrations.py`.
"""

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from sqlite3 import Error as SQLiteError
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, make_url, select, update
from sqlalchemy.exc import ArgumentError, DataError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from fastlabel_gradio.errors import InvalidLabelsError, StoreError, shown
from fastlabel_gradio.labels.chunks import chunks
from fastlabel_gradio.labels.label_file import LabelFile
from fastlabel_gradio.labels.migrations import NEWEST_LAYOUT, keep_copy, migrate
from fastlabel_gradio.labels.outages import committed, connect_options, connected, is_outage
from fastlabel_gradio.labels.tables import metadata, projects, versions
from fastlabel_gradio.labels.watcher import Watcher

log = logging.getLogger(__name__)

LOCK_WAIT_S = 10.0
SPARE_PAGES = 16  # of a file of limited size: with fewer left a submit may not fit
LOCK_NUMBER = (
    0x0FA57  # of the lock of a PostgreSQL database that keeps the others out while tables or projects are made
)

# The opened databases of this process by address, and how many use each: all share its connections, its one writer and
# what is known of its file.
_opened: dict[str, "LabelDatabase"] = {}
_opening = threading.Lock()


class LabelDatabase:
    """An opened database with its tables in place. `open_database` gives it.

    Args:
        url: any SQLAlchemy address, e.g. "sqlite:////data/labels.sqlite".
        most_bytes: that a SQLite file may take; None where its disk is the limit.

    Raises:
        StoreError: it cannot be opened and written; the message says why and what to do.
    """

    def __init__(self, url: str, most_bytes: float | None = None) -> None:
        address = _checked_url(url)
        self._most_bytes = most_bytes
        self._url = url
        # hide_password is the default of render_as_string: messages may reach a screen.
        self.where = address.render_as_string()
        self.users = 0
        self._engine = _engine(address, self.where)
        if most_bytes and self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", partial(_limit_sqlite, most_bytes))
        self._writer = self._engine.execution_options(fastlabel_begin="BEGIN IMMEDIATE")
        # Writers queue here instead of polling SQLite's file lock, which starved some for seconds.
        self._write_lock = threading.Lock()
        self._file: LabelFile | None = None
        self.watcher = Watcher(self.revisions)
        try:
            with self.writing() as connection:
                copy = _prepare_tables(connection, self.where)
            if copy:
                log.warning(
                    "%s was of an earlier version and is up to date now. It is kept as it was: %s", self.where, copy
                )
            self._file = self._hold_file(address)
        except StoreError:
            self._engine.dispose()
            raise
        except (ValueError, TypeError) as error:  # options in the address, such as ?timeout=soon
            raise StoreError(f"label store {self.where}: {error}. Correct the address and its options.") from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that never waits for a writer; on SQLite all its queries see one state."""
        with self._errors_named(), connected(self._engine) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The only writing transaction of this process: all of it is on disk when the block ends, or nothing is.

        On disk means: in the file that stands at the address then. One that was deleted is written again.
        """
        with self._errors_named(), self._turn_to_write():
            self._check_file()
            with connected(self._writer) as connection, committed(connection, self.where):
                yield connection
            if self._file and not self._file.is_whole():
                self._mend_file()

    def check(self) -> None:
        """Raises StoreError where nothing can be stored now. Changes nothing, and waits for nobody."""
        if not self._write_lock.acquire(blocking=False):
            return  # something is being stored
        try:
            if self._file:
                self._file.check()
            with self._errors_named(), self._writer.connect() as connection, connection.begin() as transaction:
                connection.execute(update(versions).values(version=versions.c.version))
                self._check_room(connection)
                transaction.rollback()
        finally:
            self._write_lock.release()

    def revisions(self, project_ids: Iterable[int]) -> dict[int, int]:
        """How often each project was changed so far, by id."""
        query = select(projects.c.id, projects.c.revision)
        with self.reading() as connection:
            found = [connection.execute(query.where(projects.c.id.in_(chunk))).all() for chunk in chunks(project_ids)]
        return {row.id: row.revision for rows in found for row in rows}

    def close(self) -> None:
        """Closes all connections once nobody uses the database any more."""
        with _opening:
            self.users -= 1
            if self.users > 0:
                return
            del _opened[self._url]
        self.watcher.close()
        try:
            with self._turn_to_write():
                if self._file and not self._file.is_whole():
                    self._mend_file()
        except (StoreError, SQLiteError, OSError) as error:
            log.error("%s", error)
        if self._file:
            self._file.close()
        self._engine.dispose()

    def _check_room(self, connection: Connection) -> None:
        """Raises StoreError where a SQLite file may not grow any more."""
        if self._most_bytes and connection.dialect.name == "sqlite":
            pages, free, most = (
                connection.exec_driver_sql(f"PRAGMA {what}").scalar_one()
                for what in ("page_count", "freelist_count", "max_page_count")
            )
            if pages - free + SPARE_PAGES > most:
                raise StoreError(_full(self.where, self._most_bytes))

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
        except DataError as error:  # PostgreSQL has no NUL in a text, and no integer above its type
            raise InvalidLabelsError(
                f"a value cannot be stored: {error.orig}. Nothing of this request was stored."
            ) from error
        except (SQLAlchemyError, SQLiteError, OSError) as error:
            if self._most_bytes and "database or disk is full" in str(error):
                raise StoreError(_full(self.where, self._most_bytes)) from error
            raise StoreError(_explained(error, self.where)) from error
        except UnicodeEncodeError as error:
            raise InvalidLabelsError(
                f"{shown(error.object)} cannot be stored: it holds bytes that are no text (UTF-8). Rename the file or label."
            ) from error
        except OverflowError as error:
            raise InvalidLabelsError(
                f"a number is too large to store ({error}). Label ids are small integers."
            ) from error


def open_database(url: str, most_bytes: float | None = None) -> LabelDatabase:
    """The database at an address, the same for all of this process who name it; each of them closes it.

    Args:
        url, most_bytes: as `LabelDatabase` has them, which raises StoreError.
    """
    with _opening:
        database = _opened.get(url) or _opened.setdefault(url, LabelDatabase(url, most_bytes))
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
    backend = address.get_backend_name()
    sqlite, options = backend == "sqlite", connect_options(backend, dict(address.query), LOCK_WAIT_S)
    try:
        # A server may have been restarted since a connection was last used: that is found out before it is used again.
        engine = create_engine(address, connect_args=options, pool_pre_ping=not sqlite)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError(
            f"label store {where}: its database driver is missing ({error}). Install it with pip (for PostgreSQL: "
            "pip install 'fastlabel-gradio[postgres]', address postgresql+psycopg://…), or use a sqlite:/// address."
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


def _limit_sqlite(most_bytes: float, connection: SQLiteConnection, _: ConnectionPoolEntry) -> None:
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute(f"PRAGMA max_page_count={int(most_bytes // page_bytes)}")  # one that is larger keeps its size


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns into a writer fails at once when another process wrote meanwhile.
    connection.exec_driver_sql(connection.get_execution_options().get("fastlabel_begin", "BEGIN"))


def keep_others_out(connection: Connection) -> None:
    """Until the end of the transaction nobody else makes tables or projects; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_NUMBER})")


def _prepare_tables(connection: Connection, where: str) -> Path | None:
    """Makes the tables, or brings those of an earlier version up to date; returns the copy that was kept of them."""
    keep_others_out(connection)
    layout = connection.scalar(select(versions.c.version)) if inspect(connection).has_table(versions.name) else None
    copy = None
    if layout is None:
        metadata.create_all(connection)
        connection.execute(insert(versions).values(version=NEWEST_LAYOUT))
    elif not 1 <= layout <= NEWEST_LAYOUT:
        raise StoreError(
            f"label store {where} has layout {layout}, this FastLabel reads layout 1 to {NEWEST_LAYOUT}. "
            "Use the FastLabel that wrote it, or another label store."
        )
    elif layout < NEWEST_LAYOUT:
        copy = _copied(connection, layout)
        migrate(connection, layout)
    # Where nothing is new this changes nothing, but fails now, not at the first submit, where the database can only be read.
    connection.execute(update(versions).values(version=NEWEST_LAYOUT))
    return copy


def _copied(connection: Connection, layout: int) -> Path | None:
    """A copy of the database's file as it is before the transaction; None where it is no file."""
    if connection.dialect.name != "sqlite":
        return None
    *_, path = connection.exec_driver_sql("PRAGMA database_list").one()
    return keep_copy(Path(path), layout)


def _full(where: str, most_bytes: float) -> str:
    return (
        f"label store {where}: full: it may take {most_bytes / 1e9:g} GB, or its disk has no more room. Nothing of this "
        "request was stored; what was stored before can still be exported. Whoever runs this page can give it more "
        "(`visitors_gb`), or begin anew."
    )


def _explained(error: Exception, where: str) -> str:
    reason = " ".join(str(getattr(error, "orig", None) or error).split())
    if is_outage(error):
        return (
            f"label store {where}: the database server does not answer ({reason}). Nothing of this request was stored. "
            "Send it again in a moment: FastLabel goes on by itself once the server answers."
        )
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
