"""What tests share: shape checks at run time, and small real pools of pictures."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "fastlabel_gradio"
BYTECODE = ROOT / ".pytest_cache" / "bytecode"

if sys.dont_write_bytecode:
    # Where no bytecode lies beside the sources each worker, and each app that a test starts, would compile torch and Gradio.
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(BYTECODE)
    os.environ["PYTHONPYCACHEPREFIX"] = str(BYTECODE)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
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
