"""Exports for other programs, each read back by the library it is for."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from fastlabel_gradio.errors import ConfigError, StoreError
from fastlabel_gradio.exports import EXPORTERS, ExportRow, FolderExporter, ItemMedia, new_folder, new_zip
from fastlabel_gradio.exports.item_media import plain_name, plain_names
from fastlabel_gradio.exports.label_studio import tasks_of
from fastlabel_gradio.media.sounds import sound_info
from fastlabel_gradio.sources import open_source
from tests.pools import write_pictures, write_sounds

READ_BACK = ("hf", "hf_parquet", "tree", "label_studio", "raven", "audacity")
SAID_AT = "2026-01-31T12:00:00.000+00:00"


def media_of(kind: str, folder: Path, **options: object) -> ItemMedia:
    source = open_source(kind, {"path": str(folder), **options}, folder, folder)
    return ItemMedia(source.medium, source.recording, source.read)


def said(item_id: str, label: str, **more: object) -> ExportRow:
    usual = {"annotator": "ann", "created_at": SAID_AT, "path": item_id.partition("#t=")[0], "state": "label"}
    values = {**usual, "source": "person", "stands": True, **more}
    return ExportRow(item_id, label, **values)  # type: ignore[arg-type]


def write(name: str, rows: list[ExportRow], destination: Path, media: ItemMedia, how: str = "copy") -> Path:
    exporter = EXPORTERS.get(name)
    assert isinstance(exporter, FolderExporter)
    with new_folder(destination, how) as folder:  # type: ignore[arg-type]
        exporter.write(iter(rows), folder, media)
    return destination


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def picture_rows(tmp_path: Path) -> list[ExportRow]:
    """Three pictures of two classes in two parts; one of them the head labeled by itself, one is only predicted."""
    write_pictures(tmp_path / "pool", per_class=2)
    return [
        said("red/0000.png", "1", split="train"),
        said(
            "blue/0000.png", "=x, y", split="test", source="auto", head_version=3, label_confidence=0.9, promise="95 %"
        ),
        said("blue/0001.png", "=x, y", split="train"),
        ExportRow("green/0000.png", "", "", "", "1", 0.5, "green/0000.png", state="", source="", split="test"),
    ]


class TestHuggingFace:
    @pytest.fixture(autouse=True)
    def offline(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        yield

    def test_datasets_reads_pictures_labels_and_parts(self, tmp_path: Path, picture_rows: list[ExportRow]) -> None:
        datasets = pytest.importorskip("datasets", reason="the test extra has it")
        out = write("hf", picture_rows, tmp_path / "out", media_of("image_folder", tmp_path / "pool"))
        found = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
        assert {part: rows["label"][:] for part, rows in found.items()} == {
            "train": ["1", "=x, y"],
            "test": ["=x, y", None],
        }
        assert found["test"]["predicted_label"][:] == [None, "1"]
        assert found["test"]["promise"][:] == ["95 %", None]
        assert found["test"]["head_version"][:] == [3, None]
        row = found["train"][0]
        assert (row["item_id"], row["annotator"], row["created_at"]) == ("red/0000.png", "ann", SAID_AT)
        np.testing.assert_array_equal(row["image"], Image.open(tmp_path / "pool/red/0000.png"))
        assert found["train"].class_encode_column("label").features["label"].names == ["1", "=x, y"]

    def test_datasets_reads_media_that_lie_inside_parquet(
        self, tmp_path: Path, picture_rows: list[ExportRow], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        datasets = pytest.importorskip("datasets", reason="the test extra has it")
        monkeypatch.setattr("fastlabel_gradio.exports.hub_parquet.BYTES_A_FILE", 1)
        out = write("hf_parquet", picture_rows, tmp_path / "out", media_of("image_folder", tmp_path / "pool"), "link")
        assert files_below(out) == [
            "README.md",
            *(f"data/{part}-0000{number}.parquet" for part in ("test", "train") for number in (0, 1)),
        ]
        found = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
        assert found["train"]["label"][:] == ["1", "=x, y"]
        assert found["test"]["predicted_label"][:] == [None, "1"]
        assert isinstance(found["train"].features["image"], datasets.Image)
        np.testing.assert_array_equal(found["train"][0]["image"], Image.open(tmp_path / "pool/red/0000.png"))
        pool = write_sounds(tmp_path / "sounds", per_class=1, seconds=1.0)
        rows = [said("high/0000.wav#t=0.25,0.75", "high"), said("low/gone.wav", "low")]
        heard = write("hf_parquet", rows, tmp_path / "heard", media_of("audio_folder", pool))
        data = datasets.load_dataset(str(heard), cache_dir=str(tmp_path / "cache"))["train"]
        [one] = data.cast_column("audio", datasets.Audio(decode=False))["audio"]
        assert soundfile.info(io.BytesIO(one["bytes"])).frames == 4000
        assert "1 items could not be read" in (heard / "README.md").read_text(encoding="utf-8")

    @pytest.fixture
    def sounds_out(self, tmp_path: Path) -> Path:
        pool = write_sounds(tmp_path / "pool", per_class=1, seconds=1.0)
        rows = [said("low/0000.wav", "low"), said("high/0000.wav#t=0.25,0.75", "high")]
        return write("hf", rows, tmp_path / "out", media_of("audio_folder", pool))

    def test_sounds_are_copied_and_parts_of_them_cut_out(self, tmp_path: Path, sounds_out: Path) -> None:
        import pandas

        table = pandas.read_parquet(sounds_out / "train/metadata.parquet")
        assert table["label"].tolist() == ["low", "high"]
        whole, part = (sounds_out / "train" / name for name in table["file_name"])
        assert whole.read_bytes() == (tmp_path / "pool/low/0000.wav").read_bytes()
        samples, rate_hz = soundfile.read(part)
        recording, _ = soundfile.read(tmp_path / "pool/high/0000.wav")
        np.testing.assert_allclose(samples, recording[2000:6000], atol=1e-4)
        assert rate_hz == 8000

    def test_datasets_reads_sounds(self, tmp_path: Path, sounds_out: Path) -> None:
        datasets = pytest.importorskip("datasets", reason="the test extra has it")
        builder = datasets.load_dataset_builder(str(sounds_out), cache_dir=str(tmp_path / "cache"))
        streamed = builder.as_streaming_dataset("train")
        assert isinstance(streamed.features["audio"], datasets.Audio)
        # As files: datasets leaves their decoding to torchcodec, which wants an FFmpeg of its own.
        found = list(streamed.cast_column("audio", datasets.Value("string")))
        assert [row["label"] for row in found] == ["low", "high"]
        samples, rate_hz = soundfile.read(found[1]["audio"])
        assert (len(samples), rate_hz) == (4000, 8000)

    def test_a_folder_has_never_more_files_than_the_hub_takes(
        self, tmp_path: Path, picture_rows: list[ExportRow], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("fastlabel_gradio.exports.hugging_face.FILES_A_FOLDER", 2)
        rows = [said(row.item_id, "1") for row in picture_rows]
        out = write("hf", rows, tmp_path / "out", media_of("image_folder", tmp_path / "pool"))
        assert files_below(out) == [
            "README.md",
            "train/00000/0000000-0000.png",
            "train/00000/0000001-0000.png",
            "train/00001/0000002-0001.png",
            "train/00001/0000003-0000.png",
            "train/metadata.parquet",
        ]

    def test_the_card_counts_every_class_and_what_is_left_out(
        self, tmp_path: Path, picture_rows: list[ExportRow]
    ) -> None:
        (tmp_path / "pool/blue/0001.png").unlink()
        media = media_of("image_folder", tmp_path / "pool")
        out = write("hf", picture_rows, tmp_path / "out", media)
        card = (out / "README.md").read_text(encoding="utf-8")
        assert "# 2 labeled pictures, 1 predicted\n" in card
        assert "| class | train | test |\n|---|---|---|\n| 1 | 1 | 0 |\n| =x, y | 0 | 1 |\n" in card
        assert "Of 1 more nobody said a class; the classifier predicts:\n" in card
        assert "| predicted class | train | test |\n|---|---|---|\n| 1 | 0 | 1 |\n" in card
        assert "1 items could not be read" in card
        assert "`source` tells what a\nlabel came by" in card
        assert media.unreadable == [("blue/0001.png", "its file is not there")]

    @pytest.mark.parametrize("name", ["hf", "hf_parquet"])
    def test_the_card_of_labels_alone_speaks_of_no_predictions(
        self, tmp_path: Path, picture_rows: list[ExportRow], name: str
    ) -> None:
        out = write(name, picture_rows[:3], tmp_path / "out", media_of("image_folder", tmp_path / "pool"))
        card = (out / "README.md").read_text(encoding="utf-8")
        assert "# 3 labeled pictures\n" in card
        assert "predicted class" not in card
        both = write(name, picture_rows, tmp_path / "both", media_of("image_folder", tmp_path / "pool"))
        assert "# 3 labeled pictures, 1 predicted\n" in (both / "README.md").read_text(encoding="utf-8")

    def test_formats_that_datasets_cannot_open_are_written_anew(self, tmp_path: Path) -> None:
        pool = tmp_path / "pool"
        pool.mkdir()
        Image.new("RGB", (8, 8), (255, 0, 0)).save(pool / "a.ppm")
        out = write("hf", [said("a.ppm", "red")], tmp_path / "out", media_of("image_folder", pool))
        assert Image.open(out / "train/00000/0000000-a.png").getpixel((0, 0)) == (255, 0, 0)

    @pytest.mark.parametrize("name", ["hf", "hf_parquet"])
    def test_what_had_to_be_mended_to_be_read_is_written_anew(self, name: str, tmp_path: Path) -> None:
        datasets = pytest.importorskip("datasets", reason="the test extra has it")
        pool = tmp_path / "pool"
        pool.mkdir()
        noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
        for suffix, share in (("jpg", 0.9), ("png", 0.9), ("bmp", 1.0)):
            noise.save(pool / f"a.{suffix}")
            content = (pool / f"a.{suffix}").read_bytes()
            (pool / f"a.{suffix}").write_bytes(content[: int(len(content) * share)])
        rows = [said(f"a.{suffix}", "red") for suffix in ("jpg", "png", "bmp")]
        out = write(name, rows, tmp_path / "out", media_of("image_folder", pool))
        read = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))["train"]
        assert [row["image"].size for row in read] == [(64, 64)] * 3  # each is decoded
        assert np.array_equal(np.asarray(read[2]["image"].convert("RGB")), np.asarray(noise))

    def test_a_sound_whose_header_had_to_be_mended_is_written_anew(self, tmp_path: Path) -> None:
        pool = tmp_path / "pool"
        pool.mkdir()
        soundfile.write(pool / "a.wav", np.sin(np.arange(8_000)), 8_000)
        content = (pool / "a.wav").read_bytes()
        (pool / "a.wav").write_bytes(content[:-4_000])
        assert sound_info(pool / "a.wav").note
        out = write("hf", [said("a.wav", "hum")], tmp_path / "out", media_of("audio_folder", pool))
        assert soundfile.info(out / "train/00000/0000000-a.flac").frames == 6_000


class TestTree:
    def test_torchvision_finds_the_classes(self, tmp_path: Path, picture_rows: list[ExportRow]) -> None:
        from torchvision.datasets import ImageFolder

        out = write("tree", picture_rows, tmp_path / "out", media_of("image_folder", tmp_path / "pool"))
        found = ImageFolder(out / "train")
        assert found.classes == ["1", "=x, y"]
        assert [(Path(path).name, found.classes[target]) for path, target in found.samples] == [
            ("0000.png", "1"),
            ("0001.png", "=x, y"),
        ]
        assert (out / "train/1/red/0000.png").read_bytes() == (tmp_path / "pool/red/0000.png").read_bytes()

    def test_a_list_says_what_lies_where_and_nothing_is_copied_where_only_that_is_wanted(
        self, tmp_path: Path, picture_rows: list[ExportRow]
    ) -> None:
        source = media_of("image_folder", tmp_path / "pool")
        names = ItemMedia(source.medium, source.recording, source.read, only_names=True)
        lists = []
        for number, media in enumerate((source, names)):
            out = write("tree", picture_rows, tmp_path / f"out{number}", media)
            lists.append((out / "places.csv").read_text(encoding="utf-8"))
        assert files_below(out) == ["places.csv"]
        assert lists[0] == lists[1]
        rows = list(csv.DictReader(io.StringIO(lists[0])))
        assert rows[0] == {
            "item_id": "red/0000.png",
            "path": "red/0000.png",
            "label": "1",
            "place": "train/1/red/0000.png",
            "annotator": "ann",
            "created_at": SAID_AT,
            "source": "person",
            "promise": "",
        }
        assert [(row["source"], row["promise"]) for row in rows[1:]] == [
            ("auto", "95 %"),
            ("person", ""),
            ("prediction", ""),
        ]

    def test_links_lead_to_the_files(self, tmp_path: Path, picture_rows: list[ExportRow]) -> None:
        media = media_of("image_folder", tmp_path / "pool")
        linked = write("tree", picture_rows, tmp_path / "linked", media, "link") / "train/1/red/0000.png"
        assert linked.is_symlink()
        assert linked.resolve() == (tmp_path / "pool/red/0000.png").resolve()
        assert "train/1/red/0000.png" in (tmp_path / "linked/places.csv").read_text(encoding="utf-8")
        hard = write("tree", picture_rows, tmp_path / "hard", media, "hardlink") / "train/1/red/0000.png"
        assert hard.samefile(tmp_path / "pool/red/0000.png")

    def test_names_of_classes_never_lead_out_of_the_folder(self, tmp_path: Path) -> None:
        write_pictures(tmp_path / "pool", per_class=1)
        names = ["../../evil", "a/b", "a_b", "A_B", "..", "", "con", "x\x00y\n", ".hidden", "end."]
        rows = [said("red/0000.png", name, path="../../up/0000.png") for name in names if name]
        with pytest.raises(StoreError, match="is there already"), new_folder(tmp_path / "pool"):
            pass
        taken = plain_names(names)
        assert len({name.casefold() for name in taken.values()}) == len(names)
        assert not any(sign in name for name in taken.values() for sign in '/\\\x00\n<>:"|?*')
        out = write("tree", rows, tmp_path / "out", media_of("image_folder", tmp_path / "pool"))
        assert len(files_below(out)) == len(rows) + 1
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "pool"]

    def test_plain_names_stay_as_they_are(self) -> None:
        for name in ("owl", "Tawny owl (male)", "Fälkchen", "鸟", "a.b"):
            assert plain_name(name) == name


class TestLabelStudio:
    ROWS = (
        said("a b.png", "owl", medium="image", note="sure"),
        said("c.png", "", medium="image", state="skip"),
        said("d.png", "", medium="image", state="unsure"),
        ExportRow("e.png", "", "", "", "owl", 0.75, "e.png", state="", source="", medium="image"),
    )

    def test_a_task_is_a_file_with_annotations_or_predictions(self) -> None:
        first, skipped, unsure, guessed = tasks_of(self.ROWS)
        assert first["data"] == {"image": "/data/local-files/?d=a%20b.png", "item_id": "a b.png", "path": "a b.png"}
        [result] = first["annotations"][0]["result"]
        assert (result["from_name"], result["to_name"], result["type"]) == ("label", "image", "choices")
        assert result["value"] == {"choices": ["owl"]}
        assert result["meta"] == {"annotator": "ann", "created_at": SAID_AT, "source": "person", "note": "sure"}
        assert (skipped["annotations"][0]["was_cancelled"], skipped["annotations"][0]["result"]) == (True, [])
        assert unsure["annotations"][0]["result"][0]["value"] == {"choices": ["unsure"]}
        assert guessed["annotations"] == []
        assert guessed["predictions"][0]["score"] == 0.75

    def test_parts_of_a_recording_are_regions_of_one_task(self) -> None:
        ids = ("talk.wav#t=0.0,3.0", "talk.wav#t=3.0,6.0")
        rows = [said(item_id, label, medium="audio") for item_id, label in zip(ids, ("owl", "bat"), strict=True)]
        rows.append(said("talk.wav#t=3.0,6.0", "owl", medium="audio", annotator="bob"))
        [task] = tasks_of([*rows, said("other.wav#t=0.0,3.0", "owl", medium="audio")][:3])
        assert task["data"]["audio"].endswith("?d=talk.wav")
        assert [len(annotation["result"]) for annotation in task["annotations"]] == [2, 1]
        assert task["annotations"][0]["result"][1]["value"] == {
            "start": 3.0,
            "end": 6.0,
            "channel": 0,
            "labels": ["bat"],
        }

    def test_its_own_library_reads_the_tasks(self) -> None:
        """`LabelInterface` checks every result against the labeling configuration that the documents give."""
        sdk = pytest.importorskip("label_studio_sdk.label_interface", reason="it wants an older numpy; run by hand")
        from tests.documents import blocks, read

        for kind, rows in (
            ("image", self.ROWS),
            ("audio", [said("t.wav#t=0.0,3.0", "owl"), said("u.wav", "owl")]),
        ):
            [config] = [
                one.text for one in blocks(read("docs/labels-in-and-out.md"), "xml") if f"<{kind.title()}" in one.text
            ]
            interface = sdk.LabelInterface(config.replace('value="cat"', 'value="owl"'))
            for task in tasks_of(row if row.medium else said(row.item_id, row.label, medium=kind) for row in rows):
                assert interface.validate_task({"data": task["data"]})
                assert all(interface.validate_annotation(one) for one in task["annotations"] if one["result"])
                assert all(interface.validate_prediction(one) for one in task["predictions"])


class TestSoundTables:
    @pytest.fixture
    def pool(self, tmp_path: Path) -> Path:
        return write_sounds(tmp_path / "pool", per_class=1, seconds=1.0)

    @pytest.fixture
    def rows(self) -> list[ExportRow]:
        return [
            said("high/0000.wav#t=0.5,1.0", "owl"),
            said("high/0000.wav#t=0.0,0.5", "tab\tbed"),
            said("low/0000.wav", "bat", source="auto", label_confidence=0.5, promise="95 %"),
            said("low/0000.wav", "", state="bad"),
        ]

    def test_a_selection_table_of_raven_is_a_table_of_tabs(
        self, tmp_path: Path, pool: Path, rows: list[ExportRow]
    ) -> None:
        import pandas

        out = write("raven", rows, tmp_path / "out", media_of("audio_folder", pool))
        assert files_below(out) == [
            "all.selections.txt",
            "high/0000.wav.Table.1.selections.txt",
            "low/0000.wav.Table.1.selections.txt",
        ]
        table = pandas.read_csv(out / "high/0000.wav.Table.1.selections.txt", sep="\t")
        assert table["Begin Time (s)"].tolist() == [0.0, 0.5]
        assert table["End Time (s)"].tolist() == [0.5, 1.0]
        assert table["Label"].tolist() == ["tab bed", "owl"]
        assert table["High Freq (Hz)"].tolist() == [4000.0, 4000.0]
        every = pandas.read_csv(out / "all.selections.txt", sep="\t")
        assert every["Selection"].tolist() == [1, 2, 3]
        assert every["Begin Path"].tolist() == ["high/0000.wav", "high/0000.wav", "low/0000.wav"]
        assert every["Source"].tolist() == ["person", "person", "auto"]
        assert every["Promise"].fillna("").tolist() == ["", "", "95 %"]
        assert every["End Time (s)"].tolist()[2] == pytest.approx(soundfile.info(pool / "low/0000.wav").duration)

    def test_a_label_track_of_audacity_has_begin_end_and_label(
        self, tmp_path: Path, pool: Path, rows: list[ExportRow]
    ) -> None:
        out = write("audacity", rows, tmp_path / "out", media_of("audio_folder", pool))
        assert files_below(out) == ["high/0000.wav.txt", "low/0000.wav.txt"]
        text = (out / "high/0000.wav.txt").read_text(encoding="utf-8")
        assert text == "0.000000\t0.500000\ttab bed\n0.500000\t1.000000\towl\n"

    def test_pictures_are_refused(self, tmp_path: Path, picture_rows: list[ExportRow]) -> None:
        with pytest.raises(ConfigError, match="formats for labels of sounds"):
            write("raven", picture_rows, tmp_path / "out", media_of("image_folder", tmp_path / "pool"))
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["hf", "hf_parquet", "tree"])
def test_a_folder_that_fails_leaves_nothing(name: str, tmp_path: Path, picture_rows: list[ExportRow]) -> None:
    exporter = EXPORTERS.get(name)
    assert isinstance(exporter, FolderExporter)

    def rows() -> Iterator[ExportRow]:
        yield picture_rows[0]
        raise StoreError("the label store went away")

    media = media_of("image_folder", tmp_path / "pool")
    for opened in (new_folder(tmp_path / "out"), new_zip(tmp_path / "out.zip")):
        with pytest.raises(StoreError, match="went away"), opened as folder:
            exporter.write(rows(), folder, media)
    assert [path.name for path in tmp_path.iterdir()] == ["pool"]


@pytest.mark.parametrize("name", ["hf", "hf_parquet", "tree"])
def test_a_zip_holds_what_the_folder_holds(name: str, tmp_path: Path, picture_rows: list[ExportRow]) -> None:
    media = media_of("image_folder", tmp_path / "pool")
    out = write(name, picture_rows, tmp_path / "out", media)
    with new_zip(tmp_path / "out.zip") as folder:
        EXPORTERS.get(name).write(iter(picture_rows), folder, media)  # type: ignore[call-arg, arg-type]
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert sorted(archive.namelist()) == files_below(out)
        assert archive.testzip() is None
        for file in files_below(out):
            if not file.endswith(".parquet"):
                assert archive.read(file) == (out / file).read_bytes()


def test_label_studio_json_is_json(tmp_path: Path) -> None:
    path = EXPORTERS.get("label_studio").write(iter(TestLabelStudio.ROWS), tmp_path / "tasks.json")  # type: ignore[call-arg, arg-type]
    assert len(json.loads(path.read_text(encoding="utf-8"))) == 4  # type: ignore[union-attr]
