"""The command lines of labels on their way: export, merge, backup, restore. Each is a file; `run` finds it by its name.

They work beside a running app or without one.
"""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from fastlabel_gradio.errors import FastLabelError

COMMANDS = {
    "export": "export_command",
    "merge": "merge_command",
    "backup": "backup_command",
    "restore": "restore_command",
}

Main = Callable[[Sequence[str]], str]


def parsers() -> list[argparse.ArgumentParser]:
    """The options of every command."""
    return [import_module(f"{__name__}.{module}").parser() for module in COMMANDS.values()]


def run(command: str, argv: Sequence[str]) -> None:
    """Runs a command and prints what it has to say. Exits with the error's text and 1 where something cannot be used."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main: Main = import_module(f"{__name__}.{COMMANDS[command]}").main
    try:
        said = main(argv)
    except FastLabelError as error:
        sys.exit(f"fastlabel: {error}")
    sys.stdout.write(f"{said}\n")
