"""The tree of files at a place: of this machine or remote."""

from pathlib import Path

from fastlabel_gradio.sources.address import Address
from fastlabel_gradio.sources.file_cache import cache_of
from fastlabel_gradio.sources.file_tree import FileTree
from fastlabel_gradio.sources.local_tree import LocalTree
from fastlabel_gradio.sources.remote_options import RemoteOptions
from fastlabel_gradio.sources.remote_tree import RemoteTree


def tree_at(place: Path | Address, base_dir: Path, cache_dir: Path, options: RemoteOptions) -> FileTree:
    """The folder there. Nothing is looked at yet.

    Args:
        options: of its source: how much is kept, and whether links out of the folder are followed, where it says that.

    Raises:
        SourceError: what reads such an address is not installed.
    """
    if isinstance(place, Address):
        return RemoteTree(place, cache_of(place, cache_dir, options.cache_gb))
    return LocalTree(base_dir / place.expanduser(), getattr(options, "follow_links", False))
