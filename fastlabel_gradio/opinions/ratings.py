"""Ratings: who gave which class to the items that several people judged, as a table of numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from fastlabel_gradio.labels import Opinions, judgements_of
from fastlabel_gradio.types import LabelSchema

BAD = "bad"  # beside the classes: the item is of no use
MISSING = -1


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """Items that at least two people gave a class, or found bad.

    Attributes:
        said: int64[items, people], a position in `classes`; MISSING where somebody said nothing of an item, or is not sure.
        classes: those that somebody gave, in the order of the screen, then others by name; BAD where somebody said it.
    """

    said: Int64[np.ndarray, "items people"]
    people: tuple[str, ...]
    classes: tuple[str, ...]

    @property
    def counts(self) -> Int64[np.ndarray, "items classes"]:
        """How many people gave each item each class."""
        found = np.zeros((len(self.said), len(self.classes)), dtype=np.int64)
        items, people = np.nonzero(self.said != MISSING)
        np.add.at(found, (items, self.said[items, people]), 1)
        return found


def ratings_of(opinions: Mapping[str, Opinions], schema: LabelSchema) -> Ratings:
    """What people say of items, each under the class that its label is part of now; the items by their ids."""
    names: dict[int | None, str] = {None: BAD} | dict(schema.known_names.items())
    told = [
        {one.annotator: names[one.standing.label_id] for one in judgements_of(opinions[item_id]) if one.decides}
        for item_id in sorted(opinions)
    ]
    told = [one for one in told if len(one) > 1]
    people = sorted({annotator for one in told for annotator in one})
    given = {name for one in told for name in one.values()}
    classes = [*(name for name in schema.names if name in given), *sorted(given - set(schema.names))]
    place, person = {name: n for n, name in enumerate(classes)}, {name: n for n, name in enumerate(people)}
    said = np.full((len(told), len(people)), MISSING, dtype=np.int64)
    for row, one in enumerate(told):
        for annotator, name in one.items():
            said[row, person[annotator]] = place[name]
    return Ratings(said, tuple(people), tuple(classes))
