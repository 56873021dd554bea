"""When a recording was made, as the name of its file says: recorders write date and time of day into it, in local time."""

import re
from datetime import datetime, timedelta

FIRST_YEAR, LAST_YEAR = 1990, 2099  # a clock that was never set says 1970; other numbers are no year

# Year to second in pairs of digits: 20240101_050000, 20240101T050000, 2024-01-01T05-00-00, 2024_01_01 05.00.00, …
_DATE_AND_TIME = re.compile(
    r"(?<!\d)(\d{4})([-_.]?)(\d\d)\2(\d\d)(?:[-_. $T]|at){0,4}(\d\d)([-_.:h]?)(\d\d)[-_.:m]?(\d\d)(?!\d)"
)


def recorded_at(name: str, start_s: float = 0.0) -> str:
    """The time of day at which a part of a recording begins, `2024-01-01T05:00:03.500`, without a zone.

    Args:
        name: of the file; folders in it do not count.
        start_s: where the part begins in the file, in seconds.

    Returns:
        "" where the name has no date with a time of day, to the second. Digits that are no date are no date.
    """
    for match in _DATE_AND_TIME.finditer(name.rpartition("/")[2]):
        try:
            begin = datetime(*(int(match[group]) for group in (1, 3, 4, 5, 7, 8)))  # type: ignore[arg-type]  # six of them
        except ValueError:
            continue
        if FIRST_YEAR <= begin.year <= LAST_YEAR:
            return _written(begin + timedelta(seconds=start_s))
    return ""


def _written(moment: datetime) -> str:
    rounded = moment + timedelta(microseconds=500)  # to milliseconds, as starts are
    return rounded.isoformat(timespec="milliseconds").removesuffix(".000")
