"""What the page says where there is no batch, and that the batch comes by itself once there can be one."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fastlabel_gradio.encoders.base import ENCODERS, EncoderOptions
from tests.browser.conftest import NewContext, Serving
from tests.browser.label_page import LabelPage, expect
from tests.pools import PixelEncoder, make_config, write_pictures

if TYPE_CHECKING:
    from playwright.sync_api import Page

GATE = threading.Event()


@ENCODERS["image"].register("gated_pixels")
class GatedEncoder(PixelEncoder):
    """Takes as long to load as the test wants."""

    def __init__(self, options: EncoderOptions | None = None) -> None:
        super().__init__(options)
        assert GATE.wait(60)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Keeps the encoder from loading until it is set."""
    GATE.clear()
    yield GATE
    GATE.set()


def test_while_the_encoder_loads_the_page_says_so_and_the_first_batch_comes_by_itself(
    page: "Page", serving: Serving, tmp_path: Path, gate: threading.Event
) -> None:
    config = make_config(write_pictures(tmp_path / "pictures", 8), encoder="gated_pixels")
    visitor = LabelPage(page, serving(config, embed=False)[1])
    page.goto(visitor.address)
    expect(visitor.empty).to_contain_text("Getting ready")
    expect(visitor.empty).to_contain_text("Loading the encoder")
    expect(visitor.empty).to_contain_text("comes by itself")
    expect(visitor.grid.get_by_role("progressbar", name="Embedding")).to_be_visible()
    visitor.key("1", "s", "Enter", "ArrowDown")
    gate.set()
    visitor.wait_ready()
    expect(visitor.cards).to_have_count(24)
    expect(visitor.empty).to_be_hidden()
    assert visitor.rest.stored() == {}


def test_a_folder_with_no_readable_picture_says_what_to_do(page: "Page", serving: Serving, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "broken.png").write_bytes(b"no picture")
    config = make_config(tmp_path / "pictures", classes=("a", "b"))
    visitor = LabelPage(page, serving(config)[1])
    page.goto(visitor.address)
    expect(visitor.empty).to_contain_text("No pictures")
    expect(visitor.empty).to_contain_text("read")
    visitor.grid.get_by_text("1 unreadable").click()
    expect(visitor.grid.locator(".fl-unreadable-list")).to_contain_text("broken.png")


def test_where_others_hold_everything_the_page_waits_and_goes_on_by_itself(
    page: "Page", new_context: NewContext, serving: Serving, tmp_path: Path
) -> None:
    _, address = serving(make_config(write_pictures(tmp_path / "pictures", 8)))
    holder = LabelPage(new_context().new_page(), address).open()
    expect(holder.cards).to_have_count(24)
    visitor = LabelPage(page, address)
    page.goto(address)
    expect(visitor.empty).to_contain_text("Others are at work")
    expect(visitor.empty).to_contain_text("24 unlabeled items")
    holder.set_batch_size(4)
    holder.next()
    visitor.poll()
    visitor.wait_ready()
    expect(visitor.cards).to_have_count(20)
    assert not set(visitor.item_ids()) & set(holder.item_ids())


def test_a_broken_file_is_listed_with_its_reason_and_the_rest_can_be_labeled(
    page: "Page", serving: Serving, tmp_path: Path
) -> None:
    folder = write_pictures(tmp_path / "pictures", 4)
    (folder / "red" / "truncated.png").write_bytes((folder / "red" / "0000.png").read_bytes()[:60])
    (folder / "red" / "empty.jpg").write_bytes(b"")
    visitor = LabelPage(page, serving(make_config(folder))[1]).open()
    expect(visitor.cards).to_have_count(12)
    visitor.grid.get_by_text("2 unreadable").click()
    entries = visitor.grid.locator(".fl-unreadable-list li")
    expect(entries).to_have_count(2)
    for entry in visitor.rest.status()["unreadable"]:
        expect(entries.filter(has_text=entry["id"]).locator(".fl-reason")).to_have_text(entry["reason"])


def test_the_notice_of_a_stand_in_encoder_is_shown_and_stays_dismissed(
    page: "Page", serving: Serving, tmp_path: Path
) -> None:
    encoder = {"kind": "auto", "pretrained": str(tmp_path / "missing.pt")}
    config = make_config(write_pictures(tmp_path / "pictures", 8), encoder=encoder)
    visitor = LabelPage(page, serving(config)[1]).open()
    notice = visitor.grid.locator(".fl-notice")
    expect(notice).to_contain_text("Encoder 'pretrained' is used: expect lower accuracy than with CLIP")
    reason = notice.get_by_text("missing.pt")
    expect(reason).to_be_hidden()
    notice.get_by_text("why", exact=True).click()
    expect(reason).to_be_visible()
    notice.get_by_role("button", name="Dismiss").click()
    expect(notice).to_be_hidden()
    with page.expect_response("**/api/status*"):
        visitor.poll()
    expect(notice).to_be_hidden()
