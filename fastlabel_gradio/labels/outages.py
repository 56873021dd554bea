"""A database server that is away: how long a connection is waited for, and what is said of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from fastlabel_gradio.errors import StoreError

RECONNECT_S = 5.0  # a server that restarts is away for less; who waits keeps a thread
TRY_EVERY_S = 0.1
CONNECT_S = 5
# libpq and psycopg word it so; a refused password or a missing database is no outage.
OUTAGES = (
    *("Connection refused", "starting up", "not yet accepting", "shutting down", "terminating connection"),
    *("server closed the connection", "connection is lost", "the connection is closed", "timeout expired"),
    *("recovery mode", "could not connect", "Connection reset", "No route to host", "is not responding"),
    *("consuming input failed", "sending query"),
)


def connect_options(backend: str, query: dict[str, Any], lock_wait_s: float) -> dict[str, Any]:
    """What the driver is given beside the address, as far as the address does not say it."""
    if backend == "sqlite":
        return {"timeout": lock_wait_s}
    if backend != "postgresql":
        return {}
    # Where the network is cut nobody says so: a connection counts as lost once so much was sent in vain for so long.
    options = {"connect_timeout": CONNECT_S, "keepalives_idle": 15, "tcp_user_timeout": 15_000}
    return {key: value for key, value in options.items() if key not in query}


def is_outage(error: BaseException) -> bool:
    """Whether it passes once the server answers again."""
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or any(words in str(error.orig) for words in OUTAGES)


def connected(engine: Engine) -> Connection:
    """A connection; waits a moment for a server that is being restarted. Raises OperationalError."""
    end = time.monotonic() + RECONNECT_S
    while True:
        try:
            return engine.connect()
        except OperationalError as error:
            if engine.dialect.name == "sqlite" or not is_outage(error) or time.monotonic() > end:
                raise
        time.sleep(TRY_EVERY_S)


@contextmanager
def committed(connection: Connection, where: str) -> Iterator[None]:
    """A transaction, which ends with the block. Raises StoreError where nobody can say whether it was stored."""
    transaction = connection.begin()
    try:
        yield
    except BaseException:
        transaction.rollback()
        raise
    try:
        transaction.commit()
    except DBAPIError as error:
        if not is_outage(error):
            raise
        raise StoreError(
            f"label store {where}: the connection broke while this request was being stored, so it may be stored or not. "
            "Look, or send labels again: the same ones are not stored twice."
        ) from error
