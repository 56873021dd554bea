"""Every view for everybody: what axe finds, reaching all of it by keys, phones, wide screens, and letters twice as large."""

from typing import TYPE_CHECKING

from tests.browser.accessibility import lost_controls, serious_findings, unreached_by_tab
from tests.browser.conftest import Listen, Visit
from tests.browser.label_page import LabelPage, expect
from tests.pools import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Locator

READY = {
    "label": ".fl-card .fl-chip",
    "explore": ".fl-explore[aria-busy=false] .fl-card",
    "finish": ".fl-finish .fl-finish-part",
    "progress": ".fl-progress-classes table",
    "try": ".fl-try",
}
DIALOGS = {"?": ".fl-help", "/": ".fl-palette", "c": ".fl-classes", "z": ".fl-zoom"}
PANELS = {"map": ".fl-map-picture[data-points]", "mistakes": ".fl-suspects"}
TAB = "#fl-grid-images, .fl-toolbar"
SIZES = ((360, 740), (720, 450), (2560, 1300))  # a phone; 1440 x 900 at 200 %; a wide screen


def go(page: LabelPage, view: str) -> "Locator":
    """Leads to a view by the line of views, and waits for what stands on it."""
    page.page.locator(f"#fl-grid-{page.project} .fl-view-tab[data-view={view}]").click()
    there: Locator = page.page.locator(f"#fl-grid-{page.project} {READY[view]}").first
    expect(there).to_be_visible()
    return there


def open_panel(page: LabelPage, panel: str) -> None:
    page.page.locator(f".fl-explore-tools [data-panel={panel}]").click()
    expect(page.page.locator(PANELS[panel])).to_be_visible(timeout=30_000)


def test_axe_finds_nothing_serious_in_any_view_light_or_dark(visit: Visit) -> None:
    page = visit(labeled=30)
    page.key("Enter", "0", "k", "Shift+ArrowRight")
    found = {}

    def look(at: str) -> None:
        found[at] = serious_findings(page.page)
        page.page.evaluate("document.body.classList.add('dark')")
        found[f"{at}, dark"] = serious_findings(page.page, "color-contrast")
        page.page.evaluate("document.body.classList.remove('dark')")

    for view in READY:
        go(page, view)
        look(view)
        for panel in PANELS if view == "explore" else ():
            open_panel(page, panel)
            expect(page.page.locator(".fl-facets[data-counting=true]")).to_have_count(0)
            look(panel)
    assert {at: findings for at, findings in found.items() if findings} == {}


def test_axe_finds_nothing_serious_in_what_opens_above_a_view(visit: Visit) -> None:
    page = visit(labeled=30)
    found = {}
    for key, dialog in DIALOGS.items():
        page.key(key)
        expect(page.page.locator(dialog).first).to_be_visible()
        found[dialog] = serious_findings(page.page)
        page.key("Escape")
        expect(page.page.locator(dialog).first).to_be_hidden()
    assert {at: findings for at, findings in found.items() if findings} == {}


def test_axe_finds_nothing_serious_where_sounds_are_labeled(listen: Listen) -> None:
    assert serious_findings(listen().page) == []


def test_tab_leads_to_every_control_of_every_view_and_shows_where_it_is(visit: Visit) -> None:
    page = visit(labeled=30)
    wait_for(lambda: page.rest.status()["head"]["settled"])  # until then Progress draws its marks anew
    for view in READY:
        go(page, view)
        assert unreached_by_tab(page.page, TAB) == ([], []), view


def test_no_control_is_lost_and_nothing_scrolls_sideways_at_any_size_of_the_window(visit: Visit) -> None:
    page = visit(labeled=30)
    for width, height in SIZES:
        page.page.set_viewport_size({"width": width, "height": height})
        for view in READY:
            go(page, view)
            assert page.page.evaluate("document.documentElement.scrollWidth") <= width, (view, width)
            assert lost_controls(page.page, TAB) == [], (view, width)
