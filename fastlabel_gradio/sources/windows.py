"""Windows: where a long recording is cut. Every source that cuts its files does it here."""

from collections.abc import Iterator

from fastlabel_gradio.types import Item, TimeSpan

MIN_REST_MS = 100  # less at the end of a file is in no window


def windows_of(file: Item, seconds: float, window_s: float, hop_s: float) -> Iterator[Item]:
    """The windows of a file of that length as items; one where it is not known, 0, so that it is listed with the reason."""
    for span in windows(seconds, window_s, hop_s):
        yield Item(span.id_in(file.id), file.stamp)


def windows(seconds: float, window_s: float, hop_s: float) -> Iterator[TimeSpan]:
    """Windows that begin at 0, hop_s, 2 hop_s … in a sound of that length, all in whole milliseconds.

    First all that lie whole in the sound, then one that is shorter and reaches to its end, where 0.1 s or more would
    otherwise be in none. A sound shorter than a window is one window; so is one of unknown length, 0 seconds.

    Args:
        window_s, hop_s: 0.001 or more; a hop longer than a window leaves gaps.
    """
    total_ms = round(seconds * 1000)
    if total_ms == 0:
        yield TimeSpan(0.0, window_s)
        return
    number, start_ms, covered_ms = 0, 0, 0
    while (end_ms := round((number * hop_s + window_s) * 1000)) <= total_ms:
        yield _span(start_ms, end_ms)
        covered_ms = end_ms
        number += 1
        start_ms = round(number * hop_s * 1000)
    if number == 0 or total_ms - max(covered_ms, start_ms) >= MIN_REST_MS:
        yield _span(start_ms, total_ms)


def _span(start_ms: int, end_ms: int) -> TimeSpan:
    return TimeSpan(start_ms / 1000, end_ms / 1000)
