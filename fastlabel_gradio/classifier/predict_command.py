"""The command line of `fastlabel predict`: a trained classifier on any number of files, with a table of what it says."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

from tqdm import tqdm

from fastlabel_gradio.classifier.classifier import Classifier
from fastlabel_gradio.classifier.journal import Entry, Journal
from fastlabel_gradio.classifier.listing import Named, listed_files, parts_of
from fastlabel_gradio.classifier.loading import load_classifier
from fastlabel_gradio.classifier.ray_classifying import ClassifyJob, entries_by_ray, entry_of
from fastlabel_gradio.classifier.remote_files import RemoteFile
from fastlabel_gradio.classifier.sorting import sort_into
from fastlabel_gradio.classifier.sound_labels import SOUND_FORMATS, sound_writer
from fastlabel_gradio.classifier.tables import WRITERS, TableShape, writer_of
from fastlabel_gradio.errors import ConfigError, SourceError
from fastlabel_gradio.exports import replaced_file
from fastlabel_gradio.ray_cluster import add_ray_options, count
from fastlabel_gradio.sources.files import exported_path, id_of
from fastlabel_gradio.types import TimeSpan

SHOWN = 100  # unreadable files that are printed
UNREADABLE = ".unreadable.txt"  # behind the name of the output: the list of all of them


def main(argv: Sequence[str]) -> str:
    """Writes the table and tells of it on the way.

    Raises:
        FastLabelError: something cannot be used, or, once the table is written, not one item could be read.
    """
    arguments = parser().parse_args(argv)
    out: Path = arguments.output
    write = None if arguments.format in SOUND_FORMATS else writer_of(out, arguments.format)
    if out.exists() and not arguments.overwrite:
        raise ConfigError(f"-o {out} is there already. Choose another, or give --overwrite.")
    classifier = load_classifier(
        arguments.model, project=arguments.project, device=arguments.device, batch_size=arguments.batch_size
    )
    shape = _shape(classifier, arguments)
    write = write or sound_writer(arguments.format, out, classifier.kind, shape)
    names, besides = listed_files(arguments.paths, classifier.kind)
    _check_places(names, arguments)
    parts = list(parts_of(classifier, names, arguments.window, arguments.hop))
    journal = Journal(out.with_name(f"{out.name}.part"), _origin(classifier, arguments))
    unreadable = _classify(classifier, journal, parts, len(shape.classes) if shape.every else shape.top, arguments)
    write(_wanted(journal, parts), shape, out)
    _tell(out, len(parts), unreadable, besides)
    if arguments.sort_into:
        placed, left = sort_into(_wanted(journal, parts), arguments.sort_into, shape.least, link=arguments.link)
        rest = f"; {left:,} stayed where they are, unreadable or not sure enough" if left else ""
        sys.stderr.write(f"{placed:,} files are in {arguments.sort_into}, by class{rest}.\n")
    _end(journal)
    if parts and unreadable == len(parts):
        raise SourceError(
            f"none of the {len(parts):,} items can be read. Paths in a table start at the table's own folder."
        )
    return ""


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        "fastlabel predict",
        description="Classifies files with a trained classifier and writes a table. A command that was stopped "
        "goes on where it was when it is run again.",
    )
    options.add_argument(
        "model", metavar="MODEL", help="a folder or zip of export-model, a name on the hub, a working directory"
    )
    where = "files, folders, tables (.csv, .jsonl), also by address (s3://…), or patterns in quotes"
    options.add_argument("paths", nargs="+", metavar="PATH", help=where)
    _add_output_options(options)
    options.add_argument(
        "--window",
        type=_seconds,
        metavar="S",
        help="cut sounds into windows of S seconds, 0 for whole files (default: as trained)",
    )
    options.add_argument("--hop", type=_seconds, metavar="S", help="from one window to the next (default: no overlap)")
    options.add_argument("--project", metavar="NAME", help="which project of a working directory")
    options.add_argument("--device", metavar="D", help="cpu, cuda or mps (default: the fastest here)")
    options.add_argument("--batch-size", type=count, metavar="N", help="items that are embedded at once")
    add_ray_options(options)
    return options


def _add_output_options(options: argparse.ArgumentParser) -> None:
    options.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help="out.csv, out.jsonl, out.parquet; see --format"
    )
    options.add_argument(
        "--format",
        choices=(*(suffix[1:] for suffix in WRITERS), *SOUND_FORMATS),
        help="by default as OUT ends; raven and audacity make OUT a folder, or a zip, with a file a recording",
    )
    options.add_argument("--overwrite", action="store_true", help="replace OUT where it is there already")
    options.add_argument("--all", action="store_true", help="a column of probabilities for each class")
    options.add_argument(
        "--top", type=count, default=1, metavar="N", help="name the N most probable classes (default: 1)"
    )
    options.add_argument(
        "--min-confidence", type=_share, default=0.0, metavar="C", help="leave labels of less confidence blank, 0 to 1"
    )
    options.add_argument("--sort-into", type=Path, metavar="DIR", help="also copy every file into DIR/CLASS/")
    options.add_argument("--link", action="store_true", help="with --sort-into: symbolic links in place of copies")


def _shape(classifier: Classifier, arguments: argparse.Namespace) -> TableShape:
    length = classifier.window_s if arguments.window is None else arguments.window
    cuts = classifier.kind == "audio" and bool(length)
    if classifier.kind == "image" and (arguments.window is not None or arguments.hop is not None):
        raise ConfigError("--window and --hop are for sounds; this classifier takes pictures.")
    if arguments.hop is not None and not cuts:
        raise ConfigError("--hop needs --window: it was trained on whole files.")
    if arguments.sort_into and cuts:
        raise ConfigError("--sort-into sorts whole files, not parts of recordings. Give --window 0, or leave it out.")
    if arguments.link and not arguments.sort_into:
        raise ConfigError("--link needs --sort-into, the folder for the links.")
    parts = cuts or any(TimeSpan.split(path)[1] for path in arguments.paths)
    top = min(arguments.top, len(classifier.classes))
    return TableShape(classifier.classes, top, arguments.all, parts, arguments.min_confidence)


def _origin(classifier: Classifier, arguments: argparse.Namespace) -> dict[str, object]:
    """What must be the same for a command to go on with what an earlier one began."""
    return {
        "model": classifier.config.head.digest,
        "--window": arguments.window,
        "--hop": arguments.hop,
        "--top": arguments.top,
        "--all": arguments.all,
    }


def _classify(
    classifier: Classifier, journal: Journal, parts: list[Named], best: int, arguments: argparse.Namespace
) -> int:
    """Appends what is missing to the journal; returns how many items of all cannot be read."""
    left = [name for name in parts if str(name) not in journal.done]
    if journal.done:
        sys.stderr.write(f"{len(parts) - len(left):,} of {len(parts):,} are done already.\n")
    noun = " pictures" if classifier.kind == "image" else " sounds"
    try:
        with tqdm(total=len(parts), initial=len(parts) - len(left), unit=noun, disable=None) as bar:
            for entry in _entries(classifier, left, best, arguments):
                journal.add(entry)
                bar.update()
    finally:  # also where it is stopped
        with suppress(OSError):  # a full disk was told of by `add`, and is again by who reads the entries
            journal.close()
    unreadable = (entry for entry in _wanted(journal, parts) if entry.unreadable)
    return _listed_unreadable(unreadable, arguments.output.with_name(f"{arguments.output.name}{UNREADABLE}"))


def _entries(classifier: Classifier, names: list[Named], best: int, arguments: argparse.Namespace) -> Iterator[Entry]:
    """What is said of each file, in their order: here, or on a Ray cluster."""
    if not arguments.ray:
        return (entry_of(said, best, classifier.classes) for said in classifier.stream(names))
    model = (
        str(Path(arguments.model).expanduser().absolute())
        if Path(arguments.model).expanduser().exists()
        else arguments.model
    )
    job = ClassifyJob(model, arguments.project, arguments.device, classifier.batch_size, best, Path.cwd())
    return entries_by_ray(job, names, arguments.ray, arguments.workers)


def _listed_unreadable(entries: Iterator[Entry], destination: Path) -> int:
    """Writes all of them with the reasons, where there are any, and prints the first ones; returns how many there are."""
    first = next(entries, None)
    if first is None:
        destination.unlink(missing_ok=True)  # the list of an output that is replaced
        return 0
    with replaced_file(destination) as file:
        for found, entry in enumerate(chain([first], entries), start=1):
            file.write(f"{exported_path(id_of(entry.name))}: {entry.unreadable}\n")
            if found <= SHOWN:
                sys.stderr.write(f"{entry.name}: {entry.unreadable}\n")
    if found > SHOWN:
        sys.stderr.write(f"and {found - SHOWN:,} more that cannot be read\n")
    sys.stderr.write(f"{destination}: all that cannot be read, with the reasons.\n")
    return found


def _check_places(names: Sequence[Named], arguments: argparse.Namespace) -> None:
    """Raises ConfigError where files that lie elsewhere are to be copied, linked or drawn."""
    far = next((name for name in names if isinstance(name, RemoteFile)), None)
    if far and (arguments.sort_into or arguments.format in SOUND_FORMATS):
        option = "--sort-into" if arguments.sort_into else f"--format {arguments.format}"
        raise ConfigError(f"{option} needs files of this machine, and {far} is none. Leave it out, or copy them first.")


def _end(journal: Journal) -> None:
    """Deletes the journal, unless another run may read what this one could not."""
    later = sum(entry.may_come for entry in journal.entries())
    if not later:
        journal.path.unlink()
        return
    sys.stderr.write(
        f"{later:,} could not be read now. The same command with --overwrite tries those alone again; {journal.path} keeps "
        "what is said of the others. Delete it to begin anew.\n"
    )


def _wanted(journal: Journal, parts: Sequence[Named]) -> Iterator[Entry]:
    """The entries of this command's items; files may have gone since an earlier one began."""
    wanted = set(map(str, parts))
    return (entry for entry in journal.entries() if entry.name in wanted)


def _tell(out: Path, items: int, unreadable: int, besides: str) -> None:
    sys.stderr.write(f"{out}: {items:,} rows, {unreadable:,} of them unreadable.\n")
    if besides:
        sys.stderr.write(f"{besides}\n")


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no confidence: give a number from 0 to 1, for example 0.9")
    return share


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not (seconds == 0 or 0.001 <= seconds < float("inf")):
        raise argparse.ArgumentTypeError(f"{text!r} is no length: give seconds, for example 3 or 0.5")
    return seconds
