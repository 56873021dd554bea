"""UrbanSound8K: its layout, folds, missing clips."""

from pathlib import Path

import pytest

from fastlabel_gradio.errors import ConfigError, SourceError, UnreadableItemError
from fastlabel_gradio.sources.folds import FoldedClips
from tests.source_data import ids, opened, write_urbansound8k


def test_every_clip_has_its_class_and_fold(tmp_path: Path) -> None:
    source = opened("urbansound8k", tmp_path, path=str(write_urbansound8k(tmp_path / "urban")))
    assert isinstance(source, FoldedClips)
    items = list(source.scan())
    assert len(items) == 20
    assert source.classes() == ("drilling", "siren")
    assert items[0].id == "fold1/100-4-0-0.wav"
    assert all(item.id.startswith(f"fold{source.fold_of(item)}/") for item in items)
    assert source.file(items[1]) == tmp_path / "urban" / "audio" / "fold1" / "100-8-0-0.wav"
    assert source.reference_label(items[1]) == "siren"


def test_a_fold_can_be_held_out(tmp_path: Path) -> None:
    source = opened("urbansound8k", tmp_path, path=str(write_urbansound8k(tmp_path / "urban")), test_fold=10)
    assert len(ids(source)) == 18
    assert [item.id for item in source.held_out()] == ["fold10/1000-4-0-0.wav", "fold10/1000-8-0-0.wav"]


def test_a_missing_clip_is_an_item_that_gives_its_reason(tmp_path: Path) -> None:
    source = opened("urbansound8k", tmp_path, path=str(write_urbansound8k(tmp_path / "urban")))
    (tmp_path / "urban" / "audio" / "fold1" / "100-4-0-0.wav").unlink()
    with pytest.raises(UnreadableItemError, match="No such file"):
        source.read(next(source.scan()))


def test_without_the_data_the_message_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"has no metadata/UrbanSound8K.csv.*urbansounddataset"):
        opened("urbansound8k", tmp_path, path="gone")
    with pytest.raises(ConfigError, match="path"):
        opened("urbansound8k", tmp_path)
