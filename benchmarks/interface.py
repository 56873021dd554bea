"""The loop at 30,000 items, as a person and as a script meet it. The app runs in a process of its own, on loopback.

The pool is a sprite of CelebA's size (9600 x 7200, tiles of 48 x 48), embedded to the end by the offline encoder.

- submit to next batch: POST submit_labels of 100, then GET next_batch of 100 picked by the head that learned them, as the
  labels grow from 0 to 2,000. Aim: 500 ms at the 95th percentile.
- click: on `Load next batch` in headless Chromium until 100 cards are usable (built, and their contact sheet decoded),
  with a trained head. Aim: 400 ms median.
- submit while training: POST submit_labels of 100 while a head is being trained all the time. Aim: 50 ms at the 95th
  percentile.
- parts: where the time of a next batch goes, each part called in this process on the same store.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.page import WARM_UP, click_table, clicks_on_load, opened_page
from benchmarks.report import Cell, Measured, Option, Table, median_and_p95, milliseconds, percentile_rows, run, say
from benchmarks.workload import PROJECT, Annotator, Sprite, served, sprite_sheet, wait_until, write_config

BATCH = 100
TRAIN_REQUESTS_PER_S = 20


OPTIONS = (
    Option("--pictures", Path, "class folders to build the sprite from"),
    Option("--passes", 3, "times that the labels grow from 0"),
    Option("--labels", 2000, "labels at the end of a pass"),
    Option("--clicks", 40, "clicks that count"),
    Option("--submits", 60, "submits while training"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    sprite = sprite_sheet(arguments.pictures)
    with tempfile.TemporaryDirectory(prefix="fastlabel-benchmark-") as folder:
        workdir = Path(folder) / "work"
        start = ["--config", str(write_config(Path(folder), sprite))]
        rounds: list[dict[str, Any]] = []
        for number in range(arguments.passes):
            _forget_labels(workdir)
            with served(start, workdir) as address, closing(Annotator(address, truth=sprite.truth)) as annotator:
                say(f"pass {number + 1} of {arguments.passes}: embedding, then labels to {arguments.labels:,} …")
                annotator.wait_for_embedding()
                rounds += list(_label_rounds(annotator, arguments.labels))
                if number == arguments.passes - 1:
                    say(f"{arguments.clicks} clicks …")
                    with opened_page(address) as page:
                        clicks = clicks_on_load(page, PROJECT, arguments.clicks, BATCH)
                    say(f"{arguments.submits} submits while training …")
                    submits, busy = _submits_while_training(address, sprite, arguments.submits)
        say("parts …")
        parts = _parts(Path(start[1]), workdir)
    clicked = click_table(clicks, BATCH, "click to usable, median 400 ms at most")
    return [clicked, _submit_table(submits, busy), _round_table(rounds), _parts_table(parts)]


def _forget_labels(workdir: Path) -> None:
    """Leaves the embeddings, so that the next pass starts at once."""
    for path in workdir.glob(f"{PROJECT}/labels.sqlite*"):
        path.unlink()
    (workdir / PROJECT / "head.safetensors").unlink(missing_ok=True)


def _label_rounds(annotator: Annotator, labels: int) -> Iterator[dict[str, Any]]:
    """Labels batch after batch; one record a round."""
    batch = annotator.next_batch(BATCH)
    for _ in range(labels // BATCH):
        answers = annotator.answers(batch)
        began = time.perf_counter()
        receipt = annotator.submit(answers)
        submitted = time.perf_counter()
        batch = annotator.next_batch(BATCH)
        ended = time.perf_counter()
        annotator.wait_for_training()  # a person takes longer than that for 100 labels
        status = annotator.status()
        yield {
            "labels": receipt["labeled"],
            "total": 1000 * (ended - began),
            "submit": 1000 * (submitted - began),
            "training": 1000 * status["head"]["seconds"],
            "newest": batch["head_version"] == status["head"]["version"],
        }


def _submits_while_training(address: str, sprite: Sprite, count: int) -> tuple[list[float], float]:
    """Milliseconds of each submit, and the share of them during which a head was being trained."""
    with closing(Annotator(address, truth=sprite.truth)) as annotator, _always_training(address, sprite):
        wait_until(lambda: annotator.status()["head"]["state"] == "training", 30, "the training", 0.005)
        taken, busy = [], 0
        for _ in range(count):
            answers = annotator.answers(annotator.next_batch(BATCH))
            taken += milliseconds(partial(annotator.submit, answers))
            busy += annotator.status()["head"]["state"] == "training"
        return taken, busy / count


@contextmanager
def _always_training(address: str, sprite: Sprite) -> Iterator[None]:
    """Another client asks for a training so often that there is always one under way."""
    stopped = threading.Event()

    def ask() -> None:
        with closing(Annotator(address, truth=sprite.truth)) as other:
            while not stopped.wait(1 / TRAIN_REQUESTS_PER_S):
                other.train()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _parts(config: Path, workdir: Path) -> dict[str, list[float]]:
    """Milliseconds of each part of a next batch at the number of labels that the last pass left."""
    from fastlabel_gradio.config import load_config
    from fastlabel_gradio.head import HeadInfo, train_head
    from fastlabel_gradio.server.project import Project
    from fastlabel_gradio.strategies import STRATEGIES, PoolView

    loaded = load_config(config)
    with closing(Project(loaded.projects[0], loaded.base_dir, workdir)) as project:
        project.start()
        labeler = project.labeler("local")
        wait_until(lambda: labeler.head is not None and project.pipeline.progress.state == "done", 60, "the start")
        head, vectors, rng = labeler.head, project.store.embeddings, np.random.default_rng(0)
        assert head is not None
        labels = head.info.label_count
        targets = head.predict_proba_rows(vectors, np.arange(labels)).argmax(axis=1)
        free = np.arange(labels, len(vectors))
        view = PoolView(vectors, free, head.predict_proba_rows(vectors, free))
        info = HeadInfo(1, labeler.schema.classes, "", labels)
        batch = labeler.next_batch("local", BATCH, fresh=True)
        return {
            f"train on {labels:,} labels": _timed(lambda: train_head(np.asarray(vectors[:labels]), targets, info)),
            f"score {len(free):,} rows": _timed(lambda: head.predict_proba_rows(vectors, free)),
            f"pick {BATCH} of them": _timed(lambda: STRATEGIES.get("auto").pick(view, BATCH, rng)),
            "next_batch: score, pick, claim": _timed(lambda: labeler.next_batch("local", BATCH, fresh=True)),
            "contact sheet of 100": _timed(lambda: project.gallery.contact_sheet(batch.items)),
        }


def _timed(work: Callable[[], object], rounds: int = 15) -> list[float]:
    return milliseconds(work, rounds + WARM_UP)[WARM_UP:]


def _submit_table(submits: list[float], busy: float) -> Table:
    title = f"Submit of {BATCH} labels acknowledged while training runs, ms, {len(submits)} submits."
    note = f"A training was under way after {busy:.0%} of the submits."
    return Table(title, ("", "median", "p95"), percentile_rows({"submit": submits}), aim="p95 50 ms at most", note=note)


def _round_table(rounds: list[dict[str, Any]]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    most = max(record["labels"] for record in rounds)
    for low, high in [(0, most // 4), (most // 4, most // 2), (most // 2, most), (0, most)]:
        some = [record for record in rounds if low < record["labels"] <= high]
        newest = f"{sum(record['newest'] for record in some)} of {len(some)}"
        columns = ([record[name] for record in some] for name in ("total", "submit", "training"))
        times = [f"{middle} / {high_end}" for middle, high_end in map(median_and_p95, columns)]
        rows.append((f"{low + BATCH:,} to {high:,}", *times, newest))
    columns_ = ("labels", "submit to next batch", "of it submit", "training", "from the newest head")
    title = f"Submit to a next batch of {BATCH} from the new head, ms, median / p95."
    return Table(title, columns_, rows, aim="p95 500 ms at most")


def _parts_table(parts: dict[str, list[float]]) -> Table:
    return Table("Where the time goes, ms, each part alone.", ("", "median", "p95"), percentile_rows(parts))


if __name__ == "__main__":
    main()
