"""A real PostgreSQL for tests: started once on a free port in a temporary folder, with a new database for whoever asks."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.pools import wait_for

START_S = 60.0  # on a machine that is busy
RUNNERS = ("postgres", "nobody")  # it refuses to run as root


class PostgresServer:
    """A server in a folder of its own, that can be stopped and started again.

    Attributes:
        address: of it, without the name of a database.
    """

    def __init__(self, programs: Path) -> None:
        self._programs, self._user, self._port = programs, _runner(), _free_port()
        self.address = f"postgresql+psycopg://fastlabel@127.0.0.1:{self._port}"
        self._folder = Path(tempfile.mkdtemp(prefix="fastlabel-postgres-"))
        if self._user:
            shutil.chown(self._folder, self._user)
        options = ["--auth=trust", "--username=fastlabel", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        command = [programs / "initdb", "-D", self._folder / "data", *options]
        subprocess.run(command, check=True, capture_output=True, user=self._user, cwd="/")
        self.start()

    def start(self) -> None:
        """Until it answers. Begun again where it ends at once: processes of the one before may still hold its memory."""
        self._begin()
        wait_for(self._is_up, START_S)

    def _is_up(self) -> bool:
        if self._process.poll() is not None:
            self._begin()
        return _answers(self._port)

    def _begin(self) -> None:
        settings = ("listen_addresses=127.0.0.1", "fsync=off", "shared_buffers=16MB", "unix_socket_directories=")
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self._folder / "data", "-p", str(self._port)]
            + [f"-c{setting}" for setting in settings],
            user=self._user,
            cwd="/",
            stderr=subprocess.DEVNULL,
        )

    def ensure_running(self) -> None:
        if self._process.poll() is not None:
            self.start()

    def stop(self) -> None:
        """At once, as a crash would: what it has not written is found again at the next start."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)

    def new_database(self, name: str) -> str:
        """Makes an empty database and returns its address."""
        import psycopg

        with psycopg.connect(f"{_plain(self.address)}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"{self.address}/{name}"

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server; skips with the reason where there is none. Who stops it starts it again."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'fastlabel-gradio[postgres]'")
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    server = PostgresServer(programs)
    yield server
    server.close()


@pytest.fixture(scope="session")
def new_postgres(postgres_server: PostgresServer) -> Callable[[], str]:
    """Makes an empty database and returns its address."""
    numbers = count()
    return lambda: postgres_server.new_database(f"labels_{next(numbers)}")


def _plain(address: str) -> str:
    return address.replace("+psycopg", "")


def _answers(port: int) -> bool:
    import psycopg

    try:
        psycopg.connect(f"postgresql://fastlabel@127.0.0.1:{port}/postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def _programs() -> Path | None:
    """The folder of the server's programs; Debian keeps them out of the path."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    return max((path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")), default=None)


def _runner() -> str | None:
    """Who runs the server; None where these tests do not run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in RUNNERS if name in known)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
