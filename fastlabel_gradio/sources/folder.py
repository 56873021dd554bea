"""Files of one kind in a folder and its sub-folders; folders of classes (the ImageNet layout) give reference labels."""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources.base import Source, SourceOptions
from fastlabel_gradio.sources.files import LINK_OUT, exported_path, id_of, locate, path_of, stamp_of
from fastlabel_gradio.sources.folder_walk import (
    Tally,
    files_in,
    holds_file,
    is_file_below,
    left_out_line,
    subfolders,
    walk,
)
from fastlabel_gradio.sources.grouped import GroupPattern, PatternGroups
from fastlabel_gradio.sources.taking import take_file
from fastlabel_gradio.types import Item, LeftOut

TEST_SPLITS = frozenset({"test", "testing"})
SPLITS = TEST_SPLITS | {
    *("train", "training", "val", "valid", "validation", "dev", "development", "eval", "evaluation"),
}


class FolderOptions(SourceOptions):
    """Which folder.

    Attributes:
        path: the folder.
        take_test: whether the folder `test` of a split layout belongs to the pool; otherwise it is kept out as a test part.
        follow_links: whether links may lead out of the folder. The folder itself may be a link.
        group_pattern: what finds the group of an item in its id, see `PatternGroups`.
    """

    beside_identity = SourceOptions.beside_identity | {"take_test", "follow_links", "group_pattern"}

    path: Path
    take_test: bool = False
    follow_links: bool = False
    group_pattern: GroupPattern | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Which folders below the root are splits (train, val, test …) rather than classes, and which of those are held out."""

    splits: frozenset[str] = frozenset()
    held_out: frozenset[str] = frozenset()


class FolderSource(Source):
    """Every file of some suffixes under a folder; what else is there is left out by the rules of `folder_walk`.

    An item's id is its path relative to the folder, with '/'. The folders below the root are the classes, or those
    below them where all of the root's folders that hold an item are named like splits (train, val, test, …). Of such
    splits `test` is kept out of the pool unless it is the only one, or `take_test` says otherwise.

    Attributes:
        noun: what an item is, for messages.
        suffixes: of the files that count, in small letters; a file's own may be in any case.
        not_read: why files of other suffixes that people take for items are none.
    """

    noun: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    not_read: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def __init__(self, options: Any, base_dir: Path, cache_dir: Path) -> None:
        self.root = base_dir / options.path.expanduser()
        self._take_test: bool = options.take_test
        self._follow_links: bool = options.follow_links
        self._within = None if options.follow_links else self.root
        check_folder(self.root, self.noun)
        check_not_empty(self.root, self.noun, self.suffixes, self._within)
        self._layout = self._find_layout()
        self._tally = Tally(self.noun, self.not_read)
        self._is_scanned = False
        self._groups = None if options.group_pattern is None else PatternGroups(options.group_pattern)
        if self._groups:
            names = walk(self.root, self.suffixes, in_order=False, within=self._within)
            self._groups.check(map(id_of, names), self.root)
            self.grouping = self._groups.grouping

    def scan(self) -> Iterator[Item]:
        """Folder by folder, sorted by name; holds the names of one folder at a time.

        Raises:
            SourceError: the folder cannot be listed now; at the end where it is another one by then, or where one below it
                could not be listed for a reason that may pass (the first scan leaves such a folder out).
        """
        check_folder(self.root, self.noun)
        self._layout = self._find_layout()
        tally, before, is_first = Tally(self.noun, self.not_read), _identity(self.root), not self._is_scanned
        if is_first:
            self._tally = tally
        held_out = tuple(f"{name}/" for name in self._layout.held_out)
        unlisted: list[str] = []
        for relative in walk(
            self.root, self.suffixes, in_order=True, tally=tally, unlisted=unlisted, within=self._within
        ):
            if held_out and relative.startswith(held_out):
                what = relative.partition("/")[0]
                tally.add(what, "kept out as the test part; --set take_test=true takes it in")
            elif (item := self._item(relative)) is not None:
                yield item
        if _identity(self.root) != before:
            raise SourceError(f"{self.root} was replaced while it was listed.")
        if unlisted and not is_first:
            raise SourceError(f"{len(unlisted)} folders could not be listed, for example {unlisted[0]}.")
        self._tally, self._is_scanned = tally, True

    def held_out(self) -> Iterator[Item]:
        """The items of the test part that have a class which the pool knows."""
        known = self.classes()
        for split in sorted(self._layout.held_out):
            for relative in walk(self.root / split, self.suffixes, in_order=True, within=self._within):
                item = self._item(f"{split}/{relative}")
                if item is not None and (label := self.reference_label(item)) and label in (known or (label,)):
                    yield item

    def is_held_out(self, item_id: str) -> bool:
        return item_id.partition("/")[0] in self._layout.held_out

    def left_out(self) -> Sequence[LeftOut]:
        return self._tally.left_out()

    def exported_path(self, item: Item) -> str:
        return exported_path(item.id)

    def classes(self) -> tuple[str, ...]:
        """The class folders that hold an item, sorted; empty for fewer than two or with items beside them.

        Those of the test part count where they share one with the pool: many a test part has a folder of another kind.
        """
        pool = [self.root / split for split in sorted(self._layout.splits - self._layout.held_out)] or [self.root]
        if any(holds_file(parent, self.suffixes, self._within) for parent in pool):
            return ()
        names = {name for parent in pool for name in self._class_folders(parent)}
        for split in self._layout.held_out:
            tested = self._class_folders(self.root / split)
            names |= tested if names & tested else set()
        return tuple(sorted(map(id_of, names))) if len(names) > 1 else ()

    def why_no_classes(self) -> str:
        """That items lie beside folders, or that all is in one folder that holds the others."""
        folders = sorted(map(id_of, self._class_folders(self.root)))
        beside = next(files_in(self.root, self.suffixes, self._within), None)
        if folders and beside:
            named = ", ".join(folders[:3]) + (", …" if folders[3:] else "")
            return f"{named} would be, but {self.noun}s such as '{id_of(beside)}' lie beside: move them away"
        if len(folders) == 1 and self._class_folders(self.root / path_of(folders[0])):
            return f"all {self.noun}s are in its folder '{folders[0]}': give {self.root / path_of(folders[0])} for that one's"
        return ""

    def reference_label(self, item: Item) -> str | None:
        """The item's class folder; None for an item beside the class folders."""
        folders = item.id.split("/")[:-1]
        if folders and folders[0] in self._layout.splits:
            folders = folders[1:]
        return folders[0] if folders else None

    def why_takes_none(self) -> str:
        if self._layout.splits:
            return "Its folder is split into training and test parts: put the file into one of them by hand."
        if self.classes():
            return "Its sub-folders are the classes: put the file into one of them by hand."
        return "" if os.access(self.root, os.W_OK) else "Its folder cannot be written."

    def take_file(self, name: str, content: bytes) -> str:
        """Into the sub-folder `added`."""
        if why := self.why_takes_none():
            raise SourceError(why)
        return id_of(take_file(self.root, self.suffixes, name, content, self.check_file))

    def check_file(self, path: Path) -> None:
        """Raises UnreadableItemError where a file cannot be an item."""

    def file_of(self, item_id: str) -> Path:
        """Where the item's file lies. Raises UnreadableItemError where that is not in the folder."""
        return locate(self.root, item_id, follow_links=self._follow_links)

    def group_of(self, item: Item) -> str | None:
        return self._groups.group_of(item) if self._groups else None

    def _holds_item(self, folder: Path) -> bool:
        return is_file_below(folder, self.suffixes, within=self._within)

    def _class_folders(self, parent: Path) -> set[str]:
        return {name for name in subfolders(parent, self._within) if self._holds_item(parent / name)}

    def _item(self, relative: str) -> Item | None:
        """None for a file that was removed since it was listed. One that cannot be looked at gives its reason when read."""
        path = os.path.join(self.root, relative)  # noqa: PTH118  # a third of the scan's time
        try:
            return Item(id_of(relative), stamp_of(os.stat(path)))  # noqa: PTH116
        except OSError:
            return Item(id_of(relative), "cannot be opened") if os.path.lexists(path) else None

    def _find_layout(self) -> Layout:
        """Looks below folders that are not named like splits only where others are."""
        folders = subfolders(self.root, self._within)
        splits = {name for name in folders if name.lower() in SPLITS and self._holds_item(self.root / name)}
        others = (name for name in folders if name.lower() not in SPLITS)
        if not splits or any(self._holds_item(self.root / name) for name in others):
            return Layout()
        tests = {name for name in splits if name.lower() in TEST_SPLITS}
        is_kept_out = not self._take_test and tests != splits
        return Layout(frozenset(splits), frozenset(tests if is_kept_out else ()))


def check_folder(root: Path, noun: str) -> None:
    """Raises SourceError, with what to do, where `root` is no folder that can be listed."""
    try:
        status = root.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceError(f"{root} does not exist. Give the path of a folder with {noun}s.") from error
    except OSError as error:
        raise SourceError(f"{root} cannot be listed: {error.strerror}. Is its disk there?") from error
    if not stat.S_ISDIR(status.st_mode):
        raise SourceError(f"{root} is a file, not a folder. Give the folder that holds it.")
    if not os.access(root, os.R_OK | os.X_OK):
        raise SourceError(f"{root} cannot be listed: no permission. Make it readable, or give another folder.")


def check_not_empty(root: Path, noun: str, suffixes: tuple[str, ...], within: Path | None = None) -> None:
    """Raises SourceError where no file below `root` has one of the suffixes; it says what is there instead."""
    tally = Tally(noun)
    if not is_file_below(root, suffixes, tally, within):
        known = " ".join(suffix[1:] for suffix in suffixes)
        there = left_out_line(tally.left_out())
        links = " Links out of it are followed with --set follow_links=true."
        has_links = any(entry.why == LINK_OUT for entry in tally.left_out())
        raise SourceError(
            f"{root} holds no {noun}, in its sub-folders neither{f' ({there})' if there else ''}. "
            f"Add some ({known}) or give another folder.{links if has_links else ''}"
        )


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
