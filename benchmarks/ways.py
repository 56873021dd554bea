"""Ways of labelling that a scripted person has, which `person.py` describes and compares."""

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.scripted_person import (
    _ALL_SEEN,
    _BESIDE,
    _CARDS,
    _SEEN,
    CELLS,
    CORNER,
    GLANCE_S,
    MISSED,
    MOST_WRONG,
    PROJECT,
    READ_S,
    Person,
)


def by_dropdown(person: Person) -> None:
    for card in person.cards():
        person.clock_s += READ_S
        menu = person.grid.locator(f".fl-card[data-index='{card['place']}'] select")
        person.mouse(menu.focus)  # opens it
        person.mouse(partial(menu.select_option, label=person.truth[card["id"]]))


def by_keys(person: Person) -> None:
    cards = [card for card in person.cards() if card["open"]]
    if cards:
        person.picture(cards[0]["id"]).focus()
        person.page.keyboard.press("Home")
    for card in cards:
        person.clock_s += READ_S
        _go_to(person, card)
        right = card["suggestion"] == person.truth[card["id"]]
        person.key("Enter" if right else person.class_key(card["id"]))


def _go_to(person: Person, card: dict[str, Any]) -> None:
    """A key has led there already, unless cards between were labeled before; then by a click, which excludes it as well."""
    current = person.grid.locator(".fl-card.fl-current").get_attribute("data-item-id")
    if current != card["id"]:
        person.mouse(person.picture(card["id"]).click)


def by_groups(person: Person) -> None:
    if not _groups(person.cards()):
        by_keys(person)
    while any(card["open"] for card in person.cards()):
        person.page.wait_for_function(_ALL_SEEN)
        seen = [card for card in person.cards() if card["open"] and card["seen"]]
        person.clock_s += GLANCE_S * len(seen)
        for card in filter(person.notices, seen):
            _correct(person, card)
        person.key("Shift+Enter", "accept")


def _correct(person: Person, card: dict[str, Any]) -> None:
    picture = person.picture(card["id"])
    picture.hover(position=CORNER)
    person.clock_s += READ_S
    offered = picture.locator(".fl-runner-up")
    names = offered.all_inner_texts()
    if person.truth[card["id"]] in names:
        person.mouse(offered.nth(names.index(person.truth[card["id"]])).click, "correct")
    else:
        person.mouse(partial(picture.click, position=CORNER), "correct")
        person.key(person.class_key(card["id"]), "correct")


def by_selecting(person: Person) -> None:
    for place, group in enumerate(_groups(person.cards())):
        _look_at(person, group)
        slider = person.grid.locator(f".fl-above[data-group='{place}']")
        person.mouse(partial(slider.fill, "50"))
        chosen = set(_ids(person.grid.locator(".fl-card[data-selected=true]")))
        wrong = [card for card in group if card["id"] in chosen and person.notices(card)]
        for card in wrong:
            person.mouse(partial(person.picture(card["id"]).click, modifiers=["Control"]))
        if len(wrong) < len(chosen):
            slider.evaluate("(node) => node.blur()")
            person.key("Enter")
    by_keys(person)


def _groups(cards: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The cards by what is suggested for them; none while a card has no suggestion."""
    if not all(card["suggestion"] for card in cards):
        return []
    groups: dict[str, list[dict[str, Any]]] = {}
    for card in cards:
        groups.setdefault(card["suggestion"], []).append(card)
    return list(groups.values())


def _look_at(person: Person, group: list[dict[str, Any]]) -> None:
    """Scrolls through a group, one turn of the wheel a window, until all of it was in view for long enough."""
    left = [card["id"] for card in group]
    while left:
        in_view = person.page.evaluate(_BESIDE, [left[0], left]) or left[:1]
        if len(in_view) < len(left):
            person.mouse(lambda: None, "turn the wheel")
        person.waits(partial(person.page.wait_for_function, _SEEN, arg=in_view), GLANCE_S * len(in_view))
        left = [one for one in left if one not in in_view]


def _ids(cards: Any) -> list[str]:
    ids: list[str] = cards.evaluate_all("(cards) => cards.map((card) => card.dataset.itemId)")
    return ids


# Finish


def _first_head(person: Person) -> None:
    """A batch by keys where there are no labels before: nothing is predicted without a head."""
    if not person.before:
        by_keys(person)
        person.submit()
        person.wait_for_head()


def by_verify(person: Person, target: int) -> None:
    """A screen of each predicted class in turn, its surest items first, until there are enough labels.

    Each card is glanced at, what is noticed as wrong is clicked, and one key stores the others.
    """
    _first_head(person)
    person.mouse(person.page.locator(f"#fl-grid-{PROJECT} .fl-view-tab[data-view=finish]").click)
    _verify_menu(person).locator("option").first.wait_for(state="attached")  # its classes come with the plan
    while len(before := person.labels()) < target:
        for name in person.classes:
            if len(person.labels()) < target:
                _verify_screen(person, name)
        if len(person.labels()) == len(before):
            break  # no class is predicted of what is left


def _verify_menu(person: Person) -> Any:
    return person.page.locator(f"#fl-grid-{PROJECT} .fl-finish .fl-finish-select[aria-label='Predicted class']")


def _verify_screen(person: Person, name: str) -> None:
    menu = _verify_menu(person)
    if name not in menu.locator("option").evaluate_all("(options) => options.map((one) => one.value)"):
        return
    person.mouse(menu.focus, "choose a class")  # opens it
    person.mouse(partial(menu.select_option, value=name), "choose a class")
    screen = person.page.locator(f"#fl-grid-{PROJECT} .fl-finish-screen")
    before = screen.get_attribute("data-ready-batch")
    person.mouse(person.page.locator(f"#fl-grid-{PROJECT} .fl-finish [data-action=verify]").click, "show the screen")
    _wait_for_screen(person, before)
    cards = screen.locator(".fl-card").evaluate_all(_CARDS)
    person.suggested += [card["suggestion"] == person.truth[card["id"]] for card in cards]
    person.clock_s += GLANCE_S * len(cards)
    for card in filter(person.notices, cards):
        picture = screen.locator(f".fl-card[data-item-id={json.dumps(card['id'])}] .fl-picture")
        person.mouse(partial(picture.click, position=CORNER), "pick a wrong one out")
    before = screen.get_attribute("data-ready-batch")
    person.key("s", "submit")
    _wait_for_screen(person, before)


def _wait_for_screen(person: Person, before: str | None) -> None:
    """Another one, or none where no item is left."""
    other = "(before) => document.querySelector('.fl-finish-screen').dataset.readyBatch !== (before ?? undefined)"
    still = "document.querySelector('.fl-finish').ariaBusy === 'false'"
    person.waits(partial(person.page.wait_for_function, f"(before) => ({other})(before) && {still}", arg=before))


# Explore


def by_search(person: Person, target: int) -> None:
    """What is like a labeled card of each class, then what a lasso holds, until there are enough labels."""
    _first_head(person)
    person.mouse(person.page.locator(f"#fl-grid-{PROJECT} .fl-view-tab[data-view=explore]").click)
    _settle(person)
    before = -1
    while before < len(person.labels()) < target:
        before = len(person.labels())
        for name in person.classes:
            _find_alike(person, name)
            _label_found(person, name)
            _clear(person)
    _lasso_rounds(person, target)


def _explore(person: Person) -> Any:
    return person.page.locator(f"#fl-grid-{PROJECT} .fl-explore")


def _settle(person: Person) -> None:
    """What was asked for is there, and its counts beside it."""
    view = _explore(person)
    ready = f"#fl-grid-{PROJECT} .fl-explore[aria-busy=false] .fl-facets[data-counting=false]"
    person.waits(partial(person.page.wait_for_selector, ready, state="attached"))
    view.locator(".fl-found .fl-card, .fl-explore-empty:not([hidden])").first.wait_for()


def _facet(person: Person, facet: str, value: str) -> None:
    row = _explore(person).locator(f"details[data-facet={facet}] input[value={json.dumps(value)}]")
    if row.count():
        person.mouse(row.click)
        _settle(person)


def _find_alike(person: Person, name: str) -> None:
    """From a labeled card of the class to unlabeled ones that are like it."""
    _facet(person, "labels", name)
    cards = _explore(person).locator(".fl-found .fl-card")
    if not cards.count():
        return
    cards.nth(person.chance.randrange(min(cards.count(), 8))).focus()
    person.key("m")
    _settle(person)
    _facet(person, "labels", name)
    _facet(person, "states", "none")


def _label_found(person: Person, name: str) -> None:
    """Glances at the cards in view, leaves out the wrong ones that are noticed, and labels the others with one key."""
    cards = _explore(person).locator(".fl-found .fl-card").evaluate_all(_CARDS)
    wrong: list[dict[str, Any]] = []
    looked: list[dict[str, Any]] = []
    for card in sorted(cards, key=lambda one: int(one["place"])):
        person.clock_s += GLANCE_S
        is_wrong = person.truth[card["id"]] != name and person.chance.random() >= MISSED
        if is_wrong and len(wrong) == MOST_WRONG:
            break
        looked.append(card)
        wrong += [card] if is_wrong else []
    if len(wrong) < len(looked):
        _select(person, looked, wrong)
        person.key("1234567890"[person.classes.index(name)])
        _settle(person)
        person.waits(partial(_explore(person).locator(".fl-message:not(:empty)").wait_for, state="attached"))


def _select(person: Person, looked: list[dict[str, Any]], wrong: list[dict[str, Any]]) -> None:
    pictures = {card["id"]: _found_picture(person, card["id"]) for card in [looked[0], looked[-1], *wrong]}
    person.mouse(pictures[looked[0]["id"]].click)
    person.mouse(partial(pictures[looked[-1]["id"]].click, modifiers=["Shift"]))
    for card in wrong:
        person.mouse(partial(pictures[card["id"]].click, modifiers=["Control"]))


def _found_picture(person: Person, item_id: str) -> Any:
    return _explore(person).locator(f".fl-found .fl-card[data-item-id={json.dumps(item_id)}] .fl-picture")


def _clear(person: Person) -> None:
    clear = _explore(person).locator(".fl-clear-filter, .fl-filter-chip").last
    if clear.count():
        person.mouse(clear.click)
        _settle(person)


def _lasso_rounds(person: Person, target: int) -> None:
    """Each of 3 x 3 parts of the map in turn: its unlabeled items get the class that most of those in view are of."""
    person.mouse(_explore(person).locator(".fl-explore-tools [data-panel=map]").click)
    picture = _explore(person).locator(".fl-map-picture[data-points]")
    person.waits(picture.wait_for)
    for cell in range(CELLS**2):
        if len(person.labels()) >= target:
            return
        _draw(person, picture.bounding_box(), *divmod(cell, CELLS))
        _facet(person, "states", "none")
        in_view = _ids(_explore(person).locator(".fl-found .fl-card"))
        if in_view:
            _label_found(person, Counter(person.truth[one] for one in in_view).most_common(1)[0][0])
        _clear(person)


def _draw(person: Person, box: dict[str, float], row: int, column: int) -> None:
    wide, high = box["width"] / CELLS, box["height"] / CELLS
    left, top = box["x"] + column * wide + 4, box["y"] + row * high + 4
    corners = [
        (left, top),
        (left + wide - 8, top),
        (left + wide - 8, top + high - 8),
        (left, top + high - 8),
        (left, top),
    ]

    def draw() -> None:
        person.page.mouse.move(*corners[0])
        person.page.mouse.down()
        for corner in corners[1:]:
            person.page.mouse.move(*corner, steps=6)
        person.page.mouse.up()

    person.mouse(draw)
    _settle(person)


WAYS: dict[str, Callable[[Person], None]] = {
    "dropdown": by_dropdown,
    "keys": by_keys,
    "groups": by_groups,
    "select-many": by_selecting,
}
SEARCH, VERIFY = "search + lasso", "verify"
VIEWS: dict[str, Callable[[Person, int], None]] = {SEARCH: by_search, VERIFY: by_verify}
