"""What a source is: it lists items, reads one, and knows what each is made of. One file per implementation beside this.

A source holds no state of the loop and decodes nothing while it scans.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.media.sound_view import SoundView
from fastlabel_gradio.options import parse_options
from fastlabel_gradio.registry import Registry
from fastlabel_gradio.sources.groups import Grouping
from fastlabel_gradio.types import Item, LeftOut, Media, Medium


class SourceOptions(BaseModel):
    """Base of a source's options, the keys beside `kind` in the configuration. Unknown keys are refused.

    Attributes:
        beside_identity: options that may change while the labels stay: an item's id means the same with them and without.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    beside_identity: ClassVar[frozenset[str]] = frozenset({"download"})


class Source(ABC):
    """A pool of pictures or sounds that can be listed and read.

    Opening one (`__init__`) checks that it can be used and raises SourceError with the next step where it cannot; it may
    download, with a progress bar. All methods may be called from several threads at once.

    Attributes:
        sound_view: how its sounds are taken; `read` gives them as they are heard.
        grouping: what `group_of` goes by, fixed once the source is open; None where it knows no groups.
        window: length of an item and distance of two in seconds, where it cuts recordings; (None, None) where it does not.
        left_out_nouns: what `left_out` counts, for messages: of one and of several.
    """

    medium: Medium
    sound_view: SoundView = SoundView()
    grouping: Grouping | None = None
    window: tuple[float | None, float | None] = (None, None)
    left_out_nouns: tuple[str, str] = ("file", "files")
    Options: ClassVar[type[SourceOptions]]

    @abstractmethod
    def __init__(self, options: Any, base_dir: Path, cache_dir: Path) -> None:
        """See `open_source`."""

    @abstractmethod
    def scan(self) -> Iterator[Item]:
        """Every item once, in any fixed order, without decoding and without holding more than the ids.

        It is called again every few minutes, and should find what is new, changed and gone.

        Raises:
            SourceError: the data cannot be listed now, or (at the end) not all of it could be. Nothing leaves the pool then.
        """

    @abstractmethod
    def read(self, item: Item, resolution: int | None = None) -> Media:
        """The item as an upright 8-bit RGB picture, or as a mono waveform.

        Args:
            resolution: a hint: the caller needs no more than this many pixels on the shorter side, or samples a second. A
                source may deliver less than the original has, never less than the hint.

        Raises:
            UnreadableItemError: with the reason in one line.
        """

    @abstractmethod
    def content_key(self, item: Item) -> str:
        """A hash of the item's content: equal content, equal key, whatever the id. Raises UnreadableItemError."""

    def file(self, item: Item) -> Path | None:
        """The file that holds this item and nothing else, where there is one and it sounds as `read` gives it: it may be
        sent to the page as it is.

        None for a sound that is not heard as it was recorded.

        Raises:
            UnreadableItemError: for an item that lies outside of the source, or cannot be read.
        """
        return None

    def recording(self, item: Item) -> Path | None:
        """The file that an item is, or is a part of, as it lies there; None where it has none. It need not exist any more.

        Raises:
            UnreadableItemError: for an item that lies outside of the source.
        """
        return None

    def exported_path(self, item: Item) -> str:
        """The path of the item's file relative to the source's folder, as exports write it; "" for an item without one.

        See `files.exported_path` for names that are no UTF-8.
        """
        return ""

    def why_takes_none(self) -> str:
        """Why no file can be added to it, as a sentence; "" where `take_file` adds one."""
        return "This source is no folder of files that another one could be put into."

    def take_file(self, name: str, content: bytes) -> str:
        """Adds a file to what it lists and returns the id of its first item. Raises SourceError, UnreadableItemError."""
        raise SourceError(self.why_takes_none())

    @property
    def notice(self) -> str:
        """What keeps the items from being read, with the next step, as one line; "" where nothing is known to."""
        return ""

    def classes(self) -> tuple[str, ...]:
        """The classes that the source proposes, in order; empty where it knows none."""
        return ()

    def why_no_classes(self) -> str:
        """Why `classes` is empty where its user may expect some, without a full stop; "" where there is nothing to say."""
        return ""

    def reference_label(self, item: Item) -> str | None:
        """The class name that the data itself gives, for evaluation only: never shown, never trained on."""
        return None

    def group_of(self, item: Item) -> str | None:
        """The recording, site, speaker or burst that the item is of: items of one are alike, so a head that learned one of
        them is tested on others. None for every item where the source knows no groups.
        """
        return None

    def left_out(self) -> Sequence[LeftOut]:
        """What the newest scan did not take as items, most frequent first, as far as it has come; empty before the first."""
        return ()

    def held_out(self) -> Iterator[Item]:
        """Items with reference labels kept out of the pool as a test part; none by default."""
        return iter(())

    def is_held_out(self, item_id: str) -> bool:
        """Whether an item is kept out of the pool as (part of) a test part, with a reference label or without."""
        return False


SOURCES: Registry[type[Source]] = Registry("source", "fastlabel.sources")


def open_source(kind: str, options: dict[str, object], base_dir: Path, cache_dir: Path) -> Source:
    """Opens the source of that kind.

    Args:
        kind: a registered name.
        options: the other keys of the `source:` block.
        base_dir: relative paths in the options are relative to this folder.
        cache_dir: where downloads are kept.

    Raises:
        UnknownNameError: no such kind. ConfigError: an option that is missing, unknown or wrong.
        SourceError: the data cannot be opened.
    """
    source_type = SOURCES.get(kind)
    return source_type(parse_options(f"source '{kind}'", source_type.Options, options), base_dir, cache_dir)
