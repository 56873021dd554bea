"""What the fork server starts is a process like any other."""

import os
import signal
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from tests.fork_server import Started, run


def test_a_program_has_its_arguments_environment_folder_and_pipes(tmp_path: Path) -> None:
    code = (
        "import os, sys; print(*sys.argv, os.getcwd(), __name__, sys.stdin.read());"
        "print(os.environ.get('COLOUR'), 'PATH' in os.environ); sys.exit(3)"
    )
    command = [sys.executable, "-c", code, "one", "two words"]
    with Started(command, stdin=PIPE, stdout=PIPE, text=True, cwd=tmp_path, env={"COLOUR": "red"}) as process:
        output, _ = process.communicate("told")
    assert output == f"-c one two words {tmp_path} __main__ told\nred False\n"
    assert process.returncode == 3
    assert process.pid != os.getpid()


def test_a_file_is_run_as_the_main_program_and_its_error_is_printed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("import sys\nif __name__ == '__main__':\n    raise ValueError(sys.argv[1])\n")
    done = run([sys.executable, str(program), "of the program"])
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: of the program\n")


def test_a_signal_ends_it() -> None:
    for number in (signal.SIGKILL, signal.SIGTERM):
        with Started([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
            assert process.poll() is None
            process.send_signal(number)
            assert process.wait(30) == -number


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ or sys.platform != "linux", reason="pytest -n, on Linux")
def test_workers_come_of_one_process_and_who_hands_out_the_tests_does_not_import_torch() -> None:
    assert "tests.divided_workers" in Path("/proc/self/cmdline").read_text()
    assert "libtorch" in Path("/proc/self/maps").read_text()
    assert "libtorch" not in Path(f"/proc/{os.getppid()}/maps").read_text()
