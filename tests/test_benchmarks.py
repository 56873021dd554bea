"""Every benchmark at a tiny size, so that none rots: the real code to its tables, in this process and with little data.

Those that need a page are in `tests/browser/test_benchmarks.py`.
"""

import importlib
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from benchmarks import (
    coverage,
    data,
    embedding,
    encoders,
    exports,
    heads,
    known_pool,
    label_efficiency,
    linear_share,
    mistakes,
    precomputed,
    promise,
    query_time,
    rare_classes,
    threads,
    tighter_interval,
)
from benchmarks.coverage import Plan
from benchmarks.data import Split
from fastlabel_gradio.head import training
from tests.documents import ROOT
from tests.pools import write_pictures
from tests.served import served_here
from tests.tiny_models import noisy_tone
from tests.trainings import WHOLE

IN_A_BROWSER = {"interface", "person", "screenshots", "sounds"}
Benchmark = Callable[..., str]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What benchmarks keep is kept in a folder of the test."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setattr(data, "CACHE", folder)
    return folder


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Benchmark:
    """Runs a benchmark with some options, and settings of its module that make it small; gives what it prints."""

    def run(name: str, *options: str, **settings: object) -> str:
        module = importlib.import_module(f"benchmarks.{name}")
        for setting, value in settings.items():
            monkeypatch.setattr(module, setting, value)
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *options])
        module.main()
        printed = capsys.readouterr().out
        assert f"`python -m benchmarks.{name}" in printed
        assert "|---|" in printed
        return printed

    return run


@contextmanager
def this_process() -> Iterator[Executor]:
    """In place of a process of its own, whose start takes longer than what is done in it."""
    with ThreadPoolExecutor(1) as thread:
        yield thread


@pytest.fixture
def split() -> Split:
    """Three clusters on a sphere of eight dimensions, 160 items to label and 60 to test on."""
    rng = np.random.default_rng(0)
    targets = np.arange(220) % 3
    far = np.eye(8)[targets] + rng.normal(0, 0.3, (220, 8))
    unit = (far / np.linalg.norm(far, axis=1, keepdims=True)).astype(np.float32)
    return Split(unit[:160], targets[:160], unit[160:], targets[160:], np.array([2]))


@pytest.fixture
def cached(split: Split, caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every set is the small one."""
    file = caches / "small.npz"
    arrays = {name: getattr(split, name) for name in Split.__dataclass_fields__}
    np.savez(file, **arrays)
    readers = (
        coverage,
        heads,
        label_efficiency,
        linear_share,
        mistakes,
        promise,
        query_time,
        rare_classes,
        tighter_interval,
    )
    for module in readers:
        monkeypatch.setattr(module, "cached_splits", lambda name, data, encoder="offline": [file])


def test_every_benchmark_is_tried_here_or_in_the_browser() -> None:
    scripts = {
        path.stem for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text(encoding="utf-8")
    }
    tried = set(re.findall(r"benchmark\(\s*\"(\w+)\"", Path(__file__).read_text(encoding="utf-8")))
    on_ray = {"cluster"}  # in tests/test_ray.py, where there is one
    assert scripts == tried | on_ray | IN_A_BROWSER


def test_coverage(benchmark: Benchmark, cached: None) -> None:
    printed = benchmark(
        "coverage", "--sets", "digits", "--strategies", "random", "--runs", "1", PLANS={"digits": Plan(20, (40,), 0.2)}
    )
    assert "| digits | 40 | 8 | 1 |" in printed


def test_outlook(benchmark: Benchmark, cached: None, tmp_path: Path) -> None:
    plans = {"digits": Plan(30, (60,), 0.4)}
    printed = benchmark("outlook", "--sets", "digits", "--runs", "1", "--json", str(tmp_path / "o.json"), PLANS=plans)
    assert "What twice the labels bring" in printed
    assert len(json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))["runs"][0]["points"]) == 2


def test_promise(benchmark: Benchmark, cached: None) -> None:
    options = ("--sets", "digits", "cifar10_scarce", "--labels", "40", "--seeds", "1", "--plays", "5")
    printed = benchmark("promise", *options)
    assert "| digits | 90 % | right | 5 |" in printed
    assert "| cifar10_scarce | 98 % | 2 % wrong | 5 |" in printed


def test_label_efficiency(benchmark: Benchmark, cached: None) -> None:
    options = ("--sets", "digits", "--contestants", "margin", "--seeds", "1", "--batch", "10", "--labels", "30")
    printed = benchmark("label_efficiency", *options)
    assert "| margin |" in printed


def test_rare_classes(benchmark: Benchmark, cached: None) -> None:
    options = ("--sets", "digits", "--share", "5", "--seeds", "2", "--labels", "50")
    printed = benchmark("rare_classes", *options)
    assert "two classes of 5 % each" in printed
    assert "| auto | 50 |" in printed


def test_a_rare_class_loses_whole_groups(split: Split) -> None:
    of_groups = replace(split, pool_groups=np.arange(160) // 6)
    found = rare_classes.thinned(of_groups, 0.05, 0)
    assert len(found.rare) == 2
    for number in found.rare:
        kept = np.unique(found.pool_groups[found.pool_targets == number])
        size = int((found.pool_targets == number).sum())
        assert size == sum(((of_groups.pool_groups == one) & (split.pool_targets == number)).sum() for one in kept)
        assert 0.04 < size / len(found.pool) < 0.12
    by_items = rare_classes.thinned(split, 0.05, 0)
    assert [int((by_items.pool_targets == number).sum()) for number in by_items.rare] == [3, 3]


def test_heads(benchmark: Benchmark, cached: None) -> None:
    printed = benchmark("heads", "--sets", "digits", "--tables", "accuracy", "--seeds", "1", COUNTS=(20,))
    assert "| digits |" in printed


def test_linear_share(benchmark: Benchmark, cached: None) -> None:
    printed = benchmark("linear_share", "--sets", "digits", "--labels", "30", "--seeds", "2")
    assert "| digits | 30 |" in printed


def test_tighter_interval(benchmark: Benchmark, cached: None) -> None:
    sizes = ("--labels", "30", "--reserves", "60", "--audited", "20", "--seeds", "1", "--draws", "5")
    assert "| cifar10_half | 60 | 20 |" in benchmark("tighter_interval", "--sets", "cifar10_half", *sizes)


def test_a_corrected_share_is_worth_more_items_where_confidence_tells_right_from_wrong() -> None:
    rng = np.random.default_rng(0)
    of_reserve = rng.uniform(0, 1, 4_000)
    right = (rng.uniform(0, 1, 4_000) < of_reserve).astype(np.float64)
    shuffled = rng.permutation(of_reserve)
    known, unknown = (
        tighter_interval.effective_share(right[:200], sure[:200], sure) for sure in (of_reserve, shuffled)
    )
    assert abs(known[0] - right.mean()) < abs(right[:200].mean() - right.mean())
    assert known[1] > 1.15 * unknown[1]


def test_mistakes(benchmark: Benchmark, cached: None) -> None:
    printed = benchmark("mistakes", "--sets", "digits", "--labels", "60", "--seeds", "1")
    assert "| digits | 60 | 3 |" in printed


def test_heads_learn_from_the_embeddings_of_the_encoder_that_is_named(
    benchmark: Benchmark, caches: Path, tmp_path: Path
) -> None:
    write_pictures(tmp_path / "waste", per_class=4)
    options = ("--data", str(tmp_path), "--sets", "waste", "--tables", "accuracy", "--seeds", "1")
    assert "| waste |" in benchmark("heads", *options, "--encoder", "pretrained", COUNTS=(6,))
    (file,) = caches.glob("set-waste-pretrained-*/0.npz")
    (of_offline,) = data.cached_splits("waste", tmp_path)
    pool, other = (data.load_split(path) for path in (file, of_offline))
    np.testing.assert_array_equal(pool.pool_targets, other.pool_targets)
    assert pool.pool.shape == (len(other.pool), 512)
    assert pool.pool.shape != other.pool.shape or not np.allclose(pool.pool, other.pool)


def test_query_time(benchmark: Benchmark, cached: None) -> None:
    printed = benchmark("query_time", "--sizes", "100", CONTESTANTS=("auto",), LABELS=20, ROUNDS=1)
    assert "100 items" in printed


def test_queries(benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_pool, "BLOCK_ITEMS", 400)
    printed = benchmark("queries", "--sizes", "400", "--dim", "64", TAUGHT=30, ROUNDS=1, A_SUBMISSION=5)
    assert "| everything | 400 |" in printed
    assert "| ids | 400 |" in printed
    assert "| a page from the middle, by confidence | 400 |" in printed
    assert "| counts: everything | 400 |" in printed
    more, fewer = (re.search(rf"\| classes: {kind}, or its undo \| (\d+) \|", printed) for kind in ("add", "merge"))
    assert more
    assert fewer
    assert int(more[1]) == int(fewer[1]) + 2
    assert re.search(r"\| mistakes, every item labeled \| \d+ \|", printed)


def test_devices(benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_pool, "BLOCK_ITEMS", 300)
    printed = benchmark("devices", "--items", "250", "--labels", "40", "--rounds", "1", "--devices", "cpu")
    assert "| cpu | main memory |" in printed
    assert "| 40 | cpu |" in printed


def test_windows(benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_pool, "BLOCK_ITEMS", 600)
    small = {"BATCH": 5, "WINDOWS_OF_A_HEAD": 1, "KNOWN_OF_RARE": 0, "LEARNED": 60}
    assert "1/8" in benchmark("windows", "--items", "600", "--batches", "1", "--seeds", "1", **small)


def test_encoders_in_one_table(benchmark: Benchmark) -> None:
    few = ("--encoder", "offline", "--labels", "20", "--seeds", "1", "--items", "20")
    printed = benchmark("encoders", "--sets", "digits", *few)
    assert "| digits | offline |" in printed
    assert "| 0 | none |" in printed
    assert encoders._weights("pretrained", "image") == (19, "Apache-2.0")


def test_encoders_on_each_speaker(benchmark: Benchmark, tmp_path: Path) -> None:
    (tmp_path / "fsdd").mkdir()
    for number in range(48):
        name = f"{number % 2}_{('ann', 'bob', 'cat', 'dan')[number % 8 // 2]}_{number}.wav"
        soundfile.write(tmp_path / "fsdd" / name, noisy_tone(number % 2, 0.2, 8_000), 8_000)
    few = ("--encoder", "offline", "--labels", "20", "--seeds", "1", "--items", "0")
    printed = benchmark("encoders", "--data", str(tmp_path), "--sets", "fsdd_speakers", *few)
    assert "| fsdd_speakers | offline |" in printed


def test_start(benchmark: Benchmark) -> None:
    options = ("--count", "40", "--side-px", "8", "--starts", "1", "--encoder", "offline")
    assert "first batch" in benchmark("start", *options, served=served_here, ITEMS=20)


def test_import_time(benchmark: Benchmark) -> None:
    printed = benchmark("import_time", "--starts", "2")
    assert printed.count("| none |") == 3  # neither Gradio nor torch


def test_threads(benchmark: Benchmark) -> None:
    def row(count: int, busy: int) -> tuple[int, int, int]:
        return count, busy, round(threads._training_ms(1))  # others would wait for each other here

    assert "| 1 |" in benchmark("threads", _row=row, LABELS=20, ROUNDS=1)


def test_scale(benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_pool, "BLOCK_ITEMS", 300)
    small = {"BATCH": 20, "LABELS": 40, "WARM_UP": 0, "LIMIT_ROWS": 64, "READ_NUMBERS": 64}
    options = ("--sizes", "300", "--dim", "64", "--rounds", "1", "--strategy", "random")
    printed = benchmark("scale", *options, own_process=this_process, **small)
    for table in ("to the next batch", "From the start", "Resident memory", "against what all cores can do"):
        assert table in printed
    assert printed.count("| 300 |") >= 4


def test_acceptance(benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "training_steps", WHOLE)  # a head that is wrong too often proves nothing
    monkeypatch.setattr(known_pool, "BLOCK_ITEMS", 800)
    printed = benchmark("acceptance", "--sizes", "800", "--applied", "200", own_process=this_process, LABELS=200)
    assert re.search(r"\| 200 \| \d", printed)
    [row] = re.findall(r"\| 800 \| (\d+) \|", printed)
    assert int(row) > 50


def test_predicting(benchmark: Benchmark, tmp_path: Path) -> None:
    pictures = write_pictures(tmp_path / "pictures", 6)
    options = ("--pictures", str(pictures), "--encoder", "offline", "--turns", "1")
    printed = benchmark("predicting", *options, own_process=this_process, LABELS=12)
    assert "| pipeline | 18 |" in printed
    assert "| predict | 18 |" in printed


def test_exports(benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_pool, "BLOCK_ITEMS", 300)
    printed = benchmark("exports", "--labels", "300", own_process=this_process)
    for name in {*exports.FORMATS, *exports.IMPORTS}:
        count = (name in exports.FORMATS) + (name in exports.IMPORTS)
        assert printed.count(f"| {name} | 300 |") == count
    assert "300 labels were taken in" in printed


def test_load(benchmark: Benchmark) -> None:
    @contextmanager
    def started(words: list[str], workdir: Path, environment: object = None) -> Iterator[tuple[str, SimpleNamespace]]:
        with served_here(words, workdir) as address:
            yield address, SimpleNamespace(pid=os.getpid())

    few = ("--items", "60", "--clients", "2", "--seconds", "0.2")
    printed = benchmark("load", "--parts", "clients", "processes", *few, started=started)
    assert " 0 lost, 0 items given to two." in printed


def test_precomputed(benchmark: Benchmark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_pool, "BLOCK_ITEMS", 300)
    printed = benchmark("precomputed", "--items", "500")
    assert "500 vectors of 512 numbers" in printed
    for name in precomputed.FORMATS:
        assert f"| {name} |" in printed


def test_tars(benchmark: Benchmark) -> None:
    printed = benchmark("tars", "--items", "30", "--tars", "3", "--read", "5")
    assert "| 30 | 3 |" in printed


def test_embedding(benchmark: Benchmark, tmp_path: Path) -> None:
    pictures = write_pictures(tmp_path / "pictures", per_class=4)
    options = ("--pictures", str(pictures), "--encoders", "offline", "--turns", "1")
    printed = benchmark("embedding", *options, own_process=this_process, SWEEP=(8,), PAUSE_S=0.0)
    assert "offline: 12 pictures" in printed
    for name in embedding.CONTESTANTS:
        assert f"| {name}" in printed


COUNTED = """
import numpy as np
from benchmarks import memory

memory.forget_peak_memory()
before = memory.peak_memory_mib()
kept = np.ones(2**23)
print(memory.peak_memory_mib() - before, len(kept))
"""


def test_memory_is_counted_from_a_moment_on() -> None:
    words = [sys.executable, "-c", COUNTED]  # of its own: in this process what other tests made may be let go meanwhile
    more = float(subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()[0])
    assert more > 50 or np.isnan(more)


def test_a_made_up_pool_is_written_as_the_pipeline_writes_it(
    tmp_path: Path, cached: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_pool, "BLOCK_ITEMS", 300)
    stores = []
    folder, made = known_pool.made_pool(1_100, 64)
    with closing(known_pool._project(folder, tmp_path, {"path": folder})) as project:
        known_pool.started(project)
    for work in (made, tmp_path):
        with closing(sqlite3.connect(work / "made" / "pool.sqlite")) as index:
            tables = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
            said = [index.execute(f"SELECT * FROM {name}").fetchall() for name in ("items", "rows", "encoders")]
            stores.append((index.execute(tables).fetchall(), said))
    assert stores[0] == stores[1]
    vectors = [next((work / "made").glob("*.f32")).read_bytes() for work in (made, tmp_path)]
    assert vectors[0] == vectors[1]


def test_two_runs_on_one_made_up_pool_have_labels_of_their_own(cached: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_pool, "BLOCK_ITEMS", 300)
    with known_pool.opened_made(300, dim=64) as one:
        assert one.pipeline.progress.total == len(one.store) == 300
        one.labeler("ann").submit("ann", [("0", 0), ("1", 1)])
        with known_pool.opened_made(300, dim=64) as other:
            assert other.labeler("ann").counts().labeled == 0
            other.labeler("ann").submit("ann", [("2", 0)])
        assert one.labeler("ann").counts().labeled == 2
    assert [path.name for path in known_pool.made_pool(300, 64)[1].parent.glob("run-*")] == []
