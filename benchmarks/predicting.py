"""`fastlabel predict` on a folder of pictures beside the embedding pipeline of the app on the same ones.

    python -m benchmarks.predicting --pictures ~/data/cifar10/train --encoder pretrained

Both in a process of their own, one after the other, in turns. The pipeline is that of a project of the app, from the moment
when its encoder is ready (loaded, and fitted where it learns from the pool) to the last row on disk. `predict` is the command
as one types it, from the model's files to the finished table, with what the project learned from a few labels; both read,
prepare and encode the same pictures, and only the pipeline keeps small pictures of them. Aim: not slower than the pipeline.
"""

import argparse
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.report import Option, Table, own_process, run, say
from benchmarks.workload import picture_folder, wait_until
from fastlabel_gradio.config import ProjectConfig

if TYPE_CHECKING:
    from fastlabel_gradio.server.project import Project

LABELS, ANNOTATOR = 40, "ann"
SETTLED_S = 7_200.0
OPTIONS = (
    Option("--pictures", Path, "folder of class folders (default: generated ones)"),
    Option("--count", 2_000, "generated pictures"),
    Option("--side-px", 400, "size of generated pictures"),
    Option("--encoder", "pretrained", "that embeds"),
    Option("--turns", 3, "turns of each"),
)


class Took(NamedTuple):
    """Items, and what they took in seconds on the clock and of the processor."""

    items: int
    seconds: float
    cpu_s: float


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> list[Table]:
    pictures = arguments.pictures or picture_folder(arguments.count, arguments.side_px)
    turns: dict[str, list[Took]] = {"pipeline": [], "predict": []}
    for turn in range(arguments.turns):
        say(f"turn {turn + 1} …")
        with tempfile.TemporaryDirectory(prefix="fastlabel-benchmark-") as name:
            for contestant, work in (("pipeline", embedded), ("predict", predicted)):
                with own_process() as process:
                    turns[contestant].append(process.submit(work, pictures, Path(name), arguments.encoder).result())
    columns = ("contestant", "items", "s (median)", "items/s", "CPU ms an item")
    return [
        Table("Predict.", columns, [_row(*found) for found in turns.items()], "predict not slower than the pipeline")
    ]


def _row(name: str, turns: list[Took]) -> tuple[object, ...]:
    items, seconds = turns[0].items, statistics.median(one.seconds for one in turns)
    cpu_s = statistics.median(one.cpu_s for one in turns)
    return name, items, round(seconds, 1), round(items / seconds, 1), round(1_000 * cpu_s / items, 2)


def embedded(pictures: Path, folder: Path, encoder: str) -> Took:
    """Of the pipeline, in this process; the project's model is at `folder/work/pictures/model` afterwards."""
    from fastlabel_gradio.server.project import Project

    config = {"name": "pictures", "source": {"kind": "image_folder", "path": pictures}, "encoder": encoder}
    began: list[float] = []
    with closing(Project(ProjectConfig.model_validate(config), folder, folder / "work")) as project:
        project.pipeline.ready.call_back(lambda: began.extend((time.perf_counter(), time.process_time())))
        project.start()
        wait_until(lambda: project.pipeline.progress.state in ("done", "failed"), SETTLED_S, "the embeddings")
        if project.pipeline.progress.state == "failed":
            raise RuntimeError(project.pipeline.progress.error)
        took = Took(len(project.store), time.perf_counter() - began[0], time.process_time() - began[1])
        _teach(project)
    return took


def predicted(pictures: Path, folder: Path, encoder: str) -> Took:
    """Of the command, in this process."""
    from fastlabel_gradio.classifier import predict_command

    model, out = folder / "work" / "pictures" / "model", folder / "out.csv"
    began, cpu = time.perf_counter(), time.process_time()
    predict_command.main([str(model), str(pictures), "-o", str(out)])
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    with out.open(encoding="utf-8") as lines:
        return Took(sum(1 for _ in lines) - 1, seconds, cpu_s)


def _teach(project: "Project") -> None:
    """Some labels, a head, and its files."""
    labeler = project.labeler(ANNOTATOR)
    batch = labeler.next_batch(ANNOTATOR, LABELS)
    labeler.submit(ANNOTATOR, [(item.id, item.id.split("/")[0]) for item in batch.items], batch.id)
    labeler.train()
    if not labeler.wait_for_training(SETTLED_S):
        raise RuntimeError("no head was trained")
    wait_until((project.folder / "model" / "config.json").exists, SETTLED_S, "the classifier's files")


if __name__ == "__main__":
    main()
