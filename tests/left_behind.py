"""A test that leaves something for later ones fails itself, and says what: the order of tests must not matter."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fastlabel_gradio.encoders.base import ENCODERS
from fastlabel_gradio.exports import EXPORTERS
from fastlabel_gradio.imports.base import IMPORTERS
from fastlabel_gradio.server.views import VIEWS
from fastlabel_gradio.sources import SOURCES
from fastlabel_gradio.strategies import STRATEGIES

REGISTRIES = (*ENCODERS.values(), EXPORTERS, IMPORTERS, SOURCES, STRATEGIES, VIEWS)
SIGNALS = (signal.SIGINT, signal.SIGTERM)
OURS = "$FASTLABEL_"  # of other variables libraries add some when they are imported


def _state() -> dict[str, object]:
    found: dict[str, object] = {
        f"${name}": value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"
    }
    found |= {"registered": [registry.names() for registry in REGISTRIES]}
    found |= {"folder": Path.cwd(), "search path": list(sys.path)}
    found |= {"signals": [signal.getsignal(number) for number in SIGNALS]}
    if torch := sys.modules.get("torch"):
        found |= {"threads of an operation": torch.get_num_threads(), "gradients": torch.is_grad_enabled()}
    return found


@pytest.fixture(autouse=True)
def leaves_nothing_behind() -> Iterator[None]:
    """Set up before every other fixture of the test and torn down after them; those of a module or session may stay."""
    before = _state()
    yield
    after = _state()
    added = {name for name in after.keys() - before.keys() if name.startswith(OURS)}
    removed = {name for name in before.keys() - after.keys() if name.startswith("$")}
    compared = added | removed | (before.keys() & after.keys())
    left = {name: (before.get(name), after.get(name)) for name in compared if before.get(name) != after.get(name)}
    assert not left, "left for later tests: what it was, and what it is"
