"""Items a second of the embedding pipeline, and peak memory: pictures by `clip` (random weights, ViT-B-32), `pretrained`
and `offline`, sounds by `clap` (random weights, HTSAT-unfused), `pretrained_sounds` and `offline_sounds`.

Contestants, each in a process of its own, taking turns; the figures are medians of the turns:

- pipeline: the app's own EmbeddingPipeline into a fresh store, from the scan to the last row on disk.
- preparing alone: all but `encode` and writing, in as many threads as the pipeline has. On a GPU this is what holds it up.
- encoder alone: `encode` on prepared arrays in memory, at the best of several batch sizes, each tried with all cores in one
  call and with a call on each core. For `pretrained` that is the network, the features learned from the pool and the
  projection. Finding, reading, decoding and scaling the files, their thumbnails, the sound of a clip as decibels, and the
  store are not in it: they are what the pipeline may cost. Aim: pipeline / alone >= 0.9.
- one at a time: open, preprocess, encode one in fp32, append to a list, as comparable programs do; for the others the
  encoder itself, one item a call. Aim for clip: pipeline / one at a time >= 4.5.

CLIP's and CLAP's weights are drawn at random and saved as a checkpoint, which is loaded by the path of real ones: the
time does not depend on their values. Loading, fitting and a first batch count neither in the time nor in the memory.
"""

import argparse
import csv
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmarks.data import opened
from benchmarks.memory import forget_peak_memory, peak_memory_mib
from benchmarks.report import Cell, Measured, Option, Table, own_process, run, say
from benchmarks.workload import picture_folder, sound_folder
from fastlabel_gradio.sources import Source
from fastlabel_gradio.types import Item, Medium

if TYPE_CHECKING:
    from fastlabel_gradio.encoders import Encoder

ENCODERS = {  # items
    "clip": 640,
    "pretrained": 1_500,
    "offline": 10_000,
    "clap": 120,
    "pretrained_sounds": 300,
    "offline_sounds": 600,
}
OF_PICTURES = ("clip", "pretrained", "offline")
NOUNS = {"image": "pictures", "audio": "sounds"}
SUFFIXES = (".jpg", ".jpeg", ".png", ".wav", ".ogg", ".flac")
CONTESTANTS = ("pipeline", "encoder alone", "preparing alone", "one at a time")
SWEEP = (16, 32, 64, 128, 256)
SWEEP_OF_CLAP = (4, 8, 16)  # a clip takes it as long as fifteen pictures take CLIP
ALONE_SHARE, SINGLE_SHARE = 2, 6  # the other contestants get a half and a sixth of the pictures,
ALONE_MOST, SINGLE_MOST = 4_096, 600  # but no more than that
PAUSE_S = 0.5  # between turns: idle threads of the last contestant stop spinning


@dataclass(frozen=True, slots=True)
class Task:
    """What a contestant works on. `weights`: the checkpoint of CLIP or CLAP, or what another learned."""

    name: str
    weights: Path
    table: Path
    root: Path
    count: int

    @property
    def kind(self) -> Medium:
        return "image" if self.name in OF_PICTURES else "audio"

    @property
    def encoder(self) -> str:
        return self.name.removesuffix("_sounds")

    def source(self) -> Source:
        return opened("table", path=self.table, root=self.root, media=self.kind)

    def open_encoder(self) -> "Encoder":
        from fastlabel_gradio.encoders import FittedEncoder, check_encoder

        where = {"clip": "pretrained", "clap": "model"}
        options = {where[self.name]: str(self.weights)} if self.name in where else {}
        encoder, _ = check_encoder(self.encoder, options, self.kind).open()
        if isinstance(encoder, FittedEncoder):
            encoder.load(self.weights)
        return encoder

    def prepared(self, encoder: "Encoder", count: int) -> list[np.ndarray]:
        source = self.source()

        def prepare(item: Item) -> np.ndarray:
            return encoder.prepare(source.read(item, encoder.resolution))

        with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
            return list(threads.map(prepare, islice(source.scan(), count)))


Contestant = Callable[[], float]  # runs once and gives items a second


OPTIONS = (
    Option("--pictures", Path, "folder of pictures to embed (default: generated ones)"),
    Option("--sounds", Path, "folder of sounds to embed (default: generated ones)"),
    Option("--side-px", 400, "size of generated pictures"),
    Option("--encoders", tuple(ENCODERS), "that embed", tuple(ENCODERS)),
    *(Option(f"--{name.replace('_', '-')}-count", count, f"items for {name}") for name, count in ENCODERS.items()),
    Option("--contestants", CONTESTANTS, "that take turns", CONTESTANTS),
    Option("--turns", 3, "turns of each contestant"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    tables = []
    for name in arguments.encoders:
        with tempfile.TemporaryDirectory(prefix="fastlabel-benchmark-") as workspace:
            count = getattr(arguments, f"{name}_count")
            task = _task(name, _folder(name, arguments).resolve(), count, Path(workspace))
            say(f"{name}: {task.count:,} items, {arguments.turns} turns …")
            tables.append(_compare(task, arguments.turns, arguments.contestants))
    return tables


def pipeline_figures(name: str, root: Path, count: int) -> tuple[float, float]:
    """Items a second of the pipeline over so many files of a folder, once, and its peak memory in MiB, in its own process."""
    with tempfile.TemporaryDirectory(prefix="fastlabel-benchmark-") as workspace, own_process() as process:
        process.submit(_load, "pipeline", _task(name, root.resolve(), count, Path(workspace))).result()
        return process.submit(_run, "pipeline").result(), process.submit(peak_memory_mib).result()


def _folder(name: str, arguments: argparse.Namespace) -> Path:
    if name in OF_PICTURES:
        return arguments.pictures or picture_folder(arguments.clip_count, arguments.side_px)
    return arguments.sounds or sound_folder(arguments.offline_sounds_count)


def _task(name: str, root: Path, count: int, workspace: Path) -> Task:
    paths = sorted(path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    chosen = np.random.default_rng(0).permutation(len(paths))[:count]
    table = workspace / "items.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["path"], *([str(paths[position].relative_to(root))] for position in chosen)])
    weights = workspace / {"clip": "clip.pt", "clap": "clap"}.get(name, f"{name.removesuffix('_sounds')}.safetensors")
    task = Task(name, weights, table, root, len(chosen))
    with own_process() as maker:  # not here: what this process holds would count in the peak of each contestant
        maker.submit(_make_weights, task).result()
    return task


def _make_weights(task: Task) -> None:
    from fastlabel_gradio.encoders import ENCODERS as REGISTERED
    from fastlabel_gradio.encoders import FittedEncoder

    if task.name == "clip":
        import open_clip
        import torch

        torch.manual_seed(0)
        torch.save(open_clip.create_model("ViT-B-32", pretrained=None).state_dict(), task.weights)
    elif task.name == "clap":
        _save_random_clap(task.weights)
    else:
        encoder_type = REGISTERED[task.kind].get(task.encoder)
        encoder = encoder_type(encoder_type.Options())
        assert isinstance(encoder, FittedEncoder)
        encoder.fit(task.prepared(encoder, encoder.sample_size), seed=0)
        encoder.save(task.weights)


def _save_random_clap(folder: Path) -> None:
    """A CLAP of the published architecture, laion/clap-htsat-unfused's, with weights drawn at random and a few letters."""
    import torch
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, ClapProcessor, RobertaTokenizer

    torch.manual_seed(0)
    ClapModel(ClapConfig()).save_pretrained(folder)
    letters = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"abcdefghijklmnopqrstuvwxyz"]
    tokenizer = RobertaTokenizer(vocab={letter: number for number, letter in enumerate(letters)}, merges=[])
    ClapProcessor(ClapFeatureExtractor(truncation="rand_trunc"), tokenizer).save_pretrained(folder)


def _compare(task: Task, turns: int, contestants: Sequence[str]) -> Table:
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    with ExitStack() as stack:
        processes = {name: stack.enter_context(own_process()) for name in contestants}
        remarks = {name: process.submit(_load, name, task).result() for name, process in processes.items()}
        for _ in range(turns):
            for name, process in processes.items():
                rates[name].append(process.submit(_run, name).result())
                time.sleep(PAUSE_S)
        peaks = {name: process.submit(peak_memory_mib).result() for name, process in processes.items()}
    middle = {name: statistics.median(found) for name, found in rates.items()}
    rows: list[tuple[Cell, ...]] = [
        (
            f"{name}{remarks[name]}",
            round(middle[name], 1),
            f"{min(rates[name]):.1f} to {max(rates[name]):.1f}",
            round(middle["pipeline"] / middle[name], 2) if "pipeline" in middle else "",
            round(peaks[name], 1),
        )
        for name in contestants
    ]
    aim = "0.9 of the encoder alone" + (", 4.5 times one at a time" if task.name == "clip" else "")
    columns = ("contestant", "items/s", "range", "pipeline is times this", "peak memory while running, MiB")
    return Table(f"{task.name}: {task.count:,} {NOUNS[task.kind]}, median of {turns}.", columns, rows, aim=aim)


_LOADED: dict[str, Contestant] = {}  # of this process


def _load(name: str, task: Task) -> str:
    """Makes a contestant ready, loaded and warm; gives what to say of it."""
    makers = (_pipeline, _encoder_alone, _preparing_alone, _one_at_a_time)
    run, remark = dict(zip(CONTESTANTS, makers, strict=True))[name](task)
    _LOADED[name] = run
    forget_peak_memory()  # of loading: the weights are in memory twice then
    return remark


def _run(name: str) -> float:
    return _LOADED[name]()


def _pipeline(task: Task) -> tuple[Contestant, str]:
    from fastlabel_gradio.devices import use_one_thread_per_operation
    from fastlabel_gradio.gallery import open_gallery
    from fastlabel_gradio.pool.pipeline import EmbeddingPipeline
    from fastlabel_gradio.pool.store import EmbeddingStore

    use_one_thread_per_operation()  # as the app does
    encoder = task.open_encoder()

    def run() -> float:
        with tempfile.TemporaryDirectory(prefix="fastlabel-store-") as folder:
            if task.encoder in ("offline", "pretrained"):
                shutil.copy(task.weights, folder)
            with (
                closing(EmbeddingStore(Path(folder))) as store,
                closing(open_gallery(task.source(), Path(folder))) as gallery,
            ):
                pipeline = EmbeddingPipeline(
                    task.source(), store, lambda: (encoder, ""), gallery.keep, gallery.tile_resolution, audit_share=0.0
                )
                began = time.perf_counter()
                pipeline.start()
                while pipeline.progress.state not in ("done", "failed"):
                    time.sleep(0.005)
                took = time.perf_counter() - began
                if len(store) < task.count:
                    raise RuntimeError(f"{len(store)} of {task.count} embedded: {pipeline.progress.error}")
                return len(store) / took

    return run, f" (batches of {encoder.batch_size})"


def _encoder_alone(task: Task) -> tuple[Contestant, str]:
    import torch

    all_threads = torch.get_num_threads()
    encoder = task.open_encoder()
    sweep = SWEEP_OF_CLAP if task.name == "clap" else SWEEP
    ready = task.prepared(encoder, min(max(task.count // ALONE_SHARE, sweep[-1]), ALONE_MOST))

    def rate(size: int, callers: int) -> float:
        torch.set_num_threads(all_threads if callers == 1 else 1)  # also those of the threads started next
        with ThreadPoolExecutor(callers) as threads:
            began = time.perf_counter()
            list(threads.map(lambda start: encoder.encode(ready[start : start + size]), range(0, len(ready), size)))
            return len(ready) / (time.perf_counter() - began)

    encoder.encode(ready[: sweep[0]])
    best = max(((size, callers) for size in sweep for callers in (1, os.cpu_count() or 1)), key=lambda way: rate(*way))
    return lambda: rate(*best), f" (batches of {best[0]}, {best[1]} at once)"


def _preparing_alone(task: Task) -> tuple[Contestant, str]:
    encoder, count = task.open_encoder(), min(task.count // ALONE_SHARE, ALONE_MOST)
    task.prepared(encoder, os.cpu_count() or 1)

    def run() -> float:
        began = time.perf_counter()
        return len(task.prepared(encoder, count)) / (time.perf_counter() - began)

    return run, f" ({os.cpu_count()} threads)"


def _one_at_a_time(task: Task) -> tuple[Contestant, str]:
    singles = {"clip": _single_clip, "clap": _single_clap}
    embed = singles[task.name](task.weights) if task.name in singles else _single(task)
    single = min(task.count // SINGLE_SHARE, SINGLE_MOST)
    paths = [task.root / item.id for item in islice(task.source().scan(), single)]
    embed(paths[0])

    def run() -> float:
        embeddings: list[np.ndarray] = []
        began = time.perf_counter()
        for path in paths:
            embeddings.append(embed(path))  # as such programs write it
        return len(embeddings) / (time.perf_counter() - began)

    return run, " (fp32)" if task.name in singles else ""


def _single_clip(weights: Path) -> Callable[[Path], np.ndarray]:
    """As open_clip's own example does it."""
    import open_clip
    import torch

    model, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32", pretrained=str(weights))
    model.eval()

    def embed(path: Path) -> np.ndarray:
        with torch.no_grad():
            features: Any = model.encode_image(preprocess(Image.open(path).convert("RGB")).unsqueeze(0))
            vector: np.ndarray = (features / features.norm(dim=-1, keepdim=True)).numpy()[0]
            return vector

    return embed


def _single_clap(folder: Path) -> Callable[[Path], np.ndarray]:
    """As transformers' own example does it."""
    import soundfile
    import soxr
    import torch
    from transformers import ClapFeatureExtractor, ClapModel

    model, extractor = ClapModel.from_pretrained(folder).eval(), ClapFeatureExtractor.from_pretrained(folder)

    def embed(path: Path) -> np.ndarray:
        samples, rate = soundfile.read(path, dtype="float32")
        samples = soxr.resample(samples, rate, extractor.sampling_rate)
        inputs = extractor(samples, sampling_rate=extractor.sampling_rate, return_tensors="pt")
        with torch.no_grad():
            features: Any = model.get_audio_features(**inputs).pooler_output
            vector: np.ndarray = (features / features.norm(dim=-1, keepdim=True)).numpy()[0]
            return vector

    return embed


def _single(task: Task) -> Callable[[Path], np.ndarray]:
    encoder, source = task.open_encoder(), task.source()

    def embed(path: Path) -> np.ndarray:
        item = Item(path.relative_to(task.root).as_posix())
        return encoder.encode([encoder.prepare(source.read(item, encoder.resolution))])[0]

    return embed


if __name__ == "__main__":
    main()
