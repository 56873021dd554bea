"""What the page itself takes, in headless Chromium, of an app that is embedded to the end, as a guest who labeled a batch.

- click to 100 cards, and to 500: on `Load next batch` until all are usable. Aims: 200 ms and 700 ms.
- Submit to the next batch: of a batch three quarters of which was labeled, with a head that knows two batches, once the next
  one was fetched meanwhile; aim: 100 ms. And right after the last key, of keys that are pressed as fast as the page takes
  them, so that the next one is mostly still on its way.
- key painted: from a digit's key down to the second frame after it, so that its card is on the screen. Aim: 50 ms.
- JS heap: after 50 batches and 20 pages of Explore, garbage collected. Aim: 60 MB.
- map: from the click until its points are drawn; from the pointer's move to a point until the item stands beside it, its
  picture loaded (aim: 150 ms); and a step of a pan until the next frame.
- filter: in Explore from the click on a value until the first page is there. Aim: 400 ms.
- scrolling: in Explore by one view, until every card in it has its picture. Aim: 300 ms.
"""

from typing import Any

from benchmarks.page import WARM_UP, clicks_on_load, opened_page
from benchmarks.report import Table, median_and_p95
from benchmarks.workload import wait_until

READY, AT_ONCE = "Submit to the next batch, with a head, ms", "Submit right after the last key, ms"
CLICKS, KEYS, SUBMITS, FILTERS, PAN_STEPS, HOVERS, SCROLLS = 20, 40, 10, 10, 30, 20, 20
SUBMITS_BEFORE = 4  # of three quarters of a batch each: the page knows that the head has learned from two batches
HEAD_S = 60.0
MANY = 500
HEAP_BATCHES, HEAP_PAGES = 50, 20
MB = 1e6
AIMS = {
    "click to usable cards, ms": "200",
    "key painted, ms": "50",
    READY: "100",
    "click to 500 cards, ms": "700",
    "Explore: filter to first page, ms": "400",
    "Explore: scrolling by one view, until no card is blank, ms": "300",
    "map: first paint, ms": "3,000 at 20,000 items",
    "map: a point's item beside the pointer, ms": "150",
    "JS heap after batches and Explore, MB": "60",
}

_KEY = """(key) => new Promise((resolve) => {
  const began = performance.now();
  const target = document.activeElement ?? document.body;
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - began)));
})"""
_SUBMIT = """(project) => new Promise((resolve) => {
  const grid = document.querySelector(`.fl[data-project="${project}"]`);
  const before = grid.dataset.readyBatch;
  const watcher = new MutationObserver(() => {
    if (!grid.dataset.readyBatch || grid.dataset.readyBatch === before) return;
    watcher.disconnect();
    resolve(performance.now() - began);
  });
  watcher.observe(grid, { attributes: true, attributeFilter: ["data-ready-batch"] });
  const began = performance.now();
  document.getElementById(`fl-submit-${project}`).click();
})"""
# Whether the next batch is there, or none is claimed ahead: few labels, or few items left.
_IS_READY = """(project) => {
  const { ahead, status, size } = fastlabel.views[project].session;
  return ahead.isReady || status.head.labels < 2 * size || status.unlabeled < 5 * size;
}"""
# From a click until a selector holds.
_CLICK_UNTIL = """([control, ready]) => new Promise((resolve) => {
  const began = performance.now();
  document.querySelector(control).click();
  const look = () => (document.querySelector(ready) ? resolve(performance.now() - began) : requestAnimationFrame(look));
  requestAnimationFrame(look);
})"""
# Where some points of the map are on the screen; of each the pointer is sent to the middle.
_POINTS = """(map, count) => {
  const { xaxis, yaxis } = map._fullLayout;
  const box = map.getBoundingClientRect();
  const all = map.data.flatMap(({ x, y }) => Array.from(x, (one, place) => [one, y[place]]));
  const some = Array.from({ length: count }, (_, n) => all[Math.floor(((n + 0.5) / count) * all.length)]);
  return some.map(([x, y]) => [box.left + xaxis._offset + xaxis.d2p(x), box.top + yaxis._offset + yaxis.d2p(y)]);
}"""
_HOVERED = """(card) => {
  const before = card.querySelector("img");
  window.hovered = new Promise((resolve) => {
    addEventListener("mousemove", () => {
      const began = performance.now();
      const look = () => {
        const tile = card.querySelector("img");
        const isThere = !card.hidden && tile !== before && tile?.complete && tile.naturalWidth > 0;
        if (isThere) resolve(performance.now() - began);
        else if (performance.now() - began > 5000) resolve(5000);
        else requestAnimationFrame(look);
      };
      look();
    }, { once: true, capture: true });
  });
}"""
# By one view down, until no place in view is without a card that has its picture.
_SCROLLED = """(project) => new Promise((resolve) => {
  const { grid } = fastlabel.views[project].places.get("explore").mounted;
  const began = performance.now();
  const look = () => {
    const [first, end] = grid.window.range(0);
    let blank = 0;
    for (let place = first; place < end; place++) {
      const shown = grid.shown.get(place);
      if (!shown?.built.tile.style.backgroundImage) blank++;
    }
    if (blank && performance.now() - began < 10000) requestAnimationFrame(look);
    else resolve(performance.now() - began);
  };
  grid.node.scrollBy(0, grid.node.clientHeight);
  requestAnimationFrame(look);
})"""
_FRAME = """() => new Promise((resolve) => {
  const began = performance.now();
  requestAnimationFrame(() => resolve(performance.now() - began));
})"""


def measured_times(address: str, project: str) -> dict[str, list[float]]:
    """By what is measured its figures: ms, MB for the heap."""
    with opened_page(address) as page:
        found = {"click to usable cards, ms": _clicks(page, project)}
        found["key painted, ms"] = _keys(page)
        found |= _submits(page, project)
        found["click to 500 cards, ms"] = _many(page, project)
        found |= _explored(page, project)
        found["JS heap after batches and Explore, MB"] = [_heap_mb(page, project)]
    return found


def times_table(name: str, found: dict[str, list[float]]) -> Table:
    rows = [(what, *median_and_p95(figures), len(figures), AIMS.get(what, "")) for what, figures in found.items()]
    return Table(f"{name}: what the page takes.", ("", "median", "p95", "times", "aim"), rows)


def _clicks(page: Any, project: str) -> list[float]:
    size = int(page.locator(f"#fl-size-{project} input").input_value())
    page.wait_for_selector(f'.fl[data-project="{project}"][data-ready-batch]')
    cards = min(size, page.locator(f"#fl-grid-{project} .fl-card").count())
    return [click[0] for click in clicks_on_load(page, project, CLICKS, cards)]


def _keys(page: Any) -> list[float]:
    return [float(page.evaluate(_KEY, "12"[number % 2])) for number in range(KEYS + WARM_UP)][WARM_UP:]


def _submits(page: Any, project: str) -> dict[str, list[float]]:
    """The first ones, before the page claims a batch ahead, do not count."""
    for _ in range(SUBMITS_BEFORE):
        _submit(page, project)
    taken: dict[str, list[float]] = {READY: [], AT_ONCE: []}
    for number in range(SUBMITS * len(taken)):
        what = tuple(taken)[number % len(taken)]
        taken[what].append(_submit(page, project, is_ready=what == READY))
    return taken


def _submit(page: Any, project: str, *, is_ready: bool = False) -> float:
    """ms of one; with `is_ready` once the next batch is there, as it is for whoever reads the cards."""
    _label_most(page, project)
    if is_ready:
        page.wait_for_function(_IS_READY, arg=project)
    took = float(page.evaluate(_SUBMIT, project))
    page.wait_for_selector(f'.fl[data-project="{project}"][data-busy=""]')
    _wait_for_head(page, project)
    return took


def _label_most(page: Any, project: str) -> None:
    page.evaluate(_KEY, "Home")
    for place in range(max(_cards(page, project) * 3 // 4, 2)):
        page.keyboard.press("12"[place % 2])


def _cards(page: Any, project: str) -> int:
    return int(page.locator(f"#fl-grid-{project} .fl-cards .fl-card").count())


def _status(page: Any, project: str) -> Any:
    return page.request.get(f"{_address(page)}api/status", params={"project": project}).json()


def _address(page: Any) -> str:
    return str(page.url.split("#")[0].split("?")[0])


def _wait_for_head(page: Any, project: str) -> None:
    """A person takes longer than a training for a batch."""
    page.request.post(f"{_address(page)}api/train", data={"project": project})

    def is_there() -> bool:
        head = _status(page, project)["head"]
        return bool(head["version"] and head["settled"])

    wait_until(is_there, HEAD_S, "the head", 0.1)


def _many(page: Any, project: str) -> list[float]:
    before = int(page.locator(f"#fl-size-{project} input").input_value())
    total = _status(page, project)["unlabeled"]
    _set_size(page, project, MANY)
    taken = [click[0] for click in clicks_on_load(page, project, CLICKS // 4 or 1, min(MANY, total))]
    _set_size(page, project, before)
    return taken


def _set_size(page: Any, project: str, size: int) -> None:
    field = page.locator(f"#fl-size-{project} input")
    field.fill(str(size))
    field.press("Tab")
    page.wait_for_function(f"() => window.fastlabel.views[{project!r}].session.size === {size}")


def _explored(page: Any, project: str) -> dict[str, list[float]]:
    place = f"#fl-grid-{project}"
    page.locator(f"{place} .fl-view-tab[data-view=explore]").click()
    ready = f"{place} .fl-explore[aria-busy=false] .fl-facets[data-counting=false]"
    page.wait_for_selector(ready)
    box, taken = f"{place} details[data-facet=states] input", []
    for _ in range(FILTERS):
        taken.append(
            float(page.evaluate(_CLICK_UNTIL, [box, f"{place} .fl-explore[aria-busy=false] .fl-found .fl-card"]))
        )
        page.wait_for_selector(ready)
    scrolled = [float(page.evaluate(_SCROLLED, project)) for _ in range(SCROLLS)]
    drawn = f"{place} .fl-map-picture[data-points]"
    first = float(page.evaluate(_CLICK_UNTIL, [f"{place} .fl-explore-tools [data-panel=map]", drawn]))
    return {
        "Explore: filter to first page, ms": taken,
        "Explore: scrolling by one view, until no card is blank, ms": scrolled,
        "map: first paint, ms": [first],
        "map: a point's item beside the pointer, ms": _hovers(page, place),
        "map: a step of a pan, ms": _pan(page, drawn),
    }


def _hovers(page: Any, place: str) -> list[float]:
    card, taken = page.locator(f"{place} .fl-map-card"), []
    page.wait_for_load_state("networkidle")
    for x, y in page.locator(f"{place} .fl-map-picture").evaluate(_POINTS, HOVERS):
        card.evaluate(_HOVERED)
        page.mouse.move(x, y)
        taken.append(float(page.evaluate("window.hovered")))
        page.mouse.move(0, 0)
        page.wait_for_load_state("networkidle")
    return taken


def _pan(page: Any, picture: str) -> list[float]:
    page.locator(".fl-map-tools [data-tool=move]").click()
    box = page.locator(picture).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    taken = []
    for step in range(PAN_STEPS):
        page.mouse.move(x + 2 * step, y + step)
        taken.append(float(page.evaluate(_FRAME)))
    page.mouse.up()
    return taken


def _heap_mb(page: Any, project: str) -> float:
    """Megabytes of the page's own objects after a long session, from the protocol of Chromium."""
    grid = f"#fl-grid-{project} .fl-explore .fl-found"
    for _ in range(HEAP_PAGES):
        page.locator(grid).evaluate("(node) => node.scrollBy(0, node.clientHeight)")
        page.wait_for_load_state("networkidle")
    page.locator(f"#fl-grid-{project} .fl-view-tab[data-view=label]").click()
    page.wait_for_selector(f'.fl[data-project="{project}"][data-ready-batch][data-busy=""]')
    size = int(page.locator(f"#fl-size-{project} input").input_value())
    clicks_on_load(page, project, HEAP_BATCHES - WARM_UP, size)
    protocol = page.context.new_cdp_session(page)
    protocol.send("HeapProfiler.collectGarbage")
    protocol.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in protocol.send("Performance.getMetrics")["metrics"]}
    return float(metrics["JSHeapUsedSize"] / MB)
