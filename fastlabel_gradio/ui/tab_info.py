"""What the page has to know of a project before it asks the REST API anything."""

from dataclasses import dataclass

from fastlabel_gradio.media.sound_view import SoundView
from fastlabel_gradio.types import Medium


@dataclass(frozen=True, slots=True)
class TabInfo:
    """One project as a tab of the page.

    Attributes:
        project: name in URLs and element ids, `[a-z0-9_-]+`.
        title: name that people read.
        strategies: query strategies offered in the menu.
        strategy: the one chosen at the start.
        batch_size: items per batch at the start, 1 to 1000.
        sound_view: how its sounds are taken.
        exports: names of the formats that labels can be taken away in.
    """

    project: str
    kind: Medium
    title: str
    strategies: tuple[str, ...]
    strategy: str
    batch_size: int
    sound_view: SoundView
    exports: tuple[str, ...]
