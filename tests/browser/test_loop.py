"""The loop as a person goes through it: load, label, submit, train, better suggestions, until all is labeled."""

import io

from PIL import Image, ImageStat

from tests.browser.conftest import BATCH_SIZE, CLASSES, Visit
from tests.browser.label_page import LabelPage, expect, true_class

SHEET_SIZE = """async (tile) => {
  const picture = new Image();
  picture.src = getComputedStyle(tile).backgroundImage.slice(5, -2);
  await picture.decode();
  return [picture.naturalWidth, picture.naturalHeight];
}"""
PLACES = """(cards) => {
  const frame = cards.getBoundingClientRect();
  return [...cards.querySelectorAll(".fl-tile")].map((tile) => {
    const box = tile.getBoundingClientRect();
    return [box.x - frame.x + box.width / 2, box.y - frame.y + box.height / 2];
  });
}"""
CHANNELS = ("red", "green", "blue")


def label_by_menu(page: LabelPage, *indices: int) -> dict[str, str]:
    """Labels cards as their folders say, and returns those labels."""
    ids = page.item_ids()
    for index in indices:
        page.menu(index).select_option(label=true_class(ids[index]))
    return {ids[index]: true_class(ids[index]) for index in indices}


def test_the_first_batch_comes_by_itself(visit: Visit) -> None:
    page = visit()
    expect(page.cards).to_have_count(BATCH_SIZE)
    expect(page.cards.nth(0)).to_be_focused()
    expect(page.number("labeled")).to_have_text("0")
    expect(page.number("unlabeled")).to_have_text("120")
    assert page.item_ids() == [item["id"] for item in page.rest.get("next_batch")["items"]]


def test_every_card_has_a_picture_and_a_menu_of_all_classes(visit: Visit) -> None:
    page = visit()
    for index in range(BATCH_SIZE):
        expect(page.cards.nth(index).locator(".fl-tile")).to_be_visible()
        assert page.menu(index).locator("option").all_text_contents() == ["—", *CLASSES]
    sheets = page.grid.locator(".fl-tile").evaluate_all("(tiles) => tiles.map((t) => t.style.backgroundImage)")
    assert len(sheets) == BATCH_SIZE
    assert len(set(sheets)) == 1
    assert page.grid.locator(".fl-tile").first.evaluate(SHEET_SIZE) == [10 * 24, 2 * 24]


def test_each_card_shows_the_picture_of_its_own_item(visit: Visit) -> None:
    page = visit()
    cards = page.grid.locator(".fl-cards")
    screenshot = Image.open(io.BytesIO(cards.screenshot())).convert("RGB")
    for (x, y), item_id in zip(cards.evaluate(PLACES), page.item_ids(), strict=True):
        means = ImageStat.Stat(screenshot.crop((int(x) - 20, int(y) - 20, int(x) + 20, int(y) + 20))).mean
        assert CHANNELS[means.index(max(means))] == item_id.split("/")[0]


def test_a_card_shows_the_suggestion_with_its_confidence_once_there_is_a_head(visit: Visit) -> None:
    page = visit(labeled=30)
    batch = page.rest.get("next_batch")
    cards = dict(zip(page.item_ids(), page.cards.all(), strict=True))  # they stand in groups
    assert cards.keys() == {item["id"] for item in batch["items"]}
    for item in batch["items"]:
        card = cards[item["id"]]
        expect(card.locator(".fl-chip bdi")).to_have_text(item["prediction"]["label"])
        percent = int((card.locator(".fl-chip-percent").text_content() or "").removesuffix(" %"))
        assert abs(percent - 100 * item["prediction"]["confidence"]) <= 1
    assert page.labels() == {}, "a suggestion is not a label"
    expect(page.grid.locator(".fl-batch")).to_contain_text("suggestions of head v1")


def test_a_label_chosen_in_the_menu_is_stored_and_gives_the_keys_back(visit: Visit) -> None:
    page = visit()
    ids = page.item_ids()
    page.menu(3).click()
    page.menu(3).select_option(label="c7")
    page.key("ArrowRight", "2")
    assert page.labels() == {ids[3]: "c7", ids[4]: "c1"}
    page.submit()
    assert page.rest.stored() == {ids[3]: "c7", ids[4]: "c1"}


def test_a_label_is_taken_back_in_the_menu(visit: Visit) -> None:
    page = visit()
    page.menu(0).select_option(label="c7")
    page.menu(0).select_option(label="—")
    assert page.labels() == {}
    expect(page.cards.nth(0)).to_have_attribute("data-state", "open")


def test_the_states_of_a_card_differ_in_words_and_not_in_colour_alone(visit: Visit) -> None:
    page = visit(labeled=30)
    suggested = CLASSES.index(page.suggestions()[page.item_ids()[0]])
    page.key("Enter", "0")
    accepted, changed, still_open = (page.cards.nth(index) for index in range(3))
    expect(accepted.locator(".fl-badge")).to_have_text("✓")
    expect(changed.locator(".fl-badge")).to_contain_text("changed")
    expect(still_open.locator(".fl-badge")).to_be_empty()
    expect(accepted).to_have_attribute("aria-label", f"{accepted.get_attribute('aria-label')}")
    assert f"accepted: {CLASSES[suggested]}" in (accepted.get_attribute("aria-label") or "")
    assert "changed: c9" in (changed.get_attribute("aria-label") or "")
    assert "not labeled" in (still_open.get_attribute("aria-label") or "")


def test_cards_without_a_label_go_back_to_the_pool(visit: Visit) -> None:
    page = visit()
    labels = label_by_menu(page, 0, 1)
    left = set(page.item_ids()) - labels.keys()
    page.submit()
    assert page.rest.stored() == labels
    page.set_batch_size(118)
    page.next()
    assert left <= set(page.item_ids())
    assert not labels.keys() & set(page.item_ids())


def test_submit_without_a_label_says_so_and_sends_nothing(visit: Visit) -> None:
    page = visit()
    sent: list[str] = []
    page.page.on("request", lambda request: sent.append(request.method))
    batch = page.batch_id()
    page.key("s")
    expect(page.message).to_contain_text("Label at least one card first")
    page.button("submit").click()
    assert "POST" not in sent
    assert (page.batch_id(), page.rest.stored()) == (batch, {})


def test_loading_the_next_batch_submits_the_labels_on_screen_first(visit: Visit) -> None:
    page = visit()
    labels = label_by_menu(page, 0, 5)
    page.next()
    assert page.rest.stored() == labels
    expect(page.message).to_contain_text("Submitted 2 labels first")


def test_suggestions_after_30_labels_are_far_better_than_chance(visit: Visit) -> None:
    page = visit()
    for _ in range(3):
        label_by_menu(page, *range(10))
        page.submit()
    page.button("train").click()
    page.wait_head()
    page.set_batch_size(60)
    page.choose_strategy("random")
    page.next()
    suggestions = page.suggestions()
    right = sum(true_class(item_id) == name for item_id, name in suggestions.items())
    assert len(suggestions) == 60
    assert right / 60 > 0.7, "chance is 0.1 of ten classes, 0.33 of the three in use"


def test_a_pool_can_be_labeled_to_its_end(visit: Visit) -> None:
    page = visit(opened=False)
    page.rest.label(110)
    page.open()
    expect(page.cards).to_have_count(10)
    label_by_menu(page, *range(10))
    page.key("s")
    expect(page.empty).to_contain_text("Every item is labeled")
    expect(page.empty).to_contain_text("Export")
    expect(page.number("labeled")).to_have_text("120")
    expect(page.number("unlabeled")).to_have_text("0")
    assert len(page.rest.stored()) == 120
    page.key("u")
    page.wait_ready()
    assert len(page.labels()) == 10
    assert len(page.rest.stored()) == 110


def test_a_menu_has_its_classes_when_it_is_reached_by_key_or_pointer_before_the_page_was_idle(visit: Visit) -> None:
    page = visit()
    page.page.evaluate("window.requestIdleCallback = () => 0")
    page.next()
    names = ["—", *CLASSES]
    assert page.menu(5).locator("option").all_inner_texts() == ["—"]
    page.menu(0).focus()
    assert page.menu(0).locator("option").all_inner_texts() == names
    page.page.keyboard.type("c7")
    page.menu(1).dispatch_event("pointerdown")
    assert page.menu(1).locator("option").all_inner_texts() == names
    page.key("Escape", "ArrowRight", "ArrowRight", "3")
    assert page.menu(2).input_value() == "2"
    assert page.menu(2).locator("option").all_inner_texts() == ["c2"], "a label alone fills no menu"
    assert list(page.labels().values()) == ["c7", "c2"]
