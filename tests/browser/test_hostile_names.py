"""Class names and file names are shown as they are, and nothing in them runs."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Serving, TakePage, become_new_guest, served_for_all
from tests.browser.kept_page import open_anew
from tests.browser.label_page import LabelPage, expect
from tests.browser.sound_page import SoundPage
from tests.pools import make_config, make_sound_config, wait_for, write_pictures, write_sounds

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAMES = (
    '<img src=x onerror="window.pwned=1">',
    "${Object.assign(window,{pwned:1})}",
    "{{constructor.constructor('window.pwned=1')()}}",
    "say \"hi\" & 'there' &lt;b&gt;",
    r"back\slash\n\u0041\\",
    "قطة صغيرة \u202e(abc",
    "🐈\u200d⬛ cat",
    "=1+1",
    "'><svg onload=window.pwned=1>`${window.pwned=1}`",
    "very long " + "name " * 30 + "end",
)
BROKEN = '<svg onload="window.pwned=1">${window.pwned=1}.png'
TITLE = '<img src=x onerror="window.pwned=1"> ${window.pwned=1} {{title}}'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, kept_pages: dict[str, "Page"]) -> Iterator[str]:
    """The address of an app whose classes, files, broken file and title all carry names that could run or mislead."""
    folder = tmp_path_factory.mktemp("hostile")
    originals = sorted(write_pictures(folder / "originals", per_class=10).rglob("*.png"))
    pictures = folder / "pictures"
    pictures.mkdir()
    for number, original in enumerate(originals):
        shutil.copy(original, pictures / f"{_file_name(number)}.png")
    (pictures / BROKEN).write_bytes(b"no picture")
    config = make_config(pictures, classes=NAMES, batch_size=10, sharing="private", train_every=1000)
    with served_for_all(kept_pages, folder / "work", config, title=TITLE) as address:
        yield address


def _file_name(number: int) -> str:
    return f"{NAMES[number % len(NAMES)].replace('/', '⁄')[:120]} {number:02}"


@pytest.fixture
def visitor(take_page: TakePage, hostile: str) -> Iterator[LabelPage]:
    """A guest's page, which at the end must not have run anything nor asked another address for anything."""
    page, asked = take_page(hostile), []
    page.on("request", lambda request: asked.append(request.url))
    become_new_guest(page, hostile)
    open_anew(page, hostile)
    visitor = LabelPage(page, hostile)
    visitor.wait_ready()
    yield visitor
    assert page.evaluate("typeof window.pwned") == "undefined"
    assert all(url.startswith((hostile, "data:", "blob:")) for url in asked)
    assert not [url for url in asked if url.endswith("/x")]


def test_hostile_class_names_stand_in_the_menus_and_the_legend_as_they_are(visitor: LabelPage) -> None:
    assert visitor.menu(0).evaluate("(menu) => [...menu.options].map((option) => option.text)")[1:] == [
        " ".join(name.split()) for name in NAMES
    ]
    assert visitor.grid.locator(".fl-legend-name").all_text_contents() == list(NAMES)
    assert visitor.grid.locator("img:not(.fl-zoom-picture), svg, script").count() == 0


def test_hostile_file_names_stand_on_the_cards_and_the_enlarged_view_as_they_are(visitor: LabelPage) -> None:
    ids = visitor.item_ids()
    assert set(ids) <= {f"{_file_name(number)}.png" for number in range(30)}
    visitor.key("Space")
    for item_id in ids:
        assert (visitor.zoom.locator(".fl-zoom-name").text_content() or "").endswith(f" · {item_id}")
        expect(visitor.zoom.locator("img")).to_be_visible()
        visitor.key("ArrowRight")


def test_labels_with_hostile_names_are_submitted_undone_and_exported(visitor: LabelPage, tmp_path: Path) -> None:
    ids = visitor.item_ids()
    for index, name in enumerate(NAMES):
        visitor.menu(index).select_option(value=str(index))
        assert (visitor.cards.nth(index).get_attribute("aria-label") or "").endswith(f"labeled: {name}")
    wanted = dict(zip(ids, NAMES, strict=True))
    visitor.submit()
    assert visitor.rest.stored() == wanted
    visitor.grid.locator(".fl-export summary").click()
    visitor.download("Labels as JSON").save_as(tmp_path / "labels.json")
    rows = json.loads((tmp_path / "labels.json").read_text(encoding="utf-8"))
    assert {row["item_id"]: row["label"] for row in rows} == wanted
    after = visitor.batch_id()
    visitor.button("undo").click()
    visitor.wait_ready(after=after)
    assert visitor.rest.stored() == {}
    assert len(visitor.labels()) == 10


def test_suggestions_of_hostile_names_are_shown_and_accepted(visitor: LabelPage) -> None:
    for index in range(10):
        visitor.menu(index).select_option(value=str(index))
    visitor.submit()
    visitor.rest.post("train")
    wait_for(lambda: visitor.rest.status()["head"]["version"] == 1)
    visitor.next()
    suggestions = visitor.suggestions()
    assert set(suggestions.values()) <= set(NAMES)
    for card, name in zip(visitor.cards.all(), suggestions.values(), strict=True):
        assert name in (card.locator(".fl-chip").get_attribute("title") or "")
    visitor.wait_seen(len(suggestions))
    visitor.key("Space", "Shift+Enter")
    expect(visitor.zoom.locator(".fl-zoom-label bdi")).to_have_text(suggestions[visitor.item_ids()[0]])
    visitor.key("Escape")
    visitor.submit()
    assert suggestions.items() <= visitor.rest.stored().items()


def test_labels_with_hostile_names_survive_a_reload(visitor: LabelPage) -> None:
    for index in range(10):
        visitor.menu(index).select_option(value=str(index))
    ids = visitor.item_ids()
    visitor.page.reload()
    visitor.wait_ready()
    visitor.submit()
    assert visitor.rest.stored() == dict(zip(ids, NAMES, strict=True))


def test_a_broken_file_with_a_hostile_name_is_listed_as_it_is(visitor: LabelPage) -> None:
    visitor.grid.get_by_text("1 unreadable").click()
    expect(visitor.grid.locator(".fl-unreadable-list .fl-file")).to_have_text(BROKEN)


def test_sounds_with_hostile_names_are_shown_played_and_labeled(page: "Page", serving: Serving, tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    for number, original in enumerate(sorted(write_sounds(tmp_path / "originals", per_class=4).rglob("*.wav"))):
        shutil.copy(original, sounds / f"{_file_name(number)}.wav")
    _, address = serving(make_sound_config(sounds, classes=NAMES, batch_size=10, strategy="random"))
    visitor = SoundPage(page, address).open()
    ids = visitor.item_ids()
    visitor.key("z")
    for index, item_id in enumerate(ids):
        assert (visitor.zoom.locator(".fl-zoom-name").text_content() or "").endswith(f" · {item_id}")
        visitor.key("Space")
        visitor.expect_state(index, "playing")
        visitor.key(str((index + 1) % 10))
    assert page.evaluate("typeof window.pwned") == "undefined"
    visitor.key("Escape")
    visitor.submit()
    assert visitor.rest.stored() == dict(zip(ids, NAMES, strict=True))


def test_a_hostile_title_is_shown_as_it_is(visitor: LabelPage) -> None:
    expect(visitor.page.locator("h1")).to_have_text(TITLE)
    assert visitor.page.title() == TITLE


def test_a_class_name_that_is_cut_short_is_read_whole_in_its_tooltip(visitor: LabelPage) -> None:
    for entry, name in zip(visitor.grid.locator(".fl-legend-class").all(), NAMES, strict=True):
        expect(entry).to_have_attribute("title", name)


def test_a_very_long_class_name_does_not_widen_the_page(visitor: LabelPage) -> None:
    for width in (360, 1280):
        visitor.page.set_viewport_size({"width": width, "height": 740})
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = visitor.grid.locator(".fl-card, .fl-legend, .fl-dock-actions").evaluate_all(
            "(nodes) => nodes.map((node) => node.getBoundingClientRect().right)"
        )
        assert max(boxes) <= width
