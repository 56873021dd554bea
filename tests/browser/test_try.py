"""The view Try: a picture is dropped or a sound chosen, and what the head says of it is seen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.pools import write_pictures
from tests.served import served_here


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("try")
    write_pictures(folder / "pictures", per_class=8)
    return folder


@pytest.fixture(scope="module")
def address(place: Path) -> Iterator[str]:
    """A project of pictures without labels."""
    with served_here([str(place / "pictures"), "--encoder", "pixels"], place / "work") as address:
        yield address


def label_all(page: Page, address: str) -> None:
    """Every picture, as its folder says, by REST."""
    page.evaluate(
        """async (root) => {
          const post = (path, body) => fetch(root + path, {method: "POST", body: JSON.stringify(body),
            headers: {"Content-Type": "application/json"}}).then((answer) => answer.json());
          const batch = await (await fetch(root + "/api/next_batch?size=24&fresh=true")).json();
          const labels = batch.items.map(({id}) => ({id, label: id.split("/")[0]}));
          await post("/api/submit_labels", {batch_id: batch.batch_id, labels});
          await post("/api/train", {});
          while (!(await (await fetch(root + "/api/status")).json()).head.version)
            await new Promise((done) => setTimeout(done, 50));
        }""",
        address,
    )


def test_a_picture_is_chosen_and_its_class_and_its_like_are_shown(page: Page, address: str, place: Path) -> None:
    page.goto(f"{address}/#view=try")
    chooser = page.get_by_label("Choose a picture")
    picture = place / "pictures" / "red" / "0003.png"
    chooser.set_input_files(picture)
    expect(page.locator(".fl-try-note").filter(has_text="no trained head yet")).to_be_visible()
    label_all(page, address)
    chooser.set_input_files(picture)
    first = page.locator(".fl-try-classes li").first
    expect(first).to_contain_text("red")
    expect(first).to_contain_text("%")
    expect(page.locator(".fl-try-neighbour").first).to_contain_text("red")
    expect(page.locator(".fl-try-shown img")).to_be_visible()
    expect(page.get_by_role("button", name="Add it to the pool")).to_be_disabled()
    expect(page.get_by_text("sub-folders are the classes")).to_be_visible()
    (place / "broken.png").write_bytes(b"no picture")
    chooser.set_input_files(place / "broken.png")
    expect(page.locator(".fl-try-note[data-tone=error]")).to_be_visible()
    expect(page.locator(".fl-try-result")).to_be_hidden()
