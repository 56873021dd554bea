"""The house keeps its floors: no room imports one that needs it, and only the page knows Gradio."""

from graphlib import CycleError

import pytest

from tests.house import MAP_FILE, PACKAGE, files, floors, imports, room_of, rooms, subject, with_map

KNOWS_GRADIO = {"ui", "app"}


def test_rooms_import_each_other_in_no_circle() -> None:
    found = floors(rooms())
    assert found.keys() == {room_of(path) for path in files()}
    assert found["types"] == 0
    assert found["serve_command"] == max(found.values())


def test_a_circle_is_noticed() -> None:
    with pytest.raises(CycleError):
        floors({"pool": {"loop"}, "loop": {"head", "pool"}, "head": set()})


def test_the_map_of_the_rooms_is_that_of_now() -> None:
    text = MAP_FILE.read_text(encoding="utf-8")
    assert with_map(text) == text, "python -m tests.house writes it anew"


def test_every_room_says_what_it_is_about() -> None:
    assert [room for room in rooms() if not subject(room)] == []


def test_nothing_below_the_page_knows_gradio() -> None:
    wrong = [
        str(path.relative_to(PACKAGE))
        for path in files()
        if room_of(path) not in KNOWS_GRADIO and any(name.split(".")[0] == "gradio" for name in imports(path))
    ]
    assert wrong == []
