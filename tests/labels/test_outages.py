"""A PostgreSQL server that is stopped and started again while labels are stored."""

import threading
from collections.abc import Callable, Iterator

import pytest

from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.labels import LabelStore, outages
from tests.postgres import PostgresServer


@pytest.fixture
def server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """The server, which runs afterwards."""
    yield postgres_server
    postgres_server.ensure_running()


@pytest.fixture
def url(new_postgres: Callable[[], str]) -> str:
    return new_postgres()


def test_labels_wait_for_a_server_that_is_restarted_and_those_of_before_are_there(
    store: LabelStore, server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "RECONNECT_S", 60.0)  # a busy machine takes more than 5 s to start a server
    store.submit("ada", [("1", 0)], now=1)
    server.stop()
    restart = threading.Timer(0.5, server.start)
    restart.start()
    assert store.submit("ada", [("2", 1)], now=2).accepted == 1
    restart.join()
    assert store.current() == {"1": 0, "2": 1}


def test_a_server_that_stays_away_is_named_and_the_store_goes_on_when_it_is_back(
    store: LabelStore, server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "RECONNECT_S", 0.2)
    store.submit("ada", [("1", 0)], now=1)
    server.stop()
    for ask in (store.current, lambda: store.submit("ada", [("2", 1)], now=2), store.check_storing):
        with pytest.raises(StoreError, match=r"does not answer.*Nothing of this request was stored.*goes on by itself"):
            ask()
    server.start()
    store.check_storing()
    assert store.current() == {"1": 0}
    assert store.submit("ada", [("2", 1)], now=2).changed == {"2": 1}


def test_a_connection_that_breaks_in_a_transaction_stores_nothing_of_it(
    store: LabelStore, server: PostgresServer
) -> None:
    with pytest.raises(StoreError, match="Nothing of this request was stored"), store._writing() as connection:
        connection.exec_driver_sql("UPDATE fastlabel_projects SET revision = 77")
        server.stop()
        server.start()
        connection.exec_driver_sql("UPDATE fastlabel_projects SET revision = 78")
    assert store.everything(now=0).position.revision < 77


def test_a_connection_that_breaks_at_the_end_says_that_nobody_knows(store: LabelStore, server: PostgresServer) -> None:
    with pytest.raises(StoreError, match="may be stored or not"), store._writing() as connection:
        connection.exec_driver_sql("UPDATE fastlabel_projects SET revision = 77")
        server.stop()
        server.start()


def test_a_wrong_address_is_not_waited_for(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "RECONNECT_S", 600.0)
    with pytest.raises(StoreError, match=r"nowhere.*does not exist.*Check the address"):
        LabelStore(f"{postgres_server.address}/nowhere", "birds")
