"""Evidence: what is promised of labels that were accepted, as it travels with them in their note and in the journal."""

import re
from dataclasses import dataclass

from fastlabel_gradio.finish.words import percent

_NOTE = re.compile(r"finish-(\d+) p=(0\.\d+) n=(\d+) k=(\d+)")


@dataclass(frozen=True, slots=True)
class Promise:
    """At least `precision` of the labels of one campaign are right, which `checked` random ones of them say.

    Attributes:
        campaign: its number in the project.
        wrong: of those checked; they are corrected.
    """

    campaign: int
    precision: float
    checked: int
    wrong: int

    @property
    def note(self) -> str:
        """As it stands beside every label that it is for."""
        return f"finish-{self.campaign} p={self.precision:g} n={self.checked} k={self.wrong}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A promise that stands, for a model card or an export.

    Attributes:
        items: labels that it covers, corrected ones among them.
        accepted_at: seconds since the epoch.
        classes: by name of the proposed class: items, checks, wrong ones.
        words: all that in sentences.
    """

    promise: Promise
    items: int
    accepted: int
    accepted_at: float
    accepted_by: str
    head_version: int
    classes: dict[str, tuple[int, int, int]]
    words: str


@dataclass(frozen=True, slots=True)
class Brought:
    """A promise that came with labels from elsewhere, where its evidence is: here is only what their notes say.

    Attributes:
        labels: that came with it; the promise is of the whole set that was checked.
    """

    promise: Promise
    labels: int

    @property
    def words(self) -> str:
        """All that in sentences."""
        one = self.promise
        return (
            f"{self.labels:,} labels were imported that had been accepted elsewhere. Their notes say: of the set that they "
            f"are of at least {percent(one.precision)} % are right (95 % confidence), {one.checked:,} random ones were "
            f"checked, {one.wrong:,} were wrong. The evidence is where they were accepted."
        )


def promise_of(note: str) -> Promise | None:
    """The promise that a label's note holds; None where it holds none."""
    found = _NOTE.fullmatch(note)
    return Promise(int(found[1]), float(found[2]), int(found[3]), int(found[4])) if found else None
