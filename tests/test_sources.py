"""Every registered source through one battery; the demo; what a path on the command line means; configurations."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from fastlabel_gradio.errors import ConfigError, SourceError, UnreadableItemError
from fastlabel_gradio.sources import SOURCES, Source, guess_source, open_source
from fastlabel_gradio.types import Item
from tests.source_data import folder_source, ids, opened, save, sheet_source, table_source, write_cifar

CONFIGS = Path(__file__).parent.parent / "configs"


def demo_source(tmp_path: Path) -> Source:
    return opened("demo", tmp_path)


OPENERS: dict[str, Callable[[Path], Source]] = {
    "image_folder": folder_source,
    "sprite_sheet": sheet_source,
    "table": table_source,
    "demo": demo_source,
}


@pytest.fixture(params=SOURCES.names())
def source(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    if request.param == "cifar10":
        return opened("cifar10", tmp_path, path=str(write_cifar(tmp_path, monkeypatch)))
    return OPENERS[request.param](tmp_path)


def test_ids_are_unique_relative_and_the_same_in_a_second_scan(source: Source) -> None:
    first = list(source.scan())
    assert len(first) >= 12
    assert len({item.id for item in first}) == len(first)
    assert not any(item.id.startswith("/") or ".." in item.id.split("/") for item in first)
    assert list(source.scan()) == first


def test_every_item_reads_as_rgb(source: Source) -> None:
    for item in list(source.scan())[:12]:
        assert source.read(item).mode == "RGB"


def test_content_keys_are_stable_and_equal_exactly_for_equal_content(source: Source) -> None:
    items = list(source.scan())[:24]
    keys = [source.content_key(item) for item in items]
    pixels = [source.read(item).tobytes() for item in items]
    assert keys == [source.content_key(item) for item in items]
    assert [[a == b for b in keys] for a in keys] == [[a == b for b in pixels] for a in pixels]
    assert all(len(key) == 32 and int(key, 16) >= 0 for key in keys)


def test_eight_threads_read_what_one_reads(source: Source) -> None:
    items = list(source.scan())[:12] * 8
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda item: source.read(item).tobytes(), items))
    assert together == [source.read(item).tobytes() for item in items]


def test_reference_labels_are_among_the_proposed_classes(source: Source) -> None:
    labels = {source.reference_label(item) for item in source.scan()}
    assert labels - {None} <= set(source.classes())


def test_held_out_items_read_and_are_not_in_the_pool(source: Source) -> None:
    held_out = list(source.held_out())
    assert not {item.id for item in held_out} & set(ids(source))
    for item in held_out[:5]:
        assert source.read(item).mode == "RGB"
        assert source.reference_label(item) in source.classes()


@pytest.mark.parametrize("item_id", ["nothing", "../nothing", "/etc/hostname", "-1", "999999", "", "١", "9" * 5000])
def test_an_unknown_id_is_unreadable(source: Source, item_id: str) -> None:
    with pytest.raises(UnreadableItemError):
        source.read(Item(item_id))
    with pytest.raises(UnreadableItemError):
        source.content_key(Item(item_id))


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
        (tmp_path / "t.CSV").touch()
        (tmp_path / "t.jsonl").touch()
        kinds = {name: guess_source(tmp_path / name)[0] for name in ("cifar", "batches", "t.CSV", "t.jsonl", "")}
        assert kinds == {
            "cifar": "cifar10",
            "batches": "cifar10",
            "t.CSV": "table",
            "t.jsonl": "table",
            "": "image_folder",
        }

    def test_the_options_open_the_source_from_any_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        save(tmp_path / "pool" / "a.png")
        monkeypatch.chdir(tmp_path)
        kind, options = guess_source(Path("pool"))
        assert ids(open_source(kind, options, Path("/nowhere"), tmp_path)) == ["a.png"]

    def test_a_single_picture_points_to_the_sprite_sheet_configuration(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match=r"configs/celeba.yaml"):
            guess_source(save(tmp_path / "sheet.png"))

    def test_missing_paths_and_other_files_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").touch()
        with pytest.raises(SourceError, match="does not exist"):
            guess_source(tmp_path / "gone")
        with pytest.raises(SourceError, match="is not a source"):
            guess_source(tmp_path / "notes.txt")


@pytest.mark.parametrize("name", ["celeba", "cifar10", "demo", "digits", "images"])
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
