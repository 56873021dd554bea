"""The command line: finds a command by its first word. Without one it serves what is named.

A command is a module with `parser()`, its options, and `main(argv)`, which gives the text to print at its end and raises
FastLabelError where something cannot be used.
"""

import argparse
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from fastlabel_gradio.errors import FastLabelError

SERVE = "serve_command"
COMMANDS = {  # a folder of one of these names is written ./simulate
    "simulate": "simulation.command_line",
    "compare-encoders": "comparison.command_line",
    "export": "label_commands.export_command",
    "merge": "label_commands.merge_command",
    "backup": "label_commands.backup_command",
    "restore": "label_commands.restore_command",
    "export-model": "classifier.export_command",
    "embed": "bulk.embed_command",
    "predict": "classifier.predict_command",
    "demo": "ui.demo",
    "invite": "server.access.invite_command",
}
GO_ON = ("embed", "predict")  # what they did is kept
WRONG = 2  # as argparse ends where the command line is wrong
STOPPED = 130  # what a shell says of a program that Ctrl-C ended

EMPTY_OPTION = re.compile(r"--[a-z-]+=\s*")

Main = Callable[[Sequence[str]], str]


def main(argv: Sequence[str] | None = None) -> None:
    """Runs a command, or serves until Ctrl-C or SIGTERM.

    Exits with the error's text and 1 where something cannot be used, or the system cannot open what is named, with 2 where
    the command line itself is wrong, with 130 where a command is stopped by Ctrl-C.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    _check_not_empty(words)
    module = COMMANDS.get(words[0]) if words else None
    logging.basicConfig(level=logging.INFO, format="%(message)s" if module else "%(levelname)s %(name)s: %(message)s")
    for talkative in ("httpx", "aiobotocore", "botocore", "datasets"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    try:
        run: Main = import_module(f"fastlabel_gradio.{module or SERVE}").main
        text = run(words[1:] if module else words)
    except FastLabelError as error:
        sys.exit(f"fastlabel: {error}")
    except OSError as error:
        if error.filename is None:
            raise
        sys.exit(f"fastlabel: {os.fsdecode(error.filename)}: {error.strerror or error}.")
    except KeyboardInterrupt:
        goes_on = " The same command goes on where it was." if module and words[0] in GO_ON else ""
        sys.stderr.write(f"\nfastlabel: stopped.{goes_on}\n")
        sys.exit(STOPPED)
    sys.stdout.write(f"{text}\n" if text else "")


def _check_not_empty(words: Sequence[str]) -> None:
    """Ends with 2 where a word, or what an option is set to, is empty: as a path it would be the current folder."""
    empty = next((word for word in words if not word.strip() or EMPTY_OPTION.fullmatch(word)), None)
    if empty is not None:
        where = f"behind '{empty.strip()}'" if empty.strip() else "among the arguments"
        sys.stderr.write(f"fastlabel: nothing stands {where}, as where a variable is not set.\n")
        sys.exit(WRONG)


def parsers() -> dict[str, argparse.ArgumentParser]:
    """The options of every command by its name; those of serving under \"\"."""
    modules = {"": SERVE, **COMMANDS}
    return {name: import_module(f"fastlabel_gradio.{module}").parser() for name, module in modules.items()}
