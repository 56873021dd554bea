"""Items in tars, in Parquet and in datasets are read from there one by one, and are as the files that they were made of."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from fastlabel_gradio.errors import ConfigError, SourceError, UnavailableItemError, UnreadableItemError
from fastlabel_gradio.sources import guess_source, open_source, tar_index
from fastlabel_gradio.sources.files import file_key
from fastlabel_gradio.sources.groups import Grouping
from fastlabel_gradio.sources.tar_members import tar_members
from fastlabel_gradio.types import Item
from tests.remote import BUCKET, S3, s3  # noqa: F401  # a fixture
from tests.source_data import ids, opened, picture, save, save_sound, sound


def _png(seed: int) -> bytes:
    content = io.BytesIO()
    picture(seed).save(content, "PNG")
    return content.getvalue()


def _wav(seed: int) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, sound(seed), 16_000, format="WAV")
    return content.getvalue()


def _tar(path: Path, members: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=form) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def test_members_of_every_form_of_tar_are_found_where_python_finds_them(tmp_path: Path) -> None:
    names = ["a.png", "deep/" * 30 + "b.png", "n" * 150 + ".png", "ü.png", "d/" + "é" * 120 + "/x.png"]
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        path = _tar(tmp_path / f"{form}.tar", {name: name.encode() for name in names}, form)
        with tarfile.open(path, "a", format=form) as tar:
            folder = tarfile.TarInfo("folder")
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)
            link = tarfile.TarInfo("link.png")
            link.type, link.linkname = tarfile.SYMTYPE, "a.png" * 40
            tar.addfile(link)
            last = tarfile.TarInfo("last.png")
            last.size = 700
            tar.addfile(last, io.BytesIO(b"x" * 700))
        with path.open("rb") as stream, tarfile.open(path) as tar:
            members = list(tar_members(stream))
            ours = [(member.name, member.start, member.size) for member in members if member.is_file]
            theirs = [(info.name, info.offset_data, info.size) for info in tar if info.isfile()]
        assert ours == theirs and len(ours) == 6
        assert [member.name for member in members if not member.is_file] == ["link.png"]


def test_links_and_repeated_names_of_a_tar_are_counted_as_left_out(tmp_path: Path) -> None:
    path = _tar(tmp_path / "a.tar", {"a/1.png": _png(1), "a/2.png": _png(2)})
    with tarfile.open(path, "a") as tar:
        for name, kind in (
            ("a/hard.png", tarfile.LNKTYPE),
            ("a/soft.png", tarfile.SYMTYPE),
            ("a/pipe", tarfile.FIFOTYPE),
        ):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = kind, "a/1.png"
            tar.addfile(link)
        again = tarfile.TarInfo("a/2.png")
        again.size = len(_png(3))
        tar.addfile(again, io.BytesIO(_png(3)))
    source = opened("webdataset", tmp_path, path="a.tar")
    assert ids(source) == ["a.tar/a/1.png", "a.tar/a/2.png"]
    assert {left.what: left.count for left in source.left_out()} == {"link in a tar": 3, "earlier file of a name": 1}
    assert (
        np.asarray(source.read(Item("a.tar/a/2.png")))[0, 0, 0] == np.asarray(Image.open(io.BytesIO(_png(3))))[0, 0, 0]
    )


def test_samples_of_tars_have_the_label_of_their_cls_json_or_folder(tmp_path: Path) -> None:
    _tar(
        tmp_path / "shards" / "000.tar",
        {
            "s0.jpg": _png(0),
            "s0.cls": b"3",
            "s0.txt": b"a caption",
            "s1.json": json.dumps({"width": 3, "label": "owl"}).encode(),
            "s1.png": _png(1),
            "s1.mask.png": _png(2),
        },
    )
    _tar(tmp_path / "shards" / "001.tar", {"x/cat/1.2.png": _png(3), "x/cat/.hidden.png": b"", "x/README": b"x"})
    kind, name, options = guess_source(tmp_path / "shards")
    assert (kind, name) == ("image", "webdataset")
    source = open_source(name, options, tmp_path, tmp_path / "cache")
    assert ids(source) == ["000.tar/s0.jpg", "000.tar/s1.png", "001.tar/x/cat/1.2.png"]
    assert [source.reference_label(item) for item in source.scan()] == ["3", "owl", "cat"]
    assert source.classes() == ("3", "cat", "owl")
    for seed, item in zip((0, 1, 3), source.scan(), strict=True):
        assert source.read(item).tobytes() == picture(seed).convert("RGB").tobytes()
        assert source.content_key(item) == file_key(save(tmp_path / "as_file.png", seed))
        assert source.recording(item) is None and source.exported_path(item) == item.id
    assert {(left.what, left.count) for left in source.left_out()} >= {
        ("second file of a sample", 1),
        (".txt", 1),
        (".cls", 1),
        (".json", 1),
        ("hidden file", 1),
    }
    with pytest.raises(UnreadableItemError, match="in none of the tars"):
        source.read(Item("000.tar/other.png"))


def test_a_tar_is_gone_through_once_and_again_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _tar(tmp_path / "a.tar", {"1.png": _png(1)})
    seen: list[str] = []
    found = tar_index.tar_members
    monkeypatch.setattr(tar_index, "tar_members", lambda stream: seen.append(stream.name) or found(stream))
    for _ in range(2):
        source = opened("webdataset", tmp_path, path="a.tar")
        assert ids(source) == ids(source) == ["a.tar/1.png"]
    assert len(seen) == 1
    _tar(path, {"2.png": _png(2), "1.png": _png(3)})
    assert ids(source) == ["a.tar/1.png", "a.tar/2.png"]
    assert source.read(Item("a.tar/1.png")).tobytes() == picture(3).convert("RGB").tobytes()
    path.unlink()
    with pytest.raises(SourceError, match=r"1 of 1 tars are not there, for example a\.tar"):
        list(source.scan())
    with pytest.raises(UnavailableItemError):
        source.read(Item("a.tar/1.png"))


def test_a_pattern_names_tars_and_a_cut_off_one_gives_what_is_whole(tmp_path: Path) -> None:
    for number in range(3):
        _tar(tmp_path / f"s-{number:02d}.tar", {f"{name}.png": _png(number) for name in "abc"})
    whole = (tmp_path / "s-01.tar").read_bytes()
    (tmp_path / "s-01.tar").write_bytes(whole[:2200])
    _, name, options = guess_source(tmp_path / "s-{00..01}.tar")
    source = open_source(name, options, tmp_path, tmp_path / "cache")
    assert ids(source)[:3] == ["s-00.tar/a.png", "s-00.tar/b.png", "s-00.tar/c.png"]
    assert 3 < len(ids(source)) < 6
    [rest] = [left for left in source.left_out() if left.what == "rest of a tar"]
    assert "damaged or cut off at byte" in rest.why
    with pytest.raises(SourceError, match=r"1 of 4 tars are not there, for example s-03\.tar"):
        opened("webdataset", tmp_path, path="s-{00..03}.tar")


def test_sounds_in_tars_are_heard_as_their_files(tmp_path: Path) -> None:
    _tar(tmp_path / "t.tar", {"a.wav": _wav(1), "a.cls": b"owl", "b.wav": b"no sound"})
    assert guess_source(tmp_path / "t.tar")[:2] == ("audio", "webdataset")
    source = opened("webdataset", tmp_path, path="t.tar", media="audio")
    local = opened("audio_folder", tmp_path, path=str(save_sound(tmp_path / "here" / "a.wav", 1).parent))
    first, second = source.scan()
    np.testing.assert_array_equal(source.read(first).samples, local.read(Item("a.wav")).samples)
    assert source.sound_view == local.sound_view
    assert source.reference_label(first) == "owl" and source.file(first) is None
    with pytest.raises(UnreadableItemError):
        source.read(second)


def test_tars_of_a_bucket_are_read_by_ranges(tmp_path: Path, s3: S3) -> None:  # noqa: F811
    _tar(tmp_path / "here" / "0.tar", {"a.png": _png(1), "a.cls": b"x", "b.png": _png(2), "b.cls": b"y"})
    s3.put(tmp_path / "here", "shards/")
    for path in (f"s3://{BUCKET}/shards", f"s3://{BUCKET}/shards/{{0..0}}.tar"):
        kind, name, options = guess_source(path)
        source = open_source(name, options, tmp_path, tmp_path / "cache")
        assert (kind, name, ids(source)) == ("image", "webdataset", ["0.tar/a.png", "0.tar/b.png"])
        for file in (tmp_path / "cache" / "remote").rglob("*.tar"):
            file.unlink()
        pictures = [source.read(item).tobytes() for item in source.scan()]
        assert pictures == [picture(seed).convert("RGB").tobytes() for seed in (1, 2)]
        assert list((tmp_path / "cache" / "remote").rglob("*.tar")) == []


def _dataset(kind: str = "image", rows_count: int = 7) -> Any:
    import datasets

    content, feature = (_png, datasets.Image()) if kind == "image" else (_wav, datasets.Audio(decode=False))
    rows = [
        {"bytes": content(seed), "path": f"{seed}.{'png' if kind == 'image' else 'wav'}"} for seed in range(rows_count)
    ]
    stored = {"bytes": datasets.Value("binary"), "path": datasets.Value("string")}
    features = datasets.Features({kind: stored, "label": datasets.ClassLabel(names=["owl", "cat", "fox"])})
    whole = datasets.Dataset.from_dict(
        {kind: rows, "label": [seed % 2 for seed in range(rows_count - 1)] + [-1]}, features=features
    )
    return whole.cast_column(kind, feature)


def test_parquet_of_hugging_face_is_read_by_row_group_with_its_class_names(tmp_path: Path) -> None:
    _dataset().to_parquet(tmp_path / "sets" / "train-0.parquet", batch_size=3)
    for path in (tmp_path / "sets", tmp_path / "sets" / "train-0.parquet"):
        kind, name, options = guess_source(path)
        assert (kind, name) == ("image", "parquet")
        source = open_source(name, options, tmp_path, tmp_path / "cache")
        assert ids(source) == [f"train-0.parquet/{row:07d}" for row in range(7)]
        assert source.classes() == ("owl", "cat", "fox")
        assert [source.reference_label(item) for item in source.scan()] == ["owl", "cat"] * 3 + [None]
        for seed, item in enumerate(source.scan()):
            assert source.read(item).tobytes() == picture(seed).convert("RGB").tobytes()
    with pytest.raises(UnreadableItemError, match="not there any more"):
        source.read(Item("train-0.parquet/0000099"))
    with pytest.raises(SourceError, match=r"column .label. holds no bytes\. Columns that do: image"):
        opened("parquet", tmp_path, path="sets", media_column="label")


def test_a_dataset_that_was_saved_is_opened_by_the_library_of_hugging_face(tmp_path: Path) -> None:
    import datasets

    for kind in ("image", "audio"):
        folder = tmp_path / f"saved-{kind}"
        datasets.DatasetDict({"train": _dataset(kind)}).save_to_disk(folder)
        for place in (folder, f"hf-dataset:{folder}"):
            found, name, options = guess_source(place, kind)
            source = open_source(name, options, tmp_path, tmp_path / "cache")
            assert (found, name) == (kind, "hf_dataset")
            assert ids(source)[:2] == ["train/0000000", "train/0000001"] and len(ids(source)) == 7
            assert source.classes() == ("owl", "cat", "fox")
            assert [source.reference_label(item) for item in source.scan()][5:] == ["cat", None]
        item = Item("train/0000002")
        if kind == "image":
            assert source.read(item).tobytes() == picture(2).convert("RGB").tobytes()
        else:
            np.testing.assert_allclose(source.read(item).samples, sound(2)[:, 0], atol=1e-4)
    with pytest.raises(SourceError, match=r"has no split .tset.\. It has: train"):
        opened("hf_dataset", tmp_path, name="saved-image", split="tset")


def _spoken(kind: str = "image") -> Any:
    """Seven rows of three speakers, the last of none; the column is also one of the usual names of labels."""
    return _dataset(kind).remove_columns("label").add_column("Tag", [*("anna", "ben", "anna", "7", "7", "ben"), ""])


SPEAKERS = ["anna", "ben", "anna", "7", "7", "ben"]


def test_a_column_of_parquet_and_of_a_dataset_names_the_groups_and_no_labels(tmp_path: Path) -> None:
    _spoken().to_parquet(tmp_path / "sets" / "a.parquet", batch_size=3)
    _spoken("audio").save_to_disk(tmp_path / "saved")
    parquet = opened("parquet", tmp_path, path="sets", group_column="tag")
    dataset = opened("hf_dataset", tmp_path, name="saved", media="audio", group_column="tag")
    for source in (parquet, dataset):
        assert [source.group_of(item) for item in source.scan()] == [*SPEAKERS, ids(source)[6]]
        assert source.grouping == Grouping("groups", "of column tag")
        assert source.classes() == () and source.reference_label(next(source.scan())) is None
        assert source.group_of(Item("gone/0000099")) == "gone/0000099"
    assert len(opened("parquet", tmp_path, path="sets").classes()) == 3
    _spoken().to_parquet(tmp_path / "sets" / "b.parquet")
    assert [parquet.group_of(item) for item in parquet.scan()][7:13] == SPEAKERS


def test_windows_of_one_recording_share_its_group_in_every_packed_source(tmp_path: Path) -> None:
    cuts = {f"{name}_{second}.wav": _wav(second) for name in ("dawn", "dusk") for second in range(3)}
    _tar(tmp_path / "t.tar", cuts)
    rows = _dataset("audio", 6)
    named = rows.add_column("recording", [3.0, 3.0, 3.0, 4.0, 4.0, 4.0])
    for number in range(2):
        rows.to_parquet(tmp_path / "sets" / f"{number}.parquet")
    named.save_to_disk(tmp_path / "saved")
    of_tar = opened("webdataset", tmp_path, path="t.tar", media="audio", group_pattern=r"/(\w+)_\d+\.wav$")
    of_files = opened("parquet", tmp_path, path="sets", media="audio", group_pattern=r"^\d+")
    of_rows = opened("hf_dataset", tmp_path, name="saved", media="audio", group_column="recording")
    assert [of_tar.group_of(item) for item in of_tar.scan()] == ["dawn"] * 3 + ["dusk"] * 3
    assert [of_files.group_of(item) for item in of_files.scan()] == ["0"] * 6 + ["1"] * 6
    assert [of_rows.group_of(item) for item in of_rows.scan()] == ["3"] * 3 + ["4"] * 3
    assert of_tar.grouping == Grouping("groups", r"by /(\w+)_\d+\.wav$")


def test_a_column_of_class_numbers_groups_by_the_names(tmp_path: Path) -> None:
    _dataset().to_parquet(tmp_path / "a.parquet")
    _dataset().save_to_disk(tmp_path / "saved")
    for kind, place in (("parquet", {"path": "a.parquet"}), ("hf_dataset", {"name": "saved"})):
        source = opened(kind, tmp_path, group_column="label", **place)
        assert [source.group_of(item) for item in source.scan()] == ["owl", "cat"] * 3 + [ids(source)[6]]
        assert source.classes() == ()


def test_wrong_groups_of_packed_sources_are_refused_with_what_is_right(tmp_path: Path) -> None:
    empty = _dataset().add_column("site", [""] * 7)
    empty.to_parquet(tmp_path / "a.parquet")
    empty.save_to_disk(tmp_path / "saved")
    _tar(tmp_path / "t.tar", {"a.png": _png(1)})
    rows = (("parquet", {"path": "a.parquet"}), ("hf_dataset", {"name": "saved"}))
    for kind, place in rows:
        with pytest.raises(SourceError, match=r"no column 'speaker_id'\. Its columns: image, label, site\."):
            opened(kind, tmp_path, group_column="speaker_id", **place)
        with pytest.raises(SourceError, match="column 'site' is empty in every row"):
            opened(kind, tmp_path, group_column="site", **place)
        with pytest.raises(ConfigError, match="exclude each other"):
            opened(kind, tmp_path, group_column="site", group_pattern="0", **place)
    for kind, place in (*rows, ("webdataset", {"path": "t.tar"})):
        assert opened(kind, tmp_path, **place).grouping is None
        with pytest.raises(ConfigError, match=r"group_pattern '\(cam' is no regular expression"):
            opened(kind, tmp_path, group_pattern="(cam", **place)
        with pytest.raises(SourceError, match=r"group_pattern 'site_x' matches no item of .*, for example '"):
            opened(kind, tmp_path, group_pattern="site_x", **place)
    with pytest.raises(ConfigError, match="group_column"):
        opened("webdataset", tmp_path, path="t.tar", group_column="site")
