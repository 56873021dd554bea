"""Every key of the labelling page, on screen and on the server."""

import pytest

from tests.browser.conftest import BATCH_SIZE, CLASSES, Visit
from tests.browser.label_page import expect

DIGITS = "1234567890"


def test_each_digit_labels_the_current_card_and_moves_on(visit: Visit) -> None:
    page = visit()
    ids = page.item_ids()
    for index, digit in enumerate(DIGITS):
        assert page.current() == index
        page.key(digit)
    wanted = dict(zip(ids, CLASSES, strict=False))
    assert page.labels() == wanted
    page.submit()
    assert page.rest.stored() == wanted


def test_a_digit_is_known_on_the_number_pad_and_on_a_french_keyboard(visit: Visit) -> None:
    page = visit()
    for index, (key, code) in enumerate([("3", "Numpad3"), ('"', "Digit3"), ("3", "")]):
        page.cards.nth(index).dispatch_event("keydown", {"key": key, "code": code, "bubbles": True})
    assert list(page.labels().values()) == ["c2", "c2", "c2"]


def test_enter_accepts_the_suggestion_and_moves_on(visit: Visit) -> None:
    page = visit(labeled=30)
    first = page.item_ids()[0]
    suggested = page.suggestions()[first]
    page.key("Enter")
    assert page.labels() == {first: suggested}
    assert page.current() == 1
    page.submit()
    assert page.rest.stored()[first] == suggested


def test_enter_without_a_suggestion_labels_nothing_and_says_why(visit: Visit) -> None:
    page = visit()
    page.key("Enter")
    assert page.labels() == {}
    expect(page.message).to_contain_text("no suggestion yet")


def test_shift_enter_accepts_the_rest_and_leaves_what_was_labeled(visit: Visit) -> None:
    page = visit(labeled=30)
    suggestions = page.suggestions()
    first = page.item_ids()[0]
    page.wait_seen(BATCH_SIZE)
    page.key("9", "Shift+Enter")
    wanted = {**suggestions, first: "c8"}
    assert page.labels() == wanted
    page.submit()
    assert wanted.items() <= page.rest.stored().items()


@pytest.mark.parametrize("key", ["Backspace", "Delete"])
def test_backspace_and_delete_clear_the_current_card(visit: Visit, key: str) -> None:
    page = visit()
    second = page.item_ids()[1]
    page.key("1", "2", "ArrowLeft", "ArrowLeft", key)
    assert page.labels() == {second: "c1"}
    page.submit()
    assert page.rest.stored() == {second: "c1"}


def test_shift_backspace_clears_all_cards_and_u_brings_them_back(visit: Visit) -> None:
    page = visit()
    page.key("1", "2", "3")
    labels = page.labels()
    page.key("Shift+Backspace")
    assert page.labels() == {}
    page.key("u")
    assert page.labels() == labels


def test_the_arrows_move_in_the_grid_and_stop_at_its_edges(visit: Visit) -> None:
    page = visit()
    columns = page.columns()
    assert 2 <= columns < BATCH_SIZE
    moves = [("ArrowUp", 0), ("ArrowLeft", 0), ("ArrowRight", 1), ("ArrowDown", columns + 1), ("ArrowLeft", columns)]
    moves += [("ArrowUp", 0), ("ArrowDown", columns), ("ArrowDown", BATCH_SIZE - 1), ("ArrowRight", BATCH_SIZE - 1)]
    for key, position in moves:
        page.key(key)
        assert (key, page.current()) == (key, position)
    expect(page.cards.nth(BATCH_SIZE - 1)).to_be_focused()


def test_home_and_end_go_to_the_first_and_the_last_card(visit: Visit) -> None:
    page = visit()
    page.key("End")
    expect(page.cards.nth(BATCH_SIZE - 1)).to_be_focused()
    page.key("Home")
    expect(page.cards.nth(0)).to_be_focused()


def test_space_enlarges_the_picture_and_closes_it_again(visit: Visit) -> None:
    page = visit()
    page.key("ArrowRight", "Space")
    expect(page.zoom).to_be_visible()
    expect(page.zoom).to_contain_text(page.item_ids()[1])
    expect(page.zoom.locator("img")).to_be_visible()
    assert page.zoom.locator("img").evaluate("(picture) => picture.naturalWidth") == 24
    page.key("Space")
    expect(page.zoom).to_be_hidden()
    expect(page.cards.nth(1)).to_be_focused()


def test_z_enlarges_the_picture_and_closes_it_again(visit: Visit) -> None:
    page = visit()
    page.key("z")
    expect(page.zoom).to_contain_text(page.item_ids()[0])
    page.key("z")
    expect(page.zoom).to_be_hidden()


def test_the_keys_of_sounds_do_nothing_and_are_not_listed_among_pictures(visit: Visit) -> None:
    page = visit()
    page.key("p", "l", ",", ".")
    expect(page.message).to_be_empty()
    expect(page.grid.locator(".fl-sound-bar")).to_have_count(0)
    page.key("?")
    expect(page.help).to_contain_text("enlarge the picture, and back")
    expect(page.help).not_to_contain_text("sound")


def test_escape_closes_the_enlarged_picture_where_the_labelling_has_come_to(visit: Visit) -> None:
    page = visit()
    page.key("Space", "3", "4")
    expect(page.zoom).to_contain_text(page.item_ids()[2])
    page.key("Escape")
    expect(page.zoom).to_be_hidden()
    expect(page.cards.nth(2)).to_be_focused()
    assert list(page.labels().values()) == ["c2", "c3"]


def test_the_enlarged_view_goes_on_with_the_next_batch(visit: Visit) -> None:
    page = visit()
    page.key("Space", "1")
    labels = page.labels()
    page.submit()
    assert page.rest.stored() == labels
    expect(page.zoom).to_be_visible()
    expect(page.zoom).to_contain_text(f"1 of {BATCH_SIZE} · {page.item_ids()[0]}")
    page.key("2")
    assert page.labels() == {page.item_ids()[0]: "c1"}


def test_s_submits_only_the_cards_with_a_label_and_the_next_batch_follows(visit: Visit) -> None:
    page = visit()
    ids = page.item_ids()
    page.key("1", "2")
    page.submit()
    assert page.rest.stored() == {ids[0]: "c0", ids[1]: "c1"}
    expect(page.number("labeled")).to_have_text("2")
    expect(page.number("unlabeled")).to_have_text("118")
    expect(page.cards).to_have_count(BATCH_SIZE)
    assert not {ids[0], ids[1]} & set(page.item_ids())
    expect(page.message).to_contain_text("Submitted 2 labels")


def test_n_loads_other_items(visit: Visit) -> None:
    page = visit()
    before = page.item_ids()
    page.next()
    assert page.item_ids() != before
    assert page.rest.stored() == {}


def test_u_takes_back_the_changes_on_screen_one_by_one(visit: Visit) -> None:
    page = visit()
    ids = page.item_ids()
    page.key("1", "2", "u")
    assert page.labels() == {ids[0]: "c0"}
    assert page.current() == 1
    page.key("u")
    assert page.labels() == {}
    assert page.current() == 0


def test_u_brings_a_submitted_batch_back_with_its_labels(visit: Visit) -> None:
    page = visit()
    page.key("4", "5", "6")
    labels = page.labels()
    page.submit()
    assert page.rest.stored() == labels
    after = page.batch_id()
    page.key("u")
    page.wait_ready(after=after)
    assert page.labels() == labels
    assert page.rest.stored() == {}
    expect(page.number("labeled")).to_have_text("0")


def test_the_question_mark_shows_every_key_and_closes_again(visit: Visit) -> None:
    page = visit()
    page.key("?")
    expect(page.help).to_be_visible()
    for key in ("1", "Enter", "Shift", "Backspace", "← → ↑ ↓", "Home", "End", "Space", "z", "s", "n", "u"):
        expect(page.help.get_by_text(key).first).to_be_visible()
    page.key("1", "?")
    expect(page.help).to_be_hidden()
    assert page.labels() == {}


def test_keys_with_a_modifier_are_left_to_the_browser(visit: Visit) -> None:
    page = visit()
    page.key("1")
    batch, labels = page.batch_id(), page.labels()
    for modifier in ("Control", "Alt", "Meta"):
        page.key(*(f"{modifier}+{key}" for key in ("2", "Backspace", "Enter", "s", "n", "u", "?")))
    assert (page.labels(), page.batch_id(), page.current()) == (labels, batch, 1)
    expect(page.help).to_be_hidden()
    assert page.rest.stored() == {}


def test_keys_do_nothing_while_a_class_menu_has_the_focus(visit: Visit) -> None:
    page = visit()
    page.key("1")
    batch, labels = page.batch_id(), page.labels()
    page.menu(1).focus()
    page.key("2", "s", "n", "u", "Backspace", "Delete")
    assert (page.labels(), page.batch_id()) == (labels, batch)
    assert page.rest.stored() == {}


def test_keys_do_nothing_while_the_batch_size_is_typed(visit: Visit) -> None:
    page = visit()
    field = page.page.locator("#fl-size-images input")
    field.focus()
    field.press("Control+a")
    page.key("2", "4", "s", "n", "u", "Enter")
    assert (page.labels(), page.rest.stored()) == ({}, {})
    expect(field).to_have_value("24")


def test_escape_in_a_class_menu_gives_the_keys_back_to_the_grid(visit: Visit) -> None:
    page = visit()
    page.menu(0).focus()
    page.key("Escape")
    expect(page.cards.nth(0)).to_be_focused()
    page.key("3")
    assert list(page.labels().values()) == ["c2"]


def test_s_pressed_twice_stores_once(visit: Visit) -> None:
    page = visit()
    ids, before = page.item_ids(), page.batch_id()
    page.key("1", "s", "s")
    page.wait_ready(after=before)
    assert page.rest.stored() == {ids[0]: "c0"}
    assert page.rest.post("undo")["undone"] == 1
    assert page.rest.post("undo")["undone"] == 0


def test_shift_with_an_arrow_up_or_down_selects_rows_and_the_equals_sign_enlarges(visit: Visit) -> None:
    page = visit()
    selected = page.grid.locator('.fl-card[data-selected="true"]')
    page.set_batch_size(60)
    page.next()
    columns = page.columns()
    page.key("Shift+ArrowDown")
    expect(selected).to_have_count(columns + 1)
    page.key("Shift+ArrowUp")
    expect(selected).to_have_count(1)
    page.key("Escape", "=", "=")
    assert page.columns() < columns
    page.key("z")
    page.zoom.locator('[data-action="close-zoom"]').click()
    expect(page.zoom).to_be_hidden()
    page.key("?")
    page.help.locator('[data-action="close-help"]').click()
    expect(page.help).to_be_hidden()


def test_a_key_that_is_held_types_nothing_into_what_it_opened_and_closes_nothing_again(visit: Visit) -> None:
    page = visit()
    for key, opened, field in (
        ("/", ".fl-palette", ".fl-palette-input"),
        ("c", ".fl-classes", ".fl-classes-name"),
        ("?", ".fl-help", ""),
    ):
        page.page.keyboard.down(key)
        expect(page.grid.locator(opened)).to_be_visible()
        for _ in range(3):
            page.page.keyboard.down(key)  # again while it is down: a repetition
        page.page.keyboard.up(key)
        expect(page.grid.locator(opened)).to_be_visible()
        if field:
            expect(page.grid.locator(field)).to_have_value("")
            page.key("x")
            expect(page.grid.locator(field)).to_have_value("x")
        page.key("Escape")


def test_a_key_of_a_class_is_chosen_by_what_it_types_in_latin_letters_or_by_its_digit(visit: Visit) -> None:
    page = visit()
    note, palette = page.grid.locator(".fl-palette-note"), page.grid.locator(".fl-palette-input")
    for typed, key in (({"key": "ц", "code": "KeyW"}, "w"), ({"key": "&", "code": "Digit1"}, "1")):
        page.key("/", "F2")
        palette.dispatch_event("keydown", {**typed, "bubbles": True})
        expect(note).to_contain_text(f"“{key}”")
        page.key("Escape")
    page.key("/", "F2")
    palette.dispatch_event("keydown", {"key": "ы", "code": "KeyS", "bubbles": True})
    expect(note).to_contain_text("“s” has a meaning already")
