"""The nouns that every room shares: items, predictions, batches, answers, the label schema, and the shapes of arrays.

Nothing here reads a file, holds state or imports another room.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float32, Int64
from PIL import Image

Medium = Literal["image", "audio"]
LabelSource = Literal["person", "group", "review", "search", "import", "auto", "verify"]
ListName = Literal["mistakes", "near_duplicates", "known_labels"]  # of labels to look at again

# Shapes are checked by beartype under pytest (tests/conftest.py); in production they cost nothing.
Embeddings = Float32[np.ndarray, "items dim"]
Probabilities = Float32[np.ndarray, "items classes"]
Rows = Int64[np.ndarray, " picked"]  # of the pool
Positions = Int64[np.ndarray, " picked"]  # in a view of the pool, or in an array that is at hand
Targets = Int64[np.ndarray, " items"]  # classes, as positions in a schema
Groups = Int64[np.ndarray, " grouped"]  # a number for the group of each, the same for the same group

_TIME_SPAN = re.compile(r"#t=(\d+\.\d+),(\d+\.\d+)$")


@dataclass(frozen=True, slots=True)
class Item:
    """One picture or sound of the pool.

    Attributes:
        id: stable, unique in its project, relative; never an absolute path.
        stamp: changes when the content may have changed (size and time of a file); cheap to read.
    """

    id: str
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class PoolItem:
    """An item that is embedded, with its row: where its vector stands. It travels from a pick to its card as it is."""

    row: int
    id: str
    stamp: str = ""

    @property
    def item(self) -> Item:
        return Item(self.id, self.stamp)


@dataclass(frozen=True, slots=True)
class EmbeddedItem:
    """One item with the hash of its content, ready to be stored beside its vector."""

    item: Item
    content_key: str


@dataclass(frozen=True, slots=True)
class Waveform:
    """A sound: float32[samples], mono, full scale is -1 to 1, with the number of samples a second.

    Attributes:
        note: what had to be done to read it that its user should know, in one line; "" where nothing had.
        peak: its largest absolute sample before it was resampled; None where nobody measured it.
    """

    samples: Float32[np.ndarray, " samples"]
    rate_hz: int
    note: str = ""
    peak: float | None = None

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz


Media: TypeAlias = Image.Image | Waveform


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Files, folders or rows that a source did not take as items.

    Attributes:
        what: what they are, short: ".txt", "__MACOSX", "broken link".
        why: the rule that left them out, in one line.
        count: how many.
    """

    what: str
    why: str
    count: int


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A part of a longer sound in seconds. Its item's id is that of the file with a media fragment: `talk.wav#t=12.0,15.0`

    (W3C Media Fragments URI 1.0, section 4.2.1).
    """

    start_s: float
    end_s: float

    def id_in(self, file_id: str) -> str:
        """The id of this part of a file; `split` is its inverse. Milliseconds are kept, finer parts are not."""
        return f"{file_id}#t={round(float(self.start_s), 3)},{round(float(self.end_s), 3)}"

    @staticmethod
    def split(item_id: str) -> "tuple[str, TimeSpan | None]":
        """The file's id and the part of it that an item id names; None where it is the whole file."""
        match = _TIME_SPAN.search(item_id)
        if match is None:
            return item_id, None
        return item_id[: match.start()], TimeSpan(float(match[1]), float(match[2]))


@dataclass(frozen=True, slots=True)
class Label:
    """A class of the schema. The id never changes and is never reused; the name is what people read."""

    id: int
    name: str


@dataclass(frozen=True)  # without slots: what is asked for each card is worked out once
class LabelSchema:
    """The classes of a project in the order of the screen. A head's output column is a position in it.

    Attributes:
        aliases: of merged classes, label id to the id of the class that they are part of now; not one after the other.
        others: classes that labels may name though they are not on the screen: archived ones, and those that the
            configuration dropped. Their labels are kept and not trained on.
        had: label ids by every name that a class has or had: data that is elsewhere names its classes as they were once.
    """

    classes: tuple[Label, ...]
    aliases: Mapping[int, int] = field(default_factory=dict)
    others: tuple[Label, ...] = ()
    had: Mapping[str, int] = field(default_factory=dict, compare=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.classes)

    @cached_property
    def ids(self) -> tuple[int, ...]:
        return tuple(label.id for label in self.classes)

    def __len__(self) -> int:
        return len(self.classes)

    @cached_property
    def positions(self) -> dict[int, int]:
        """Label id to position, of every class on the screen and of those that were merged into one of them."""
        places = {label_id: place for place, label_id in enumerate(self.ids)}
        merged = {label_id: places[target] for label_id, target in self.aliases.items() if target in places}
        return places | merged

    @cached_property
    def known_names(self) -> dict[int, str]:
        """What every label id is called now, also where its class is not on the screen."""
        names = {label.id: label.name for label in (*self.others, *self.classes)}
        return names | {merged: names[target] for merged, target in self.aliases.items()}

    def called_now(self, name: str) -> str:
        """What the class is called now that had a name before it was renamed or merged; the name where none had it.

        Names are compared after Unicode NFC and without the white space around them.
        """
        label_id = self.had.get(unicodedata.normalize("NFC", name).strip())
        return name if label_id is None else self.known_names.get(label_id, name)


class State(Enum):
    """What an annotator says of an item: its label, or why it gets none. The values are what is stored and sent.

    `CLEAR` takes back what everybody said of the item until then. It is an event and never what stands.
    """

    LABEL = "label"
    SKIP = "skip"
    UNSURE = "unsure"
    BAD = "bad"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one annotator says of one item, and when (seconds since the epoch, UTC).

    Attributes:
        label_id: None where the state is not `State.LABEL`.
        source: what the label came by: one card, a group, a review, a search, an import, or the head by itself.
    """

    item_id: str
    label_id: int | None
    annotator: str
    created_at: float
    state: State = State.LABEL
    source: LabelSource = "person"


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says of one item, to be stored.

    Attributes:
        label_id: with `State.LABEL` alone.
        present: False: the item is not of that class. Kept for items of several classes; it is no label.
        head_version: of the head whose prediction was accepted; None without one.
        confidence: of that prediction, 0 to 1.
        note: in the annotator's own words.
        source: what it came by; None for that of the submission which it is a part of.
    """

    label_id: int | None = None
    state: State = State.LABEL
    present: bool = True
    head_version: int | None = None
    confidence: float | None = None
    note: str = ""
    source: LabelSource | None = None


def said_of(value: int | State, source: LabelSource | None = None) -> Said:
    """A label id, or a state in place of one, as what is stored of an item."""
    return Said(state=value, source=source) if isinstance(value, State) else Said(value, source=source)


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the head says of one item: a position in the schema and its probability, 0 to 1.

    Attributes:
        runners_up: positions of the classes that are most probable after that one, the likeliest first; none from elsewhere.
    """

    index: int
    confidence: float
    runners_up: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """One item of a batch, with what is proposed for it; None where nothing is."""

    item: PoolItem
    prediction: Prediction | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """The cards that one annotator holds until they are submitted or the claim runs out.

    Attributes:
        head_version: of the head that proposes, 0 while there is none.
        strategy: the query strategy that picked the items, or what stood in for it.
        notice: why another strategy stood in, or why the batch is empty; "" when there is nothing to say.
        schema: in which the predictions are positions.
    """

    id: str
    cards: tuple[Card, ...]
    strategy: str
    head_version: int
    notice: str = ""
    schema: LabelSchema = LabelSchema(())

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(card.item.item for card in self.cards)

    @property
    def rows(self) -> tuple[int, ...]:
        return tuple(card.item.row for card in self.cards)

    @property
    def predictions(self) -> tuple[Prediction | None, ...]:
        return tuple(card.prediction for card in self.cards)


@dataclass(frozen=True, slots=True)
class Counts:
    """Items of the pool: labeled, not yet labeled, and (of those) in the batches of annotators.

    `missing` of the labeled ones are in the source no more. `skip`, `unsure` and `bad` are neither labeled nor unlabeled:
    they got that state in place of a label.
    """

    labeled: int
    unlabeled: int
    claimed: int
    missing: int = 0
    skip: int = 0
    unsure: int = 0
    bad: int = 0


@dataclass(frozen=True, slots=True)
class PlantedCounts:
    """How many planted items somebody came to, and how many of them slipped through as what they were shown as."""

    shown: int = 0
    slipped: int = 0

    def __add__(self, other: "PlantedCounts") -> "PlantedCounts":
        return PlantedCounts(self.shown + other.shown, self.slipped + other.slipped)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a submit: how many labels were accepted, whether they set off a training, what was planted."""

    accepted: int
    training_triggered: bool
    planted: PlantedCounts | None = None


@dataclass(frozen=True, slots=True)
class Reopened:
    """The answer to an undo: how much was taken back, the batch with those items, what their labels were.

    Attributes:
        undone: items, or edits of classes; 0 where there was nothing.
        positions: by item the position in the schema, where a batch could be opened.
        states: by item what was said in place of a label: skip, unsure or bad.
        event: the number of the submission that was taken back; None where there was nothing.
    """

    undone: int
    batch: Batch | None
    positions: Mapping[str, int]
    event: int | None = None
    states: Mapping[str, State] = field(default_factory=dict)
