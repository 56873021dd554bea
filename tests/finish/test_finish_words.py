"""The sentences of a plan and a proof: the page says the same as the server, in both languages."""

import re

import pytest

from fastlabel_gradio.finish.words import SENTENCES, floor_percent, line, percent
from fastlabel_gradio.ui.words import LANGUAGES, read_words


def test_the_page_has_every_sentence_of_the_server() -> None:
    assert {key: read_words("en")[f"finish_{key}"] for key in SENTENCES} == SENTENCES


@pytest.mark.parametrize("language", LANGUAGES)
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
