"""`fastlabel embed`: the vectors of a whole source, in threads or on a Ray cluster, as parts that the app takes in."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm

from fastlabel_gradio.bulk.embedding import PART_ITEMS, Embedding, Tally
from fastlabel_gradio.data_options import add_data_options, config_of, workdir_of
from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.ray_cluster import add_ray_options, count, open_cluster

SHOWN = 100  # unreadable items that are named


def main(argv: Sequence[str]) -> str:
    """What was written where. Raises FastLabelError where something cannot be used."""
    arguments = parser().parse_args(argv)
    if not (arguments.path or arguments.config):
        raise ConfigError("say what to embed: a PATH, or --config F.")
    config = config_of(arguments)
    project = config.project(arguments.project)
    embedding = Embedding(project, config.base_dir, workdir_of(arguments), arguments.output, arguments.part_items)
    if embedding.notice:
        sys.stderr.write(f"{embedding.notice}\n")
    threads = arguments.workers or os.cpu_count() or 1
    cluster = open_cluster(arguments.ray, arguments.workers) if arguments.ray else nullcontext()
    with cluster as connected, tqdm(unit=" items", disable=None) as bar:
        tally = embedding.run(connected, threads, lambda tally: _show(bar, tally))
    _list(tally)
    return _told(tally, embedding, arguments.output)


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        "fastlabel embed",
        description="Embeds a whole source into Parquet parts, in threads or on a Ray cluster. A command that was stopped "
        "goes on where it was when it is run again. Label meanwhile: fastlabel PATH --embedded OUT.",
    )
    add_data_options(options)
    options.add_argument("--project", metavar="NAME", help="which project of the configuration, if it has several")
    options.add_argument(
        "-o", "--output", required=True, metavar="OUT", help="a folder for the parts, or s3://BUCKET/FOLDER"
    )
    add_ray_options(options)
    options.add_argument(
        "--part-items",
        type=count,
        default=PART_ITEMS,
        metavar="N",
        help="items of a part, which is what a worker that dies costs (default: %(default)s)",
    )
    options.add_argument(
        "--workdir", type=Path, metavar="D", help="the app's working directory, where it is not the usual"
    )
    return options


def _show(bar: "tqdm[NoReturn]", tally: Tally) -> None:
    bar.total = tally.listed
    bar.update(tally.done - bar.n)


def _list(tally: Tally) -> None:
    """Names the first items that cannot be read, with the reason."""
    problems = [*tally.unreadable, *tally.unavailable]
    for item_id, why in problems[:SHOWN]:
        sys.stderr.write(f"{item_id}: {why}\n")
    if len(problems) > SHOWN:
        sys.stderr.write(f"and {len(problems) - SHOWN:,} more; column `reason` has them all\n")


def _told(tally: Tally, embedding: Embedding, out: str) -> str:
    before = f", {tally.before:,} were there before" if tally.before else ""
    bad = f", {len(tally.unreadable):,} cannot be read" if tally.unreadable else ""
    text = f"{out}: {tally.vectors:,} vectors by encoder '{embedding.encoder.name}'{before}{bad}."
    if tally.unavailable:
        text += f" {len(tally.unavailable):,} could not be read now: run the command again to try them."
    return f"{text}\nLabel them: fastlabel PATH --embedded {out}"
