"""CIFAR-10 in its real file format, a few pictures of it."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.types import Item
from tests.source_data import (
    CIFAR_CLASSES,
    ids,
    opened,
    write_cifar,
)


@pytest.fixture
def cifar_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return write_cifar(tmp_path, monkeypatch)


def test_the_batches_give_pictures_and_labels(cifar_folder: Path, tmp_path: Path) -> None:
    source = opened("cifar10", tmp_path, path=str(cifar_folder))
    assert source.classes() == CIFAR_CLASSES
    assert len(ids(source)) == 100
    assert source.reference_label(Item("13")) == "cat"
    batch = pickle.loads((cifar_folder / "cifar-10-batches-py" / "data_batch_1").read_bytes())
    expected = batch["data"][13].reshape(3, 32, 32).transpose(1, 2, 0)
    assert np.array_equal(np.asarray(source.read(Item("13"))), expected)


def test_the_test_part_and_the_folder_of_the_batches_itself_open_too(cifar_folder: Path, tmp_path: Path) -> None:
    batches = (cifar_folder / "cifar-10-batches-py").rename(cifar_folder / "renamed")
    assert len(ids(opened("cifar10", tmp_path, path=str(batches), part="test"))) == 20


def test_a_changed_batch_is_refused_before_it_is_unpickled(cifar_folder: Path, tmp_path: Path) -> None:
    (cifar_folder / "cifar-10-batches-py" / "data_batch_2").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(SourceError, match="MD5"):
        opened("cifar10", tmp_path, path=str(cifar_folder))


def test_missing_batches_name_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="download: true"):
        opened("cifar10", tmp_path, path="nowhere")
