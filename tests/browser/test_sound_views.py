"""What the page says of how sounds are read, seen and played: notes, gain, the axis, time expansion."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from fastlabel_gradio.app import App
from fastlabel_gradio.types import Item, Waveform
from tests.browser.conftest import Listen, Serving
from tests.browser.label_page import expect
from tests.browser.sound_page import SoundPage
from tests.pools import make_sound_config

if TYPE_CHECKING:
    from playwright.sync_api import Page

BAT_RATE_HZ = 256_000
NOTE = "the header gives no length; read to the end of the file"


def served(folder: Path, serving: Serving, **options: object) -> tuple[App, str]:
    source = {"kind": "audio_folder", "path": str(folder), **options}
    return serving(make_sound_config(folder, source=source, classes=("a", "b"), batch_size=4))


@pytest.fixture
def quiet(page: "Page", serving: Serving, tmp_path: Path) -> SoundPage:
    """A recording 60 dB below full scale that the header says nothing of, and a loud one, on an open page."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    tone = np.sin(np.arange(3 * 8000) * 0.2)
    soundfile.write(folder / "loud.wav", tone / 2, 8000)
    soundfile.write(folder / "quiet.wav", tone / 1000, 8000, subtype="FLOAT")
    app, address = served(folder, serving)
    project = app.projects["audio"]
    for item in project.source.scan():
        if item.id == "quiet.wav":
            note_down(app, item)
    return SoundPage(page, address).open()


def note_down(app: App, item: Item) -> None:
    sound = app.projects["audio"].source.read(item)
    assert isinstance(sound, Waveform)
    app.projects["audio"].gallery.keep(item, replace(sound, note=NOTE))


def test_a_quiet_sound_is_turned_up_until_that_is_switched_off(quiet: SoundPage) -> None:
    page = quiet
    index = page.item_ids().index("quiet.wav")
    gains = [page.cards.nth(place).locator(".fl-gain") for place in (index, 1 - index)]
    expect(gains[0]).to_have_text("+57 dB")
    expect(gains[1]).to_be_hidden()
    page.key("End" if index else "Home", "l", "Space")
    page.wait_until_heard(0.2)
    assert "normalised=true" in page.media("src")
    page.key("v")
    expect(page.message).to_have_text("Normalise is off.")
    expect(gains[0]).to_be_hidden()
    page.wait_for_media("!media.paused && media.currentTime > 0.2 && !media.src.includes('normalised')")
    page.page.reload()
    page.wait_ready()
    normalise = page.grid.get_by_role("button", name="Normalise")
    expect(normalise).to_have_attribute("aria-pressed", "false")
    normalise.click()
    expect(gains[0]).to_have_text("+57 dB")
    page.play_button(1 - index).click()
    page.wait_until_heard(0.1)
    assert "normalised" not in page.media("src")


def test_a_note_is_a_mark_on_its_card_and_a_line_in_the_enlarged_view(quiet: SoundPage) -> None:
    page = quiet
    index = page.item_ids().index("quiet.wav")
    mark = page.cards.nth(index).locator(".fl-note")
    expect(mark).to_have_attribute("title", NOTE)
    expect(page.grid.locator(".fl-card .fl-note")).to_have_count(1)
    assert NOTE in (page.cards.nth(index).get_attribute("aria-label") or "")
    page.key("End" if index else "Home", "z")
    expect(page.zoom.locator(".fl-zoom-note")).to_have_text(NOTE)
    expect(page.zoom.locator(".fl-gain")).to_have_text("+57 dB")
    page.key("ArrowRight" if index == 0 else "ArrowLeft")
    expect(page.zoom.locator(".fl-zoom-note")).to_be_hidden()


def test_bats_have_their_khz_and_their_seconds_and_are_played_slower(
    page: "Page", serving: Serving, tmp_path: Path
) -> None:
    folder = tmp_path / "bats"
    folder.mkdir()
    call = np.sin(2 * np.pi * 45_000 * np.arange(BAT_RATE_HZ // 4) / BAT_RATE_HZ)
    soundfile.write(folder / "bat.wav", call / 2, BAT_RATE_HZ)
    _, address = served(folder, serving, expand=10)
    visitor = SoundPage(page, address).open()
    expect(visitor.grid.locator(".fl-sound-bar")).to_contain_text("played 10 times slower")
    expect(visitor.cards.nth(0).locator(".fl-duration")).to_have_text("0.25 s")
    assert visitor.ruler(0)[:2] == ["0.00", "0.05"]
    visitor.key("z")
    texts = visitor.zoom.locator(".fl-frequency").all_text_contents()
    assert texts[-3:] == ["32", "64", "128"]
    assert visitor.zoom.locator(".fl-tick-text").all_text_contents()[-1] == "0.25"
    visitor.key("Escape")
    visitor.click_at(0, 0.5)
    visitor.wait_until_heard(1.3)
    assert visitor.media("duration") == pytest.approx(2.5, abs=0.01)
    assert 0.5 < visitor.cursor(0) < 1


@pytest.mark.parametrize(
    ("options", "khz"),
    [({"top_hz": 22_050}, ["16", "8", "4", "2", "1"]), ({"low_hz": 5_500}, ["11", "10", "9", "8", "7"])],
)
def test_the_axis_has_the_range_of_the_picture(
    page: "Page", serving: Serving, tmp_path: Path, options: dict[str, int], khz: list[str]
) -> None:
    folder = tmp_path / "sounds"
    folder.mkdir()
    soundfile.write(folder / "noise.wav", np.random.default_rng(0).normal(0, 0.1, 44_100), 44_100)
    _, address = served(folder, serving, **options)
    visitor = SoundPage(page, address).open()
    visitor.key("z")
    axis = visitor.zoom.locator(".fl-frequency")
    assert [text for text in axis.all_text_contents() if text in khz] == khz[::-1]
    places = axis.evaluate_all("(nodes) => nodes.map((node) => parseFloat(node.style.bottom))")
    assert places == sorted(places)
    assert all(0 < place <= 100 for place in places)
    boxes = [box for tick in axis.all() if (box := tick.bounding_box())]
    assert len(boxes) == len(places)
    assert all(upper["y"] + upper["height"] <= lower["y"] + 1 for lower, upper in pairwise(boxes))


def test_the_switch_is_on_at_first_and_stands_in_the_help(listen: Listen) -> None:
    page = listen()
    expect(page.grid.get_by_role("button", name="Normalise")).to_have_attribute("aria-pressed", "true")
    page.key("?")
    expect(page.help).to_contain_text("normalise: quiet sounds are turned up")
