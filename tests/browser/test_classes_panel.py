"""The panel of classes in a browser: every change of a class, what was labeled meanwhile, and a pool without classes."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Serving, Visit, become_guest
from tests.browser.explore_page import ExplorePage
from tests.browser.label_page import LabelPage
from tests.pools import make_config, write_pictures


def test_classes_are_changed_in_the_panel_while_a_batch_is_labeled(visit: Visit) -> None:
    label = visit()
    label.key("1", "2", "3")  # c0, c1, c2
    first, second, third = label.item_ids()[:3]
    label.key("c")
    panel = label.grid.get_by_role("dialog", name="Classes")
    rows = panel.locator(".fl-classes-list").first.locator(".fl-class")
    expect(rows).to_have_count(10)
    panel.get_by_role("textbox", name="Name of a new class").fill("<b>bird/owl")
    panel.get_by_role("button", name="Add").click()
    expect(rows).to_have_count(11)
    expect(rows.last.locator(".fl-class-branch")).to_have_text("<b>bird/")

    rows.first.locator("summary").click()
    rows.first.get_by_label("Name", exact=True).fill("zero")
    rows.first.get_by_label("Name", exact=True).press("Enter")
    expect(rows.first.locator(".fl-class-name")).to_have_text("zero")
    rows.first.get_by_label("What it means").fill("nothing")
    rows.first.get_by_label("What it means").press("Tab")
    expect(rows.first.locator("summary")).to_have_attribute("title", "nothing")
    rows.first.get_by_label("Examples").fill(first)
    rows.first.get_by_label("Examples").press("Tab")
    expect(rows.first.locator(".fl-class-example")).to_have_count(1)

    rows.nth(1).locator("summary").click()
    rows.nth(1).get_by_role("button", name="Down").click()
    expect(rows.nth(2).locator(".fl-class-name")).to_have_text("c1")
    merge = rows.nth(2).get_by_role("button", name="Merge")
    expect(merge).to_be_disabled()
    rows.nth(2).get_by_role("combobox", name="Merge into").press("ArrowDown")  # chooses, and merges nothing yet
    expect(merge).to_be_enabled()
    expect(rows).to_have_count(11)
    rows.nth(2).get_by_role("combobox", name="Merge into").select_option("zero")
    merge.click()
    expect(rows).to_have_count(10)
    expect(panel.get_by_role("status")).to_have_text("Merged c1 into zero. Undo takes them apart again.")
    rows.nth(1).locator("summary").click()  # c2
    rows.nth(1).get_by_role("button", name="Archive").click()
    expect(rows).to_have_count(9)
    expect(panel.locator(".fl-classes-aside .fl-class-name")).to_have_text(["c1", "c2"])
    panel.get_by_role("button", name="Take back").click()
    expect(rows).to_have_count(10)
    panel.get_by_role("button", name="Undo").click()
    expect(panel.get_by_role("status")).to_have_text("Took back: took the class c2 back.")
    panel.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(10)
    panel.get_by_role("textbox", name="Name of a new class").fill("zero")
    panel.get_by_role("button", name="Add").click()
    expect(panel.get_by_role("status")).to_contain_text("there is a class 'zero' already")

    label.key("Escape")
    label.poll()
    expect(label.cards.first.locator("select option").nth(1)).to_have_text("zero")
    assert label.labels() == {first: "zero", second: "zero", third: "c2"}  # of the open batch, which stays
    label.page.reload()
    label.wait_ready()
    assert label.labels() == {first: "zero", second: "zero", third: "c2"}  # its drafts too
    label.submit()
    found = label.rest.get("classes")["classes"]
    assert {one["name"]: one["labels"] for one in found if one["labels"]} == {"zero": 2, "c2": 1}


def test_a_key_that_a_class_was_given_for_everybody_labels_in_label_and_in_explore(visit: Visit) -> None:
    label = visit()
    label.key("c")
    panel = label.grid.get_by_role("dialog", name="Classes")
    row = panel.locator(".fl-classes-list").first.locator(".fl-class").nth(3)
    row.locator("summary").click()
    key = row.get_by_label("Key", exact=True)
    key.fill("m")  # that of Explore
    key.press("Tab")
    expect(panel.get_by_role("status")).to_contain_text("“m” has a meaning already: more like")
    key.fill("O")
    key.press("Tab")
    expect(row.locator("summary kbd")).to_have_text("o")
    label.key("Escape")
    label.poll()
    expect(label.grid.locator(".fl-legend-class", has_text="c3").locator("kbd")).to_have_text("o")
    label.key("o")
    assert list(label.labels().values()) == ["c3"]
    label.key("/")
    palette = label.grid.locator("dialog.fl-palette")
    expect(palette.get_by_role("option").filter(has_text="c3").locator(".fl-palette-key")).to_have_text("o")
    label.key("Escape")
    explore = ExplorePage(label.page, label.address)
    label.page.locator(".fl-view-tab[data-view=explore]").click()
    expect(explore.view.locator(".fl-legend-class", has_text="c3").locator("kbd")).to_have_text("o")
    explore.wait()
    explore.focus()
    explore.key("o")
    expect(explore.message).to_contain_text("Label 1 item as c3: done.")


def test_a_class_is_split_in_explore(visit: Visit) -> None:
    label = visit()
    label.grid.get_by_role("button", name="Classes", exact=True).click()
    panel = label.grid.get_by_role("dialog", name="Classes")
    panel.locator(".fl-class summary").first.click()
    panel.get_by_role("button", name="Split").first.click()
    expect(label.page.locator(".fl-view-tab[data-view=explore]")).to_have_attribute("aria-current", "page")
    assert "labels" in label.page.url and "c0" in label.page.url


def test_a_pool_without_classes_asks_for_names_of_its_clusters(page: Page, serving: Serving, tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pictures", per_class=8)
    for picture in folder.glob("*/*.png"):
        picture.rename(folder / f"{picture.parent.name}-{picture.name}")
    _, address = serving(make_config(folder, sharing="private", train_every=1000, batch_size=8))
    become_guest(page.context, address)
    label = LabelPage(page, address).open()
    panel = label.grid.get_by_role("dialog", name="Classes")
    clusters = panel.locator(".fl-cluster")
    expect(clusters.first).to_be_visible()
    before = clusters.count()
    sizes = [int(words.split()[0]) for words in panel.locator(".fl-cluster-size").all_inner_texts()]
    expect(panel.locator(".fl-clusters-how")).to_contain_text(f"Of {sum(sizes)} items that are embedded")
    items = clusters.first.locator(".fl-cluster-item")
    shown = items.count()
    items.first.click()  # does not belong to the others
    expect(items.first).to_have_attribute("aria-pressed", "false")
    clusters.first.get_by_role("textbox").fill("first")
    clusters.first.get_by_role("button", name="Label them").click()
    expect(clusters).to_have_count(before - 1)
    expect(panel.locator(".fl-class-name")).to_have_text(["first"])
    expect(panel.locator(".fl-class-count")).to_have_text([str(shown - 1)])
    label.key("Escape")
    label.poll()
    expect(label.grid.locator(".fl-legend-name")).to_have_text(["first"])
