"""What the benchmarks run on: pictures, a sprite of CelebA's size, a served app, and an annotator who knows the answers.

Pictures come from a folder of class folders if one is given, else they are generated. What takes long to make is kept in
the temp folder and used again.
"""

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import soundfile
from PIL import Image

from benchmarks.data import ROOT, made_once, opened

PROJECT = "faces"
SOUND_RATE_HZ = 44_100
GENERATED_CLASSES = tuple(f"class-{number}" for number in range(10))

TILE_PX, COLUMNS, ROWS = 48, 200, 150  # configs/celeba.yaml: 9600 x 7200 px
START_LIMIT_S, EMBED_LIMIT_S, TRAIN_LIMIT_S, ANSWER_LIMIT_S = 300.0, 600.0, 60.0, 300.0


@dataclass(frozen=True, slots=True)
class Sprite:
    """A sheet of COLUMNS x ROWS tiles. `truth`: the class of each tile, whose position is its item id."""

    path: Path
    classes: list[str]
    truth: list[str]


def sprite_sheet(pictures: Path | None) -> Sprite:
    """A sheet of CelebA's size, built once and then taken from the temp folder; no two tiles are alike."""

    def draw(folder: Path) -> None:
        truth = _draw_sheet(folder / "sheet.png", _tiles(pictures))
        (folder / "sheet.json").write_text(json.dumps({"classes": sorted(set(truth)), "truth": truth}), "utf-8")

    origin = pictures.resolve().as_posix().strip("/").replace("/", "-") if pictures else "made"
    folder = made_once(f"sprite-{origin}", draw)
    return Sprite(folder / "sheet.png", **json.loads((folder / "sheet.json").read_text("utf-8")))


def picture_folder(count: int, side_px: int) -> Path:
    """A folder of class folders with that many generated JPEGs, made once and then taken from the temp folder."""

    def write(folder: Path, number: int) -> None:
        name, pixels = generated_picture(number, side_px)
        Image.fromarray(pixels).save(_class_folder(folder, name) / f"{number:06d}.jpg", quality=90)

    return made_once(f"pictures-{count}-{side_px}px", lambda folder: _written(write, folder, count))


def sound_folder(count: int, seconds: float = 5.0) -> Path:
    """The same of generated clips, 16-bit WAV, 44,100 Hz."""

    def write(folder: Path, number: int) -> None:
        name, samples = generated_sound(number, seconds)
        soundfile.write(_class_folder(folder, name) / f"{number:06d}.wav", samples, SOUND_RATE_HZ, subtype="PCM_16")

    return made_once(f"sounds-{count}-{seconds:g}s", lambda folder: _written(write, folder, count))


def _written(write: Callable[[Path, int], None], folder: Path, count: int) -> None:
    """By all cores."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        list(threads.map(lambda number: write(folder, number), range(count)))


def _class_folder(folder: Path, name: str) -> Path:
    (folder / name).mkdir(exist_ok=True)
    return folder / name


def generated_picture(number: int, side_px: int) -> tuple[str, np.ndarray]:
    """A class and a picture of it, uint8[side, side, 3]: stripes whose angle and colour are the class's, in noise."""
    rng = np.random.default_rng(number)
    kind = number % len(GENERATED_CLASSES)
    angle = np.pi * kind / len(GENERATED_CLASSES) + rng.normal(0, 0.1)
    across, down = np.meshgrid(np.linspace(0, 6, side_px), np.linspace(0, 6, side_px))
    stripes = np.sin(across * np.cos(angle) + down * np.sin(angle) + rng.uniform(0, 6))
    colour = 128 + 60 * np.sin(kind + np.arange(3) * 2)
    pixels = colour + 40 * stripes[..., None] + rng.normal(0, 30, (side_px, side_px, 3))
    return GENERATED_CLASSES[kind], np.clip(pixels, 0, 255).astype(np.uint8)


def generated_sound(number: int, seconds: float) -> tuple[str, np.ndarray]:
    """A class and a sound of it, float32[samples] within -1 to 1: pulses at the class's pitch and pace, in noise."""
    rng = np.random.default_rng(number)
    kind = number % len(GENERATED_CLASSES)
    times = np.arange(round(seconds * SOUND_RATE_HZ)) / SOUND_RATE_HZ
    pulses = np.sin(2 * np.pi * (0.5 + 0.3 * kind) * times + rng.uniform(0, 6)).clip(0)
    tone = np.sin(2 * np.pi * 200 * 1.4**kind * rng.normal(1, 0.05) * times)
    return GENERATED_CLASSES[kind], (0.3 * pulses * tone + rng.normal(0, 0.03, len(times))).astype(np.float32)


def write_config(folder: Path, sprite: Sprite) -> Path:
    """A configuration of the sheet as one project with the offline encoder, which needs no weights."""
    source = {
        "kind": "sprite_sheet",
        "path": str(sprite.path),
        "tile_width_px": TILE_PX,
        "tile_height_px": TILE_PX,
        "columns": COLUMNS,
        "rows": ROWS,
    }
    project = {"name": PROJECT, "source": source, "classes": sprite.classes, "encoder": "offline"}
    path = folder / "benchmark.yaml"
    path.write_text(json.dumps({"projects": [project]}), encoding="utf-8")  # JSON is YAML
    return path


@contextmanager
def served(arguments: list[str], workdir: Path) -> Iterator[str]:
    """The app in a process of its own, `launch.py <arguments>`; gives its address as soon as it answers.

    Raises RuntimeError with the end of its output where it stops or does not answer in time.
    """
    with started(arguments, workdir) as (address, _):
        yield address


@contextmanager
def started(
    arguments: list[str], workdir: Path, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """As `served`, with the process, which may be killed."""
    workdir.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, str(ROOT / "launch.py"), *arguments, "--workdir", str(workdir), "--no-browser"]
    log = workdir / f"server-{port}.log"  # several processes may share the folder
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )
    try:
        wait_until(lambda: _answers(address, process, log), START_LIMIT_S, "the app to answer")
        yield address, process
    finally:
        process.terminate()
        process.wait(timeout=60)


def wait_until(condition: Callable[[], bool], limit_s: float, what: str, pause_s: float = 0.02) -> None:
    """Raises RuntimeError where the condition does not come true in time."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {limit_s:.0f} s for {what}")
        time.sleep(pause_s)


class Annotator:
    """A person at the REST API, on one kept-alive connection, as a guest of that name.

    Args:
        truth: by item id what to answer; a class at random by default.
    """

    def __init__(self, address: str, name: str = "annotator", truth: Sequence[str] = (), seed: int = 0) -> None:
        cookies = {"fastlabel_annotator": f"guest-{name}"}
        self.http = httpx.Client(base_url=address, cookies=cookies, timeout=ANSWER_LIMIT_S, verify=False)
        self._truth, self._rng = truth, random.Random(f"{name}-{seed}")

    def close(self) -> None:
        self.http.close()

    def status(self) -> dict[str, Any]:
        return self.get("/api/status")

    def next_batch(self, size: int) -> dict[str, Any]:
        """A fresh batch."""
        return self.get("/api/next_batch", size=size, fresh=True)

    def answers(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The body of a submit of the whole batch."""
        ids = [item["id"] for item in batch["items"]]
        said = [self._truth[int(item_id)] if self._truth else self._rng.choice(batch["classes"]) for item_id in ids]
        labels = [{"id": item_id, "label": label} for item_id, label in zip(ids, said, strict=True)]
        return {"batch_id": batch["batch_id"], "labels": labels}

    def submit(self, body: dict[str, Any]) -> dict[str, Any]:
        return _content(self.http.post("/api/submit_labels", json=body))

    def train(self) -> None:
        _content(self.http.post("/api/train"))

    def get(self, path: str, **parameters: Any) -> Any:
        """What an address answers, as JSON. Raises httpx.HTTPStatusError."""
        return _content(self.http.get(path, params=parameters))

    def wait_for_embedding(self) -> None:
        wait_until(lambda: self.status()["embedding"]["state"] == "done", EMBED_LIMIT_S, "the embedding", 0.5)

    def wait_for_training(self) -> None:
        """Until the newest head has learned every label that is trained on: those of the audit never are."""
        wait_until(self._is_trained, TRAIN_LIMIT_S, "the training")

    def _is_trained(self) -> bool:
        status = self.status()
        return bool(status["since_training"] == 0 and status["head"]["state"] == "idle")


def _content(response: httpx.Response) -> Any:
    response.raise_for_status()
    return response.json()


def _tiles(pictures: Path | None) -> Iterator[tuple[str, np.ndarray]]:
    """Endless (class, uint8[TILE_PX, TILE_PX, 3]), in random order."""
    if pictures is None:
        number = 0
        while True:
            yield generated_picture(number, TILE_PX)
            number += 1
    source = opened("image_folder", path=pictures.resolve())
    items = list(source.scan())
    order = np.random.default_rng(0).permutation(len(items))
    rounds = 0
    while True:
        for position in order:
            item = items[position]
            tile = np.asarray(source.read(item).resize((TILE_PX, TILE_PX)))
            shifted = np.roll(tile, rounds // 2, axis=1)  # a further round gives pictures that differ from the first
            yield source.reference_label(item) or "none", shifted[:, ::-1] if rounds % 2 else shifted
        rounds += 1


def _draw_sheet(path: Path, tiles: Iterator[tuple[str, np.ndarray]]) -> list[str]:
    sheet = np.empty((ROWS * TILE_PX, COLUMNS * TILE_PX, 3), dtype=np.uint8)
    truth = []
    for number, (name, tile) in enumerate(islice(tiles, COLUMNS * ROWS)):
        top, left = (TILE_PX * place for place in divmod(number, COLUMNS))
        sheet[top : top + TILE_PX, left : left + TILE_PX] = tile
        truth.append(name)
    Image.fromarray(sheet).save(path, compress_level=1)
    return truth


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(address: str, process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"the app stopped with {process.returncode}:\n{log.read_text(errors='replace')[-2000:]}")
    try:
        return httpx.get(f"{address}/api/status").is_success
    except httpx.TransportError:
        return False
