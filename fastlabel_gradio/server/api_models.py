"""What REST takes and gives, field by field: the OpenAPI and the page's types come from here.

Unknown fields are refused on both sides, so that nothing is given that is not described.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

from fastlabel_gradio.config import MAX_BATCH
from fastlabel_gradio.inquiry import InquiryState
from fastlabel_gradio.labels import ClassEditKind
from fastlabel_gradio.loop.trainer import TrainingState
from fastlabel_gradio.media.sound_view import Contrast
from fastlabel_gradio.pool.encoder_change import ChangeState
from fastlabel_gradio.pool.progress import State as EmbeddingState
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.types import LabelSource, Medium, State

MAX_LABELS = 10_000
MAX_NAME = 64  # characters of a project, a strategy, a format, a batch id
MAX_LABEL = 1_000
MAX_ITEM_ID = 5_000  # a path is 4,096 bytes at most
MAX_NUMBER = 2**63 - 1


class Model(BaseModel):
    """Of requests and answers alike."""

    model_config = ConfigDict(extra="forbid")


class PredictionAnswer(Model):
    label: str
    index: int
    confidence: float
    runners_up: list[int] = Field(
        description="positions of the classes that are most probable after it, the likeliest first; three at most"
    )


class MediaAnswer(Model):
    """An item, and how to show it."""

    id: str
    media_url: str = Field(description="the picture, or the sound")
    spectrogram_url: str | None = Field(
        None,
        description="of a sound: 1,200 x 480 pixels, on the mel scale; its range is that of `sound_view` in the status",
    )
    duration_s: float | None = Field(None, description="of a sound as it was recorded")
    peak_dbfs: float | None = Field(None, description="of a sound: its largest sample in decibels, 0 at full scale")
    gain_db: int = Field(0, description="of a quiet sound: by how many decibels `normalised=true` turns it up")
    note: str = Field("", description="what had to be done to read it, in one line")
    start_s: float = Field(0.0, description="of a sound that is a part of a file: where it begins there")
    group: str | None = Field(
        None, description="the recording, site, speaker or burst that it is of, where that is known"
    )
    prediction: PredictionAnswer | None


class ItemAnswer(MediaAnswer):
    label: int | None = Field(None, description="set where an undo opened the item again")
    state: Literal["skip", "unsure", "bad"] | None = Field(
        None, description="likewise, where it had been given in place of a label"
    )


class FoundAnswer(MediaAnswer):
    row: int = Field(description="where its embedding is; `/media/{project}/rows/` takes such numbers")
    place: int = Field(description="in the order of the list, from 0")
    label: str | None = Field(description="the class that stands")
    state: Literal["label", "skip", "unsure", "bad"] | None = Field(description="null where nothing was said")
    source: LabelSource | None
    annotator: str | None = Field(description="who said what stands")
    created_at: str | None = Field(description="and when, in UTC")
    known_label: str | None = Field(description="the class that the source knows of it, by the name that it has now")
    instead: str | None = Field(
        description="in the order `mistakes` or `known_labels`: the class that heads trained without the label prefer to it"
    )
    similarity: float | None = Field(description="cosine with what `near` asks for, -1 to 1; null without it")


class ItemsAnswer(Model):
    event: int = Field(description="the newest submission that it knows of; `seen` of `POST /api/apply`")
    total: int = Field(description="items that the query has")
    items: list[FoundAnswer]
    list_id: str = Field(description="names what the query has in this moment, for more pages of the same list")
    head_version: int = Field(description="of the newest head that looked at the pool")
    scanned: int = Field(description="rows of the pool that it has looked at; of the others earlier heads speak")
    rows: int = Field(description="items that are embedded, some of which may have left the source since")


class BatchAnswer(Model):
    project: str
    kind: Medium
    batch_id: str = Field(description='"" where there is nothing to label; `notice` then says why')
    strategy: str
    head_version: int
    notice: str
    sheet_url: str
    columns: int
    classes: list[str]
    renamed: dict[str, str] = Field(
        description="by names that classes had before they were renamed or merged: what they are called now"
    )
    items: list[ItemAnswer]
    labeled: int
    unlabeled: int
    at_limit: bool = Field(
        False, description="there is no batch because the caller gave `labels_per_person` labels: `go_on` claims one"
    )


class RecallAnswer(Model):
    label: str
    correct: int
    items: int


class AuditAnswer(Model):
    items: int = Field(description="labeled random items that no head was trained on")
    groups: int | None = Field(description="how many groups they are of; null where there are no groups")
    true_for: str = Field(
        description="what the accuracy is true for: new recordings, new groups, or, without groups, items like these"
    )
    correct: int
    accuracy: float
    low: float = Field(
        description="95 % interval of the accuracy, by Wilson; with groups it counts how alike their items are"
    )
    high: float
    calibration_error: float
    recall: list[RecallAnswer]


class PointAnswer(Model):
    labels: int
    audit_items: int
    correct: int
    agreement: float | None = Field(description="Cohen's kappa with the head before it")
    low: float | None = Field(description="95 % interval of the accuracy; null without audited items")
    high: float | None


class GainAnswer(Model):
    labels: int = Field(description="how many more the newest head was trained on than the one it is compared with")
    change: float = Field(
        description="accuracy of the newest head less that of the other one, on the same random items"
    )
    low: float = Field(description="95 % interval of the change")
    high: float


class PeopleAgreeAnswer(Model):
    """How far people agree with each other, which limits every accuracy that is measured on their labels."""

    items: int = Field(description="that at least two people gave a class")
    agreed: float = Field(description="share of the pairs of answers that are the same, with its 95 % interval")
    low: float
    high: float
    label_accuracy: float = Field(description="how many labels of one person are right by that")
    text: str = Field(description="what it means for the accuracy, in English")


class EvaluationAnswer(Model):
    target: float
    audit: AuditAnswer | None
    curve: list[PointAnswer] = Field(description="one point a head, oldest first, the newest 1,000")
    advice: str
    enough: bool
    reasons: list[str]
    people: PeopleAgreeAnswer | None = Field(None, description="null without items that several people judged")
    brought: GainAnswer | None = Field(
        description="by the last 100 labels, or the last fifth; null while no head since the start had so many less"
    )


class EncoderChangeAnswer(Model):
    labels: int = Field(description="how many labels it is measured on")
    change: float = Field(description="accuracy less that of the encoder in use, on the same items")
    low: float = Field(description="95 % interval of the change")
    high: float


class EncoderRowAnswer(Model):
    encoder: str
    in_use: bool
    accuracy: float | None = Field(description="out of fold; null where `problem` says why there is none")
    low: float | None = Field(description="95 % interval of the accuracy")
    high: float | None
    change: EncoderChangeAnswer | None = Field(description="null for the encoder in use")
    items_per_s: float | None = Field(description="read and embedded on this machine, beside all else it does")
    pool_s: float | None = Field(description="seconds that embedding the whole pool would take")
    problem: str


class EncodersAnswer(Model):
    state: InquiryState
    error: str = Field(description='why it failed; ""')
    labels: int = Field(description="that are compared on, 2,000 at most; 0 before that is known")
    groups: int | None = Field(description="of how many groups their items are; null without groups")
    items: int = Field(description="of the pool")
    encoders: int = Field(description="that are compared in all")
    rows: list[EncoderRowAnswer] = Field(description="those that are through, the encoder in use first")


class EncodersAskedAnswer(Model):
    requested: bool = Field(description="false while they are compared already")


class RenewAnswer(Model):
    renewed: bool = Field(description="false where the batch is not the caller's any more")


class RescanAnswer(Model):
    requested: bool = Field(description="false where embedding broke off or has ended")


class ChangeAnswer(Model):
    encoder: str = Field(description="the one that embeds the pool behind the one in use")
    state: ChangeState = Field(description='"taken": it took over; "stays": the one in use is better')
    done: int
    total: int
    rate_per_s: float
    eta_s: float | None
    text: str = Field(description="the sentence that is in `notice` too")


class EmbeddingAnswer(Model):
    state: EmbeddingState
    done: int
    total: int
    scanning: bool = Field(description="the source is still being listed for the first time, so `total` grows")
    rate_per_s: float
    eta_s: float | None
    encoder: str = Field(description="the name of the one that runs")
    licence: str = Field(description='of its weights; "" where none is named')
    notice: str = Field(description='a line on the encoder; "" for the wanted one')
    notice_why: str = Field(description="the reason for that line")
    error: str
    shortage: str = Field(description='what embedding waits for, such as room on the disk; "" while it does not')
    rescanning: bool
    scans: int = Field(description="how often the source was listed since the start")
    scan_changes: str
    scan_notice: str
    change: ChangeAnswer | None = Field(description="of the encoder; null where no other one was asked for")


class HeadAnswer(Model):
    version: int = Field(description="0: there is no trained head yet")
    labels: int
    seconds: float
    trained_at: float | None
    settled: bool = Field(description="false while one is trained, measured or calibrated")
    state: TrainingState
    message: str
    error: str


class SoundViewAnswer(Model):
    top_hz: int
    low_hz: int
    expand: int = Field(description="how many times slower than it was recorded a sound is heard")
    contrast: Contrast
    channel: int | str
    rate_hz: int


class ContradictionAnswer(Model):
    count: int
    example: tuple[tuple[str, str], tuple[str, str]] = Field(
        description="two items of one content, each with its label"
    )


class ContradictionsAnswer(Model):
    known: ContradictionAnswer | None
    given: ContradictionAnswer | None


class LeftOutAnswer(Model):
    what: str
    why: str
    count: int


class UnreadableAnswer(Model):
    id: str
    reason: str


class SetAsideAnswer(Model):
    skip: int
    unsure: int
    bad: int


class SecondOpinionsAnswer(Model):
    """Of `second_opinions`; all are 0 without that option."""

    share: float = Field(description="of the labeled items that another person is asked about, too")
    given: int = Field(description="items that at least two people judged")
    waiting: int = Field(description="items that wait for a second opinion and that nobody holds")
    for_annotator: int = Field(description="of those, the ones that the caller may be asked about")


class TakenBackAnswer(Model):
    batch_id: str
    by: str | None = Field(
        description="who gave it back to the pool; null where the caller may not know names of others"
    )


class StatusAnswer(Model):
    project: str
    kind: Medium
    annotator: str
    classes: list[str]
    classes_version: int = Field(description="another number whenever classes were changed")
    renamed: dict[str, str] = Field(description="as in a batch")
    class_keys: dict[str, str] = Field(description="the keys that classes were given for everybody, by their names")
    class_colours: dict[str, str] = Field(
        description='the colours that classes were given, as "#1f77b4", by their names'
    )
    labeled: int
    unlabeled: int
    total: int = Field(description="labeled, unlabeled and set aside")
    set_aside: SetAsideAnswer = Field(description="items that got a state in place of a label, by state")
    claimed_by_others: int
    second_opinions: SecondOpinionsAnswer
    batches: list[str] = Field(description="ids of the caller's open batches")
    taken_back: list[TakenBackAnswer] = Field(
        description="the caller's batches that somebody else gave back to the pool lately: their answers still count"
    )
    since_training: int
    train_every: int
    notice: str
    contradictions: ContradictionsAnswer
    embedding: EmbeddingAnswer
    known_labels: bool = Field(
        description="items that are embedded have labels of the source, as of class folders or a table, which can be checked"
    )
    sound_view: SoundViewAnswer | None
    head: HeadAnswer
    missing_count: int
    left_out_count: int
    left_out_noun: str
    left_out: list[LeftOutAnswer]
    unreadable_count: int
    unreadable: list[UnreadableAnswer]


class PlantedAnswer(Model):
    shown: int = Field(description="labeled items that stood in a group of another class")
    slipped: int = Field(description="how many of them were accepted as that class")


class SubmitAnswer(Model):
    accepted: int
    training_triggered: bool
    planted: PlantedAnswer | None = Field(None, description="of a batch with planted items; null for all others")
    labeled: int
    unlabeled: int
    head_version: int


class TrainAnswer(Model):
    requested: bool
    labeled: int
    unlabeled: int
    head_version: int


class PartAnswer(Model):
    label: str | None = Field(description="the class, as it is called now; null for a state in place of a label")
    state: Literal["label", "skip", "unsure", "bad", "clear"]
    source: LabelSource
    items: int
    predicted: bool = Field(description="whether a person accepted what a head had predicted")


class ClassEditAnswer(Model):
    kind: ClassEditKind
    label: str = Field(description="the class, as it is called now")
    value: Any = Field(description="what it was changed to; of `merge` the class, of `order` the classes")
    before: str | None = Field(description="what it was called until then, of `rename` and `merge`; null for others")


class StepAnswer(Model):
    event: int = Field(description="its number, larger for later ones")
    created_at: str = Field(description="in UTC")
    what: str = Field(description="what it did, in a few English words")
    undone: bool = Field(description="whether it is taken back now")
    items: int = Field(description="items that it said something of")
    parts: list[PartAnswer] = Field(description="what it said, of most items first")
    checks: int = Field(description="labels that it found right")
    edits: list[ClassEditAnswer] = Field(description="changes of classes")


class HistoryAnswer(Model):
    steps: list[StepAnswer] = Field(description="of the caller, the newest first, those that are taken back among them")


class UndoAnswer(Model):
    undone: int = Field(description="of how many items, or edits of classes; 0 where there was nothing to take back")
    step: StepAnswer | None = Field(description="what was taken back")
    batch: BatchAnswer | None = Field(description="with the items, where they had been labeled card by card")
    labeled: int
    unlabeled: int
    head_version: int


class RedoAnswer(Model):
    redone: int = Field(description="of how many items, or edits of classes; 0 where there was nothing to bring back")
    step: StepAnswer | None = Field(description="what was brought back")
    labeled: int
    unlabeled: int
    head_version: int


Number = Annotated[StrictInt, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]
ProjectName = Annotated[str | None, Field(max_length=MAX_NAME)]
BatchId = Annotated[str, Field(max_length=MAX_NAME)]


class LabelInput(Model):
    """What is said of one item: its label, or a state in place of one."""

    id: Annotated[StrictStr, Field(max_length=MAX_ITEM_ID)] | Number = Field(
        description="the id that next_batch gave", examples=["cat/1.jpg", 1]
    )
    label: Annotated[StrictStr, Field(max_length=MAX_LABEL)] | Number | None = Field(
        None, description="a class name, or its index; left out where `state` says something else", examples=["cat", 3]
    )
    state: Literal["label", "skip", "unsure", "bad"] = Field(
        "label", description="why the item gets no label: it does not come again until that is undone"
    )
    source: Literal["person", "group"] = Field(
        "person",
        description='"group" where it was accepted together with others, not on its own; so are several labels '
        "without `batch_id`",
    )

    @model_validator(mode="after")
    def _either_or(self) -> "LabelInput":
        if (self.label is None) == (self.state == "label"):
            raise ValueError("an item gets a label, or the state 'skip', 'unsure' or 'bad' in place of one")
        return self

    @property
    def said(self) -> str | int | State:
        """The label, or the state."""
        return State(self.state) if self.label is None else self.label


Labels = Annotated[list[LabelInput], Field(max_length=MAX_LABELS, fail_fast=True)]


class SubmitInput(Model):
    project: ProjectName = None
    batch_id: BatchId = Field("", description="closes that batch: its items without a label go back to the pool")
    labels: Labels


class ProjectInput(Model):
    project: ProjectName = None


class RenewInput(ProjectInput):
    batch_id: BatchId


class ItemsInput(ProjectInput):
    query: Query = Query()
    list_id: Annotated[str, Field(max_length=MAX_NAME)] = Field(
        "", description="of an earlier answer: a page of the items that its query had then, whatever changed since"
    )
    offset: Annotated[StrictInt, Field(ge=0, le=MAX_NUMBER)] = 0
    size: Annotated[StrictInt, Field(ge=1, le=MAX_BATCH)] = 100
