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

RUNNERS = ("postgres", "nobody")  # it refuses to run as root


@pytest.fixture(scope="session")
def _postgres_server() -> Iterator[str]:
    """The address of a running server, without the name of a database; skips with the reason where there is none."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'fastlabel-gradio[postgres]'")
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    user = _runner()
    folder = Path(tempfile.mkdtemp(prefix="fastlabel-postgres-"))
    if user:
        shutil.chown(folder, user)
    data, port = folder / "data", _free_port()
    options = ["--auth=trust", "--username=fastlabel", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run([programs / "initdb", "-D", data, *options], check=True, capture_output=True, user=user, cwd="/")
    settings = ("listen_addresses=127.0.0.1", "fsync=off", "shared_buffers=16MB", f"unix_socket_directories={folder}")
    server = subprocess.Popen(
        [programs / "postgres", "-D", data, "-p", str(port), *(f"-c{setting}" for setting in settings)],
        user=user,
        cwd="/",
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: _answers(port))
        yield f"postgresql+psycopg://fastlabel@127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: what it holds is thrown away
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_postgres(_postgres_server: str) -> Callable[[], str]:
    """Makes an empty database and returns its address."""
    import psycopg

    numbers = count()

    def make() -> str:
        name = f"labels_{next(numbers)}"
        with psycopg.connect(f"{_plain(_postgres_server)}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"{_postgres_server}/{name}"

    return make


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
