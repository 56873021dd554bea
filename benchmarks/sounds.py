"""Sounds as a person meets them: how soon a batch of spectrograms is usable, and how soon a sound is heard.

The app runs in a process of its own, on loopback, on a pool of clips of 5 s, embedded to the end by the offline encoder, so
that every spectrogram is in the cache.

- click: on `Load next batch` in headless Chromium until 100 cards are usable (built, and their contact sheet decoded).
  Aim: 900 ms median.
- key: from Space on a card to the media element's `playing`, after a pause on the card (a person looks at it first) and
  at once after moving there. Aim: 100 ms.
"""

import argparse
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.page import click_table, clicks_on_load, opened_page
from benchmarks.report import Measured, Option, Table, percentile_rows, run, say
from benchmarks.workload import Annotator, served, sound_folder

BATCH = 100
PROJECT = "audio"
PAUSE_MS = 500
LISTEN_MS = 150

# Notes when Space was pressed and when a media element began to play.
_WATCH = """
window.heard = [];
document.addEventListener("keydown", (event) => {
  if (event.key === " ") window.pressed = performance.now();
}, true);
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  this.addEventListener("playing", () => window.heard.push(performance.now() - window.pressed), { once: true });
  return play.call(this);
};
"""


OPTIONS = (
    Option("--sounds", Path, "folder of sounds to show (default: generated ones)"),
    Option("--count", 400, "generated sounds"),
    Option("--clicks", 40, "clicks that count"),
    Option("--keys", 30, "sounds played each way"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    folder = arguments.sounds or sound_folder(arguments.count)
    start = [str(folder), "--kind", "audio", "--classes", "one,other", "--encoder", "offline"]
    with (
        tempfile.TemporaryDirectory(prefix="fastlabel-benchmark-") as workdir,
        served(start, Path(workdir)) as address,
    ):
        say("embedding …")
        with closing(Annotator(address)) as annotator:
            annotator.wait_for_embedding()
        with opened_page(address, _WATCH) as page:
            say(f"{arguments.clicks} clicks …")
            clicks = clicks_on_load(page, PROJECT, arguments.clicks, BATCH)
            say(f"{arguments.keys} sounds …")
            starts = {
                f"{PAUSE_MS} ms after moving to the card": _starts(page, arguments.keys, PAUSE_MS),
                "at once after moving to the card": _starts(page, arguments.keys, 0),
            }
    title = f"Space to the sound's start, ms, {arguments.keys} sounds each."
    heard = Table(title, ("", "median", "p95"), percentile_rows(starts), aim="100 ms at most")
    return [click_table(clicks, BATCH, "click to usable, median 900 ms at most"), heard]


def _starts(page: Any, count: int, pause_ms: int) -> list[float]:
    """Milliseconds from each key to the start of its sound."""
    page.evaluate("window.heard.length = 0")
    for number in range(count):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(pause_ms)
        page.keyboard.press(" ")
        page.wait_for_function("(count) => window.heard.length > count", arg=number)
        page.wait_for_timeout(LISTEN_MS)
        page.keyboard.press(" ")  # stops it
    heard: list[float] = page.evaluate("window.heard")
    return heard


if __name__ == "__main__":
    main()
