"""The sentences of a plan and a proof: the page says the same as the server, in both languages."""

import re

import numpy as np

from fastlabel_gradio.finish.campaign import Campaign, Part, Ranking, Terms
from fastlabel_gradio.finish.report import Accepted, report
from fastlabel_gradio.finish.tally import PartTally
from fastlabel_gradio.finish.words import SENTENCES, floor_percent, line, percent
from fastlabel_gradio.ui.words import LANGUAGES, read_words
from tests.cases import each


def test_the_page_has_every_sentence_of_the_server() -> None:
    assert {key: read_words("en")[f"finish_{key}"] for key in SENTENCES} == SENTENCES


@each("language", LANGUAGES)
def test_a_sentence_has_the_same_values_in_every_language(language: str) -> None:
    for key, sentence in SENTENCES.items():
        told = read_words(language)[f"finish_{key}"]
        assert set(re.findall(r"{(\w+)}", told)) == set(re.findall(r"{(\w+)}", sentence)), key


def test_numbers_are_written_as_people_read_them() -> None:
    planned = line("plan", percent=95, items=4_100, pool=11_300, checks=80, minutes=1)
    assert planned.text == (
        "At 95 % right: about 4,100 of 11,300 items can be accepted. Check about 80 of them first (1 min)."
    )
    assert [percent(0.95), percent(0.975), percent(0.9)] == [95, 97.5, 90]
    assert [floor_percent(0.9399), floor_percent(0.94), floor_percent(0.0)] == [93, 94, 0]


def test_what_a_promise_does_not_cover_is_said_beside_it() -> None:
    """Items that came later, and new groups where items are of groups."""
    part = Part(None, 0, 100, 100)
    terms = Terms(1, 1, 0.04, 0.9, 1, 0.0, "ann", 100, 100, (part,))
    rows = np.arange(100)
    ranking = Ranking(rows, np.zeros(100, np.int32), np.ones(100, np.float32), np.linspace(0, 1, 100))
    tallies = [PartTally(part, "proven", 100, 40, 0, 0.9, 0, 100, 40, 0)]
    told = report(Campaign(terms, ranking, ranking.rows), tallies, {}, None, 3, "recordings", is_bundled=True)
    assert [one.key for one in told.lines] == ["proven", "later", "grouped"]
    assert "3 items came after these were frozen" in told.lines[1].text
    assert told.lines[2].text == "The draw is of items, so it says nothing of new recordings."
    alone = report(Campaign(terms, ranking, ranking.rows), tallies, {}, None, 0, None, is_bundled=True)
    assert [one.text for one in alone.lines] == [
        "Proven: of these 100 labels at least 90 % are right (95 % confidence, by your own judgement of 40 random ones)."
    ]


def test_a_set_of_classes_that_grows_keeps_what_was_proven_of_each() -> None:
    parts = [Part(label_id, 100 * label_id, 100 * label_id + 100, 50) for label_id in (0, 1)]
    terms = Terms(1, 1, 0.04, 0.9, 1, 0.0, "ann", 200, 200, tuple(parts))
    rows = np.arange(200)
    ranking = Ranking(rows, np.repeat([0, 1], 100).astype(np.int32), np.ones(200, np.float32), np.linspace(0, 1, 200))
    tallies = [PartTally(part, "checking", 65, 1, 0, 0.3, 9, 50, 20, 0) for part in parts]
    told = report(Campaign(terms, ranking, ranking.rows), tallies, {}, None, 0, None, is_bundled=True)
    assert [one.text for one in told.lines] == [
        "2 of 2 classes are proven, 0 cannot be. 2 checked, 0 wrong (corrected); 18 more if all are right.",
        "Proven already: 100 items of 2 classes, at least 90 % of each class right; the 40 checks of them count here, too.",
    ]


def test_checks_after_the_proof_are_told_apart_from_those_that_proved_it() -> None:
    part = Part(None, 0, 100, 100)
    terms = Terms(1, 1, 0.04, 0.9, 1, 0.0, "ann", 100, 100, (part,))
    rows = np.arange(100)
    ranking = Ranking(rows, np.zeros(100, np.int32), np.ones(100, np.float32), np.linspace(0, 1, 100))
    tallies = [PartTally(part, "proven", 100, 26, 1, 0.9, 0, 100, 23, 0)]
    campaign = Campaign(terms, ranking, ranking.rows)
    before = report(campaign, tallies, {}, None, 0, None, is_bundled=True)
    accepted = Accepted(74, 100, 0.9, 23, 0, 0.0, "ann", 1)
    after = report(campaign, tallies, {}, accepted, 0, None, is_bundled=True)
    since = "The proof is of the first 23 checks; with those after them 26 are checked, 1 wrong (corrected)."
    assert [one.text for one in before.lines] == [
        "Proven: of these 100 labels at least 90 % are right (95 % confidence, by your own judgement of 23 random ones).",
        since,
    ]
    assert [one.text for one in after.lines] == [
        "74 labels are accepted: of these and the 26 that were checked or labeled before at least 90 % are right (proven by "
        "23 random checks, 0 of them wrong and corrected).",
        since,
    ]
