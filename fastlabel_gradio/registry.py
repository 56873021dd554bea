"""Registries: the one door through which sources, encoders, strategies and exporters become known by name.

A package outside this one adds a part by an entry point in the group `fastlabel.<registry>`, whose value registers it when
imported. Nothing here knows what is registered.
"""

import difflib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from fastlabel_gradio.errors import ConfigError, UnknownNameError, shown

T = TypeVar("T")


class Registry(Generic[T]):
    """Parts of one kind by name, e.g. `SOURCES.get("image_folder")`.

    Args:
        noun: singular, for error messages ("source").
        group: entry point group that other packages use ("fastlabel.sources").
    """

    def __init__(self, noun: str, group: str) -> None:
        self._noun = noun
        self._group = group
        self._parts: dict[str, T] = {}
        self._plugins_loaded = False

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that adds a part. Raises ConfigError where the name is taken."""

        def add(part: T) -> T:
            if name in self._parts:
                raise ConfigError(f"{self._noun} '{name}' is registered twice.")
            self._parts[name] = part
            return part

        return add

    @contextmanager
    def preserved(self) -> Iterator[None]:
        """What is registered inside is gone afterwards, as tests and benchmarks want it."""
        self._load_plugins()  # which stay
        before = dict(self._parts)
        try:
            yield
        finally:
            self._parts = before

    def names(self) -> tuple[str, ...]:
        """Known names, sorted."""
        self._load_plugins()
        return tuple(sorted(self._parts))

    def get(self, name: str) -> T:
        """The part of that name. Raises UnknownNameError with the known names and the nearest one."""
        self._load_plugins()
        if name in self._parts:
            return self._parts[name]
        message = f"{self._noun} {shown(name)} is not known. Known: {', '.join(self.names())}."
        near = difflib.get_close_matches(name, self._parts, n=1)
        raise UnknownNameError(f"{message} Did you mean '{near[0]}'?" if near else message)

    def _load_plugins(self) -> None:
        if not self._plugins_loaded:
            self._plugins_loaded = True
            for entry_point in entry_points(group=self._group):
                entry_point.load()
