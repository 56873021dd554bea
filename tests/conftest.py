"""What tests share: shape checks at run time, and small real pools of pictures."""

import atexit
import gc
import os
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
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

from tests.shape_checks import install_on_package  # noqa: E402

install_on_package()

pytest_plugins = ["tests.divided_workers"]

PLUGINS = (
    "tests.finish_pools",
    "tests.left_behind",
    "tests.pools",
    "tests.postgres",
    "tests.tiny_models",
    "tests.trainings",
)
pytest.register_assert_rewrite(*PLUGINS)  # some are imported by others first


def pytest_configure(config: pytest.Config) -> None:
    """What brings the package with it is imported where tests run only, not by the process that hands them out."""
    from tests.divided_workers import starts_workers

    if not starts_workers(config):
        for plugin in PLUGINS:
            config.pluginmanager.import_plugin(plugin)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
    atexit.register(gc.unfreeze)
