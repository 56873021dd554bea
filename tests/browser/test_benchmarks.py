"""The benchmarks that open a page, at a tiny size, so that none rots."""

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from benchmarks import data, interface, page, page_times, person, screenshots, sounds, workload
from tests.browser.conftest import NewContext, become_new_guest
from tests.browser.kept_page import is_kept, open_anew
from tests.pools import write_pictures, write_sounds
from tests.served import served_here

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, new_context: NewContext) -> None:
    """A sprite of 120 tiles, batches of 10, and pages of a browser that has compiled Gradio's scripts already."""
    context = new_context()
    kept: dict[str, Page] = {}  # as in `take_page`; `new_context` closes them

    @contextmanager
    def opened_page(address: str, script: str = "") -> Iterator["Page"]:
        address = address.rstrip("/")
        opened = (None if script else kept.pop(address, None)) or context.new_page()
        become_new_guest(opened, address)
        opened.add_init_script(script)
        open_anew(opened, address)
        yield opened
        if not script and is_kept(opened, address):
            kept[address] = opened
        else:
            opened.evaluate("localStorage.clear()")
            opened.close()

    monkeypatch.setattr(data, "CACHE", tmp_path)
    monkeypatch.setattr(workload, "COLUMNS", 12)
    monkeypatch.setattr(workload, "ROWS", 10)
    monkeypatch.setattr(page, "WARM_UP", 0)
    monkeypatch.setattr(interface, "WARM_UP", 0)
    for module in (person, page_times, screenshots):
        monkeypatch.setattr(module, "opened_page", opened_page)
    monkeypatch.setattr(person, "served", partial(served_here, batch_size=12))
    for module in (interface, sounds):
        monkeypatch.setattr(module, "opened_page", opened_page)
        monkeypatch.setattr(module, "served", partial(served_here, batch_size=10))
        monkeypatch.setattr(module, "BATCH", 10)


def _printed(name: str, options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *options])
    importlib.import_module(f"benchmarks.{name}").main()
    return capsys.readouterr().out


def test_the_interface_benchmark_reaches_its_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--passes", "1", "--labels", "40", "--clicks", "1", "--submits", "2"]
    printed = _printed("interface", options, monkeypatch, capsys)
    assert "| click to usable |" in printed
    assert "of 4 |" in printed


def test_the_benchmark_of_sounds_reaches_its_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = write_sounds(tmp_path / "sounds", per_class=8)
    printed = _printed("sounds", ["--sounds", str(folder), "--clicks", "1", "--keys", "1"], monkeypatch, capsys)
    assert "| click to usable |" in printed
    assert "Space to the sound's start" in printed


def test_the_scripted_person_labels_in_every_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    small = {"CLICKS": 1, "KEYS": 2, "SUBMITS": 1, "FILTERS": 1, "PAN_STEPS": 2, "HEAP_BATCHES": 1, "HEAP_PAGES": 1}
    small |= {"HOVERS": 2, "SCROLLS": 2, "SUBMITS_BEFORE": 1}
    for name, value in {**small, "WARM_UP": 0}.items():
        monkeypatch.setattr(page_times, name, value)
    folder = write_pictures(tmp_path / "pictures", per_class=24)
    options = ["--pictures", str(folder), "--encoder", "pixels", "--target", "24"]
    printed = _printed("person", options, monkeypatch, capsys)
    rows = {
        cells[2]: cells[3:]
        for line in printed.splitlines()
        if len(cells := [one.strip() for one in line.split("|")]) == 10
    }
    for way in (*person.WAYS, *person.VIEWS):
        labels, _, seconds, _, wrong = map(float, rows[way][:5])
        assert labels >= 24
        assert seconds > 0.1
        assert wrong <= 3
    assert float(rows["dropdown"][1]) >= 2.0
    assert float(rows["groups"][1]) < float(rows["keys"][1])
    for what in (*page_times.AIMS, page_times.AT_ONCE):
        assert f"| {what} |" in printed
    assert "pictures: groups bring" in printed
    assert "pictures: screens of one class bring" in printed


def test_the_scripted_person_begins_with_labels_that_are_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = write_pictures(tmp_path / "pictures", per_class=24)
    small = ["--pictures", str(folder), "--encoder", "pixels", "--target", "12", "--before", "30", "--ways", "groups"]
    printed = _printed("person", [*small, "--parts", "ways"], monkeypatch, capsys)
    [row] = [line for line in printed.splitlines() if "| groups |" in line]
    labels, actions, *_, right = (float(cell) for cell in row.split("|")[3:-1])
    assert labels == 12  # of the 42 that are stored
    assert actions < 1 and right > 90  # by the head of the 30 from the first card on
    assert "After 30 labels." in printed
    assert "first paint" not in printed


def test_the_screenshots_are_made_from_what_the_configuration_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    source = {"kind": "image_folder", "path": str(write_pictures(tmp_path / "pictures", per_class=24))}
    config = {"projects": [{"name": "pictures", "source": source, "encoder": "pixels", "batch_size": 12}]}
    (tmp_path / "shown.yaml").write_text(json.dumps(config), encoding="utf-8")
    for name, value in {"BATCHES": 1, "BATCH": 24, "served": served_here}.items():
        monkeypatch.setattr(screenshots, name, value)
    monkeypatch.setattr(screenshots, "PICTURES", {name: screenshots.PICTURES[name] for name in ("label", "progress")})
    _printed(
        "screenshots", ["--config", str(tmp_path / "shown.yaml"), "--out", str(tmp_path / "out")], monkeypatch, capsys
    )
    made = {path.name: Image.open(path) for path in (tmp_path / "out").glob("*.webp")}
    assert set(made) == {
        f"screenshot-{name}-{theme}.webp" for name in ("label", "progress") for theme in ("light", "dark")
    }
    assert all(picture.size == screenshots.SIZE for picture in made.values())
    light, dark = (
        made[f"screenshot-label-{theme}.webp"].convert("L").resize((1, 1)).getpixel((0, 0))
        for theme in ("light", "dark")
    )
    assert light > 150 > 80 > dark
