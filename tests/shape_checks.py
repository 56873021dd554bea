"""The run-time checks that tests put on the package: types by beartype, by jaxtyping that shapes of arrays fit each other.

An int is accepted where a float is asked for. Shapes cost many times what types do, so only signatures that have some are
looked at by jaxtyping.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import jaxtyping
from beartype import BeartypeConf, beartype
from jaxtyping import AbstractArray, jaxtyped

PACKAGE = Path(__file__).parent.parent / "fastlabel_gradio"

Checked = TypeVar("Checked", bound=Callable[..., Any])

check = beartype(conf=BeartypeConf(is_pep484_tower=True))


def install_on_package() -> None:
    """The package is checked from its import on, all but `ui`.

    Gradio wraps the constructors of its components in a way that run-time checks cannot see through.
    """
    rooms = [path.stem for path in PACKAGE.iterdir() if path.stem not in ("ui", "__init__", "__pycache__")]
    install([f"{PACKAGE.name}.{room}" for room in rooms])


def install(modules: Sequence[str]) -> None:
    """Modules of these names, and those in them, are checked from their import on."""
    jaxtyping.jaxtyped = _decorator  # type: ignore[assignment]  # what the hook writes above each function and class
    jaxtyping.install_import_hook(list(modules), f"{__name__}.check")


def _decorator(*, typechecker: object) -> Callable[[Checked], Checked]:
    return checked


def checked(made: Checked) -> Checked:
    """The function with its checks; of classes only the constructors of dataclasses, which have no text of their own."""
    if inspect.isclass(made):
        if is_dataclass(made) and "__init__" in vars(made) and not hasattr(made.__init__, "__wrapped__"):
            made.__init__ = checked(made.__init__)  # type: ignore[misc]
        return made
    hints = {name: _known(hint, made.__globals__) for name, hint in made.__annotations__.items()}
    if not any(map(_is_shape, hints.values())):
        return _with_types(made, hints)
    if inspect.isgeneratorfunction(made):  # what it yields is not looked at
        return jaxtyped(made, typechecker=check)
    return jaxtyped(_with_types(made, hints), typechecker=None)


def _with_types(function: Checked, hints: dict[str, Any]) -> Checked:
    """The function with its types checked, as `hints` has them; others find its own annotations."""
    own = function.__annotations__
    function.__annotations__ = hints
    typed = check(function)
    function.__annotations__ = typed.__annotations__ = own
    return typed


def _known(hint: object, names: dict[str, Any]) -> object:
    """What a hint means; anything where it names what is not known yet, or is imported for type checkers only."""

    def holder() -> None:
        """Holds the hint."""

    holder.__annotations__ = {"hint": hint}
    try:
        return get_type_hints(holder, names, include_extras=True)["hint"]
    except (NameError, TypeError, AttributeError):
        return Any


def _is_shape(hint: object) -> bool:
    if isinstance(hint, list | tuple):
        return any(map(_is_shape, hint))
    return (inspect.isclass(hint) and issubclass(hint, AbstractArray)) or any(map(_is_shape, get_args(hint)))
