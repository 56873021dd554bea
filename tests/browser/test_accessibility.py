"""Every view for everybody: what axe finds, reaching all of it by keys, a phone, a wide screen, and letters twice as large."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import Visit
from tests.browser.label_page import LabelPage, expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator

READY = {
    "label": ".fl-card .fl-chip",
    "explore": ".fl-explore[aria-busy=false] .fl-card",
    "finish": ".fl-finish .fl-finish-part",
    "progress": ".fl-progress-classes table",
    "try": ".fl-try",
}
OPENED: dict[str, Callable[[LabelPage], None]] = {
    "the help": lambda page: page.key("?"),
    "the palette": lambda page: page.key("/"),
    "the classes": lambda page: page.key("c"),
    "the large picture": lambda page: page.key("z"),
    "the history": lambda page: page.key("h"),
}
PANELS = {"map": ".fl-map-picture[data-points]", "mistakes": ".fl-suspects"}
WIDTHS = (360, 720, 2560)
TEXT_ZOOM = 2


def go(page: LabelPage, view: str) -> "Locator":
    """Leads to a view by the line of views, and waits for what stands on it."""
    page.page.locator(f".fl-view-tab[data-view={view}]").click()
    there: Locator = page.page.locator(f"#fl-grid-images {READY[view]}").first
    expect(there).to_be_visible()
    return there


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_view(visit: Visit, theme: str) -> None:
    page = visit(labeled=30, opened=False).open(f"?__theme={theme}")
    page.key("Enter", "0", "k", "Shift+ArrowRight")
    found = {}
    for view in READY:
        go(page, view)
        found[view] = serious_findings(page.page)
        for panel, ready in PANELS.items() if view == "explore" else ():
            page.page.locator(f".fl-explore-tools [data-panel={panel}]").click()
            expect(page.page.locator(ready)).to_be_visible(timeout=30_000)
            found[panel] = serious_findings(page.page)
    assert found == dict.fromkeys(found, [])
