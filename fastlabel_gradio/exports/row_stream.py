"""Row stream: which labels and predictions leave a pool, as the rows that exports write."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.exports import ExportRow
from fastlabel_gradio.labels import LabelStore, Told
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.types import LabelSchema, LabelSource, State

Columns = Literal["labels", "states", "all"]
STATES = tuple(state.value for state in State if state is not State.CLEAR)
SOURCES = get_args(LabelSource)


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a pool is exported.

    Attributes:
        columns: what a row says: the label, also its state and source, or all that is known.
        states: which states are taken.
        sources: what they came by; None for whatever it was.
        only_standing: one row an item, that which stands.
        predictions: also what the head says of items of which nobody said anything.
        query: only its items; None for all, also of those that the source has no more.
        as_made: classes are called as they were made, before they were renamed or merged; as they are now otherwise.
    """

    columns: Columns = "labels"
    states: tuple[str, ...] = (State.LABEL.value,)
    sources: tuple[str, ...] | None = None
    only_standing: bool = False
    predictions: bool = False
    query: Query | None = None
    as_made: bool = False

    @property
    def leaves_out_only_states(self) -> bool:
        return self.sources is None and not self.only_standing and self.query is None and self.columns != "all"

    def takes(self, one: Told) -> bool:
        return (
            one.said.state.value in self.states
            and (self.sources is None or one.source in self.sources)
            and (one.stands or not self.only_standing)
        )


def plain_choice(*, predictions: bool = False, states: bool = False, as_made: bool = False) -> Choice:
    """Every label; also predictions of the rest; also items that got a state, with the columns of states."""
    if states:
        return Choice("states", STATES, predictions=predictions, as_made=as_made)
    return Choice(predictions=predictions, as_made=as_made)


def parse_names(text: str, known: tuple[str, ...], noun: str) -> tuple[str, ...]:
    """Names between commas. Raises ConfigError for one that is not known."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    wrong = [name for name in names if name not in known]
    if wrong or not names:
        raise ConfigError(f"{noun} {text!r} cannot be used. Known: {', '.join(known)}.")
    return names


def said_rows(label_store: LabelStore, schema: LabelSchema, choice: Choice) -> Iterator[ExportRow]:
    """A row for every opinion that was chosen, as a stream: oldest first, or item by item where more than that is told.

    The query of the choice is the caller's business.
    """
    if choice.leaves_out_only_states:
        return _plain_rows(label_store, schema, choice)
    return _told_rows(label_store, schema, choice)


def iso_time(seconds: float) -> str:
    """In UTC; "" for a time that no calendar has, of a clock that was wrong or a row that was tampered with."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError, TypeError):
        return ""


def _class_names(label_store: LabelStore, schema: LabelSchema, choice: Choice) -> dict[int, str]:
    made = ((one.id, one.made_as) for one in label_store.classes().values()) if choice.as_made else ()
    return schema.known_names | dict(made)


def _plain_rows(label_store: LabelStore, schema: LabelSchema, choice: Choice) -> Iterator[ExportRow]:
    names, with_states = _class_names(label_store, schema, choice), choice.columns == "states"
    for said in label_store.annotations():
        if said.state.value in choice.states:
            name = names[said.label_id] if said.label_id is not None else ""
            state, source = (said.state.value, said.source) if with_states else (None, None)
            yield ExportRow(said.item_id, name, said.annotator, iso_time(said.created_at), state=state, source=source)


def _told_rows(label_store: LabelStore, schema: LabelSchema, choice: Choice) -> Iterator[ExportRow]:
    names = _class_names(label_store, schema, choice)
    merged = {id_: one.name for id_, one in label_store.classes().items() if one.part_of is not None}
    everything, with_states = choice.columns == "all", choice.columns != "labels"
    for one in label_store.told():
        if not choice.takes(one):
            continue
        said, auto = one.said, one.source == "auto"
        id_ = said.label_id
        row = (one.item_id, "" if id_ is None else names[id_], one.annotator, iso_time(one.said_at))
        if not everything:
            state, source = (said.state.value, one.source) if with_states else (None, None)
            yield ExportRow(*row, state=state, source=source)
            continue
        yield ExportRow(
            *row,
            state=said.state.value,
            source=one.source,
            stands=one.stands,
            head_version=said.head_version,
            label_confidence=said.confidence,
            note="" if auto else said.note,
            promise=said.note if auto else "",
            original_label="" if id_ is None else merged.get(id_, ""),
        )


def predicted_row(item_id: str, label: str, confidence: float | None, choice: Choice) -> ExportRow:
    """The row of an item of which nobody said anything."""
    state = None if choice.columns == "labels" else ""
    stands = False if choice.columns == "all" else None
    return ExportRow(item_id, predicted_label=label, confidence=confidence, state=state, source=state, stands=stands)
