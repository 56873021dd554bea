"""The command line of `fastlabel compare-encoders`."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from fastlabel_gradio.comparison.report import compare_encoders, table_of
from fastlabel_gradio.config import PartConfig
from fastlabel_gradio.data_options import add_data_options, config_of, workdir_of
from fastlabel_gradio.devices import use_one_thread_per_operation
from fastlabel_gradio.encoders.listed import listed_encoders


def main(argv: Sequence[str]) -> str:
    """The table. Raises FastLabelError where something cannot be used."""
    arguments = parser().parse_args(argv)
    use_one_thread_per_operation()
    config = config_of(arguments)
    project = config.project(arguments.project)
    named = None
    if arguments.encoders is not None:
        named = {name: PartConfig.model_validate(block) for name, block in listed_encoders(arguments.encoders).items()}
    report = compare_encoders(project, config.base_dir, workdir_of(arguments), named)
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(report)) + "\n", encoding="utf-8")
    return table_of(report).rstrip("\n")


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        "fastlabel compare-encoders",
        description="Would another encoder be better? Compares them on the labels so far, beside a running app or without.",
    )
    add_data_options(options)
    options.add_argument("--project", metavar="NAME", help="which of its projects, if it has several")
    options.add_argument(
        "--encoders",
        metavar="A,B",
        help="encoders to compare with the one in use, a model or path behind a colon (default: all that need none)",
    )
    options.add_argument("--json", type=Path, metavar="OUT", help="write the table to this file, too")
    options.add_argument(
        "--workdir", type=Path, metavar="D", help="the app's working directory, where it is not the usual"
    )
    return options
