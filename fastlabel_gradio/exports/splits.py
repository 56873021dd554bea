"""Splits: which part of the data (train, test …) each item of an export is of. By groups, by class, the same every time."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b

import numpy as np

from fastlabel_gradio.errors import ConfigError

SplitOf = Callable[[str, str | None], str]
NAME = re.compile(r"[A-Za-z0-9_]{1,64}")  # what the hub takes for the name of a split


def parse_shares(text: str) -> dict[str, float]:
    """The share of each part, of `train=0.8,test=0.2`; they are parts of one whole and need not add up to 1.

    Raises:
        ConfigError: no number above 0, a name that is none or comes twice.
    """
    shares: dict[str, float] = {}
    for entry in text.split(","):
        name, _, number = (part.strip() for part in entry.partition("="))
        try:
            share = float(number)
        except ValueError:
            share = 0.0
        if not NAME.fullmatch(name) or name in shares or not 0 < share < 1e9:
            raise ConfigError(
                f"splits {text!r}: {entry.strip()!r} is no part. Write NAME=SHARE for each, with letters, digits and _ in "
                "the name and a number above 0: train=0.8,test=0.2"
            )
        shares[name] = share
    return shares


def split_items(items: Iterable[tuple[str, str, str | None]], shares: Mapping[str, float], seed: int = 0) -> SplitOf:
    """Which part an item is of, given its id and its group.

    Items of one group are of one part. Of each class about the wanted share is in each part: its groups, in a random order
    that the seed and their names alone decide, are cut where the shares end. A group counts for its most frequent class.

    Args:
        items: id, class and group of each; None for an item that is a group of its own.
        shares: of the parts, as `parse_shares` gives them.
    """
    classes: dict[int, Counter[str]] = {}
    for item_id, label, group in items:
        classes.setdefault(_key(item_id, group, seed), Counter())[label] += 1
    names = list(shares)
    ends = np.cumsum(list(shares.values())) / sum(shares.values())
    found: dict[int, int] = {}
    for keys in _by_class(classes).values():
        sizes = np.array([classes[key].total() for key in keys])
        middles = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
        places = np.minimum(np.searchsorted(ends, middles), len(names) - 1)
        found.update(zip(keys, places.tolist(), strict=True))
    return lambda item_id, group: names[found.get(_key(item_id, group, seed), 0)]


def _by_class(classes: Mapping[int, Counter[str]]) -> dict[str, list[int]]:
    """The keys of the groups of each class, in the order of the keys, which is a random one."""
    grouped: dict[str, list[int]] = {}
    for key in sorted(classes):
        counts = classes[key]
        grouped.setdefault(min(counts, key=lambda name: (-counts[name], name)), []).append(key)
    return grouped


def _key(item_id: str, group: str | None, seed: int) -> int:
    """A fixed pseudo-random number of a group, or of an item that is none's."""
    text = f"{seed}\n{'item' if group is None else 'group'}\n{item_id if group is None else group}"
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).digest()) >> 1
