"""Files of one kind in a folder and its sub-folders; folders of classes (the ImageNet layout) give reference labels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources.address import Place
from fastlabel_gradio.sources.base import Source
from fastlabel_gradio.sources.file_tree import FileTree
from fastlabel_gradio.sources.files import LINK_OUT, exported_path, id_of, path_of
from fastlabel_gradio.sources.folder_walk import Tally, left_out_line
from fastlabel_gradio.sources.grouped import GroupPattern, PatternGroups
from fastlabel_gradio.sources.local_tree import LocalTree
from fastlabel_gradio.sources.remote_options import RemoteOptions
from fastlabel_gradio.sources.taking import take_file
from fastlabel_gradio.sources.trees import tree_at
from fastlabel_gradio.types import Item, LeftOut, TimeSpan

TEST_SPLITS = frozenset({"test", "testing"})
SPLITS = TEST_SPLITS | {
    *("train", "training", "val", "valid", "validation", "dev", "development", "eval", "evaluation"),
}


class FolderOptions(RemoteOptions):
    """Which folder.

    Attributes:
        path: the folder, also one of a bucket or a web server (`s3://bucket/pictures`).
        take_test: whether the folder `test` of a split layout belongs to the pool; otherwise it is kept out as a test part.
        follow_links: whether links may lead out of the folder. The folder itself may be a link.
        group_pattern: what finds the group of an item in its id, see `PatternGroups`.
    """

    beside_identity = RemoteOptions.beside_identity | {"take_test", "follow_links", "group_pattern"}

    path: Place
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
        self.tree = tree_at(options.path, base_dir, cache_dir, options)
        self._take_test: bool = options.take_test
        self.tree.check(self.noun)
        check_not_empty(self.tree, self.noun, self.suffixes)
        self._layout = self._find_layout()
        self._tally = Tally(self.noun, self.not_read)
        self._is_scanned = False
        self._groups = None if options.group_pattern is None else PatternGroups(options.group_pattern)
        if self._groups:
            self._groups.check(map(id_of, self.tree.names(self.suffixes)), self.tree)
            self.grouping = self._groups.grouping

    def scan(self) -> Iterator[Item]:
        """Folder by folder, sorted by name; holds the names of one folder at a time.

        Raises:
            SourceError: the folder cannot be listed now; at the end where it is another one by then, or where one below it
                could not be listed for a reason that may pass (the first scan leaves such a folder out).
        """
        self.tree.check(self.noun)
        self._layout = self._find_layout()
        tally, before, is_first = Tally(self.noun, self.not_read), self.tree.identity(), not self._is_scanned
        if is_first:
            self._tally = tally
        unlisted: list[str] = []
        for item in self.tree.items(self.suffixes, tally, unlisted):
            if self.is_held_out(item.id):
                what = item.id.partition("/")[0]
                tally.add(what, "kept out as the test part; --set take_test=true takes it in")
            else:
                yield item
        if self.tree.identity() != before:
            raise SourceError(f"{self.tree} was replaced while it was listed.")
        if unlisted and not is_first:
            raise SourceError(f"{len(unlisted)} folders could not be listed, for example {unlisted[0]}.")
        self._tally, self._is_scanned = tally, True

    def held_out(self) -> Iterator[Item]:
        """The items of the test part that have a class which the pool knows."""
        known = self.classes()
        for split in sorted(self._layout.held_out):
            for item in self.tree.items(self.suffixes, below=split):
                if (label := self.reference_label(item)) and label in (known or (label,)):
                    yield item

    def is_held_out(self, item_id: str) -> bool:
        return item_id.partition("/")[0] in self._layout.held_out

    def left_out(self) -> Sequence[LeftOut]:
        return self._tally.left_out()

    def recording(self, item: Item) -> Path:
        return self.tree.recording(TimeSpan.split(item.id)[0])

    def exported_path(self, item: Item) -> str:
        return exported_path(item.id)

    def classes(self) -> tuple[str, ...]:
        """The class folders that hold an item, sorted; empty for fewer than two or with items beside them.

        Those of the test part count where they share one with the pool: many a test part has a folder of another kind.
        """
        pool = sorted(self._layout.splits - self._layout.held_out) or [""]
        if any(self.tree.holds_file(self.suffixes, parent) for parent in pool):
            return ()
        names = {name for parent in pool for name in self._class_folders(parent)}
        for split in self._layout.held_out:
            tested = self._class_folders(split)
            names |= tested if names & tested else set()
        return tuple(sorted(map(id_of, names))) if len(names) > 1 else ()

    def why_no_classes(self) -> str:
        """That items lie beside folders, or that all is in one folder that holds the others."""
        folders = sorted(map(id_of, self._class_folders("")))
        beside = next(self.tree.files_in(self.suffixes), None)
        if folders and beside:
            named = ", ".join(folders[:3]) + (", …" if folders[3:] else "")
            return f"{named} would be, but {self.noun}s such as '{id_of(beside)}' lie beside: move them away"
        if len(folders) == 1 and self._class_folders(path_of(folders[0])):
            inner = f"{self.tree}/{path_of(folders[0])}"
            return f"all {self.noun}s are in its folder '{folders[0]}': give {inner} for that one's"
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
        return self.tree.why_not_writable()

    def take_file(self, name: str, content: bytes) -> str:
        """Into the sub-folder `added`."""
        if why := self.why_takes_none():
            raise SourceError(why)
        assert isinstance(self.tree, LocalTree)  # no other is writable
        return id_of(take_file(self.tree.root, self.suffixes, name, content, self.check_file))

    def check_file(self, path: Path) -> None:
        """Raises UnreadableItemError where a file cannot be an item."""

    def group_of(self, item: Item) -> str | None:
        return self._groups.group_of(item) if self._groups else None

    def _class_folders(self, parent: str) -> set[str]:
        return {name for name in self.tree.subfolders(parent) if self._holds_item(f"{parent}/{name}".lstrip("/"))}

    def _holds_item(self, folder: str) -> bool:
        return self.tree.is_file_below(self.suffixes, below=folder)

    def _find_layout(self) -> Layout:
        """Looks below folders that are not named like splits only where others are."""
        folders = self.tree.subfolders()
        splits = {name for name in folders if name.lower() in SPLITS and self._holds_item(name)}
        others = (name for name in folders if name.lower() not in SPLITS)
        if not splits or any(self._holds_item(name) for name in others):
            return Layout()
        tests = {name for name in splits if name.lower() in TEST_SPLITS}
        is_left_out = not self._take_test and tests != splits
        return Layout(frozenset(splits), frozenset(tests if is_left_out else ()))


def check_not_empty(tree: FileTree, noun: str, suffixes: tuple[str, ...]) -> None:
    """Raises SourceError where no file below a folder has one of the suffixes; it says what is there instead."""
    tally = Tally(noun)
    if not tree.is_file_below(suffixes, tally):
        known = " ".join(suffix[1:] for suffix in suffixes)
        there = left_out_line(tally.left_out())
        links = " Links out of it are followed with --set follow_links=true."
        has_links = any(entry.why == LINK_OUT for entry in tally.left_out())
        raise SourceError(
            f"{tree} holds no {noun}, in its sub-folders neither{f' ({there})' if there else ''}. "
            f"Add some ({known}) or give another folder.{links if has_links else ''}"
        )
