"""Judgements: whose opinions of an item are a person's own judgement of it, and who may be asked for another one."""

from collections.abc import Mapping

from sqlalchemy import Connection

from fastlabel_gradio.labels.events import all_events, events_of, items_touched, newest_submission
from fastlabel_gradio.labels.resolve import Opinion, Opinions, opinions_of

SEEN = "search"  # source of what is said where labels are shown
NO_JUDGEMENT = ("import", "verify")  # brought by a file, or let pass: nobody looked and chose


def judgements_of(opinions: Opinions) -> Opinions:
    """The opinions that are what a person says who looked at the item, states in place of a label among them.

    What a reviewer or the head said is none: a reviewer may know what others say. Nor is a label that somebody gave in
    Explore, or without holding the item, after another person had decided: they could see that one's.
    """
    found: list[Opinion] = []
    for one in opinions:
        source, is_later = one.standing.source, any(earlier.decides for earlier in found)
        if one.kind == "person" and source not in NO_JUDGEMENT and not (source == SEEN and is_later):
            found.append(one)
    return tuple(found)


def review_of(opinions: Opinions) -> Opinion | None:
    """What the last reviewer said; None where none said anything."""
    return next((one for one in reversed(opinions) if one.kind == "review"), None)


def waits_for_second(opinions: Opinions) -> bool:
    """Whether one person alone gave the item a label, and no reviewer said anything."""
    decided = [one for one in judgements_of(opinions) if one.decides]
    return len(decided) == 1 and decided[0].standing.label_id is not None and review_of(opinions) is None


def may_be_asked(opinions: Opinions, annotator: str) -> bool:
    """Whether the item waits for a second opinion and the annotator said nothing of it yet, by whatever way."""
    return waits_for_second(opinions) and all(one.annotator != annotator for one in opinions)


def read_opinions(connection: Connection, project: int, since: int) -> tuple[int, Mapping[str, Opinions]]:
    """The newest submission, and the opinions on each item touched after submission `since`; () for none."""
    newest = newest_submission(connection, project)
    if newest == since:
        return newest, {}
    if not since:
        return newest, opinions_of(all_events(connection, project))
    item_ids = items_touched(connection, project, since, newest)
    found = opinions_of(events_of(connection, project, item_ids))
    return newest, {item_id: found.get(item_id, ()) for item_id in item_ids}
