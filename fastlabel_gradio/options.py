"""Options of a part: the keys beside `kind` in the configuration, validated at the edge against the part's own type."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from fastlabel_gradio.errors import ConfigError, problem_of

Options = TypeVar("Options", bound=BaseModel)


def parse_options(part: str, schema: type[Options], given: Mapping[str, object]) -> Options:
    """The options as the part's own type.

    Args:
        part: opens the error message: "source 'image_folder'".
        schema: the part's pydantic model.
        given: the keys as they were read.

    Raises:
        ConfigError: an option that is missing, unknown or wrong; the message lists the known ones.
    """
    try:
        return schema.model_validate(given)
    except ValidationError as error:
        problems = "; ".join(problem_of(detail) for detail in error.errors())
        known = ", ".join(schema.model_fields) or "none"
        raise ConfigError(f"{part}: {problems}. Its options: {known}.") from error
