"""News: which of what somebody says is not known yet, what it came by, and what it changes. Pure; the store writes it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter

from fastlabel_gradio.errors import ChangedMeanwhileError, InvalidLabelsError, OthersLabelsError, shown
from fastlabel_gradio.labels.resolve import (
    Opinion,
    Opinions,
    Standing,
    kind_of,
    opinion_of,
    standing_of,
    with_opinion,
)
from fastlabel_gradio.labels.shared_values import distinct, mapped, paired
from fastlabel_gradio.types import LabelSource, Said, State

CONFLICTS_NAMED = 100
NOT_LOOKED_AT = ("search", "verify")  # sources of labels that many items got at once

News = Callable[[Mapping[str, Said], Mapping[str, Opinions], str, LabelSource], Mapping[str, Said]]


def one_each(pairs: Iterable[tuple[str, int | State | Said]]) -> dict[str, Said]:
    """What is said of each item. Raises InvalidLabelsError where two things are said of one."""
    said: dict[str, Said] = {}
    for item_id, value in pairs:
        one = _said(value)
        if said.setdefault(item_id, one) != one:
            raise InvalidLabelsError(f"item {item_id!r} has two labels in one request. Send one; nothing was stored.")
    return said


def the_same_of_many(
    item_ids: Sequence[str], label_ids: Sequence[int | None] | int | None, one: Said
) -> dict[str, Said]:
    """What is said of each item: `one`, with a label of its own where a list of these is given.

    In the order of the ids, in which a database writes many of them fastest. Equal values are one object, so that a million
    items cost little time and memory.

    Raises:
        InvalidLabelsError: another number of labels than of items, or an item that comes twice.
    """
    labels = [label_ids] * len(item_ids) if label_ids is None or isinstance(label_ids, int) else label_ids
    check_numbers(item_ids, labels)
    of_label = {label_id: replace(one, label_id=label_id) for label_id in set(labels)}
    said = dict(sorted(zip(item_ids, map(of_label.__getitem__, labels), strict=True), key=itemgetter(0)))
    if len(said) < len(item_ids):
        raise InvalidLabelsError("an item comes twice in one request. Send each once; nothing was stored.")
    return said


def check_numbers(item_ids: Sequence[str], values: Sequence[object]) -> None:
    """Raises InvalidLabelsError where there is not one value an item."""
    if len(item_ids) != len(values):
        raise InvalidLabelsError(
            f"items and their labels or confidences are of different numbers: {len(item_ids):,} and {len(values):,}."
        )


def not_said_yet(
    said: Mapping[str, Said], opinions: Mapping[str, Opinions], annotator: str, source: LabelSource
) -> Mapping[str, Said]:
    """What the annotator does not say of those items already."""
    known = {
        item_id
        for item_id in opinions.keys() & said.keys()
        if _says_already(opinions[item_id], said[item_id], annotator, said[item_id].source or source)
    }
    news = {item_id: one for item_id, one in said.items() if item_id not in known} if known else said
    if all(one.state is not State.CLEAR for one in distinct(news.values())):
        return news
    return {item_id: one for item_id, one in news.items() if one.state is not State.CLEAR or item_id in opinions}


def overruling(
    said: Mapping[str, Said], opinions: Mapping[str, Opinions], annotator: str, source: LabelSource
) -> dict[str, Said]:
    """What is to be said so that it stands, where it does not yet: as a review where their own opinion would not do."""
    told = paired(opinions, said, lambda before, one: _winning(before or (), one, annotator, source))
    return {item_id: one for item_id, one in told.items() if one is not None}


def changing_own(
    said: Mapping[str, Said], opinions: Mapping[str, Opinions], annotator: str, source: LabelSource
) -> dict[str, Said]:
    """As `overruling`. Raises OthersLabelsError where something would change that others, or the head by itself, said."""
    news = overruling(said, opinions, annotator, source)
    others = [item_id for item_id, one in news.items() if _is_others(opinions.get(item_id, ()), one, annotator)]
    if others:
        raise OthersLabelsError(
            f"labels that others gave {len(others):,} of these items would change, such as {shown(others[0])}. Choose items "
            "that nobody labeled or you did (states 'none', or your own name), or ask a reviewer."
        )
    return news


def _is_others(opinions: Opinions, one: Said, annotator: str) -> bool:
    """Whether that would change what others said. Who clears an item takes back what all said of it."""
    if not opinions:
        return False
    changed = opinions if one.state is State.CLEAR else (opinion_of(opinions),)
    return any(opinion.annotator != annotator or opinion.kind == "auto" for opinion in changed)


def changed_meanwhile(
    item_ids: Sequence[str], news: Mapping[str, Said], opinions: Mapping[str, Opinions], names: Mapping[int, str]
) -> ChangedMeanwhileError:
    """That others changed these items, with what stands of each of the first, who said it, and what was to be said."""
    conflicts: list[dict[str, str | None]] = []
    for item_id in item_ids[:CONFLICTS_NAMED]:
        wanted, stands = news[item_id], opinion_of(opinions[item_id]) if item_id in opinions else None
        conflicts.append(
            {
                "id": item_id,
                "label": _name_of(stands.standing.label_id if stands else None, names),
                "state": stands.standing.state.value if stands else None,
                "annotator": stands.annotator if stands else None,
                "wanted_label": _name_of(wanted.label_id, names),
                "wanted_state": wanted.state.value,
            }
        )
    first, others = conflicts[0], f" and {len(item_ids) - 1:,} more items" if len(item_ids) > 1 else ""
    says = first["label"] or first["state"] or "nothing"
    return ChangedMeanwhileError(
        f"item {shown(first['id'])}{others} changed since you looked: {first['annotator'] or 'somebody'} says {shown(says)}. "
        "Nothing was stored. Look again, or send it once more without 'seen' to overrule.",
        conflicts,
        len(item_ids),
    )


def labels_of_standing(standing: Mapping[str, Standing]) -> dict[str, int]:
    """The label of each item that carries one."""
    return {item_id: one.label_id for item_id, one in standing.items() if one.label_id is not None}


def effect(
    before: Mapping[str, Opinions], after: Mapping[str, Opinions]
) -> tuple[dict[str, Standing], dict[str, Standing | None]]:
    """Where something else stands after: what stood, as far as anything did, and what stands, None for nothing."""
    stood = mapped(before, standing_of)
    now: dict[str, Standing | None] = mapped(after, standing_of)
    if not stood:
        return stood, now
    standing = {**dict.fromkeys(stood), **now}
    for item_id in stood.keys() & now.keys():
        if stood[item_id] == now[item_id]:
            del stood[item_id], standing[item_id]
    return stood, standing


def changed_labels(stood: Mapping[str, Standing], standing: Mapping[str, Standing | None]) -> dict[str, int | None]:
    """Of what `effect` gives: items of which another label stands after, with that; None for no label."""
    labels = {item_id: one.label_id if one else None for item_id, one in standing.items()}
    return {
        item_id: label_id
        for item_id, label_id in labels.items()
        if label_id != (stood[item_id].label_id if item_id in stood else None)
    }


def _name_of(label_id: int | None, names: Mapping[int, str]) -> str | None:
    return None if label_id is None else names.get(label_id)


def _said(value: int | State | Said) -> Said:
    if isinstance(value, Said):
        return value
    return Said(state=value) if isinstance(value, State) else Said(value)


def _says_already(opinions: Opinions, one: Said, annotator: str, source: LabelSource) -> bool:
    if one.state is State.CLEAR:
        return not opinions
    kind = kind_of(source)
    own = next((other for other in opinions if other.annotator == annotator and other.kind == kind), None)
    if not one.present or own is None or own.standing[:2] != (one.state, one.label_id):
        return False
    return not (source == "person" and own.standing.source in NOT_LOOKED_AT)  # now somebody looked at that card


def _winning(opinions: Opinions, one: Said, annotator: str, source: LabelSource) -> Said | None:
    if one.state is State.CLEAR:
        return one if opinions else None
    if not opinions:
        return one
    wanted, stands = (one.state, one.label_id), standing_of(opinions)
    if stands[:2] == wanted and stands.source != "auto":
        return None
    own = Opinion(annotator, Standing(one.state, one.label_id, source))
    is_heard = standing_of(with_opinion(opinions, own))[:2] == wanted
    return one if is_heard else replace(one, source="review")
