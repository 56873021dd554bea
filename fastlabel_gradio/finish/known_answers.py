"""Known answers: labels that a head has not seen beside what it says of them, for the plan."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64

from fastlabel_gradio.finish.plan import AUDIT_WEIGHT, OUT_OF_FOLD_WEIGHT, Fit, fit_right
from fastlabel_gradio.head import Head
from fastlabel_gradio.head.calibration import FEWEST_LABELS
from fastlabel_gradio.pool.ground import Ground
from fastlabel_gradio.pool.standings import LabeledSet
from fastlabel_gradio.superseded import unhurried


@dataclass(frozen=True, slots=True, eq=False)
class KnownAnswers:
    """How sure a head was of some items, whether it was right, and how much each counts."""

    confidences: Float32[np.ndarray, " items"]
    right: Bool[np.ndarray, " items"]
    weights: Float64[np.ndarray, " items"]

    @property
    def fit(self) -> Fit:
        """P(right | confidence)."""
        return fit_right(self.confidences, self.right, self.weights)


def known_answers(head: Head, ground: Ground, audit: LabeledSet | None, trained: LabeledSet) -> KnownAnswers:
    """Of the audit, and of what the head was trained on, each label left out of a training as in its calibration.

    Args:
        audit: None where the head was trained on some of it.
    """
    parts = []
    if audit is not None and len(audit.rows):
        parts.append((ground.says(head, audit.rows), audit.targets, AUDIT_WEIGHT))
    if ground.maker is not None and len(trained.rows) >= FEWEST_LABELS:
        vectors = ground.copied.of(ground.embeddings, trained.rows)
        left_out = ground.maker.left_out(head, vectors, trained.targets, unhurried, trained.groups)
        if left_out is not None:
            logits, positions = left_out
            said = _softmax(logits / head.info.temperature)
            parts.append((said, trained.targets[positions], OUT_OF_FOLD_WEIGHT))
    return _joined(parts)


def _joined(parts: list[tuple[np.ndarray, np.ndarray, float]]) -> KnownAnswers:
    if not parts:
        return KnownAnswers(np.zeros(0, dtype=np.float32), np.zeros(0, dtype=bool), np.zeros(0))
    confidences = [said.max(axis=1) for said, _, _ in parts]
    right = [said.argmax(axis=1) == targets for said, targets, _ in parts]
    weights = [np.full(len(targets), weight) for _, targets, weight in parts]
    return KnownAnswers(np.concatenate(confidences).astype(np.float32), np.concatenate(right), np.concatenate(weights))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
