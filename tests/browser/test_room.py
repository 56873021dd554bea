"""Room for cards: how much of the window they have, how large they are, and that nothing moves them."""

from typing import TYPE_CHECKING

from tests.browser.conftest import Visit
from tests.browser.explore_page import ExplorePage
from tests.browser.label_page import LabelPage, expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator

MOST_AROUND_PX = 150  # toolbar, status and dock of a usual laptop's window


def test_four_rows_of_cards_with_suggestions_are_in_view_of_a_laptop(visit: Visit) -> None:
    page = visit(labeled=30, opened=False)
    page.page.set_viewport_size({"width": 1440, "height": 900})
    page.open()
    page.set_batch_size(90)
    page.next()
    toolbar = page.page.locator("#fl-toolbar-images")
    parts = [toolbar, page.grid.locator(".fl-status"), page.grid.locator(".fl-dock")]
    heights = [_box(part)["height"] for part in parts]
    assert sum(heights) <= MOST_AROUND_PX, heights
    assert _rows_in_view(page) >= 4
    page.key("g")
    assert _rows_in_view(page) >= 4


def test_a_hundred_classes_take_one_line_of_the_dock_and_a_phone_has_every_button_in_view(visit: Visit) -> None:
    page = visit()
    names = [*(f"class number {number}" for number in range(99)), "W" * 60]
    page.page.evaluate("(names) => fastlabel.views.images.places.get('label').mounted.dock.setClasses(names)", names)
    legend = page.grid.locator(".fl-legend")
    assert _box(legend)["height"] <= 40
    page.page.set_viewport_size({"width": 360, "height": 740})
    assert _box(legend)["height"] <= 50
    submit = _box(page.grid.locator(".fl-dock-submit"))
    assert submit["x"] + submit["width"] <= 360


def test_in_a_window_that_is_magnified_twice_the_dock_has_two_lines_and_every_button(visit: Visit) -> None:
    page = visit(labeled=30, opened=False)
    page.page.set_viewport_size({"width": 640, "height": 400})
    page.open()
    assert _box(page.grid.locator(".fl-dock"))["height"] <= 90
    for name in ("submit", "accept"):
        button = _box(page.grid.locator(f".fl-dock-{name}"))
        assert button["x"] + button["width"] <= 640, name


def test_on_a_phone_explore_has_nearly_two_rows_of_cards_and_all_of_its_head_in_view(visit: Visit) -> None:
    page = visit(labeled=30, opened=False)
    page.page.set_viewport_size({"width": 360, "height": 740})
    explore = ExplorePage(page.page, page.address).open()
    assert _box(explore.view.locator(".fl-found"))["height"] >= 410
    refresh = explore.view.locator(".fl-explore-tools [data-action=refresh]")
    expect(refresh).to_be_hidden()
    for panel in ("map", "mistakes"):
        button = _box(explore.view.locator(f".fl-explore-tools [data-panel={panel}]"))
        assert button["x"] + button["width"] <= 360, panel
    explore.view.locator(".fl-filters-title").click()
    expect(refresh).to_be_visible()
    expect(explore.view.locator(".fl-size")).to_be_visible()


def test_the_parts_of_progress_leave_no_hole_and_nothing_stands_alone_in_the_foot(visit: Visit) -> None:
    page = visit(labeled=30, opened=False)
    page.page.goto(f"{page.address}/#view=progress")
    parts = page.page.locator(".fl-progress-part")
    expect(parts.first).to_be_visible()
    for width in (2000, 1280, 1000):
        page.page.set_viewport_size({"width": width, "height": 900})
        boxes = [_box(part) for part in parts.all()]
        whole = _box(page.page.locator(".fl-progress-parts"))
        gaps = 14 * (4 * whole["width"] + 3 * whole["height"])
        assert sum(box["width"] * box["height"] for box in boxes) >= whole["width"] * whole["height"] - gaps, width
        assert max(box["y"] + box["height"] for box in boxes) <= whole["y"] + whole["height"] + 1
    expect(page.page.locator("footer .divider")).to_be_hidden()


def test_on_a_phone_the_status_is_two_lines_until_more_of_it_is_wanted(visit: Visit) -> None:
    page = visit(labeled=30, opened=False)
    page.page.set_viewport_size({"width": 360, "height": 740})
    page.open()
    assert _box(page.grid.locator(".fl-status"))["height"] <= 50
    assert _box(page.cards.first)["y"] <= 740 / 3
    folded = [
        page.grid.locator(".fl-status-menu"),
        page.grid.locator(".fl-look"),
        page.page.locator("#fl-train-images"),
    ]
    more = page.grid.get_by_role("button", name="More", exact=True)
    expect(more).to_have_attribute("aria-expanded", "false")
    for part in folded:
        expect(part).to_be_hidden()
    more.click()
    expect(more).to_have_attribute("aria-expanded", "true")
    for part in folded:
        expect(part).to_be_visible()
    more.click()
    expect(folded[0]).to_be_hidden()
    page.page.set_viewport_size({"width": 1440, "height": 900})
    expect(more).to_be_hidden()
    for part in folded:
        expect(part).to_be_visible()


def test_ten_classes_are_in_view_with_their_keys_on_a_laptop(visit: Visit) -> None:
    page = visit()
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    page.page.evaluate("(names) => fastlabel.views.images.places.get('label').mounted.dock.setClasses(names)", names)
    colours = {name: f"#{place}0{place}0ff" for place, name in enumerate(names)}
    too_wide = """([colours, count]) => {
        fastlabel.views.images.context.classColours.share(colours);
        for (const node of document.querySelectorAll('.fl-legend-count')) node.textContent = count;
        const legend = document.querySelector('#fl-grid-images .fl-legend');
        return legend.scrollWidth - legend.clientWidth;
    }"""
    for width in (1280, 1440, 1680):
        page.page.set_viewport_size({"width": width, "height": 800})
        counts = [""] if width < 1440 else ["", "12"]
        for shown, count in ((shown, count) for shown in ({}, colours) for count in counts):
            assert page.page.evaluate(too_wide, [shown, count]) <= 0, (width, shown, count)
        expect(page.grid.get_by_role("button", name="skipped")).to_be_visible()
    page.page.evaluate("fastlabel.views.images.context.classColours.share({})")


def test_a_long_notice_and_a_message_move_no_card(visit: Visit) -> None:
    page = visit()
    before = _box(page.cards.first)
    page.page.route(
        "**/api/status*",
        lambda route: route.fulfill(json={**route.fetch().json(), "notice": "Something that is long. " * 20}),
        times=1,
    )
    page.poll()
    notice = page.grid.locator(".fl-notice")
    expect(notice).to_be_visible()
    page.key("s")
    expect(page.message).to_contain_text("Label at least one card first")
    assert _box(page.cards.first) == before
    notice.get_by_text("more", exact=True).click()
    whole = notice.locator(".fl-banner-whole")
    expect(whole).to_have_text("Something that is long. " * 19 + "Something that is long.")
    assert _box(page.cards.first) == before


def test_cards_are_made_larger_and_smaller_filled_and_whole_and_stay_so(visit: Visit) -> None:
    page = visit()
    slider = page.grid.get_by_role("slider", name="Card size")
    usual = page.columns()
    for size_px, at_most_px in (("72", 110), ("320", 500)):
        slider.fill(size_px)
        width = _box(page.cards.first)["width"]
        assert int(size_px) <= width <= at_most_px
    expect(page.cards.first.locator("img")).to_be_visible()  # the sheet's tile would be coarse
    page.cards.first.focus()
    page.key("-", "f", "g")
    expect(page.grid.get_by_role("button", name="Fill")).to_have_attribute("aria-pressed", "true")
    assert page.columns() < usual
    assert page.cards.first.locator("img").evaluate("(node) => getComputedStyle(node).objectFit") == "cover"
    smaller = _box(page.cards.first)["width"]
    page.open()
    assert _box(page.cards.first)["width"] == smaller
    expect(page.grid.get_by_role("button", name="Groups")).to_have_attribute("aria-pressed", "false")
    for _ in range(6):
        page.key("-")
    with page.page.expect_response("**/sheet/*/*.jpg") as answer:
        page.key("f")
    assert "fill" not in answer.value.url
    page.key("+", "g")
    expect(page.grid.get_by_role("button", name="Groups")).to_have_attribute("aria-pressed", "true")


def test_headings_of_groups_are_whole_and_views_have_one_line_on_a_phone_too(visit: Visit) -> None:
    page = visit(labeled=30, opened=False)
    for width, height in ((390, 844), (1440, 900)):
        page.page.set_viewport_size({"width": width, "height": height})
        page.open()
        cut = "(heads) => heads.filter((head) => head.scrollWidth > head.clientWidth).map((head) => head.textContent)"
        assert page.grid.locator(".fl-group").evaluate_all(cut) == []
        tabs = page.page.locator(".fl-views button:visible")
        assert len({_box(tabs.nth(place))["y"] for place in range(tabs.count())}) == 1
        page.key("?")
        expect(page.help.locator(".fl-help-title")).to_be_in_viewport()
        page.key("Escape")


def _rows_in_view(page: LabelPage) -> int:
    """Rows of cards that are whole between the top of the window and the dock."""
    bottom = _box(page.grid.locator(".fl-dock"))["y"]
    boxes = page.cards.evaluate_all("(cards) => cards.map((card) => card.getBoundingClientRect().toJSON())")
    return len({box["top"] for box in boxes if box["top"] >= 0 and box["bottom"] <= bottom})


def _box(node: "Locator") -> dict[str, float]:
    box = node.bounding_box()
    assert box
    return dict(box)
