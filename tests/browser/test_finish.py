"""The view Finish as a person uses it: plan, check, accept, take back, and a screen of one class."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fastlabel_gradio.app import create_app
from fastlabel_gradio.config import AppConfig
from tests.browser.label_page import Rest, expect
from tests.finish_pools import config_of, true_class
from tests.pools import wait_for
from tests.test_api import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route


@pytest.fixture
def address(taught: Path, workdir: Path) -> Iterator[str]:
    app = create_app(AppConfig(projects=(config_of(taught),)), workdir)
    where = app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
    [project] = app.projects.values()
    wait_for(lambda: project.pipeline.progress.state == "done" and project.labeler("ann").head is not None)
    yield where.rstrip("/")
    app.close()


@pytest.fixture
def page(browser: "Browser", address: str) -> Iterator["Page"]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    page = context.new_page()
    page.goto(f"{address}/#view=finish")
    yield page
    context.close()


def _view(page: "Page") -> "Locator":
    return page.locator(".fl-finish")


def _wait_for_plan(page: "Page", precision: str) -> None:
    page.wait_for_function("(p) => document.querySelector('.fl-finish')?.dataset.planned === p", arg=precision)


def _check(page: "Page") -> int:
    """Answers the screen of checks by keys, a wrong class by its folder; returns how many."""
    screen = page.locator(".fl-finish-screen")
    screen.and_(page.locator("[data-ready-batch]")).wait_for()
    ready = screen.get_attribute("data-ready-batch")
    cards = screen.locator(".fl-card")
    count = cards.count()
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("s")
    page.wait_for_function(
        "(before) => document.querySelector('.fl-finish-screen').dataset.readyBatch !== before", arg=ready
    )
    return count


def test_a_pool_is_finished_on_the_page(page: "Page", address: str) -> None:
    view = _view(page)
    _wait_for_plan(page, "0.95")
    slider = view.locator("input[type=range]")
    slider.fill("90")
    _wait_for_plan(page, "0.9")
    words = view.locator(".fl-finish-words")
    expect(words).to_contain_text("At 90 % right: about")
    expect(view.locator(".fl-promise-chart circle")).to_have_count(20)
    expect(view.get_by_role("img", name="At 90 %:")).to_be_visible()
    rest = Rest(page.context, address)
    planned = rest.post("finish/plan", precision=0.9, per_class=True)
    place = [round(one["precision"], 2) for one in planned["curve"]].index(0.9)
    alone = sum(one["curve"][place] for one in planned["classes"])
    view.get_by_role("checkbox", name="prove it for each class by itself").check()
    expect(view.get_by_role("img", name="At 90 %:")).to_have_accessible_name(re.compile(rf"\b{alone:,}\b"))
    view.get_by_role("checkbox", name="prove it for each class by itself").uncheck()
    expect(words).to_contain_text("At 90 % right: about")
    own = next(one for one in planned["classes"] if one["label"] == "red")["curve"][place]
    view.get_by_label("Curve of").select_option("red")
    expect(view.get_by_role("img", name="At 90 %:")).to_have_accessible_name(re.compile(rf": {own:,}\b"))
    assert own < alone
    view.get_by_label("Curve of").select_option("all classes")
    view.get_by_role("button", name="Freeze these items and check at 90 %").click()
    screen = page.locator(".fl-finish-screen")
    expect(screen.locator(".fl-card").first).to_be_visible()
    expect(screen.locator(".fl-chip").first).to_be_visible()
    progress = view.locator(".fl-finish-progress")
    expect(progress).to_contain_text("items are frozen")
    while view.get_attribute("data-state") == "checking":
        _check(page)
    expect(progress).to_contain_text("Proven: of these")
    expect(view.locator(".fl-finish-checked")).to_contain_text("red: 0 wrong of")
    late: list[Route] = []
    page.route("**/api/finish/plan", lambda route: late.append(route))
    view.get_by_role("button", name="Accept").click()
    expect(progress).to_contain_text("labels are accepted")
    expect(words).to_contain_text("Working out")  # not the plan of the items that are accepted now
    expect(view.get_by_role("button", name="Freeze these items")).to_be_hidden()
    for route in late:
        route.continue_()
    page.unroute("**/api/finish/plan")
    expect(words).to_contain_text("No unlabeled item is left")
    expect(view.locator(".fl-finish-curve")).to_be_hidden()  # an empty frame
    found = rest.post("items", query={"sources": ["auto"]}, size=400)
    assert found["total"] > 200
    assert all(one["label"] == true_class(one["id"]) for one in found["items"])
    view.get_by_role("button", name="Take back").click()
    expect(progress).to_contain_text("Proven: of these")
    assert rest.post("items", query={"sources": ["auto"]})["total"] == 0


def test_after_checks_that_prove_nothing_the_view_offers_a_surer_set_and_labeling_on(
    page: "Page", address: str
) -> None:
    view = _view(page)
    _wait_for_plan(page, "0.95")
    rest = Rest(page.context, address)
    assert rest.post("finish/start", precision=0.9)["possible"]
    while rest.get("finish")["state"] == "checking":
        batch = rest.get("finish/checks")
        wrong = [
            {"id": item["id"], "label": _other(true_class(item["id"]), batch["classes"])} for item in batch["items"]
        ]
        rest.post("submit_labels", batch_id=batch["batch_id"], labels=wrong)
    page.reload()
    expect(view.locator(".fl-finish-progress")).to_contain_text("Not provable")
    expect(view.locator(".fl-finish-words")).not_to_be_empty()
    view.get_by_role("button", name="Label on").click()
    expect(page.locator(".fl-view-tab[data-view=label]")).to_have_attribute("aria-current", "page")
    assert rest.get("finish")["state"] == "none"


def _other(label: str, classes: list[str]) -> str:
    return next(name for name in classes if name != label)


def test_clicked_cards_of_a_screen_stay_unlabeled_and_the_view_speaks_chinese(page: "Page", address: str) -> None:
    view = _view(page)
    _wait_for_plan(page, "0.95")
    view.get_by_label("Predicted class").select_option("green")
    view.get_by_role("button", name="Show 100").click()
    screen = page.locator(".fl-finish-screen")
    cards = screen.locator(".fl-card")
    expect(cards.first).to_have_attribute("data-state", "accepted")
    first = cards.first.get_attribute("data-item-id")
    count = cards.count()
    cards.first.locator(".fl-picture").click(position={"x": 8, "y": 8})
    expect(cards.first).to_have_attribute("data-state", "open")
    expect(screen.get_by_role("button", name="The rest is right")).to_be_hidden()
    page.keyboard.press("Shift+Enter")  # what was picked out stays so
    expect(cards.first).to_have_attribute("data-state", "open")
    page.keyboard.press("s")
    expect(screen.or_(view.locator(".fl-finish-words")).first).to_be_visible()
    rest = Rest(page.context, address)
    wait_for(lambda: rest.post("items", query={"sources": ["verify"]})["total"] == count - 1)
    [left] = rest.post("items", query={"ids": [first]})["items"]
    assert left["label"] is None
    page.goto(f"{address}/?lang=zh-CN#view=finish")
    expect(page.locator(".fl-finish h2").first).to_have_text("按承诺的精度接受标签")
    expect(page.locator(".fl-finish-words")).to_contain_text("承诺 95 % 正确")


def test_checks_that_are_all_left_open_are_submitted_once_that_is_meant(page: "Page", address: str) -> None:
    view = _view(page)
    _wait_for_plan(page, "0.95")
    view.get_by_role("button", name="Freeze these items and check at 95 %").click()
    screen = page.locator(".fl-finish-screen")
    screen.and_(page.locator("[data-ready-batch]")).wait_for()
    count = screen.locator(".fl-card").count()
    screen.get_by_role("button", name="Submit").click()
    expect(screen.locator(".fl-finish-message")).to_contain_text(f"None of the {count} cards is answered")
    assert Rest(page.context, address).get("finish")["checked"] == 0
    screen.get_by_role("button", name="Submit").click()
    expect(view.locator(".fl-finish-progress")).to_contain_text(f"{count} of the checked ones were left open")


def test_a_set_that_cannot_be_proven_is_followed_by_a_surer_one(page: "Page") -> None:
    view = _view(page)
    _wait_for_plan(page, "0.95")
    view.get_by_role("button", name="Freeze these items and check at 95 %").click()
    screen = page.locator(".fl-finish-screen")
    screen.and_(page.locator("[data-ready-batch]")).wait_for()
    while view.get_attribute("data-state") == "checking":
        ready = screen.get_attribute("data-ready-batch")
        page.keyboard.press("Enter")
        page.keyboard.press("s")  # all others are left open, which counts as wrong
        page.wait_for_function(
            "(before) => document.querySelector('.fl-finish-screen').dataset.readyBatch !== before", arg=ready
        )
    expect(view.locator(".fl-finish-progress")).to_contain_text("Not provable")
    expect(view.get_by_role("button", name="Label on")).to_be_visible()
    view.get_by_role("button", name="Check the surer").click()
    expect(view.locator(".fl-finish-progress")).to_contain_text("items are frozen")
    expect(screen.locator(".fl-card").first).to_be_visible()
