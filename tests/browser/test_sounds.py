"""Sounds on the page: one player, a cursor that follows it, clicks that seek, and what happens where it cannot play."""

import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from tests.browser.conftest import Listen, Serving
from tests.browser.kept_page import open_anew
from tests.browser.label_page import expect
from tests.browser.sound_page import SoundPage
from tests.pools import make_sound_config, write_sounds

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_no_sound_is_asked_for_while_the_page_loads(listen: Listen) -> None:
    page = listen()
    assert page.page.evaluate("[window.fastlabel.player.sound, window.fastlabel.player.warming ?? null]") == [
        None,
        None,
    ]
    assert page.asked == []


def test_a_click_on_a_spectrogram_plays_from_there(listen: Listen) -> None:
    page = listen()
    page.click_at(3, 0.5)
    half = page.duration(3) / 2
    page.wait_until_heard(half)
    page.wait_until_heard(half + 0.1)
    page.expect_state(3, "playing")
    assert page.media("currentTime") < page.duration(3)
    expect(page.cards.nth(3)).to_be_focused()


def test_a_click_while_a_sound_plays_seeks(listen: Listen) -> None:
    page = listen()
    page.click_at(2, 0.8)
    page.wait_until_heard(page.duration(2) * 0.8)
    page.click_at(2, 0.2)
    page.wait_for_media(f"media.currentTime < {page.duration(2) * 0.6}")
    page.wait_until_heard(page.duration(2) * 0.2)
    page.expect_state(2, "playing")
    expect(page.zoom).to_be_hidden()


def test_the_play_button_plays_and_stops_and_says_which(listen: Listen) -> None:
    page = listen()
    button = page.play_button(1)
    expect(button).to_have_accessible_name("Play item 2")
    button.click()
    page.wait_until_heard()
    expect(button).to_have_accessible_name("Stop item 2")
    expect(page.cards.nth(1)).to_be_focused()
    button.click()
    page.expect_state(1, "stopped")
    assert page.media("paused")


def test_starting_a_sound_stops_the_one_before(listen: Listen) -> None:
    page = listen()
    page.click_at(0, 0.1)
    page.wait_until_heard()
    page.play_button(5).click()
    page.expect_state(5, "playing")
    page.wait_until_heard()
    assert page.media("src") == page.asked[-1]
    assert page.media("src") != page.asked[0]


def test_moving_on_stops_the_sound(listen: Listen) -> None:
    page = listen()
    page.click_at(0, 0.0)
    page.wait_until_heard()
    page.key("1")
    assert page.current() == 1
    page.expect_state(0, "stopped")
    assert page.media("paused")


def test_the_cursor_moves_with_the_sound_and_goes_with_it(listen: Listen) -> None:
    page = listen()
    cursor = page.cards.nth(0).locator(".fl-cursor")
    expect(cursor).to_be_hidden()
    page.click_at(0, 0.25)
    page.wait_until_heard()
    expect(cursor).to_be_visible()
    first = page.cursor(0)
    page.wait_until_heard(page.duration(0) * 0.4)
    second, heard = page.cursor(0), page.media("currentTime") / page.duration(0)
    assert 0.24 <= first < second <= heard  # a click lands on a whole pixel
    page.play_button(0).click()
    expect(cursor).to_be_hidden()


def test_a_sound_that_has_ended_is_stopped(listen: Listen) -> None:
    page = listen()
    page.click_at(0, 0.9)
    page.wait_for_media("media.ended")
    page.expect_state(0, "stopped")
    page.key("Space")
    page.wait_until_heard()
    assert page.media("currentTime") < page.duration(0) * 0.9


def test_the_sound_of_the_current_card_is_ready_before_its_key_is_pressed(listen: Listen) -> None:
    page = listen()
    page.key("ArrowRight", "ArrowRight")
    page.wait_for_media("media.readyState === HTMLMediaElement.HAVE_ENOUGH_DATA")
    items = page.rest.get("next_batch")["items"]
    assert {url.removeprefix(f"{page.address}/") for url in page.asked} == {items[2]["media_url"]}
    assert page.media("paused")


@pytest.mark.parametrize("key", ["s", "n"])
def test_a_sound_stops_when_its_card_leaves_the_screen(listen: Listen, key: str) -> None:
    page = listen()
    page.key("ArrowRight", "1", "ArrowLeft", "l", "Space")
    page.wait_until_heard()
    before = page.batch_id()
    page.key(key)
    page.wait_ready(after=before)
    assert page.media("paused")
    expect(page.grid.locator(".fl-card .fl-play:not([data-state=stopped])")).to_have_count(0)


def test_each_card_shows_how_long_its_sound_is(listen: Listen) -> None:
    page = listen()
    for index in range(3):
        seconds = page.duration(index)
        expect(page.cards.nth(index).locator(".fl-duration")).to_have_text(f"{seconds:.1f} s")
        assert page.ruler(index)[0] in ("0", "0.0")
        expect(page.cards.nth(index).locator(".fl-ruler")).to_have_attribute("aria-hidden", "true")
    assert page.cards.nth(0).locator(".fl-picture").evaluate("(node) => node.clientWidth / node.clientHeight") == (
        pytest.approx(2, abs=0.03)
    )


def test_windows_of_a_recording_show_their_time_in_the_file(page: "Page", serving: Serving, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    tone = np.sin(np.arange(70 * 8000) * 0.2) * 0.3
    soundfile.write(recordings / "talk.wav", tone, 8000)
    source = {"kind": "audio_folder", "path": str(recordings), "window_s": 5.0}
    _, address = serving(make_sound_config(recordings, source=source, classes=("a", "b"), batch_size=14))
    visitor = SoundPage(page, address).open()
    rulers = {item_id: visitor.ruler(index) for index, item_id in enumerate(visitor.item_ids())}
    assert rulers["talk.wav#t=10.0,15.0"] == ["10", "11", "12", "13"]
    assert rulers["talk.wav#t=55.0,60.0"] == ["0:55", "0:56", "0:57", "0:58"]
    assert rulers["talk.wav#t=65.0,70.0"] == ["1:05", "1:06", "1:07", "1:08"]
    index = visitor.item_ids().index("talk.wav#t=65.0,70.0")
    visitor.play_button(index).click()
    visitor.wait_until_heard(0.1)
    assert visitor.media("duration") == pytest.approx(5.0, abs=0.01)


def test_times_late_in_a_long_recording_do_not_run_into_each_other(
    page: "Page", serving: Serving, tmp_path: Path
) -> None:
    recordings = _folder(tmp_path)
    soundfile.write(recordings / "talk.wav", np.zeros(3609 * 1000, dtype=np.int16), 1000)
    source = {"kind": "audio_folder", "path": str(recordings), "window_s": 3.0, "hop_s": 601.0}
    _, address = serving(make_sound_config(recordings, source=source, classes=("a", "b"), batch_size=8))
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        open_anew(page, address)
        visitor = SoundPage(page, address)
        visitor.wait_ready()
        index = visitor.item_ids().index("talk.wav#t=3606.0,3609.0")
        assert visitor.ruler(index)[0] == "1:00:06.0"
        visitor.play_button(index).click()
        visitor.key("z")
        expect(visitor.zoom).to_be_visible()
        expect(visitor.zoom.locator(".fl-second")).to_have_text("h")
        for ruler in (*visitor.grid.locator(".fl-time").all(), visitor.zoom.locator(".fl-ruler")):
            texts = ruler.locator(".fl-tick-text:visible, .fl-duration").all()
            boxes = [box for text in texts if (box := text.bounding_box())]
            assert all(left["x"] + left["width"] < right["x"] for left, right in pairwise(boxes))


def test_sounds_that_browsers_cannot_play_are_converted(page: "Page", serving: Serving, tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    for name, rate_hz, channels in (("cd.aiff", 8000, 1), ("wide.wav", 8000, 8), ("slow.wav", 2000, 1)):
        tone = np.sin(np.arange(2 * rate_hz) * 0.2) * 0.3
        soundfile.write(folder / name, np.stack([tone] * channels, axis=1), rate_hz, subtype="PCM_16")
    _, address = serving(make_sound_config(folder, classes=("a", "b")))
    visitor = SoundPage(page, address).open()
    assert visitor.cards.count() == 3
    for place in range(3):
        visitor.key(*(["ArrowRight"] if place else []), "Space")
        visitor.expect_state(place, "playing")
        visitor.wait_until_heard(0.1)
        expect(visitor.cards.nth(place).locator(".fl-sound-problem")).to_be_hidden()


def test_a_browser_that_does_not_know_the_format_asks_for_the_converted_sound(listen: Listen) -> None:
    page = listen()
    original = re.compile(r"/item/\d+\?batch=\w+$")  # Safari and Ogg: to Chromium, what is sent instead is no sound
    page.page.route(original, lambda route: route.fulfill(body="OggS?", content_type="audio/ogg"))
    page.click_at(0, 0.5)
    page.wait_until_heard(page.duration(0) * 0.5)
    page.expect_state(0, "playing")
    assert page.media("src") == page.asked[-1] == page.asked[0] + "&converted=true"
    expect(page.cards.nth(0).locator(".fl-sound-problem")).to_be_hidden()


def test_a_sound_that_cannot_be_played_says_so_and_the_labelling_goes_on(
    page: "Page", serving: Serving, tmp_path: Path
) -> None:
    sounds = write_sounds(_folder(tmp_path), per_class=2)
    _, address = serving(make_sound_config(sounds, batch_size=6))
    visitor = SoundPage(page, address).open()
    lost = sounds / visitor.item_ids()[0]
    kept = shutil.move(lost, tmp_path / "kept.wav")
    visitor.key("Space")
    problem = visitor.cards.nth(0).locator(".fl-sound-problem")
    expect(problem).to_have_text("This sound cannot be played.")
    expect(problem).to_be_visible()
    visitor.expect_state(0, "stopped")
    visitor.key("1", "Space")
    visitor.wait_until_heard()
    visitor.expect_state(1, "playing")
    shutil.move(kept, lost)
    visitor.key("ArrowLeft", "Space")
    visitor.wait_until_heard()
    expect(problem).to_be_hidden()


def test_a_browser_that_refuses_to_play_unasked_is_no_error(listen: Listen) -> None:
    page = listen(opened=False)
    refusal = "Promise.reject(new DOMException('not allowed', 'NotAllowedError'))"
    page.page.add_init_script(f"HTMLMediaElement.prototype.play = () => {refusal}")
    problems: list[str] = []
    page.page.on("pageerror", lambda error: problems.append(str(error)))
    page.open()
    page.key("p", "ArrowRight")
    page.wait_for_media("media.readyState > 0")
    page.expect_state(1, "stopped")
    expect(page.cards.nth(1).locator(".fl-sound-problem")).to_be_hidden()
    assert problems == []


def test_labels_on_screen_survive_a_reload(listen: Listen) -> None:
    page = listen()
    page.key("1", "Space", "2", "3")
    batch, labels = page.batch_id(), page.labels()
    assert len(labels) == 3
    page.page.reload()
    assert page.wait_ready() == batch
    assert page.labels() == labels


def test_cards_of_sounds_fit_every_window(listen: Listen) -> None:
    page = listen()
    for width, columns in ((360, 2), (768, 3), (2560, 8)):
        page.page.set_viewport_size({"width": width, "height": 740})
        open_anew(page.page, page.address)
        page.wait_ready()
        page.key("z")
        expect(page.zoom).to_be_visible()
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width
        for part in page.grid.locator(".fl-card, .fl-sound-bar, .fl-sound-bar > *, .fl-zoom, .fl-axes > *").all():
            box = part.bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        assert page.columns() == columns


def test_the_line_above_the_cards_stays_readable_beside_a_notice(listen: Listen) -> None:
    page = listen()
    page.page.set_viewport_size({"width": 1400, "height": 740})
    heights = page.grid.evaluate(
        """(grid) => {
          const notice = grid.querySelector(".fl-notice");
          notice.hidden = false;
          notice.querySelector(".fl-banner-words").textContent = "A notice of many words. ".repeat(9);
          const parts = grid.querySelectorAll(".fl-batch, .fl-notice, .fl-annotator");
          return [...parts].map((part) => part.getBoundingClientRect().height);
        }"""
    )
    assert max(heights) < 2 * min(heights)


def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "sounds"
    folder.mkdir()
    return folder
