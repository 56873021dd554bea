"""A YAML file as Python values, or one line that says why it is none. What the keys mean is not known here."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from fastlabel_gradio.errors import ConfigError

TEXT = "tag:yaml.org,2002:str"


def read_yaml(path: Path, as_text: Collection[str] = ()) -> Any:
    """The content of a YAML file, UTF-8 or UTF-16.

    Args:
        as_text: keys whose list, or single value, stays the text that was written: `[yes, 007]` is "yes" and "007" there,
            and not true and 7.

    Raises:
        ConfigError: with the line, for a missing file, bad YAML, a key that stands twice.
    """
    loader = _loader(frozenset(as_text))
    try:
        return yaml.load(path.read_bytes(), loader)  # a SafeLoader
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such configuration. Examples are in configs/.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except yaml.MarkedYAMLError as error:
        raise ConfigError(f"{path}{_line(error)}: not a readable YAML file: {_reason(error)}.") from error
    except yaml.reader.ReaderError as error:
        raise ConfigError(
            f"{path}: not a readable YAML file: character {error.position} is no UTF-8 text. Save it as UTF-8."
        ) from error
    except RecursionError as error:
        raise ConfigError(f"{path}: not a readable YAML file: it is nested too deeply.") from error
    except ValueError as error:  # a date or a number that there is not, such as 2024-02-30
        raise ConfigError(f"{path}: not a readable YAML file: {error}. Put quotes around it.") from error


def yaml_value(text: str) -> Any:
    """What a value on a command line means: a number, true or false, a list, otherwise the text itself."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text


def _loader(as_text: frozenset[str]) -> type[yaml.SafeLoader]:
    class Loader(yaml.SafeLoader):
        """Keeps some values as text and refuses a key that stands twice."""

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            lines: dict[str, int] = {}
            for key, value in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise yaml.MarkedYAMLError(problem="a key is one word", problem_mark=key.start_mark)
                if key.value in lines:
                    problem = f"the key '{key.value}' stands there and in line {lines[key.value]}: keep one"
                    raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
                lines[key.value] = key.start_mark.line + 1
                if key.value in as_text:
                    _keep_text(value)
            return super().construct_mapping(node, deep)

    return Loader


def _keep_text(node: yaml.Node) -> None:
    children = node.value if isinstance(node, yaml.SequenceNode) else [node]
    for child in children:
        if isinstance(child, yaml.ScalarNode):
            child.tag = TEXT


def _line(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f", line {mark.line + 1}" if mark else ""


def _reason(error: yaml.MarkedYAMLError) -> str:
    problem = " ".join(f"{error.context or ''} {error.problem or ''}".split())
    return "a tab stands where blanks must: indent with blanks" if r"'\t'" in problem else problem
