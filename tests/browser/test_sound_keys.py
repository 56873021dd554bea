"""Every key that sounds have, the switches above the cards, and the enlarged spectrogram."""

import math

import pytest

from tests.browser.conftest import Listen
from tests.browser.label_page import expect
from tests.browser.test_layout import CONTRAST

PLAYING = "media.paused === false"


def test_space_plays_the_current_card_from_its_beginning_and_stops_it(listen: Listen) -> None:
    page = listen()
    page.key("ArrowRight", "Space")
    page.wait_until_heard(0.2)
    page.expect_state(1, "playing")
    page.key("Space")
    page.expect_state(1, "stopped")
    stopped_at = page.media("currentTime")
    page.key("Space")
    page.wait_for_media(f"{PLAYING} && media.currentTime < {stopped_at}")
    page.wait_until_heard(0.1)
    page.expect_state(1, "playing")
    expect(page.zoom).to_be_hidden()


def test_space_on_another_card_plays_that_one(listen: Listen) -> None:
    page = listen()
    page.key("Space")
    page.wait_until_heard()
    page.key("ArrowDown", "Space")
    page.wait_until_heard()
    page.expect_state(page.columns(), "playing")


def test_p_has_each_card_played_that_is_moved_to(listen: Listen) -> None:
    page = listen()
    page.key("p")
    expect(page.message).to_contain_text("Play on focus is on")
    for key, index in (("ArrowRight", 1), ("2", 2), ("Home", 0)):
        page.key(key)
        page.expect_state(index, "playing")
        page.wait_until_heard()
    page.key("p")
    expect(page.message).to_contain_text("Play on focus is off")
    page.key("ArrowRight")
    page.expect_state(1, "stopped")


def test_with_play_on_focus_the_first_card_of_the_next_batch_is_played(listen: Listen) -> None:
    page = listen()
    page.key("p", "1")
    page.submit()
    page.expect_state(0, "playing")
    page.wait_until_heard()


def test_with_play_on_focus_a_click_still_plays_and_stops_and_seeks(listen: Listen) -> None:
    page = listen()
    page.key("p")
    page.play_button(4).click()
    page.expect_state(4, "playing")
    page.wait_until_heard()
    page.play_button(4).click()
    page.expect_state(4, "stopped")
    page.click_at(2, 0.5)
    page.expect_state(2, "playing")
    page.wait_until_heard(page.duration(2) / 2)


def test_l_repeats_a_sound(listen: Listen) -> None:
    page = listen()
    page.key("l", "Space")
    page.click_at(0, 0.9)
    page.wait_until_heard(page.duration(0) * 0.9)
    page.wait_for_media(f"{PLAYING} && media.currentTime < {page.duration(0) / 2}")
    page.expect_state(0, "playing")
    page.key("l")
    assert page.media("loop") is False


def test_comma_and_full_stop_change_the_speed_also_while_a_sound_plays(listen: Listen) -> None:
    page = listen()
    page.key("Space", ".", ".")
    page.wait_for_media("media.playbackRate === 1.5")
    assert page.media("preservesPitch") is True
    expect(page.message).to_have_text("Speed 1.5 ×.")
    page.key(*(["."] * 3))
    assert page.media("playbackRate") == 2
    page.key(*([","] * 8))
    assert page.media("playbackRate") == 0.5
    page.key("ArrowRight", "Space")
    page.wait_until_heard()
    assert page.media("playbackRate") == 0.5


def test_the_switches_above_the_cards_do_what_the_keys_do_and_leave_the_keys_to_the_cards(listen: Listen) -> None:
    page = listen()
    page.grid.get_by_role("button", name="Play on focus").click()
    page.grid.get_by_role("button", name="Loop").click()
    page.grid.get_by_label("Speed").select_option("0.75")
    assert (page.media("loop"), page.media("playbackRate")) == (True, 0.75)
    for name in ("Play on focus", "Loop"):
        expect(page.grid.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
    page.grid.get_by_role("button", name="Loop").click()
    expect(page.cards.nth(0)).to_be_focused()
    page.key("ArrowRight")
    page.expect_state(1, "playing")


def test_how_sounds_are_played_is_kept_over_a_reload(listen: Listen) -> None:
    page = listen()
    page.key("p", "l", ".")
    page.page.reload()
    page.wait_ready()
    for name in ("Play on focus", "Loop"):
        expect(page.grid.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
    expect(page.grid.get_by_label("Speed")).to_have_value("1.25")
    assert (page.media("loop"), page.media("playbackRate"), page.media("paused")) == (True, 1.25, True)
    assert page.asked == []


def test_a_whole_batch_is_heard_and_labeled_by_keys_only(listen: Listen) -> None:
    page = listen()
    classes = page.rest.get("next_batch")["classes"]
    wanted = {item_id: item_id.split("/")[0] for item_id in page.item_ids()}
    for index, name in enumerate(wanted.values()):
        page.key("Space")
        page.expect_state(index, "playing")
        page.key(str(classes.index(name) + 1))
    assert page.labels() == wanted
    page.submit()
    assert page.rest.stored() == wanted


def test_z_enlarges_the_spectrogram_with_seconds_and_khz(listen: Listen) -> None:
    page = listen()
    page.key("ArrowRight", "z")
    expect(page.zoom).to_contain_text(page.item_ids()[1])
    picture = page.zoom.locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("(picture) => [picture.naturalWidth, picture.naturalHeight]") == [1200, 480]
    assert page.zoom.locator(".fl-frequency").all_text_contents() == ["0.5", "1", "2", "4", "8"]
    places = page.zoom.locator(".fl-frequency").evaluate_all("(nodes) => nodes.map((n) => parseFloat(n.style.bottom))")
    mel = [math.log10(1 + hz / 700) for hz in (500, 1000, 2000, 4000, 8000, 11025)]
    assert places == pytest.approx([100 * part / mel[-1] for part in mel[:-1]], abs=0.01)
    assert {"0.0", "0.5", "1.0", "1.5", "2.0"} <= set(page.zoom.locator(".fl-tick-text").all_text_contents())
    page.key("z")
    expect(page.zoom).to_be_hidden()
    expect(page.cards.nth(1)).to_be_focused()


def test_the_enlarged_spectrogram_has_the_keys_the_cursor_and_the_clicks_of_a_card(listen: Listen) -> None:
    page = listen()
    page.key("z", "Space")
    page.wait_until_heard()
    expect(page.zoom.locator(".fl-cursor")).to_be_visible()
    expect(page.zoom.get_by_role("button", name="Stop this sound")).to_be_visible()
    frame = page.zoom.locator(".fl-zoom-frame")
    frame.click(position=page.place(frame, 0.6))  # type: ignore[arg-type]
    page.wait_until_heard(page.duration(0) * 0.6)
    page.key("Space")
    expect(page.zoom.locator(".fl-cursor")).to_be_hidden()
    page.zoom.get_by_role("button", name="Play this sound").click()
    page.wait_until_heard()
    page.key("1")
    expect(page.zoom).to_contain_text(page.item_ids()[1])
    expect(page.zoom.locator(".fl-cursor")).to_be_hidden()
    page.key("Space", "Escape")
    page.expect_state(1, "playing")
    assert list(page.labels()) == [page.item_ids()[0]]


def test_the_help_lists_the_keys_of_sounds(listen: Listen) -> None:
    page = listen()
    page.key("?")
    for words in ("play the sound", "faster, slower", "loop:", "play on focus:", "enlarge, and back"):
        expect(page.help).to_contain_text(words)
    expect(page.help).not_to_contain_text("enlarge the picture")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_texts_of_sounds_have_the_contrast_that_reading_needs(listen: Listen, theme: str) -> None:
    page = listen(opened=False)
    page.open(f"?__theme={theme}")
    page.key("p", "z")
    texts = (".fl-card .fl-tick-text", ".fl-card .fl-duration", ".fl-switch", ".fl-switch[aria-pressed=true]")
    texts += (".fl-speed", ".fl-speed-name", ".fl-zoom .fl-tick-text", ".fl-frequency", ".fl-zoom .fl-duration")
    ratios = {text: page.grid.locator(text).first.evaluate(CONTRAST) for text in texts}
    assert {text: round(ratio, 2) for text, ratio in ratios.items() if ratio < 4.5} == {}
