"""Label Studio: classes of its JSON of tasks, as annotations or as predictions."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.imports.base import ImportedLabel, Refuse, importer
from fastlabel_gradio.imports.tables import STATES, known_source, seconds_of_time, share_of, whole_of
from fastlabel_gradio.sources.json_entries import json_entries
from fastlabel_gradio.sources.table_format import encoding_of, text_blocks
from fastlabel_gradio.types import TimeSpan

HEAD_BYTES = 4_000
_CHOSEN = ("choices", "labels")
_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")  # what it puts before the name of a file that was uploaded


def is_label_studio(path: Path, name: str) -> bool:
    """By what a JSON begins with: tasks have `data` beside `annotations` or `predictions`."""
    if Path(name).suffix.lower() != ".json":
        return False
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return re.search(rb'"(annotations|completions|predictions)"\s*:|"data"\s*:\s*\{', head) is not None


@importer("label_studio", is_label_studio)
def read_label_studio(path: Path, name: str, refuse: Refuse) -> Iterator[ImportedLabel]:
    """The classes that were chosen, of whole files or of parts of recordings. Boxes and texts are no classes of items."""
    for number, task in enumerate(_tasks(path, name), start=1):
        place = f"task {number}"
        item = _item(task.get("data")) if isinstance(task, dict) else ""
        if not item:
            refuse("task without a file", "its data names no picture and no sound", place)
            continue
        is_whole = "item_id" in task["data"]
        for entry in _entries(task, ("annotations", "completions")):
            yield from _annotated(place, item, entry, refuse, is_whole)
        for entry in _entries(task, ("predictions",)):
            yield from _predicted(place, item, entry, is_whole)


def _tasks(path: Path, name: str) -> Iterator[Any]:
    """Those of a list one after the other, or the one there is."""
    try:
        yield from json_entries(text_blocks(path, encoding_of(path)))
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{name}: not JSON ({error}). Export it anew as JSON.") from error


def _entries(task: dict[str, Any], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    found = [entry for key in keys if isinstance(task.get(key), list) for entry in task[key]]
    return [entry for entry in found if isinstance(entry, dict)]


def _item(data: object) -> str:
    """The file that a task is about: the id that FastLabel gave, or the path in its address."""
    if not isinstance(data, dict):
        return ""
    if isinstance(data.get("item_id"), str):
        return str(data["item_id"])
    names = ("image", "audio", "sound", "picture", *data)
    address = next((data[key] for key in names if isinstance(data.get(key), str) and data[key]), "")
    parts = urlsplit(address)
    local = parse_qs(parts.query).get("d")
    path = local[0] if local else unquote(parts.path)
    is_uploaded = path.startswith("/data/upload/")  # whose folders are its own
    return _UPLOADED.sub("", path.rpartition("/")[2]) if is_uploaded else path


def _annotated(place: str, item: str, entry: dict[str, Any], refuse: Refuse, is_whole: bool) -> Iterator[ImportedLabel]:
    results = [one for one in entry.get("result") or () if isinstance(one, dict)]
    if entry.get("was_cancelled") or not results:
        yield ImportedLabel(
            place, item, state="skip", annotator=_annotator(entry), said_at=seconds_of_time(entry.get("created_at"))
        )
        return
    taken = 0
    for result in results:
        for name in _chosen(result):
            taken += 1
            meta = result["meta"] if isinstance(result.get("meta"), dict) else {}
            is_state = str(result.get("from_name", "")).startswith("state") and name in STATES
            yield ImportedLabel(
                *(place, item, "" if is_state else name, _span(result), name if is_state else "label"),
                *(str(meta.get("annotator") or _annotator(entry)),),
                seconds_of_time(meta.get("created_at") or entry.get("created_at")),
                known_source(str(meta.get("source"))),
                whole_of(meta.get("head_version")),
                share_of(meta.get("confidence")),
                str(meta.get("note") or meta.get("promise") or ""),
                is_whole=is_whole,
            )
    if not taken:
        refuse("annotation without a class", "only choices and labels are classes of an item", place)


def _predicted(place: str, item: str, entry: dict[str, Any], is_whole: bool) -> Iterator[ImportedLabel]:
    for result in entry.get("result") or ():
        for name in _chosen(result) if isinstance(result, dict) else ():
            confidence = share_of(result.get("score", entry.get("score")))
            yield ImportedLabel(
                place, item, name, _span(result), confidence=confidence, is_prediction=True, is_whole=is_whole
            )


def _chosen(result: dict[str, Any]) -> list[str]:
    value = result.get("value")
    if not isinstance(value, dict):
        return []
    names = next((value[key] for key in _CHOSEN if isinstance(value.get(key), list)), ())
    return [name for name in names[:1] if isinstance(name, str) and name]


def _span(result: dict[str, Any]) -> TimeSpan | None:
    value = result["value"]
    start, end = value.get("start"), value.get("end")
    if not all(isinstance(time, int | float) and 0 <= time < 1e9 for time in (start, end)) or end <= start:
        return None
    return TimeSpan(float(start), float(end))


def _annotator(entry: dict[str, Any]) -> str:
    by = entry.get("completed_by")
    return (
        str(by.get("email") or by.get("id") or "")
        if isinstance(by, dict)
        else ""
        if by is None
        else f"label_studio:{by}"
    )
