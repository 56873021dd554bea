"""Finisher: finishes one pool. Plans, freezes a set, hands out its checks, says what they prove, accepts and takes back.

What stands of the items is the label store's; what was frozen and asked for is in files (`campaign_files`). Both are on disk
before anything is answered, and all that is told here is worked out from them, so nothing is lost by a stop.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from fastlabel_gradio.errors import FinishError
from fastlabel_gradio.finish.acceptance import (
    Acceptance,
    acceptable,
    acceptance_of,
    evidence_of,
    not_proven,
    others_among,
    provable,
)
from fastlabel_gradio.finish.batch_ids import (
    ACCEPT,
    CHECK,
    VERIFY,
    accept_id,
    campaign_of,
    check_id,
    label_verified_in,
)
from fastlabel_gradio.finish.campaign import Campaign, Terms, grown
from fastlabel_gradio.finish.campaign_files import CampaignFiles, Course
from fastlabel_gradio.finish.evidence import Brought, Evidence, promise_of
from fastlabel_gradio.finish.head_says import HeadSays
from fastlabel_gradio.finish.picked_out import PICKED_OUT
from fastlabel_gradio.finish.placed import PlacedCampaign
from fastlabel_gradio.finish.planner import EMBEDDING, Candidates, PlanReport, frozen_ranking, plan_report
from fastlabel_gradio.finish.proof import alpha_of, checks_needed
from fastlabel_gradio.finish.report import Accepted, FinishReport, report, with_earlier
from fastlabel_gradio.finish.tally import BULK, Answers, PartTally, answers_of, by_class, tally
from fastlabel_gradio.finish.verify_screens import VerifyScreens
from fastlabel_gradio.finish.words import line
from fastlabel_gradio.labels import ClaimedBatch
from fastlabel_gradio.loop.actions import Actions
from fastlabel_gradio.loop.batches import Batches
from fastlabel_gradio.loop.claims import Claims, Held
from fastlabel_gradio.loop.learner import Learner
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.types import Batch, LabelSchema, LabelSource, Prediction, Rows, State
from fastlabel_gradio.uncollected import uncollected

CHECKS_AT_ONCE = 50
VERIFIED_AT_ONCE = 100


class Finisher:
    """Finishes one pool. All methods may be called from any thread.

    Args:
        folder: where campaigns are kept.
        rng: draws the random numbers of a set.
    """

    def __init__(
        self,
        desk: Desk,
        learner: Learner,
        claims: Claims,
        batches: Batches,
        actions: Actions,
        folder: Path,
        rng: np.random.Generator,
    ) -> None:
        self._desk = desk
        self._learner = learner
        self._store = desk.store
        self._ledger = desk.ledger
        self._claims = claims
        self._batches = batches
        self._actions = actions
        self._rng = rng
        self._turn = threading.RLock()  # to change campaigns; who asks where they stand waits for nobody
        self._files = CampaignFiles(folder)
        self._placed = PlacedCampaign(self._files, desk.store, desk.pipeline)
        self._head_says = HeadSays(desk, learner)
        self._screens = VerifyScreens(desk, claims, batches, self._head_says, folder / PICKED_OUT)

    # The plan

    def plan(self, precision: float, *, per_class: bool = False) -> PlanReport:
        """What can probably be accepted at a precision, 0 to 1, and how many checks that takes."""
        found = self._candidates(complete=False)
        if isinstance(found, PlanReport):
            return found
        return plan_report(found, precision, alpha_of(self._attempt()), self._desk.schema, per_class=per_class)

    def start(self, annotator: str, precision: float, *, per_class: bool = False) -> PlanReport:
        """The plan, and where it is possible its set is frozen: from now on it is checked.

        Raises:
            FinishError: another set is being checked, or is proven and neither accepted nor given up.
            StoreError: it cannot be written; nothing has begun then.
        """
        with self._turn:
            now = self.state()
            if now.state == "checking" and now.checked:
                raise FinishError(
                    f"{now.items:,} items are being checked, {now.checked:,} are. Go on with these, or give them up first."
                )
            if now.acceptable:
                raise FinishError(
                    f"{now.proven_items:,} items are proven and not accepted yet. Accept their labels, or give them up first."
                )
            found = self._candidates(complete=True)
            if isinstance(found, PlanReport):
                return found
            attempt = self._attempt()
            planned = plan_report(found, precision, alpha_of(attempt), self._desk.schema, per_class=per_class)
            if planned.possible:
                self._end(now)
                self._freeze(annotator, found, planned, attempt)
            return planned

    def give_up(self) -> FinishReport:
        """Ends the campaign. What was checked stays labeled; another set may be frozen.

        Raises:
            FinishError: the encoder is not loaded yet.
        """
        self._need_items()
        with self._turn:
            self._end(self.state())
        return self.state()

    # Checks

    def checks(self, annotator: str, size: int | None = None) -> Batch:
        """The annotator's open checks, or the next of the draw that nobody else has, with the proposed labels.

        No more than a proof needs if all are right.
        """
        if not self._has_items:
            return self._batches.empty(CHECK)
        self._desk.catch_up()
        with self._turn:
            course = self._course()
            if course is None or self.state().state != "checking":
                return self._no_checks(self.state())
            campaign = self._campaign(course)
            self._hold_back(campaign, course, held=True)
            held = self._open(annotator, CHECK, lambda batch_id: campaign_of(batch_id) == course.number)
            if held is None:
                wanted = ClaimedBatch(check_id(course.number), (), CHECK, campaign.terms.head_version)
                rows = self._next_checks(campaign, course, size or CHECKS_AT_ONCE)
                held = self._claims.claim(annotator, rows, wanted, judged_too=True)
            if held is None:
                return self._no_checks(self.state())
            schema = self._desk.schema
            proposed = self._proposed(campaign, [item.row for item in held.items], schema)
            return self._batches.proposing(held, proposed, campaign.terms.head_version, schema)

    def verify(self, annotator: str, label_id: int, size: int | None = None, *, teach: bool = False) -> Batch:
        """The annotator's open screen of one predicted class, or the next: its surest items, to pick the wrong ones out.

        What the annotator left out of earlier screens of the class does not come again; their screen of another class ends.

        Args:
            teach: heads are trained on the labels that stay as proposed, too.

        Raises:
            FinishError: there is no head that predicts that class.
        """
        if not self._has_items:
            return self._batches.empty(VERIFY)
        self._desk.catch_up()
        return self._screens.open(annotator, label_id, size or VERIFIED_AT_ONCE, teach=teach)

    def sources_in(self, batch_id: str, said: Mapping[str, int | State]) -> dict[str, LabelSource]:
        """What labels of a batch came by, by item, where that is not what labels come by.

        One that was let pass teaches nothing. A check stands over a label that many items got at once, whoever gave that.
        """
        verified = label_verified_in(batch_id)
        if verified is not None:
            return {item_id: "verify" for item_id, one in said.items() if one == verified}
        if campaign_of(batch_id) is None:
            return {}
        rows = self._ledger.judged_rows(list(said))
        sources = self._ledger.standings().said["source"]
        bulk = {item_id for item_id, row in zip(said, rows.tolist(), strict=True) if row >= 0 and sources[row] in BULK}
        return {item_id: "review" if item_id in bulk else "person" for item_id in said}

    def take_in(
        self,
        annotator: str,
        batch_id: str,
        sources: Mapping[str, LabelSource],
        left_open: Sequence[str],
        *,
        is_answered: bool,
    ) -> None:
        """Takes in how a batch was answered: which checks stand over another label, and which were left open, so are wrong.

        What was picked out of a screen of one class does not come again in one of it, unless the screen is undone.

        Args:
            sources: as `sources_in` has them.
            is_answered: something was submitted of the other items.
        """
        self._screens.take_in(annotator, batch_id, left_open, is_answered=is_answered)
        number = campaign_of(batch_id)
        reviewed = [item_id for item_id, source in sources.items() if source == "review"]
        if number is None or not (reviewed or left_open):
            return
        with self._turn:
            course = self._course()
            if course is None or course.number != number:
                return
            for event, item_ids in (("review", reviewed), ("open", left_open)):
                if item_ids:
                    self._files.write(number, event, rows=self._files.rows_of(number, item_ids))

    # What is proven

    def state(self) -> FinishReport:
        """Where the newest campaign stands; "none" until the encoder is loaded, with a line that says so."""
        self._desk.glance()
        course = self._course()
        if course is None:
            return with_earlier(FinishReport("none"), next(reversed(self._standing().values()), None))
        if not self._has_items:
            return FinishReport("none", lines=(line(EMBEDDING),))
        campaign = self._campaign(course)
        answers, tallies = self._tallies(campaign, course)
        in_pool = self._ledger.standings().in_pool
        later = int(in_pool[campaign.terms.pool_rows :].sum())
        proven, standing = provable(tallies, campaign.terms.precision, None), self._standing()
        accepted = standing.pop(course.number, None)
        found = report(
            campaign,
            tallies,
            by_class(campaign, answers, tallies),
            accepted,
            later,
            self._noun,
            acceptable=len(acceptable(answers, proven)) if proven else 0,
            others=others_among(answers, proven, campaign.terms.precision),
            is_bundled=self._learner.is_bundled,
        )
        return found if accepted else with_earlier(found, next(reversed(standing.values()), None))

    def grow(self) -> FinishReport:
        """Goes on to a set that is 1.3 times as large, in the same order. Raises FinishError where nothing is proven."""
        self._need_items()
        with self._turn:
            now, course = self.state(), self._course()
            if course is None or now.state != "proven" or now.larger is None:
                raise FinishError("There is no proven set that could grow.")
            campaign = self._campaign(course)
            _, tallies = self._tallies(campaign, course)
            sizes = [
                grown(one.part, one.items) if one.state == "proven" and not one.unproven_items else one.items
                for one in tallies
            ]
            self._files.write(course.number, "grow", items=sizes)
        return self.state()

    def accept(self, annotator: str, precision: float | None = None) -> FinishReport:
        """Stores the proposed labels of what is proven, as one step.

        Not over anybody's label, nor where a check was left open.

        Args:
            precision: the promise, where a smaller one than was planned is enough. The evidence holds for all at once.

        Raises:
            FinishError: that is not proven, all of it is labeled already, or the encoder is not loaded yet.
        """
        self._need_items()
        self._desk.catch_up()
        with self._turn:
            course = self._course()
            if course is None:
                raise FinishError("Nothing is frozen, so nothing can be accepted. Plan and check first.")
            if course.number in self._standing():
                return self.state()
            campaign = self._campaign(course)
            answers, tallies = self._tallies(campaign, course)
            promised = precision or campaign.terms.precision
            chosen = provable(tallies, campaign.terms.precision, precision)
            if not chosen:
                raise FinishError(not_proven(tallies, promised))
            wanted = acceptance_of(campaign, answers, chosen, promised)
            if not len(wanted.places):
                raise FinishError(line("all_labeled").text)
            with self._learner.paused():  # a scan would take half of the cores
                self._accept(annotator, campaign, wanted)
            self._hold_back(campaign, course, held=False)
        self._learner.wait_for_bundle()
        return self.state()

    def take_back(self, annotator: str) -> FinishReport:
        """Takes the labels that were accepted last back, as one step, also those of a campaign that has ended since.

        What was checked and proven stays. Raises FinishError without any.
        """
        with self._turn:
            standing = self._standing()
            if not standing:
                raise FinishError("No accepted labels stand that could be taken back.")
            number, accepted = standing.popitem()
            with self._learner.paused(), uncollected():
                self._actions.take_back(annotator, accepted.by, accept_id(number))
        self._learner.wait_for_bundle()
        return self.state()

    def evidence(self) -> list[Evidence]:
        """Every promise that stands, oldest first."""
        names, noun = self._desk.schema.known_names, self._noun
        courses = self._files.courses
        return [evidence_of(courses[number], accepted, names, noun) for number, accepted in self._standing().items()]

    def brought(self) -> list[Brought]:
        """Promises that came with imported labels, oldest first; what is in their notes is all that is known of them."""
        notes = self._desk.label_store.notes_brought(ACCEPT)
        return [Brought(promise, labels) for note, labels in notes.items() if (promise := promise_of(note))]

    def _candidates(self, *, complete: bool) -> Candidates | PlanReport:
        self._desk.catch_up()
        return self._head_says.candidates(complete=complete)

    # Private: campaigns

    @property
    def _has_items(self) -> bool:
        """Whether the rows of items are known.

        After a restart they are once the encoder is loaded, in a restored project once those of the set are embedded.
        """
        course = self._course()
        return self._desk.pipeline.encoder is not None and (course is None or self._placed.is_complete(course.number))

    def _need_items(self) -> None:
        """Raises FinishError until they are: what was checked cannot be told before."""
        if not self._has_items:
            raise FinishError(line(EMBEDDING).text)

    @property
    def _noun(self) -> str | None:
        """What items are grouped by; None without groups."""
        grouping = self._desk.pipeline.grouping
        return grouping.noun if grouping else None

    def _newest_first(self) -> list[Course]:
        return list(self._files.courses.values())[::-1]

    def _course(self) -> Course | None:
        """The newest campaign, while it has not ended."""
        newest = next(iter(self._newest_first()), None)
        return None if newest is None or newest.ended else newest

    def _campaign(self, course: Course) -> Campaign:
        return self._placed.of(course.number)

    def _attempt(self) -> int:
        """How many attempts in a row are without success, and one more."""
        count, now = 1, self.state()
        for course in self._newest_first():
            is_open = course.number == now.number
            checked = now.checked if is_open else course.checked
            if course.proven or (is_open and (now.proven_items or now.accepted)):
                return count
            count += checked > 0
        return count

    def _end(self, now: FinishReport) -> None:
        course = self._course()
        if course is None:
            return
        self._hold_back(self._campaign(course), course, held=False)
        proven = bool(now.proven_items or now.accepted)
        self._files.write(course.number, "end", checked=now.checked, proven=proven)

    def _freeze(self, annotator: str, found: Candidates, planned: PlanReport, attempt: int) -> None:
        number = max(self._files.courses, default=0) + 1
        terms = Terms(
            number=number,
            attempt=attempt,
            alpha=alpha_of(attempt),
            precision=planned.precision,
            head_version=found.head_version,
            started_at=self._desk.clock(),
            started_by=annotator,
            pool=found.unlabeled,
            pool_rows=len(self._ledger.standings().in_pool),
            parts=(),
        )
        terms, ranking = frozen_ranking(found, planned.sizes, terms, self._rng)
        wanted = dict.fromkeys(ranking.rows.tolist(), "")
        for block in self._store.item_blocks():
            wanted.update({row: item_id for row, item_id in block if row in wanted})
        frozen = self._files.freeze(terms, ranking, [wanted[row] for row in ranking.rows.tolist()])
        self._placed.begin(frozen)
        self._hold_back(frozen, self._files.courses[number], held=True)

    def _hold_back(self, campaign: Campaign, course: Course, *, held: bool) -> None:
        """Items that are checked come in other batches only when there is nothing else."""
        for part, sizes in zip(campaign.terms.parts, course.sizes, strict=True):
            self._ledger.hold_back(campaign.rows[part.start : part.start + sizes[-1]], held=held)

    def _tallies(self, campaign: Campaign, course: Course) -> tuple[Answers, list[PartTally]]:
        aliases = self._desk.schema.aliases
        answers = answers_of(campaign, self._ledger.standings(), course.open_rows, course.reviewed_rows, aliases)
        parts = zip(campaign.terms.parts, course.sizes, strict=True)
        return answers, [tally(campaign, answers, part, sizes) for part, sizes in parts]

    def _standing(self) -> dict[int, Accepted]:
        """What was accepted and still stands, by campaign, the oldest first; the label store is asked once."""
        told = [(course.number, course.accepted) for course in list(self._files.courses.values()) if course.accepted]
        standing = self._desk.label_store.standing_batches([(one["by"], accept_id(number)) for number, one in told])
        return {
            number: Accepted(**{each.name: one[each.name] for each in fields(Accepted) if each.name in one})
            for number, one in told
            if (one["by"], accept_id(number)) in standing
        }

    def _accept(self, annotator: str, campaign: Campaign, wanted: Acceptance) -> None:
        """The journal first: what is told of labels is on the disk before they are."""
        number, version = campaign.terms.number, campaign.terms.head_version
        told = {**wanted.details, "at": self._desk.clock(), "by": annotator, "head_version": version}
        self._files.write(number, "accept", **told)
        item_ids, label_ids = self._files.item_ids(number), campaign.ranking.label_ids[wanted.places]
        for merged, target in self._desk.schema.aliases.items():
            label_ids[label_ids == merged] = target
        with uncollected():
            self._actions.write(
                annotator,
                list(map(item_ids.__getitem__, wanted.places.tolist())),
                label_ids.tolist(),
                source="auto",
                head_version=version,
                confidences=campaign.ranking.confidences[wanted.places].tolist(),
                note=wanted.promise.note,
                batch_id=accept_id(number),
            )

    # Private: batches

    def _next_checks(self, campaign: Campaign, course: Course, size: int) -> Rows:
        answers, tallies = self._tallies(campaign, course)
        rows = []
        for one in tallies:
            if one.state != "checking":
                continue
            needed = checks_needed(one.items, one.wrong, campaign.terms.precision, campaign.terms.alpha)
            drawn = campaign.order(one.part, one.items)[:needed]
            wanted = campaign.rows[drawn[~answers.settled[drawn]]]
            rows.append(wanted[~self._ledger.is_held(wanted)])
        return np.concatenate([*rows, np.zeros(0, dtype=np.int64)])[:size].astype(np.int64)

    def _proposed(self, campaign: Campaign, rows: Sequence[int], schema: LabelSchema) -> list[Prediction | None]:
        """What was frozen for each row; None where its class is no more."""
        ranking, positions = campaign.ranking, schema.positions
        places = np.flatnonzero(np.isin(campaign.rows, rows))
        place_of = dict(zip(campaign.rows[places].tolist(), places.tolist(), strict=True))
        found: list[Prediction | None] = []
        for row in rows:
            place = place_of.get(row)
            index = None if place is None else positions.get(int(ranking.label_ids[place]))
            found.append(
                None if place is None or index is None else Prediction(index, float(ranking.confidences[place]))
            )
        return found

    def _open(self, annotator: str, kind: str, is_wanted: Callable[[str], bool]) -> Held | None:
        batch = self._claims.open_batch(annotator, kind)
        return self._claims.held(batch) if batch and is_wanted(batch.id) else None

    def _no_checks(self, now: FinishReport) -> Batch:
        notice = " ".join(one.text for one in now.lines)
        if now.state == "checking":
            notice = "The checks that are left are with other annotators. Come back in a few minutes."
        return self._empty(CHECK, 0, notice)

    def _empty(self, kind: str, head_version: int, notice: str) -> Batch:
        return Batch("", (), kind, head_version, notice, self._desk.schema)
