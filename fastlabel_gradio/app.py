"""The app: from a command line to a running page. Builds the projects, the REST routes and the page, and serves them."""

import argparse
import csv
import hashlib
import logging
import os
import re
import secrets
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastlabel_gradio import __version__
from fastlabel_gradio.config import LOOPBACK, AppConfig, load_config, parse_config
from fastlabel_gradio.devices import pick_device
from fastlabel_gradio.errors import ConfigError, FastLabelError, shown
from fastlabel_gradio.yaml_file import yaml_value

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI

    from fastlabel_gradio.server.access import Access, Hosts
    from fastlabel_gradio.server.project import Project
    from fastlabel_gradio.ui.tab_info import TabInfo

DEMO_CONFIG = "demo.yaml"
SIMULATE = "simulate"  # a folder of that name is written ./simulate
COMPARE_ENCODERS = "compare-encoders"
LABEL_COMMANDS = ("export", "merge", "backup", "restore")
EXPORT_MODEL = "export-model"
PREDICT = "predict"
DEMO = "demo"
PROJECT_NAMES = {"image": "images", "audio": "audio"}
HERE = Path(__file__).parent
CONFIG_FOLDERS = (HERE / "configs", HERE.parent / "configs")  # in an installation, in a working copy
WORKDIR_VARIABLE = "FASTLABEL_WORKDIR"
AUTH_VARIABLE = "FASTLABEL_AUTH"
HOSTS_VARIABLE = "FASTLABEL_HOSTS"
SPACE_VARIABLE = "SPACE_ID"  # Hugging Face sets it in every Space, and the Space's host name
SPACE_HOST_VARIABLE = "SPACE_HOST"
LOGIN_ADVICE = "After five wrong passwords each one has to wait longer, up to five minutes."
ANNOTATOR_NAME = re.compile(r"(?!\.{1,2}$)[^/\\\x00-\x1f\x7f]{1,64}")  # it may name a folder

log = logging.getLogger(__name__)

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


@dataclass(frozen=True, slots=True)
class App:
    """A built app, not yet serving."""

    config: AppConfig
    projects: dict[str, "Project"]
    access: "Access"
    page: "gr.Blocks"
    workdir: Path

    def serve(
        self,
        *,
        host: str,
        port: int | None,
        share: bool,
        open_browser: bool,
        quiet: bool = False,
        names: Sequence[str] = (),
    ) -> str:
        """Starts the server in the background and returns the address.

        Args:
            names: host names beside those of this machine that lead here: a reverse proxy's, a Space's.

        Raises:
            ConfigError: one of the names can be none. OSError: the port is taken.
        """
        from fastlabel_gradio.server.access import Hosts
        from fastlabel_gradio.ui.app_layout import PAGE_CSS, PAGE_THEME, page_head
        from fastlabel_gradio.ui.words import PAGE_WORDS

        hosts = Hosts(host, names)
        _, address, share_address = self.page.launch(
            server_name=f"[{host}]" if ":" in host and not host.startswith("[") else host,
            server_port=port,
            share=share,
            inbrowser=open_browser,
            quiet=quiet,
            prevent_thread_lock=True,
            auth=self.access.log_in if self.access.logins else None,  # type: ignore[arg-type]  # it awaits, too
            auth_message=LOGIN_ADVICE,
            app_kwargs={"lifespan": self._behind_the_guard(hosts)},
            ssr_mode=False,  # Spaces turn it on; its proxy answers /api itself
            theme=PAGE_THEME,
            css=PAGE_CSS,
            head=page_head(),
            i18n=PAGE_WORDS,
            footer_links=[],
        )
        if share_address:
            hosts.add(urlsplit(share_address).netloc)
        return share_address or address

    def _behind_the_guard(self, hosts: "Hosts") -> Callable[["FastAPI"], AbstractAsyncContextManager[None]]:
        """Puts the guard around Gradio's app when that starts, after its middleware and before its first request."""
        from fastlabel_gradio.server.access import guarded
        from fastlabel_gradio.server.api import create_api
        from fastlabel_gradio.ui.page_routes import page_needs
        from fastlabel_gradio.ui.plotly_file import plotly_routes
        from fastlabel_gradio.ui.web_files import web_files, web_routes

        api = create_api(self.projects)
        api.include_router(plotly_routes())
        api.include_router(web_routes(web_files()))

        @asynccontextmanager
        async def lifespan(gradio: "FastAPI") -> AsyncIterator[None]:
            gradio.middleware_stack = guarded(
                gradio.middleware_stack or gradio.build_middleware_stack(),
                api,
                page_needs=page_needs,
                hosts=hosts,
                access=self.access,
                framed=_is_public_space(),
            )
            yield

        return lifespan

    def close(self) -> None:
        """Stops serving and closes the projects."""
        self.page.close()
        for project in self.projects.values():
            project.close()


def create_app(config: AppConfig, workdir: Path, logins: dict[str, str] | None = None) -> App:
    """Opens everything that a configuration names, and begins to embed.

    From here on files that this process makes are its owner's alone.

    Args:
        workdir: made if missing; each project keeps a folder in it.
        logins: password by annotator name; none means that whoever can connect may come in.

    Raises:
        FastLabelError: something cannot be used; what was opened before is closed again.
    """
    # Gradio and torch take seconds to import: `--help` and a wrong command line must not wait for them.
    from fastlabel_gradio.server.access import Access, close_to_others, load_secret, make_files_private
    from fastlabel_gradio.server.project import Project

    make_files_private()
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        for project_config in config.projects:
            close_to_others(workdir / project_config.name)
    except OSError as error:
        raise ConfigError(
            f"{workdir} cannot be the working directory: {error.strerror}. Choose another --workdir."
        ) from error
    projects: dict[str, Project] = {}
    with ExitStack() as undo:
        for project_config in config.projects:
            project = Project(project_config, config.base_dir, workdir, pick_device())
            undo.callback(project.close)
            projects[project.name] = project
        for project in projects.values():
            project.start()
        from fastlabel_gradio.ui.app_layout import build_page  # takes seconds: the projects are at work meanwhile

        access = Access(logins or {}, load_secret(workdir / "secret"))
        page = build_page(config.title, [_tab(project) for project in projects.values()])
        undo.pop_all()
    return App(config, projects, access, page, workdir)


def main(argv: Sequence[str] | None = None) -> None:
    """The command line. Returns when the app was stopped by Ctrl-C or SIGTERM, or when the simulation is done.

    Exits with the error's text and 1 where something cannot be used, with 2 where the command line itself is wrong.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == [SIMULATE]:
        from fastlabel_gradio.simulation import main as simulate

        simulate(words[1:], _add_data_arguments, _config_of_data)
    elif words[:1] == [COMPARE_ENCODERS]:
        from fastlabel_gradio.comparison.command_line import main as compare_encoders

        compare_encoders(words[1:], _add_data_arguments, _config_of_data, _workdir)
    elif words and words[0] in LABEL_COMMANDS:
        from fastlabel_gradio.label_commands import run

        run(words[0], words[1:])
    elif words[:1] == [EXPORT_MODEL]:
        from fastlabel_gradio.classifier.export_command import main as export_model

        export_model(words[1:], _add_data_arguments, _workdir)
    elif words[:1] == [PREDICT]:
        from fastlabel_gradio.classifier.predict_command import main as predict

        predict(words[1:])
    elif words[:1] == [DEMO]:
        from fastlabel_gradio.ui.demo import main as demo

        demo(words[1:])
    else:
        _serve(_parser().parse_args(words))


def _serve(arguments: argparse.Namespace) -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        config = _config(arguments)
        logins = _logins(arguments)
        workdir = _workdir(arguments)
        if arguments.config and not arguments.workdir:
            _tell_of_earlier(workdir, config)
        app = create_app(config, workdir, logins)
    except FastLabelError as error:
        sys.exit(f"fastlabel: {error}")
    _import_files(app, arguments)
    _run(app, arguments)


def _import_files(app: App, arguments: argparse.Namespace) -> None:
    """What `--import` names, before anybody labels. Exits where a file cannot be used."""
    from fastlabel_gradio.server.access import LOCAL_ANNOTATOR
    from fastlabel_gradio.server.import_job import import_labels

    annotator = next(iter(app.access.logins), LOCAL_ANNOTATOR)
    try:
        for name, path in map(_import_of, arguments.import_files):
            project = app.projects[app.config.project(name).name]
            if not path.is_file():
                raise ConfigError(f"--import {path}: there is no such file.")
            done = import_labels(project, annotator, path, path.name, arguments.import_as)
            sys.stdout.write(f"{project.name}: {path.name}: {done.text()}\n")
    except FastLabelError as error:
        app.close()
        sys.exit(f"fastlabel: {error}")


def _import_of(text: str) -> tuple[str | None, Path]:
    """A project's name, where it stands before the file, and the file."""
    name, sign, file = text.partition("=")
    return (name, Path(file).expanduser()) if sign and not Path(text).exists() else (None, Path(text).expanduser())


def _run(app: App, arguments: argparse.Namespace) -> None:
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
        sys.exit(f"fastlabel: {reason}. Choose another --port, or leave it out to get a free one.")
    finally:
        app.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "fastlabel", description=_DESCRIPTION, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    _add_data_arguments(parser)
    parser.add_argument(
        "--workdir",
        type=Path,
        metavar="D",
        help=f"where to keep everything (default: ${WORKDIR_VARIABLE} or ~/.fastlabel)",
    )
    parser.add_argument(
        "--encoder-change",
        choices=("better", "always", "at_once"),
        help="when an --encoder other than the one in use takes over: where it is better (default), once it has embedded "
        "the pool, or before that",
    )
    parser.add_argument(
        "--import",
        dest="import_files",
        action="append",
        default=[],
        metavar="FILE",
        help="take labels in from a table, an export, Label Studio, Raven or Audacity; PROJECT=FILE where there are several",
    )
    parser.add_argument(
        "--import-as",
        choices=("labels", "suggestions", "references"),
        default="labels",
        help="what they are taken as (default: %(default)s)",
    )
    server = parser.add_argument_group("how to serve it")
    server.add_argument("--host", metavar="H", help="address to listen on (default: 127.0.0.1, this machine only)")
    server.add_argument("--port", type=_port, metavar="P", help="port (default: 7860, or the next free one)")
    server.add_argument("--share", action="store_true", help="make a public link for remote annotators; needs a login")
    server.add_argument(
        "--auth",
        action="append",
        default=[],
        metavar="NAME:PASSWORD",
        help="a login, once per annotator; the name signs the labels",
    )
    server.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name that leads here, such as a reverse proxy's; needs a login; may be repeated",
    )
    server.add_argument("--no-browser", action="store_true", help="do not open the page")
    parser.set_defaults(made_up=False)
    parser.add_argument("--version", action="version", version=f"fastlabel {__version__}")
    return parser


def _add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """What to label: the options that `fastlabel` and `fastlabel simulate` share."""
    data = parser.add_argument_group("what to label")
    data.add_argument(
        "path", nargs="?", type=Path, metavar="PATH", help="a folder of pictures or sounds, or a table (.csv, .json, …)"
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
        "(default: auto, the best to be had)",
    )
    data.add_argument(
        "--set-encoder",
        action="append",
        default=[],
        type=_option,
        metavar="KEY=VALUE",
        help="any option of --encoder, once per option: --encoder timm --set-encoder model=vit_small_patch14_dinov2.lvd142m",
    )


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535, or leave it out")
    return int(text)


def _option(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not (key.strip() and sign):
        raise argparse.ArgumentTypeError(f"{text!r} is no option: write KEY=VALUE, for example root=../pictures")
    return key.strip(), value


def _class_names(text: str) -> list[str]:
    """The names between commas, without blanks and quotes around them; one in double quotes may hold a comma."""
    [cells] = list(csv.reader([text.replace("\n", " ")], skipinitialspace=True)) or [[]]
    names = [name.strip() for name in cells]
    return [name[1:-1].strip() if len(name) > 1 and name[0] == name[-1] == "'" else name for name in names if name]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no length: give seconds above 0, for example 3 or 0.5")
    return seconds


def _config(arguments: argparse.Namespace) -> AppConfig:
    """The configuration that the command line names or describes, as it is served. Raises ConfigError, SourceError."""
    config = _config_of_data(arguments)
    if not _is_public_space() or _logins(arguments):
        return config
    # Strangers come and go: none of them may change what another sees.
    projects = [{**project.model_dump(), "sharing": "private"} for project in config.projects]
    return parse_config({**config.model_dump(), "projects": projects}, "command line")


def _config_of_data(arguments: argparse.Namespace) -> AppConfig:
    """What the options of `_add_data_arguments` name. Raises ConfigError, SourceError."""
    if arguments.path and arguments.config:
        raise ConfigError("PATH and --config exclude each other: put the path into the configuration's source.")
    if not arguments.path and (given := _of_path_alone(arguments)):
        raise ConfigError(
            f"{given} needs a PATH. In a configuration the options of a source stand in its source block."
        )
    config = _config_of_path(arguments) if arguments.path else load_config(arguments.config or _demo_config())
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
    if not overrides:
        return config
    projects = [{**project.model_dump(), **overrides} for project in config.projects]
    return parse_config({**config.model_dump(), "projects": projects}, "command line")


def _encoder(arguments: argparse.Namespace) -> dict[str, object]:
    """The encoder that the command line names, with its options; empty where it names none. Raises ConfigError."""
    if not arguments.encoder and arguments.set_encoder:
        raise ConfigError("--set-encoder needs --encoder, whose option it sets.")
    options = {key: yaml_value(value) for key, value in arguments.set_encoder}
    return {"kind": arguments.encoder, **options} if arguments.encoder else {}


def _config_of_path(arguments: argparse.Namespace) -> AppConfig:
    from fastlabel_gradio.sources import guess_source

    media_kind, source, options = guess_source(arguments.path, arguments.kind)
    options |= _source_options(source, arguments)
    project = {"name": PROJECT_NAMES[media_kind], "source": {"kind": source, **options}}
    title = f"FastLabel: {arguments.path.resolve().name}"
    return parse_config({"title": title, "projects": [project], "base_dir": Path.cwd()}, "command line")


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
        what = f"{arguments.path} is taken as '{source}', which has no option '{unknown[0]}'"
        raise ConfigError(f"{what}. Its options: {known or 'none but the path'}.")
    return given


def _demo_config() -> Path:
    """The demo's configuration. Raises ConfigError where the installation lacks it."""
    found = [path for folder in CONFIG_FOLDERS if (path := folder / DEMO_CONFIG).is_file()]
    if not found:
        raise ConfigError(
            f"The demo's configuration {DEMO_CONFIG} is in neither of {', '.join(map(str, CONFIG_FOLDERS))}. "
            "Install FastLabel again, or name what to label: fastlabel PATH, or --config F."
        )
    return found[0]


def _workdir(arguments: argparse.Namespace) -> Path:
    """`--workdir`, or a folder of its own for each source below $FASTLABEL_WORKDIR or ~/.fastlabel.

    A folder or table that was moved or renamed finds its own again.
    """
    if arguments.workdir:
        return Path(arguments.workdir)
    base = Path(os.environ.get(WORKDIR_VARIABLE) or Path.home() / ".fastlabel")
    origin = (arguments.path or arguments.config or _demo_config()).resolve()
    name = f"{origin.stem}-{hashlib.blake2b(os.fsencode(origin), digest_size=4).hexdigest()}"
    if not arguments.path:
        return base / name
    from fastlabel_gradio.pool.source_identity import find_workdir

    workdir, says = find_workdir(base, base / name, origin)
    if says:
        log.warning("%s", says)
    return workdir


def _tell_of_earlier(workdir: Path, config: AppConfig) -> None:
    """Says where the labels of a configuration are that was moved or renamed."""
    from fastlabel_gradio.pool.source_identity import data_path, earlier_workdir

    data = {project.name: data_path(project.source.options, config.base_dir) for project in config.projects}
    if says := earlier_workdir(workdir.parent, workdir, data):
        log.warning("%s", says)


def _logins(arguments: argparse.Namespace) -> dict[str, str]:
    """Logins of the command line or the environment; one is made up where others could reach the app without."""
    given = arguments.auth or [entry for entry in os.environ.get(AUTH_VARIABLE, "").split(",") if entry]
    logins = dict(_login(entry) for entry in given)
    if len(logins) < len(given):
        raise ConfigError("--auth names somebody twice. Give each annotator one password.")
    if not logins and (arguments.share or (_others_reach(arguments) and not _is_public_space())):
        arguments.auth, arguments.made_up = [f"annotator:{secrets.token_urlsafe(9)}"], True
        return _logins(arguments)
    return logins


def _login(entry: str) -> tuple[str, str]:
    """A name and its password. What was given is not repeated: it may be a password."""
    name, colon, password = entry.partition(":")
    name = name.strip()  # as the login form has it
    if not (name and colon and password):
        raise ConfigError(f"--auth: write NAME:PASSWORD, for example --auth ann:{secrets.token_urlsafe(6)}")
    if not ANNOTATOR_NAME.fullmatch(name):
        raise ConfigError(f"--auth: {shown(name)} cannot be a name. Use at most 64 characters, no '/' and no '\\'.")
    return name, password


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
    return given or (os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0") if _is_public_space() else "127.0.0.1")


def _is_public_space() -> bool:
    return SPACE_VARIABLE in os.environ


def _open_browser(arguments: argparse.Namespace) -> bool:
    return not arguments.no_browser and not _is_public_space() and sys.stdout.isatty()


def _tab(project: "Project") -> "TabInfo":
    from fastlabel_gradio.exports import EXPORTERS
    from fastlabel_gradio.strategies import STRATEGIES
    from fastlabel_gradio.ui.tab_info import TabInfo

    return TabInfo(
        project=project.name,
        kind=project.kind,
        title=project.name,
        strategies=STRATEGIES.names(),
        strategy=project.config.strategy,
        batch_size=project.config.batch_size,
        sound_view=project.source.sound_view,
        exports=EXPORTERS.names(),
    )


def _tell(app: App, address: str, arguments: argparse.Namespace) -> None:
    lines = [f"FastLabel is at {address}", f"Everything is kept in {app.workdir}", *_login_lines(app, arguments)]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _login_lines(app: App, arguments: argparse.Namespace) -> list[str]:
    """Tokens, and a password that was made up; nothing secret where the environment gave it, for such output is kept."""
    from fastlabel_gradio.server.access import write_tokens

    tokens = {name: app.access.token(name) for name in app.access.logins}
    if tokens and not arguments.auth:
        write_tokens(app.workdir / "tokens", tokens)
        return [f"Logins of ${AUTH_VARIABLE}: {', '.join(tokens)}. Tokens for scripts are in {app.workdir / 'tokens'}"]
    return [
        f"Login {name}{f' : {app.access.logins[name]}' if arguments.made_up else ''}"
        f"    REST: Authorization: Bearer {token}"
        for name, token in tokens.items()
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
