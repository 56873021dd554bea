"""Report: where a campaign stands, with the sentence that says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from fastlabel_gradio.finish.campaign import Campaign, grown
from fastlabel_gradio.finish.proof import checks_needed
from fastlabel_gradio.finish.tally import PartTally
from fastlabel_gradio.finish.words import Line, floor_percent, line, percent

FinishState = Literal["none", "checking", "proven", "futile", "accepted"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was accepted, as the journal has it: how many labels, and of how many items the promise is.

    The others had been checked, or labeled, before.

    Attributes:
        covered: without those that had another label, which many items got at once.
        left_open: of the wrong ones, those that nobody answered; 0 in journals that do not say it.
        others: items of the set that had another label, and are not covered; 0 in journals that do not say it.
    """

    items: int
    covered: int
    precision: float
    checked: int
    wrong: int
    at: float
    by: str
    head_version: int
    left_open: int = 0
    others: int = 0


@dataclass(frozen=True, slots=True)
class Others:
    """How many items of a proven set have another label than the proposed one, and the precision of the rest."""

    items: int
    precision: float


@dataclass(frozen=True, slots=True)
class Larger:
    """The next larger set, and about how many checks more it takes."""

    items: int
    checks: int


@dataclass(frozen=True, slots=True)
class FinishReport:
    """Where the newest campaign stands.

    Attributes:
        number: of the campaign; 0 for none.
        items, checked, wrong: of the set that is checked, or was proven or accepted.
        sure: the precision proven of it so far.
        more: checks until it is proven if all are right.
        proven_items: what can be accepted at the promise now.
        parts: where each class has a promise of its own.
        classes: by label id of the proposed label: items, checks, wrong ones.
        acceptable: labels that accepting now would store; fewer than `proven_items` where some are labeled.
        later: items that came after it was frozen.
        earlier: what a campaign before it accepted last, where that still stands and nothing of this one does.
    """

    state: FinishState
    number: int = 0
    attempt: int = 0
    precision: float = 0.0
    items: int = 0
    checked: int = 0
    wrong: int = 0
    sure: float = 0.0
    more: int = 0
    proven_items: int = 0
    parts: tuple[PartTally, ...] = ()
    classes: tuple[tuple[int, int, int, int], ...] = ()
    larger: Larger | None = None
    later: int = 0
    accepted: Accepted | None = None
    lines: tuple[Line, ...] = (line("none"),)
    acceptable: int = 0
    earlier: Accepted | None = None


def report(
    campaign: Campaign,
    tallies: Sequence[PartTally],
    classes: Mapping[int, tuple[int, int, int]],
    accepted: Accepted | None,
    later: int,
    noun: str | None,
    *,
    acceptable: int | None = None,
    others: Others | None = None,
    is_bundled: bool = True,
) -> FinishReport:
    """The report on a campaign.

    Args:
        acceptable: labels that accepting now would store; None for all that is proven.
        others: of what is proven, items with another label that many items got at once; None for none.
        classes: as `tally.by_class` has them.
        noun: what the items are grouped by; None without groups.
        is_bundled: whether the classifier in the project's folder tells what is accepted now.
    """
    terms = campaign.terms
    state: FinishState = "accepted" if accepted else _state(tallies)
    shown = [one for one in tallies if one.state == "proven"] if state in ("proven", "accepted") else tallies
    proven_items = sum(one.proven_items for one in tallies)
    found = FinishReport(
        state,
        terms.number,
        terms.attempt,
        precision=accepted.precision if accepted else terms.precision,
        items=sum(one.items for one in shown),
        checked=sum(one.checked for one in shown),
        wrong=sum(one.wrong for one in shown),
        sure=min((one.sure for one in shown), default=0.0),
        more=sum(one.more for one in tallies if one.state == "checking"),
        proven_items=proven_items,
        parts=tuple(tallies) if terms.parts[0].label_id is not None else (),
        classes=tuple((label_id, *figures) for label_id, figures in classes.items()),
        larger=_larger(campaign, tallies) if state == "proven" else None,
        later=later,
        accepted=accepted,
        lines=(),
        acceptable=0 if accepted else proven_items if acceptable is None else acceptable,
    )
    told = _with_lines(found, noun, shown)
    if accepted:
        others = Others(accepted.others, accepted.precision)
    if others and others.items and found.state in ("proven", "accepted"):
        told = replace(
            told, lines=(*told.lines, line("others", others=others.items, percent=percent(others.precision)))
        )
    return told if is_bundled else replace(told, lines=(*told.lines, line("unbundled")))


def with_earlier(found: FinishReport, earlier: Accepted | None) -> FinishReport:
    """With what was accepted of an earlier campaign and still stands."""
    if earlier is None:
        return found
    told = line("earlier", items=earlier.items, percent=percent(earlier.precision))
    return replace(found, earlier=earlier, lines=(*found.lines, told))


def _state(tallies: Sequence[PartTally]) -> FinishState:
    states = {one.state for one in tallies}
    if "checking" in states:
        return "checking"
    return "proven" if "proven" in states else "futile"


def _larger(campaign: Campaign, tallies: Sequence[PartTally]) -> Larger | None:
    """At the share of wrong ones so far."""
    items = checks = 0
    for one in tallies:
        size = grown(one.part, one.items)
        if one.state != "proven" or one.unproven_items or size == one.items:
            continue
        needed = checks_needed(size, one.wrong, campaign.terms.precision, campaign.terms.alpha)
        items += size
        checks += max(needed - one.checked, 0) + round(one.checked * (1 - one.items / size))
    return Larger(items, checks) if items else None


def _with_lines(found: FinishReport, noun: str | None, shown: Sequence[PartTally]) -> FinishReport:
    """With its sentences; what is proven is so by the first checks, whatever was checked after them.

    Args:
        shown: the parts that these are of.
    """
    one = found.accepted
    proof = one.checked if one else sum(part.proven_checked for part in shown)
    left_open = sum(part.left_open for part in shown)
    lines = [_first(found, shown, proof, left_open)]
    corrected = {"checked": found.checked, "wrong": found.wrong - left_open}
    if found.state in ("proven", "accepted") and found.checked > proof:
        lines.append(line("checked_since", proof=proof, **corrected))
    if left_open:
        lines.append(line("left_open", left_open=left_open))
    if found.proven_items and not (found.accepted or found.acceptable):
        lines.append(line("all_labeled"))
    unproven = sum(part.unproven_items for part in shown)
    if found.state == "proven" and unproven:
        lines.append(line("unproven", items=unproven, percent=percent(found.precision)))
    if found.state == "checking" and found.proven_items:
        lines.append(_proven_before(found, proof))
    if found.later:
        lines.append(line("later", later=found.later))
    if noun is not None and found.state in ("proven", "accepted"):
        lines.append(line("grouped", noun=noun))
    return replace(found, lines=tuple(lines))


def _first(found: FinishReport, shown: Sequence[PartTally], proof: int, left_open: int) -> Line:
    """Where it stands. Of the wrong ones only those that somebody answered are corrected."""
    wanted = percent(found.precision)
    figures = {"checked": found.checked, "wrong": found.wrong - left_open}
    proven = sum(one.proven_items > 0 for one in found.parts)
    judged = proof - sum(one.proven_left_open for one in shown)
    if found.accepted:
        one = found.accepted
        of = {"items": one.items, "given": one.covered - one.items, "percent": wanted}
        key = "accepted_classes" if found.parts else "accepted"
        return line(key, checked=one.checked, wrong=one.wrong - one.left_open, **of)
    if found.state == "checking" and found.parts:
        futile = sum(one.state == "futile" for one in found.parts)
        return line("parts", proven=proven, parts=len(found.parts), futile=futile, more=found.more, **figures)
    if found.state == "checking" and not found.checked:
        return line("begun", items=found.items, more=found.more, percent=wanted)
    if found.state == "checking":
        return line("checking", sure=floor_percent(found.sure), percent=wanted, more=found.more, **figures)
    if found.state == "futile":
        return line("futile", sure=floor_percent(found.sure), checked=found.checked, wrong=found.wrong)
    if found.parts:
        return line("proven_classes", parts=proven, items=found.items, percent=wanted, checked=judged)
    return line("proven", items=found.items, percent=wanted, checked=judged)


def _proven_before(found: FinishReport, proof: int) -> Line:
    """What is proven of a smaller set than that which is checked."""
    figures = {"items": found.proven_items, "percent": percent(found.precision), "checked": proof}
    if not found.parts:
        return line("proven_before", **figures)
    return line("proven_before_classes", parts=sum(one.proven_items > 0 for one in found.parts), **figures)
