"""A scripted person at the page in a real browser: actions and seconds for a label, by five ways of labelling.

    python -m benchmarks.person --data DATA --json OUT
    python -m benchmarks.person --data DATA --sets cifar10 --before 1000 --target 300 --parts ways
    python -m benchmarks.person --pictures FOLDER --target 60 --ways keys groups

DATA holds `cifar10` and `esc10`, unpacked. The person knows the right class of every item (the source's own), reads a card
in 350 ms, glances at a card among others in 150 ms, needs 120 ms for a key and 900 ms for a click or a turn of the wheel.
What the page makes the person wait for is measured and added. A glance misses one wrong suggestion in twenty, reading none:
that is how wrong labels get through. Each way labels the same pool anew, as a guest of its own, until TARGET labels. With
`--before N` there are N right labels before, given by REST and not counted: the person begins with the head of these.

- dropdown: each card by its menu, two clicks.
- keys: each card by Enter where the suggestion is right, else by the key of its class.
- groups: cards by predicted class; what is wrong among those in the window is corrected, by one press where the right class
  is among those that the card offers (they are read in 350 ms), else by a click and a key; then one key accepts the others
  and brings up the next.
- select-many: of each group what the slider selects, less what is wrong, gets one Enter; the rest is labeled by keys.
- search + lasso: in Explore what is most like a labeled card of each class, then what a lasso on the map holds.

Without suggestions, before the first head, groups and select-many go by keys, and search begins with a batch by keys. After
each submit the person waits until the head is trained; that does not count, because they would take longer than that for a
batch. "suggestions right" is the share of the cards that the person labeled whose suggestion was right; a card without one
counts as wrong.
Aims: groups at a head of 90 % need at most 0.15 actions a label and bring at least 5 times the labels a minute of dropdowns.

What the page itself takes is in the second table: see `benchmarks.page_times`.
"""

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.page import opened_page
from benchmarks.page_times import measured_times, times_table
from benchmarks.report import DATA, Cell, Measured, Option, Table, percent, run, say
from benchmarks.workload import EMBED_LIMIT_S, TRAIN_LIMIT_S, served, wait_until

READ_S, GLANCE_S, KEY_S, MOUSE_S = 0.35, 0.15, 0.12, 0.9
CORNER = {"x": 12, "y": 12}  # of a picture, pixels: nothing else stands there
MISSED = 0.05  # of wrong suggestions that are glanced at
BATCH = 100
PROJECT = "person"
MOST_WRONG = 3  # a person who searches stops at the third card of another class
CELLS = 3  # the lasso takes one of 3 x 3 parts of the map
SETS = {
    "cifar10": {"kind": "image_folder", "path": "cifar10/train"},
    "esc10": {"kind": "esc50", "path": "esc10"},
}
_CARDS = """(cards) => cards.map((card) => ({
  id: card.dataset.itemId, place: Number(card.dataset.index), open: card.dataset.state === "open",
  suggestion: card.querySelector(".fl-chip bdi")?.textContent ?? null, seen: "seen" in card.dataset,
}))"""
_ALL_SEEN = """() => {
  const floor = document.querySelector(".fl-dock").getBoundingClientRect().top;
  return [...document.querySelectorAll(".fl-cards .fl-card:not([data-seen])")].every((card) => {
    const { top, height } = card.getBoundingClientRect();
    return top + 0.6 * height > floor || top + 0.4 * height < 0;
  });
}"""
_SEEN = "(ids) => ids.every((id) => document.querySelector(`.fl-card[data-item-id='${CSS.escape(id)}'][data-seen]`))"
_BESIDE = """([id, ids]) => {
  const card = (one) => document.querySelector(`.fl-cards .fl-card[data-item-id='${CSS.escape(one)}']`);
  card(id).scrollIntoView({ block: "start" });
  const floor = document.querySelector(".fl-dock").getBoundingClientRect().top;
  return ids.filter((one) => {
    const box = card(one).getBoundingClientRect();
    return box.height && box.top >= -2 && box.top + 0.6 * box.height < floor;
  });
}"""


@dataclass
class Person:
    """Who labels: the clock and the count of actions, and what they know.

    Attributes:
        truth: the right class by item id.
        kinds: the actions by what they were for; those that only label a card are not named.
        before: the ids of what was labeled before the person began.
        suggested: of each card of a batch, whether its suggestion was right.
    """

    page: Any
    address: str
    truth: dict[str, str]
    classes: list[str]
    clock_s: float = 0.0
    actions: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    before: frozenset[str] = frozenset()
    suggested: list[bool] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(0))

    @property
    def grid(self) -> Any:
        return self.page.locator(f"#fl-grid-{PROJECT} .fl:not(.fl-explore)")

    def key(self, name: str, kind: str = "label") -> None:
        self.actions += 1
        self.kinds[kind] += 1
        self.clock_s += KEY_S
        self.page.keyboard.press(name)

    def mouse(self, act: Callable[[], object], kind: str = "label") -> None:
        self.actions += 1
        self.kinds[kind] += 1
        self.clock_s += MOUSE_S
        act()

    def waits(self, act: Callable[[], object], meanwhile_s: float = 0.0) -> None:
        """What takes longer than what the person does meanwhile counts."""
        began = time.perf_counter()
        act()
        self.clock_s += max(time.perf_counter() - began, meanwhile_s)

    def class_key(self, item_id: str) -> str:
        return "1234567890"[self.classes.index(self.truth[item_id])]

    def cards(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.grid.locator(".fl-card").evaluate_all(_CARDS)
        return found

    def notices(self, card: dict[str, Any]) -> bool:
        """Whether a glance finds a suggestion wrong."""
        return card["suggestion"] != self.truth[card["id"]] and self.chance.random() >= MISSED

    def picture(self, item_id: str) -> Any:
        return self.grid.locator(f".fl-card[data-item-id={json.dumps(item_id)}] .fl-picture")

    def ask(self, path: str, **query: Any) -> Any:
        return self.page.request.get(f"{self.address}/api/{path}", params={"project": PROJECT, **query}).json()

    def labels(self) -> dict[str, str]:
        """What the person stored, by item id."""
        rows = self.ask("export", format="json")
        return {row["item_id"]: row["label"] for row in rows if row["item_id"] not in self.before}

    def wait_for_batch(self, after: str = "") -> None:
        unlike = f":not([data-ready-batch='{after}'])" if after else ""
        self.page.wait_for_selector(f"#fl-grid-{PROJECT} .fl[data-ready-batch]{unlike}[data-busy='']")

    def submit(self) -> None:
        before = self.grid.get_attribute("data-ready-batch")
        if self.page.evaluate("document.activeElement.matches('select')"):  # a menu takes keys for itself
            self.mouse(self.page.locator(f"#fl-submit-{PROJECT}").click, "submit")
        else:
            self.key("s", "submit")
        self.waits(lambda: self.wait_for_batch(before))

    def wait_for_head(self) -> None:
        """While a person would still be at the batch: it does not count."""

        def is_trained() -> bool:
            status = self.ask("status")
            return bool(status["head"]["state"] == "idle" and status["since_training"] < status["train_every"])

        wait_until(is_trained, TRAIN_LIMIT_S, "the training")


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


# Explore


def by_search(person: Person, target: int) -> None:
    """What is like a labeled card of each class, then what a lasso holds, until there are enough labels."""
    by_keys(person)
    person.submit()
    person.wait_for_head()
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


# Runs

WAYS: dict[str, Callable[[Person], None]] = {
    "dropdown": by_dropdown,
    "keys": by_keys,
    "groups": by_groups,
    "select-many": by_selecting,
}
SEARCH = "search + lasso"
OPTIONS = (
    DATA,
    Option("--sets", ("cifar10", "esc10"), "what is labeled", tuple(SETS)),
    Option("--pictures", Path, "a folder of class folders to label instead"),
    Option("--ways", (*WAYS, SEARCH), "ways of labelling", (*WAYS, SEARCH)),
    Option("--target", 500, "labels of each way"),
    Option("--before", 0, "labels that are there when a way begins"),
    Option("--parts", ("ways", "page"), "what is measured", ("ways", "page")),
    Option("--encoder", "pretrained", "kind of the encoder"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    sources = {
        name: {**SETS[name], "path": str((arguments.data / SETS[name]["path"]).resolve())} for name in arguments.sets
    }
    if arguments.pictures:
        sources = {arguments.pictures.name: {"kind": "image_folder", "path": str(arguments.pictures.resolve())}}
    rows: list[tuple[Cell, ...]] = []
    by_kind: dict[str, Counter[str]] = {}
    times: dict[str, dict[str, list[float]]] = {}
    for name, source in sources.items():
        with _served(source, arguments.encoder) as address:
            for way in arguments.ways if "ways" in arguments.parts else ():
                say(f"{name}: {way} …")
                row, kinds = _labeled(address, way, arguments.target, arguments.before)
                rows.append((name, way, *row))
                if way == "groups":
                    by_kind[name] = kinds
            if "page" in arguments.parts:
                say(f"{name}: what the page takes …")
                times[name] = measured_times(address, PROJECT)
    ways = [_way_table(rows, arguments.before, by_kind)] if rows else []
    return [*ways, *(times_table(name, found) for name, found in times.items())]


@contextmanager
def _served(source: dict[str, str], encoder: str) -> Iterator[str]:
    """The app on that source, embedded to the end; each guest has labels of their own."""
    project = {"name": PROJECT, "source": source, "encoder": encoder, "sharing": "private", "audit_share": 0.0}
    with tempfile.TemporaryDirectory(prefix="fastlabel-benchmark-") as folder:
        config = Path(folder) / "person.yaml"
        config.write_text(
            json.dumps({"projects": [{**project, "batch_size": BATCH}]}), encoding="utf-8"
        )  # JSON is YAML
        with served(["--config", str(config)], Path(folder) / "work") as address:
            with opened_page(address) as page:
                one = Person(page, address, {}, [])
                wait_until(
                    lambda: one.ask("status")["embedding"]["state"] == "done", EMBED_LIMIT_S, "the embedding", 0.2
                )
            yield address


def _labeled(address: str, way: str, target: int, before: int) -> tuple[tuple[Cell, ...], Counter[str]]:
    """Labels, actions a label, seconds a correct label, labels a minute, wrong labels, right suggestions of one way.

    And its actions by kind.
    """
    with opened_page(address) as page:
        person = _arrived(page, address)
        _label_before(person, before)
        if way == SEARCH:
            by_search(person, target)
        else:
            _label_batches(person, WAYS[way], target)
        stored = person.labels()
    wrong = sum(person.truth[one] != label for one, label in stored.items())
    minutes = person.clock_s / 60
    per_label = round(person.actions / len(stored), 2)
    seconds = round(person.clock_s / (len(stored) - wrong), 2)
    row = len(stored), per_label, seconds, round(len(stored) / minutes), wrong, percent(person.suggested)
    return row, person.kinds


def _arrived(page: Any, address: str) -> Person:
    person = Person(page, address, {}, [])
    person.wait_for_batch()
    person.classes = person.ask("status")["classes"]
    place, total = 0, 1
    while place < total:
        body = {"project": PROJECT, "query": {}, "offset": place, "size": 1000}
        found = page.request.post(f"{address}/api/items", data=body).json()
        person.truth |= {item["id"]: item["known_label"] for item in found["items"]}
        place, total = place + len(found["items"]), found["total"]
    return person


def _label_before(person: Person, count: int) -> None:
    """Right labels by REST, batch after batch, each picked by the head of those before; then a new batch on screen."""
    if not count:
        return
    while len(stored := person.labels()) < count:
        query = {"project": PROJECT, "size": min(BATCH, count - len(stored)), "fresh": "true"}
        batch = person.ask("next_batch", **query)
        labels = [{"id": item["id"], "label": person.truth[item["id"]]} for item in batch["items"]]
        body = {"project": PROJECT, "batch_id": batch["batch_id"], "labels": labels}
        person.page.request.post(f"{person.address}/api/submit_labels", data=body)
        person.wait_for_head()
    person.before = frozenset(stored)
    shown = person.grid.get_attribute("data-ready-batch")
    person.page.locator(f"#fl-load-{PROJECT}").click()
    person.wait_for_batch(shown)


def _label_batches(person: Person, way: Callable[[Person], None], target: int) -> None:
    done = 0
    while done < target:
        cards = person.cards()
        person.suggested += [card["suggestion"] == person.truth[card["id"]] for card in cards]
        way(person)
        person.submit()
        done += len(cards)
        person.wait_for_head()


def _way_table(rows: list[tuple[Cell, ...]], before: int, by_kind: dict[str, Counter[str]]) -> Table:
    columns = ("set", "way", "labels", "actions a label", "seconds a correct label", "labels a minute", "wrong")
    title = "A scripted person: read 350 ms, glance 150 ms, key 120 ms, mouse 900 ms, and what the page takes."
    aim = "groups: at most 0.15 actions a label, 5 times the labels a minute of dropdowns"
    note = " ".join(
        [f"After {before:,} labels." if before else "From the first label on.", *_gains(rows), *_kinds(by_kind)]
    )
    return Table(title, (*columns, "suggestions right, %"), rows, aim=aim, note=note)


def _gains(rows: list[tuple[Cell, ...]]) -> Iterator[str]:
    """How many times the labels a minute of dropdowns groups bring, of each set of which both were measured."""
    pace = {(name, way): float(per_minute) for name, way, _, _, _, per_minute, *_ in rows}
    for name in dict.fromkeys(str(row[0]) for row in rows):
        if {(name, "groups"), (name, "dropdown")} <= set(pace):
            gain = pace[name, "groups"] / pace[name, "dropdown"]
            yield f"{name}: groups bring {gain:.1f} times the labels a minute of dropdowns."


def _kinds(by_kind: dict[str, Counter[str]]) -> Iterator[str]:
    for name, kinds in by_kind.items():
        yield f"{name}, actions by groups: {', '.join(f'{count} to {kind}' for kind, count in kinds.most_common())}."


if __name__ == "__main__":
    main()
