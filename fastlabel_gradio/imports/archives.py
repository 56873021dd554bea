"""A file of labels, read by the importer that fits; of a zip every file in it that is one. A zip is not trusted."""

import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.imports.base import IMPORTERS, ImportedLabel, Importer, Refuse

MOST_FILES = 200_000  # in a zip
MOST_BYTES = 2_000_000_000  # of them, unpacked
ALL_OF_RAVEN = "all.selections.txt"  # says again what the tables beside it say
LABEL_SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet")
FIRST_ASKED = ("raven", "audacity", "label_studio")  # the others take any table


def read_labels(path: Path, name: str, refuse: Refuse, format: str | None = None) -> Iterator[ImportedLabel]:
    """Every label of a file, as a stream.

    Args:
        name: as it was called where it comes from; its suffix tells what it is.
        refuse: is given what cannot be a label: what it is, why, and where.
        format: a name of IMPORTERS; found out by default.

    Raises:
        SourceError: it is no file of labels. UnknownNameError: no such format.
    """
    if Path(name).suffix.lower() == ".zip":
        yield from _of_archive(path, name, refuse, format)
    else:
        fitting = IMPORTERS.get(format) if format else _fitting(path, name)
        if fitting is None:
            raise SourceError(
                f"{name}: no file of labels that FastLabel reads. It takes CSV, JSON, JSONL and Parquet tables with a path "
                "and a label column, JSON of Label Studio, selection tables of Raven, label tracks of Audacity, zips of them."
            )
        yield from fitting.read(path, name, refuse)


def guessed_suffix(path: Path) -> str:
    """The suffix of a file that came without a name, by how it begins."""
    with path.open("rb") as file:
        head = file.read(4_096)
    begins = {b"PK\x03\x04": ".zip", b"PAR1": ".parquet"}
    found = next((suffix for mark, suffix in begins.items() if head.startswith(mark)), None)
    if found:
        return found
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return ".json" if text[:1] == b"[" else ".jsonl" if text[:1] == b"{" else ".txt"


def _fitting(path: Path, name: str) -> Importer | None:
    names = sorted(IMPORTERS.names(), key=lambda each: each not in FIRST_ASKED)
    return next((one for each in names if (one := IMPORTERS.get(each)).recognises(path, name)), None)


def _of_archive(path: Path, name: str, refuse: Refuse, format: str | None) -> Iterator[ImportedLabel]:
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory(prefix="fastlabel-import-") as folder:
            for number, entry in enumerate(_label_files(archive, name)):
                unpacked = Path(folder) / f"{number}{Path(entry.filename).suffix.lower()}"
                with archive.open(entry) as packed, unpacked.open("wb") as file:
                    shutil.copyfileobj(packed, file)
                for one in read_labels(unpacked, entry.filename, refuse, format):
                    yield one._replace(place=f"{entry.filename}, {one.place}")
                unpacked.unlink()
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise SourceError(
            f"{name}: no zip that can be unpacked ({error}). Pack it anew, without a password."
        ) from error


def _label_files(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Those that may be labels, as far as they are not too many or too large. Raises SourceError."""
    entries = archive.infolist()
    found = [entry for entry in entries if entry.filename.lower().endswith(LABEL_SUFFIXES) and not entry.is_dir()]
    if len(entries) > 1 and any(entry.filename != ALL_OF_RAVEN for entry in found):
        found = [entry for entry in found if entry.filename != ALL_OF_RAVEN]
    if len(found) > MOST_FILES or sum(entry.file_size for entry in found) > MOST_BYTES:
        raise SourceError(
            f"{name}: more than {MOST_FILES:,} files of labels, or more than {MOST_BYTES:,} bytes. Import parts."
        )
    if not found:
        raise SourceError(f"{name}: no file of labels in it. It may hold {', '.join(LABEL_SUFFIXES)}.")
    return found
