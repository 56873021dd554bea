"""What people read of a simulation: what it was played on, the table of its runs, and their curves as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from fastlabel_gradio.head.evaluation import area_under_curve, labels_to_reach, mean_interval
from fastlabel_gradio.simulation.runs import Run, Setting, Simulation

SHOWN_SHARES = (0.9, 0.95)


def describe(setting: Setting) -> list[str]:
    """What is played on, in lines."""
    grouped = f" of {setting.test_groups:,} {setting.grouping}" if setting.grouping else ""
    lines = [
        f"{setting.project}: {setting.items:,} items of {setting.classes} classes, encoder {setting.encoder}; "
        f"the test part has {setting.test_items:,} items{grouped}"
    ]
    if setting.shared_groups:
        lines.append(
            f"{setting.shared_groups:,} of these {setting.grouping} are in the pool too: the accuracy is higher than on new "
            f"{setting.grouping}. Hold out whole ones."
        )
    return lines


def table(simulation: Simulation) -> str:
    """The runs as a Markdown table: mean accuracy with its 95 % interval at some checkpoints, and labels to a target.

    Of several encoders one table, with the items that each embeds a second.
    """
    if len(simulation.encoders) > 1 or simulation.unavailable:
        return table_of_encoders(simulation)
    targets = [share * simulation.full_supervision for share in SHOWN_SHARES]
    lines = [*(describe(simulation.setting) if simulation.setting else ()), ""]
    lines += [
        _full_line(simulation),
        f"In brackets: 95 % interval of the mean of {_count_of_runs(simulation.runs)}.",
        "",
    ]
    by_strategy = _by_strategy(simulation.runs)
    counts = _common_counts(simulation.runs)
    checkpoints = _shown_checkpoints(len(counts))
    header = ["strategy", *(f"{counts[place]} labels" for place in checkpoints), "area"]
    header += [f"labels to {share:.0%} of it" for share in SHOWN_SHARES]
    lines += ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    for strategy, runs in by_strategy.items():
        curves = _curves(runs, counts)
        cells = [_mean_cell(curves[:, place]) for place in checkpoints]
        cells.append(
            f"{np.mean([area_under_curve(run.labels, run.accuracy) for run in runs]):.3f}" if len(counts) > 1 else ""
        )
        cells += [_median_labels(runs, target) for target in targets]
        lines.append(f"| {strategy} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def table_of_encoders(simulation: Simulation) -> str:
    """One row an encoder and strategy: mean accuracy with its 95 % interval at 10, 50, 200, … labels, and with every one."""
    counts = _round_counts(simulation.runs)
    header = ["encoder", "strategy", *(f"{count} labels" for count in counts), "every label", "items a second"]
    lines = [
        *(describe(simulation.setting) if simulation.setting else ()),
        "",
        f"In brackets: 95 % interval of the mean of {_count_of_runs(simulation.runs)}.",
        "",
        "| " + " | ".join(header) + " |",
        "|" + "---|" * len(header),
    ]
    for result in simulation.encoders:
        for strategy, runs in _by_strategy([run for run in simulation.runs if run.encoder == result.encoder]).items():
            cells = [_mean_cell(column) for column in _curves(runs, counts).T]
            cells += [f"{100 * result.full_supervision:.1f}", f"{result.items_per_s:,.0f}"]
            lines.append(f"| {result.encoder} | {strategy} | " + " | ".join(cells) + " |")
    lines += [f"| {encoder} | not available: {reason} |" for encoder, reason in simulation.unavailable]
    return "\n".join(lines) + "\n"


def _round_counts(runs: Sequence[Run]) -> list[int]:
    """10, 50, 200, 500, 1000, … labels as far as all runs go, and where they end."""
    counts = _common_counts(runs)
    wanted = [step * 10**power for power in range(1, 6) for step in (1, 2, 5) if (step, power) not in ((2, 1), (1, 2))]
    return [count for count in wanted if counts[0] <= count < counts[-1]] + [counts[-1]]


def plot(simulation: Simulation, destination: Path) -> None:
    """Learning curves with 95 % bands of the mean over seeds, none for one seed, as a PNG. Needs matplotlib."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name, runs in _by_curve(simulation.runs).items():
        counts = _common_counts(runs)
        curves = _curves(runs, counts)
        low, high = mean_interval(curves)
        [line] = axes.plot(counts, curves.mean(axis=0), label=name)
        axes.fill_between(counts, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    axes.axhline(
        simulation.full_supervision, color="grey", linestyle="--", linewidth=1, label="every label of the pool"
    )
    axes.set(xlabel="labels", ylabel="accuracy on the test part")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(destination, dpi=120, format="png")


def _full_line(simulation: Simulation) -> str:
    """The accuracy with every label, with how sure the test part makes it."""
    setting, line = simulation.setting, f"Accuracy with every label of the pool: {simulation.full_supervision:.1%}"
    if setting is None:
        return line
    kind = f"new {setting.grouping}" if setting.grouping and not setting.shared_groups else "items like these"
    return f"{line}, {setting.low:.1%} to {setting.high:.1%} for {kind} (95 % interval by the size of the test part)"


def _count_of_runs(runs: Sequence[Run]) -> str:
    seeds = len({run.seed for run in runs})
    return f"{seeds} runs, on this test part" if seeds > 1 else "the runs; one run has none, two seeds or more do"


def _mean_cell(accuracy: Float64[np.ndarray, " runs"]) -> str:
    """The mean in percent, with its interval where there are two runs or more."""
    mean, (low, high) = accuracy.mean(), mean_interval(accuracy[:, None])
    if np.isnan(low[0]):
        return f"{100 * mean:.1f}"
    return f"{100 * mean:.1f} ({100 * max(low[0], 0):.1f} to {100 * min(high[0], 1):.1f})"


def _by_strategy(runs: Sequence[Run]) -> Mapping[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.strategy, []).append(run)
    return found


def _by_curve(runs: Sequence[Run]) -> Mapping[str, list[Run]]:
    """By strategy, and by encoder where there are several."""
    encoders = list(dict.fromkeys(run.encoder for run in runs))
    if len(encoders) < 2:
        return _by_strategy(runs)
    of_encoder = {encoder: _by_strategy([run for run in runs if run.encoder == encoder]) for encoder in encoders}
    return {f"{encoder}, {strategy}": of for encoder, found in of_encoder.items() for strategy, of in found.items()}


def _common_counts(runs: Sequence[Run]) -> list[int]:
    """Numbers of labels at which curves can be compared: those of the run that ends first, from where all have begun."""
    first, last = max(run.labels[0] for run in runs), min(run.labels[-1] for run in runs)
    shortest = min(runs, key=lambda run: run.labels[-1])
    return [count for count in shortest.labels if first <= count <= last] or [last]


def _curves(runs: Sequence[Run], counts: Sequence[int]) -> Float64[np.ndarray, "runs counts"]:
    """The accuracy of each run at those numbers of labels, on the line between its own checkpoints.

    Where some items are left open, the batches of two runs do not end at the same numbers of labels.
    """
    return np.array([np.interp(counts, run.labels, run.accuracy) for run in runs], dtype=np.float64)


def _shown_checkpoints(count: int) -> list[int]:
    """Places of up to five checkpoints, each twice as far as the one before, the last one the end."""
    places = {count - 1, *((count - 1) >> step for step in range(1, 5))}
    return sorted(place for place in places if place >= 0)


def _median_labels(runs: Sequence[Run], target: float) -> str:
    """Median over the runs, the higher of the two middle ones; one that never gets there counts as more than any."""
    reached = [labels_to_reach(run.labels, run.accuracy, target) for run in runs]
    numbers = sorted(float("inf") if labels is None else labels for labels in reached)
    middle = numbers[len(numbers) // 2]
    most = max(run.labels[-1] for run in runs)
    return f"more than {most}" if middle == float("inf") else f"{middle:.0f}"
