"""What the tests of the label store share: a store on disk, and short forms of a batch and of what was said."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fastlabel_gradio.labels import ClaimedBatch, LabelStore


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/labels.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest, url: str) -> str:
    """An empty database of each kind that is tested."""
    if request.param == "sqlite":
        return url
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
