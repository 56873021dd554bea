"""What somebody meets who opens the page for the first time, and what they learn of the classes by pointing at them."""

from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.conftest import Serving, Visit, become_guest
from tests.browser.explore_page import ExplorePage
from tests.browser.label_page import LabelPage, expect
from tests.pools import make_config, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_the_hint_of_the_first_visit_has_three_lines_and_never_comes_again(
    browser: "Browser", ten_classes: str
) -> None:
    with browser.new_context() as context:
        become_guest(context, ten_classes)
        page = LabelPage(context.new_page(), ten_classes).open()
        hint = page.grid.locator(".fl-hint")
        expect(hint.locator("li")).to_have_count(3)
        page.key("1")
        assert len(page.labels()) == 1, "it takes no key away"
        hint.get_by_role("button", name="Got it").click()
        expect(hint).to_have_count(0)
        page.open()
        expect(hint).to_have_count(0)


def test_a_card_becomes_an_example_of_its_class_which_is_shown_on_hover(visit: Visit) -> None:
    page = visit()
    ids = page.item_ids()
    page.key("e")
    expect(page.message).to_contain_text("Label the card first")
    page.key("2", "ArrowLeft", "e")
    expect(page.message).to_contain_text("An example of c1 now.")
    for _ in range(4):
        page.key("ArrowRight", "2", "ArrowLeft", "e")
        expect(page.message).to_contain_text("An example of c1 now.")

    def examples() -> list[str]:
        return [one["id"] for one in page.rest.get("classes")["classes"][1]["examples"]]

    wait_for(lambda: ids[4] in examples())
    assert examples() == ids[1:5], "the oldest gave way to the fifth"
    shown = page.grid.locator(".fl-class-hover")
    page.grid.locator(".fl-legend-class").nth(1).hover()
    expect(shown.locator("img")).to_have_count(4)
    expect(shown).to_be_visible()
    page.grid.locator(".fl-legend-class").nth(2).hover()
    expect(shown).to_be_hidden()
    page.key("e")
    expect(page.message).to_contain_text("No example of c1 any more.")


def test_explore_makes_examples_and_filters_by_times(visit: Visit) -> None:
    page = visit(labeled=12, opened=False)
    explore = ExplorePage(page.page, page.address).open({"states": ["label"]})
    explore.focus()
    explore.key("e")
    expect(explore.message).to_contain_text("An example of")
    times = explore.view.locator("details.fl-facet[data-facet=time]")
    times.locator("summary").click()
    times.get_by_label("From (UTC)").fill("2020-01-01T09:30")
    times.get_by_label("From (UTC)").press("Tab")
    explore.expect_total(12)
    times.get_by_label("To (UTC)").fill("2020-01-02T10:00")
    times.get_by_label("To (UTC)").press("Tab")
    explore.expect_total(0)
    assert explore.filter_in_address()["time"] == ["2020-01-01T09:30:00Z", "2020-01-02T10:00:59.999999Z"]
    expect(explore.chips.last).to_contain_text("2020-01-01 09:30 – 2020-01-02 10:00")
    page.page.reload()
    explore.expect_total(0)
    explore.chips.last.click()
    explore.expect_total(12)


def test_a_pool_whose_folders_are_classes_offers_to_check_them_until_that_is_answered(
    browser: "Browser", serving: Serving, pictures: Path
) -> None:
    _, address = serving(make_config(pictures, batch_size=6))
    with browser.new_context() as context:
        page = LabelPage(context.new_page(), address).open()
        offer = page.grid.locator(".fl-known-offer")
        expect(offer.get_by_role("button", name="Check known labels")).to_be_visible()
        offer.get_by_role("button", name="Dismiss").click()
        expect(offer).to_be_hidden()
        page.open()
        expect(page.grid.locator(".fl-annotator")).not_to_be_empty()  # the status is there
        expect(offer).to_be_hidden()
    with browser.new_context() as context:
        page = LabelPage(context.new_page(), address).open("?lang=zh-CN")
        page.grid.get_by_role("button", name="检查现有标签").click()
        explore = ExplorePage(page.page, address)
        expect(explore.view.locator(".fl-suspects [data-list=known_labels]")).to_have_attribute("aria-pressed", "true")
        assert explore.filter_in_address() == {"order": "known_labels"}
        page.page.locator(".fl-view-tab[data-view=label]").click()
        expect(page.cards.first).to_be_visible()
        expect(page.grid.locator(".fl-known-offer")).to_be_hidden()


def test_where_folders_are_no_classes_of_the_project_nothing_is_offered(visit: Visit) -> None:
    page = visit()
    page.poll()
    assert page.rest.status()["known_labels"] is False
    expect(page.grid.locator(".fl-known-offer")).to_be_hidden()
