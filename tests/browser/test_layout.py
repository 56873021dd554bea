"""How the page looks and reads: narrow and wide windows, the dark theme, reaching everything without a mouse."""

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import BATCH_SIZE, Visit
from tests.browser.label_page import LabelPage, expect

if TYPE_CHECKING:
    from playwright.sync_api import Route

CONTROLS = ("load", "submit", "undo", "train", "strategy", "size")
MAIN_TEXTS = (
    ".fl-labeled .fl-number",
    ".fl-labeled",
    ".fl-head",
    ".fl-batch",
    ".fl-annotator",
    ".fl-export > summary",
    ".fl-help-button",
    ".fl-card .fl-select",
    ".fl-card[data-state=open] .fl-chip-words",
    ".fl-card[data-state=open] .fl-chip-percent",
    ".fl-card[data-state=accepted] .fl-chip-words",
    ".fl-card[data-state=accepted] .fl-badge",
    ".fl-card[data-state=accepted] .fl-select",
    ".fl-card[data-state=changed] .fl-chip-words",
    ".fl-card[data-state=changed] .fl-badge",
    ".fl-card[data-state=changed] .fl-select",
    ".fl-legend-name",
    ".fl-batch-progress",
    ".fl-message",
    ".fl-dock-submit",
)
# WCAG 2.1, contrast ratio (1.4.3); colours are drawn on a canvas, over every background below them.
CONTRAST = """(node) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const layers = [];
  for (let part = node; part; part = part.parentElement) layers.unshift(getComputedStyle(part).backgroundColor);
  const painted = (colours) => {
    for (const colour of ["white", ...colours]) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [low, high] = [painted(layers), painted([...layers, getComputedStyle(node).color])].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}"""


@pytest.mark.parametrize("is_late", [False, True])
def test_the_first_card_is_above_the_dock_of_a_small_window_whenever_a_notice_comes(
    visit: Visit, is_late: bool
) -> None:
    page = visit(opened=False)
    page.page.set_viewport_size({"width": 360, "height": 740})

    def add_notice(route: "Route") -> None:
        if is_late:
            page.wait_ready()
        route.fulfill(json={**route.fetch().json(), "notice": "Something that takes many lines to say. " * 8})

    page.page.route("**/api/status*", add_notice, times=1)
    page.open()
    expect(page.grid.locator(".fl-notice")).to_be_visible()
    current, dock = page.grid.locator(".fl-current").bounding_box(), page.grid.locator(".fl-dock").bounding_box()
    assert current
    assert dock
    assert current["y"] + current["height"] <= dock["y"]


@pytest.mark.parametrize("width", [360, 768, 2560])
def test_nothing_sticks_out_of_a_narrow_or_a_wide_window(visit: Visit, width: int) -> None:
    page = visit(labeled=12, opened=False)
    page.page.set_viewport_size({"width": width, "height": 740})
    page.open()
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width
    parts = ".fl-card, .fl-status, .fl-facts > *, .fl-dock, .fl-legend, .fl-dock-actions > *"
    for part in [*page.grid.locator(parts).all(), *(page.page.locator(f"#fl-{name}-images") for name in CONTROLS)]:
        box = part.bounding_box()
        assert box is None or (box["x"] >= 0 and box["x"] + box["width"] <= width)


def test_on_a_phone_every_control_can_be_used(visit: Visit) -> None:
    page = visit(labeled=12, opened=False)
    page.page.set_viewport_size({"width": 360, "height": 740})
    page.open()
    page.grid.get_by_role("button", name="More", exact=True).click()
    page.choose_strategy("random")
    page.set_batch_size(6)
    before = page.batch_id()
    page.button("load").click()
    page.wait_ready(after=before)
    expect(page.cards).to_have_count(6)
    page.cards.nth(5).locator(".fl-chip").click()
    page.menu(0).select_option(label="c1")
    labels, before = page.labels(), page.batch_id()
    assert len(labels) == 2
    page.grid.get_by_role("button", name="Submit 2").click()
    page.wait_ready(after=before)
    assert labels.items() <= page.rest.stored().items()
    assert page.columns() >= 2


def test_a_wide_window_shows_more_cards_in_a_row(visit: Visit) -> None:
    page = visit(opened=False)
    page.page.set_viewport_size({"width": 2560, "height": 1300})
    page.open()
    assert page.columns() == BATCH_SIZE
    assert page.page.locator(".fl-cards").evaluate("(node) => node.clientWidth") > 2000


def test_the_current_card_is_never_behind_the_dock_nor_above_the_window(visit: Visit) -> None:
    page = visit()
    page.page.set_viewport_size({"width": 700, "height": 560})
    page.set_batch_size(40)
    page.next()
    for key in ("End", "Home", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp", "ArrowUp"):
        page.key(key)
        card = page.cards.nth(page.current()).bounding_box()
        dock = page.grid.locator(".fl-dock").bounding_box()
        assert card
        assert dock
        assert card["y"] >= 0
        assert card["y"] + card["height"] <= dock["y"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_main_text_has_the_contrast_that_reading_needs(visit: Visit, theme: str) -> None:
    page = visit(labeled=30, opened=False).open(f"?__theme={theme}")
    assert page.page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    page.key("Enter", "0", "ArrowRight")
    page.button("train").click()
    expect(page.message).not_to_be_empty()
    ratios = {text: page.grid.locator(text).first.evaluate(CONTRAST) for text in MAIN_TEXTS}
    assert {text: round(ratio, 2) for text, ratio in ratios.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_toolbar_has_the_contrast_that_reading_needs(visit: Visit, theme: str) -> None:
    page = visit(opened=False).open(f"?__theme={theme}")
    parts = [page.button(name) for name in ("load", "submit", "undo", "train")]
    parts += page.page.locator("#fl-toolbar-images [data-testid=block-info]").all()
    parts += page.page.locator("#fl-toolbar-images input").all()
    ratios = [round(part.evaluate(CONTRAST), 2) for part in parts]
    assert min(ratios) >= 4.5, ratios


def test_tab_leads_to_the_current_card_its_menu_and_the_buttons_below(visit: Visit) -> None:
    page = visit(labeled=12)
    page.key("ArrowRight", "ArrowRight")
    page.button("train").focus()
    reached = _tab_stops(page, 60)
    assert "card 2" in reached
    assert "Class of item 3" in reached
    assert "Submit" in reached
    assert reached.index("card 2") < reached.index("Class of item 3") < reached.index("Submit")
    assert {stop for stop in reached if stop.startswith("card")} == {"card 2"}, "100 cards must not be 100 tab stops"


def test_menus_cards_and_bars_have_names_that_a_screen_reader_says(visit: Visit) -> None:
    page = visit(labeled=12)
    for index in (0, BATCH_SIZE - 1):
        expect(page.menu(index)).to_have_accessible_name(f"Class of item {index + 1}")
        expect(page.cards.nth(index)).to_have_accessible_name(
            page.cards.nth(index).get_attribute("aria-label") or "missing"
        )
    suggested = page.suggestions()[page.item_ids()[0]]
    assert f"Item 1 of {BATCH_SIZE}; suggestion {suggested}" in (page.cards.nth(0).get_attribute("aria-label") or "")
    expect(page.page.get_by_label("Strategy")).to_be_visible()
    expect(page.page.get_by_label("Batch size")).to_be_visible()
    unnamed = page.grid.locator("button, select, a").evaluate_all(
        "(nodes) => nodes.filter((n) => !(n.textContent.trim() || n.ariaLabel || n.title)).length"
    )
    assert unnamed == 0


def test_messages_are_announced(visit: Visit) -> None:
    page = visit()
    page.key("s")
    live = page.grid.locator("[aria-live=polite]", has_text="Label at least one card first")
    expect(live).to_be_visible()


def test_the_chosen_card_and_the_focus_can_be_seen(visit: Visit) -> None:
    page = visit()
    page.key("ArrowRight")
    looks = "(node) => { const s = getComputedStyle(node); return [s.outline, s.boxShadow, s.borderColor].join(); }"
    assert page.cards.nth(1).evaluate(looks) != page.cards.nth(2).evaluate(looks)


def _tab_stops(page: LabelPage, count: int) -> list[str]:
    stops: list[str] = []
    for _ in range(count):
        page.key("Tab")
        stops.append(
            page.page.evaluate(
                """() => {
                  const node = document.activeElement;
                  if (node.matches(".fl-card")) return "card " + node.dataset.index;
                  return node.ariaLabel || node.textContent.trim();
                }"""
            )
        )
    return stops
