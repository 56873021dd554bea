"""Names that begin like a formula get a mark in a CSV, and lose it when it is read."""

from fastlabel_gradio.spreadsheet_cells import harmless, original
from tests.cases import each


@each("name", ["=1+1", "+a", "-b.png", "@c", "\td", "\re", "\nf", "＝1", "'=1", "''-b", "'\td"])
def test_a_name_that_a_spreadsheet_would_run_gets_a_mark(name: str) -> None:
    assert harmless(name) == f"'{name}"


@each("name", ["", "a=1", "'quoted'", "'", "''", "1-2.png", " =1", "é.png"])
def test_any_other_name_stays_as_it_is(name: str) -> None:
    assert harmless(name) == original(name) == name


@each("name", ["=1+1", "'=1+1", "''=1+1", "'a", "''", "@", "-", "'-", "", "\r\n", "cat"])
def test_every_name_comes_back(name: str) -> None:
    assert original(harmless(name)) == name
