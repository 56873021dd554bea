"""What a submit or an undo did, as the label store answers it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastlabel_gradio.labels.changes import Position
from fastlabel_gradio.labels.news import changed_labels
from fastlabel_gradio.labels.resolve import Standing
from fastlabel_gradio.labels.steps import Step
from fastlabel_gradio.types import State

NOWHERE = Position()


@dataclass(frozen=True, slots=True)
class Submission:
    """What a submit did.

    Attributes:
        accepted: labels in the request, those that were known already included.
        released: items whose claim was dropped, whoever held it.
        standing: items of which something else stands than before, with that; None for nothing.
        stood: what stood of these items before, as far as anything did.
        event: its number; None where nothing of it was new.
        since, position: where the project stood before it and stands after it: whoever knows all up to the one, and takes
            this in, knows all up to the other.
    """

    accepted: int
    released: tuple[str, ...]
    stood: dict[str, Standing] = field(default_factory=dict)
    standing: dict[str, Standing | None] = field(default_factory=dict)
    event: int | None = None
    since: Position = NOWHERE
    position: Position = NOWHERE

    @property
    def changed(self) -> dict[str, int | None]:
        """Items whose standing label is another than before, with the one that stands now; None for no label."""
        return changed_labels(self.stood, self.standing)


@dataclass(frozen=True, slots=True)
class Undone:
    """A submission that was taken back or brought back: its batch, what it says of its items in order, and what that changed.

    `stood`, `standing`, `changed`, `since` and `position` are as `Submission` has them, the last two of no use where classes
    were changed; the label of a state without one is None. `step` is what was taken back or brought back, `states` what it
    said of items in place of a label: skip, unsure or bad.
    """

    batch_id: str
    labels: tuple[tuple[str, int | None], ...]
    stood: dict[str, Standing]
    standing: dict[str, Standing | None]
    step: Step
    since: Position = NOWHERE
    position: Position = NOWHERE
    states: Mapping[str, State] = field(default_factory=dict)

    @property
    def changed(self) -> dict[str, int | None]:
        """As `Submission` has it."""
        return changed_labels(self.stood, self.standing)
