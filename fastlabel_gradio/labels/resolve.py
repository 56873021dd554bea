"""Resolve: from what everybody said of each item to what stands. Pure, and the same in every process.

An opinion is what an annotator last said of an item and did not undo; what the head said by itself (`auto`) and what a
reviewer said are opinions apart. In this order:

1. A reviewer's opinion stands, the latest one.
2. The first annotator who decided, by a label or `bad`, owns the item: their opinion stands, later ones are second opinions.
   Whoever takes their decision back by `skip` or `unsure`, and decides again, comes after those who decided meanwhile.
3. Where nobody decided, the first `skip` or `unsure` stands.
4. What the head said by itself stands where no person said anything, the latest one.

Who clears an item takes back the opinions of all: what is said of it later begins anew.
"""

from collections.abc import Iterable, Mapping
from sys import intern
from types import MappingProxyType
from typing import NamedTuple, cast

from fastlabel_gradio.labels.shared_values import paired
from fastlabel_gradio.types import LabelSource, Said, State

STATES = {state.value: state for state in State}
CLEAR = State.CLEAR.value

EventValues = tuple[str, str, int | None, str, str, int]  # of an `Event`


class Event(NamedTuple):
    """One annotator said something of one item, in the submission of that number. `state` and `source` are as stored."""

    item_id: str
    annotator: str
    label_id: int | None
    state: str
    source: str
    submission: int


class Standing(NamedTuple):
    """What stands of an item. `label_id` is None where the state is no label."""

    state: State
    label_id: int | None
    source: LabelSource

    @property
    def teaches(self) -> bool:
        """Whether a head is trained and measured on it: what a head said by itself is not, nor what a person let pass."""
        return self.state is State.LABEL and self.source not in ("auto", "verify")


class Opinion(NamedTuple):
    """What one annotator says now."""

    annotator: str
    standing: Standing

    @property
    def kind(self) -> str:
        return kind_of(self.standing.source)

    @property
    def decides(self) -> bool:
        return self.standing.state in (State.LABEL, State.BAD)


Opinions = tuple[Opinion, ...]
NOTHING_SAID: Mapping[str, Opinions] = MappingProxyType({})


def kind_of(source: str) -> str:
    """Which sources speak alike: "review", "auto", or "person" for all others. One annotator may have an opinion of each."""
    return source if source in ("review", "auto") else "person"


def resolve(events: Iterable[EventValues]) -> dict[str, Standing]:
    """What stands of every item that something was said of.

    Holds two references an item and no more: what is said of most items is one of a few things, which are shared.

    Args:
        events: as `Event` has them, those of one item in order. Without those that were undone, and those which say what an
            item is not.
    """
    return {item_id: standing_of(opinions) for item_id, opinions in opinions_of(events).items()}


def opinions_of(events: Iterable[EventValues], earlier: Mapping[str, Opinions] = NOTHING_SAID) -> dict[str, Opinions]:
    """The opinions on every item that something was said of and that was not cleared since; the events as in `resolve`.

    Args:
        earlier: the opinions before the events.
    """
    said = dict(earlier)
    known: dict[tuple[str, int | None, str, str], Opinions] = {}
    joined: dict[tuple[int, int], tuple[Opinions, Opinions]] = {}  # with what was before, which keeps its id
    for item_id, annotator, label_id, state, source, _ in events:
        if state == CLEAR:
            said.pop(item_id, None)
            continue
        kind = (annotator, label_id, state, source)
        first = known.get(kind)
        if first is None:
            standing = Standing(STATES[state], label_id, cast(LabelSource, source))
            first = known[kind] = (Opinion(intern(annotator), standing),)
        before = said.get(item_id)
        if before is None:
            said[item_id] = first
            continue
        pair = id(before), id(first)
        if pair not in joined:
            joined[pair] = before, with_opinion(before, first[0])
        said[item_id] = joined[pair][1]
    return said


def opinions_after(
    news: Mapping[str, Said], annotator: str, source: LabelSource, earlier: Mapping[str, Opinions]
) -> dict[str, Opinions]:
    """The opinions once an annotator said something of items, too.

    Args:
        source: of what has none of its own.
        earlier: the opinions before that.
    """

    def after(before: Opinions | None, one: Said) -> Opinions:
        alone = _alone(one, annotator, source)
        if alone:
            return with_opinion(before, alone[0]) if before else alone
        return () if one.state is State.CLEAR else before or ()

    told = paired(earlier, news, after)
    said = {**earlier, **told} if earlier else told  # a copy of a million is a tenth of the time
    return said if all(said.values()) else {item_id: one for item_id, one in said.items() if one}


def with_opinion(opinions: Opinions, opinion: Opinion) -> Opinions:
    """The opinions after another one, which takes the place of what the same annotator said before.

    It goes to the end instead where the order of the decisions asks for it: a reviewer's and the head's later ones win, and
    who decides only now comes after those who did.
    """
    before = next((o for o in opinions if o.annotator == opinion.annotator and o.kind == opinion.kind), None)
    if before and opinion.kind == "person" and (before.decides or not opinion.decides):
        return tuple(opinion if other is before else other for other in opinions)
    return (*(other for other in opinions if other is not before), opinion)


def standing_of(opinions: Opinions) -> Standing:
    """What stands, of at least one opinion."""
    return opinion_of(opinions).standing


def opinion_of(opinions: Opinions) -> Opinion:
    """Whose opinion stands, of at least one."""
    if len(opinions) == 1:
        return opinions[0]
    reviews, autos = ([o for o in opinions if o.kind == kind] for kind in ("review", "auto"))
    people = [o for o in opinions if o.kind == "person"]
    decided = [o for o in people if o.decides]
    return (reviews[-1:] or decided[:1] or people[:1] or autos[-1:])[0]


def _alone(one: Said, annotator: str, source: LabelSource) -> Opinions:
    """The opinions on an item of which nothing else is said; () where this says nothing of what it is."""
    if one.state is State.CLEAR or not one.present:
        return ()
    return (Opinion(intern(annotator), Standing(one.state, one.label_id, one.source or source)),)
