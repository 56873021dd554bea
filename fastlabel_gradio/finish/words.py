"""Words: what is planned, checked and proven, as sentences and as keys with numbers for pages in other languages."""

from dataclasses import dataclass
from typing import Final

SENTENCES: Final[dict[str, str]] = {
    "plan": "At {percent} % right: about {items} of {pool} items can be accepted. Check about {checks} of them first "
    "({minutes} min).",
    "plan_classes": "At {percent} % right of each class: about {items} of {pool} items, of {parts} of {classes} classes, can "
    "be accepted. Check about {checks} of them first ({minutes} min).",
    "plan_small": "A promise for these {items} items takes about {checks} checks: rather label them.",
    "plan_lower": "No promise yet: the head is not sure enough of any {least} items at {percent} %. At {lower} %: {items} "
    "items, about {checks} checks. Or label on.",
    "plan_none": "No promise yet: the head is not sure enough of any {least} items, not even at {lowest} %. Label on.",
    "plan_lower_classes": "No promise yet: of no class is the head sure enough of {least} items at {percent} %. At {lower} % "
    "of each class: {items} items, about {checks} checks. Or label on.",
    "plan_none_classes": "No promise yet: of no class is the head sure enough of {least} items, not even at {lowest} %. "
    "Label on.",
    "plan_not_worth": "Most of these would be checked: rather label them.",
    "held": "{held} items in open batches and screens are left out: submit these, or give batches back in Progress.",
    "embedding": "The first items are being embedded. This takes a moment.",
    "no_head": "There is no trained head yet. Label items of at least two classes first.",
    "no_items": "No unlabeled item is left that could be accepted.",
    "none": "Nothing is frozen. Choose a precision, and check the items that it takes.",
    "begun": "{items} items are frozen. Check them in random order; {more} right ones prove {percent} %.",
    "checking": "{checked} checked, {wrong} wrong (corrected). Sure so far: at least {sure} % right. For {percent} %: {more} "
    "more if all are right.",
    "parts": "{proven} of {parts} classes are proven, {futile} cannot be. {checked} checked, {wrong} wrong (corrected); "
    "{more} more if all are right.",
    "proven": "Proven: of these {items} labels at least {percent} % are right (95 % confidence, by your own judgement of "
    "{checked} random ones).",
    "proven_classes": "Proven for {parts} classes: of their {items} labels at least {percent} % of each class are right "
    "(95 % confidence a class, by your own judgement of {checked} random ones).",
    "unproven": "The larger set of {items} cannot be proven at {percent} %; what was proven before it stays so.",
    "proven_before": "Of the surer {items} of these items at least {percent} % are proven right already; the {checked} "
    "checks of them count here, too.",
    "proven_before_classes": "Proven already: {items} items of {parts} classes, at least {percent} % of each class right; "
    "the {checked} checks of them count here, too.",
    "futile": "Not provable: {wrong} of {checked} were wrong. Sure: at least {sure} % right.",
    "accepted": "{items} labels are accepted: of these and the {given} that were checked or labeled before at least "
    "{percent} % are right (proven by {checked} random checks, {wrong} of them wrong and corrected).",
    "accepted_classes": "{items} labels are accepted: of these and the {given} that were checked or labeled before at least "
    "{percent} % of each class are right (proven by {checked} random checks, {wrong} of them wrong and corrected).",
    "left_open": "{left_open} of the checked ones were left open, or left the pool: that counts as wrong.",
    "checked_since": "The proof is of the first {proof} checks; with those after them {checked} are checked, {wrong} wrong "
    "(corrected).",
    "others": "{others} of the frozen items have another label, which many items got at once: it stays, and the promise of "
    "the rest is {percent} %.",
    "all_labeled": "All of these items are labeled already: none is left to accept.",
    "earlier": "{items} labels that were accepted before at {percent} % stand.",
    "later": "{later} items came after these were frozen: the promise does not cover them.",
    "grouped": "The draw is of items, so it says nothing of new {noun}.",
    "unbundled": "The classifier in the project's folder does not tell of this yet: its files are being written. The page's "
    "export has it already; `fastlabel export-model` has it once this line is gone.",
    "kept": "{kept} random items are kept to test the head on, and are not accepted unseen.",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence: its key in SENTENCES, and what stands in its braces."""

    key: str
    values: dict[str, int | float | str]

    @property
    def text(self) -> str:
        shown = {name: value if isinstance(value, str) else f"{value:,}" for name, value in self.values.items()}
        return SENTENCES[self.key].format(**shown)


def line(key: str, **values: int | float | str) -> Line:
    """One sentence."""
    return Line(key, values)


def percent(share: float) -> int | float:
    """A promise in percent, as it was chosen: 95, or 97.5."""
    found = round(100 * share, 1)
    return int(found) if found == int(found) else found


def floor_percent(share: float) -> int:
    """What is sure, in whole percent and never more than that."""
    return int(100 * share + 1e-9)
