"""What the tests of the label store share: a store on disk, and short forms of a batch and of what was said."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fastlabel_gradio.labels import ClaimedBatch, LabelStore
from fastlabel_gradio.labels.database import open_database
from fastlabel_gradio.labels.tables import metadata, versions

KINDS = ("sqlite", "postgresql")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/labels.sqlite"


@pytest.fixture(scope="session")
def _kept_postgres(new_postgres: Callable[[], str]) -> Iterator[str]:
    """A database with its tables in place that stays open, so that a test does not pay for either."""
    address = new_postgres()
    database = open_database(address)
    yield address
    database.close()


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, sqlite_url: str) -> str:
    """A database of each kind, without a project."""
    if request.param == "sqlite":
        return sqlite_url
    address: str = request.getfixturevalue("_kept_postgres")
    database = open_database(address)
    emptied = ", ".join(table.name for table in metadata.sorted_tables if table is not versions)
    with database.writing() as connection:
        connection.exec_driver_sql(f"TRUNCATE {emptied} RESTART IDENTITY")
    database.close()
    return address


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest, sqlite_url: str) -> str:
    """A database of each kind, without a table."""
    if request.param == "sqlite":
        return sqlite_url
    make: Callable[[], str] = request.getfixturevalue("new_postgres")
    return make()


@pytest.fixture
def open_store(url: str) -> Iterator[Callable[..., LabelStore]]:
    opened: list[LabelStore] = []

    def open_it(project: str = "birds", at: str = url) -> LabelStore:
        opened.append(LabelStore(at, project))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., LabelStore]) -> LabelStore:
    made = open_store()
    made.ensure_labels(["cat", "dog", "owl"])
    return made


def batch(batch_id: str, *item_ids: str) -> ClaimedBatch:
    return ClaimedBatch(batch_id, item_ids, "margin", 3, "notice")


def said(store: LabelStore) -> list[tuple[str, int, str]]:
    return [(a.item_id, a.label_id, a.annotator) for a in store.annotations()]
