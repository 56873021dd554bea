"""Pictures and sounds in one app: two tabs with labels, heads and counts of their own, and one sound at a time."""

import pytest

from tests.browser.conftest import Listen
from tests.browser.label_page import LabelPage, expect
from tests.browser.sound_page import SoundPage
from tests.pools import wait_for


@pytest.fixture
def tabs(listen: Listen) -> tuple[SoundPage, LabelPage]:
    sounds = listen()
    return sounds, LabelPage(sounds.page, sounds.address, "images")


def show(tab: LabelPage) -> None:
    title = {"audio": "Audio", "images": "Images"}[tab.project]
    tab.page.get_by_role("tab", name=title).click()
    expect(tab.grid).to_be_visible()
    tab.wait_ready()


def test_labels_and_counts_of_the_tabs_are_apart(tabs: tuple[SoundPage, LabelPage]) -> None:
    sounds, pictures = tabs
    sounds.key("1", "2")
    labels = sounds.labels()
    show(pictures)
    pictures.key("3")
    pictures.submit()
    assert (len(pictures.rest.stored()), sounds.rest.stored()) == (1, {})
    show(sounds)
    assert sounds.labels() == labels
    sounds.submit()
    assert sounds.rest.stored() == labels
    expect(sounds.number("labeled")).to_have_text("2")
    expect(pictures.number("labeled")).to_have_text("1")


def test_each_tab_trains_a_head_of_its_own(tabs: tuple[SoundPage, LabelPage]) -> None:
    sounds, pictures = tabs
    for tab in (sounds, pictures):
        batch = tab.rest.get("next_batch", size=24, fresh=True)
        pairs = [{"id": item["id"], "label": item["id"].split("/")[0]} for item in batch["items"]]
        tab.rest.post("submit_labels", batch_id=batch["batch_id"], labels=pairs)
    sounds.rest.post("train")
    wait_for(lambda: sounds.rest.status()["head"]["version"] == 1)
    assert pictures.rest.status()["head"]["version"] == 0
    sounds.page.reload()
    sounds.wait_ready()
    sounds.wait_head()
    suggestions = sounds.suggestions()
    right = sum(item_id.split("/")[0] == name for item_id, name in suggestions.items())
    assert right >= 0.75 * len(suggestions) > 0
    show(pictures)
    expect(pictures.grid.locator(".fl-head")).to_contain_text("no head yet")
    assert pictures.suggestions() == {}


def test_choosing_the_other_tab_stops_the_sound(tabs: tuple[SoundPage, LabelPage]) -> None:
    sounds, pictures = tabs
    sounds.key("l", "Space")
    sounds.wait_until_heard()
    show(pictures)
    sounds.wait_for_media("media.paused")
    show(sounds)
    sounds.expect_state(0, "stopped")


def test_space_enlarges_a_picture_and_plays_a_sound(tabs: tuple[SoundPage, LabelPage]) -> None:
    sounds, pictures = tabs
    show(pictures)
    pictures.key("Home", "Space")
    expect(pictures.zoom).to_be_visible()
    expect(pictures.zoom.locator(".fl-frequency, .fl-cursor")).to_have_count(0)
    assert sounds.media("paused")
    pictures.key("Space")
    expect(pictures.zoom).to_be_hidden()
    show(sounds)
    sounds.key("Home", "Space")
    sounds.wait_until_heard()
    expect(sounds.zoom).to_be_hidden()


def test_cards_of_pictures_are_square_and_have_nothing_of_a_sound(tabs: tuple[SoundPage, LabelPage]) -> None:
    _, pictures = tabs
    show(pictures)
    expect(pictures.grid.locator(".fl-play, .fl-time, .fl-cursor, .fl-sound-bar")).to_have_count(0)
    box = pictures.cards.nth(0).locator(".fl-picture").bounding_box()
    assert box
    assert abs(box["width"] - box["height"]) < 1
