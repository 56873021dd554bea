"""Arrays of JSON are read entry by entry, whatever pieces their text comes in."""

import json
from collections.abc import Iterator

import pytest

from fastlabel_gradio.sources.json_entries import BLOCK_CHARS, json_entries

VALUES = [{"a": [1, -2.5e-7, None]}, 'é\\"]\u2028,', [], {}, True, -12345, float("-inf"), "", [[["x"]]]]


def pieces(text: str, length: int) -> Iterator[str]:
    return (text[start : start + length] for start in range(0, len(text), length))


def test_entries_come_one_by_one_in_any_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastlabel_gradio.sources.json_entries.BLOCK_CHARS", 1)
    for indent in (None, 3):
        text = f" \n{json.dumps(VALUES, indent=indent)}\r\n "
        for length in (1, 2, 7, len(text)):
            assert list(json_entries(pieces(text, length))) == VALUES
    assert list(json_entries(pieces('{"one": 1}', 3))) == [{"one": 1}]
    assert list(json_entries(["[ ]"])) == []


def test_what_is_held_is_no_more_than_an_entry_and_a_block() -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        yield "["
        while True:
            taken += 1000
            yield "1" * 999 + ","

    entries = json_entries(endless())
    for _ in range(10):
        next(entries)
    assert taken <= 2 * BLOCK_CHARS


def test_what_is_no_json_is_refused_after_the_entries_before_it() -> None:
    for text, says in {
        '[{"a": 1}': "after entry 1 a ','",
        '[{"a": 1}, {"b": }]': "entry 2: Expecting value",
        '[1, "abc': "entry 2: Unterminated string",
        "[1 2]": "after entry 1 a ','",
        "[1, ]": "entry 2",
        "[1] 2": "more after its end",
        "": "Expecting value",
    }.items():
        for length in (1, 100):
            found = []
            with pytest.raises(ValueError, match=says):
                for entry in json_entries(pieces(text, length)):
                    found.append(entry)
            assert found in ([], [1], [{"a": 1}])
    with pytest.raises(RecursionError):
        list(json_entries(["[" * 100_000]))
