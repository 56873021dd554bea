"""Two people in two browsers: a batch that is taken back, disagreements that a reviewer decides, the limit of labels."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import NewContext, become_guest, serve
from tests.browser.label_page import LabelPage, Rest, expect
from tests.pools import make_config, wait_for, write_pictures

if TYPE_CHECKING:
    from playwright.sync_api import Locator

LIMIT = 14


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that all visitors share, where every labeled item is asked about again."""
    folder = tmp_path_factory.mktemp("opinions")
    settings = {"second_opinions": 1.0, "batch_size": 12, "train_every": 1000, "labels_per_person": LIMIT}
    app, address = serve(folder / "work", make_config(write_pictures(folder / "pictures", 20), **settings))
    yield address
    app.close()


def view(page: LabelPage, name: str) -> "Locator":
    """A view of the project's tab, opened by its address."""
    page.page.evaluate(f"location.hash = 'view={name}'")
    return page.page.locator(f"#fl-grid-images .fl-{name}")


def label_all(person: Rest, label: str, size: int) -> list[str]:
    batch = person.get("next_batch", size=size, fresh=True)
    ids = [item["id"] for item in batch["items"]]
    person.post("submit_labels", batch_id=batch["batch_id"], labels=[{"id": one, "label": label} for one in ids])
    return ids


def test_who_holds_what_is_shown_and_taken_back_and_the_labels_of_that_page_still_count(
    new_context: NewContext, served: str
) -> None:
    ann, bob = (LabelPage(new_context().new_page(), served).open() for _ in range(2))
    bobs_name = bob.rest.status()["annotator"]
    bob.key("1", "2")
    labels = bob.labels()
    row = view(ann, "progress").locator(".fl-progress-people tr", has_text=bobs_name)
    expect(row).to_contain_text("12 items, now")
    row.get_by_role("button", name="Give back").click()
    expect(row).to_have_count(0)
    bob.poll()
    annas_name = ann.rest.status()["annotator"]
    expect(bob.message).to_contain_text(f"{annas_name} gave your batch back")
    assert bob.labels() == labels, "what was answered stays on screen"
    bob.submit()
    assert labels.items() <= ann.rest.stored().items()


def test_disagreements_are_decided_blind_then_both_answers_are_shown_and_undo_takes_it_back(
    new_context: NewContext, served: str
) -> None:
    people = [new_context() for _ in range(3)]
    for one in people:
        become_guest(one, served)
    first, second, reviewer = (Rest(one, served) for one in people)
    ids = label_all(first, "red", 6)
    wait_for(lambda: second.status()["second_opinions"]["for_annotator"] >= len(ids))
    asked = label_all(second, "blue", 30)
    assert set(ids) <= set(asked)
    names = {one.status()["annotator"]: label for one, label in ((first, "red"), (second, "blue"))}

    page = LabelPage(people[2].new_page(), served).open()
    part = view(page, "progress").locator(".fl-progress-agreement")
    expect(part.locator(".fl-agreement-overall")).to_contain_text("items that several people judged")
    expect(part.locator(".fl-agreement-limit")).to_contain_text("no head can be measured much above")
    waiting = reviewer.get("adjudication")["waiting"]
    part.get_by_role("link", name=f"{waiting} items to decide").click()
    queue = page.page.locator("#fl-grid-images .fl-adjudication")
    expect(queue.locator(".fl-adjudication-shown img")).to_be_visible()
    expect(queue.locator(".fl-adjudication-said")).to_be_hidden()
    expect(page.page.locator("#fl-grid-images .fl-view-tab[data-view=adjudication]")).to_be_visible()

    shown = queue.locator("img").get_attribute("alt")
    queue.get_by_role("button", name="Later").click()
    expect(queue.locator("img")).not_to_have_attribute("alt", shown or "")
    item_id = queue.locator("img").get_attribute("alt") or ""
    queue.get_by_role("button", name="green").click()
    for name, label in names.items():
        expect(queue.locator(".fl-adjudication-said")).to_contain_text(f"{name}: {label}")
    expect(queue.locator(".fl-adjudication-note")).to_have_text("Your answer stands: green.")
    [stands] = reviewer.post("items", query={"ids": [item_id]})["items"]
    assert (stands["label"], stands["source"]) == ("green", "review")

    queue.get_by_role("button", name="Undo").click()
    expect(queue.locator(".fl-adjudication-count")).to_contain_text(f"{waiting} items to decide")
    assert reviewer.get("adjudication")["waiting"] == waiting
    queue.get_by_role("button", name="Bad item").click()
    expect(queue.locator(".fl-adjudication-note")).to_have_text("Your answer stands: Bad item.")
    queue.get_by_role("button", name="Next").click()
    expect(queue.locator(".fl-adjudication-count")).to_contain_text(f"{waiting - 1} items to decide")
    expect(queue.locator(".fl-adjudication-said")).to_be_hidden()


def test_at_the_limit_of_labels_a_person_the_page_says_so_and_goes_on_when_asked(
    new_context: NewContext, served: str
) -> None:
    context = new_context()
    become_guest(context, served)
    label_all(Rest(context, served), "red", LIMIT)
    page = LabelPage(context.new_page(), served)
    page.page.goto(served)
    expect(page.empty).to_contain_text("You gave as many labels as are asked of one person")
    page.poll()
    expect(page.cards).to_have_count(0)
    page.empty.get_by_role("button", name="Go on").click()
    page.wait_ready()
    assert len(page.item_ids()) > 0
