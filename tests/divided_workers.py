"""The workers of pytest-xdist come of one process that divides itself: what all of them import is imported once.

The process that hands out the tests imports nothing of the package. Where the system is not Linux each worker imports all.
"""

import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.fork_server import Started, serve
from tests.shape_checks import install_on_package

if TYPE_CHECKING:
    from execnet.gateway_base import ExecModel

# What takes longest to import. No module of tests: pytest writes asserts of those anew when it imports them.
MODULES = (
    "torch",
    "torchvision",
    "gradio",
    "open_clip",
    "datasets",
    "pandas",
    "sklearn.linear_model",
    "fastlabel_gradio.command_line",
    "fastlabel_gradio.server.api",
    "fastlabel_gradio.ui.app_layout",
    "fastlabel_gradio.encoders.pretrained",
    "fastlabel_gradio.simulation",
)


def starts_workers(config: pytest.Config) -> bool:
    """Whether other processes run the tests that this one hands out."""
    is_handing_out = config.getoption("dist", "no") != "no" and not config.option.collectonly
    return is_handing_out and not hasattr(config, "workerinput")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    if sys.platform == "linux":
        _start_workers_divided()


class Worker(Started):
    server = __name__


def _start_workers_divided() -> None:
    """Has execnet, which pytest-xdist starts its workers by, start them in this way."""
    from execnet import gateway_io
    from execnet.gateway_base import Popen2IO

    class Divided(gateway_io.Popen2IOMaster):
        def __init__(self, arguments: list[str], execmodel: "ExecModel") -> None:
            pipe = execmodel.subprocess.PIPE
            command = [sys.executable, *arguments[arguments.index("-c") :]]
            self.popen: Any = Worker(command, stdin=pipe, stdout=pipe)
            Popen2IO.__init__(self, self.popen.stdin, self.popen.stdout, execmodel=execmodel)

    gateway_io.Popen2IOMaster = Divided  # type: ignore[misc]


if __name__ == "__main__":
    install_on_package()
    serve(MODULES)
