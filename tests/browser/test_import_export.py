"""Labels leave and come in by the page: the menu of exports says how far it is, that of imports what became of a file."""

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.label_page import LabelPage


def test_what_the_page_exports_can_be_imported_and_taken_back(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    page.key("1", "2", "3")
    labels = page.labels()
    page.submit()
    page.grid.locator(".fl-export summary").click()
    page.download("Labels as JSON").save_as(tmp_path / "labels.json")
    rows = json.loads((tmp_path / "labels.json").read_text(encoding="utf-8"))
    assert {row["item_id"]: row["label"] for row in rows} == labels
    assert {(row["state"], row["source"], row["stands"]) for row in rows} == {("label", "person", True)}
    others = [{**row, "annotator": "bob"} for row in rows] + [{**rows[0], "item_id": "none.png"}]
    (tmp_path / "labels.json").write_text(json.dumps(others), encoding="utf-8")
    menu = page.grid.locator(".fl-import")
    menu.locator("summary").click()
    menu.locator("input[type=file]").set_input_files(tmp_path / "labels.json")
    expect(menu.get_by_text("3 labels taken in.")).to_be_visible()
    expect(menu.get_by_text("1 × not in this project")).to_be_visible()
    menu.get_by_role("button", name="Take it back").click()
    expect(menu.get_by_text("The import is taken back.")).to_be_visible()


def test_a_file_that_is_none_is_told(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    menu = page.grid.locator(".fl-import")
    menu.locator("summary").click()
    menu.locator("input[type=file]").set_input_files(tmp_path / "picture.png")
    expect(menu.get_by_text("no file of labels that FastLabel reads")).to_be_visible()


def test_options_of_an_export_say_what_is_taken(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    page.key("1", "2", "3")
    labels = page.labels()
    page.submit()
    menu = page.grid.locator(".fl-export")
    menu.locator("summary").click()
    expect(menu.get_by_label("unsure")).to_be_hidden()
    menu.get_by_role("button", name="Options").click()
    menu.get_by_label("also what the head predicts").check()
    menu.get_by_label("deal the items to parts").check()
    menu.get_by_label("train", exact=True).fill("50")
    menu.get_by_label("validation").fill("0")
    menu.get_by_label("test", exact=True).fill("50")
    expect(menu.get_by_text("train 50 %, test 50 %.")).to_be_visible()
    menu.get_by_label("seed", exact=True).fill("7")
    for part in ("train", "test"):
        menu.get_by_label(part, exact=True).fill("0")
    menu.get_by_role("link", name="Labels as JSON", exact=True).click()  # and nothing is exported without parts
    expect(menu.get_by_role("status")).to_have_text("Give at least one part a share above 0.")
    for part in ("train", "test"):
        menu.get_by_label(part, exact=True).fill("50")
    rows = _downloaded(page, tmp_path)
    assert {row["split"] for row in rows} == {"train", "test"}
    assert {row["item_id"] for row in rows} > labels.keys()  # those of which only the head says something too
    page.grid.locator(".fl-export").evaluate("(menu) => { menu.open = true; }")
    menu.get_by_label("deal the items to parts").uncheck()
    menu.get_by_label("also what the head predicts").uncheck()
    menu.get_by_label("one by one").check()
    rows = _downloaded(page, tmp_path)
    assert {row["item_id"]: row["label"] for row in rows} == labels
    assert all("split" not in row for row in rows)
    menu.get_by_label("by review").check()
    menu.get_by_label("one by one").uncheck()
    assert _downloaded(page, tmp_path) == []


def test_the_menu_of_exports_opens_inside_of_the_window(visit: Visit) -> None:
    page = visit()
    page.page.locator(".fl-view-tab[data-view=explore]").click()
    menu = page.page.locator(".fl-explore .fl-export")
    menu.locator("summary").click()
    menu.get_by_role("button", name="Options").click()
    expect(menu.get_by_label("also what the head predicts")).to_be_checked()  # as the list shows it
    box = menu.locator(".fl-menu-body").bounding_box()
    assert box is not None and box["x"] >= 0
    assert box["x"] + box["width"] <= page.page.evaluate("document.documentElement.clientWidth")


def _downloaded(page: LabelPage, folder: Path) -> list[dict[str, object]]:
    page.download("Labels as JSON").save_as(folder / "labels.json")
    return list(json.loads((folder / "labels.json").read_text(encoding="utf-8")))
