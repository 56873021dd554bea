"""`fastlabel backup`: a project as one file, without its media and embeddings."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from fastlabel_gradio.server.backups import back_up


def main(argv: Sequence[str]) -> str:
    """What became of it. Raises FastLabelError."""
    arguments = parser().parse_args(argv)
    done = back_up(arguments.workdir, arguments.project, arguments.out)
    return f"'{done.project}': {done.files} files, {done.bytes / 1e6:,.1f} MB unpacked, are in {arguments.out}"


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        "fastlabel backup",
        description="Writes labels, classes, the head and the encoder in use into one file, also while the app runs. The "
        "media are not in it.",
    )
    options.add_argument("--workdir", type=Path, required=True, metavar="D", help="the app's working directory")
    options.add_argument("--project", metavar="NAME", help="which of its projects, if it has several")
    options.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="the file to write")
    return options
