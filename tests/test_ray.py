"""Embedding and predicting on a real Ray cluster of two workers, and what a dying worker costs."""

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks import cluster as benchmark
from benchmarks import data
from fastlabel_gradio.bulk.embedding import Embedding
from fastlabel_gradio.classifier import predict_command
from fastlabel_gradio.errors import ConfigError, StoreError
from fastlabel_gradio.ray_cluster import Cluster, open_cluster
from fastlabel_gradio.server.project import Project
from tests.classifier_pools import train
from tests.doubling import Doubling
from tests.pools import make_config

pytest.importorskip("ray")
pytestmark = pytest.mark.usefixtures("computing_as_the_app")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Two workers on this machine; commands that run meanwhile find it connected."""
    import ray

    ray.init(num_cpus=2, object_store_memory=200 << 20, include_dashboard=False, log_to_driver=False)
    with open_cluster("local") as connected:
        yield connected
    ray.shutdown()


def test_a_task_of_a_killed_worker_is_done_by_another(cluster: Cluster, tmp_path: Path) -> None:
    results = list(cluster.results(Doubling(tmp_path).make, range(12)))
    assert [double for double, _ in results] == list(range(0, 24, 2))
    assert (tmp_path / "killed").exists()
    assert os.getpid() not in {process for _, process in results}
    with pytest.raises(StoreError, match="-1 is below zero"):
        list(cluster.results(Doubling(tmp_path).make, [1, -1]))


def test_the_vectors_are_those_of_the_threads(cluster: Cluster, pictures: Path, tmp_path: Path) -> None:
    (pictures / "broken.png").write_bytes(b"no picture")
    config = make_config(pictures, encoder="offline")
    found = []
    for place, where in (("by-ray", cluster), ("by-threads", None)):
        embedding = Embedding(config, tmp_path, tmp_path / "work", str(tmp_path / place), part_items=20)
        tally = embedding.run(where, threads=2)
        assert (tally.vectors, [item_id for item_id, _ in tally.unreadable]) == (60, ["broken.png"])
        tables = map(pq.read_table, (tmp_path / place).glob("*.parquet"))
        found.append({row["id"]: row for table in tables for row in table.to_pylist()})
    by_ray, by_threads = found
    assert by_ray.keys() == by_threads.keys()
    for item_id, row in by_threads.items():
        assert {**row, "vector": None} == {**by_ray[item_id], "vector": None}
        assert row["vector"] is None or np.dot(row["vector"], by_ray[item_id]["vector"]) >= 0.9999


def test_the_benchmark_finds_all_vectors_behind_a_killed_worker(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "CACHE", tmp_path / "cache")
    killed = []
    monkeypatch.setattr(os, "kill", lambda pid, number, kill=os.kill: (killed.append(pid), kill(pid, number)))
    options = argparse.Namespace(items=24, side_px=16, encoder="offline", part_items=3, workers=2)
    [table] = benchmark.measured(options)
    assert [(name, vectors) for name, _, _, vectors, _ in table.rows] == [
        ("by-threads", 24),
        ("by-ray", 24),
        ("one-killed", 24),
    ]
    assert min(row[-1] for row in table.rows) >= benchmark.LEAST_COSINE
    assert len(killed) == 1


def test_predicting_on_ray_writes_the_same_table(
    cluster: Cluster, pictures: Path, tmp_path: Path, open_project: Callable[..., Project]
) -> None:
    project = train(open_project(make_config(pictures, encoder="offline")), batches=1)
    project.write_model("ann", tmp_path / "model")
    project.close()
    (pictures / "broken.png").write_bytes(b"no picture")
    tables = []
    for name, *options in (("by-ray.parquet", "--ray", "local", "--workers", "1"), ("by-threads.parquet",)):
        words = [str(tmp_path / "model"), str(pictures), "-o", str(tmp_path / name), "--all", "--batch-size", "4"]
        predict_command.main([*words, *options])
        tables.append(pq.read_table(tmp_path / name))
    assert tables[0].num_rows == 61
    assert tables[0].equals(tables[1])


def test_a_cluster_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **options: (_ for _ in ()).throw(ConnectionError("nobody answers")))
    match = r"--ray 10\.0\.0\.1:6379: there is no such cluster \(nobody answers\)"
    with pytest.raises(ConfigError, match=match), open_cluster("10.0.0.1:6379"):
        pass
