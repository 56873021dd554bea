"""Every command of every view, by its key, in a real browser: a row of a table that no test here presses fails one."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import fastlabel_gradio
from tests.browser.conftest import Listen, TakePage, Visit, become_new_guest
from tests.browser.explore_page import ExplorePage
from tests.browser.kept_page import open_anew
from tests.browser.label_page import LabelPage, Rest, expect
from tests.finish_pools import true_class
from tests.pools import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

WEB = Path(fastlabel_gradio.__file__).parent / "ui" / "web"
TABLES = {"label": "commands.js", "explore": "explore_commands.js", "finish": "finish_commands.js"}
PRESSED_AS = {"digit": "3", " ": "Space", "Shift+ ": "Shift+Space", "Ctrl+A": "Control+A"}  # as Playwright calls them


def _keys() -> dict[str, list[str]]:
    rows = re.findall(r'^  "?([\w-]+)"?: \{ keys: (\[.*?\])', (WEB / "keys.js").read_text("utf-8"), re.MULTILINE)
    return {name: json.loads(keys) for name, keys in rows}


KEYS = _keys()


def press(page: "Page", *commands: str) -> None:
    """Presses the first key of each."""
    for command in commands:
        key = KEYS[command][0]
        page.keyboard.press(PRESSED_AS.get(key, key))


def label(page: LabelPage, *commands: str) -> LabelPage:
    press(page.page, *commands)
    return page


def explore(page: ExplorePage, *commands: str) -> ExplorePage:
    press(page.page, *commands)
    return page


def finish(page: "Page", *commands: str) -> None:
    press(page, *commands)


@pytest.mark.parametrize("view", TABLES)
def test_no_command_is_without_a_test_here(view: str) -> None:
    rows = re.findall(r'\bname: "([\w-]+)"', (WEB / TABLES[view]).read_text("utf-8"))
    calls = [node for node in ast.walk(ast.parse(Path(__file__).read_text("utf-8"))) if isinstance(node, ast.Call)]
    of_view = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == view]
    pressed = {argument.value for call in of_view for argument in call.args if isinstance(argument, ast.Constant)}
    assert len(rows) > 14
    assert {name for name in rows if KEYS[name]} == pressed


def test_keys_of_label_move_select_and_label(visit: Visit) -> None:
    page = visit()
    ids = page.item_ids()
    selected = page.grid.locator('.fl-card[data-selected="true"]')
    columns = page.columns()
    for command, place in (("right", 1), ("down", 1 + columns), ("up", 1), ("left", 0)):
        page.key(*_key(command))
        assert page.current() == place
    label(page, "right", "down", "up", "left")
    label(page, "last", "first", "extend-right")
    expect(selected).to_have_count(2)
    label(page, "extend-left", "extend-down")
    expect(selected).to_have_count(columns + 1)
    label(page, "extend-up")
    page.key("Escape")
    label(page, "first", "select")
    expect(selected).to_have_count(1)
    label(page, "select")
    expect(selected).to_have_count(0)
    label(page, "all")
    expect(selected).to_have_count(len(ids))
    page.key("Escape", "Control+a")
    expect(selected).to_have_count(len(ids))
    page.key("Escape")
    label(page, "first", "label", "skip", "unsure", "bad")
    state = [page.cards.nth(place).get_attribute("data-state") for place in range(4)]
    assert state == ["labeled", "skip", "unsure", "bad"]
    label(page, "first", "clear")
    assert page.labels() == {}
    label(page, "undo")
    assert page.labels() == {ids[0]: "c2"}
    label(page, "clear-all")
    assert page.labels() == {}
    label(page, "undo")
    assert page.labels() == {ids[0]: "c2"}
    label(page, "redo")
    assert page.labels() == {}
    label(page, "undo")
    before = page.batch_id()
    label(page, "submit")
    page.wait_ready(after=before)
    assert page.rest.stored() == {ids[0]: "c2"}
    before = page.batch_id()
    label(page, "next")
    page.wait_ready(after=before)


def _key(command: str) -> list[str]:
    return [PRESSED_AS.get(KEYS[command][0], KEYS[command][0])]


def test_keys_of_label_accept_suggestions(visit: Visit) -> None:
    page = visit(labeled=30)
    page.wait_seen(len(page.item_ids()))
    page.cards.nth(0).focus()
    label(page, "exclude")
    expect(page.cards.nth(0)).to_have_attribute("data-excluded", "true")
    label(page, "exclude", "accept")
    assert list(page.labels()) == [page.item_ids()[0]]
    label(page, "accept-group")
    group = page.labels()
    assert len(set(group.values())) == 1
    label(page, "accept-rest")
    assert page.labels() == page.suggestions()
    label(page, "first", "example")
    expect(page.message).to_contain_text("example")


def test_keys_of_label_open_and_change_what_is_seen(visit: Visit) -> None:
    page = visit(labeled=30)
    for command in ("enlarge", "enlarge-by-space"):
        page.key(*_key(command))
        expect(page.zoom).to_be_visible()
        page.key("Escape")
    label(page, "enlarge", "enlarge", "enlarge-by-space", "enlarge-by-space")
    expect(page.zoom).to_be_hidden()
    _opens(page.grid.locator(".fl-history-list"), lambda: label(page, "history"))
    _opens(page.grid.locator(".fl-palette"), lambda: label(page, "palette"), lambda: page.key("Escape"))
    _opens(page.grid.locator(".fl-classes"), lambda: label(page, "classes"), lambda: page.key("Escape"))
    _opens(page.help, lambda: label(page, "help"))
    expect(page.grid.locator(".fl-group").first).to_be_visible()
    label(page, "groups")
    expect(page.grid.locator(".fl-group")).to_have_count(0)
    label(page, "fill", "groups")
    expect(page.grid).to_have_attribute("data-fills", "true")
    size = page.grid.evaluate("(grid) => grid.style.getPropertyValue('--fl-card')")
    label(page, "larger")
    assert page.grid.evaluate("(grid) => grid.style.getPropertyValue('--fl-card')") != size
    label(page, "smaller", "fill")
    page.cards.nth(0).focus()
    label(page, "more-like")
    expect(page.page.locator(".fl-explore .fl-filter-chip")).to_have_text(re.compile("^like"))


def _opens(what: "Locator", opens: Callable[[], object], closes: Callable[[], object] | None = None) -> None:
    opens()
    expect(what).to_be_visible()
    (closes or opens)()
    expect(what).to_be_hidden()


def test_keys_of_label_play_sounds(listen: Listen) -> None:
    page = listen()
    label(page, "play")
    page.wait_until_heard()
    label(page, "play")
    page.expect_state(0, "stopped")
    for command, said in _SAYINGS.items():
        page.key(*_key(command))
        expect(page.message).to_contain_text(said)
    label(page, "faster", "slower", "loop", "normalise", "play-on-focus")
    expect(page.message).to_contain_text("Play on focus is off")


_SAYINGS = {
    "faster": "1.25",
    "slower": "1",
    "loop": "Loop is on",
    "normalise": "ormalis",
    "play-on-focus": "Play on focus is on",
}


@pytest.fixture
def found(take_page: TakePage, ten_classes: str) -> ExplorePage:
    """Explore as a new guest with 30 labels and a head."""
    page = take_page(ten_classes)
    become_new_guest(page, ten_classes)
    visitor = ExplorePage(page, ten_classes)
    visitor.rest.label(30)
    visitor.rest.post("train")
    wait_for(lambda: bool(visitor.rest.status()["head"]["settled"] and visitor.rest.status()["head"]["version"]))
    open_anew(page, ten_classes, visitor.place({"states": ["none"]}))
    visitor.wait()
    visitor.focus(0)
    return visitor


def test_keys_of_explore_move_and_select(found: ExplorePage) -> None:
    page = explore(found, "right", "left", "right", "down")
    columns = page.current() - 1
    assert columns > 3
    explore(page, "up", "page-down")
    assert page.current() > columns
    explore(page, "page-up", "last")
    assert page.current() == 89
    explore(page, "first", "extend-right", "extend-left", "extend-down")
    expect(page.scope).to_have_text(f"{columns + 1} selected")
    explore(page, "extend-up")
    page.key("Escape")
    explore(page, "first", "select")
    expect(page.scope).to_have_text("1 selected")
    page.key("Escape")
    for all_of_it in ("Shift+A", "Control+a"):
        page.key(all_of_it)
        expect(page.scope).to_have_text("90 selected: all that is found")
        page.key("Escape")
        expect(page.selected).to_have_count(0)
    explore(page, "all")
    expect(page.scope).to_have_text("90 selected: all that is found")


def test_keys_of_explore_say_something_of_cards(found: ExplorePage) -> None:
    page = found
    ids = page.ids()[:5]
    explore(page, "label", "skip", "unsure", "bad", "accept")
    wait_for(lambda: None not in page.said_of({"ids": ids}).values())
    said = page.said_of({"ids": ids})
    assert [said[item_id] for item_id in ids[:4]] == ["c2", "skip", "unsure", "bad"]
    explore(page, "undo")
    wait_for(lambda: page.said_of({"ids": ids})[ids[4]] is None)
    explore(page, "redo")
    wait_for(lambda: page.said_of({"ids": ids}) == said)
    explore(page, "first", "example")
    expect(page.message).to_contain_text("example")
    explore(page, "clear")
    wait_for(lambda: page.said_of({"ids": ids})[ids[0]] is None)
    explore(page, "refresh")
    page.wait()
    page.expect_total(86)


def test_keys_of_explore_open_and_change_what_is_seen(found: ExplorePage) -> None:
    page, zoom = found, found.view.locator("dialog.fl-zoom")
    _opens(zoom, lambda: explore(page, "enlarge"))
    _opens(zoom, lambda: explore(page, "enlarge-by-space"))
    history = page.view.locator(".fl-history-list")
    _opens(history, lambda: explore(page, "history"))
    _opens(history, lambda: explore(page, "history"), lambda: page.key("Escape"))
    _opens(history, lambda: explore(page, "history"), lambda: page.total.click())
    _opens(page.view.locator(".fl-palette"), lambda: explore(page, "palette"), lambda: page.key("Escape"))
    panel = page.view.locator(".fl-classes")
    explore(page, "classes")
    expect(panel.locator(".fl-class")).to_have_count(10)
    page.key("Escape")
    _opens(page.view.locator(".fl-help"), lambda: explore(page, "help"))
    tile = page.card(0).locator(".fl-tile")
    expect(tile).to_have_attribute("style", re.compile("rows/"))
    explore(page, "fill")
    expect(page.view).to_have_attribute("data-fills", "true")
    expect(tile).to_have_attribute("style", re.compile("fill=true"))
    explore(page, "fill")
    expect(tile).not_to_have_attribute("style", re.compile("fill=true"))
    width = page.card(0).bounding_box()
    explore(page, "larger", "larger")
    larger = page.card(0).bounding_box()
    assert width and larger and larger["width"] > width["width"]
    explore(page, "smaller", "smaller")


def test_keys_of_explore_search_and_send(found: ExplorePage) -> None:
    page = found
    explore(page, "more-like")
    expect(page.chips.filter(has_text="like")).to_have_count(1)
    page.wait()
    page.focus(5)
    explore(page, "less-like")
    page.wait()
    assert page.filter_in_address()["near"]["not_ids"]
    explore(page, "search")
    expect(page.view.locator(".fl-search-input")).to_be_focused()
    page.key("Escape")
    ids = page.ids()
    page.focus(0)
    explore(page, "select", "send")
    grid = LabelPage(page.page, page.address)
    expect(grid.cards).to_have_count(1)
    assert grid.item_ids() == ids[:1]


def test_keys_of_explore_play_sounds(take_page: TakePage, sounds_and_pictures: str) -> None:
    page = take_page(sounds_and_pictures)
    become_new_guest(page, sounds_and_pictures)
    visitor = ExplorePage(page, sounds_and_pictures, "audio").open()
    visitor.focus(0)
    playing = visitor.card(0).locator(".fl-play")
    explore(visitor, "play")
    expect(playing).to_have_attribute("data-state", re.compile("playing|loading"))
    explore(visitor, "play")
    expect(playing).to_have_attribute("data-state", "stopped")
    for command, said in _SAYINGS.items():
        visitor.key(*_key(command))
        expect(visitor.message).to_contain_text(said)
    explore(visitor, "faster", "slower", "loop", "normalise", "play-on-focus")
    expect(visitor.message).to_contain_text("Play on focus is off")


@pytest.fixture
def screen(take_page: TakePage, sounds_and_pictures: str) -> Iterator["Locator"]:
    """A screen of one predicted class of sounds, in Finish."""
    page = take_page(sounds_and_pictures)
    become_new_guest(page, sounds_and_pictures)
    rest = Rest(page.context, sounds_and_pictures, "audio")
    batch = rest.get("next_batch", size=15, fresh=True, strategy="random")
    said = [{"id": item["id"], "label": true_class(item["id"])} for item in batch["items"]]
    rest.post("submit_labels", batch_id=batch["batch_id"], labels=said)
    rest.post("train")
    wait_for(lambda: bool(rest.status()["head"]["settled"] and rest.status()["head"]["version"]))
    open_anew(page, sounds_and_pictures, "#project=audio&view=finish")
    page.locator("#fl-grid-audio .fl-finish").get_by_role("button", name="Show 100").click()
    there = page.locator("#fl-grid-audio .fl-finish-screen")
    expect(there.locator(".fl-card").nth(2)).to_have_attribute("data-state", "accepted")
    yield there


def test_keys_of_a_screen_of_finish(screen: "Locator") -> None:
    page, cards = screen.page, screen.locator(".fl-card")
    last = cards.count() - 1
    current = screen.locator(".fl-card.fl-current")
    finish(page, "right")
    expect(current).to_have_attribute("data-index", "1")
    page.set_viewport_size({"width": 600, "height": 800})  # more than one row
    finish(page, "left", "down")
    expect(current).not_to_have_attribute("data-index", re.compile(f"^(0|1|{last})$"))
    finish(page, "up")
    expect(current).to_have_attribute("data-index", "0")
    finish(page, "last")
    expect(current).to_have_attribute("data-index", str(last))
    finish(page, "first", "clear")
    expect(cards.nth(0)).to_have_attribute("data-state", "open")
    finish(page, "undo")
    expect(cards.nth(0)).to_have_attribute("data-state", "accepted")
    finish(page, "redo", "accept-rest")  # what was picked out stays so
    expect(cards.nth(0)).to_have_attribute("data-state", "open")
    finish(page, "accept")
    expect(cards.nth(0)).to_have_attribute("data-state", "accepted")
    finish(page, "play")
    expect(cards.nth(1).locator(".fl-play")).to_have_attribute("data-state", re.compile("playing|loading"))
    finish(page, "play", "label")
    chosen = cards.nth(1).locator("select")
    assert chosen.evaluate("(menu) => menu.selectedIndex") == 3  # the third class, behind the one for none
    _opens(screen.locator(".fl-help"), lambda: finish(page, "help"))
    ready = screen.get_attribute("data-ready-batch") or ""
    finish(page, "submit")
    expect(screen).not_to_have_attribute("data-ready-batch", ready)  # the next class follows
