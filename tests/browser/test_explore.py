"""The view Explore in a real browser: every key, button and gesture, filters, search, addresses, acting on what is found."""

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from tests.browser.conftest import CLASSES, Listen, TakePage, become_guest, become_new_guest, serve
from tests.browser.explore_page import ExplorePage
from tests.browser.kept_page import open_anew
from tests.browser.label_page import LabelPage, Rest, expect
from tests.pools import make_config, wait_for, write_pictures

if TYPE_CHECKING:
    from playwright.sync_api import Page

Explore = Callable[..., ExplorePage]


@pytest.fixture
def explore(take_page: TakePage, ten_classes: str) -> Explore:
    """Explore as a new guest, after so many labels and a training."""

    def explore_as_guest(labeled: int = 0, query: dict[str, Any] | None = None, more: str = "") -> ExplorePage:
        page = take_page(ten_classes)
        become_new_guest(page, ten_classes)
        visitor = ExplorePage(page, ten_classes)
        if labeled:
            visitor.rest.label(labeled)
            visitor.rest.post("train")
            wait_for(
                lambda: bool(visitor.rest.status()["head"]["settled"] and visitor.rest.status()["head"]["version"])
            )
        open_anew(page, ten_classes, visitor.place(query, more))
        visitor.wait()
        return visitor

    return explore_as_guest


def test_the_whole_pool_is_a_grid_that_arrows_and_ends_lead_through(explore: Explore) -> None:
    page = explore()
    page.expect_total(120)
    page.focus()
    page.key("ArrowRight", "ArrowRight", "ArrowLeft")
    assert page.current() == 1
    page.key("ArrowDown")
    columns = page.current() - 1
    assert columns > 3
    page.key("ArrowUp", "PageDown")
    assert page.current() > columns
    page.key("PageUp", "End")
    assert page.current() == 119
    expect(page.card(119)).to_be_in_viewport()
    expect(page.card(119)).to_be_focused()
    expect(page.card(0)).to_have_count(0)
    page.key("Home")
    expect(page.card(0)).to_be_in_viewport()
    tile = page.card(0).locator(".fl-tile")
    expect(tile).to_have_attribute("style", re.compile("rows/"))
    page.key("z")
    expect(page.view.locator("dialog.fl-zoom")).to_be_visible()
    page.key("Escape")
    page.key(" ")
    expect(page.view.locator("dialog.fl-zoom")).to_be_visible()
    page.key(" ", "?")
    expect(page.view.locator("dialog.fl-help")).to_be_visible()
    page.key("?")
    page.card(3).locator(".fl-picture").dblclick()
    expect(page.view.locator("dialog.fl-zoom")).to_be_visible()


def test_filters_count_what_they_bring_stand_in_chips_and_in_the_address_and_back_leads_through_them(
    explore: Explore,
) -> None:
    page = explore(labeled=12)
    assert page.facet("states", "not labeled").inner_text().split()[-1] == "108"
    page.facet("states", "labeled").locator("input").check()
    page.expect_total(12)
    expect(page.chips).to_have_text(["Statelabeled×"])
    first = page.view.locator('[data-facet="labels"] .fl-facet-row').first
    name, count = first.inner_text().split()
    first.locator("input").check()
    page.expect_total(int(count))
    assert page.filter_in_address() == {"states": ["label"], "labels": [name]}
    shown = {card.get_attribute("aria-label") for card in page.cards.all()}
    assert all(f"; {name}; " in (text or "") for text in shown)
    page.page.go_back()
    page.expect_total(12)
    page.page.go_back()
    page.expect_total(120)
    page.page.go_forward()
    page.expect_total(12)
    page.page.reload()
    page.wait()
    page.expect_total(12)
    expect(page.facet("states", "labeled").locator("input")).to_be_checked()
    page.chips.first.click()
    page.expect_total(120)
    page.view.locator(".fl-bar").last.click()
    expect(page.chips).to_have_text(["Confidence90 – 100 %×"])
    most = page.view.locator(".fl-limit:not(.fl-time)").last
    page.view.locator(".fl-limit:not(.fl-time)").first.fill("0")
    most.fill("50")
    most.press("Tab")
    expect(page.chips).to_have_text(["Confidence0 – 50 %×"])
    page.chips.first.click()
    page.expect_total(120)
    page.facet("folder", "red").locator("input").check()
    page.expect_total(40)
    page.facet("states", "not labeled").locator("input").check()
    expect(page.chips).to_have_count(2)
    page.view.locator(".fl-clear-filter").click()
    page.expect_total(120)
    assert page.filter_in_address() == {}


def test_orders_put_the_least_likely_label_and_the_least_sure_first(explore: Explore) -> None:
    page = explore(labeled=30, query={"states": ["label"]})
    page.view.locator(".fl-order").select_option("label_probability")
    page.wait()
    query = {"states": ["label"], "order": "label_probability"}
    expected = [item["id"] for item in page.rest.post("items", query=query)["items"]]
    expect(page.card(0)).to_have_attribute("data-item-id", expected[0])
    assert page.ids() == expected[: len(page.ids())]
    assert page.filter_in_address() == query


def test_a_card_says_its_label_who_said_it_and_when_and_gets_another_one_where_it_stands(explore: Explore) -> None:
    page = explore(labeled=12, query={"states": ["label"], "order": "time"})
    who = page.card(0).locator(".fl-who")
    expect(who).to_contain_text("guest-")
    expect(who).to_contain_text("now")
    item_id = page.ids()[0]
    page.focus()
    page.key("6")
    expect(page.message).to_contain_text("Label 1 item as c5: done.")
    assert page.said_of({"ids": [item_id]}) == {item_id: "c5"}
    expect(page.card(1)).to_be_focused()
    page.key("q")
    expect(page.message).to_contain_text("unsure")
    expect(page.card(1).locator(".fl-said")).to_have_text("unsure")
    page.expect_total(12)  # it fits the filter no longer, and stays
    expect(page.card(1)).to_be_visible()
    page.key("r")
    page.expect_total(11)
    page.focus()
    page.key("Backspace", "k", "b")
    expect(page.message).to_contain_text("bad")
    said = list(page.said_of({}).values())
    assert (said.count("skip"), said.count("bad"), said.count("unsure")) == (1, 1, 1)
    page.key("u")
    expect(page.message).to_contain_text("Took 1 item back.")
    page.key("Shift+U")
    expect(page.message).to_contain_text("Brought 1 item back.")
    assert list(page.said_of({}).values()).count("bad") == 1
    page.key("r")
    page.wait()
    menu = page.card(2).locator("select")
    menu.focus()
    menu.select_option("c7")
    expect(page.message).to_contain_text("Label 1 item as c7: done.")
    page.card(2).locator(".fl-chip").click()
    expect(page.card(2)).to_have_attribute("data-state", "accepted")
    page.focus(3)
    page.key("Enter")
    expect(page.card(3)).to_have_attribute("data-state", "accepted")
    page.focus(3)
    page.key("9")
    expect(page.message).to_contain_text("Label 1 item as c8: done.")
    page.focus(3)
    page.key("/")
    palette = page.view.locator("dialog.fl-palette")
    expect(palette.get_by_role("combobox")).to_be_focused()
    expect(palette.get_by_role("option").first).to_contain_text("c8")  # the newest one
    page.page.keyboard.type("c9")
    page.key("Enter")
    expect(page.message).to_contain_text("as c9: done.")
    expect(palette).to_be_hidden()
    page.act("palette")
    page.page.keyboard.type("night <b>owl")
    expect(palette.get_by_role("option").last).to_have_text("Add the class “night <b>owl”")
    current = page.ids()[page.current()]
    page.key("Enter")
    expect(page.message).to_contain_text("as night <b>owl: done.")
    expect(page.view.locator(".fl-legend-name").last).to_have_text("night <b>owl")
    assert page.said_of({"ids": [current]}) == {current: "night <b>owl"}


def test_several_are_selected_as_in_label_and_one_key_is_about_all_of_them(explore: Explore) -> None:
    page = explore()
    page.card(1).locator(".fl-picture").click()
    page.card(4).locator(".fl-picture").click(modifiers=["Shift"])
    expect(page.selected).to_have_count(4)
    page.card(6).locator(".fl-picture").click(modifiers=["Control"])
    expect(page.scope).to_have_text("5 selected")
    page.key("Shift+Space")
    expect(page.scope).to_have_text("4 selected")
    page.key("Escape")
    expect(page.selected).to_have_count(0)
    page.card(2).locator(".fl-picture").click()
    page.key("Shift+ArrowRight", "Shift+ArrowRight")
    expect(page.scope).to_have_text("3 selected")
    page.key("Shift+ArrowLeft")
    expect(page.scope).to_have_text("2 selected")
    box, other = page.card(0).bounding_box(), page.card(1).bounding_box()
    assert box and other
    page.page.keyboard.down("Alt")
    page.page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.page.mouse.down()
    page.page.mouse.move(other["x"] + 20, other["y"] + 40, steps=3)
    page.page.mouse.up()
    page.page.keyboard.up("Alt")
    expect(page.scope).to_have_text("2 selected")
    ids = page.ids()[:2]
    page.key("3")
    expect(page.message).to_contain_text("Label 2 items as c2: done.")
    assert page.said_of({"labels": ["c2"]}) == dict.fromkeys(ids, "c2")
    page.act("undo")
    expect(page.message).to_contain_text("Took 2 items back.")
    assert page.said_of({"labels": ["c2"]}) == {}
    page.act("none")
    expect(page.scope).to_have_text("the current card")
    page.focus(0)
    page.key("Shift+Space", "End")
    page.card(119).locator(".fl-picture").click(modifiers=["Shift"])  # over pages that were never loaded
    expect(page.scope).to_have_text("120 selected")


def test_predictions_of_several_classes_are_accepted_and_taken_back_in_one_step(explore: Explore) -> None:
    page = explore(labeled=30, query={"states": ["none"]})
    page.focus(0)
    page.key("Shift+Space", "End")
    last = page.current()
    page.card(last).locator(".fl-picture").click(modifiers=["Shift"])
    expect(page.scope).to_have_text("90 selected")
    page.key("Enter")
    expect(page.message).to_contain_text("Accept 90 predictions: done.")
    counts = page.rest.status()
    assert counts["labeled"] == 120
    page.key("u")
    expect(page.message).to_have_text("Took back: accepted 90 predictions.")
    assert page.rest.status()["labeled"] == 30
    page.key("Shift+U")
    expect(page.message).to_have_text("Brought back: accepted 90 predictions.")
    assert page.rest.status()["labeled"] == 120


def test_of_selected_items_that_have_labels_it_is_asked_first(explore: Explore) -> None:
    page = explore(labeled=12)
    before = page.said_of({})
    labels = [said for said in before.values() if said]
    page.open({"states": ["label"]})
    page.focus(0)
    page.key("Shift+Space", "Shift+ArrowRight", "Shift+ArrowRight")
    expect(page.scope).to_have_text("3 selected")
    chosen = page.ids()[:3]
    page.key("9")
    expect(page.dialog).to_contain_text("Label 3 items as c8")
    expect(page.dialog).to_contain_text("This changes 3 labels of guest-")
    page.dialog.get_by_role("button", name="Cancel").click()
    assert page.said_of({}) == before
    page.key("9")
    page.dialog.get_by_role("button", name="Do it").click()
    expect(page.message).to_contain_text("Label 3 items as c8: done.")
    assert page.said_of({"ids": chosen}) == dict.fromkeys(chosen, "c8")
    page.key("9")
    expect(page.message).to_contain_text("Nothing changed")  # nothing would change: nothing is asked
    assert len(labels) == 12


def test_a_list_is_busy_from_the_step_to_another_one_on(explore: Explore) -> None:
    """Or what is selected in it meanwhile is gone when the other one comes, and a key means one card of that."""
    page = explore(labeled=12)
    held: list[Any] = []
    is_held = True
    page.page.route("**/api/status*", lambda route: held.append(route) if is_held else route.continue_())
    page.page.goto(f"{page.address}/{page.place({'states': ['label']})}")
    expect(page.view).to_have_attribute("aria-busy", "true")
    is_held = False
    for route in held:
        route.continue_()
    page.wait()
    page.expect_total(12)


def test_all_that_is_found_is_labeled_after_an_exact_preview_and_taken_back_by_one_undo(explore: Explore) -> None:
    page = explore(labeled=12, query={"folder": "red"})
    before = page.said_of({})
    reds = sum(item_id.startswith("red/") for item_id in before)
    labeled = sum(before[item_id] is not None for item_id in before if item_id.startswith("red/"))
    page.key("Shift+A")
    expect(page.scope).to_have_text(f"{reds} selected: all that is found")
    page.card(0).locator(".fl-picture").click(modifiers=["Control"])
    expect(page.scope).to_have_text(f"{reds - 1} selected: all that is found")
    left_out = page.ids()[0]
    changing = labeled - (before[left_out] is not None)
    page.key("5")
    expect(page.dialog).to_contain_text(f"Label {reds - 1} items as c4")
    if changing:
        expect(page.dialog).to_contain_text(f"This changes {changing} label")
    expect(page.dialog).to_contain_text(f"{reds - 1 - changing} items had no label.")
    page.dialog.get_by_role("button", name="Cancel").click()
    assert page.said_of({}) == before
    page.key("5")
    page.dialog.get_by_role("button", name="Do it").click()
    expect(page.message).to_contain_text(f"Label {reds - 1} items as c4: done.")
    now = page.said_of({})
    assert {id_ for id_, said in now.items() if said == "c4"} == {
        item_id for item_id in before if item_id.startswith("red/") and item_id != left_out
    }
    page.key("u")
    expect(page.message).to_contain_text(f"Took {reds - 1} items back.")
    assert page.said_of({}) == before


def test_more_and_less_like_a_card_and_names_are_searched_and_the_box_says_that_it_reads_no_texts(
    explore: Explore,
) -> None:
    page = explore()
    expect(page.view.locator(".fl-search-note")).to_contain_text("reads no texts")
    page.key("Shift+F")
    search = page.view.locator(".fl-search-input")
    expect(search).to_be_focused()
    search.fill("red/0001")
    search.press("Enter")
    page.expect_total(1)
    page.key("Escape", "m")
    expect(page.chips).to_have_text(["likered/0001.png×"])
    expect(page.card(0)).to_have_attribute("data-item-id", "red/0001.png")
    expect(page.card(0).locator(".fl-similarity")).to_have_text("1.00")
    expect(page.view.locator(".fl-order")).to_have_value("similarity")
    page.focus(0)
    page.key("End")
    expect(page.card(119)).to_be_focused()
    page.key("Shift+M")
    expect(page.chips).to_have_count(2)
    assert page.filter_in_address()["near"]["ids"] == ["red/0001.png"]
    page.chips.first.click()
    page.expect_total(120)
    page.key("Shift+M")
    expect(page.message).to_contain_text("Say first what items shall be like")
    search.fill("0001")
    page.view.get_by_role("button", name="By name").click()
    page.expect_total(3)


def test_a_picture_that_is_chosen_pasted_or_dropped_finds_what_is_like_it(explore: Explore) -> None:
    page = explore()
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 40, 40)).save(file, "PNG")
    picture = {"name": "x.png", "mimeType": "image/png", "buffer": file.getvalue()}
    page.view.locator(".fl-search-file").set_input_files(picture)  # type: ignore[arg-type]
    expect(page.chips).to_have_text(["likewhat was sent×"])
    expect(page.card(0)).to_have_attribute("data-item-id", re.compile("^red/"))
    page.chips.first.click()
    page.expect_total(120)
    for type_ in ("paste", "drop"):
        _give(page, type_, list(file.getvalue()), "image/png")
        expect(page.chips).to_have_text(["likewhat was sent×"])
        expect(page.card(0)).to_have_attribute("data-item-id", re.compile("^red/"))
        page.chips.first.click()
        page.expect_total(120)
    _give(page, "paste", list(b"<svg onload=alert(1)>"), "image/svg+xml")
    expect(page.message).to_have_attribute("data-tone", "error")
    page.expect_total(120)


def test_a_sound_that_is_pasted_finds_what_is_like_it(listen: Listen) -> None:
    visitor = listen()
    explore = ExplorePage(visitor.page, visitor.address, "audio").open()
    item = visitor.rest.post("items", query={}, size=1)["items"][0]
    sound = visitor.page.request.get(f"{visitor.address}/{item['media_url']}").body()
    _give(explore, "paste", list(sound), "audio/wav")
    expect(explore.chips).to_have_text(["likewhat was sent×"])
    expect(explore.card(0)).to_have_attribute("data-item-id", item["id"])
    explore.chips.first.click()
    _give(explore, "paste", list(b"no sound"), "audio/wav")
    expect(explore.message).to_have_attribute("data-tone", "error")
    explore.expect_total(36)


def test_keys_and_buttons_that_no_other_test_presses(explore: Explore) -> None:
    page = explore(labeled=12)
    page.focus(0)
    page.key("Shift+ArrowDown")
    columns = page.current()
    expect(page.scope).to_have_text(f"{columns + 1} selected")
    page.key("Shift+ArrowUp")
    expect(page.scope).to_have_text("1 selected")
    page.key("Escape", "2")
    expect(page.message).to_contain_text("as c1: done.")
    page.focus(0)
    page.key("Delete")
    expect(page.message).to_contain_text("Clear 1 item: done.")
    page.key("5")
    expect(page.message).to_contain_text("as c4: done.")
    page.key("ArrowLeft", "e")
    expect(page.message).to_contain_text("example")
    wait_for(
        lambda: [len(one["examples"]) for one in page.rest.get("classes")["classes"] if one["name"] == "c4"] == [1]
    )
    page.act("more-like")
    expect(page.chips).to_have_count(1)
    page.wait()
    page.card(3).locator(".fl-picture").click()
    page.act("less-like")
    expect(page.chips).to_have_count(2)
    page.wait()
    page.view.locator('[data-action="refresh"]').click()
    page.wait()
    page.act("help")
    page.view.locator('[data-action="close-help"]').click()
    expect(page.view.locator("dialog.fl-help")).to_be_hidden()
    page.focus(0)
    page.key("z")
    page.view.locator('[data-action="close-zoom"]').click()
    expect(page.view.locator("dialog.fl-zoom")).to_be_hidden()


def _give(page: ExplorePage, how: str, content: list[int], type_: str) -> None:
    page.view.evaluate(
        """(view, [how, content, type]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(content)], "x", { type }));
            const event = how === "paste" ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true })
                : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
            view.dispatchEvent(event);
        }""",
        [how, content, type_],
    )


def test_filters_are_saved_under_a_name_opened_again_and_dropped(explore: Explore) -> None:
    page = explore(query={"folder": "blue"})
    page.view.locator(".fl-saved > summary").click()
    name = page.view.locator(".fl-saved-name")
    name.fill("<b>blue ones</b>")
    name.press("Enter")
    expect(page.view.locator(".fl-saved-open")).to_have_text(["<b>blue ones</b>"])
    page.chips.first.click()
    page.expect_total(120)
    page.view.locator(".fl-saved > summary").click() if not page.view.locator(".fl-saved-open").is_visible() else None
    page.view.locator(".fl-saved-open").click()
    page.expect_total(40)
    page.view.locator(".fl-saved > summary").click()
    page.view.locator(".fl-saved-list .fl-dismiss").click()
    expect(page.view.locator(".fl-saved-open")).to_have_count(0)
    assert page.rest.get("filters") == {"filters": []}


def test_what_is_shown_is_exported_with_what_the_head_says_of_the_rest(explore: Explore, tmp_path: Path) -> None:
    page = explore(labeled=12, query={"folder": "blue"})
    page.expect_total(40)
    menu = page.view.locator(".fl-export")
    menu.locator("summary").click()
    with page.page.expect_download() as started:
        menu.get_by_role("link", name="Labels as JSON", exact=True).click()
    started.value.save_as(tmp_path / "blue.json")
    rows = json.loads((tmp_path / "blue.json").read_text(encoding="utf-8"))
    assert {row["item_id"]: row["label"] or None for row in rows} == page.said_of({"folder": "blue"})
    assert all(row["label"] or row["predicted_label"] for row in rows)
    page.chips.first.click()
    page.expect_total(120)
    menu.locator("summary").click() if not menu.get_by_role("link").first.is_visible() else None
    table = menu.get_by_role("link", name="Labels as CSV", exact=True)
    table.hover()
    expect(table).to_have_attribute("href", re.compile("query=%7B%7D&"))


def test_hostile_addresses_are_refused_in_words_and_run_nothing(explore: Explore) -> None:
    page = explore()
    bad = [
        '{"labels": ["<img src=x onerror=window.pwned=1>"]}',
        '{"nothing": 1}',
        "<script>window.pwned=1</script>",
        '{"near": {"ids": ["unknown"]}}',
        "[1]",
    ]
    for text in bad:
        page.page.evaluate("(text) => { location.hash = `view=explore&filter=${encodeURIComponent(text)}` }", text)
        expect(page.view.locator(".fl-explore-empty")).to_be_visible()
        expect(page.cards).to_have_count(0)
        page.view.get_by_role("button", name="Show everything").click()
        page.expect_total(120)
    page.key("Shift+F")
    page.view.locator(".fl-search-input").fill("<img src=x onerror=window.pwned=1>")
    page.key("Enter")
    expect(page.view.locator(".fl-explore-empty")).to_contain_text("Nothing is like this")
    expect(page.chips).to_contain_text(["<img src=x onerror=window.pwned=1>"])
    assert page.page.evaluate("window.pwned") is None


def test_the_place_is_kept_in_the_address_and_when_one_goes_to_another_view(explore: Explore) -> None:
    page = explore()
    page.focus()
    page.key("End")
    expect(page.card(119)).to_be_in_viewport()
    page.page.wait_for_function("location.hash.includes('at=')")
    views = page.page.locator("#fl-grid-images .fl-views")
    label = views.get_by_role("button", name="Label")
    label.click()
    expect(page.view).to_be_hidden()
    page.page.go_back()
    expect(page.card(119)).to_be_in_viewport()
    label.click()
    expect(page.view).to_be_hidden()
    views.get_by_role("button", name="Explore").click()
    expect(page.card(119)).to_be_in_viewport()
    page.page.reload()
    page.wait()
    expect(page.card(119)).to_be_in_viewport()


def test_the_tab_leads_back_to_the_filter_and_the_panel_that_were_left(explore: Explore) -> None:
    page = explore(query={"folder": "red"}, more="&panel=map")
    views = page.page.locator("#fl-grid-images .fl-views")
    page.expect_total(40)
    page.facet("states", "not labeled").locator("input").check()
    expect(page.chips).to_have_count(2)
    views.get_by_role("button", name="Label").click()
    expect(page.view).to_be_hidden()
    assert page.page.evaluate("location.hash") == ""
    views.get_by_role("button", name="Explore").click()
    expect(page.view.locator(".fl-map")).to_be_visible()
    page.expect_total(40)
    assert page.filter_in_address() == {"folder": "red", "states": ["none"]}
    assert "panel=map" in page.page.url


def test_what_is_found_is_sent_to_label_as_the_next_batch(explore: Explore) -> None:
    page = explore(query={"folder": "green"})
    wanted = [item["id"] for item in page.rest.post("items", query={"folder": "green"})["items"]][:3]
    page.focus(0)
    page.key("Shift+Space", "ArrowRight", "Shift+Space", "ArrowRight", "Shift+Space")
    expect(page.scope).to_have_text("3 selected")
    page.key("Shift+S")
    visitor = LabelPage(page.page, page.address)
    visitor.wait_ready()
    assert sorted(visitor.item_ids()) == sorted(wanted)
    visitor.key("1")
    visitor.submit()
    found = page.rest.post("items", query={"labels": ["c0"]})["items"]
    assert [item["source"] for item in found] == ["search"]


def test_cards_have_the_size_that_was_chosen_and_fit_small_and_large_windows(explore: Explore) -> None:
    page = explore()
    for width, least in ((360, 1), (2560, 12)):
        page.page.set_viewport_size({"width": width, "height": 900})
        page.page.wait_for_timeout(0)
        expect(page.card(0)).to_be_in_viewport()
        tops = page.cards.evaluate_all("(cards) => cards.map((card) => card.getBoundingClientRect().top)")
        assert tops.count(min(tops)) >= least, width
        assert page.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
    page.page.set_viewport_size({"width": 1280, "height": 800})
    before = page.card(0).bounding_box()
    page.view.locator(".fl-explore-tools .fl-size").fill("300")
    after = page.card(0).bounding_box()
    assert before and after and after["width"] > 1.5 * before["width"]
    page.view.locator(".fl-explore-tools .fl-size").fill("108")


@pytest.fixture(scope="module")
def shared_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app whose guests work on the same labels."""
    folder = tmp_path_factory.mktemp("shared_explore")
    config = make_config(write_pictures(folder / "pictures", 4), classes=CLASSES, train_every=1000)
    app, address = serve(folder / "work", config)
    yield address
    app.close()


def test_whoever_changes_what_somebody_else_changed_meanwhile_is_told_and_sees_both(
    page: "Page", shared_pool: str, new_context: Callable[..., Any]
) -> None:
    become_guest(page.context, shared_pool)
    mine = ExplorePage(page, shared_pool).open({"folder": "red"})
    item_id = mine.ids()[0]
    other = new_context()
    become_guest(other, shared_pool)
    Rest(other, shared_pool).post("apply", query={"ids": [item_id]}, label="c3")
    mine.focus(0)
    mine.key("1")
    expect(mine.dialog).to_contain_text("Somebody changed this item meanwhile")
    expect(mine.dialog.locator("td")).to_contain_text([item_id, "not labeled", "c3 (guest-"])
    mine.dialog.get_by_role("button", name="Cancel").click()
    expect(mine.card(0).locator("select")).to_have_value("3")
    assert mine.said_of({"ids": [item_id]}) == {item_id: "c3"}
    mine.focus(0)
    mine.key("1")
    expect(mine.message).to_contain_text("Label 1 item as c0: done.")
    assert mine.said_of({"ids": [item_id]}) == {item_id: "c0"}


def test_classes_that_others_change_are_seen_while_explore_is_shown_and_when_it_is_opened_again(
    page: "Page", shared_pool: str, new_context: Callable[..., Any]
) -> None:
    become_guest(page.context, shared_pool)
    mine = ExplorePage(page, shared_pool).open({"folder": "green"})
    names = mine.view.locator(".fl-legend-name")
    other = new_context()
    become_guest(other, shared_pool)
    theirs = Rest(other, shared_pool)
    theirs.post("apply", query={"ids": [mine.ids()[0]]}, label="c8")
    mine.key("r")
    expect(mine.card(0).locator("select")).to_have_value("8")
    theirs.post("classes", rename=["c8", "eight"])
    theirs.post("classes", add="owl")
    expect(names.last).to_have_text("owl")
    expect(names.nth(8)).to_have_text("eight")
    expect(mine.card(0)).to_have_attribute("aria-label", re.compile("; eight; "))
    page.locator(".fl-view-tab[data-view=label]").click()
    LabelPage(page, shared_pool).wait_ready()
    theirs.post("classes", add="mole")
    page.locator(".fl-view-tab[data-view=explore]").click()
    expect(names.last).to_have_text("mole")


def test_sounds_play_as_in_label(page: "Page", sounds_and_pictures: str) -> None:
    become_guest(page.context, sounds_and_pictures)
    sounds = ExplorePage(page, sounds_and_pictures, "audio").open()
    sounds.expect_total(36)
    sounds.focus(0)
    sounds.key(" ")
    expect(sounds.card(0).locator(".fl-play")).to_have_attribute("data-state", re.compile("playing|loading"))
    sounds.key(" ")
    expect(sounds.card(0).locator(".fl-play")).to_have_attribute("data-state", "stopped")
    sounds.card(1).locator(".fl-play").click()
    expect(sounds.card(1).locator(".fl-play")).to_have_attribute("data-state", re.compile("playing|loading"))
    sounds.card(2).locator(".fl-picture").click(position={"x": 20, "y": 20})
    expect(sounds.card(2).locator(".fl-play")).to_have_attribute("data-state", re.compile("playing|loading"))
    expect(sounds.card(1).locator(".fl-play")).to_have_attribute("data-state", "stopped")
