"""Nothing is lost: a reload, a server that restarts and one that is down while somebody labels."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.conftest import Serving, Visit, become_guest
from tests.browser.explore_page import ExplorePage
from tests.browser.label_page import PASSWORDS, LabelPage, expect, log_in
from tests.pools import make_config, write_pictures
from tests.test_api import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_a_reload_keeps_the_batch_its_order_and_the_labels_not_submitted(visit: Visit) -> None:
    page = visit()
    page.key("1", "2", "ArrowDown", "3")
    batch, ids, labels = page.batch_id(), page.item_ids(), page.labels()
    page.page.reload()
    assert page.wait_ready() == batch
    assert (page.item_ids(), page.labels()) == (ids, labels)
    assert page.rest.stored() == {}
    page.submit()
    assert page.rest.stored() == labels


def test_a_label_cleared_before_a_reload_stays_cleared(visit: Visit) -> None:
    page = visit()
    page.key("1", "2")
    page.submit()
    after = page.batch_id()
    page.key("u")
    page.wait_ready(after=after)
    second = page.item_ids()[1]
    page.key("Home", "Backspace")
    page.page.reload()
    page.wait_ready()
    assert page.labels() == {second: "c1"}


def test_a_reload_after_a_submit_shows_the_next_batch_without_labels(visit: Visit) -> None:
    page = visit()
    page.key("1", "2")
    page.submit()
    batch = page.batch_id()
    page.page.reload()
    assert page.wait_ready() == batch
    assert page.labels() == {}
    expect(page.number("labeled")).to_have_text("2")


def test_after_a_restart_of_the_server_the_page_goes_on_by_itself(
    page: "Page", serving: Serving, tmp_path: Path
) -> None:
    config, port = make_config(write_pictures(tmp_path / "pictures", per_class=20), batch_size=12), free_port()
    app, address = serving(config, port=port)
    visitor = LabelPage(page, address).open()
    visitor.key("1", "2", "3")
    ids, labels = visitor.item_ids(), visitor.labels()
    app.close()
    visitor.poll()
    expect(visitor.page.locator("#fl-grid-images .fl-connection")).to_contain_text("Connection lost")
    serving(config, port=port)
    expect(visitor.page.locator("#fl-grid-images .fl-connection")).to_be_hidden()
    assert (visitor.item_ids(), visitor.labels()) == (ids, labels)
    visitor.submit()
    assert visitor.rest.stored() == labels


def test_explore_says_that_the_server_is_away_and_a_label_that_failed_is_on_its_card(
    page: "Page", serving: Serving, tmp_path: Path
) -> None:
    config, port = make_config(write_pictures(tmp_path / "pictures", per_class=20), batch_size=12), free_port()
    app, address = serving(config, port=port)
    become_guest(page.context, address)
    explore = ExplorePage(page, address).open()
    lost, unsaved = page.locator("#fl-grid-images .fl-connection"), explore.view.locator(".fl-not-saved")
    explore.focus(2)
    expect(lost).to_be_hidden()
    app.close()
    expect(lost).to_contain_text("Connection lost")  # nobody did anything
    explore.key("1")
    expect(unsaved).to_have_count(1)
    expect(explore.card(2)).to_be_focused()
    explore.focus(3)
    explore.key("2")
    expect(unsaved).to_have_count(2)
    expect(explore.card(2).locator(".fl-not-saved")).to_have_text("not saved")
    expect(explore.card(2)).to_have_attribute("aria-label", re.compile("not saved"))
    expect(explore.card(2)).to_be_focused()
    expect(explore.message).to_contain_text("No answer from the server. Try again.")
    serving(config, port=port)
    expect(lost).to_be_hidden()
    expect(explore.message).to_have_text("The server answers again.")
    item_ids = explore.ids()[2:4]
    explore.key("1", "2")
    expect(unsaved).to_have_count(0)
    assert list(explore.said_of({"ids": item_ids}).values()) == [explore_class(explore, place) for place in (0, 1)]


def test_progress_says_that_the_server_is_away_and_goes_on_by_itself(
    page: "Page", serving: Serving, tmp_path: Path
) -> None:
    config, port = make_config(write_pictures(tmp_path / "pictures", per_class=20), batch_size=12), free_port()
    app, address = serving(config, port=port)
    become_guest(page.context, address)
    page.goto(f"{address}/#view=progress")
    expect(page.locator("#fl-grid-images .fl-progress-classes")).to_be_visible()
    app.close()
    lost = page.locator("#fl-grid-images .fl-connection")
    expect(lost).to_contain_text("Connection lost")
    expect(page.locator("#fl-grid-images .fl-progress-problem")).to_be_hidden()
    serving(config, port=port)
    expect(lost).to_be_hidden()


def explore_class(explore: ExplorePage, place: int) -> str:
    return explore.view.locator(".fl-legend-name").nth(place).inner_text()


def test_a_submit_while_the_server_is_down_keeps_the_labels_and_can_be_repeated(
    page: "Page", serving: Serving, tmp_path: Path
) -> None:
    config, port = make_config(write_pictures(tmp_path / "pictures", per_class=20), batch_size=12), free_port()
    app, address = serving(config, port=port)
    visitor = LabelPage(page, address).open()
    visitor.key("1", "2", "3")
    batch, labels = visitor.batch_id(), visitor.labels()
    app.close()
    for key in ("s", "n"):
        visitor.key(key)
        expect(visitor.grid).to_have_attribute("data-busy", "")
        expect(visitor.message).to_contain_text("Your labels are kept: try again")
        assert (visitor.batch_id(), visitor.labels()) == (batch, labels)
    serving(config, port=port)
    visitor.submit()
    assert visitor.rest.stored() == labels


def test_after_a_restart_with_logins_the_page_asks_for_the_login_again_and_keeps_the_labels(
    page: "Page", serving: Serving, tmp_path: Path
) -> None:
    config, port = make_config(write_pictures(tmp_path / "pictures", per_class=20), batch_size=12), free_port()
    app, address = serving(config, port=port, logins=PASSWORDS)
    visitor = log_in(page, address, "ann")
    visitor.key("1", "2", "3")
    labels = visitor.labels()
    app.close()
    serving(config, port=port, logins=PASSWORDS)  # Gradio forgets its logins with the process
    visitor.poll()
    expect(visitor.page.locator("#fl-grid-images").get_by_role("alert")).to_contain_text(
        re.compile("log in", re.IGNORECASE)
    )
    assert visitor.labels() == labels
    visitor = log_in(page, address, "ann")
    assert visitor.labels() == labels
    visitor.submit()
    assert visitor.rest.stored() == labels
