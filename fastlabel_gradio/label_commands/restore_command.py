"""`fastlabel restore`: a project from its backup."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from fastlabel_gradio.server.backups import restore


def main(argv: Sequence[str]) -> str:
    """What became of it. Raises FastLabelError."""
    arguments = parser().parse_args(argv)
    done = restore(arguments.backup, arguments.workdir)
    place = arguments.workdir / done.project
    return (
        f"'{done.project}' is in {place}. Start with --workdir {arguments.workdir}; its items are embedded again then."
    )


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        "fastlabel restore",
        description="Puts a project back from its backup, of this or an earlier version. Nothing is overwritten.",
    )
    options.add_argument("backup", type=Path, metavar="FILE", help="what `fastlabel backup` wrote")
    options.add_argument("--workdir", type=Path, required=True, metavar="D", help="where to; made if it is missing")
    return options
