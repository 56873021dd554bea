"""Where a classifier lies, and how it is made of its files: a folder, a zip, a working directory, a repository of the hub."""

import atexit
import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from fastlabel_gradio.classifier.bundle import read_bundle
from fastlabel_gradio.classifier.bundle_config import CONFIG, LEARNED, BundleConfig
from fastlabel_gradio.classifier.classifier import Classifier
from fastlabel_gradio.devices import computing_on, pick_device
from fastlabel_gradio.encoders import Encoder, FittedEncoder, check_encoder
from fastlabel_gradio.encoders.base import ENCODERS
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.encoders.weights_named import named_files
from fastlabel_gradio.errors import CheckpointError, ConfigError, EncoderUnavailableError
from fastlabel_gradio.pool.encoder_in_use import recorded_encoder

HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*")
MODEL = "model"  # the folder of the bundle in a project's folder
MAX_ZIP_BYTES = 4 << 30
DEVICES = ("cpu", "cuda", "mps")


def load_classifier(
    source: str | Path,
    *,
    project: str | None = None,
    device: str | None = None,
    batch_size: int | None = None,
    workers: int | None = None,
    precision: Literal["float32", "bfloat16"] | None = None,
    encoder_options: Mapping[str, Any] | None = None,
) -> Classifier:
    """The classifier that a program of FastLabel trained, ready to classify files.

    Args:
        source: the folder or zip that `export-model` wrote, the name of its repository on the Hugging Face hub, or the
            working directory of the app, which may be running.
        project: which project of a working directory, where it has several.
        device: "cpu", "cuda" or "mps"; the fastest one here by default.
        batch_size: items that are embedded at once. workers: threads; one a core by default.
        precision: on a CPU; by default that of the program that trained it, where this CPU is fast in it, for the same bits.
        encoder_options: options of the encoder that differ here, as the path of its weights.

    Raises:
        ConfigError: nothing is there, or no such project or device.
        CheckpointError: the files are damaged, or the encoder here gives other vectors than the one it was trained with.
        EncoderUnavailableError: the encoder's weights are not available.
    """
    folder = find_bundle(source, project)
    config, head = read_bundle(folder)
    chosen = device or pick_device()
    if chosen.partition(":")[0] not in DEVICES:
        raise ConfigError(f"device {device!r} is not known. Known: {', '.join(DEVICES)}.")
    with computing_on(chosen, precision or (config.encoder.precision if config.encoder.device == "cpu" else "")):
        encoder = _encoder(folder, config, encoder_options or {})
        head = head.on(chosen)
    return Classifier(config, head, encoder, batch_size, workers)


def find_bundle(source: str | Path, project: str | None = None) -> Path:
    """The folder with `config.json`. A repository is downloaded, a zip unpacked for as long as the program runs.

    Raises ConfigError, CheckpointError.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return _unpacked(path)
    if path.is_dir():
        return _in_folder(path, project)
    if HUB_ID.fullmatch(str(source)):
        return _from_hub(str(source))
    raise ConfigError(
        f"{source} does not exist. Give the folder or zip that `fastlabel export-model` wrote, a working "
        "directory, or the name "
        "of a repository on the hub, owner/name."
    )


def recorded_options(folder: Path, kind: str) -> Mapping[str, Any] | None:
    """Of a bundle in a working directory the encoder's options with their places here; None elsewhere."""
    for project in (folder.parent, *folder.parents[2:3]):  # that of a private labeler lies two folders further down
        recorded = recorded_encoder(project)
        if recorded and recorded[0] == kind:
            return recorded[1]
    return None


def _in_folder(folder: Path, project: str | None) -> Path:
    if (folder / CONFIG).is_file():
        return folder
    found = {path.parent.parent.name: path.parent for path in sorted(folder.glob(f"*/{MODEL}/{CONFIG}"))}
    if (folder / MODEL / CONFIG).is_file():  # of a project, or a Space
        found = {folder.name: folder / MODEL}
    if not found:
        raise ConfigError(
            f"{folder} holds no classifier: no {CONFIG}, and no project with a trained head. Train one in the "
            "app; one that an "
            "earlier version trained is there after the app was started once."
        )
    if project is not None and project not in found:
        raise ConfigError(f"{folder} has no trained project '{project}'. It has: {', '.join(found)}.")
    if project is None and len(found) > 1:
        raise ConfigError(
            f"{folder} has several projects: {', '.join(found)}. Name one of them with project (--project)."
        )
    return found[project] if project is not None else next(iter(found.values()))


def _unpacked(archive: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="fastlabel-model-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as members:
            if sum(info.file_size for info in members.infolist()) > MAX_ZIP_BYTES:
                raise CheckpointError(
                    f"{archive} holds more than {MAX_ZIP_BYTES:,} bytes: no classifier of FastLabel is so large."
                )
            members.extractall(folder)  # which keeps every name below the folder
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise CheckpointError(
            f"{archive} is no zip that can be read ({error}). Give the folder or the zip that `fastlabel export-model` wrote."
        ) from error
    found = [path.parent for path in sorted(folder.rglob(CONFIG))]
    if not found:
        raise CheckpointError(f"{archive} holds no {CONFIG}: it is no classifier of FastLabel.")
    return found[0]


def _from_hub(repo: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(repo, ignore_patterns=["*.onnx"]))
    except Exception as error:  # the hub's HTTP library, and so its errors, changed with every major version
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ConfigError(
            f"{repo} is no folder here, and as a repository of the hub it is not available: {reason}. Give a path, "
            "or log in with "
            "`hf auth login` where it is private."
        ) from error
    return _in_folder(folder, None)


def _encoder(folder: Path, config: BundleConfig, changed: Mapping[str, Any]) -> Encoder | None:
    part = config.encoder
    if issubclass(ENCODERS[config.kind].get(part.kind), KnownVectors):
        return None  # its vectors are of the pool's items; the head alone is of use
    options = recorded_options(folder, part.kind) or part.options
    try:
        encoder, _ = check_encoder(part.kind, {**options, **changed}, config.kind, folder).open()
    except EncoderUnavailableError as error:
        beside = ", ".join(named_files({**options, **changed}))
        if not beside:
            raise
        raise EncoderUnavailableError(
            f"{error} The classifier was made with files of another place: put {beside} into {folder}, or say where they "
            "are with encoder_options."
        ) from error
    if config.sound:
        encoder.attune(config.sound.view)
    if isinstance(encoder, FittedEncoder):
        encoder.load(folder / LEARNED)
    if encoder.space != part.fingerprint:
        raise CheckpointError(
            f"{folder}: the head was trained on embeddings of {part.fingerprint}, but encoder '{part.kind}' gives those of "
            f"{encoder.space} here: its weights or a library that draws sounds or pictures are others. Use the weights "
            f"'{part.weights or part.kind}' as they were, or label in this version."
        )
    return encoder
