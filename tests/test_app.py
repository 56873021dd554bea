"""The command line, as a real process: what it refuses, what it serves, and that a kill loses nothing."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fastlabel_gradio.app import App
from fastlabel_gradio.config import parse_config
from fastlabel_gradio.data_options import workdir_of
from fastlabel_gradio.errors import ConfigError, FastLabelError
from fastlabel_gradio.serve_command import _config, _login_lines, _logins, _names, parser
from fastlabel_gradio.server.access import Access, close_to_others
from tests.cases import each
from tests.fork_server import Started, run
from tests.pools import wait_for, write_pictures
from tests.test_api import free_port

if TYPE_CHECKING:
    from fastlabel_gradio.server.project import Project

ROOT = Path(__file__).parent.parent
OFFLINE = {**os.environ, "HF_HUB_OFFLINE": "1"}


def _parsed(*words: str) -> object:
    return parser().parse_args(words)


def _run(*words: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, str(ROOT / "launch.py"), *words], timeout, env=OFFLINE)


@contextmanager
def _serving(
    *words: str, environment: dict[str, str] | None = None
) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """A process that serves, and a client for it; the process is killed at the end."""
    port = free_port()
    process = Started(
        [sys.executable, str(ROOT / "launch.py"), *words, "--port", str(port), "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**OFFLINE, **(environment or {})},
    )

    def answers() -> bool:
        assert process.poll() is None, process.stdout and process.stdout.read()
        try:
            return client.get("/api/status").status_code in (200, 401)
        except httpx.TransportError:
            return False

    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        try:
            wait_for(answers, timeout=120)
            yield client, process
        finally:
            process.kill()
            process.wait()


def test_help_shows_every_option_with_examples_and_waits_for_nothing() -> None:
    help_text = _run("--help").stdout
    for option in (
        "PATH",
        "--config",
        "--kind",
        "--path-column",
        "--label-column",
        "--set",
        "--classes",
        "--encoder",
        "--workdir",
        "--host",
        "--port",
        "--share",
    ):
        assert option in help_text
    assert "python launch.py ~/pictures --classes" in help_text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["/no/such/folder"], "does not exist"),
        (["--config", "/no/such.yaml"], "no such configuration"),
        (["{pictures}", "--config", "configs/demo.yaml"], "exclude each other"),
        (["{empty}"], "picture"),
        (["{pictures}", "--classes", "one,one"], "twice"),
        (["{pictures}", "--encoder", "clpi"], "Did you mean 'clip'"),
        (["{pictures}", "--encoder", "clip"], "offline"),
        (["{pictures}", "--auth", "nameonly"], "NAME:PASSWORD"),
        (["{pictures}", "--workdir", "{pictures}/red/0000.png"], "working directory"),
        (["{pictures}", "--allow-host", "https://label.example.org/"], "no host name"),
    ],
)
def test_a_start_that_cannot_work_says_what_to_do(tmp_path: Path, words: list[str], says: str) -> None:
    from fastlabel_gradio.command_line import main

    places = {"pictures": tmp_path / "pictures", "empty": tmp_path / "empty", "flat": tmp_path / "pictures" / "red"}
    write_pictures(places["pictures"], per_class=1)
    places["empty"].mkdir()
    filled = [word.format(**places) for word in words]
    with pytest.MonkeyPatch.context() as patched, pytest.raises(SystemExit) as stopped:
        patched.setenv("HF_HUB_OFFLINE", "1")
        main(filled if "--workdir" in words else [*filled, "--workdir", str(tmp_path / "work")])
    assert says in str(stopped.value)


def test_a_port_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for port in ("99999", "0", "http"):
        with pytest.raises(SystemExit):
            _parsed("--port", port)
        assert "1 to 65535" in capsys.readouterr().err


def test_the_command_line_overrides_a_configuration() -> None:
    config = _config(_parsed("--config", str(ROOT / "configs/digits.yaml"), "--classes", "a, b", "--encoder", "clip"))
    [project] = config.projects
    assert (project.classes, project.encoder.kind, project.source.kind) == (("a", "b"), "clip", "demo")


@each(
    "text, classes",
    [
        ("cat,dog", ("cat", "dog")),
        (" cat , dog ,", ("cat", "dog")),
        (",cat,,dog", ("cat", "dog")),
        ("'cat','dog'", ("cat", "dog")),
        ('"cat, tabby", dog', ("cat, tabby", "dog")),
        ("yes,no", ("yes", "no")),
        ("dog's,cat", ("dog's", "cat")),
    ],
)
def test_classes_are_read_as_people_type_them(text: str, classes: tuple[str, ...]) -> None:
    assert _config(_parsed("--classes", text)).projects[0].classes == classes


def test_classes_that_name_none_are_refused() -> None:
    for text in ("", " ", ",,"):
        with pytest.raises(ConfigError, match="names no class"):
            _config(_parsed("--classes", text))


def test_options_of_the_source_come_from_the_command_line(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("photo,kind\na.png,x\n")
    words = ["--path-column", "photo", "--label-column", "kind", "--set", "root=a=b", "--set", "split_column=1"]
    [project] = _config(_parsed(str(table), *words)).projects
    options = {"path_column": "photo", "label_column": "kind", "root": "a=b", "split_column": "1", "path": str(table)}
    assert project.source.options == options
    write_pictures(tmp_path / "pictures", per_class=1)
    [project] = _config(_parsed(str(table), "--kind", "audio", "--set", "start_column=a")).projects
    assert project.source.options == {"path": str(table), "media": "audio", "start_column": "a"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["{pictures}", "--set", "rot=x"], "is taken as 'image_folder', which has no option 'rot'. Its options: "),
        (["{pictures}", "--path-column", "x"], "which has no option 'path_column'"),
        (["{pictures}", "--window", "3"], "which has no option 'window_s'"),
        (["--set", "root=x"], "--set needs a PATH"),
        (["--label-column", "x", "--config", "configs/demo.yaml"], "--label-column needs a PATH"),
        (["--window", "3"], "--window needs a PATH"),
    ],
)
def test_options_of_no_source_are_refused(tmp_path: Path, words: list[str], says: str) -> None:
    pictures = write_pictures(tmp_path / "pictures", per_class=1)
    with pytest.raises(ConfigError) as caught:
        _config(_parsed(*(word.format(pictures=pictures) for word in words)))
    assert says in str(caught.value)


def test_the_encoder_and_its_options_come_from_the_command_line(tmp_path: Path) -> None:
    pictures = str(write_pictures(tmp_path / "pictures", per_class=1))
    words = ["--encoder", "timm", "--set-encoder", "model=test_vit.r160_in1k", "--set-encoder", "img_size=96"]
    [project] = _config(_parsed(pictures, *words)).projects
    assert project.encoder.kind == "timm"
    assert project.encoder.options == {"model": "test_vit.r160_in1k", "img_size": 96}
    with pytest.raises(ConfigError, match="--set-encoder needs --encoder"):
        _config(_parsed(pictures, "--set-encoder", "img_size=96"))


def test_an_option_without_a_value_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("root", "=x"):
        with pytest.raises(SystemExit):
            _parsed("x", "--set", text)
        assert "write KEY=VALUE" in capsys.readouterr().err


def test_each_source_has_a_working_directory_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTLABEL_WORKDIR", str(tmp_path))
    first, second = (workdir_of(_parsed(str(tmp_path / name))) for name in ("a/cats", "b/cats"))
    assert first.parent == second.parent == tmp_path
    assert first != second
    assert workdir_of(_parsed("x", "--workdir", "here")) == Path("here")


def test_others_need_a_login_and_one_is_made_up() -> None:
    assert _logins(_parsed()) == {}
    assert _logins(_parsed("--host", "[::1]")) == _logins(_parsed("--host", "localhost")) == {}
    for words in (["--share"], ["--host", "0.0.0.0"], ["--host", "192.168.1.7"], ["--allow-host", "label.example.org"]):
        [(name, password)] = _logins(_parsed(*words)).items()
        assert name == "annotator"
        assert len(password) >= 12
    assert _logins(_parsed("--auth", "ann:a:b", "--auth", "bob:c")) == {"ann": "a:b", "bob": "c"}


@each(
    "entries, says",
    [
        (["hunter2"], "NAME:PASSWORD"),
        (["ann:hunter2", ":hunter2"], "NAME:PASSWORD"),
        (["ann:hunter2", "ann:other"], "twice"),
        (["a/b:hunter2"], "cannot be a name"),
        (["..:hunter2"], "cannot be a name"),
    ],
)
def test_a_login_that_is_none_is_refused_without_repeating_a_password(entries: list[str], says: str) -> None:
    words = [word for entry in entries for word in ("--auth", entry)]
    with pytest.raises(ConfigError, match=says) as refused:
        _logins(_parsed(*words))
    assert "hunter2" not in str(refused.value)


def test_spaces_around_a_name_do_not_count_as_in_the_login_form() -> None:
    assert _logins(_parsed("--auth", " ann : a b ")) == {"ann": " a b "}


def test_names_that_lead_here_come_from_the_command_line_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _names(_parsed()) == []
    monkeypatch.setenv("FASTLABEL_HOSTS", "label.example.org, other.example.org")
    monkeypatch.setenv("SPACE_HOST", "someone-faces.hf.space")
    names = ["third.example.org", "label.example.org", "other.example.org", "someone-faces.hf.space"]
    assert _names(_parsed("--allow-host", "third.example.org")) == names


def test_of_logins_the_start_prints_tokens_and_only_a_password_that_it_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = parse_config({"projects": [{"name": "images", "source": "demo"}]}, "test")

    def lines(*words: str) -> tuple[str, Access]:
        arguments = _parsed(*words)
        access = Access(_logins(arguments), b"secret")
        app = App(config, {}, access, None, tmp_path)  # type: ignore[arg-type]
        return "\n".join(_login_lines(app, arguments)), access

    assert lines()[0] == ""
    printed, access = lines("--auth", "ann:hunter2")
    assert "hunter2" not in printed
    assert access.token("ann") in printed
    printed, access = lines("--share")
    assert access.logins["annotator"] in printed
    assert access.token("annotator") in printed
    assert not (tmp_path / "tokens").exists()
    monkeypatch.setenv("FASTLABEL_AUTH", "ann:hunter2,bob:hunter3")
    printed, access = lines()
    assert not any(secret in printed for secret in ("hunter", access.token("ann"), access.token("bob")))
    tokens = tmp_path / "tokens"
    assert str(tokens) in printed
    assert tokens.stat().st_mode & 0o777 == 0o600
    assert f"bob\t{access.token('bob')}\n" in tokens.read_text(encoding="utf-8")


def test_a_space_without_logins_keeps_visitors_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "someone/faces")
    assert {project.sharing for project in _config(_parsed()).projects} == {"private"}
    assert _logins(_parsed()) == {}
    monkeypatch.setenv("FASTLABEL_AUTH", "ann:x,bob:y")
    assert {project.sharing for project in _config(_parsed()).projects} == {"shared"}
    assert set(_logins(_parsed())) == {"ann", "bob"}


def test_two_processes_cannot_share_a_working_directory(tmp_path: Path) -> None:
    from fastlabel_gradio.server.project import Project
    from tests.pools import make_config

    config = make_config(write_pictures(tmp_path / "pictures", per_class=1))
    project = Project(config, tmp_path, tmp_path / "work")
    with pytest.raises(ConfigError, match="in use"):
        Project(config, tmp_path, tmp_path / "work")
    project.close()
    Project(config, tmp_path, tmp_path / "work").close()


def test_a_start_that_failed_leaves_the_working_directory_free(tmp_path: Path) -> None:
    from fastlabel_gradio.server.project import Project
    from tests.pools import make_config

    folder = write_pictures(tmp_path / "pictures", per_class=1)
    with pytest.raises(ConfigError, match="twice") as failed:
        Project(make_config(folder, classes=["one", "one"]), tmp_path, tmp_path / "work")
    Project(make_config(folder), tmp_path, tmp_path / "work").close()
    assert failed.value.__traceback__  # while the failed one is still in memory


def test_a_working_directory_of_another_source_is_refused(tmp_path: Path) -> None:
    from fastlabel_gradio.server.project import Project
    from tests.pools import make_config

    for name in ("one", "two"):
        write_pictures(tmp_path / name, per_class=1)
    Project(make_config(tmp_path / "one"), tmp_path, tmp_path / "work").close()
    with pytest.raises(FastLabelError, match="another source"):
        Project(make_config(tmp_path / "two"), tmp_path, tmp_path / "work")


def test_a_changed_way_of_hearing_is_no_other_source(tmp_path: Path) -> None:
    from fastlabel_gradio.server.project import Project
    from tests.pools import make_sound_config, write_sounds

    write_sounds(tmp_path / "sounds", per_class=1)
    for options in ({}, {"low_hz": 500, "top_hz": 4_000}, {"expand": 2, "contrast": "pcen"}):
        inner = {"kind": "audio_folder", "path": str(tmp_path / "sounds"), **options}
        for name, source in (("whole", inner), ("split", {"kind": "split", "of": inner})):
            config = make_sound_config(tmp_path, name=name, source=source)
            Project(config, tmp_path, tmp_path / "work").close()
    other = {"kind": "split", "of": {"kind": "audio_folder", "path": str(tmp_path / "sounds"), "window_s": 0.1}}
    with pytest.raises(FastLabelError, match="another source"):
        Project(make_sound_config(tmp_path, name="split", source=other), tmp_path, tmp_path / "work")


def test_a_killed_process_loses_no_acknowledged_label_and_no_batch(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pictures", per_class=40)
    words = (str(folder), "--workdir", str(tmp_path / "work"), "--encoder", "offline")
    acknowledged: dict[str, str] = {}
    batch: dict[str, Any] = {}
    for round_number in range(2):
        with _serving(*words) as (client, process):
            if batch:
                wait_for(lambda: bool(client.get("/api/next_batch").json()["items"]), timeout=60)
                # The suggestions come back with the head, a moment after the batch.
                wait_for(lambda held=batch["items"]: client.get("/api/next_batch").json()["items"] == held, timeout=60)
            rows = client.get("/api/export", params={"format": "json"}).json()
            assert {row["item_id"]: row["label"] for row in rows} == acknowledged
            wait_for(lambda: bool(client.get("/api/next_batch", params={"size": 7}).json()["items"]), 60)
            for _ in range(2 + round_number):
                items = client.get("/api/next_batch", params={"size": 7}).json()
                labels = [{"id": item["id"], "label": item["id"].split("/")[0]} for item in items["items"][:6]]
                answer = client.post("/api/submit_labels", json={"batch_id": items["batch_id"], "labels": labels})
                assert answer.json()["accepted"] == 6
                acknowledged |= {label["id"]: label["label"] for label in labels}
            client.get("/api/next_batch", params={"size": 7})
            wait_for(lambda: client.get("/api/status").json()["head"]["settled"], timeout=60)  # calibrated and saved
            batch = client.get("/api/next_batch", params={"size": 7}).json()
            os.kill(process.pid, signal.SIGKILL)


def test_a_login_that_was_made_up_is_printed(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pictures", per_class=3)
    words = (str(folder), "--workdir", str(tmp_path / "work"), "--encoder", "offline", "--host", "0.0.0.0")
    words += ("--allow-host", "label.example.org")
    with _serving(*words) as (client, process):
        assert client.get("/api/status").status_code == 401
        assert process.stdout
        printed = ""
        while "Bearer" not in printed:
            printed += process.stdout.readline()
        token = re.findall(r"Bearer (\w+)", printed)[0]
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/api/status", headers=headers).json()["annotator"] == "annotator"
        for host, status in (("label.example.org", 200), ("192.168.1.7:80", 200), ("other.example.org", 403)):
            assert client.get("/api/status", headers={**headers, "Host": host}).status_code == status


def test_what_an_earlier_version_let_others_read_is_closed(
    tmp_path: Path, open_project: "Callable[..., Project]"
) -> None:
    from tests.pools import make_config

    folder = open_project(make_config(write_pictures(tmp_path / "pictures", per_class=1))).folder
    foreign = folder / "notes.txt"
    foreign.touch()
    for path in folder.iterdir():
        path.chmod(0o644)
    close_to_others(folder)
    assert [path.name for path in folder.iterdir() if path.stat().st_mode & 0o077] == ["notes.txt"]


def test_a_space_serves_the_demo_on_its_port_without_a_network_and_says_which_encoder_stands_in(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        **OFFLINE,
        "SPACE_ID": "someone/faces",
        "SPACE_HOST": "someone-faces.hf.space",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_SSR_MODE": "True",
        "FASTLABEL_WORKDIR": str(tmp_path / "volume"),
    }
    command = [sys.executable, str(ROOT / "launch.py")]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:

            def answers() -> bool:
                assert process.poll() is None
                try:
                    return client.get("/api/status").status_code == 200
                except httpx.TransportError:
                    return False

            wait_for(answers, timeout=120)
            assert client.get("/api/status").json()["project"] == "images"
            assert client.post("/api/undo", json={}).json()["undone"] == 0
            page = client.get(
                "/", headers={"Host": "someone-faces.hf.space", "X-Forwarded-Host": "someone-faces.hf.space"}
            )
            assert page.status_code == 200
            assert "x-frame-options" not in page.headers  # the hub shows it in a frame
            assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
            wait_for(lambda: client.get("/api/status").json()["embedding"]["done"] > 0, timeout=120)
            embedding = client.get("/api/status").json()["embedding"]
            assert embedding["encoder"] == "pretrained"
            assert "CLIP" in embedding["notice"]
            assert "HF_HUB_OFFLINE" in embedding["notice_why"]
            assert len(client.get("/api/next_batch", params={"size": 20}).json()["items"]) == 20
        assert list((tmp_path / "volume").iterdir())
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
