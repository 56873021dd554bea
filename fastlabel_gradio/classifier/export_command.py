"""The command line of `fastlabel export-model`: the classifier of a project as a folder or zip, on the hub, or as a Space.

It reads what the app keeps beside the labels, so it runs beside the app as well as without.
"""

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fastlabel_gradio import __version__
from fastlabel_gradio.classifier.bundle import copy_bundle, pack, read_bundle
from fastlabel_gradio.classifier.bundle_config import CONFIG, HEAD_ONNX, LEARNED, MODEL_ONNX, read_config
from fastlabel_gradio.classifier.loading import MODEL, find_bundle
from fastlabel_gradio.classifier.space import write_space
from fastlabel_gradio.classifier.space_package import space_package
from fastlabel_gradio.data_options import add_data_options, workdir_of
from fastlabel_gradio.errors import ConfigError, FastLabelError, StoreError
from fastlabel_gradio.exports.hub_folder import RepositoryKind, push_folder


def main(argv: Sequence[str]) -> str:
    """Where the bundle is. Raises FastLabelError where something cannot be used."""
    arguments = parser().parse_args(argv)
    out: Path = arguments.output
    _check_free(out, is_space=arguments.space)
    if arguments.package and not arguments.space:
        raise ConfigError("--package says what a Space installs: it needs --space.")
    package = space_package(arguments.package, __version__)
    bundle = find_bundle(workdir_of(arguments), arguments.project)
    with tempfile.TemporaryDirectory(prefix="fastlabel-export-") as made:
        folder = Path(made) / "model"
        copy_bundle(bundle, folder)
        if arguments.onnx:
            from fastlabel_gradio.classifier.onnx_files import write_onnx

            write_onnx(folder, bundle)
        if arguments.space:
            folder = write_space(folder, Path(made) / "space", package)
        _put(folder, out)
    said = f"{out}: {_said_of(out)}"
    if arguments.space and package.doubt:
        said += f"\n{package.doubt}"
    if not arguments.push:
        return said
    kind: RepositoryKind = "space" if arguments.space else "model"
    return f"{said}\n{push_folder(out, arguments.push, kind, is_private=not arguments.public)}"


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        "fastlabel export-model",
        description="Writes the trained classifier of a project, with a model card, beside a running app or "
        "without. Name what was labeled, or the working directory.",
    )
    add_data_options(options)
    options.add_argument(
        "--workdir", type=Path, metavar="W", help="the app's working directory, where it is not the usual"
    )
    options.add_argument("--project", metavar="P", help="which of its projects, if it has several")
    options.add_argument(
        "-o", "--output", type=Path, default=Path("model"), metavar="OUT", help="a folder, or a .zip (default: model)"
    )
    options.add_argument(
        "--onnx", action="store_true", help="also write ONNX files (needs: pip install 'fastlabel-gradio[onnx]')"
    )
    options.add_argument("--space", action="store_true", help="write a Hugging Face Space that lets people try it")
    options.add_argument(
        "--package",
        metavar="P",
        help="what the Space installs FastLabel from: a wheel, which goes along, or git+https://… (default: the commit that "
        "it was installed from here, or the package index)",
    )
    options.add_argument(
        "--push", metavar="OWNER/NAME", help="also upload it to this repository of the Hugging Face hub"
    )
    options.add_argument("--public", action="store_true", help="with --push: everybody may see it")
    return options


def _check_free(out: Path, *, is_space: bool) -> None:
    """Raises ConfigError where something else lies there; an earlier export is replaced."""
    is_empty = out.is_dir() and not any(out.iterdir())
    if out.exists() and not is_empty and not _is_export(out, is_space=is_space):
        raise ConfigError(f"-o {out} is there already and no export of a classifier. Choose another.")
    if not out.absolute().parent.is_dir():
        raise ConfigError(f"-o {out}: folder {out.parent} does not exist. Make it, or choose another.")


def _is_export(out: Path, *, is_space: bool) -> bool:
    if out.is_dir() == (out.suffix == ".zip"):
        return False
    try:
        read_config(find_bundle(out) if out.is_file() else out / MODEL if is_space else out)
    except FastLabelError:
        return False
    return True


def _put(folder: Path, out: Path) -> None:
    try:
        if out.suffix == ".zip":
            partial = out.with_name(f"{out.name}.partial")
            pack(folder, partial)
            partial.replace(out)
        else:
            _replace(folder, out)
    except OSError as error:
        raise StoreError(f"{out} cannot be written: {error}. Make room, or choose another -o.") from error


def _replace(folder: Path, out: Path) -> None:
    """Copies the files, the configuration last. What an earlier export left goes; weights that lie beside stay."""
    bundle = MODEL if (folder / MODEL).is_dir() else "."
    for name in (LEARNED, HEAD_ONNX, MODEL_ONNX):
        if not (folder / bundle / name).exists():
            (out / bundle / name).unlink(missing_ok=True)
    shutil.copytree(folder, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns(CONFIG))
    shutil.copy2(folder / bundle / CONFIG, out / bundle / CONFIG)


def _said_of(out: Path) -> str:
    folder = find_bundle(out) if out.suffix == ".zip" or (out / CONFIG).is_file() else out / MODEL
    config, _ = read_bundle(folder)
    quality = (
        f", {100 * config.audit.accuracy:.1f} % right on {config.audit.items} audited items" if config.audit else ""
    )
    return f"{len(config.classes)} classes, head {config.head.version} of {config.head.labels:,} labels{quality}"
