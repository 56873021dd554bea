"""The fields with which every answer says which item is meant, how to show it, and what the head says of it."""

from collections.abc import Sequence
from typing import Any

from fastlabel_gradio.gallery.tile_cache import Facts
from fastlabel_gradio.media.loudness import gain_db
from fastlabel_gradio.server.api_models import (
    PredictionAnswer,
)
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import Item, Prediction, TimeSpan


def shown_item(project: Project, item: Item, place: str, facts: Facts) -> dict[str, Any]:
    """The fields that say which item it is and how to show it.

    Args:
        place: its row, with what makes the address one of this batch, or of this start (`row_now`): browsers keep pictures,
            and another folder may have been served at the same address an hour ago.
    """
    return {
        "id": item.id,
        **_media_answer(project, item, place),
        "duration_s": None if facts.seconds is None else round(facts.seconds, 3),
        "peak_dbfs": None if facts.peak_dbfs is None else round(facts.peak_dbfs, 1),
        "gain_db": gain_db(facts.peak_dbfs),
        "note": facts.note,
        "group": project.source.group_of(item),
    }


def row_now(project: Project, row: int) -> str:
    """A row as a `place`, where it is of no batch."""
    return f"{row}?start={project.start_id}"


def _media_answer(project: Project, item: Item, place: str) -> dict[str, Any]:
    media_url = f"media/{project.name}/item/{place}"
    if project.medium == "image":
        return {"media_url": media_url}
    _, span = TimeSpan.split(item.id)
    return {
        "media_url": media_url,
        "spectrogram_url": f"media/{project.name}/spectrogram/{place}",
        "start_s": span.start_s if span else 0.0,
    }


def prediction_answer(prediction: Prediction, names: Sequence[str]) -> PredictionAnswer:
    return PredictionAnswer(
        label=names[prediction.index],
        index=prediction.index,
        confidence=round(prediction.confidence, 4),
        runners_up=list(prediction.runners_up),
    )
