"""`fastlabel PATH`: from a command line to a running page."""

import argparse
import os
import secrets
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fastlabel_gradio import __version__
from fastlabel_gradio.app import App, create_app, is_public_space
from fastlabel_gradio.config import LOOPBACK, AppConfig, parse_config
from fastlabel_gradio.data_options import WORKDIR_VARIABLE, add_data_options, config_of, tell_of_earlier, workdir_of
from fastlabel_gradio.errors import ConfigError

if TYPE_CHECKING:
    from fastlabel_gradio.server.access import Login, Role

AUTH_VARIABLE = "FASTLABEL_AUTH"
HOSTS_VARIABLE = "FASTLABEL_HOSTS"
BUCKET_VARIABLE = "FASTLABEL_BUCKET"
SPACE_HOST_VARIABLE = "SPACE_HOST"

_DESCRIPTION = "Label a folder of pictures or sounds and train a classifier while you label."
_EXAMPLES = """\
examples:
  python launch.py                                      the demo: digits and sounds, nothing to download
  python launch.py ~/pictures                           a folder of pictures: name the classes on the page
  python launch.py ~/pictures --classes cat,dog,other   or here
  python launch.py ~/imagenet/train                     a folder of class folders proposes its classes
  python launch.py ~/pictures.csv --path-column photo --label-column species --set root=~/pictures
                                                        a table whose columns have names of their own
  python launch.py ~/recordings --classes owl,other --window 3
                                                        sounds, cut into items of 3 seconds
  python launch.py ~/pictures --classes a,b --encoder timm --set-encoder model=vit_small_patch14_dinov2.lvd142m
                                                        any model of timm embeds them
  python launch.py --config configs/celeba.yaml         a configuration; see configs/ for more
  python launch.py ~/pictures --classes a,b --share --auth ann:secret --auth bob:secret
                                                        a public link for two annotators
  python launch.py simulate --config configs/digits.yaml
                                                        a simulated annotator; see simulate --help
  python launch.py compare-encoders ~/pictures          would another encoder be better on the labels so far?
  python launch.py export --workdir W --format hf -o dataset
                                                        labels and media as a dataset; see export --help
  python launch.py merge W1 W2                          the labels of two working directories in one
  python launch.py backup --workdir W -o project.fastlabel
                                                        one file without the media; `restore` puts it back
  python launch.py export-model ~/pictures -o model     the trained classifier, with a model card
  python launch.py predict model ~/more -o out.csv      classifies files with it
  python launch.py demo model                           a page for trying it

Labels, embeddings and the trained head are kept in the working directory and found again at the next start.
"""


def main(argv: Sequence[str]) -> str:
    """Serves until Ctrl-C or SIGTERM. Raises FastLabelError where something cannot be used."""
    arguments = parser().parse_args(argv)
    config = _config(arguments)
    logins, roles = _logins(arguments), _roles(arguments)
    workdir = workdir_of(arguments)
    if arguments.config and not arguments.workdir:
        tell_of_earlier(workdir, config)
    app = create_app(config, workdir, logins, roles, arguments.mcp)
    try:
        _import_files(app, arguments)
        _serve(app, arguments)
    finally:
        app.close()
    return ""


def _import_files(app: App, arguments: argparse.Namespace) -> None:
    """What `--import` names, before anybody labels. Raises FastLabelError where a file cannot be used."""
    from fastlabel_gradio.server.access import LOCAL_ANNOTATOR
    from fastlabel_gradio.server.import_job import import_labels

    annotator = next(iter(app.access.logins), LOCAL_ANNOTATOR)
    for name, path in map(_import_of, arguments.import_files):
        project = app.projects[app.config.project(name).name]
        if not path.is_file():
            raise ConfigError(f"--import {path}: there is no such file.")
        done = import_labels(project, annotator, path, path.name, arguments.import_as)
        sys.stdout.write(f"{project.name}: {path.name}: {done.text()}\n")


def _import_of(text: str) -> tuple[str | None, Path]:
    """A project's name, where it stands before the file, and the file."""
    name, sign, file = text.partition("=")
    return (name, Path(file).expanduser()) if sign and not Path(text).exists() else (None, Path(text).expanduser())


def _serve(app: App, arguments: argparse.Namespace) -> None:
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        address = app.serve(
            host=_host(arguments),
            port=arguments.port,
            share=arguments.share,
            open_browser=_open_browser(arguments),
            names=_names(arguments),
        )
        _tell(app, address, arguments)
        _show_progress(app, stopped)
        stopped.wait()
        sys.stderr.write("Stopping. Every submitted label is saved.\n")
    except OSError as error:  # Gradio's word for a port that is taken
        reason = str(error).partition(". ")[0]  # the rest names Gradio's own arguments
        raise ConfigError(f"{reason}. Choose another --port, or leave it out to get a free one.") from error


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        "fastlabel", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_options(options)
    _add_project_options(options)
    _add_import_options(options)
    _add_server_options(options)
    _add_login_options(options)
    options.set_defaults(made_up=False)
    options.add_argument("--version", action="version", version=f"fastlabel {__version__}")
    return options


def _add_project_options(options: argparse.ArgumentParser) -> None:
    options.add_argument(
        "--workdir",
        type=Path,
        metavar="D",
        help=f"where to keep everything (default: ${WORKDIR_VARIABLE} or ~/.fastlabel)",
    )
    options.add_argument(
        "--encoder-change",
        choices=("better", "always", "at_once"),
        help="when an --encoder other than the one in use takes over: where it is better (default), once it has embedded "
        "the pool, or before that",
    )
    options.add_argument(
        "--embedded",
        metavar="PLACE",
        help="a folder or s3://BUCKET/FOLDER that `fastlabel embed` writes or wrote: its vectors are taken in as they come",
    )


def _add_import_options(options: argparse.ArgumentParser) -> None:
    options.add_argument(
        "--import",
        dest="import_files",
        action="append",
        default=[],
        metavar="FILE",
        help="take labels in from a table, an export, Label Studio, Raven or Audacity; PROJECT=FILE where there are several",
    )
    options.add_argument(
        "--import-as",
        choices=("labels", "suggestions", "references"),
        default="labels",
        help="what they are taken as (default: %(default)s)",
    )


def _add_server_options(options: argparse.ArgumentParser) -> None:
    server = options.add_argument_group("how to serve it")
    server.add_argument("--host", metavar="H", help="address to listen on (default: 127.0.0.1, this machine only)")
    server.add_argument("--port", type=_port, metavar="P", help="port (default: 7860, or the next free one)")
    server.add_argument("--share", action="store_true", help="make a public link for remote annotators; needs a login")
    server.add_argument(
        "--mcp",
        nargs="?",
        const="read",
        choices=("read", "write"),
        help="let MCP clients call tools that read (status, search, predict, list_to_review), or with `write` label, too",
    )
    server.add_argument("--no-browser", action="store_true", help="do not open the page")


def _add_login_options(options: argparse.ArgumentParser) -> None:
    people = options.add_argument_group("who may reach it")
    people.add_argument(
        "--auth",
        action="append",
        default=[],
        metavar="NAME:PASSWORD[:ROLE]",
        help="a login, once per person; the name signs the labels; roles: owner, reviewer, annotator, viewer "
        "(default: annotator where others can reach the app, and the first login owner where none is)",
    )
    people.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name that leads here, such as a reverse proxy's; needs a login; may be repeated",
    )


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535, or leave it out")
    return int(text)


def _config(arguments: argparse.Namespace) -> AppConfig:
    """The configuration that the command line names or describes, as it is served. Raises ConfigError, SourceError."""
    from fastlabel_gradio.server.access import hub_users

    config = config_of(arguments)
    if bucket := os.environ.get(BUCKET_VARIABLE):
        config = config.model_copy(update={"bucket": Path(bucket)})
    if not is_public_space() or _logins(arguments) or hub_users():
        return config
    # Strangers come and go: none of them may change what another sees.
    projects = [{**project.model_dump(), "sharing": "private"} for project in config.projects]
    return parse_config({**config.model_dump(), "projects": projects}, "command line")


def _logins(arguments: argparse.Namespace) -> dict[str, str]:
    """Logins of the command line or the environment; one is made up where others could reach the app without."""
    given = _given(arguments)
    logins = {entry.name: entry.password for entry in given}
    if len(logins) < len(given):
        raise ConfigError("--auth names somebody twice. Give each annotator one password.")
    if not logins and (arguments.share or (_others_reach(arguments) and not is_public_space())):
        arguments.auth, arguments.made_up = [f"annotator:{secrets.token_urlsafe(9)}"], True
        return _logins(arguments)
    return logins


def _roles(arguments: argparse.Namespace) -> "dict[str, Role]":
    """The role of each login. Raises ConfigError where there would be no owner."""
    from fastlabel_gradio.server.access import roles_of

    return roles_of(_given(arguments), others_reach=arguments.share or _others_reach(arguments))


def _given(arguments: argparse.Namespace) -> "list[Login]":
    from fastlabel_gradio.server.access import parse_login

    given = arguments.auth or os.environ.get(AUTH_VARIABLE, "").split(",")
    return [parse_login(entry) for entry in given if entry]


def _others_reach(arguments: argparse.Namespace) -> bool:
    return _host(arguments) not in LOOPBACK or bool(_names(arguments))


def _names(arguments: argparse.Namespace) -> list[str]:
    """Host names that lead here, beside those of this machine. Raises ConfigError."""
    from fastlabel_gradio.server.access import host_name

    listed = (
        *arguments.allow_host,
        *os.environ.get(HOSTS_VARIABLE, "").split(","),
        os.environ.get(SPACE_HOST_VARIABLE, ""),
    )
    return [host_name(name.strip()) for name in listed if name.strip()]


def _host(arguments: argparse.Namespace) -> str:
    given = arguments.host and arguments.host.strip("[]")
    return given or (os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0") if is_public_space() else "127.0.0.1")


def _open_browser(arguments: argparse.Namespace) -> bool:
    return not arguments.no_browser and not is_public_space() and sys.stdout.isatty()


def _tell(app: App, address: str, arguments: argparse.Namespace) -> None:
    lines = [f"FastLabel is at {address}", f"Everything is kept in {app.workdir}", *_login_lines(app, arguments)]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _login_lines(app: App, arguments: argparse.Namespace) -> list[str]:
    """Tokens, and a password that was made up; nothing secret where the environment gave it, for such output is kept."""
    tokens = {name: app.access.token(name) for name in app.access.logins}
    named = [f"{name} ({role})" for name, role in app.access.roles.items()]
    if tokens and not arguments.auth:
        return [f"Logins of ${AUTH_VARIABLE}: {', '.join(named)}. {_saved_tokens(app.workdir / 'tokens', tokens)}"]
    return [
        f"Login {who}{f' : {app.access.logins[name]}' if arguments.made_up else ''}"
        f"    REST: Authorization: Bearer {token}"
        for who, (name, token) in zip(named, tokens.items(), strict=True)
    ] + _role_advice(app)


def _saved_tokens(file: Path, tokens: dict[str, str]) -> str:
    """Writes them, and says where; a disk that takes nothing costs scripts their login and nobody else's."""
    from fastlabel_gradio.server.access import write_tokens

    try:
        write_tokens(file, tokens)
    except OSError as error:
        return f"Tokens for scripts cannot be written to {file} ({error.strerror}): make room there and start again"
    return f"Tokens for scripts are in {file}"


def _role_advice(app: App) -> list[str]:
    """What those who had every right in earlier versions are told."""
    annotators = [name for name, role in app.access.roles.items() if role == "annotator"]
    if not annotators:
        return []
    who = f"{', '.join(annotators)} may" if len(annotators) < 4 else "Annotators may"
    return [
        f"{who} label and undo their own labels. Write --auth NAME:PASSWORD:reviewer (or :owner) for more; docs/roles.md"
    ]


def _show_progress(app: App, stopped: threading.Event) -> None:
    """A progress bar of the embedding in the terminal, one project after the other, until all is done."""
    from tqdm import tqdm

    from fastlabel_gradio.sources.folder_walk import left_out_line

    for project in app.projects.values():
        with tqdm(desc=f"embedding {project.name}", unit=" items", disable=None) as bar:
            while not stopped.is_set() and (progress := project.pipeline.progress).state not in ("done", "failed"):
                bar.total = progress.total
                bar.update(progress.done - bar.n)
                stopped.wait(0.5)
        if said := left_out_line(project.source.left_out(), project.source.left_out_nouns):
            sys.stdout.write(f"{project.name}: {said}\n")
        progress = project.pipeline.progress
        if progress.notice:
            sys.stdout.write(f"{project.name}: {progress.notice}\n")
        if progress.error:
            sys.stdout.write(f"{project.name}: {progress.error}\n")
