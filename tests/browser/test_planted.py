"""Planted checks in a browser: a person who accepts a whole group is told, and Progress opens what slipped through."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Serving, become_guest
from tests.browser.explore_page import ExplorePage
from tests.browser.label_page import LabelPage
from tests.pools import make_config, wait_for, write_pictures


def test_what_slipped_through_is_said_and_opened_from_progress(page: Page, serving: Serving, tmp_path: Path) -> None:
    pictures = write_pictures(tmp_path / "pictures", per_class=24)
    _, address = serving(make_config(pictures, planted_checks=1.0, train_every=1000, batch_size=16))
    me = become_guest(page.context, address)
    label = LabelPage(page, address)
    first = label.rest.get("next_batch", size=30, fresh=True)
    labels = {item["id"]: item["id"].split("/")[0] for item in first["items"]}
    said = [{"id": item_id, "label": name} for item_id, name in labels.items()]
    label.rest.post("submit_labels", batch_id=first["batch_id"], labels=said)
    label.rest.post("train")
    wait_for(lambda: label.rest.status()["head"]["version"] == 1)
    label.open()
    planted = set(label.item_ids()) & set(labels)
    assert 1 <= len(planted) <= 3
    label.wait_seen(16)
    label.key("Shift+Enter")
    label.submit()
    n = len(planted)
    expect(label.message).to_contain_text(f"Planted checks: {n} of {n} labeled card")
    assert labels.items() <= label.rest.stored().items()

    page.locator(".fl-view-tab[data-view=progress]").click()
    people = page.locator(".fl-progress-people")
    explore = ExplorePage(page, address)
    for words, key in ((f"{n} of them", "planted"), (f"{n} slipped through", "slipped")):
        people.get_by_text(words, exact=True).click()
        explore.wait()
        explore.expect_total(n)
        assert explore.filter_in_address() == {key: [me]}
        assert set(explore.ids()) == planted
        page.go_back()
    marks = people.locator("tbody tr").first.locator("td:nth-child(2) a, td:nth-child(3) a")
    marks.first.click()
    explore.wait()
    assert explore.filter_in_address() == {"annotators": [me], "order": "-time"}
    explore.expect_total(30 + 16 - n)
