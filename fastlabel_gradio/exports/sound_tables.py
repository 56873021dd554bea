"""Labels of sounds as programs for sounds read them: selection tables of Raven, label tracks of Audacity.

Of each recording one table, named like it, with its labels in the order in which they begin.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from fastlabel_gradio.errors import ConfigError, UnreadableItemError
from fastlabel_gradio.exports.base import folder_exporter
from fastlabel_gradio.exports.folders import Folder, spooled
from fastlabel_gradio.exports.item_media import ItemMedia, plain_parts
from fastlabel_gradio.exports.rows import ExportRow
from fastlabel_gradio.types import TimeSpan

RAVEN_SUFFIX = ".Table.1.selections.txt"  # what Raven gives its own
NO_TOP_HZ = 24_000.0
RAVEN_ALL = "all.selections.txt"
RAVEN_COLUMNS = (
    *("Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"),
    *("Begin Path", "Begin File", "Label", "Annotator", "Created at", "Source", "Confidence", "Promise"),
)

Part = tuple[TimeSpan, ExportRow]


@folder_exporter("raven", medium="audio")
def write_raven(rows: Iterable[ExportRow], folder: Folder, media: ItemMedia) -> None:
    """A selection table a recording, and `all.selections.txt`, in which all of them stand one after the other.

    Times are in seconds of the recording, in both. A box reaches from 0 Hz to half of the recording's rate.
    """
    with spooled() as path:
        with path.open("w", encoding="utf-8", newline="") as every:
            every.write(_tabbed(RAVEN_COLUMNS))
            number = 0
            for name, parts in _recordings(rows, media):
                top_hz = _top_hz(parts[0][1], media)
                lines = [_raven_cells(place, part, top_hz) for place, part in enumerate(parts, start=1)]
                text = _tabbed(RAVEN_COLUMNS) + "".join(_tabbed(cells) for cells in lines)
                folder.add_bytes(name + RAVEN_SUFFIX, text.encode("utf-8"))
                every.writelines(_tabbed((str(number + place), *cells[1:])) for place, cells in enumerate(lines, 1))
                number += len(lines)
        folder.add_written(RAVEN_ALL, path)


@folder_exporter("audacity", medium="audio")
def write_audacity(rows: Iterable[ExportRow], folder: Folder, media: ItemMedia) -> None:
    """A label track a recording, `NAME.txt`: seconds at which a label begins and ends, and its class, without a header."""
    for name, parts in _recordings(rows, media):
        lines = (_tabbed((f"{span.start_s:.6f}", f"{span.end_s:.6f}", row.said_or_predicted)) for span, row in parts)
        folder.add_bytes(f"{name}.txt", "".join(lines).encode("utf-8"))


def _recordings(rows: Iterable[ExportRow], media: ItemMedia) -> Iterator[tuple[str, list[Part]]]:
    """By path of a recording its labels in the order in which they begin. Its rows come one after the other."""
    if media.medium != "audio":
        raise ConfigError(
            "raven and audacity are formats for labels of sounds. Of pictures take csv, parquet, hf or tree."
        )
    taken: dict[str, int] = {}
    for _, group in groupby((row for row in rows if row.said_or_predicted), lambda row: TimeSpan.split(row.item_id)[0]):
        parts = [(span, row) for row in group if (span := media.span(row))]
        if parts:
            name = "/".join(plain_parts(parts[0][1]))
            taken[name] = taken.get(name, 0) + 1
            again = "" if taken[name] == 1 else f" ({taken[name]})"  # its predictions come after its labels
            yield name + again, sorted(parts, key=lambda part: (part[0].start_s, part[0].end_s))


def _raven_cells(number: int, part: Part, top_hz: float) -> tuple[str, ...]:
    span, row = part
    confidence = row.label_confidence if row.label else row.confidence
    return (
        *(str(number), "Spectrogram 1", "1", f"{span.start_s:.6f}", f"{span.end_s:.6f}", "0.0", f"{top_hz:.1f}"),
        *(row.path, row.path.rpartition("/")[2], row.said_or_predicted, row.annotator, row.created_at),
        *(row.came_by, "" if confidence is None else f"{confidence:.4f}", row.promise),
    )


def _top_hz(row: ExportRow, media: ItemMedia) -> float:
    """Half of the recording's rate; where it cannot be read any more, what no recorder goes beyond."""
    try:
        return media.rate_hz(row) / 2
    except UnreadableItemError:
        return NO_TOP_HZ


def _tabbed(cells: Iterable[str]) -> str:
    """One line; what would end a cell or the line is a blank."""
    return (
        "\t".join(" ".join(cell.split()) if any(sign in cell for sign in "\t\r\n") else cell for cell in cells) + "\n"
    )
