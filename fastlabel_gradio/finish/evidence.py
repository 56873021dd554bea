"""Evidence: what is promised of labels that were accepted, as it travels with them in their note and in the journal."""

import re
from dataclasses import dataclass

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


def promise_of(note: str) -> Promise | None:
    """The promise that a label's note holds; None where it holds none."""
    found = _NOTE.fullmatch(note)
    return Promise(int(found[1]), float(found[2]), int(found[3]), int(found[4])) if found else None
