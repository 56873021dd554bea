"""Programs in Python that start in a moment: a process that has imported the app already divides itself for each of them.

`Started` is `subprocess.Popen` for those: a real process with its own arguments, environment, folder, pipes and signals, a
child of this one. What it does not have is a fresh interpreter; who tests imports, or what is read at an import, such as
`GRADIO_SERVER_NAME`, starts `subprocess.Popen`. Where the system is not Linux both are the same. The workers of pytest-xdist
are such programs, too: see divided_workers.py.
"""

import ctypes
import gc
import json
import os
import runpy
import socket
import sys
import types
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from subprocess import DEVNULL, PIPE, CompletedProcess, Popen
from typing import Any

ROOT = Path(__file__).parent.parent
MODULES = (  # what serving, labeling and training import
    "fastlabel_gradio.command_line",
    "fastlabel_gradio.server.api",
    "fastlabel_gradio.ui.app_layout",
    "fastlabel_gradio.encoders.offline",
    "fastlabel_gradio.encoders.pretrained",
    "tests.pools",
    "tests.finish_pools",
)
MESSAGE_BYTES = 1 << 17
ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)


class Started(Popen[Any]):
    """A process that runs `[sys.executable, FILE or -c CODE, *arguments]`.

    Attributes:
        server: the module that is run, once for each process that asks, as the process that divides itself: it calls `serve`.
    """

    server = __name__

    if sys.platform == "linux":

        def _execute_child(self, *given: Any) -> None:
            """What Popen does to start a program, given its arguments and the two ends of its three pipes."""
            arguments, _, _, _, _, folder, environment, *_ = given
            pipes = given[10:16]
            child_ends = (pipes[0], pipes[3], pipes[5])
            files = [number if end == -1 else end for number, end in enumerate(child_ends)]
            self.pid = _divided(self.server, [str(word) for word in arguments[1:]], folder, environment, files)
            self._child_created = True
            self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]


def run(arguments: Sequence[str], timeout: float = 120, **settings: Any) -> CompletedProcess[str]:
    """As `subprocess.run` with the output captured as text."""
    with Started(arguments, stdout=PIPE, stderr=PIPE, text=True, **settings) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        finally:
            process.kill()
    return CompletedProcess(arguments, process.returncode, output, errors)


def _divided(
    module: str, arguments: list[str], folder: Any, environment: Mapping[str, str] | None, files: list[int]
) -> int:
    """The process that runs this: an orphan of the server's, which this process adopts."""
    told = {
        "arguments": arguments,
        "folder": os.fspath(folder or Path.cwd()),
        "environment": dict(environment or os.environ),
    }
    server = _server(module)
    system = ctypes.CDLL(None)
    system.prctl(ADOPT_ORPHANS, 1)
    try:
        socket.send_fds(server, [json.dumps(told).encode()], files)
        return int(server.recv(MESSAGE_BYTES))
    finally:
        system.prctl(ADOPT_ORPHANS, 0)


@cache
def _server(module: str) -> socket.socket:
    """The way to the server of this process that the module is, which ends with it."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with there:
        command = [sys.executable, "-m", module, str(there.fileno())]
        Popen(command, pass_fds=[there.fileno()], cwd=ROOT, env=environment, stdin=DEVNULL)
    return here


def serve(modules: Sequence[str]) -> None:
    """Imports modules, then runs what the process that started this one asks for, each time in a process of its own."""
    gc.disable()  # what is imported stays, and is not looked through again and again
    for name in modules:
        import_module(name)
    gc.freeze()  # what is not collected is not copied
    gc.enable()
    _become(_asked(socket.socket(fileno=int(sys.argv[1]))))


def _asked(asked: socket.socket) -> dict[str, Any]:
    """Divides this process for each request; returns in the processes that came of it, with what they are to run."""
    while True:
        message, files, _, _ = socket.recv_fds(asked, MESSAGE_BYTES, 3)
        if not message:
            os._exit(0)  # who asked has ended
        if (pid := _divide()) == 0:
            asked.close()
            _take_over(files)
            return dict(json.loads(message))
        for file in files:
            os.close(file)
        asked.send(str(pid).encode())


def _divide() -> int:
    """As `os.fork`, but the new process is no child of this one: its parent has ended when this returns."""
    reader, writer = os.pipe()
    if between := os.fork():
        os.close(writer)
        os.waitpid(between, 0)
        with os.fdopen(reader) as told:
            return int(told.read())
    os.close(reader)
    if pid := os.fork():
        os.write(writer, str(pid).encode())
        os._exit(0)
    os.close(writer)
    return 0


def _take_over(files: Sequence[int]) -> None:
    """These files are the input, the output and the errors of this process."""
    for number, file in enumerate(files):
        os.dup2(file, number)
    for file in files:
        os.close(file)


def _become(told: Mapping[str, Any]) -> None:
    """Runs a program as the interpreter would that was started with these arguments."""
    os.environ.clear()
    os.environ.update(told["environment"])
    os.chdir(told["folder"])
    first, *others = told["arguments"]
    if first == "-c":
        code, *others = others
        sys.argv = ["-c", *others]
        sys.modules["__main__"] = program = types.ModuleType("__main__")
        exec(compile(code, "<string>", "exec"), program.__dict__)
    else:
        sys.argv = [first, *others]
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when it is imported
    serve(MODULES)
