"""The screenshots of README and docs, made anew: views of the demo, whose data comes with the package, light and dark.

    python -m benchmarks.screenshots --out docs

The app serves `configs/demo.yaml`; a guest labels some batches as the source knows the classes, one label of them wrong,
waits for the heads, and the views are photographed as WebP, whose files stay small with all colours.
"""

import argparse
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.data import ROOT
from benchmarks.page import opened_page
from benchmarks.report import say
from benchmarks.workload import EMBED_LIMIT_S, TRAIN_LIMIT_S, served, wait_until
from fastlabel_gradio.config import load_config

SIZE = (1440, 900)
QUALITY = 88  # of WebP, 0 to 100: text stays sharp, a picture stays below 200 kB
BATCHES, BATCH = 3, 40
ACCEPTED = 12  # cards
Show = Callable[[Any, str], None]
NO_HINT = "localStorage['fastlabel:hint'] = 'dismissed'"
ARE_RANKED = """async (project) => {
  const { working, missing } = await (await fetch(`api/mistakes?project=${project}`)).json();
  return !working && !missing;
}"""
IS_IDLE = "() => [...document.images].every((image) => image.complete)"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, default=ROOT / "docs", help="the folder of the pictures (default: docs)")
    options.add_argument("--config", type=Path, default=ROOT / "configs" / "demo.yaml", help="what is shown")
    arguments = options.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="fastlabel-screenshots-") as folder,
        served(["--config", str(arguments.config)], Path(folder)) as address,
        opened_page(address, NO_HINT) as page,
    ):
        for number, project in enumerate(load_config(arguments.config).projects):
            _label(page, address, project.name)
            shown = PICTURES if number == 0 else {"sounds": _label_view}
            _photograph(page, address, project.name, shown, arguments.out)


def _photograph(page: Any, address: str, project: str, pictures: dict[str, Show], out: Path) -> None:
    for name, show in pictures.items():
        for theme in ("light", "dark"):
            say(f"{project}: {name}, {theme} …")
            _open(page, address, project, theme)
            show(page, project)
            _save(page, out / f"screenshot-{name}-{theme}.webp")
            page.evaluate("localStorage.clear()")  # what is labeled on screen: the next picture begins as this one did


def _label(page: Any, address: str, project: str) -> None:
    """A few batches as the source knows them; one label is wrong, for the list of mistakes."""

    def ask(path: str, **query: Any) -> Any:
        return page.request.get(f"{address}/api/{path}", params={"project": project, **query}).json()

    def post(path: str, **body: Any) -> Any:
        return page.request.post(f"{address}/api/{path}", data={"project": project, **body}).json()

    def is_trained() -> bool:
        status = ask("status")
        return bool(status["head"]["state"] == "idle" and status["since_training"] == 0)

    wait_until(lambda: ask("status")["embedding"]["state"] == "done", EMBED_LIMIT_S, "the embedding", 0.2)
    for number in range(BATCHES):
        ids = [item["id"] for item in ask("next_batch", size=BATCH, fresh="true")["items"]]
        known = {one["id"]: one["known_label"] for one in post("items", query={"ids": ids}, size=BATCH)["items"]}
        if number == 0 and ids:
            known[ids[0]] = next(name for name in ask("status")["classes"] if name != known[ids[0]])
        post("submit_labels", labels=[{"id": item_id, "label": name} for item_id, name in known.items()])
        post("train")
        wait_until(is_trained, TRAIN_LIMIT_S, "the training", 0.1)


def _open(page: Any, address: str, project: str, theme: str) -> None:
    page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
    page.goto("about:blank")
    page.goto(f"{address}/?__theme={theme}#project={project}")
    page.wait_for_selector(f"#fl-grid-{project} .fl[data-ready-batch][data-busy='']")


def _label_view(page: Any, project: str) -> None:
    """A batch of which the first cards are labeled, one of them other than the head suggests."""
    page.wait_for_selector(f"#fl-grid-{project} .fl-card[data-seen]")
    for key in (*["Enter"] * ACCEPTED, "4", "Enter", "Enter"):
        page.keyboard.press(key)
    page.evaluate("window.scrollTo(0, 0)")


def _go(page: Any, project: str, view: str, ready: str) -> None:
    page.locator(f"#fl-grid-{project} .fl-view-tab[data-view={view}]").click()
    page.wait_for_selector(f"#fl-grid-{project} {ready}")


def _explore(page: Any, project: str) -> None:
    _go(page, project, "explore", ".fl-explore[aria-busy=false] .fl-facets[data-counting=false]")
    page.locator(f"#fl-grid-{project} .fl-explore-tools [data-panel=map]").click()
    page.wait_for_selector(f"#fl-grid-{project} .fl-map-picture[data-points]")


def _mistakes(page: Any, project: str) -> None:
    _go(page, project, "explore", ".fl-explore[aria-busy=false] .fl-facets[data-counting=false]")
    page.wait_for_function(ARE_RANKED, arg=project)
    page.locator(f"#fl-grid-{project} .fl-explore-tools [data-panel=mistakes]").click()
    page.wait_for_selector(f"#fl-grid-{project} .fl-suspects-near li")


def _progress(page: Any, project: str) -> None:
    _go(page, project, "progress", ".fl-progress-classes table")


PICTURES: dict[str, Show] = {
    "label": _label_view,
    "explore": _explore,
    "mistakes": _mistakes,
    "progress": _progress,
}


def _save(page: Any, path: Path) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_function(IS_IDLE)
    shot = Image.open(io.BytesIO(page.screenshot()))
    shot.convert("RGB").save(path, quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
