"""Small real data for the tests of sources: pictures, sounds, folders, sheets, tables, sets of clips, CIFAR-10 batches."""

import csv
import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from fastlabel_gradio.sources import Source, open_source

RATE_HZ = 16_000
CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def picture(seed: int, width: int = 12, height: int = 10) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def save(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(seed).save(path, "PNG")
    return path


def sound(seed: int, seconds: float = 0.2, rate_hz: int = RATE_HZ, channels: int = 1) -> np.ndarray:
    """float32[samples, channels]: noise that 16 bits hold exactly."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(-16_384, 16_384, (round(seconds * rate_hz), channels))
    return (numbers / 32_768).astype(np.float32)


def save_sound(
    path: Path, seed: int = 0, seconds: float = 0.2, rate_hz: int = RATE_HZ, channels: int = 1, **options: str
) -> Path:
    """Writes noise; the format is that of the suffix unless an option names one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound(seed, seconds, rate_hz, channels), rate_hz, **options)
    return path


def ids(source: Source) -> list[str]:
    return [item.id for item in source.scan()]


def opened(kind: str, tmp_path: Path, **options: object) -> Source:
    return open_source(kind, options, tmp_path, tmp_path / "cache")


def folder_source(tmp_path: Path) -> Source:
    for seed in range(12):
        save(tmp_path / "pictures" / ("cats" if seed % 2 else "dogs") / f"{seed}.png", seed // 2)
    return opened("image_folder", tmp_path, path="pictures")


def make_sheet(path: Path, columns: int = 4, rows: int = 3, side_px: int = 8, padding_px: int = 0) -> Path:
    step = side_px + padding_px
    sheet = Image.new("RGB", (columns * step - padding_px, rows * step - padding_px))
    for number in range(columns * rows):
        sheet.paste(picture(number // 2, side_px, side_px), (number % columns * step, number // columns * step))
    sheet.save(path, "PNG")
    return path


def sheet_options(path: str, **changes: object) -> dict[str, object]:
    return {"path": path, "tile_width_px": 8, "tile_height_px": 8, "columns": 4, "rows": 3, **changes}


def sheet_source(tmp_path: Path) -> Source:
    make_sheet(tmp_path / "sheet.png")
    return opened("sprite_sheet", tmp_path, **sheet_options("sheet.png"))


def table_source(tmp_path: Path) -> Source:
    rows = [
        [save(tmp_path / "data" / f"{seed}.png", seed // 2).name, "odd" if seed % 2 else "even"] for seed in range(12)
    ]
    write_csv(tmp_path / "data" / "table.csv", [["path", "label"], *rows])
    return opened("table", tmp_path, path="data/table.csv")


def audio_folder_source(tmp_path: Path) -> Source:
    for seed in range(12):
        save_sound(tmp_path / "sounds" / ("cats" if seed % 2 else "dogs") / f"{seed}.wav", seed // 2)
    return opened("audio_folder", tmp_path, path="sounds")


def windowed_source(tmp_path: Path) -> Source:
    for seed in range(4):
        save_sound(tmp_path / "sounds" / f"{seed}.flac", seed // 2, seconds=1.0)
    return opened("audio_folder", tmp_path, path="sounds", window_s=0.3, hop_s=0.2)


def sound_table_source(tmp_path: Path) -> Source:
    """Twelve parts of two equal sounds, the last two held out."""
    rows = [["path", "label", "split"]]
    for name in ("a.wav", "b.wav"):
        save_sound(tmp_path / name, seconds=1.4)
        rows += [[f"{name}#t={part / 5},{part / 5 + 0.2:.1f}", f"{part % 2}", "train"] for part in range(6)]
        rows += [[f"{name}#t=1.2,1.4", "0", "test"]]
    write_csv(tmp_path / "sounds.csv", rows)
    return opened("table", tmp_path, path="sounds.csv", media="audio")


def write_csv(path: Path, rows: list[list[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def write_esc50(folder: Path) -> Path:
    """The layout of ESC-50: five folds of a rooster and a dog of ESC-10 and a cat outside of it."""
    rows = [["filename", "fold", "target", "category", "esc10", "src_file", "take"]]
    for fold in range(1, 6):
        for target, category, esc10 in (("0", "dog", "True"), ("1", "rooster", "True"), ("5", "cat", "False")):
            name = f"{fold}-10{fold}-A-{target}.wav"
            save_sound(folder / "audio" / name, fold * 10 + int(target))
            rows.append([name, str(fold), target, category, esc10, f"10{fold}", "A"])
    write_csv(folder / "meta" / "esc50.csv", rows)
    return folder


def write_urbansound8k(folder: Path) -> Path:
    """The layout of UrbanSound8K: ten folds of a siren and a drill each."""
    rows = [["slice_file_name", "fsID", "start", "end", "salience", "fold", "classID", "class"]]
    for fold in range(1, 11):
        for class_id, name in (("4", "drilling"), ("8", "siren")):
            file = f"{fold}00-{class_id}-0-0.wav"
            save_sound(folder / "audio" / f"fold{fold}" / file, fold * 10 + int(class_id))
            rows.append([file, f"{fold}00", "0.0", "0.2", "1", str(fold), class_id, name])
    write_csv(folder / "metadata" / "UrbanSound8K.csv", rows)
    return folder


def write_batches(folder: Path) -> dict[str, object]:
    """CIFAR-10's files with 20 pictures in each; gives the class attributes of torchvision's reader that fit."""
    folder.mkdir(parents=True)

    def write(name: str, content: dict[str, object]) -> str:
        data = pickle.dumps(content, protocol=2)
        (folder / name).write_bytes(data)
        return hashlib.md5(data).hexdigest()

    rng = np.random.default_rng(0)
    batches = []
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        pixels = rng.integers(0, 256, (20, 3072), dtype=np.uint8)
        pixels[1] = pixels[0]
        batches.append([name, write(name, {"data": pixels, "labels": [n % 10 for n in range(20)]})])
    meta = write("batches.meta", {"label_names": list(CIFAR_CLASSES)})
    return {
        "train_list": batches[:5],
        "test_list": batches[5:],
        "meta": {"filename": "batches.meta", "key": "label_names", "md5": meta},
    }


def write_cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `cifar-10-batches-py`, for whose files torchvision's reader expects the right MD5s."""
    from torchvision.datasets import CIFAR10

    for name, value in write_batches(tmp_path / "cifar" / "cifar-10-batches-py").items():
        monkeypatch.setattr(CIFAR10, name, value)
    return tmp_path / "cifar"


def reach_loopback_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses of this machine are reached without the proxy that it may have."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
