"""The learning record keeps what can be, and leaves out the lines that cannot."""

from pathlib import Path

import pytest

from fastlabel_gradio.loop.learning_record import LearningPoint, LearningRecord

GOOD = LearningPoint(20, 10, 8, 0.5)


@pytest.mark.parametrize(
    "line",
    [
        '{"labels": 0, "audit_items": 1, "correct": 1, "agreement": null}',
        '{"labels": 10, "audit_items": 1, "correct": 2, "agreement": null}',
        '{"labels": -5, "audit_items": 1, "correct": 1, "agreement": null}',
        '{"labels": "10", "audit_items": 1, "correct": 1, "agreement": null}',
        '{"labels": NaN, "audit_items": 1, "correct": 1, "agreement": null}',
        '{"labels": 10, "audit_items": 1, "correct": 1, "agreement": NaN}',
        '{"labels": 10, "audit_items": 1, "correct": 1, "agreement": "high"}',
        '{"labels": 1e30, "audit_items": 1, "correct": 1, "agreement": null}',
        f'{{"labels": {10**30}, "audit_items": 1, "correct": 1, "agreement": null}}',
        '{"labels": 10, "audit_items": Infinity, "correct": 1, "agreement": null}',
        '{"labels": 10, "audit_items": 1',
        "[1, 2, 3, 4]",
        "[" * 100_000,
        "9" * 5_000,
        "null",
        "\x00",
    ],
)
def test_a_line_that_no_head_wrote_is_left_out(tmp_path: Path, line: str) -> None:
    path = tmp_path / "learning_curve.jsonl"
    LearningRecord(path).add(GOOD)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}")
    record = LearningRecord(path)
    assert record.points == [GOOD]
    record.add(GOOD)
    assert LearningRecord(path).points == [GOOD, GOOD]


def test_a_folder_in_its_place_keeps_nobody_from_working(tmp_path: Path) -> None:
    (tmp_path / "learning_curve.jsonl").mkdir()
    record = LearningRecord(tmp_path / "learning_curve.jsonl")
    record.add(GOOD)
    assert record.points == [GOOD]
