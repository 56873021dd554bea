"""The page in headless Chromium: how long a click on `Load next batch` takes until its cards are usable."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.report import Table, percentile_rows

WARM_UP = 3
VIEWPORT = (1280, 800)

# Resolves with the milliseconds from the click to the new batch, and of the two requests within.
_CLICK = """(project) => new Promise((resolve) => {
  const grid = document.querySelector(`.fl[data-project="${project}"]`);
  const before = grid.dataset.readyBatch;
  const took = (part) => performance.getEntriesByType("resource").findLast((entry) => entry.name.includes(part)).duration;
  performance.clearResourceTimings();
  const watcher = new MutationObserver(() => {
    const ready = grid.dataset.readyBatch;
    if (!ready || ready === before) return;
    const total = performance.now() - clicked;
    watcher.disconnect();
    const cards = grid.querySelectorAll(".fl-card select").length;
    setTimeout(() => resolve([total, took("/api/next_batch"), took("/sheet/"), cards]));
  });
  watcher.observe(grid, { attributes: true, attributeFilter: ["data-ready-batch"] });
  const clicked = performance.now();
  document.getElementById("fl-load-" + project).click();
})"""


@contextmanager
def opened_page(address: str, script: str = "") -> Iterator[Any]:
    """The app's page in a Chromium of its own; `script` runs before anything of the page does."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")  # None: the one that playwright installed
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium, args=flags) as browser:
        page = browser.new_page(viewport={"width": VIEWPORT[0], "height": VIEWPORT[1]})
        page.add_init_script(script)
        page.goto(address)
        yield page


def clicks_on_load(page: Any, project: str, count: int, cards: int) -> list[list[float]]:
    """[total, next_batch request, contact sheet request, cards] of each click, ms. Raises RuntimeError for fewer cards."""
    grid = f'.fl[data-project="{project}"][data-ready-batch]'
    page.wait_for_selector(grid)
    taken = []
    for _ in range(WARM_UP + count):
        taken.append(page.evaluate(_CLICK, project))
        page.wait_for_selector(f'{grid}[data-busy=""]')
    shown = {int(click[3]) for click in taken}
    if shown != {cards}:
        raise RuntimeError(f"the grid showed {shown} cards after a click, {cards} were asked for")
    return taken[WARM_UP:]


def click_table(clicks: list[list[float]], cards: int, aim: str) -> Table:
    """What `clicks_on_load` found, with its parts."""
    total, request, sheet, _ = (list(column) for column in zip(*clicks, strict=True))
    rest = [whole - sum(parts) for whole, *parts in zip(total, request, sheet, strict=True)]
    parts = {
        "click to usable": total,
        "of it the batch": request,
        "the contact sheet": sheet,
        "building the cards": rest,
    }
    title = f"Click on 'Load next batch' to {cards} usable cards, ms, {len(clicks)} clicks."
    return Table(title, ("", "median", "p95"), percentile_rows(parts), aim=aim)
