"""Classes that people add, rename, merge and archive; each an event that can be undone."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import fastlabel_gradio
from fastlabel_gradio.errors import InvalidLabelsError
from fastlabel_gradio.labels import ClassEdit, LabelStore
from fastlabel_gradio.labels.classes import PAGE_KEYS, ClassEvent, resolve_classes
from fastlabel_gradio.types import State

OpenStore = Callable[..., LabelStore]
CAT, DOG, OWL = range(3)


def names(store: LabelStore) -> list[str]:
    return list(store.schema().names)


def edit(store: LabelStore, *edits: ClassEdit) -> list[str]:
    return list(store.edit_classes("ada", edits, now=1).names)


def test_an_added_class_comes_last_and_stays_whatever_the_configuration_says(
    store: LabelStore, open_store: OpenStore
) -> None:
    assert edit(store, ClassEdit("add", value=" emu ")) == ["cat", "dog", "owl", "emu"]
    assert list(open_store().ensure_labels(["dog", "cat"]).names) == ["dog", "cat", "emu"]
    assert store.submit("ada", [("1", 3)], now=2).changed == {"1": 3}


def test_a_renamed_class_keeps_its_labels_and_is_found_under_both_names(
    store: LabelStore, open_store: OpenStore
) -> None:
    store.submit("ada", [("1", CAT)], now=0)
    assert edit(store, ClassEdit("rename", CAT, "feline")) == ["feline", "dog", "owl"]
    assert list(open_store().ensure_labels(["cat", "dog", "owl"]).ids) == [CAT, DOG, OWL]
    assert list(open_store().ensure_labels(["feline", "dog"]).ids) == [CAT, DOG]
    assert edit(store, ClassEdit("add", value="cat")) == ["feline", "dog", "owl", "cat"]
    store.undo("ada", now=2)
    store.undo("ada", now=3)
    assert names(store) == ["cat", "dog", "owl"]


def test_a_merged_class_is_read_as_the_one_that_it_is_part_of(store: LabelStore) -> None:
    store.submit("ada", [("1", CAT), ("2", DOG)], now=0)
    edit(store, ClassEdit("merge", CAT, DOG), ClassEdit("merge", DOG, OWL))
    schema = store.schema()
    assert (schema.names, schema.aliases) == (("owl",), {CAT: OWL, DOG: OWL})
    assert [schema.positions[label_id] for label_id in (CAT, DOG, OWL)] == [0, 0, 0]
    assert schema.known_names == {CAT: "owl", DOG: "owl", OWL: "owl"}
    assert store.current() == {"1": CAT, "2": DOG}  # what was said is not changed
    store.undo("ada", now=2)
    assert names(store) == ["cat", "dog", "owl"]
    assert store.redo("ada", now=3) is not None
    assert names(store) == ["owl"]


def test_heads_are_trained_on_labels_of_people_of_the_classes_that_there_are(
    store: LabelStore, open_store: OpenStore
) -> None:
    store.submit("ada", [("1", CAT), ("2", DOG), ("3", OWL), ("4", State.SKIP)], now=0)
    store.submit("app", [("5", DOG)], now=0, source="auto")
    edit(store, ClassEdit("merge", CAT, DOG), ClassEdit("archive", OWL, True), ClassEdit("add", value="emu"))
    assert store.taught() == ({"1": 0, "2": 0}, store.schema())
    assert store.schema().names == ("dog", "emu")
    of_nobody = open_store()  # was given no names
    assert of_nobody.taught()[0] == {"1": 0, "2": 0}
    assert of_nobody.schema().names == ("dog", "emu")


def test_an_archived_class_keeps_its_labels_and_leaves_the_screen(store: LabelStore, open_store: OpenStore) -> None:
    store.submit("ada", [("1", CAT)], now=0)
    assert edit(store, ClassEdit("archive", CAT, True)) == ["dog", "owl"]
    assert open_store().ensure_labels(["cat", "dog"]).names == ("dog",)
    schema = store.schema()
    assert schema.known_names[CAT] == "cat"
    assert CAT not in schema.positions
    assert edit(store, ClassEdit("add", value="cat")) == ["cat", "dog", "owl"]
    assert store.classes()[CAT].archived is False


def test_colour_key_description_and_examples_are_kept(store: LabelStore) -> None:
    looks = [("colour", "#1f77b4"), ("key", "t"), ("description", "with whiskers"), ("examples", ["1.jpg", "2.jpg"])]
    edit(store, *(ClassEdit(kind, CAT, value) for kind, value in looks))  # type: ignore[arg-type]
    cat = store.classes()[CAT]
    assert (cat.colour, cat.key, cat.description, cat.examples) == ("#1f77b4", "t", "with whiskers", ("1.jpg", "2.jpg"))
    store.undo("ada", now=2)
    assert store.classes()[CAT].colour == ""


def test_the_keys_of_the_page_are_those_of_its_tables_of_commands() -> None:
    table = (Path(fastlabel_gradio.__file__).parent / "ui" / "web" / "keys.js").read_text(encoding="utf-8")
    rows = re.findall(r'^  "?[\w-]+"?: \{ keys: \[(.*?)\]', table, re.MULTILINE)
    assert len(rows) == table.count("{ keys: [") > 50
    keys = [key for listed in rows for key in json.loads(f"[{listed}]")]
    assert sorted({key for key in keys if len(key) == 1 and not key.isspace()}) == sorted(PAGE_KEYS)


def test_edits_that_make_no_sense_change_nothing(store: LabelStore) -> None:
    edit(store, ClassEdit("merge", DOG, OWL))
    cases = [
        (ClassEdit("add", value="cat"), "there is a class 'cat' already"),
        (ClassEdit("add", value="  "), "is no name of a class"),
        (ClassEdit("rename", CAT, "cat\x07"), "is no name of a class"),
        (ClassEdit("rename", 9, "emu"), r"class 9 is not known. Known: 0 cat"),
        (ClassEdit("rename", CAT, "owl"), "there is a class 'owl' already. Merge the two"),
        (ClassEdit("merge", OWL, DOG), "cannot become a part of 1"),
        (ClassEdit("merge", CAT, 17), "cannot become a part of 17"),
        (ClassEdit("archive", CAT, "yes"), "archive of a class: 'yes' cannot be used. Say true or false"),
        (ClassEdit("colour", CAT, "red"), "Write it like #1f77b4"),
        (ClassEdit("key", CAT, "ab"), "Name one character"),
        (ClassEdit("key", CAT, "c"), "the key 'c' is one of the page's own: \\+ , - "),
        (ClassEdit("key", CAT, "V"), "the key 'V' is one of the page's own"),
        (ClassEdit("description", CAT, 5), "Give a text"),
        (ClassEdit("examples", CAT, ["1"] * 5), "4 items at most"),
    ]
    before = store.classes()
    for wrong, reason in cases:
        with pytest.raises(InvalidLabelsError, match=reason):
            store.edit_classes("ada", [ClassEdit("description", CAT, "new"), wrong], now=2)
    assert store.classes() == before


def test_merges_that_lead_in_a_circle_are_read_in_their_order() -> None:
    circle = [ClassEvent("merge", 0, 1), ClassEvent("merge", 1, 2), ClassEvent("merge", 2, 0)]
    classes = resolve_classes({0: "cat", 1: "dog", 2: "owl"}, circle)
    assert [one.part_of for one in classes.values()] == [2, 2, None]


def test_a_name_that_comes_back_by_undo_stays_apart_from_a_new_class_of_that_name(store: LabelStore) -> None:
    store.edit_classes("bob", [ClassEdit("rename", CAT, "feline")], now=1)
    edit(store, ClassEdit("add", value="cat"))
    store.undo("bob", now=2)
    assert names(store) == ["cat", "dog", "owl", "cat (2)"]
