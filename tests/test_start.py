"""A start on a bad disk, with damaged files or a hostile configuration ends with one line, or works with what is left."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from fastlabel_gradio.command_line import main
from fastlabel_gradio.config import load_config
from fastlabel_gradio.errors import ConfigError, FastLabelError, StoreError
from fastlabel_gradio.labels import LabelStore
from fastlabel_gradio.serve_command import _saved_tokens, parser
from fastlabel_gradio.server.access import forget_served, load_secret, write_served
from fastlabel_gradio.server.access.secret_files import SECRET_BYTES
from fastlabel_gradio.server.access.served import SERVED_FILE, read_served
from fastlabel_gradio.server.project import Project
from tests.bad_disk import said_on_a_disk
from tests.pools import make_config, write_pictures
from tests.served import served_here
from tests.source_data import save

NESTED = "[" * 5_000 + "]" * 5_000


def laughs(levels: int) -> str:
    """Lists of two of the list before: a short file that names 2^levels words."""
    return "a0: &a0 [ha, ha]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, levels))


@pytest.fixture
def opened(pictures: Path, tmp_path: Path) -> Callable[[], Project]:
    """Opens a project in a working directory that was used before."""
    Project(make_config(pictures), tmp_path, tmp_path / "work").close()
    return lambda: Project(make_config(pictures), tmp_path, tmp_path / "work")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"projects: {NESTED}", "nested too deeply"),
        ("projects: " + "[" * 40 + "]" * 40, "more than 32 levels"),
        ("projects: &p [{name: a, source: *p}]", "more than 32 levels"),
        (f"{laughs(40)}projects: *a39", "more than 32 levels"),
        (f"{laughs(28)}projects: *a27", "projects.0"),
        ("projects: [{name: a, source: demo, seed: 2024-99-99}]", "not a readable YAML file"),
        ("projects: [{name: secret, source: demo}]", "choose another"),
        ("projects: [{name: downloads, source: demo}]", "choose another"),
        ("1: 2\nprojects: []", "1: unknown key"),
        ("? [a]\n: b", "not a readable YAML file"),
        ("projects: [{name: a, source: {kind: [1]}}]", "projects.0.source"),
        ("\0", "not a readable YAML file"),
    ],
)
def test_a_hostile_configuration_is_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=says) as refused:
        load_config(path)
    assert len(str(refused.value)) < 3_000


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe\x00", b"[]", b"3", b"null", b'"text"', b"[" * 100_000, b'{"kind": ' + b"9" * 5_000 + b"}"],
)
def test_a_damaged_source_record_says_which_file_to_delete(
    opened: Callable[[], Project], tmp_path: Path, content: bytes
) -> None:
    record = tmp_path / "work" / "images" / "source.json"
    record.write_bytes(content)
    with pytest.raises(ConfigError, match=r"source\.json"):
        opened()
    record.unlink()
    opened().close()


@pytest.mark.parametrize("name", ["source.json", "pool.sqlite", "thumbnails.sqlite", "in-use.lock", "labels.sqlite"])
def test_a_folder_where_a_file_should_be_is_told_in_one_line(
    opened: Callable[[], Project], tmp_path: Path, name: str
) -> None:
    path = tmp_path / "work" / "images" / name
    path.unlink(missing_ok=True)
    path.mkdir()
    (path / "full").touch()
    with pytest.raises(FastLabelError, match="images"):
        opened()


def test_a_file_where_the_project_keeps_its_folder_is_told_in_one_line(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "images").write_text("notes")
    with pytest.raises(StoreError, match=r"images cannot be used.*another --workdir"):
        Project(make_config(pictures), tmp_path, tmp_path / "work")
    assert (tmp_path / "work" / "images").read_text() == "notes"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://host:port/labels",
        "sqlite:////{folder}/a\0b",
        "sqlite:////{folder}/a.sqlite?timeout=soon",
        "sqlite:///file:{folder}/a?mode=sideways&uri=true",
        "sqlite+nodriver:///{folder}/a.sqlite",
        "://",
        "   ",
        "sqlite",
    ],
)
def test_a_bad_address_of_a_database_is_told_in_one_line(tmp_path: Path, url: str) -> None:
    with pytest.raises(StoreError):
        LabelStore(url.format(folder=str(tmp_path).lstrip("/")), "birds")


def test_a_secret_that_cannot_be_kept_lasts_for_this_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "full").touch()
    assert len(load_secret(tmp_path / "secret")) == SECRET_BYTES
    assert "tokens will change" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert load_secret(tmp_path / "kept") == load_secret(tmp_path / "kept")


def test_a_machine_too_busy_to_send_the_page_ends_no_start(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradio.networking.url_ok", lambda address: False)  # as after 3 s without an answer
    arguments = [str(pictures), "--encoder", "offline"]
    with served_here(arguments, tmp_path / "work") as address:
        assert httpx.get(f"{address}/api/health").status_code == 200


def test_an_address_and_tokens_that_cannot_be_kept_end_no_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in (SERVED_FILE, "tokens"):
        (tmp_path / name / "full").mkdir(parents=True)
    write_served(tmp_path, "http://127.0.0.1:7860/", ["ann"])
    assert "`fastlabel invite` will not find this app" in caplog.text
    assert read_served(tmp_path) is None
    forget_served(tmp_path)
    assert "make room there" in _saved_tokens(tmp_path / "tokens", {"ann": "abc"})
    assert {path.name for path in tmp_path.iterdir()} <= {SERVED_FILE, "tokens"}
    assert "are in" in _saved_tokens(tmp_path / "kept", {"ann": "abc"})


def test_a_full_disk_ends_the_start_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from filelock import FileLock

    def no_room(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    write_pictures(tmp_path / "pictures", per_class=1)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(FileLock, "acquire", no_room)
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path / "pictures"), "--workdir", str(tmp_path / "work"), "--encoder", "offline"])
    assert "No space left on device. Make room" in str(stopped.value)


@pytest.mark.parametrize(
    "words",
    [
        ["{long}"],
        ["simulate", "{long}"],
        ["embed", "{long}", "-o", "out"],
        ["{pictures}", "--import", "{long}"],
        ["--config", "{long}"],
    ],
    ids=lambda words: words[0],
)
def test_a_name_that_the_system_does_not_take_is_one_line(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    long = "y" * 300
    given = [word.format(long=long, pictures=pictures) for word in words]
    with pytest.raises(SystemExit, match="File name too long") as stopped:
        main([*given, *(["--workdir", "work", "--encoder", "offline"] if "--import" in words else [])])
    assert long in str(stopped.value) and "\n" not in str(stopped.value)


def test_a_path_may_be_a_file_address_or_begin_at_home(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(pictures.parent))
    read = parser().parse_args
    assert read([(pictures / "a b").as_uri()]).path == pictures / "a b"
    assert read([f"~/{pictures.name}"]).path == pictures


@pytest.mark.parametrize(
    "words",
    [
        [""],
        [" "],
        [".", "--workdir", ""],
        [".", "--workdir="],
        ["simulate", ""],
        ["predict", "model", "", "-o", "out.csv"],
    ],
    ids=" ".join,
)
def test_an_empty_argument_is_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert "as where a variable is not set" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("disk", "says"),
    [("ro", "Read-only file system"), ("size=4k", "No space left on device")],
)
def test_a_start_on_a_read_only_or_full_disk_ends_with_one_line_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: str, says: str
) -> None:
    pictures, work = write_pictures(tmp_path / "pictures", per_class=1), tmp_path / "work"
    work.mkdir()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    said = said_on_a_disk(work, disk, [str(pictures), "--workdir", str(work), "--encoder", "offline", "--no-browser"])
    if said is None:
        pytest.skip("nothing can be mounted here: that takes root, and util-linux")
    assert says in said
    assert str(work) in said
    assert "Make room on its disk and see that it can be written, or choose another --workdir" in said
    assert "\n" not in said.strip()


def test_a_damaged_label_file_ends_the_start_with_one_line(opened: Callable[[], Project], tmp_path: Path) -> None:
    file = tmp_path / "work" / "images" / "labels.sqlite"
    content = bytearray(file.read_bytes())
    content[100:4096] = b"\xff" * (4096 - 100)
    file.write_bytes(content)
    with pytest.raises(StoreError, match=r"malformed|damaged"):
        opened()


def test_a_damaged_pool_ends_the_start_with_one_line(opened: Callable[[], Project], tmp_path: Path) -> None:
    file = tmp_path / "work" / "images" / "pool.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match=r"another version"):
        opened()
    file.write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match=r"not a database.*keep labels.sqlite"):
        opened()
