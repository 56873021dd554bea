"""With which model a project goes on, for encoders that are named without one.

A later version may have another default model. A project goes on with its own: its vectors stay, and what was learned on
them.
"""

from collections.abc import Mapping
from typing import Any

from fastlabel_gradio.encoders.base import EncoderOptions

MODEL_OPTIONS = ("model", "pretrained")

RecordedModels = Mapping[str, Mapping[str, object]]  # by encoder the options that name its model


def with_recorded_model(name: str, options: Mapping[str, object], recorded: RecordedModels) -> Mapping[str, object]:
    """The options, with the model that the project goes on with where they name none."""
    return options if "model" in options else {**recorded.get(name, {}), **options}


def with_own_model(options: EncoderOptions) -> dict[str, Any]:
    """The options that were given, and the model, whether it was given or is the default of now."""
    given = options.model_fields_set
    model = set() if "model" in given else set(MODEL_OPTIONS) & set(type(options).model_fields)
    return options.model_dump(mode="json", include=given | model)
