"""The command line of `fastlabel compare-encoders`."""

import argparse
import json
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from fastlabel_gradio.comparison.report import compare_encoders, table_of
from fastlabel_gradio.config import AppConfig, PartConfig
from fastlabel_gradio.devices import use_one_thread_per_operation
from fastlabel_gradio.encoders.listed import listed_encoders
from fastlabel_gradio.errors import FastLabelError


def main(
    argv: Sequence[str],
    add_data_arguments: Callable[[argparse.ArgumentParser], None],
    config_of: Callable[[argparse.Namespace], AppConfig],
    workdir_of: Callable[[argparse.Namespace], Path],
) -> None:
    """Prints the table. Exits with the error's text and 1 where something cannot be used.

    Args:
        add_data_arguments: adds the options that say what was labeled, those of the app.
        config_of: the configuration that they name. workdir_of: where the app keeps what belongs to it.
    """
    arguments = parser(add_data_arguments).parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    use_one_thread_per_operation()
    try:
        config = config_of(arguments)
        project = config.project(arguments.project)
        named = None
        if arguments.encoders is not None:
            named = {
                name: PartConfig.model_validate(block) for name, block in listed_encoders(arguments.encoders).items()
            }
        report = compare_encoders(project, config.base_dir, workdir_of(arguments), named)
    except FastLabelError as error:
        sys.exit(f"fastlabel: {error}")
    sys.stdout.write(table_of(report))
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(report)) + "\n", encoding="utf-8")


def parser(add_data_arguments: Callable[[argparse.ArgumentParser], None]) -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        "fastlabel compare-encoders",
        description="Would another encoder be better? Compares them on the labels so far, beside a running app or without.",
    )
    add_data_arguments(options)
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
