"""Every button, menu and link of the page."""

import csv
import json
from pathlib import Path

import pytest

from tests.browser.conftest import BATCH_SIZE, Visit
from tests.browser.label_page import expect


def test_load_next_batch_brings_other_items(visit: Visit) -> None:
    page = visit()
    ids, before = page.item_ids(), page.batch_id()
    page.button("load").click()
    page.wait_ready(after=before)
    assert page.item_ids() != ids
    assert page.item_ids() == [item["id"] for item in page.rest.get("next_batch")["items"]]


@pytest.mark.parametrize("place", ["toolbar", "dock"])
def test_submit_stores_the_labels_and_the_next_batch_follows(visit: Visit, place: str) -> None:
    page = visit()
    page.key("1", "2")
    labels, before = page.labels(), page.batch_id()
    button = page.button("submit") if place == "toolbar" else page.grid.get_by_role("button", name="Submit 2")
    button.click()
    page.wait_ready(after=before)
    assert page.rest.stored() == labels
    expect(page.number("labeled")).to_have_text("2")


def test_undo_takes_back_the_last_change_then_the_last_submit(visit: Visit) -> None:
    page = visit()
    page.key("1")
    labels = page.labels()
    page.submit()
    page.key("2")
    page.button("undo").click()
    assert page.labels() == {}
    after = page.batch_id()
    page.button("undo").click()
    page.wait_ready(after=after)
    assert page.labels() == labels
    assert page.rest.stored() == {}
    page.submit()
    assert page.rest.stored() == labels


def test_undo_with_nothing_to_undo_says_so(visit: Visit) -> None:
    page = visit()
    page.button("undo").click()
    expect(page.message).to_contain_text("no submit to undo")


def test_train_now_trains_a_head_on_what_is_labeled(visit: Visit) -> None:
    page = visit(opened=False)
    page.rest.label(12)
    page.open()
    expect(page.grid.locator(".fl-head")).to_contain_text("no head yet")
    page.button("train").click()
    page.wait_head()
    expect(page.grid.locator(".fl-head")).to_contain_text("12 labels")
    assert page.rest.status()["head"]["labels"] == 12


def test_train_now_without_labels_says_what_is_missing(visit: Visit) -> None:
    page = visit()
    page.button("train").click()
    expect(page.grid.locator(".fl-head")).to_contain_text("at least two classes")


def test_the_batch_size_is_honoured(visit: Visit) -> None:
    page = visit()
    page.set_batch_size(5)
    page.next()
    expect(page.cards).to_have_count(5)
    assert len(page.rest.get("next_batch")["items"]) == 5


def test_the_strategy_is_honoured(visit: Visit) -> None:
    page = visit(labeled=12)
    for strategy in ("random", "representatives", "uherding"):
        page.choose_strategy(strategy)
        page.next()
        expect(page.grid.locator(".fl-batch")).to_contain_text(f"picked by {strategy}")
        assert page.rest.get("next_batch")["strategy"] == strategy


def test_a_strategy_that_needs_a_head_says_what_stands_in_for_it(visit: Visit) -> None:
    page = visit()
    page.choose_strategy("balanced_clustered_margin")
    page.next()
    expect(page.grid.locator(".fl-batch-notice")).to_contain_text("no trained head for 'balanced_clustered_margin' yet")
    expect(page.grid.locator(".fl-batch")).to_contain_text("picked by representatives")


def test_accept_all_and_accept_the_rest_label_every_open_card(visit: Visit) -> None:
    page = visit(labeled=30)
    suggestions = page.suggestions()
    page.key("9")
    page.grid.get_by_role("button", name=f"Accept {BATCH_SIZE - 1} more").click()
    assert page.labels() == {**suggestions, page.item_ids()[0]: "c8"}
    expect(page.grid.locator(".fl-dock-submit")).to_have_text(f"Submit {BATCH_SIZE}")


def test_a_click_on_a_suggestion_accepts_it(visit: Visit) -> None:
    page = visit(labeled=30)
    third = page.item_ids()[2]
    page.cards.nth(2).locator(".fl-chip").click()
    assert page.labels() == {third: page.suggestions()[third]}
    expect(page.cards.nth(2)).to_be_focused()


def test_a_click_on_a_picture_makes_it_the_current_card(visit: Visit) -> None:
    page = visit()
    page.cards.nth(4).locator(".fl-picture").click()
    page.key("6")
    assert page.labels() == {page.item_ids()[4]: "c5"}


def test_a_click_on_a_class_below_labels_the_current_card(visit: Visit) -> None:
    page = visit()
    page.key("ArrowRight")
    page.grid.locator(".fl-legend-class", has_text="c3").click()
    assert page.labels() == {page.item_ids()[1]: "c3"}
    expect(page.grid.locator(".fl-legend-class", has_text="c3").locator(".fl-legend-count")).to_have_text("1")


def test_the_enlarge_button_and_a_double_click_enlarge(visit: Visit) -> None:
    page = visit()
    page.cards.nth(2).hover()
    page.cards.nth(2).locator(".fl-zoom-button").click()
    expect(page.zoom).to_contain_text(page.item_ids()[2])
    page.zoom.get_by_role("button", name="Close").click()
    expect(page.zoom).to_be_hidden()
    page.cards.nth(3).locator(".fl-picture").dblclick()
    expect(page.zoom).to_contain_text(page.item_ids()[3])


def test_the_keys_button_opens_the_help_and_close_closes_it(visit: Visit) -> None:
    page = visit()
    page.grid.locator(".fl-help-button").click()
    expect(page.help).to_be_visible()
    page.help.get_by_role("button", name="Close").click()
    expect(page.help).to_be_hidden()


def test_the_export_links_download_every_label(visit: Visit, tmp_path: Path) -> None:
    page = visit()
    page.key("1", "2", "3")
    labels = page.labels()
    page.submit()
    page.grid.locator(".fl-export summary").click()
    for format in ("csv", "json", "jsonl"):
        download = page.download(f"Labels as {format.upper()}")
        assert download.suggested_filename == f"images-labels.{format}"
        download.save_as(tmp_path / "labels")
        rows = _rows(tmp_path / "labels", format)
        assert {row["item_id"]: row["label"] for row in rows} == labels
        assert {row["annotator"] for row in rows} == {page.rest.status()["annotator"]}


def test_the_trained_head_can_be_downloaded_and_opened(visit: Visit, tmp_path: Path) -> None:
    from fastlabel_gradio.head import load_head

    page = visit(labeled=30)
    page.grid.locator(".fl-export summary").click()
    download = page.download("Trained head")
    assert download.suggested_filename == "images-head.safetensors"
    download.save_as(tmp_path / "head.safetensors")
    assert load_head(tmp_path / "head.safetensors").info.label_count == 30


def test_a_trained_head_is_offered_only_once_there_is_one(visit: Visit) -> None:
    page = visit()
    page.grid.locator(".fl-export summary").click()
    expect(page.grid.get_by_role("link", name="Labels as CSV")).to_be_visible()
    expect(page.grid.get_by_role("link", name="Trained head")).to_be_hidden()


def test_a_click_elsewhere_closes_the_export_menu(visit: Visit) -> None:
    page = visit()
    menu = page.grid.locator(".fl-export .fl-menu-body")
    page.grid.locator(".fl-export summary").click()
    expect(menu).to_be_visible()
    page.grid.locator(".fl-batch").click()
    expect(menu).to_be_hidden()


def _rows(path: Path, format: str) -> list[dict[str, str]]:
    text = path.read_text(encoding="utf-8-sig")
    if format == "csv":
        return list(csv.DictReader(text.splitlines()))
    if format == "json":
        return list(json.loads(text))
    return [json.loads(line) for line in text.splitlines()]


def test_the_export_menu_lists_every_format_that_pictures_can_have_in_words(visit: Visit) -> None:
    page = visit()
    page.grid.locator(".fl-export summary").click()
    assert page.grid.locator(".fl-export a:visible").all_text_contents() == [
        "Labels as CSV",
        "Labels as a Hugging Face folder",
        "Labels as Hugging Face Parquet files, media inside",
        "Labels as JSON",
        "Labels as JSONL",
        "Labels as Label Studio tasks",
        "Labels as Parquet",
        "Labels as folders, one a class",
    ]
