"""Every registered source through one battery; the demo; what a path on the command line means; configurations."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import yaml

from fastlabel_gradio.errors import ConfigError, SourceError, UnavailableItemError, UnreadableItemError
from fastlabel_gradio.media.sounds import open_sound
from fastlabel_gradio.sources import SOURCES, Source, guess_source, open_source
from fastlabel_gradio.sources.packed import PackedSource
from fastlabel_gradio.types import Item, Media, Waveform
from tests.cases import each
from tests.source_data import (
    audio_folder_source,
    folder_source,
    ids,
    opened,
    save,
    save_sound,
    sheet_source,
    sound_table_source,
    table_source,
    windowed_source,
    write_cifar,
    write_csv,
    write_esc50,
    write_urbansound8k,
)
from tests.test_packed import _dataset as saved_dataset
from tests.test_packed import _png, _tar

CONFIGS = Path(__file__).parent.parent / "configs"


def demo_source(tmp_path: Path) -> Source:
    return opened("demo", tmp_path)


def demo_sounds_source(tmp_path: Path) -> Source:
    return opened("demo_sounds", tmp_path)


def esc50_source(tmp_path: Path) -> Source:
    return opened("esc50", tmp_path, path=str(write_esc50(tmp_path / "esc")), test_fold=1)


def urbansound8k_source(tmp_path: Path) -> Source:
    return opened("urbansound8k", tmp_path, path=str(write_urbansound8k(tmp_path / "urban")), test_fold=10)


def split_source(tmp_path: Path) -> Source:
    return opened("split", tmp_path, of={"kind": "demo_sounds"}, test_share=0.5)


def webdataset_source(tmp_path: Path) -> Source:
    return opened(
        "webdataset",
        tmp_path,
        path=str(
            _tar(
                tmp_path / "shards" / "0.tar",
                {f"{label}/{seed}.png": _png(seed // 2) for seed in range(12) for label in ["ab"[seed % 2]]},
            )
        ),
    )


def parquet_source(tmp_path: Path) -> Source:
    saved_dataset(rows_count=14).to_parquet(tmp_path / "train.parquet")
    return opened("parquet", tmp_path, path="train.parquet")


def hf_dataset_source(tmp_path: Path) -> Source:
    saved_dataset(rows_count=14).save_to_disk(tmp_path / "saved")
    return opened("hf_dataset", tmp_path, name="saved")


OPENERS: dict[str, Callable[[Path], Source]] = {
    "image_folder": folder_source,
    "webdataset": webdataset_source,
    "parquet": parquet_source,
    "hf_dataset": hf_dataset_source,
    "sprite_sheet": sheet_source,
    "table": table_source,
    "demo": demo_source,
    "audio_folder": audio_folder_source,
    "demo_sounds": demo_sounds_source,
    "esc50": esc50_source,
    "urbansound8k": urbansound8k_source,
    "split": split_source,
    "audio_folder in windows": windowed_source,
    "table of sounds": sound_table_source,
}
VARIANTS = ("audio_folder in windows", "table of sounds")


# Other tests and the benchmarks register sources of their own.
OWN = [name for name in SOURCES.names() if SOURCES.get(name).__module__.startswith("fastlabel_gradio.")]


@pytest.fixture(params=[*OWN, *VARIANTS])
def source(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    if request.param == "cifar10":
        return opened("cifar10", tmp_path, path=str(write_cifar(tmp_path, monkeypatch)))
    return OPENERS[request.param](tmp_path)


def content(media: Media) -> bytes:
    return media.samples.tobytes() if isinstance(media, Waveform) else media.tobytes()


def is_whole(media: Media) -> bool:
    """An RGB picture, or a waveform with something in it."""
    if isinstance(media, Waveform):
        return len(media.samples) > 0 and 0 < abs(media.samples).max() <= 1
    return media.mode == "RGB"


def test_ids_are_unique_relative_and_the_same_in_a_second_scan(source: Source) -> None:
    first = list(source.scan())
    assert len(first) >= 12
    assert len({item.id for item in first}) == len(first)
    assert not any(item.id.startswith("/") or ".." in item.id.split("/") for item in first)
    assert list(source.scan()) == first


def test_every_item_reads_as_the_source_s_kind(source: Source) -> None:
    for item in list(source.scan())[:12]:
        media = source.read(item)
        assert is_whole(media)
        assert isinstance(media, Waveform) == (source.medium == "audio")


def test_content_keys_are_stable_and_equal_exactly_for_equal_content(source: Source) -> None:
    items = list(source.scan())[:24]
    keys = [source.content_key(item) for item in items]
    contents = [content(source.read(item)) for item in items]
    assert keys == [source.content_key(item) for item in items]
    assert [[a == b for b in keys] for a in keys] == [[a == b for b in contents] for a in contents]
    assert all(len(key) == 32 and int(key, 16) >= 0 for key in keys)


def test_eight_threads_read_what_one_reads(source: Source) -> None:
    items = list(source.scan())[:12] * 8
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda item: (content(source.read(item)), source.content_key(item)), items))
    assert together == [(content(source.read(item)), source.content_key(item)) for item in items]


def test_no_more_than_the_hint_is_read_where_less_is_possible(source: Source) -> None:
    item = next(source.scan())
    media = source.read(item, 8000)
    assert is_whole(media)
    if isinstance(media, Waveform) and source.file(item) is not None:
        assert media.rate_hz == 8000


def test_the_file_of_an_item_holds_the_item_and_nothing_else(source: Source) -> None:
    for item in list(source.scan())[:12]:
        file = source.file(item)
        if file is not None:
            assert content(open_sound(file)) == content(source.read(item))


def test_the_exported_path_of_an_item_leads_to_its_file(source: Source, tmp_path: Path) -> None:
    for item in list(source.scan())[:12]:
        path = source.exported_path(item)
        if isinstance(source, PackedSource):  # its name in the packed file
            assert path == item.id
            continue
        assert path == "" or any((folder / path).is_file() for folder in (tmp_path, *tmp_path.iterdir()))
        assert bool(path) == ("." in item.id)  # items that are counted have no file


def test_nothing_is_said_of_a_source_that_can_be_read(source: Source) -> None:
    assert source.notice == ""


def test_reference_labels_are_among_the_proposed_classes(source: Source) -> None:
    labels = {source.reference_label(item) for item in source.scan()}
    assert labels - {None} <= set(source.classes())


def test_held_out_items_read_and_are_not_in_the_pool(source: Source) -> None:
    held_out = list(source.held_out())
    assert not {item.id for item in held_out} & set(ids(source))
    for item in held_out[:5]:
        assert is_whole(source.read(item))
        assert source.reference_label(item) in source.classes()


UNKNOWN_IDS = (
    *("nothing", "../nothing", "/etc/hostname", "-1", "999999", "", "١", "9" * 5000),
    *("nothing#t=0.0,1.0", "../nothing#t=0.0,1.0", "/etc/hostname#t=0.0,1.0", "#t=0.0,1.0"),
)


def test_an_unknown_id_is_unreadable(source: Source) -> None:
    for item_id in UNKNOWN_IDS:
        with pytest.raises(UnreadableItemError):
            source.read(Item(item_id))
        with pytest.raises(UnreadableItemError):
            source.content_key(Item(item_id))


def test_links_out_of_a_listed_folder_are_read_only_where_an_option_says_so(tmp_path: Path) -> None:
    listed = {
        "table": (table_source(tmp_path), tmp_path / "data", {"path": "data/table.csv"}),
        "table of sounds": (sound_table_source(tmp_path), tmp_path, {"path": "sounds.csv", "media": "audio"}),
        "esc50": (esc50_source(tmp_path), tmp_path / "esc" / "audio", {"path": "esc"}),
        "urbansound8k": (urbansound8k_source(tmp_path), tmp_path / "urban" / "audio", {"path": "urban"}),
    }
    for name, (source, root, options) in listed.items():
        item = next(source.scan())
        before = content(source.read(item))
        _moved_behind_a_link(root / item.id.partition("#")[0], tmp_path.parent / f"{tmp_path.name}-{name}")
        closed, followed = (
            opened(name.partition(" ")[0], tmp_path, **options, follow_links=follow) for follow in (False, True)
        )
        assert item.id in ids(closed)
        for use in (closed.read, closed.content_key):
            with pytest.raises(UnavailableItemError, match="link out of the source's folder; --set follow_links=true"):
                use(item)
        if closed.medium == "audio":
            with pytest.raises(UnavailableItemError, match="link out"):
                closed.file(item)
        assert content(followed.read(item)) == before
        _moved_behind_a_link(root, root.with_name(f"{root.name}-elsewhere"))  # the folder itself may be a link
        assert content(followed.read(item)) == before


def _moved_behind_a_link(path: Path, place: Path) -> None:
    path.rename(place)
    path.symlink_to(place)


def test_an_unknown_option_is_refused_with_the_known_ones(source: Source, tmp_path: Path) -> None:
    name = next(name for name in SOURCES.names() if SOURCES.get(name) is type(source))
    with pytest.raises(ConfigError, match="Its options: "):
        opened(name, tmp_path, colour="red")


class TestDemo:
    def test_the_last_597_digits_are_held_out(self, tmp_path: Path) -> None:
        source = demo_source(tmp_path)
        assert ids(source) == [str(number) for number in range(1200)]
        assert [item.id for item in source.held_out()] == [str(number) for number in range(1200, 1797)]
        assert source.classes() == tuple("0123456789")
        assert [source.reference_label(Item(str(number))) for number in range(10)] == list("0123456789")

    def test_all_digits_can_be_the_pool(self, tmp_path: Path) -> None:
        source = opened("demo", tmp_path, part="all")
        assert (len(ids(source)), list(source.held_out())) == (1797, [])


class TestGuessSource:
    def test_paths_mean_what_they_look_like(self, tmp_path: Path) -> None:
        (tmp_path / "cifar" / "cifar-10-batches-py").mkdir(parents=True)
        (tmp_path / "batches").mkdir()
        (tmp_path / "batches" / "data_batch_1").touch()
        save(tmp_path / "pictures" / "deep" / "a.PNG")
        save_sound(tmp_path / "sounds" / "deep" / "a.WAV")
        write_esc50(tmp_path / "esc")
        write_urbansound8k(tmp_path / "urban")
        kinds = {folder.name: guess_source(folder)[:2] for folder in tmp_path.iterdir()}
        assert kinds == {
            "cifar": ("image", "cifar10"),
            "batches": ("image", "cifar10"),
            "pictures": ("image", "image_folder"),
            "sounds": ("audio", "audio_folder"),
            "esc": ("audio", "esc50"),
            "urban": ("audio", "urbansound8k"),
        }

    def test_what_a_folder_holds_more_of_counts_unless_it_is_said(self, tmp_path: Path) -> None:
        save(tmp_path / "cover.png")
        for number in range(2):
            save_sound(tmp_path / f"{number}.flac")
        assert guess_source(tmp_path)[:2] == ("audio", "audio_folder")
        assert guess_source(tmp_path, "image")[:2] == ("image", "image_folder")

    def test_videos_make_no_folder_of_pictures_one_of_sounds_but_count_where_they_are_alone(
        self, tmp_path: Path
    ) -> None:
        for number in range(5):
            (tmp_path / f"{number}.mp4").touch()
        assert guess_source(tmp_path)[:2] == ("audio", "audio_folder")
        save(tmp_path / "a.png")
        assert guess_source(tmp_path)[:2] == ("image", "image_folder")

    def test_a_kind_that_is_said_wins_over_the_layout(self, tmp_path: Path) -> None:
        assert guess_source(write_esc50(tmp_path / "esc"), "image")[:2] == ("image", "image_folder")
        (tmp_path / "cifar" / "cifar-10-batches-py").mkdir(parents=True)
        assert guess_source(tmp_path / "cifar", "audio")[:2] == ("audio", "audio_folder")

    @pytest.mark.parametrize("name", ["t.tsv", "t.txt", "t.json", "t.ndjson", "t.tab"])
    def test_the_suffixes_of_tables_are_known(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).write_text('["a.wav"]' if name.endswith("json") else "path\na.wav\n")
        if name == "t.ndjson":
            (tmp_path / name).write_text('{"path": "a.wav"}')
        assert guess_source(tmp_path / name)[:2] == ("audio", "table")

    def test_a_spreadsheet_is_to_be_saved_as_csv(self, tmp_path: Path) -> None:
        (tmp_path / "t.XLSX").touch()
        with pytest.raises(SourceError, match=r"is a spreadsheet\. Save its sheet as CSV"):
            guess_source(tmp_path / "t.XLSX")

    @pytest.mark.parametrize("name", ["t.CSV", "t.jsonl"])
    def test_a_table_is_of_sounds_where_its_first_paths_are(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).touch()
        assert guess_source(tmp_path / name) == ("image", "table", {"path": str(tmp_path / name)})
        options = {"path": str(tmp_path / name), "media": "audio"}
        assert guess_source(tmp_path / name, "audio") == ("audio", "table", options)
        if name == "t.CSV":
            write_csv(tmp_path / name, [["file", "label"], ["a.WAV#t=3,4.5", "x"], ["b.mp3", "y"]])
        else:
            (tmp_path / name).write_text('{"file": "a.WAV#t=3,4.5"}')
        assert guess_source(tmp_path / name) == ("audio", "table", options)
        assert guess_source(tmp_path / name, "image") == ("image", "table", {"path": str(tmp_path / name)})

    def test_the_options_open_the_source_from_any_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        save(tmp_path / "pool" / "a.png")
        monkeypatch.chdir(tmp_path)
        _, name, options = guess_source(Path("pool"))
        assert ids(open_source(name, options, Path("/nowhere"), tmp_path)) == ["a.png"]

    def test_a_single_picture_or_sound_points_to_what_can_be_done_with_it(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match=r"configs/celeba.yaml"):
            guess_source(save(tmp_path / "sheet.png"))
        with pytest.raises(SourceError, match=r"is one sound. Give its folder; --window"):
            guess_source(save_sound(tmp_path / "talk.wav"))

    def test_missing_paths_empty_folders_and_other_files_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").touch()
        with pytest.raises(SourceError, match="does not exist"):
            guess_source(tmp_path / "gone")
        with pytest.raises(SourceError, match="is not a source"):
            guess_source(tmp_path / "notes.txt")
        (tmp_path / "pictures.zip").touch()
        with pytest.raises(SourceError, match=r"is packed\. Unpack it and give the folder"):
            guess_source(tmp_path / "pictures.zip")
        (tmp_path / "birds.yaml").touch()
        with pytest.raises(SourceError, match=r"is a configuration, .*`--config .*birds.yaml`"):
            guess_source(tmp_path / "birds.yaml")
        with pytest.raises(SourceError, match="holds no picture or sound"):
            guess_source(tmp_path)


@each("name", ["celeba", "cifar10", "demo", "digits", "images", "audio", "esc50", "urbansound8k"])
def test_the_source_of_every_configuration_has_valid_options(name: str) -> None:
    config = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))
    for project in config["projects"]:
        options = dict(project["source"])
        SOURCES.get(options.pop("kind")).Options.model_validate(options)


def test_the_celeba_configuration_describes_the_sheet_that_is_served() -> None:
    config = yaml.safe_load((CONFIGS / "celeba.yaml").read_text(encoding="utf-8"))
    options = dict(config["projects"][0]["source"])
    parsed = SOURCES.get(options.pop("kind")).Options.model_validate(options)
    assert (parsed.sheet_size, parsed.tiles) == ((9600, 7200), 30_000)


@pytest.mark.parametrize("name", ["demo", "digits"])
def test_the_configurations_that_need_no_network_open(name: str, tmp_path: Path) -> None:
    config = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))
    options = dict(config["projects"][0]["source"])
    source = open_source(options.pop("kind"), options, CONFIGS, tmp_path)
    assert len(ids(source)) == 1200


def test_the_demo_s_digits_are_those_of_scikit_learn(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    source, digits = open_source("demo", {"part": "all"}, tmp_path, tmp_path), load_digits()
    items = list(source.scan())
    assert [source.reference_label(item) for item in items] == [str(target) for target in digits.target]
    assert len({source.content_key(item) for item in items}) == len(np.unique(digits.data, axis=0))
