"""Contradictions: items of one content (`Source.content_key`) that carry different labels. The caller knows whose."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter


@dataclass(frozen=True, slots=True)
class Contradiction:
    """How many contents carry different labels, and two items of the first of them, as (item id, label)."""

    count: int
    example: tuple[tuple[str, str], tuple[str, str]]

    def text(self, whose: str) -> str:
        """One sentence for the page. `whose` labels they are opens it: "The labels of the source"."""
        (first, its_label), (second, other_label) = self.example
        more = f", and so in {self.count - 1} more" if self.count > 1 else ""
        return (
            f"{whose} contradict each other: '{first}' is '{its_label}', '{second}' with the same content is "
            f"'{other_label}'{more}."
        )


def contradiction_among(labeled: Iterable[tuple[str, str, str]]) -> Contradiction | None:
    """What labeled items say against each other; None where those of one content agree. Holds one content at a time.

    Args:
        labeled: (content key, item id, label), those of a content one after the other.
    """
    count, example = 0, None
    for _, items in itertools.groupby(labeled, key=itemgetter(0)):
        first, *others = ((item_id, label) for _, item_id, label in items)
        other = next((said for said in others if said[1] != first[1]), None)
        if other:
            count += 1
            example = example or (first, other)
    return Contradiction(count, example) if example else None
