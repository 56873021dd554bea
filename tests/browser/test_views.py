"""Views and addresses: a view of one's own beside the grid, and back, forward, reload and links that lead to it."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fastlabel_gradio.server.views import VIEWS
from tests.browser.conftest import CLASSES, become_guest, serve
from tests.browser.label_page import LabelPage, expect
from tests.documents import blocks, read
from tests.pools import make_config, make_sound_config, write_pictures, write_sounds

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

VisitViews = Callable[..., "ViewsPage"]

# What ends to the right of the box that it stands in, unless that one is scrolled.
_STICKING_OUT = """(view) => [...view.querySelectorAll("label, output, td, button, p")]
  .filter((part) => part.checkVisibility() && !part.closest(".fl-progress-scroll"))
  .filter((part) => part.getBoundingClientRect().right > part.closest("section").getBoundingClientRect().right)
  .map((part) => part.className || part.textContent)"""


class ViewsPage(LabelPage):
    """The page of a project with the view of docs/extending.md."""

    def __init__(self, page: "Page", address: str) -> None:
        super().__init__(page, address)
        self.counts: Locator = page.locator("#fl-grid-images .fl-view li")

    def go(self, view: str) -> None:
        self.page.locator("#fl-grid-images .fl-views").get_by_role("button", name=view).click()

    def expect_hash(self, text: str) -> None:
        self.page.wait_for_function("(text) => location.hash === text", arg=text)


@pytest.fixture(scope="module")
def with_a_view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app with pictures, sounds, and the view that docs/extending.md shows."""
    folder = tmp_path_factory.mktemp("views")
    [python] = [one.text for one in blocks(read("docs/extending.md"), "python") if one.heading == "A view"]
    [script] = [one.text for one in blocks(read("docs/extending.md"), "js") if one.heading == "A view"]
    (folder / "counts.py").write_text(python, encoding="utf-8")
    (folder / "counts.js").write_text(script, encoding="utf-8")
    settings = {"batch_size": 12, "sharing": "private", "train_every": 1000, "audit_share": 0.3}
    images = make_config(write_pictures(folder / "pictures", per_class=40), classes=CLASSES, **settings)
    sounds = make_sound_config(write_sounds(folder / "sounds", per_class=4))
    with VIEWS.preserved():  # apps of other tests have no such view
        _run(folder / "counts.py")
        app, address = serve(folder / "work", images, sounds)
    yield address
    app.close()


def _run(path: Path) -> None:
    spec = importlib.util.spec_from_file_location("counts", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["counts"] = module
    spec.loader.exec_module(module)


@pytest.fixture
def visit_views(page: "Page", with_a_view: str) -> VisitViews:
    """The page of a new guest there, after so many labels and a training."""

    def visit_as_guest(labeled: int = 0, query: str = "") -> ViewsPage:
        become_guest(page.context, with_a_view)
        visitor = ViewsPage(page, with_a_view)
        if labeled:
            visitor.rest.label(labeled)
            visitor.rest.post("train")
        visitor.open(query)
        return visitor

    return visit_as_guest


def test_a_view_of_ones_own_stands_beside_the_grid_and_asks_its_own_route(visit_views: VisitViews) -> None:
    page = visit_views()
    page.key("1", "2")
    labels = page.labels()
    page.go("Counts")
    expect(page.grid).to_be_hidden()
    expect(page.button("load")).to_be_hidden()
    expect(page.counts).to_have_count(0)
    page.key("3", "s")  # keys of the grid, which is not there
    page.go("Label")
    expect(page.grid).to_be_visible()
    assert page.labels() == labels
    page.submit()
    page.go("Counts")
    expect(page.counts).to_have_text(["c0: 1", "c1: 1"])


def test_back_forward_and_reload_lead_to_the_view_as_it_was(visit_views: VisitViews) -> None:
    page = visit_views(labeled=9)
    page.go("Counts")
    page.expect_hash("#view=counts")
    expect(page.counts).to_have_count(3)
    page.page.go_back()
    expect(page.grid).to_be_visible()
    page.page.go_forward()
    expect(page.grid).to_be_hidden()
    expect(page.counts.first).to_be_visible()
    page.page.reload()
    expect(page.counts).to_have_count(3)
    page.expect_hash("#view=counts")
    page.go("Label")
    page.wait_ready()
    page.expect_hash("")


def test_the_address_opens_a_tab_and_following_tabs_writes_it(visit_views: VisitViews) -> None:
    page = visit_views(query="#project=audio")
    tabs = page.page.get_by_role("tab")
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    LabelPage(page.page, page.address, "audio").wait_ready()
    tabs.nth(0).click()
    page.expect_hash("")
    page.page.go_back()
    expect(tabs.nth(1)).to_have_attribute("aria-selected", "true")
    page.expect_hash("#project=audio")


def test_the_evaluation_is_open_where_the_address_says_so_and_back_closes_it(visit_views: VisitViews) -> None:
    page = visit_views(labeled=60, query="#evaluation=open")
    panel = page.grid.locator(".fl-evaluation-body")
    page.wait_head()
    page.poll()
    expect(panel).to_be_visible()
    page.grid.locator(".fl-evaluation-line").click()
    expect(panel).to_be_hidden()
    page.expect_hash("")
    page.page.go_back()
    expect(panel).to_be_visible()


def test_an_address_of_nothing_that_there_is_opens_the_page_as_usual(visit_views: VisitViews) -> None:
    page = visit_views(query="#view=nothing&project=elsewhere&%")
    page.key("1")
    assert list(page.labels().values()) == ["c0"]


def test_the_foot_of_the_page_opens_what_programs_call(visit_views: VisitViews) -> None:
    page = visit_views().page
    page.get_by_role("button", name="Use via API").click()
    expect(page.locator(".api-docs")).to_contain_text("/next_batch")
    page.locator(".api-docs .backdrop").click()
    expect(page.locator(".api-docs")).to_have_count(0)


def test_the_views_of_the_house_come_first_those_of_others_after_them(visit_views: VisitViews) -> None:
    tabs = visit_views().page.locator("#fl-grid-images .fl-views button").all_inner_texts()
    assert tabs[:2] == ["Label", "Explore"]
    assert tabs[-1] == "Counts"


def test_the_tabs_of_the_views_stay_where_they_are_and_nothing_sticks_out_on_a_phone(visit_views: VisitViews) -> None:
    visitor = visit_views(labeled=24)
    tabs = visitor.page.locator("#fl-grid-images .fl-views")
    visitor.page.set_viewport_size({"width": 360, "height": 740})
    before = tabs.bounding_box()
    for view, ready in {"Finish": ".fl-finish[data-planned]", "Progress": ".fl-progress-parts"}.items():
        visitor.go(view)
        shown = visitor.page.locator(f"#fl-grid-images {ready}")
        expect(shown).to_be_visible()
        assert tabs.bounding_box() == before
        assert shown.evaluate(_STICKING_OUT) == []
