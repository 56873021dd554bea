"""A bundle: the folder that holds a classifier whole. Written file by file, each of them at once, the configuration last.

`config.json`, `head.safetensors`, `README.md` and, of an encoder that learns from the pool, `encoder.safetensors`. What they
say is made elsewhere: here they are written, packed, and found to belong together.
"""

import os
import shutil
import time
import zipfile
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.classifier.bundle_config import CARD, CONFIG, HEAD, LEARNED, BundleConfig, read_config
from fastlabel_gradio.encoders.base import FittedEncoder
from fastlabel_gradio.errors import CheckpointError

if TYPE_CHECKING:
    from fastlabel_gradio.head import Head

READ_AGAIN, READ_AGAIN_S = 5, 0.2  # a program that labels may be writing the files at this moment


def write_bundle(folder: Path, head: "Head", config: BundleConfig, card: str, encoder: FittedEncoder | None) -> None:
    """Writes what a classifier needs. A reader finds the files of one training, or that they are not.

    Args:
        config: `head.digest` is filled in here.
        encoder: one that learned from the pool; its file is written only where it is another one.

    Raises OSError.
    """
    from fastlabel_gradio.head import save_head

    folder.mkdir(parents=True, exist_ok=True)
    if encoder is not None and not _is_there(folder, config):
        encoder.save(folder / LEARNED)
    save_head(head, folder / HEAD)
    part = config.head.model_copy(update={"digest": file_digest(folder / HEAD)})
    write_atomically(folder / CARD, card.encode())
    content = config.model_copy(update={"head": part}).model_dump_json(indent=2)
    write_atomically(folder / CONFIG, f"{content}\n".encode())


def read_bundle(folder: Path) -> "tuple[BundleConfig, Head]":
    """The configuration and the head, on the CPU. Raises CheckpointError where one is damaged, or not of the other."""
    from fastlabel_gradio.head import load_head

    for _ in range(READ_AGAIN):
        config = read_config(folder)
        if not (folder / HEAD).is_file():
            raise CheckpointError(f"{folder}: there is no {HEAD}. Export the classifier again.")
        if file_digest(folder / HEAD) == config.head.digest:
            head = load_head(folder / HEAD, dim=config.encoder.dim)
            _check(folder, config, head)
            return config, head
        time.sleep(READ_AGAIN_S)
    raise CheckpointError(
        f"{folder}: {HEAD} is not the one that {CONFIG} describes, as after a program was stopped while it wrote them. "
        "Train once more in the app, or export the classifier again."
    )


def pack(folder: Path, destination: Path) -> Path:
    """The files of a bundle as a zip with one folder `model/`. Raises OSError."""
    with zipfile.ZipFile(destination, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(file, f"model/{file.relative_to(folder).as_posix()}")
    return destination


def copy_bundle(folder: Path, destination: Path) -> None:
    """A bundle's own files at another place, the configuration last. Raises CheckpointError, OSError."""
    destination.mkdir(parents=True, exist_ok=True)
    for _ in range(READ_AGAIN):  # the app may write a newer head in between
        config, _ = read_bundle(folder)
        _copy_files(folder, destination, config)
        if file_digest(destination / HEAD) == read_config(destination).head.digest:
            break
        time.sleep(READ_AGAIN_S)
    read_bundle(destination)


def _copy_files(folder: Path, destination: Path, config: BundleConfig) -> None:
    for name in filter(None, (config.encoder.learned, HEAD, CARD, CONFIG)):
        partial = destination / f"{name}.partial"
        shutil.copyfile(folder / name, partial)
        os.replace(partial, destination / name)  # noqa: PTH105  # as `Path.replace`, of a name that is made here


def file_digest(path: Path) -> str:
    """BLAKE2b of a small file, 32 hex digits."""
    return blake2b(path.read_bytes(), digest_size=16).hexdigest()


def _is_there(folder: Path, config: BundleConfig) -> bool:
    """Whether what the encoder learned is beside already: its fingerprint covers every number of it."""
    try:
        return (folder / LEARNED).is_file() and read_config(folder).encoder.fingerprint == config.encoder.fingerprint
    except CheckpointError:
        return False


def _check(folder: Path, config: BundleConfig, head: "Head") -> None:
    names = [label.name for label in head.info.classes]
    if names != config.classes or head.info.encoder_fingerprint != config.encoder.fingerprint:
        raise CheckpointError(
            f"{folder}: {HEAD} is for the classes {', '.join(names)[:200]} and encoder {head.info.encoder_fingerprint}, "
            f"{CONFIG} for {', '.join(config.classes)[:200]} and {config.encoder.fingerprint}. Export the classifier again."
        )
