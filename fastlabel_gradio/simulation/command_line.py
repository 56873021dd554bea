"""The command line of `fastlabel simulate`."""

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from fastlabel_gradio.config import AppConfig, PartConfig
from fastlabel_gradio.encoders import AUTO
from fastlabel_gradio.encoders.listed import listed_encoders
from fastlabel_gradio.errors import ConfigError, EncoderUnavailableError, FastLabelError
from fastlabel_gradio.simulation.experiment import simulate
from fastlabel_gradio.simulation.runs import Behaviour, EncoderResult, Simulation
from fastlabel_gradio.simulation.table import plot, table

SEEDS = 10

log = logging.getLogger(__name__)


def main(
    argv: Sequence[str],
    add_data_arguments: Callable[[argparse.ArgumentParser], None],
    config_of: Callable[[argparse.Namespace], AppConfig],
) -> None:
    """The command line of `fastlabel simulate`. Exits with the error's text and 1 where something cannot be used.

    Args:
        add_data_arguments: adds the options that say what to label, those of the app.
        config_of: the configuration that they name.
    """
    arguments = _parser(add_data_arguments).parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    behaviour = Behaviour(arguments.batch, arguments.labels, arguments.noise, arguments.leaves_open)
    try:
        if arguments.plot:
            _require_matplotlib()
        with tempfile.TemporaryDirectory(prefix="fastlabel-simulation-") as folder:
            workdir = arguments.workdir or Path(folder)
            simulation = _simulated(arguments, config_of, workdir, behaviour)
    except FastLabelError as error:
        sys.exit(f"fastlabel: {error}")
    sys.stdout.write(table(simulation))
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(simulation)) + "\n", encoding="utf-8")
    if arguments.plot:
        plot(simulation, arguments.plot)


def _simulated(
    arguments: argparse.Namespace,
    config_of: Callable[[argparse.Namespace], AppConfig],
    workdir: Path,
    behaviour: Behaviour,
) -> Simulation:
    """The simulation with each encoder of `--encoder a,b`. One that cannot be had is told, unless there is no other."""
    config, parts = _parts(arguments, config_of)
    found: dict[str, Simulation] = {}
    unavailable: list[tuple[str, str]] = []
    for name, part in parts.items():
        project = config.project(arguments.project).model_copy(update={"encoder": part})
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


def _parts(
    arguments: argparse.Namespace, config_of: Callable[[argparse.Namespace], AppConfig]
) -> tuple[AppConfig, dict[str, PartConfig]]:
    """The configuration, and the encoders by their names in the list; a single one is taken as the app takes it."""
    text = arguments.encoder or ""
    if not {",", ":"} & set(text):
        config = config_of(arguments)
        own = config.project(arguments.project).encoder
        return config, {own.kind: own}
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


def _parser(add_data_arguments: Callable[[argparse.ArgumentParser], None]) -> argparse.ArgumentParser:
    usual = Behaviour()
    parser = argparse.ArgumentParser(
        "fastlabel simulate",
        description="Labels a pool whose labels are known as a person would, and tells how fast the classifier gets good.",
    )
    add_data_arguments(parser)
    parser.add_argument("--project", metavar="NAME", help="which of its projects, if it has several")
    parser.add_argument(
        "--strategy",
        action="append",
        metavar="S",
        help="a query strategy, once for each (default: the project's own, and random)",
    )
    parser.add_argument(
        "--batch", type=int, default=usual.batch, metavar="N", help="items a batch (default: %(default)s)"
    )
    parser.add_argument(
        "--labels", type=int, default=usual.labels, metavar="N", help="labels a run (default: %(default)s)"
    )
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, metavar="N", help="runs of each strategy (default: %(default)s)"
    )
    parser.add_argument(
        "--noise",
        type=float,
        default=usual.noise,
        metavar="P",
        help="share of wrong answers, 0 to 1 (default: %(default)s)",
    )
    parser.add_argument(
        "--leaves-open",
        type=float,
        default=usual.leaves_open,
        metavar="P",
        help="share of the pool, the hardest, that gets no answer (default: %(default)s)",
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every learning curve to this file")
    parser.add_argument(
        "--plot", type=Path, metavar="OUT", help="draw the learning curves to this PNG; needs matplotlib"
    )
    parser.add_argument("--workdir", type=Path, metavar="D", help="keep the embeddings there for another time")
    return parser


def _require_matplotlib() -> None:
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ConfigError("--plot needs matplotlib: pip install 'fastlabel-gradio[bench]'.") from error
