"""What stands after events, on histories of one item and against a fold that is slow and obvious."""

import random
import tracemalloc
from collections.abc import Iterator

from fastlabel_gradio.labels.resolve import Event, Standing, resolve
from fastlabel_gradio.types import State

DECIDING = ("label", "bad")


def said(*events: tuple[str, str | int] | tuple[str, str | int, str]) -> list[Event]:
    """Events of item "1", each an annotator, a label id or state, and a source, "person" by default."""
    made = []
    for number, (annotator, what, *source) in enumerate(events):
        label_id, state = (what, "label") if isinstance(what, int) else (None, what)
        made.append(Event("1", annotator, label_id, state, source[0] if source else "person", number))
    return made


def stands(*events: tuple[str, str | int] | tuple[str, str | int, str]) -> int | str | None:
    """The label id or state that stands of item "1"."""
    found = resolve(said(*events)).get("1")
    return None if found is None else found.state.value if found.label_id is None else found.label_id


def test_the_first_annotator_owns_an_item_and_may_correct_it() -> None:
    assert stands() is None
    assert stands(("ada", 1)) == 1
    assert stands(("ada", 1), ("bob", 2)) == 1
    assert stands(("ada", 1), ("bob", 2), ("ada", 3)) == 3
    assert stands(("ada", 1, "import"), ("bob", 2), ("cyd", 3, "group")) == 1


def test_a_state_without_a_label_stands_like_one() -> None:
    for state in ("skip", "unsure", "bad"):
        assert stands(("ada", state)) == state
        assert stands(("ada", 1), ("ada", state)) == state
        assert stands(("ada", state), ("ada", 1)) == 1
    assert stands(("ada", "bad"), ("bob", 1)) == "bad"


def test_a_label_stands_where_others_only_skipped_or_were_unsure() -> None:
    assert stands(("ada", "skip"), ("bob", 1)) == 1
    assert stands(("ada", "unsure"), ("bob", "bad")) == "bad"
    assert stands(("ada", "unsure"), ("bob", "skip")) == "unsure"
    assert stands(("ada", 1), ("bob", 2), ("ada", "skip")) == 2
    assert stands(("ada", 1), ("bob", 2), ("ada", "skip"), ("ada", 3)) == 2


def test_the_latest_review_wins() -> None:
    assert stands(("ada", 1), ("eve", 2, "review"), ("ada", 3)) == 2
    assert stands(("eve", 2, "review"), ("ada", 1), ("fay", 4, "review")) == 4
    assert stands(("ada", 1), ("eve", "bad", "review")) == "bad"
    assert stands(("eve", 1), ("ada", 3), ("eve", 2, "review"), ("eve", 1)) == 2


def test_the_head_by_itself_never_outweighs_a_person() -> None:
    assert stands(("app", 1, "auto")) == 1
    assert stands(("app", 1, "auto"), ("app", 2, "auto")) == 2
    for state in (3, "skip", "unsure", "bad"):
        assert stands(("app", 1, "auto"), ("ada", state)) == state
        assert stands(("ada", state), ("ada", 1, "auto")) == state


def test_what_was_said_before_an_item_was_cleared_is_gone() -> None:
    assert stands(("ada", 1), ("eve", 2, "review"), ("bob", "clear")) is None
    assert stands(("ada", "clear")) is None
    assert stands(("ada", 1), ("eve", 2, "review"), ("bob", "clear"), ("bob", 3), ("ada", 1)) == 3


def test_only_labels_of_people_teach() -> None:
    kinds = [said(("ada", 1)), said(("ada", 1, "import")), said(("ada", 1, "auto")), said(("ada", "bad"))]
    assert [resolve(events)["1"].teaches for events in kinds] == [True, True, False, False]


def test_any_history_gives_what_the_slow_fold_gives() -> None:
    rng = random.Random(5)
    for _ in range(1_000):
        events = list(random_events(rng))
        assert resolve(events) == slow(events)


def test_many_events_are_folded_in_little_memory() -> None:
    items = [f"{number}.jpg" for number in range(4_000)]
    events = [Event(item_id, "ada", number % 10, "label", "person", number) for number, item_id in enumerate(items)]
    tracemalloc.start()
    standing = resolve(events)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len({id(one) for one in standing.values()}) == 10  # shared
    assert most < 200 * len(items)


def random_events(rng: random.Random) -> Iterator[Event]:
    for number in range(rng.randint(0, 9)):
        what = rng.choice([0, 1, 2, "skip", "unsure", "bad", "clear"])
        label_id, state = (what, "label") if isinstance(what, int) else (None, what)
        source = rng.choice(["person", "person", "group", "import", "review", "auto"])
        yield Event(rng.choice("ab"), rng.choice(["ada", "bob", "cyd"]), label_id, state, source, number)


def slow(events: list[Event]) -> dict[str, Standing]:
    """Of each item the event that stands, found by looking at all of them."""
    found = {item_id: standing_event([e for e in events if e.item_id == item_id]) for item_id in "ab"}
    return {
        item_id: Standing(State(one.state), one.label_id, one.source)  # type: ignore[arg-type]
        for item_id, one in found.items()
        if one
    }


def standing_event(events: list[Event]) -> Event | None:
    cleared = max((place for place, event in enumerate(events, 1) if event.state == "clear"), default=0)
    events = events[cleared:]
    reviews = [event for event in events if event.source == "review"]
    autos = [event for event in events if event.source == "auto"]
    people = [event for event in events if event.source not in ("review", "auto")]
    if reviews:
        return reviews[-1]
    if not people:
        return autos[-1] if autos else None
    by_annotator = {event.annotator: [e for e in people if e.annotator == event.annotator] for event in people}
    latest = [own[-1] for own in by_annotator.values()]
    deciding = [event for event in latest if event.state in DECIDING]
    return min(deciding or latest, key=lambda event: began(by_annotator[event.annotator]))


def began(own: list[Event]) -> int:
    """When an annotator's newest run of decisions began; where they never decided, when they first spoke."""
    decisions = [place for place, event in enumerate(own) if event.state in DECIDING]
    if not decisions:
        return own[0].submission
    start = decisions[-1]
    while start and own[start - 1].state in DECIDING:
        start -= 1
    return own[start].submission
