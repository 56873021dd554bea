"""Labels by the group: headings, what is excluded, what nobody saw, and several cards selected at once."""

from tests.browser.conftest import BATCH_SIZE, Visit
from tests.browser.label_page import LabelPage, expect


def test_enter_on_a_heading_accepts_the_rest_of_what_was_seen(visit: Visit) -> None:
    page = visit(labeled=30)
    page.set_batch_size(90)
    page.page.set_viewport_size({"width": 1000, "height": 520})
    page.next()
    heads = page.grid.locator(".fl-group")
    name, count = heads.nth(0).locator(".fl-group-name").inner_text(), _group_sizes(page)[0]
    expect(heads.nth(0)).to_have_text(f"{name} · {count} · Enter accept the rest")
    confidences = page.grid.locator(".fl-chip-percent").all_inner_texts()[:count]
    assert confidences == sorted(confidences, key=lambda share: float(share.strip(" %")))
    page.page.wait_for_function("() => document.querySelectorAll('.fl-card[data-seen]').length >= 6")
    seen = page.grid.locator(".fl-card[data-seen]").count()
    assert seen < count
    page.cards.nth(1).locator(".fl-picture").click()
    page.key("ArrowRight", "x", "ArrowLeft", "3", "ArrowUp")
    expect(heads.nth(0)).to_be_focused()
    page.key("Enter")
    labels = page.labels()
    accepted = {item_id for item_id, label in labels.items() if label == name}
    assert len(accepted) >= seen - 2
    assert page.item_ids()[2] not in accepted, "it was excluded by key"
    assert labels[page.item_ids()[1]] == "c2", "it was corrected after a click had excluded it"
    expect(page.message).to_contain_text(f"Accepted {len(accepted)}, {count - len(accepted) - 1} left")
    expect(heads.nth(0)).to_contain_text(f"{count - len(accepted) - 1} left")  # the one that was left out among them
    unseen = page.grid.locator(".fl-card:not([data-seen])").evaluate_all(
        "(cards) => cards.map((c) => c.dataset.itemId)"
    )
    assert not set(unseen) & labels.keys()
    page.key("u")
    assert set(page.labels()) == {page.item_ids()[1]}
    page.key("Shift+U")
    assert page.labels() == labels
    page.submit()
    assert page.rest.stored().items() >= labels.items()
    assert len(page.rest.stored()) == 30 + len(labels)
    rows = {row["item_id"]: row["source"] for row in page.rest.get("export", format="json", states=True)}
    assert {rows[item_id] for item_id in accepted} == {"group"}
    assert {rows[item_id] for item_id in labels.keys() - accepted} == {"person"}


def test_a_wrong_suggestion_is_corrected_by_one_press_on_what_is_next_most_probable(visit: Visit) -> None:
    page = visit(labeled=30)
    ids, suggested = page.item_ids(), page.suggestions()
    batch = page.rest.get("next_batch")
    said = {item["id"]: item["prediction"] for item in batch["items"]}
    page.cards.nth(2).locator(".fl-picture").hover()
    offered = page.cards.nth(2).locator(".fl-runner-up")
    likely = [batch["classes"][index] for index in said[ids[2]]["runners_up"]]
    assert suggested[ids[2]] not in likely
    assert offered.all_inner_texts() == likely
    offered.first.click()
    assert page.labels() == {ids[2]: likely[0]}
    expect(offered).to_have_text([suggested[ids[2]], *likely[1:]])  # the way back
    page.cards.nth(3).locator(".fl-picture").hover()
    expect(offered).to_have_count(0)
    page.key("u")
    assert page.labels() == {}
    page.cards.nth(2).locator(".fl-picture").click(position={"x": 20, "y": 20})
    expect(page.cards.nth(2)).to_have_attribute("data-excluded", "true")


def test_a_click_on_the_middle_of_a_card_of_any_size_leaves_it_out_and_labels_nothing(visit: Visit) -> None:
    page = visit(labeled=30)
    offered = page.cards.nth(2).locator(".fl-runner-up")
    resize = "(sizePx) => fastlabel.views.images.places.get('label').mounted.look.set('sizePx', sizePx)"
    for size in (72, 90, 108, 140, 200, 320):
        page.page.evaluate(resize, size)
        page.cards.nth(3).hover()
        page.cards.nth(2).hover()
        expect(offered.first).to_be_attached()
        box, row = page.cards.nth(2).bounding_box(), page.cards.nth(2).locator(".fl-runners-up").bounding_box()
        assert box, row
        assert not row["height"] or row["y"] > box["y"] + box["height"] / 2, (size, box, row)
        assert (row["height"] >= 20) == (size >= 90), "one is offered wherever there is room"
    page.page.evaluate(resize, 108)
    page.cards.nth(3).hover()
    page.cards.nth(2).hover()
    page.page.wait_for_timeout(300)  # until what is offered can be pressed
    page.cards.nth(2).click()
    assert page.labels() == {}
    expect(page.cards.nth(2)).to_have_attribute("data-excluded", "true")


def test_shift_enter_accepts_what_was_seen_and_brings_up_the_rest(visit: Visit) -> None:
    page = visit(labeled=30)
    page.set_batch_size(90)
    page.page.set_viewport_size({"width": 1000, "height": 520})
    page.next()
    presses = 0
    while len(page.labels()) < 90 and presses < 30:
        before = len(page.labels())
        page.page.wait_for_function(
            """(before) => document.querySelectorAll('.fl-card[data-seen]').length > before
            && [...document.querySelectorAll('.fl-card:not([data-seen])')].every((card) => {
              const { top, height } = card.getBoundingClientRect();
              return top + height / 2 > innerHeight - 40 || top + height / 2 < 0;
            })""",
            arg=before,
        )
        seen = page.grid.locator(".fl-card[data-seen]").count()
        page.key("Shift+Enter")
        assert len(page.labels()) >= seen, "nothing that was looked at is left"
        presses += 1
    assert len(page.labels()) == 90
    assert presses <= 15, "a press a window, no turn of the wheel"


def test_a_accepts_the_group_of_the_card_and_g_takes_the_groups_away(visit: Visit) -> None:
    page = visit(labeled=30)
    sizes, ids = _group_sizes(page), page.item_ids()
    assert sum(sizes) == BATCH_SIZE
    page.wait_seen(BATCH_SIZE)
    page.key("a")
    assert list(page.labels()) == ids[: sizes[0]]
    expect(page.grid.locator(".fl-group").nth(1)).to_be_focused()
    page.key("u", "g")
    expect(page.grid.locator(".fl-group")).to_have_count(0)
    assert sorted(page.item_ids()) == sorted(ids)
    assert page.item_ids() == [item["id"] for item in page.rest.get("next_batch")["items"]]


def test_several_cards_are_selected_in_every_way_and_get_one_label(visit: Visit) -> None:
    page = visit(labeled=30)
    page.key("g")
    page.wait_seen(BATCH_SIZE)
    ids = page.item_ids()
    page.cards.nth(1).locator(".fl-picture").click()
    page.cards.nth(3).locator(".fl-picture").click(modifiers=["Shift"])
    assert _selected(page) == ids[1:4]
    page.cards.nth(2).locator(".fl-picture").click(modifiers=["Control"])
    page.cards.nth(5).locator(".fl-picture").click(modifiers=["ControlOrMeta"])
    assert _selected(page) == [ids[1], ids[3], ids[5]]
    page.key("7")
    assert page.labels() == dict.fromkeys((ids[1], ids[3], ids[5]), "c6")
    assert _selected(page) == []
    page.key("u", "Home", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowLeft")
    assert (page.labels(), _selected(page)) == ({}, ids[:2])
    page.key("Escape")
    assert _selected(page) == []
    _drag(page, 0, 2, with_alt=True)
    assert _selected(page) == ids[:3]
    page.key("Enter")
    suggestions = page.suggestions()
    assert page.labels() == {item_id: suggestions[item_id] for item_id in ids[:3]}
    page.key("Shift+Backspace")
    _drag(page, 1, 2, with_alt=False)
    assert _selected(page) == ids[1:3]
    page.key("Backspace", "g")
    slider = page.grid.locator(".fl-above").first
    slider.fill("50")
    group = _group_sizes(page)[0]
    above = page.grid.locator(".fl-chip-percent").evaluate_all("(nodes) => nodes.map((n) => parseInt(n.textContent))")
    assert len(_selected(page)) == sum(share >= 50 for share in above[:group])
    expect(page.message).to_contain_text("selected")


def _selected(page: LabelPage) -> list[str]:
    cards = page.grid.locator(".fl-card[data-selected=true]")
    ids: list[str] = cards.evaluate_all("(cards) => cards.map((card) => card.dataset.itemId)")
    return ids


def _group_sizes(page: LabelPage) -> list[int]:
    counts = page.grid.locator(".fl-group-count").all_inner_texts()
    return [int(count.split(" ")[-1]) for count in counts]


def _drag(page: LabelPage, first: int, last: int, *, with_alt: bool) -> None:
    """Draws a rectangle over some cards of a row: from within the first one with Alt, or from the gap before it."""
    start, end = page.cards.nth(first).bounding_box(), page.cards.nth(last).bounding_box()
    assert start
    assert end
    if with_alt:
        page.page.keyboard.down("Alt")
    page.page.mouse.move(start["x"] + (20 if with_alt else -3), start["y"] + 20)
    page.page.mouse.down()
    page.page.mouse.move(end["x"] + 30, end["y"] + 40, steps=3)
    page.page.mouse.up()
    if with_alt:
        page.page.keyboard.up("Alt")
