"""Whatever several people do, in whatever order: the bookkeeping is what the events say, undo and redo restore it exactly."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastlabel_gradio.errors import FastLabelError
from fastlabel_gradio.labels import ClassEdit, Classes, LabelStore
from fastlabel_gradio.types import Said, State

CLASSES = ("cat", "dog", "owl")
ITEMS = [f"{number}.jpg" for number in range(5)]
PEOPLE = ("ann", "bob")

people = st.sampled_from(PEOPLE)
items = st.lists(st.sampled_from(ITEMS), min_size=1, max_size=4, unique=True)
label_ids = st.integers(0, 2)
said = st.one_of(
    st.builds(Said, label_id=label_ids),
    st.builds(Said, state=st.sampled_from([State.SKIP, State.UNSURE, State.BAD, State.CLEAR])),
)
edits = st.one_of(
    st.builds(ClassEdit, st.just("add"), st.none(), st.sampled_from(["emu", "cat", "kiwi"])),
    st.builds(ClassEdit, st.just("rename"), st.integers(0, 4), st.sampled_from(["cat", "lynx", "emu"])),
    st.builds(ClassEdit, st.just("merge"), st.integers(0, 4), st.integers(0, 4)),
    st.builds(ClassEdit, st.just("archive"), st.integers(0, 4), st.booleans()),
    st.builds(ClassEdit, st.just("key"), st.integers(0, 4), st.sampled_from(["", "d", "w"])),
    st.builds(ClassEdit, st.just("order"), st.just(0), st.permutations(range(3))),
)
steps = st.one_of(
    st.tuples(st.just("submit"), people, items, said, st.sampled_from(["person", "group", "review", "auto"])),
    st.tuples(st.just("many"), people, items, said, st.sampled_from(["import", "search", "auto"])),
    st.tuples(st.just("overrule"), people, items, said),
    st.tuples(st.just("check"), people, items),
    st.tuples(st.just("edit"), people, edits),
    st.tuples(st.just("undo"), people),
    st.tuples(st.just("redo"), people),
)

State_ = tuple[Any, ...]


def state_of(store: LabelStore) -> State_:
    """All that can be read of a project."""
    classes: Classes = {id_: one for id_, one in store.classes().items() if one.exists}
    opinions = sorted(
        (one.item_id, one.annotator, one.label_id, one.state.value, one.source) for one in store.annotations()
    )
    return dict(store.everything(now=0).standing), opinions, store.checked(), classes, store.schema()


def act(store: LabelStore, step: Sequence[Any]) -> bool:
    """Does it; whether it is a step that can be undone."""
    kind, who, *rest = step
    match kind:
        case "submit":
            return (
                store.submit(who, [(item_id, rest[1]) for item_id in rest[0]], now=1, source=rest[2]).event is not None
            )
        case "many":
            one: Said = rest[1]
            return (
                store.submit_many(who, rest[0], one.label_id, state=one.state, source=rest[2], now=1).event is not None
            )
        case "overrule":
            return store.overrule(who, rest[0], rest[1], now=1).event is not None
        case "check":
            standing = store.standing(rest[0])
            if standing:
                store.check(who, standing, now=1)
            return bool(standing)
        case "edit":
            store.edit_classes(who, rest, now=1)
            return True
    return False


@pytest.fixture
def new_store(tmp_path: Path) -> Callable[[], LabelStore]:
    made: list[LabelStore] = []

    def make() -> LabelStore:
        made.append(LabelStore(f"sqlite:///{tmp_path}/labels.sqlite", f"project {len(made)}"))
        made[-1].ensure_labels(CLASSES)
        return made[-1]

    return make


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(steps, max_size=10))
def test_undo_and_redo_restore_the_exact_state(new_store: Callable[[], LabelStore], history: list[Any]) -> None:
    """Of one person alone each undo leads to the state before; of several, undo and redo of one step lead back."""
    store = new_store()
    known = store.everything(now=0)
    standing = dict(known.standing)
    position = known.position
    done: dict[str, list[State_]] = {
        who: [] for who in PEOPLE
    }  # states before each step, while nobody else did anything
    for step in history:
        before = state_of(store)
        if step[0] in ("undo", "redo"):
            moved = getattr(store, step[0])(step[1], now=2)
            if moved is not None:
                back = store.redo(step[1], now=3) if step[0] == "undo" else store.undo(step[1], now=3)
                assert back is not None and state_of(store) == before
                again = getattr(store, step[0])(step[1], now=4)
                assert again is not None and again.step.size == moved.step.size
            for states in done.values():
                states.clear()
        else:
            try:
                if act(store, step):
                    done[step[1]].append(before)
                    for other in PEOPLE:
                        if other != step[1]:
                            done[other].clear()
            except FastLabelError:
                assert state_of(store) == before
        changes = store.changes_since(position, now=9)
        position = changes.position
        standing.update(changes.standing)
        assert {item_id: one for item_id, one in standing.items() if one} == state_of(store)[0]
    for who, states in done.items():
        newest = state_of(store)
        for state in reversed(states):
            assert store.undo(who, now=5) is not None
            assert state_of(store) == state
        for _ in states:
            assert store.redo(who, now=6) is not None
        assert state_of(store) == newest
    store.close()
