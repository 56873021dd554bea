"""More classes than digits: the palette, keys of the person's own, states in place of a label, and the history of it all."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import TakePage, become_new_guest, served_for_all
from tests.browser.explore_page import ExplorePage
from tests.browser.kept_page import open_anew
from tests.browser.label_page import LabelPage, expect
from tests.pools import make_config, wait_for, write_pictures

if TYPE_CHECKING:
    from playwright.sync_api import Page

CLASSES = (*(f"bird {index}" for index in range(20)), "Water Vole", "Wood Mouse")


@pytest.fixture(scope="module")
def many_classes(tmp_path_factory: pytest.TempPathFactory, kept_pages: dict[str, "Page"]) -> Iterator[str]:
    """The address of an app with 22 classes, each visitor's labels and classes their own."""
    folder = tmp_path_factory.mktemp("many_classes")
    config = make_config(write_pictures(folder / "p", 12), classes=CLASSES, batch_size=8, sharing="private")
    with served_for_all(kept_pages, folder / "work", config) as address:
        yield address


@pytest.fixture
def visitor(take_page: TakePage, many_classes: str) -> LabelPage:
    page = take_page(many_classes)
    become_new_guest(page, many_classes)
    open_anew(page, many_classes)
    visitor = LabelPage(page, many_classes)
    visitor.wait_ready()
    return visitor


def test_the_palette_finds_adds_and_gives_keys_to_classes(visitor: LabelPage) -> None:
    palette = visitor.grid.locator("dialog.fl-palette")
    option, ids = palette.get_by_role("option"), visitor.item_ids()
    visitor.key("/")
    expect(palette.get_by_role("combobox")).to_be_focused()
    visitor.page.keyboard.type("mouse")
    expect(option.first).to_have_attribute("aria-selected", "true")
    visitor.key("Enter")
    expect(palette).to_be_hidden()
    assert visitor.labels() == {ids[0]: "Wood Mouse"}
    visitor.key("/")
    expect(option.first).to_contain_text("Wood Mouse")  # a recent one
    visitor.key("F2", "s")
    expect(palette.get_by_role("status")).to_contain_text("“s” has a meaning already: submit the labels")
    visitor.key("F2", "w", "Escape")
    expect(visitor.grid.locator(".fl-legend-class", has_text="Wood Mouse").locator("kbd")).to_have_text("w")
    visitor.key("w")
    assert visitor.labels() == {ids[0]: "Wood Mouse", ids[1]: "Wood Mouse"}
    visitor.key("/")
    visitor.page.keyboard.type("House <i>Sparrow")
    expect(option.last).to_have_text("Add the class “House <i>Sparrow”")
    visitor.key("Enter")
    expect(palette).to_be_hidden()
    assert visitor.labels()[ids[2]] == "House <i>Sparrow"
    visitor.menu(3).click()
    expect(palette).to_be_visible()
    option.filter(has_text="none of these").click()
    expect(palette).to_be_hidden()
    visitor.menu(4).focus()
    visitor.key("v")
    expect(palette.get_by_role("combobox")).to_have_value("v")
    visitor.key("Enter")
    labels = visitor.labels()
    assert [labels[ids[place]] for place in (3, 4)] == ["none of these", "Water Vole"]
    visitor.submit()
    assert visitor.rest.stored() == labels
    visitor.open()
    expect(visitor.grid.locator(".fl-legend-class", has_text="Wood Mouse").locator("kbd")).to_have_text("w")


def test_a_key_that_is_chosen_in_label_is_one_in_explore_at_once_and_none_of_explores_own(visitor: LabelPage) -> None:
    explore = ExplorePage(visitor.page, visitor.address)
    label_tab, explore_tab = (visitor.page.locator(f".fl-view-tab[data-view={name}]") for name in ("label", "explore"))
    explore_tab.click()
    explore.wait()
    label_tab.click()
    visitor.key("/", "F2", "m")
    expect(visitor.grid.locator("dialog.fl-palette").get_by_role("status")).to_contain_text("“m” has a meaning already")
    visitor.key("F2", "w", "Escape")
    explore_tab.click()
    expect(explore.view.locator(".fl-legend-class", has_text="bird 0").locator("kbd")).to_have_text("w")


def test_states_have_keys_are_counted_and_undone_like_labels(visitor: LabelPage) -> None:
    ids = visitor.item_ids()
    visitor.key("1", "k", "q", "b", "k")
    expect(visitor.cards.nth(3)).to_have_attribute("aria-label", re.compile("bad"))
    counts = visitor.grid.locator(".fl-aside .fl-legend-count")
    assert counts.all_inner_texts() == ["2", "1", "1"]
    visitor.key("u")
    assert counts.all_inner_texts() == ["1", "1", "1"]
    visitor.open()  # the draft, and what led to it
    assert counts.all_inner_texts() == ["1", "1", "1"]
    visitor.key("u", "u")
    assert counts.all_inner_texts() == ["1", "", ""]
    visitor.key("Shift+U", "Shift+U", "h")
    history = visitor.grid.locator(".fl-history-list li")
    expect(history).to_have_text(
        ["called 1 card bad", "unsure of 1 card", "skipped 1 card", "labeled 1 card as bird 0"], use_inner_text=True
    )
    visitor.key("h")
    visitor.submit()
    assert visitor.rest.status()["set_aside"] == {"skip": 1, "unsure": 1, "bad": 1}
    assert visitor.rest.stored() == {ids[0]: "bird 0"}
    after = visitor.batch_id()
    visitor.key("u")
    visitor.wait_ready(after=after)
    assert visitor.rest.status()["set_aside"] == {"skip": 0, "unsure": 0, "bad": 0}
    assert counts.all_inner_texts() == ["1", "1", "1"]
    assert visitor.labels() == {ids[0]: "bird 0"}
    again = visitor.batch_id()
    visitor.key("Shift+U")
    visitor.wait_ready(after=again)
    assert visitor.rest.stored() == {ids[0]: "bird 0"}
    assert not set(ids[:4]) & set(visitor.item_ids())
    visitor.key("h")
    expect(history.first).to_have_text(re.compile("submitted 4 labels"))
    expect(visitor.message).to_contain_text("again")


def test_names_with_a_slash_are_a_tree_in_the_palette_the_panel_and_the_menus_and_whole_elsewhere(
    visitor: LabelPage,
) -> None:
    for name in ("animal/cat", "animal/bird/owl", "animal/dog"):
        visitor.rest.post("classes", add=name)
    visitor.poll()
    expect(visitor.grid.locator(".fl-legend-name").last).to_have_text("animal/dog")
    visitor.key("/")
    palette = visitor.grid.locator("dialog.fl-palette")
    visitor.page.keyboard.type("animal")
    branches = palette.get_by_role("group")
    expect(branches).to_have_count(2)
    expect(branches.first.locator(".fl-class-group")).to_have_text("animal/")
    seen = "(names) => names.map((name) => name.lastElementChild.textContent)"
    assert branches.first.locator(".fl-class-name").evaluate_all(seen) == ["cat", "dog"]
    assert branches.last.locator(".fl-class-name").evaluate_all(seen) == ["owl"]
    expect(palette.get_by_role("option", name=re.compile(r"animal\W+dog"))).to_be_visible()
    visitor.key("ArrowDown", "Enter")
    expect(palette).to_be_hidden()
    assert list(visitor.labels().values()) == ["animal/dog"]
    groups = "(menu) => [...menu.querySelectorAll('optgroup')].map((one) => [one.label, one.children.length])"
    visitor.menu(3).focus()
    assert visitor.menu(3).evaluate(groups) == [["animal/", 2], ["animal/bird/", 1]]
    visitor.cards.nth(2).focus()
    visitor.key("c")
    panel = visitor.grid.get_by_role("dialog", name="Classes")
    rows = panel.locator(".fl-classes-list").first.locator("li")
    expect(rows.last).to_have_text(re.compile("animal/bird/"))
    expect(rows.nth(-5)).to_have_text("animal/")
    dog = rows.filter(has=visitor.page.locator(".fl-class-name", has_text="animal/dog"))
    dog.locator("summary").click()
    dog.get_by_role("button", name="Up").click()
    expect(rows.nth(-4)).to_contain_text("animal/dog")  # it stands before the cat
    wait_for(lambda: visitor.rest.status()["classes"][-3:] == ["animal/dog", "animal/cat", "animal/bird/owl"])


def test_more_like_this_opens_explore_and_back_leads_to_the_batch_as_it_was(visitor: LabelPage) -> None:
    explore = ExplorePage(visitor.page, visitor.address)
    ids, batch = visitor.item_ids(), visitor.batch_id()
    visitor.key("3", "k", "ArrowRight", "m")
    explore.wait()
    assert explore.filter_in_address() == {"near": {"ids": [ids[3]]}}
    expect(explore.card(0)).to_have_attribute("data-item-id", ids[3])
    expect(explore.card(0).locator(".fl-similarity")).to_have_text("1.00")
    visitor.page.go_back()
    expect(visitor.cards.nth(3)).to_be_focused()
    assert (visitor.batch_id(), visitor.item_ids(), visitor.labels()) == (batch, ids, {ids[0]: "bird 2"})
    visitor.key("Shift+ArrowRight", "m")
    explore.wait()
    expect(explore.chips).to_have_text([re.compile("2 items")])
    visitor.page.go_back()
    visitor.key("u", "u")
    assert visitor.labels() == {}
