"""The simulated annotator, over small real pools, and the source that holds out a random share."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from fastlabel_gradio.command_line import main
from fastlabel_gradio.config import ProjectConfig
from fastlabel_gradio.errors import ConfigError, UnknownNameError
from fastlabel_gradio.labels import ClassEdit
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.simulation import Behaviour, Run, Simulation, answered, simulate, table
from fastlabel_gradio.simulation.experiment import _with_test_part
from fastlabel_gradio.sources import open_source
from tests.grey_encoder import GreyEncoder
from tests.pools import make_config, write_pictures, write_sounds
from tests.source_data import write_csv

pytestmark = pytest.mark.usefixtures("whole_trainings")


@pytest.fixture(autouse=True)
def _without_a_network(no_network: None) -> None:
    """CLIP is not available."""


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """150 pictures in three class folders."""
    return write_pictures(tmp_path_factory.mktemp("pool"), per_class=50)


def played(pool: Path, tmp_path: Path, seeds: int = 1, strategy: str = "random", **behaviour: object) -> Simulation:
    asked = Behaviour(**{"batch": 5, "labels": 30, **behaviour})  # type: ignore[arg-type]
    return simulate(make_config(pool), tmp_path, tmp_path / "work", [strategy], seeds, asked)


@pytest.fixture(scope="module")
def usual(pool: Path, tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    """Random picks, two seeds, and so many wrong answers that curves differ."""
    return played(pool, tmp_path_factory.mktemp("usual"), seeds=2, noise=0.4)


def test_a_class_that_was_renamed_is_played_by_the_name_that_it_has_now(pool: Path, tmp_path: Path) -> None:
    config = _with_test_part(make_config(pool), tmp_path, tmp_path / "work")
    project = Project(config, tmp_path, tmp_path / "work")
    before = project.schema
    project.labeler("ann").actions.change_classes("ann", lambda _: [ClassEdit("rename", before.ids[0], "azure")])
    project.close()
    simulation = played(pool, tmp_path)
    assert (simulation.setting.classes, simulation.setting.items + simulation.setting.test_items) == (3, 150)


def test_a_run_labels_to_the_end_and_gets_better(pool: Path, tmp_path: Path) -> None:
    simulation = played(pool, tmp_path, strategy="auto")
    [run] = simulation.runs
    assert run.labels == [5, 10, 15, 20, 25, 30]
    assert simulation.full_supervision > 0.9
    assert run.accuracy[-1] > 0.9
    assert all(0 <= value <= 1 for value in run.accuracy)


def test_the_same_seed_gives_the_same_curve_and_another_seed_another(
    pool: Path, tmp_path: Path, usual: Simulation
) -> None:
    assert played(pool, tmp_path, noise=0.4).runs == usual.runs[:1]
    assert usual.runs[0].accuracy != usual.runs[1].accuracy


def test_wrong_answers_cost_accuracy(pool: Path, tmp_path: Path, usual: Simulation) -> None:
    wrong = played(pool, tmp_path, noise=1.0)
    assert wrong.runs[0].accuracy[-1] < usual.runs[0].accuracy[-1]
    assert "more than 30" in table(wrong)


def test_items_that_are_left_open_do_not_stop_a_run(pool: Path, tmp_path: Path) -> None:
    [run] = played(pool, tmp_path, strategy="margin", left_open_share=0.4).runs
    assert run.labels[-1] >= 30


class Alphabet:
    """A labelling of six letters, two at a time, that begins anew with those that stay open."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    @property
    def labeled(self) -> int:
        return len(self.known)

    def pick(self) -> list[str]:
        return [letter for letter in "abcdef" if letter not in self.known][:2]

    def learn(self, answers: Sequence[tuple[str, int]]) -> None:
        self.known |= dict(answers)


def test_a_labelling_ends_with_its_labels_or_where_only_open_items_are_left() -> None:
    assert list(answered(Alphabet(), ord, 3)) == [[("a", 97), ("b", 98)], [("c", 99), ("d", 100)]]
    vowels_stay_open = {"b": 1, "c": 2, "d": 3, "f": 5}.get
    rounds = list(answered(Alphabet(), vowels_stay_open, 6))
    assert [letter for batch in rounds for letter, _ in batch] == ["b", "c", "d"], "a and e are shown again and again"


def test_a_run_ends_with_the_pool(pool: Path, tmp_path: Path) -> None:
    [run] = played(pool, tmp_path, batch=40, labels=10_000).runs
    items = 150 - sum(1 for _ in _split(pool, tmp_path).held_out())
    assert run.labels[-1] == items


def test_an_unknown_strategy_and_a_pool_without_labels_are_refused(pool: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="nearest"):
        played(pool, tmp_path, strategy="nearest")
    config = make_config(pool / "red", classes=["a", "b"])
    with pytest.raises(ConfigError, match="no reference labels"):
        simulate(config, tmp_path, tmp_path / "flat", ["random"], 1, Behaviour())


def test_the_command_writes_a_table_json_and_a_plot(
    pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "pool.yaml"
    project = {"name": "images", "source": {"kind": "image_folder", "path": str(pool)}, "encoder": "pixels"}
    config.write_text(json.dumps({"projects": [project]}), encoding="utf-8")
    out = tmp_path / "runs.json"
    words = ["simulate", "--config", str(config), "--labels", "20", "--seeds", "2", "--json", str(out)]
    main([*words, "--strategy", "random", "--strategy", "margin"])
    printed = capsys.readouterr().out
    assert "| random |" in printed
    assert "| margin |" in printed
    content = json.loads(out.read_text(encoding="utf-8"))
    assert [(run["strategy"], run["seed"], run["labels"]) for run in content["runs"]] == [
        (strategy, seed, [10, 20]) for strategy in ("random", "margin") for seed in (0, 1)
    ]
    assert 0 < content["full_supervision"] <= 1


def test_encoders_are_compared_in_one_table_and_a_second_time_embed_nothing(
    pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "runs.json"
    words = ["simulate", str(pool), "--labels", "20", "--seeds", "2", "--strategy", "random", "--json", str(out)]
    words += ["--workdir", str(tmp_path / "work")]
    main([*words, "--encoder", "pixels,grey,clip", "--plot", str(tmp_path / "curves.png")])
    lines = capsys.readouterr().out.splitlines()
    [header] = [line for line in lines if line.startswith("| encoder | strategy | 10 labels | 20 labels |")]
    assert header.endswith("| every label | items a second |")
    pixels, grey, clip = lines[-3:]
    assert pixels.startswith("| pixels | random | ")
    assert grey.startswith("| grey | random | ")
    assert clip.startswith("| clip | not available: ")
    content = json.loads(out.read_text(encoding="utf-8"))
    assert [run["encoder"] for run in content["runs"]] == ["pixels", "pixels", "grey", "grey"]
    assert all(run["items_per_s"] > 0 for run in content["runs"])
    full = {result["encoder"]: result["full_supervision"] for result in content["encoders"]}
    assert full["pixels"] > full["grey"]
    encoded = GreyEncoder.encoded
    main([*words, "--encoder", "grey"])
    assert GreyEncoder.encoded == encoded
    assert json.loads(out.read_text())["runs"] == content["runs"][2:]


def test_a_list_of_encoders_without_one_that_can_be_had_and_a_double_one_are_refused(pool: Path) -> None:
    for encoders, why in (
        ("clip", "is not available"),
        ("pixels,pixels", "'pixels' is named twice"),
        (",", "names no encoder"),
    ):
        with pytest.raises(SystemExit, match=why):
            main(["simulate", str(pool), "--encoder", encoders, "--seeds", "1"])


def test_the_plot_is_a_picture(tmp_path: Path, usual: Simulation) -> None:
    from PIL import Image

    from fastlabel_gradio.simulation import plot

    plot(usual, tmp_path / "curves.png")
    assert Image.open(tmp_path / "curves.png").size == (960, 600)


def test_curves_are_compared_at_the_same_numbers_of_labels() -> None:
    first, second = Run("random", 0, [10, 20, 30], [0.5, 0.7, 0.9]), Run("random", 1, [8, 16, 24], [0.4, 0.6, 0.8])
    lines = table(Simulation(0.9, [first, second])).splitlines()
    [header] = [line for line in lines if "labels |" in line]
    assert "| 16 labels | 24 labels |" in header
    assert "| 61.0 (48.3 to 73.7) | 79.0 (66.3 to 91.7) |" in lines[-1]


def test_one_run_has_no_interval_and_says_so() -> None:
    text = table(Simulation(0.9, [Run("random", 0, [10, 20], [0.5, 0.7])]))
    assert "| 50.0 | 70.0 |" in text
    assert "one run has none" in text


def test_a_path_is_simulated_as_the_app_would_label_it(
    pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    words = ["simulate", str(pool), "--encoder", "pixels", "--labels", "20", "--seeds", "1", "--strategy", "random"]
    main([*words, "--workdir", str(tmp_path / "work")])
    printed = capsys.readouterr().out
    assert "images: 1" in printed
    assert "items of 3 classes, encoder pixels; the test part has" in printed
    assert "for items like these" in printed
    assert "run 1 of 1: random, seed 0" in caplog.text


def test_the_test_part_is_of_whole_recordings_and_the_figures_are_true_for_new_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_sounds(tmp_path / "sounds", per_class=8)
    words = ["simulate", str(tmp_path / "sounds"), "--encoder", "bands", "--window", "0.2", "--labels", "20"]
    main([*words, "--seeds", "1", "--strategy", "random", "--workdir", str(tmp_path / "work")])
    printed = capsys.readouterr().out
    assert "of 5 recordings" in printed
    assert "for new recordings" in printed
    assert "in the pool too" not in printed


def test_groups_of_the_test_part_that_the_pool_has_too_are_told(tmp_path: Path) -> None:
    rows = [["path", "label", "split", "site"]]
    for number, path in enumerate(sorted(write_pictures(tmp_path, per_class=12).rglob("*.png"))):
        name = path.relative_to(tmp_path).as_posix()
        rows.append([name, name.split("/")[0], "test" if number % 4 == 0 else "train", f"site {number % 5}"])
    write_csv(tmp_path / "t.csv", rows)
    source = {"kind": "table", "path": str(tmp_path / "t.csv"), "group_column": "site"}
    config = make_config(tmp_path, source=source)
    found = simulate(config, tmp_path, tmp_path / "work", ["random"], 1, Behaviour(labels=10))
    assert found.setting is not None
    assert (found.setting.test_groups, found.setting.shared_groups) == (5, 5)
    assert "5 of these groups are in the pool too" in table(found)


def _split(pool: Path, tmp_path: Path, **options: object):  # type: ignore[no-untyped-def]
    inner = {"kind": "image_folder", "path": str(pool)}
    return open_source("split", {"of": inner, "test_share": 0.2, **options}, tmp_path, tmp_path)


def test_a_split_holds_out_a_share_that_depends_on_the_seed_alone(pool: Path, tmp_path: Path) -> None:
    source = _split(pool, tmp_path)
    shown = {item.id for item in source.scan()}
    held_out = {item.id for item in source.held_out()}
    assert not shown & held_out
    assert len(shown | held_out) == 150
    assert 15 <= len(held_out) <= 45
    assert {item.id for item in _split(pool, tmp_path).held_out()} == held_out
    assert {item.id for item in _split(pool, tmp_path, seed=1).held_out()} != held_out
    item = next(source.scan())
    np.testing.assert_array_equal(np.asarray(source.read(item)), np.asarray(source._whole.read(item)))
    assert source.classes() == ("blue", "green", "red")


def test_the_folder_test_beside_train_is_the_test_part(tmp_path: Path) -> None:
    for part, seed in (("train", 0), ("test", 1)):
        write_pictures(tmp_path / "pictures" / part, per_class=10, seed=seed)
    [run] = played(tmp_path / "pictures", tmp_path).runs
    assert run.labels[-1] == 30, "all of the pool, and nothing of the test part"


def test_a_split_of_nothing_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs a `kind`"):
        open_source("split", {"of": {"path": "x"}}, tmp_path, tmp_path)
    with pytest.raises(ConfigError, match="test_share"):
        open_source("split", {"of": {"kind": "demo"}, "test_share": 1.0}, tmp_path, tmp_path)
    assert ProjectConfig.model_validate({"name": "a", "source": {"kind": "split", "of": {"kind": "demo"}}})
