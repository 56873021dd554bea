"""What to label, as a command line says it: the options that the commands share, and the configuration that they name."""

import argparse
import csv
import hashlib
import logging
import os
import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from fastlabel_gradio.config import AppConfig, load_config, parse_config
from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.parts.places import has_scheme
from fastlabel_gradio.yaml_file import yaml_value

DEMO_CONFIG = "demo.yaml"
PROJECT_NAMES = {"image": "images", "audio": "audio"}
HERE = Path(__file__).parent
CONFIG_FOLDERS = (HERE / "configs", HERE.parent / "configs")  # in an installation, in a working copy
WORKDIR_VARIABLE = "FASTLABEL_WORKDIR"

log = logging.getLogger(__name__)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """What to label: the options that `fastlabel` and `fastlabel simulate` share."""
    data = parser.add_argument_group("what to label")
    data.add_argument(
        "path",
        nargs="?",
        type=_data,
        metavar="PATH",
        help="a folder of pictures or sounds, a table (.csv, .json, …), tars, Parquet; also s3://, gs://, hf://, https://, "
        "hf-dataset:NAME",
    )
    data.add_argument("--config", type=Path, metavar="F", help="a YAML configuration instead of PATH")
    data.add_argument("--kind", choices=("image", "audio"), help="what PATH holds (default: whatever there is more of)")
    data.add_argument("--window", type=_seconds, metavar="S", help="cut sounds into items of S seconds")
    data.add_argument("--path-column", metavar="C", help="the column of a table that holds the paths")
    data.add_argument("--label-column", metavar="C", help="the column of a table that holds known labels")
    data.add_argument(
        "--set",
        action="append",
        default=[],
        type=_option,
        metavar="KEY=VALUE",
        help="any option of the source that PATH becomes (docs/configuration.md lists them), once per option",
    )
    data.add_argument(
        "--classes", metavar="A,B,C", help="the classes; class folders propose theirs, and the page adds some"
    )
    data.add_argument(
        "--encoder",
        metavar="E",
        help="auto, clip, clap, pretrained, timm, transformers, precomputed, offline or another of docs/configuration.md "
        "(default: auto, the best that is available)",
    )
    data.add_argument(
        "--set-encoder",
        action="append",
        default=[],
        type=_option,
        metavar="KEY=VALUE",
        help="any option of --encoder, once per option: --encoder timm --set-encoder model=vit_small_patch14_dinov2.lvd142m",
    )


def config_of(arguments: argparse.Namespace) -> AppConfig:
    """What the options of `add_data_options` name. Raises ConfigError, SourceError."""
    if arguments.path and arguments.config:
        raise ConfigError("PATH and --config exclude each other: put the path into the configuration's source.")
    if not arguments.path and (given := _of_path_alone(arguments)):
        raise ConfigError(
            f"{given} needs a PATH. In a configuration the options of a source stand in its source block."
        )
    config = _config_of_path(arguments) if arguments.path else load_config(arguments.config or demo_config())
    overrides: dict[str, object] = {}
    if arguments.classes is not None:
        overrides["classes"] = _class_names(arguments.classes)
        if not overrides["classes"]:
            raise ConfigError(
                f"--classes {arguments.classes!r} names no class. Leave it out to name classes on the page, or write "
                "--classes cat,dog"
            )
    if encoder := _encoder(arguments):
        overrides["encoder"] = encoder
    if getattr(arguments, "encoder_change", None):
        overrides["encoder_change"] = arguments.encoder_change
    if embedded := getattr(arguments, "embedded", None):
        overrides["embedded"] = embedded if has_scheme(embedded) else str(Path(embedded).absolute())
    if not overrides:
        return config
    projects = [{**project.model_dump(), **overrides} for project in config.projects]
    return parse_config({**config.model_dump(), "projects": projects}, "command line")


def workdir_of(arguments: argparse.Namespace) -> Path:
    """`--workdir`, or a folder of its own for each source below $FASTLABEL_WORKDIR or ~/.fastlabel.

    A folder or table that was moved or renamed finds its own again.
    """
    if arguments.workdir:
        return Path(arguments.workdir)
    base = workdir_base()
    if isinstance(arguments.path, str):
        return base / _remote_name(arguments.path)
    origin = (arguments.path or arguments.config or demo_config()).resolve()
    name = f"{origin.stem}-{hashlib.blake2b(os.fsencode(origin), digest_size=4).hexdigest()}"
    if not arguments.path:
        return base / name
    from fastlabel_gradio.pool.source_identity import find_workdir

    workdir, says = find_workdir(base, base / name, origin)
    if says:
        log.warning("%s", says)
    return workdir


def workdir_base() -> Path:
    """Where working directories lie that nobody named."""
    return Path(os.environ.get(WORKDIR_VARIABLE) or Path.home() / ".fastlabel")


def tell_of_earlier(workdir: Path, config: AppConfig) -> None:
    """Says where the labels of a configuration are that was moved or renamed."""
    from fastlabel_gradio.pool.source_identity import data_path, earlier_workdir

    data = {project.name: data_path(project.source.options, config.base_dir) for project in config.projects}
    if says := earlier_workdir(workdir.parent, workdir, data):
        log.warning("%s", says)


def demo_config() -> Path:
    """The demo's configuration. Raises ConfigError where the installation lacks it."""
    found = [path for folder in CONFIG_FOLDERS if (path := folder / DEMO_CONFIG).is_file()]
    if not found:
        raise ConfigError(
            f"The demo's configuration {DEMO_CONFIG} is in neither of {', '.join(map(str, CONFIG_FOLDERS))}. "
            "Install FastLabel again, or name what to label: fastlabel PATH, or --config F."
        )
    return found[0]


def _config_of_path(arguments: argparse.Namespace) -> AppConfig:
    from fastlabel_gradio.sources import guess_source

    medium, source, options = guess_source(arguments.path, arguments.kind)
    options |= _source_options(source, arguments)
    project = {"name": PROJECT_NAMES[medium], "source": {"kind": source, **options}}
    name = _shown(arguments.path) if isinstance(arguments.path, str) else arguments.path.resolve().name
    title = f"FastLabel: {name}"
    return parse_config({"title": title, "projects": [project], "base_dir": Path.cwd()}, "command line")


def _data(text: str) -> Path | str:
    """A path, also of a `file://` address as file managers copy it, or as a text what lies elsewhere."""
    from fastlabel_gradio.sources import is_remote

    if text.startswith("file://"):
        return Path(url2pathname(urlsplit(text).path))
    return text if is_remote(text) else Path(text).expanduser()


def _shown(path: Path | str) -> str:
    """Without a password or a token."""
    from fastlabel_gradio.sources.address import address_of, is_address

    return str(address_of(str(path))) if is_address(path) else str(path)


def _remote_name(text: str) -> str:
    """The working directory's name for what lies elsewhere: the same whatever token the address has."""
    shown = _shown(text)
    plain = re.sub(r"[^\w.-]+", "-", shown.rstrip("/").rpartition("/")[2])[:60].strip("-.") or "remote"
    return f"{plain}-{hashlib.blake2b(shown.encode('utf-8', 'surrogateescape'), digest_size=4).hexdigest()}"


def _of_path_alone(arguments: argparse.Namespace) -> str:
    """The first option given that says how PATH is read; "" for none."""
    names = ("kind", "window", "path_column", "label_column", "set")
    return next((f"--{name.replace('_', '-')}" for name in names if getattr(arguments, name)), "")


def _source_options(source: str, arguments: argparse.Namespace) -> dict[str, object]:
    """What the command line says of a source. Raises ConfigError for an option that the source has not."""
    from fastlabel_gradio.sources import SOURCES

    named = {"window_s": arguments.window, "path_column": arguments.path_column, "label_column": arguments.label_column}
    given: dict[str, object] = {key: value for key, value in named.items() if value is not None}
    fields = SOURCES.get(source).Options.model_fields
    for key, value in arguments.set:
        is_text = key in fields and fields[key].annotation in (str, str | None)
        given[key] = value if is_text else yaml_value(value)
    unknown = [key for key in given if key not in fields]
    if unknown:
        known = ", ".join(sorted(fields.keys() - {"path"}))
        what = f"{_shown(arguments.path)} is taken as '{source}', which has no option '{unknown[0]}'"
        raise ConfigError(f"{what}. Its options: {known or 'none but the path'}.")
    return given


def _encoder(arguments: argparse.Namespace) -> dict[str, object]:
    """The encoder that the command line names, with its options; empty where it names none. Raises ConfigError."""
    if not arguments.encoder and arguments.set_encoder:
        raise ConfigError("--set-encoder needs --encoder, whose option it sets.")
    options = {key: yaml_value(value) for key, value in arguments.set_encoder}
    return {"kind": arguments.encoder, **options} if arguments.encoder else {}


def _class_names(text: str) -> list[str]:
    """The names between commas, without blanks and quotes around them; one in double quotes may hold a comma."""
    [cells] = list(csv.reader([text.replace("\n", " ")], skipinitialspace=True)) or [[]]
    names = [name.strip() for name in cells]
    return [name[1:-1].strip() if len(name) > 1 and name[0] == name[-1] == "'" else name for name in names if name]


def _option(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not (key.strip() and sign):
        raise argparse.ArgumentTypeError(f"{text!r} is no option: write KEY=VALUE, for example root=../pictures")
    return key.strip(), value


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no length: give seconds above 0, for example 3 or 0.5")
    return seconds
