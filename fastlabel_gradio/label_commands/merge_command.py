"""`fastlabel merge A B`: the labels of two working directories in one."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from fastlabel_gradio.label_commands.merging import Merged, merge


def main(argv: Sequence[str]) -> str:
    """What became of it. Raises FastLabelError."""
    arguments = parser().parse_args(argv)
    out = arguments.out or arguments.first
    return _told(merge(arguments.first, arguments.second, out, arguments.project, now=time.time()), out)


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        "fastlabel merge",
        description="Takes the labels of one working directory into another. What stands there stays; where they differ the "
        "others are second opinions.",
    )
    options.add_argument("first", type=Path, metavar="A", help="the working directory that gets the labels")
    options.add_argument("second", type=Path, metavar="B", help="the one that they come from")
    options.add_argument("-o", "--out", type=Path, metavar="C", help="a new one for both, instead of A")
    options.add_argument("--project", metavar="NAME", help="which of their projects, if they have several")
    return options


def _told(done: Merged, out: Path) -> str:
    taken = done.taken
    lines = [
        f"{taken.added:,} opinions taken into {out}; {taken.known:,} known already, {taken.older:,} older ones left."
    ]
    lines += [f"Items on which people differ: {done.conflicts:,}. All opinions are kept."] if done.conflicts else []
    lines += [f"'{name}' are two people: the second one is '{other}'." for name, other in done.renamed.items()]
    lines += [f"New classes: {', '.join(done.new_classes)}."] if done.new_classes else []
    return "\n".join(lines)
