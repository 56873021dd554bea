"""The labelling page as a test drives it, and what the server stored of it. Skips the tests where no browser is."""

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Download, Locator, Page

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not there: pip install playwright")
expect = sync_api.expect
expect.set_options(timeout=10_000)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if CHROMIUM is None:
    pytest.skip("No chromium or google-chrome on the PATH: apt-get install chromium", allow_module_level=True)

# One process of a context draws all pages of this machine, see `stays_warm` in conftest.py.
BROWSER_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--process-per-site")
PASSWORDS = {"ann": "secret-a", "bob": "secret-b"}
TRUE_CLASS = {"red": "c0", "green": "c1", "blue": "c2"}  # of the pictures of the ten-class server, by folder


class Rest:
    """The REST API as one browser's annotator sees it: the same cookies."""

    def __init__(self, context: "BrowserContext", address: str, project: str = "images") -> None:
        self._request = context.request
        self._address = address
        self._project = project

    def get(self, path: str, **query: Any) -> Any:
        query = {key: str(value).lower() if isinstance(value, bool) else value for key, value in query.items()}
        return self._request.get(f"{self._address}/api/{path}", params={"project": self._project, **query}).json()

    def post(self, path: str, **body: Any) -> Any:
        return self._request.post(f"{self._address}/api/{path}", data={"project": self._project, **body}).json()

    def status(self) -> Any:
        return self.get("status")

    def stored(self) -> dict[str, str]:
        """Every label on the server, by item id."""
        return {row["item_id"]: row["label"] for row in self.get("export", format="json")}

    def annotators(self) -> dict[str, str]:
        """Who labeled what, by item id."""
        return {row["item_id"]: row["annotator"] for row in self.get("export", format="json")}

    def label(self, count: int) -> dict[str, str]:
        """Labels items as their folders say and returns the labels."""
        batch = self.get("next_batch", size=count, fresh=True, strategy="random")
        labels = {item["id"]: true_class(item["id"]) for item in batch["items"]}
        pairs = [{"id": item_id, "label": label} for item_id, label in labels.items()]
        self.post("submit_labels", batch_id=batch["batch_id"], labels=pairs)
        return labels


class LabelPage:
    """One project's tab. `key` and `press` act; what they do to the page is waited for by `expect` or `wait_ready`."""

    def __init__(self, page: "Page", address: str, project: str = "images") -> None:
        self.page = page
        self.address = address
        self.project = project
        self.rest = Rest(page.context, address, project)
        self.grid: Locator = page.locator(f"#fl-grid-{project} .fl:not(.fl-explore)")
        self.cards = self.grid.locator(".fl-card")
        self.message = self.grid.locator(".fl-message")
        self.empty = self.grid.locator(".fl-empty")
        self.zoom = self.grid.locator("dialog.fl-zoom")
        self.help = self.grid.locator("dialog.fl-help")

    def open(self, query: str = "") -> "LabelPage":
        self.page.goto(f"{self.address}/{query}")
        self.wait_ready()
        return self

    def wait_ready(self, after: str = "") -> str:
        """Waits for a batch on screen, another one than `after`, and returns its id."""
        unlike = f":not([data-ready-batch='{after}'])" if after else ""
        ready = f"#fl-grid-{self.project} .fl[data-ready-batch]{unlike}[data-busy='']"
        self.page.wait_for_selector(ready, state="attached")
        return self.batch_id()

    def wait_head(self, version: int = 1) -> None:
        expect(self.grid.locator(".fl-head")).to_contain_text(f"head v{version}", timeout=30_000)

    def batch_id(self) -> str:
        return self.grid.get_attribute("data-ready-batch") or ""

    def item_ids(self) -> list[str]:
        ids: list[str] = self.cards.evaluate_all("(cards) => cards.map((card) => card.dataset.itemId)")
        return ids

    def labels(self) -> dict[str, str]:
        """The labels on screen, by item id, as the menus show them."""
        pairs: list[list[str]] = self.cards.evaluate_all(
            "(cards) => cards.map((card) => [card.dataset.itemId, card.querySelector('select').selectedOptions[0].text])"
        )
        return {item_id: name for item_id, name in pairs if name != "—"}

    def suggestions(self) -> dict[str, str]:
        """The suggested class of each card, by item id."""
        pairs: list[list[str]] = self.grid.locator(".fl-card:has(.fl-chip)").evaluate_all(
            "(cards) => cards.map((card) => [card.dataset.itemId, card.querySelector('.fl-chip bdi').textContent])"
        )
        return dict(pairs)

    def current(self) -> int:
        """The position of the current card, which also has the focus unless something else on the page has."""
        return int(self.grid.locator(".fl-card.fl-current").get_attribute("data-index") or -1)

    def columns(self) -> int:
        """Cards in the fullest row."""
        tops: list[float] = self.cards.evaluate_all("(cards) => cards.map((card) => card.getBoundingClientRect().top)")
        return max(map(tops.count, tops))

    def wait_seen(self, count: int) -> None:
        """Waits until so many open cards were on screen for long enough to be accepted together."""
        expect(self.grid.locator(".fl-dock-accept")).to_have_text(re.compile(rf"\D{count}\b"))

    def key(self, *names: str) -> None:
        for name in names:
            self.page.keyboard.press(name)

    def menu(self, index: int) -> "Locator":
        return self.cards.nth(index).locator("select")

    def button(self, name: str) -> "Locator":
        """A button of the toolbar: load, submit, undo or train."""
        return self.page.locator(f"#fl-{name}-{self.project}")

    def poll(self) -> None:
        """Has the page ask for the status at once, as it does when its window is shown again."""
        self.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    def number(self, name: str) -> "Locator":
        """The count of labeled or unlabeled items."""
        return self.grid.locator(f".fl-{name} .fl-number")

    def submit(self) -> None:
        """Submits by key and waits for the next batch."""
        before = self.batch_id()
        self.key("s")
        self.wait_ready(after=before)

    def next(self) -> None:
        """Loads the next batch by key and waits for it."""
        before = self.batch_id()
        self.key("n")
        self.wait_ready(after=before)

    def choose_strategy(self, name: str) -> None:
        self.page.locator(f"#fl-strategy-{self.project} input").click()
        self.page.get_by_role("option", name=name, exact=True).click()

    def set_batch_size(self, size: int) -> None:
        field = self.page.locator(f"#fl-size-{self.project} input")
        field.fill(str(size))
        field.press("Tab")

    def download(self, link: str) -> "Download":
        """What a link of the export menu, which is open, downloads."""
        with self.page.expect_download() as started:
            self.grid.get_by_role("link", name=link, exact=True).click()
        return started.value


def log_in(page: "Page", address: str, name: str) -> LabelPage:
    """Fills in Gradio's login form, one of PASSWORDS, and waits for the first batch."""
    page.goto(address)
    page.get_by_label("username").fill(name)
    page.get_by_label("password").fill(PASSWORDS[name])
    page.get_by_role("button", name="Login").click()
    visitor = LabelPage(page, address)
    visitor.wait_ready()
    return visitor


def true_class(item_id: str) -> str:
    return TRUE_CLASS[Path(item_id).parts[0]]
