"""Beside Explore's grid: the map with its lasso, labels to look at again; and the marks of the view Progress."""

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.browser.conftest import become_guest, serve
from tests.browser.label_page import Rest, expect
from tests.pools import make_config, wait_for, write_pictures

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

OTHER = {"red": "green", "green": "blue", "blue": "red"}
Look = Callable[..., "SuspectsPage"]


class SuspectsPage:
    """Explore with a panel, or Progress, of a guest who labeled half of the pool, three of it wrong."""

    def __init__(self, page: "Page", address: str) -> None:
        self.page = page
        self.address = address
        self.rest = Rest(page.context, address, "images")
        self.view: Locator = page.locator("#fl-grid-images .fl-explore")
        self.total = self.view.locator(".fl-found-total")
        self.progress: Locator = page.locator("#fl-grid-images .fl-progress")
        self.picture = self.view.locator(".fl-map-picture")

    def label(self) -> list[str]:
        """Labels 30 items and trains; returns the three that got a wrong label."""
        items = self.rest.post("items", query={}, size=200)["items"]
        ids = sorted(item["id"] for item in items)[::2]
        wrong = [next(one for one in ids if one.startswith(name)) for name in OTHER]
        names = {one: one.split("/")[0] for one in ids}
        labels = [{"id": one, "label": OTHER[name] if one in wrong else name} for one, name in names.items()]
        self.rest.post("submit_labels", labels=labels)
        self.rest.post("train")
        wait_for(
            lambda: self.rest.status()["head"]["version"] == 1 and self.rest.status()["head"]["settled"], timeout=120
        )
        return wrong

    def open(self, address: str) -> "SuspectsPage":
        self.page.goto(f"{self.address}/{address}")
        return self

    @property
    def filter(self) -> dict[str, Any]:
        """That of the address."""
        parts = parse_qs(urlsplit(self.page.url).fragment)
        found: dict[str, Any] = json.loads(parts["filter"][0])
        return found

    def wait_for_map(self) -> None:
        expect(self.picture).to_have_attribute("data-points", "60", timeout=60_000)

    def draw(self, corners: list[tuple[float, float]]) -> None:
        """Draws a line with the mouse, by shares of the picture."""
        box = self.picture.bounding_box()
        assert box
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=4)
        self.page.mouse.up()


@pytest.fixture(scope="module")
def three_classes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("suspects")
    pictures = write_pictures(folder / "pictures", per_class=20)
    app, address = serve(folder / "work", make_config(pictures, sharing="private", train_every=1000, audit_share=0.3))
    yield address
    app.close()


@pytest.fixture
def look(page: "Page", three_classes: str) -> Look:
    def look_as_guest() -> SuspectsPage:
        become_guest(page.context, three_classes)
        return SuspectsPage(page, three_classes)

    return look_as_guest


def test_the_map_is_drawn_coloured_and_a_lasso_narrows_the_grid(look: Look) -> None:
    page = look()
    page.label()
    foreign: list[str] = []
    page.page.on("request", lambda request: foreign.append(request.url) if page.address not in request.url else None)
    page.open("#view=explore&panel=map")
    page.wait_for_map()
    panel = page.view.locator(".fl-map")
    expect(panel.locator(".fl-map-legend li")).to_have_text(["none30", "blue10", "green10", "red10"])
    panel.locator("select").first.select_option("state")
    expect(panel.locator(".fl-map-legend li")).to_have_text(["not labeled30", "labeled30"])
    panel.locator("select").nth(1).select_option("pca")
    expect(page.picture).to_have_attribute("data-version", re.compile("^pca-"))
    page.draw([(0.01, 0.01), (0.01, 0.99), (0.5, 0.99), (0.5, 0.01), (0.01, 0.01)])
    expect(page.view.locator(".fl-filter-chip")).to_contain_text("Map")
    area = page.filter["area"]
    found = page.rest.post("items", query={"area": area}, size=1)["total"]
    assert 5 < found < 55
    expect(page.total).to_have_text(f"{found} items")
    panel.get_by_role("button", name="Box").click()
    page.draw([(0.005, 0.005), (0.995, 0.995)])
    expect(page.total).to_have_text("60 items")
    assert [url for url in foreign if not url.startswith(("data:", "blob:"))] == []


def test_hovering_a_point_shows_its_item_and_the_wheel_moves_the_map(look: Look) -> None:
    page = look()
    page.open("#view=explore&panel=map&filter=%7B%7D")
    page.wait_for_map()
    at = page.picture.evaluate(
        """(node) => {
            const { _fullLayout: layout, data } = node, box = node.getBoundingClientRect();
            const x = layout.xaxis.l2p(data[0].x[0]) + layout._size.l, y = layout.yaxis.l2p(data[0].y[0]) + layout._size.t;
            return [box.left + x, box.top + y];
        }"""
    )
    page.page.mouse.move(at[0] - 20, at[1] - 20)
    page.page.mouse.move(*at, steps=3)
    card = page.view.locator(".fl-map-card")
    expect(card).to_be_visible()
    expect(card.locator("p").first).to_have_text("not labeled")
    assert card.locator("img").evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    before = page.picture.evaluate("(node) => node._fullLayout.xaxis.range.slice()")
    page.page.mouse.wheel(0, -400)
    expect(page.picture).to_have_attribute("data-moving", "false")
    after = page.picture.evaluate("(node) => node._fullLayout.xaxis.range.slice()")
    assert before[1] - before[0] > 1.2 * (after[1] - after[0])
    page.view.locator(".fl-map").get_by_role("button", name="Whole map").click()
    page.page.wait_for_function(
        "([node, range]) => Math.abs(node._fullLayout.xaxis.range[0] - range[0]) < 1e-6",
        arg=[page.picture.element_handle(), before],
    )


def test_a_label_that_is_right_leaves_the_list_and_a_wrong_one_is_corrected(look: Look) -> None:
    page = look()
    wrong = page.label()
    page.open("#view=explore&panel=mistakes")
    panel = page.view.locator(".fl-suspects")
    expect(page.total).to_have_text("30 items")
    expect(panel.locator(".fl-suspects-line")).to_contain_text("30 items to look at. So far 0 wrong, 0 right.")
    cards = page.view.locator(".fl-found .fl-card")
    expect(cards).not_to_have_count(0)
    first, second = (
        page.view.locator(f'.fl-card[data-index="{place}"]').get_attribute("data-item-id") for place in (0, 1)
    )
    assert {first, second} <= set(wrong)
    true = str(first).split("/")[0]
    expect(panel.locator(".fl-suspects-label strong")).to_have_text(
        [OTHER[true], true]
    )  # it, and what heads say instead
    expect(panel.locator(".fl-suspects-near li")).to_have_count(6)
    panel.get_by_role("button", name="Label is right").click()
    expect(page.total).to_have_text("29 items")
    expect(panel.locator(".fl-suspects-line")).to_contain_text("0 wrong, 1 right")
    page.view.locator('.fl-card[data-index="0"]').focus()
    true = str(second).split("/")[0]
    panel.get_by_role("button", name=f"Label it {true}").click()
    wait_for(lambda: page.rest.stored()[str(second)] == true)
    panel.get_by_role("button", name="Near-duplicates").click()
    expect(page.view.locator(".fl-found-total, .fl-explore-empty").first).to_be_visible()
    panel.get_by_role("button", name="Labels of the source").click()
    expect(page.total).to_have_text("30 items")


def test_an_order_by_doubt_takes_out_what_the_items_were_like(look: Look) -> None:
    page = look()
    near = {"near": {"ids": page.label()[:1]}}
    page.open(f"#view=explore&filter={quote(json.dumps(near))}")
    expect(page.view.locator(".fl-filter-chip")).to_have_count(1)
    order = page.view.locator(".fl-order")
    order.select_option("confidence")
    expect(page.view.locator(".fl-filter-chip")).to_have_count(1)
    order.select_option("mistakes")
    expect(page.view.locator(".fl-filter-chip")).to_have_count(0)
    assert page.filter == {"order": "mistakes"}


def test_a_label_of_which_the_head_thinks_otherwise_is_not_called_changed(look: Look) -> None:
    page = look()
    wrong = page.label()
    near = json.dumps({"near": {"ids": wrong[:1]}, "ids": wrong})
    page.open(f"#view=explore&filter={quote(near)}")
    expect(page.view.locator(".fl-similarity")).to_have_count(3)
    cards = page.view.locator(".fl-found .fl-card")
    expect(page.view.locator('.fl-card[data-state="differs"]')).not_to_have_count(0)
    expect(page.view.locator('.fl-card[data-state="changed"]')).to_have_count(0)
    assert set(cards.locator(".fl-badge").all_inner_texts()) == {"✓"}
    said = page.view.locator('.fl-card[data-state="differs"]').first.locator(".fl-chip")
    expect(said).to_have_attribute("aria-label", re.compile("^Accept: the head says "))
    expect(said.locator(".fl-chip-words")).to_have_css("text-decoration-line", "none")
    page.view.locator('.fl-explore-tools [data-panel="mistakes"]').click()
    expect(page.view.locator(".fl-suspects-line")).to_contain_text("to look at")
    expect(page.view.locator(".fl-similarity")).to_have_count(0)
    assert page.filter == {"ids": wrong, "order": "mistakes"}


def test_a_list_that_is_being_worked_out_says_so_and_comes_by_itself(look: Look) -> None:
    page = look()

    def as_if_working(route: "Route") -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "working": True, "doubted": 0, "missing": 20})

    page.page.route("**/api/mistakes*", as_if_working)
    empty = json.dumps({"order": "known_labels", "text": "no such name"})
    page.open(f"#view=explore&filter={quote(empty)}&panel=mistakes")
    expect(page.view.locator(".fl-explore-empty")).to_contain_text("being worked out: 20 labels have no place yet")
    expect(page.view.locator(".fl-suspects-line")).to_have_text("Working on it: 20 labels have no place yet.")
    page.page.unroute("**/api/mistakes*")
    expect(page.view.locator(".fl-explore-empty")).to_contain_text("Take out a filter above")


def test_where_nobody_gave_a_label_those_of_the_source_are_what_is_checked_first(look: Look) -> None:
    page = look().open("#view=explore")
    expect(page.total).to_have_text("60 items")
    page.view.locator('.fl-explore-tools [data-panel="mistakes"]').click()
    known = page.view.locator(".fl-suspects").get_by_role("button", name="Labels of the source")
    expect(known).to_have_attribute("aria-pressed", "true")
    expect(page.view.locator(".fl-suspects-line")).to_contain_text("60 items to look at", timeout=30_000)
    expect(page.total).to_have_text("60 items")
    assert page.filter["order"] == "known_labels"
    doubted = page.view.locator(".fl-found .fl-card").first
    name = (doubted.get_attribute("data-item-id") or "").split("/")[0]
    expect(doubted.locator(".fl-of-source")).to_have_text(f"source: {name}")
    for view in ("label", "explore"):
        page.page.locator(f"#fl-grid-images .fl-view-tab[data-view={view}]").click()
    cards = page.view.locator(".fl-found .fl-card")
    expect(cards.first).to_be_visible()
    first = page.view.locator('.fl-card[data-index="0"]').get_attribute("data-item-id") or ""
    ids: list[str] = cards.evaluate_all("(cards) => cards.map((card) => card.dataset.itemId)")
    other = next(one for one in ids if one.split("/")[0] != first.split("/")[0])
    page.view.locator(f'.fl-card[data-item-id="{other}"]').focus()  # the panel follows it as before
    expect(page.view.locator(".fl-suspects-label strong").first).to_have_text(other.split("/")[0])


def test_the_marks_of_progress_lead_to_their_items(look: Look) -> None:
    page = look()
    page.label()
    page.open("#view=progress")
    classes = page.progress.locator(".fl-progress-classes tbody tr")
    expect(classes).to_have_count(3)
    expect(classes.first.locator("a").first).to_have_text("10")
    cells = page.progress.locator(".fl-confusion td a")
    items = int(cells.first.inner_text())
    page.progress.get_by_role("button", name="Shares").click()
    expect(cells.first).to_contain_text("%")
    expect(page.progress.locator(".fl-progress-people tbody tr")).to_have_count(1)
    cells.first.click()
    expect(page.total).to_have_text(f"{items} item{'s' if items != 1 else ''}")
    assert page.filter["audited"] is True
    expect(page.view.locator(".fl-filter-chip")).to_contain_text(["Audit"])
    page.page.go_back()
    classes.first.locator("a").first.click()
    expect(page.total).to_have_text("10 items")
