"""The loop of every simulated labelling: whoever picks is asked for a batch, told the answers, and asked again."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Protocol, TypeVar, runtime_checkable

from fastlabel_gradio.errors import FastLabelError
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.types import Batch

ANNOTATOR = "simulated"
TRAINING_LIMIT_S = 600.0

Picked = TypeVar("Picked", bound=Hashable)  # an item's id, or its row


@runtime_checkable
class Labelling(Protocol[Picked]):
    """Who picks items and learns their labels: the app's labeler, or a contestant of a benchmark."""

    @property
    def labeled(self) -> int:
        """Labels so far."""

    def pick(self) -> Sequence[Picked]:
        """The next batch; empty where nothing is left."""

    def learn(self, answers: Sequence[tuple[Picked, int]]) -> None:
        """Takes labels, each the position of a class; returns once a head has learned them."""


def answered(
    labelling: Labelling[Picked], answer: Callable[[Picked], int | None], label_count: int
) -> Iterator[list[tuple[Picked, int]]]:
    """The answers to each batch, once they are learned, until there are so many labels or only items that stay open.

    Args:
        answer: the position of an item's class; None where the annotator leaves it open.
    """
    seen: set[Picked] = set()
    while labelling.labeled < label_count:
        picked = labelling.pick()
        answers = [(one, said) for one in picked if (said := answer(one)) is not None]
        if answers:
            labelling.learn(answers)
            yield answers
        elif set(picked) <= seen:
            return
        seen.update(picked)


class AppLabelling:
    """The app's labeler, used as a person with the page uses it.

    Attributes:
        batch: the newest one.
    """

    batch: Batch

    def __init__(self, labeler: Labeler) -> None:
        self.labeler = labeler

    @property
    def labeled(self) -> int:
        return self.labeler.counts().labeled

    def pick(self) -> Sequence[str]:
        self.batch = self.labeler.next_batch(ANNOTATOR, fresh=True)
        return [item.id for item in self.batch.items]

    def learn(self, answers: Sequence[tuple[str, int]]) -> None:
        """Raises FastLabelError where the training fails or takes longer than ten minutes."""
        if not self.labeler.submit(ANNOTATOR, list(answers), self.batch.id).training_triggered:
            self.labeler.train()
        if not self.labeler.wait_for_training(TRAINING_LIMIT_S):
            raise FastLabelError(f"a training took longer than {TRAINING_LIMIT_S:.0f} s")
        if self.labeler.status().training.state == "failed":
            raise FastLabelError(f"a training failed: {self.labeler.status().training.error}")
