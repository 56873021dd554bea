"""What the page says of files that are no items, of labeled ones that are gone, and of new ones."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.conftest import Serving
from tests.browser.label_page import LabelPage, expect
from tests.pools import make_config, write_pictures

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_files_left_out_are_counted_and_listed_with_the_rule(page: "Page", serving: Serving, tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pictures", 4)
    for name in (*(f"{number}.txt" for number in range(9)), *(f"{number}.xml" for number in range(4)), ".hidden.png"):
        (folder / name).touch()
    visitor = LabelPage(page, serving(make_config(folder))[1]).open()
    visitor.grid.get_by_text("14 files left out").click()
    entries = visitor.grid.locator(".fl-left-out-list li")
    expect(entries).to_have_count(3)
    expect(entries.first).to_contain_text("9 .txt")
    expect(entries.first.locator(".fl-reason")).to_have_text("not a picture, by the suffix")
    expect(entries.filter(has_text="hidden file")).to_contain_text("its name begins with a dot")
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        visitor.key("Escape")
        expect(entries.first).to_be_hidden()
        visitor.grid.get_by_text("14 files left out").click()
        expect(entries.first).to_be_in_viewport(ratio=1)
    expect(visitor.grid.locator(".fl-missing")).to_be_hidden()


def test_the_button_finds_new_files_and_says_what_is_missing(page: "Page", serving: Serving, tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pictures", 4)
    visitor = LabelPage(page, serving(make_config(folder, rescan_minutes=0, batch_size=6))[1]).open()
    gone = visitor.rest.get("next_batch")["items"][0]["id"]
    visitor.rest.post("submit_labels", labels=[{"id": gone, "label": gone.split("/")[0]}])
    shutil.copytree(write_pictures(tmp_path / "more", 3, seed=5) / "red", folder / "red" / "more")
    (folder / gone).unlink()
    rescan = visitor.grid.get_by_role("button", name="Rescan")
    rescan.click()
    expect(visitor.message).to_have_text("The folder has changed: 3 new items, 1 gone.")
    expect(visitor.number("unlabeled")).to_have_text("14")
    expect(visitor.grid.locator(".fl-missing")).to_have_text("1 labeled item is missing from the folder")
    rescan.click()
    expect(visitor.message).to_have_text("Nothing new in the folder.")
    folder.rename(tmp_path / "away")
    rescan.click()
    expect(visitor.grid.locator(".fl-notice")).to_contain_text("nothing left the pool")
    visitor.key("1")
    assert visitor.labels(), "the keys still go to the cards"


def test_new_files_come_by_themselves_where_everything_was_labeled(
    page: "Page", serving: Serving, tmp_path: Path
) -> None:
    folder = write_pictures(tmp_path / "pictures", 2)
    visitor = LabelPage(page, serving(make_config(folder, rescan_minutes=0))[1])
    items = visitor.rest.get("next_batch")["items"]
    visitor.rest.post("submit_labels", labels=[{"id": item["id"], "label": "red"} for item in items])
    page.goto(visitor.address)
    expect(visitor.empty).to_contain_text("Every item is labeled")
    shutil.copytree(write_pictures(tmp_path / "more", 3, seed=5) / "red", folder / "red" / "more")
    visitor.rest.post("rescan")
    visitor.wait_ready()
    expect(visitor.cards).to_have_count(3)
