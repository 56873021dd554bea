"""`fastlabel export`: labels as a file or a folder, and a dataset on the Hugging Face hub."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.exports import EXPORTERS, Exported, FolderExporter, How, parse_shares
from fastlabel_gradio.exports.hub_folder import push_folder
from fastlabel_gradio.exports.row_stream import SOURCES, STATES, Choice, parse_names
from fastlabel_gradio.server.export_job import ExportOrder, export
from fastlabel_gradio.server.stored_project import open_stored

UNREADABLE_SHOWN = 5


def main(argv: Sequence[str]) -> str:
    """What became of it. Raises FastLabelError."""
    arguments = parser().parse_args(argv)
    order = _order(arguments)
    if not (arguments.out or arguments.push):
        raise ConfigError("say where to: -o OUT, or --push NAME/DATASET for a dataset on the hub.")
    if arguments.push and order.format not in ("hf", "hf_parquet"):
        raise ConfigError("--push needs --format hf or hf_parquet: the hub shows folders of these formats.")
    with tempfile.TemporaryDirectory(prefix="fastlabel-export-") as temporary:
        out = arguments.out or Path(temporary) / "dataset"
        with open_stored(arguments.workdir, arguments.project) as project:
            done = export(project, "", order, out, _Bar())
        lines = [_told(done, out)] if arguments.out else []
        if arguments.push:
            address = push_folder(out, arguments.push, "dataset", is_private=not arguments.public)
            lines.append(f"The dataset is at {address}")
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        "fastlabel export", description="Writes labels as a file, or media and labels as a folder."
    )
    options.add_argument("--workdir", type=Path, required=True, metavar="D", help="the app's working directory")
    options.add_argument("--project", metavar="NAME", help="which of its projects, if it has several")
    options.add_argument("--format", default="csv", choices=EXPORTERS.names(), help="default: %(default)s")
    options.add_argument(
        "-o", "--out", type=Path, metavar="OUT", help="the file or folder to write; .zip packs a folder"
    )
    options.add_argument(
        "--states", metavar="A,B", help=f"which states, of {', '.join(STATES)} (default: all; of folders label)"
    )
    options.add_argument("--sources", metavar="A,B", help=f"only what came by these: {', '.join(SOURCES)}")
    options.add_argument("--standing", action="store_true", help="only what stands of each item, no second opinions")
    options.add_argument("--splits", metavar="NAME=SHARE,…", help="parts of the data: train=0.8,test=0.2")
    options.add_argument("--seed", type=int, default=0, metavar="N", help="another one draws other parts (default: 0)")
    options.add_argument(
        "--files",
        choices=(*get_args(How), "none"),
        default="copy",
        help="of a folder: copy media, link to them, or write only the list of `tree` (default: %(default)s)",
    )
    options.add_argument("--exact", action="store_true", help="of CSV: do not mark what spreadsheets run as a formula")
    options.add_argument("--push", metavar="NAME/DATASET", help="with --format hf or hf_parquet: upload it to the hub")
    options.add_argument("--public", action="store_true", help="with --push: everybody may see it")
    return options


def _order(arguments: argparse.Namespace) -> ExportOrder:
    states = STATES if arguments.states is None else parse_names(arguments.states, STATES, "--states")
    sources = None if arguments.sources is None else parse_names(arguments.sources, SOURCES, "--sources")
    choice = Choice("all", states, sources, arguments.standing)
    shares = {} if arguments.splits is None else parse_shares(arguments.splits)
    only_names = arguments.files == "none"
    how: How = "copy" if only_names else arguments.files
    if how != "copy" and not isinstance(EXPORTERS.get(arguments.format), FolderExporter):
        raise ConfigError(f"--files is for formats that are folders; {arguments.format} is a file.")
    return ExportOrder(arguments.format, choice, shares, arguments.seed, not arguments.exact, how, only_names)


def _told(done: Exported, out: Path) -> str:
    lines = [f"{done.rows:,} rows are in {out}"]
    if done.unreadable:
        lines.append(f"{len(done.unreadable):,} items could not be added:")
        lines += [f"  {item_id}: {reason}" for item_id, reason in done.unreadable[:UNREADABLE_SHOWN]]
    return "\n".join(lines)


class _Bar:
    """A progress bar in a terminal."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._bar = tqdm(unit=" rows", disable=None)

    def __call__(self, rows: int) -> None:
        self._bar.update(rows - self._bar.n)
