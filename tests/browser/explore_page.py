"""The view `explore` as a test drives it, on the page of one guest."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.browser.label_page import Rest, expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


class ExplorePage:
    """One project's Explore."""

    def __init__(self, page: "Page", address: str, project: str = "images") -> None:
        self.page = page
        self.address = address
        self.project = project
        self.rest = Rest(page.context, address, project)
        self.view: Locator = page.locator(f"#fl-grid-{project} .fl-explore")
        self.cards = self.view.locator(".fl-found .fl-card")
        self.total = self.view.locator(".fl-found-total")
        self.chips = self.view.locator(".fl-filter-chip")
        self.message = self.view.locator(".fl-message")
        self.scope = self.view.locator(".fl-scope")
        self.selected = self.view.locator('.fl-card[data-selected="true"]')
        self.dialog = self.view.locator("dialog.fl-ask")

    def place(self, query: dict[str, Any] | None = None, more: str = "") -> str:
        """Where the view is, below the app's address."""
        project = "" if self.project == "images" else f"project={self.project}&"
        wanted = quote(json.dumps(query)) if query else ""
        return f"#{project}view=explore&filter={wanted}{more}"

    def open(self, query: dict[str, Any] | None = None, more: str = "") -> "ExplorePage":
        self.page.goto(f"{self.address}/{self.place(query, more)}")
        self.wait()
        return self

    def wait(self) -> None:
        """Until what was asked for is there."""
        expect(self.view).to_have_attribute("aria-busy", "false")

    def expect_total(self, count: int) -> None:
        expect(self.total).to_have_text(f"{count:,} item{'s' if count != 1 else ''}")

    def key(self, *names: str) -> None:
        for name in names:
            self.page.keyboard.press(name)

    def card(self, place: int) -> "Locator":
        return self.view.locator(f'.fl-card[data-index="{place}"]')

    def focus(self, place: int = 0) -> None:
        self.card(place).focus()

    def ids(self) -> list[str]:
        """Of the cards on screen and a little above and below, by place."""
        pairs: list[list[Any]] = self.cards.evaluate_all(
            "(cards) => cards.map((card) => [Number(card.dataset.index), card.dataset.itemId])"
        )
        return [item_id for _, item_id in sorted(pairs)]

    def current(self) -> int:
        return int(self.view.locator(".fl-card.fl-current").get_attribute("data-index") or -1)

    def act(self, action: str) -> None:
        self.view.locator(f'.fl-dock [data-action="{action}"]:not(.fl-menu *)').click()

    def facet(self, facet: str, value: str) -> "Locator":
        """The line of a value; opens the facet."""
        place = self.view.locator(f'details.fl-facet[data-facet="{facet}"]')
        if place.get_attribute("open") is None:
            place.locator("summary").click()
        row: Locator = place.locator(".fl-facet-row").filter(has=self.page.get_by_text(value, exact=True))
        return row

    def said_of(self, query: dict[str, Any]) -> dict[str, str | None]:
        """What the server says of the items of a query: label or state."""
        items = self.rest.post("items", query=query, size=200)["items"]
        return {item["id"]: item["label"] or item["state"] for item in items}

    def filter_in_address(self) -> dict[str, Any]:
        text: str = self.page.evaluate("new URLSearchParams(location.hash.slice(1)).get('filter') ?? '{}'")
        found: dict[str, Any] = json.loads(text or "{}")
        return found
