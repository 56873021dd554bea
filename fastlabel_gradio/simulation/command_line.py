"""The command line of `fastlabel simulate`."""

import argparse
import json
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from fastlabel_gradio.config import AppConfig, PartConfig
from fastlabel_gradio.data_options import add_data_options, config_of
from fastlabel_gradio.encoders import AUTO
from fastlabel_gradio.encoders.listed import listed_encoders
from fastlabel_gradio.errors import ConfigError, EncoderUnavailableError
from fastlabel_gradio.simulation.experiment import simulate
from fastlabel_gradio.simulation.runs import Behaviour, EncoderResult, Simulation
from fastlabel_gradio.simulation.table import plot, table

SEEDS = 10

log = logging.getLogger(__name__)


def main(argv: Sequence[str]) -> str:
    """The table. Raises FastLabelError where something cannot be used."""
    arguments = parser().parse_args(argv)
    behaviour = Behaviour(arguments.batch, arguments.labels, arguments.noise, arguments.leaves_open)
    if arguments.plot:
        _require_matplotlib()
    with tempfile.TemporaryDirectory(prefix="fastlabel-simulation-") as folder:
        simulation = _simulated(arguments, arguments.workdir or Path(folder), behaviour)
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(simulation)) + "\n", encoding="utf-8")
    if arguments.plot:
        plot(simulation, arguments.plot)
    return table(simulation).rstrip("\n")


def _simulated(arguments: argparse.Namespace, workdir: Path, behaviour: Behaviour) -> Simulation:
    """The simulation with each encoder of `--encoder a,b`. One that is not available is told, unless there is no other."""
    config, parts = _parts(arguments)
    found: dict[str, Simulation] = {}
    unavailable: list[tuple[str, str]] = []
    for name, part in parts.items():
        project = config.project(arguments.project).model_copy(update={"encoder": part, "encoder_change": "at_once"})
        strategies = arguments.strategy or list(dict.fromkeys((project.strategy, "random")))
        try:
            simulation = simulate(project, config.base_dir, workdir, strategies, arguments.seeds, behaviour)
        except EncoderUnavailableError as error:
            log.warning("%s: %s", name, error)
            unavailable.append((name, str(error)))
            continue
        found[simulation.runs[0].encoder if name == AUTO else name] = simulation
    if not found:
        raise EncoderUnavailableError(unavailable[0][1])
    return _together(found, unavailable)


def _parts(arguments: argparse.Namespace) -> tuple[AppConfig, dict[str, PartConfig]]:
    """The configuration, and the encoders by their names in the list; a single one is taken as the app takes it."""
    text = arguments.encoder or ""
    if not {",", ":"} & set(text):
        config = config_of(arguments)
        own = config.project(arguments.project).encoder
        return config, {own.kind: own}
    if arguments.set_encoder:
        raise ConfigError(
            "--set-encoder sets an option of one encoder. In a list name a model or path behind a colon: timm:MODEL"
        )
    config = config_of(argparse.Namespace(**{**vars(arguments), "encoder": None}))
    return config, {name: PartConfig.model_validate(block) for name, block in listed_encoders(text).items()}


def _together(found: dict[str, Simulation], unavailable: list[tuple[str, str]]) -> Simulation:
    """With each encoder called as on the command line: two may be of one kind."""
    runs = [replace(run, encoder=name) for name, simulation in found.items() for run in simulation.runs]
    results = [
        EncoderResult(name, simulation.full_supervision, simulation.runs[0].items_per_s)
        for name, simulation in found.items()
    ]
    first = next(iter(found.values()))
    return replace(first, runs=runs, encoders=results, unavailable=unavailable)


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        "fastlabel simulate",
        description="Labels a pool whose labels are known as a person would, and tells how fast the classifier gets good.",
    )
    add_data_options(options)
    options.add_argument("--project", metavar="NAME", help="which of its projects, if it has several")
    _add_annotator_options(options)
    options.add_argument("--json", type=Path, metavar="OUT", help="write every learning curve to this file")
    options.add_argument(
        "--plot", type=Path, metavar="OUT", help="draw the learning curves to this PNG; needs matplotlib"
    )
    options.add_argument("--workdir", type=Path, metavar="D", help="keep the embeddings there for another time")
    return options


def _add_annotator_options(options: argparse.ArgumentParser) -> None:
    """What is labeled in which order, and how the simulated annotator answers."""
    usual = Behaviour()
    options.add_argument(
        "--strategy",
        action="append",
        metavar="S",
        help="a query strategy, once for each (default: the project's own, and random)",
    )
    options.add_argument(
        "--batch", type=int, default=usual.batch, metavar="N", help="items a batch (default: %(default)s)"
    )
    options.add_argument(
        "--labels", type=int, default=usual.labels, metavar="N", help="labels a run (default: %(default)s)"
    )
    options.add_argument(
        "--seeds", type=int, default=SEEDS, metavar="N", help="runs of each strategy (default: %(default)s)"
    )
    options.add_argument(
        "--noise",
        type=float,
        default=usual.noise,
        metavar="P",
        help="share of wrong answers, 0 to 1 (default: %(default)s)",
    )
    options.add_argument(
        "--leaves-open",
        type=float,
        default=usual.left_open_share,
        metavar="P",
        help="share of the pool, the hardest, that gets no answer (default: %(default)s)",
    )


def _require_matplotlib() -> None:
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ConfigError("--plot needs matplotlib: pip install 'fastlabel-gradio[bench]'.") from error
