"""Embedding, predicting and scanning on a real Ray cluster of two workers, and what a dying worker costs."""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pyarrow.parquet as pq
import pytest

from benchmarks import cluster as benchmark
from benchmarks import data
from fastlabel_gradio.bulk.embedding import Embedding
from fastlabel_gradio.classifier import predict_command
from fastlabel_gradio.errors import ConfigError, StoreError
from fastlabel_gradio.head import BLOCK_ROWS, Head, HeadInfo, train_head
from fastlabel_gradio.pool import cluster_rows
from fastlabel_gradio.pool.cluster_rows import ClusterRows
from fastlabel_gradio.pool.scan import Scan
from fastlabel_gradio.ray_cluster import Cluster, open_cluster
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.superseded import Superseded
from fastlabel_gradio.types import Embeddings, Label
from tests.classifier_pools import train
from tests.conftest import ROOT
from tests.doubling import Doubling, leave
from tests.pools import make_config

pytest.importorskip("ray")
pytestmark = pytest.mark.usefixtures("computing_as_the_app")


ROWS, IDS = 9_001, (0, 1, 2)

VectorFile = tuple[Path, Embeddings]


@pytest.fixture(scope="module")
def vector_file(tmp_path_factory: pytest.TempPathFactory) -> VectorFile:
    """Vectors in a file as a space keeps them, and in memory."""
    file, vectors = tmp_path_factory.mktemp("space") / "vectors.f32", unit_vectors(ROWS)
    file.write_bytes(vectors.tobytes())
    return file, vectors


@pytest.fixture(scope="module")
def small_head() -> Head:
    vectors = unit_vectors(60)
    info = HeadInfo(1, tuple(Label(number, str(number)) for number in IDS), "test", len(vectors))
    return train_head(vectors, vectors[:, : len(IDS)].argmax(axis=1), info)


def unit_vectors(count: int) -> Embeddings:
    drawn = np.random.default_rng(0).normal(size=(count, 16)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def address_of_cluster() -> str:
    import ray

    return str(ray.get_runtime_context().gcs_address)


def nothing() -> None:
    pass


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
    assert [(row[0], row[-2]) for row in table.rows] == [
        ("by-threads", 24),
        ("by-ray", 24),
        ("one-killed", 24),
    ]
    assert min(row[-1] for row in table.rows) >= benchmark.LEAST_COSINE
    assert len(killed) == 1


@pytest.mark.usefixtures("in_fp32")  # bf16 or not is measured, and a busy machine says so or so
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


def test_a_scan_on_a_cluster_says_what_one_in_a_thread_says(
    cluster: Cluster, vector_file: VectorFile, small_head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, vectors = vector_file
    scan = Scan(on_cluster=ClusterRows(address_of_cluster(), file, more_than=0, task_rows=2 * BLOCK_ROWS))
    rounds: list[int] = []

    def superseded() -> None:
        if scan.missing(small_head, ROWS) < ROWS:
            raise Superseded

    with monkeypatch.context() as patch:
        patch.setattr(Head, "predict_proba", Mock(side_effect=AssertionError("scored in this process")))
        with suppress(Superseded):
            scan.refresh(small_head, vectors, nothing, superseded, lambda: rounds.append(1))
        assert (scan.missing(small_head, ROWS), rounds) == (ROWS - 2 * BLOCK_ROWS, [])
        scan.refresh(small_head, vectors, nothing, nothing, lambda: rounds.append(1))
    assert rounds and scan.trouble == ""
    here = Scan()
    here.refresh(small_head, vectors, nothing, nothing)
    found, expected = scan.view(IDS), here.view(IDS)
    assert (found.done, found.head_version) == (ROWS, 1)
    np.testing.assert_allclose(found.confidences, expected.confidences, atol=1e-5)
    np.testing.assert_allclose(found.margins, expected.margins, atol=1e-3)
    is_sure = expected.margins > 1e-3
    np.testing.assert_array_equal(found.classes[is_sure], expected.classes[is_sure])


def test_where_the_cluster_cannot_see_the_vectors_the_scan_says_so_and_goes_on_here(
    cluster: Cluster, vector_file: VectorFile, small_head: Head, tmp_path: Path
) -> None:
    file, vectors = vector_file
    (tmp_path / "short.f32").write_bytes(file.read_bytes()[:-4])
    (tmp_path / "other.f32").write_bytes(np.roll(vectors, 1, axis=0).tobytes())
    part = cluster_rows._Part(8_192, ROWS, vectors[8_192])
    for name, why in (
        ("short.f32", "cannot read rows 8192 to 9000 of .*short.f32"),
        ("other.f32", "has other vectors in .*other.f32 than the app"),
    ):
        with pytest.raises(StoreError, match=why):
            cluster_rows._scanned(cluster_rows._Scoring(small_head, tmp_path / name, 16), part)
    scan = Scan(on_cluster=ClusterRows(address_of_cluster(), tmp_path / "gone.f32", more_than=0))
    scan.refresh(small_head, vectors, nothing, nothing)
    assert re.search(r"not scanned on the cluster, but here.*cannot read rows 0 to 9000 of .*gone.f32", scan.trouble)
    assert scan.missing(small_head, ROWS) == 0
    scan = Scan(on_cluster=ClusterRows(address_of_cluster(), tmp_path / "gone.f32", more_than=ROWS))
    scan.complete(small_head, vectors)
    assert (scan.trouble, scan.missing(small_head, ROWS)) == ("", 0)


def test_a_project_scans_its_pool_on_the_cluster_that_its_settings_name(
    cluster: Cluster, pictures: Path, open_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config(pictures, encoder="offline", scan_on_ray=address_of_cluster(), scan_on_ray_above=59)
    project = train(open_project(config), batches=1)
    labeler = project.labeler("ann")
    assert labeler.wait_for_training(60)
    assert labeler.status().training.error == ""
    monkeypatch.setattr(cluster_rows, "_ask", leave)
    labeler.train()
    assert labeler.wait_for_training(60)
    told = labeler.status().training.error
    assert told.startswith("The pool was not scanned on the cluster, but here") and "went away in the middle" in told


def test_a_cluster_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **options: (_ for _ in ()).throw(ConnectionError("nobody answers")))
    match = r"--ray 10\.0\.0\.1:6379: there is no such cluster \(nobody answers\)"
    with pytest.raises(ConfigError, match=match), open_cluster("10.0.0.1:6379"):
        pass


def test_a_ray_that_does_not_start_here_is_an_error_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    program = "from fastlabel_gradio.ray_cluster import open_cluster\nwith open_cluster('local'): pass"
    environment = {**os.environ, "RAY_TMPDIR": str(tmp_path / "file" / "ray")}  # Ray cannot make its folder there
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert "ConfigError: --ray local: Ray did not start on this machine (" in ended.stderr
