"""YAML as people write it, and one line with its place where it is none."""

from pathlib import Path

import pytest

from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.yaml_file import read_yaml, yaml_value


def read(tmp_path: Path, text: str | bytes) -> object:
    path = tmp_path / "x.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(path, as_text=("classes",))


def test_the_keys_that_are_text_keep_what_was_written(tmp_path: Path) -> None:
    written = [
        *("yes", "no", "on", "Off", "y", "true", "null", "~", "0", "1", "1.0", "1e3", "007", "0x10", "1_000", "12:30"),
        *("2024-01-01", ".5", ".nan", "cat"),
    ]
    assert read(tmp_path, f"classes: [{', '.join(written)}]") == {"classes": written}
    assert read(tmp_path, "a:\n- classes:\n  - yes\n  - 'no'\n  - \"007\"\n") == {
        "a": [{"classes": ["yes", "no", "007"]}]
    }
    assert read(tmp_path, "count: 7\nother: [yes]") == {"count": 7, "other": [True]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark_are_read(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, "classes: [grün]".encode(encoding)) == {"classes": ["grün"]}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb:\n\t- c", "x.yaml, line 3: not a readable YAML file: a tab stands where blanks must"),
        ("a: 1\nb: 2\na: 3", "x.yaml, line 3: not a readable YAML file: the key 'a' stands there and in line 1"),
        ("a: [1\nb: 2", "x.yaml, line 2: not a readable YAML file"),
        ("a: 'open\nb: 2\n", "x.yaml, line 3: not a readable YAML file"),
        ("a: 1\n--- \nb: 2", "x.yaml, line 2: not a readable YAML file: expected a single document"),
        ("a: *b", "line 1: not a readable YAML file: found undefined alias 'b'"),
        (
            "a: !!python/object/apply:os.getcwd []",
            "line 1: not a readable YAML file: could not determine a constructor",
        ),
        ("? [a]\n: b", "line 1: not a readable YAML file: a key is one word"),
        (20_000 * "[", "nested too deeply"),
        ("a: " + 5_000 * "{a: ", "nested too deeply"),
        (b"a: caf\xe9", "is no UTF-8 text. Save it as UTF-8"),
        ("a: 2024-02-30", "Put quotes around it"),
    ],
)
def test_what_is_no_yaml_is_one_line_with_its_place(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_value_of_a_command_line_is_what_it_would_be_in_a_file() -> None:
    assert [yaml_value(text) for text in ("3", "0.5", "true", "a/b", "", "[1, x]", "[", "2024-02-30")] == [
        *(3, 0.5, True, "a/b", None, [1, "x"], "[", "2024-02-30")
    ]
