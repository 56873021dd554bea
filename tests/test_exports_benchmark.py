from pathlib import Path

from benchmarks.exports import FORMATS, make_store, measure


def test_every_format_is_measured(tmp_path: Path) -> None:
    assert make_store(tmp_path, 300) > 0
    for name in FORMATS:
        found = measure(tmp_path, name)
        assert found["rows"] == 300
        assert found["seconds"] > 0
