"""HeadMaker: what all heads of one project have in common, and how the next one is made of the one before."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from fastlabel_gradio.head.calibration import (
    ENOUGH_LOGITS,
    FEWEST_LABELS,
    FOLDS,
    Groups,
    LeftOut,
    Logits,
    fit_temperature,
    out_of_fold_logits,
)
from fastlabel_gradio.head.model import Head, HeadInfo
from fastlabel_gradio.head.recipe import DEFAULT_RECIPE, HeadRecipe
from fastlabel_gradio.head.spread import Spread
from fastlabel_gradio.head.text_prior import TextPrior, zero_shot_head
from fastlabel_gradio.head.training import train_head
from fastlabel_gradio.superseded import Checkpoint
from fastlabel_gradio.types import Embeddings, Label

Targets = Int64[np.ndarray, " items"]

SURE_LABELS = 200  # make a head half as much surer, in the logarithm, as they ask for


@dataclass(frozen=True, slots=True)
class HeadMaker:
    """Makes the heads of one project.

    Attributes:
        prior: the embedded class names; None where the encoder reads no texts.
        sample: gives random embeddings of the pool, for its `Spread`; the embeddings are around the origin by default.
        seed: of every training.
        audit: the mark of the audit, which the labels to train on leave out.
    """

    classes: tuple[Label, ...]
    encoder_fingerprint: str
    recipe: HeadRecipe = DEFAULT_RECIPE
    prior: TextPrior | None = None
    sample: Callable[[], Embeddings] | None = None
    seed: int = 0
    device: str = "cpu"
    audit: str = ""

    def first(self) -> Head | None:
        """The head before the first label: that of the class names, version 0; None where they say nothing."""
        return zero_shot_head(self.prior, self._info(0, 0), device=self.device) if self.prior else None

    def train(
        self,
        embeddings: Embeddings,
        targets: Targets,
        before: Head | None,
        now: float,
        groups: Groups | None = None,
    ) -> Head:
        """The head that comes after `before`, at the temperature of that until `calibrate` has measured its own.

        Args:
            embeddings: float32[n, dim], n >= 1, of labels of at least two classes.
            targets: int64[n], the column of each label's class.
            now: seconds since the epoch.
            groups: int64[n], the group of each; None where they are of none.
        """
        version = before.info.version + 1 if before else 1
        head = self._train(embeddings, targets, groups, self._info(version, len(targets)), self._spread(), now)
        return head.at_temperature(before.info.temperature) if before and before.info.version else head

    def calibrate(
        self,
        head: Head,
        embeddings: Embeddings,
        targets: Targets,
        checkpoint: Checkpoint,
        groups: Groups | None = None,
        keep: Callable[[Logits, LeftOut], object] = lambda logits, left_out: None,
    ) -> Head:
        """The head at the temperature that its own labels ask for, each left out of a training, and its group with it.

        Unchanged where there are fewer than 20, or where they are all of one group. Of more than 1,000 labels only some are
        left out: others by the next head. Raises Superseded, by `checkpoint`.

        Args:
            keep: is given the logits of the labels that were left out, and the positions of these.
        """
        if len(targets) < FEWEST_LABELS:
            return head
        left_out = self.left_out(head, embeddings, targets, checkpoint, groups)
        if left_out is None:
            return head
        keep(*left_out)
        logits, positions = left_out
        return head.at_temperature(_cautious(fit_temperature(logits, targets[positions]), len(targets)))

    def left_out(
        self,
        head: Head,
        embeddings: Embeddings,
        targets: Targets,
        checkpoint: Checkpoint,
        groups: Groups | None = None,
    ) -> tuple[Logits, LeftOut] | None:
        """As `out_of_fold_logits`, by heads like this one: of many labels only some, others for the next head."""
        turn = [(head.info.version + number) % FOLDS for number in range(FOLDS)]
        return self.out_of_fold(embeddings, targets, checkpoint, groups, turn, ENOUGH_LOGITS)

    def out_of_fold(
        self,
        embeddings: Embeddings,
        targets: Targets,
        checkpoint: Checkpoint,
        groups: Groups | None,
        folds: Sequence[int],
        enough: int,
        most: int | None = None,
    ) -> tuple[Logits, LeftOut] | None:
        """As `out_of_fold_logits`, by heads of this project.

        Args:
            most: each head is trained on so many labels at most, a random sample of those that are not left out.
        """
        spread, rng = self._spread(), np.random.default_rng(self.seed)

        def train(some: Embeddings, goals: Targets, of_them: Groups | None) -> Head:
            if most is not None and len(some) > most:
                chosen = np.sort(rng.permutation(len(some))[:most])
                some, goals = some[chosen], goals[chosen]
                of_them = None if of_them is None else of_them[chosen]
            return self._train(some, goals, of_them, self._info(0, len(goals)), spread, 0.0)

        return out_of_fold_logits(
            embeddings,
            targets,
            train,
            self.seed,
            checkpoint,
            groups,
            folds,
            enough,
        )

    def _spread(self) -> Spread | None:
        return Spread.of(self.sample()) if self.sample else None

    def _train(
        self,
        embeddings: Embeddings,
        targets: Targets,
        groups: Groups | None,
        info: HeadInfo,
        spread: Spread | None,
        now: float,
    ) -> Head:
        return train_head(
            embeddings,
            targets,
            info,
            recipe=self.recipe,
            spread=spread,
            prior=self.prior,
            groups=groups,
            device=self.device,
            now=now,
        )

    def _info(self, version: int, label_count: int) -> HeadInfo:
        return HeadInfo(version, self.classes, self.encoder_fingerprint, label_count, seed=self.seed, audit=self.audit)


def _cautious(temperature: float, label_count: int) -> float:
    """A found temperature, but with few labels hardly below 1.

    Labels that were left out may be of the same recording or series as others, which makes a head look surer than it is.
    """
    return temperature if temperature >= 1 else math.pow(temperature, label_count / (label_count + SURE_LABELS))
