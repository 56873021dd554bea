"""Checkpoints of work that is superseded by itself."""

from itertools import count

from fastlabel_gradio.superseded import Checkpoint, Superseded


def superseded_after(passed: int) -> Checkpoint:
    """One that raises Superseded after it was passed so often."""
    asked = count()

    def checkpoint() -> None:
        if next(asked) >= passed:
            raise Superseded

    return checkpoint
