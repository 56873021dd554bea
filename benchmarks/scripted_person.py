"""Person: who labels at the page in `person.py`, with a clock of their own and what they know of the items."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.workload import TRAIN_LIMIT_S, wait_until

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
