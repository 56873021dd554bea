"""Sheets and their tiles, local and fetched before."""

from pathlib import Path

import pytest
from PIL import Image

from fastlabel_gradio.errors import ConfigError, SourceError, UnreadableItemError
from fastlabel_gradio.sources.sprite_sheet import cached_path
from fastlabel_gradio.types import Item
from tests.source_data import (
    ids,
    make_sheet,
    opened,
    picture,
    reach_loopback_directly,
    sheet_options,
    sheet_source,
)


def test_tiles_are_cut_row_by_row(tmp_path: Path) -> None:
    source = sheet_source(tmp_path)
    assert ids(source) == [str(number) for number in range(12)]
    for item in source.scan():
        assert source.read(item).tobytes() == picture(int(item.id) // 2, 8, 8).tobytes()


def test_padding_lies_between_the_tiles(tmp_path: Path) -> None:
    make_sheet(tmp_path / "padded.png", padding_px=3)
    source = opened("sprite_sheet", tmp_path, **sheet_options("padded.png", padding_px=3))
    assert source.read(Item("11")).tobytes() == picture(5, 8, 8).tobytes()


def test_a_count_below_the_number_of_tiles_leaves_out_the_last(tmp_path: Path) -> None:
    make_sheet(tmp_path / "sheet.png")
    source = opened("sprite_sheet", tmp_path, **sheet_options("sheet.png", count=10))
    assert ids(source)[-1] == "9"
    with pytest.raises(UnreadableItemError):
        source.read(Item("10"))


def test_a_sheet_whose_size_does_not_fit_is_refused_with_both_sizes(tmp_path: Path) -> None:
    make_sheet(tmp_path / "sheet.png")
    with pytest.raises(SourceError, match=r"32 x 24 px.* 40 x 24 px"):
        opened("sprite_sheet", tmp_path, **sheet_options("sheet.png", columns=5))


def test_a_sheet_may_be_longer_than_a_picture(tmp_path: Path) -> None:
    Image.new("RGB", (8, 20_000)).save(tmp_path / "tower.png")
    source = opened("sprite_sheet", tmp_path, **sheet_options("tower.png", columns=1, rows=2500))
    assert source.read(Item("2499")).size == (8, 8)


@pytest.mark.parametrize(
    "changes",
    [{"count": 13}, {"columns": 0}, {"padding_px": -1}, {"path": "http://x.org/a.png"}, {"path": "ftp://x/a"}],
)
def test_impossible_options_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    make_sheet(tmp_path / "sheet.png")
    with pytest.raises(ConfigError):
        opened("sprite_sheet", tmp_path, **sheet_options("sheet.png") | changes)


def test_a_missing_sheet_and_one_that_is_no_picture_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(SourceError, match="is not a file"):
        opened("sprite_sheet", tmp_path, **sheet_options("gone.png"))
    with pytest.raises(SourceError, match="cannot be read as a picture"):
        opened("sprite_sheet", tmp_path, **sheet_options("text.png"))


def test_every_tile_of_a_truncated_sheet_gives_the_reason(tmp_path: Path) -> None:
    content = make_sheet(tmp_path / "sheet.png").read_bytes()
    (tmp_path / "sheet.png").write_bytes(content[: len(content) // 2])
    source = opened("sprite_sheet", tmp_path, **sheet_options("sheet.png"))
    for item_id in ("0", "11", "0"):
        with pytest.raises(UnreadableItemError, match="sheet: "):
            source.read(Item(item_id))


def test_a_sheet_downloaded_before_is_used_without_a_network(tmp_path: Path) -> None:
    url = "https://127.0.0.1:9/faces/48x48.png"
    kept = cached_path(url, tmp_path / "cache")
    kept.parent.mkdir()
    make_sheet(kept)
    assert opened("sprite_sheet", tmp_path, **sheet_options(url)).read(Item("3")).size == (8, 8)


def test_without_a_network_the_error_says_where_to_put_the_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach_loopback_directly(monkeypatch)
    url = "https://127.0.0.1:9/faces/48x48.png"
    with pytest.raises(SourceError) as caught:
        opened("sprite_sheet", tmp_path, **sheet_options(url))
    assert str(cached_path(url, tmp_path / "cache")) in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_addresses_that_end_alike_are_kept_apart(tmp_path: Path) -> None:
    first, second = (cached_path(f"https://{host}/48x48.png", tmp_path) for host in ("a.org", "b.org"))
    assert first != second and first.name.endswith("48x48.png")
