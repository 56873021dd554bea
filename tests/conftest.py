"""What tests share: shape checks at run time, and small real pools of pictures."""

import atexit
import gc
import os
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "fastlabel_gradio"
BYTECODE = ROOT / ".pytest_cache" / "bytecode"

gc.disable()  # until all tests are collected: what is imported stays, and is not looked through again and again

if sys.dont_write_bytecode:
    # Each worker, and each app that a test starts, would compile what has no bytecode: the package, and torch and Gradio too
    # where none lies beside their sources. Where it does it is used, which it would not be in a folder apart.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if not Path(cache_from_source(pytest.__file__)).exists():
        sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(BYTECODE)
# As in the app: the helper threads of torch and BLAS would wait for those of the other worker at every operation.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from tests.shape_checks import install  # noqa: E402

# Gradio wraps the constructors of its components in a way that run-time checks cannot see through.
CHECKED = [path.stem for path in PACKAGE.iterdir() if path.stem not in ("ui", "__init__", "__pycache__")]

install([f"fastlabel_gradio.{room}" for room in CHECKED])

pytest_plugins = [
    "tests.finish_pools",
    "tests.left_behind",
    "tests.pools",
    "tests.postgres",
    "tests.tiny_models",
    "tests.trainings",
]


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
    atexit.register(gc.unfreeze)
