"""Vectors of one's own: read from npy and parquet, checked by name, served by the real project without reading an item."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.memory import resident_mib
from fastlabel_gradio.config import ProjectConfig
from fastlabel_gradio.encoders import check_encoder
from fastlabel_gradio.encoders.precomputed import PrecomputedEncoder
from fastlabel_gradio.errors import ConfigError, EncoderUnavailableError, UnknownNameError
from fastlabel_gradio.server.project import Project
from tests.pools import wait_for

NAMES = [f"{kind}/{number}.jpg" for kind in ("cat", "dog") for number in range(6)]
DIM = 8

pytestmark = pytest.mark.usefixtures("computing_as_the_app")


@pytest.fixture
def vectors() -> np.ndarray:
    return np.random.default_rng(3).normal(0, 5, (len(NAMES), DIM)).astype(np.float32)


def write_npy(path: Path, vectors: np.ndarray, names: list[str] = NAMES) -> dict[str, str]:
    np.save(path / "own.npy", vectors)
    (path / "own.txt").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    return {"path": "own.npy"}


def write_parquet(path: Path, vectors: np.ndarray, names: list[str] = NAMES) -> dict[str, str]:
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    pq.write_table(pa.table({"path": names, "vector": column, "other": names}), path / "own.parquet")
    return {"path": "own.parquet"}


def write_parts(path: Path, vectors: np.ndarray, names: list[str] = NAMES) -> dict[str, str]:
    (path / "parts").mkdir()
    for number, start in enumerate(range(0, len(names), 5)):
        part = pa.table({"key": names[start : start + 5], "emb": [row.tolist() for row in vectors[start : start + 5]]})
        pq.write_table(part, path / "parts" / f"{number}.parquet")
    return {"path": "parts", "id_column": "key", "vector_column": "emb"}


WRITERS: list[Callable[..., dict[str, str]]] = [write_npy, write_parquet, write_parts]


def opened(folder: Path, options: dict[str, Any]) -> PrecomputedEncoder:
    encoder, notice = check_encoder("precomputed", options, "image", folder).open()
    assert isinstance(encoder, PrecomputedEncoder)
    assert notice == ""
    encoder.open_in(folder)
    return encoder


def unit(vectors: np.ndarray) -> np.ndarray:
    wide = vectors.astype(np.float64)
    return np.asarray(wide / np.linalg.norm(wide, axis=1, keepdims=True))


def test_vectors_are_found_by_id_in_every_format_and_precision(tmp_path: Path, vectors: np.ndarray) -> None:
    for number, write in enumerate(WRITERS):
        for dtype in (np.float16, np.float32, np.float64):
            folder = tmp_path / f"{number}-{dtype.__name__}"
            folder.mkdir()
            encoder = opened(folder, write(folder, vectors.astype(dtype)))
            places, found, unknown = encoder.vectors_of(NAMES[::-1])
            assert (places, unknown, encoder.dim, encoder.notes) == (list(range(len(NAMES))), [], DIM, "")
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, unit(vectors.astype(dtype))[::-1], atol=1e-6)
            assert sorted(file.suffix for file in folder.iterdir()) in ([".npy", ".txt"], [".parquet"], [""])


def test_an_array_of_columns_is_read_as_one_of_rows(tmp_path: Path, vectors: np.ndarray) -> None:
    fingerprint = opened(tmp_path, write_npy(tmp_path, vectors)).fingerprint
    encoder = opened(tmp_path, write_npy(tmp_path, np.asfortranarray(vectors)))
    np.testing.assert_allclose(encoder.vectors_of(NAMES)[1], unit(vectors), atol=1e-6)
    assert encoder.fingerprint == fingerprint


def test_a_file_that_was_cut_meanwhile_gives_an_error_and_no_vector(tmp_path: Path, vectors: np.ndarray) -> None:
    encoder = opened(tmp_path, write_npy(tmp_path, vectors))
    with (tmp_path / "own.npy").open("r+b") as file:
        file.truncate(vectors.nbytes)  # less the header's length
    with pytest.raises(OSError, match="the file of vectors ends before byte"):
        encoder.vectors_of(NAMES)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="resident pages are counted on Linux")
def test_vectors_at_random_places_map_no_pages(tmp_path: Path) -> None:
    names = [f"{number}.jpg" for number in range(20_000)]
    encoder = opened(tmp_path, write_npy(tmp_path, np.ones((len(names), 512), dtype=np.float32), names))
    before = resident_mib()[1]
    encoder.vectors_of(names[::2])
    assert resident_mib()[1] < before + 5


def test_the_fingerprint_follows_every_number_and_name(tmp_path: Path, vectors: np.ndarray) -> None:
    other = vectors.copy()
    other[3, 4] += 1e-4
    swapped = [NAMES[1], NAMES[0], *NAMES[2:]]
    first, again, changed, renamed = (
        opened(tmp_path, write_npy(tmp_path, *given)).fingerprint
        for given in ((vectors,), (vectors,), (other,), (vectors, swapped))
    )
    assert first == again
    assert len({first, changed, renamed}) == 3


def test_what_is_wrong_is_counted_with_examples(tmp_path: Path, vectors: np.ndarray) -> None:
    rows = [row.tolist() for row in vectors]
    rows[0][2], rows[1][0], rows[2], rows[3] = float("nan"), float("inf"), [0.0] * DIM, [1.0, 2.0]
    rows[4] = None
    names = [*NAMES[:10], NAMES[9], "dog/5.jpg"]
    pq.write_table(pa.table({"id": names, "vector": rows}), tmp_path / "own.parquet")
    encoder = opened(tmp_path, {"path": "own.parquet"})
    places, found, unknown = encoder.vectors_of([*NAMES, "new.jpg"])
    assert [NAMES[place] for place in places] == [*NAMES[5:10], NAMES[11]]
    np.testing.assert_allclose(found[4], unit(vectors)[9], atol=1e-6)  # the first of the two
    reasons = dict(unknown)
    assert reasons["cat/0.jpg"] == reasons["cat/1.jpg"] == "its vector in own.parquet holds NaN or infinity"
    assert reasons["cat/2.jpg"] == "its vector in own.parquet is all zeros"
    assert reasons["cat/3.jpg"] == "its vector in own.parquet has 2 numbers instead of 8"
    assert reasons["cat/4.jpg"] == "its vector in own.parquet has 0 numbers instead of 8"
    assert reasons["new.jpg"] == reasons["dog/4.jpg"] == "own.parquet has no vector of this id"
    for told in (
        "of another length than the others: 2 (cat/3.jpg, cat/4.jpg)",
        "with NaN or infinity: 2 (cat/0.jpg, cat/1.jpg)",
        "all zeros: 1 (cat/2.jpg)",
        "with an id that stands before already, left out: 1 (dog/3.jpg)",
        "items of the pool without one: 2 (dog/4.jpg, new.jpg)",
    ):
        assert told in encoder.notes


def test_a_file_name_counts_where_it_is_one_items_alone(tmp_path: Path, vectors: np.ndarray) -> None:
    names = [f"/data/of/before/{number}.jpg" for number in range(10)] + ["/a/same.jpg", "/b/same.jpg"]
    encoder = opened(tmp_path, write_npy(tmp_path, vectors, names))
    pool = ["cat/1.jpg", "dog/2.jpg", "cat/3.jpg", "dog/3.jpg", "dog/same.jpg", "dog/new.jpg"]
    assert encoder.goes_by_name(pool)
    encoder.take_names(pool)
    places, found, unknown = encoder.vectors_of(pool)
    assert places == [0, 1]
    np.testing.assert_allclose(found, unit(vectors)[[1, 2]], atol=1e-6)
    shared = "its file name is that of several items or vectors"
    assert [shared in reason for _, reason in unknown] == [True, True, True, False]
    assert shared in encoder.vectors_of(["other/1.jpg"])[2][0][1]  # came later, and that name is taken
    assert encoder.vectors_of(["cat/1.jpg"])[0] == [0]


def test_class_names_have_vectors_of_a_second_file(tmp_path: Path, vectors: np.ndarray) -> None:
    options = write_npy(tmp_path, vectors)
    np.save(tmp_path / "classes.npy", vectors[:2])
    (tmp_path / "classes.json").write_text(json.dumps(["big_cat", "Dog"]), encoding="utf-8")
    encoder = opened(tmp_path, {**options, "text": "classes.npy"})
    assert encoder.logit_scale == 100
    np.testing.assert_allclose(encoder.encode_text(["dog", "big cat"]), unit(vectors)[[1, 0]], atol=1e-6)
    with pytest.raises(EncoderUnavailableError, match=r"classes\.npy has no vector for bird; it has: big cat, dog"):
        encoder.encode_text(["bird"])
    without = opened(tmp_path, options)
    assert without.logit_scale is None
    with pytest.raises(EncoderUnavailableError, match="no text tower"):
        without.encode_text(["dog"])
    np.save(tmp_path / "classes.npy", vectors[:2, :5])
    with pytest.raises(EncoderUnavailableError, match="vectors of 5 numbers"):
        check_encoder("precomputed", {**options, "text": "classes.npy"}, "image", tmp_path).open()


def test_columns_of_the_class_names_may_have_names_of_their_own(tmp_path: Path, vectors: np.ndarray) -> None:
    options = write_parts(tmp_path, vectors)
    classes = pa.table({"class": ["cat", "dog"], "embedding": [row.tolist() for row in vectors[:2]]})
    pq.write_table(classes, tmp_path / "classes.parquet")
    encoder = opened(tmp_path, {**options, "text": "classes.parquet"})
    np.testing.assert_allclose(encoder.encode_text(["dog"]), unit(vectors)[[1]], atol=1e-6)
    pq.write_table(classes.append_column("kind", [["a", "b"]]), tmp_path / "classes.parquet")
    with pytest.raises(ConfigError, match="it is not clear which column is the id_column"):
        check_encoder("precomputed", {**options, "text": "classes.parquet"}, "image", tmp_path)


def test_names_of_rows_come_from_any_list(tmp_path: Path, vectors: np.ndarray) -> None:
    write_npy(tmp_path, vectors)
    (tmp_path / "names.csv").write_text("number,path\n" + "".join(f"7,{n}\n" for n in NAMES), encoding="utf-8")
    (tmp_path / "first.csv").write_text("".join(f"{name},7\n" for name in NAMES), encoding="utf-8")
    (tmp_path / "names.json").write_text(json.dumps([f"./{name}" for name in NAMES]), encoding="utf-8")
    (tmp_path / "windows.txt").write_text("\r\n".join(name.replace("/", "\\") for name in NAMES), encoding="utf-8")
    for ids in ("names.csv", "first.csv", "names.json", "windows.txt"):
        assert opened(tmp_path, {"path": "own.npy", "ids": ids}).vectors_of(NAMES)[2] == []


def test_what_cannot_be_used_is_named_with_the_way_out(tmp_path: Path, vectors: np.ndarray) -> None:
    np.save(tmp_path / "alone.npy", vectors)
    np.save(tmp_path / "flat.npy", vectors.ravel())
    np.save(tmp_path / "whole.npy", vectors.astype(np.int64))
    np.save(tmp_path / "pickled.npy", np.array([{}], dtype=object))
    (tmp_path / "rubbish.parquet").write_bytes(b"rubbish")
    (tmp_path / "empty").mkdir()
    pq.write_table(pa.table({"one": NAMES, "two": NAMES, "v": vectors.tolist()}), tmp_path / "unclear.parquet")
    for options, message in (
        ({}, "path: Field required"),
        ({"path": "no.npy"}, r"no\.npy: no array"),
        ({"path": "no.parquet"}, "there is no such file"),
        ({"path": "empty"}, r"nor \.parquet parts in it"),
        ({"path": "alone.npy"}, r"write their ids.*alone\.txt"),
        ({"path": "flat.npy"}, r"an array \(96,\) of float32"),
        ({"path": "whole.npy"}, "of int64: vectors are"),
        ({"path": "pickled.npy"}, "no array of vectors"),
        ({"path": "rubbish.parquet"}, "no parquet file"),
        ({"path": "unclear.parquet"}, r"Set `id_column` to one of its columns: one \(string\)"),
        ({"path": "unclear.parquet", "id_column": "three"}, "'three' cannot be the id_column"),
        ({"path": "unclear.parquet", "id_column": "one", "vector_column": "two"}, "'two' cannot be the vector_column"),
    ):
        with pytest.raises(ConfigError, match=message):
            check_encoder("precomputed", options, "image", tmp_path)
    options = write_npy(tmp_path, vectors, NAMES[:5])
    with pytest.raises(ConfigError, match=r"own\.txt names 5 items and own\.npy has 12 vectors"):
        opened(tmp_path, options)
    with pytest.raises(UnknownNameError, match="Did you mean 'precomputed'"):
        check_encoder("precompute", {}, "audio")


def test_a_project_serves_known_vectors_without_reading_an_item(tmp_path: Path, vectors: np.ndarray) -> None:
    """The files are no pictures and have one content: nothing is decoded, and no vector is taken for another's."""
    for name in NAMES:
        (tmp_path / "pool" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pool" / name).write_bytes(b"no picture")
    options = write_parquet(tmp_path, vectors[:-1], NAMES[:-1])
    encoder = {"kind": "precomputed", **options}
    source = {"kind": "image_folder", "path": "pool"}
    config = ProjectConfig.model_validate({"name": "own", "source": source, "encoder": encoder})
    project = Project(config, tmp_path, tmp_path / "work")
    try:
        project.start()
        wait_for(lambda: project.pipeline.progress.state in ("done", "failed"))
        assert project.pipeline.progress.state == "done", project.pipeline.progress.error
        assert project.pipeline.progress.encoder == "precomputed"
        assert "items of the pool without one: 1 (dog/5.jpg)" in project.pipeline.progress.notice
        [(item_id, reason)] = project.store.unreadable(9)
        assert item_id == "dog/5.jpg"
        assert reason.startswith("own.parquet has no vector of this id")
        rows = project.store.rows_of(NAMES[:-1])
        np.testing.assert_allclose(
            project.store.embeddings[[rows[name] for name in NAMES[:-1]]], unit(vectors)[:-1], atol=1e-6
        )
    finally:
        project.close()


@pytest.mark.parametrize("scale", [1e-29, 1e-25, 1e20, 1e28])
def test_very_small_and_large_vectors_have_length_1_and_their_direction(
    tmp_path: Path, vectors: np.ndarray, scale: float
) -> None:
    for write in WRITERS[:2]:
        options = write(tmp_path, (vectors * scale).astype(np.float32))
        np.testing.assert_allclose(opened(tmp_path, options).vectors_of(NAMES)[1], unit(vectors), atol=1e-6)
    encoder = opened(tmp_path, {**options, "text": "own.npy"})
    np.testing.assert_allclose(encoder.encode_text(NAMES[:2]), unit(vectors)[:2], atol=1e-6)


@pytest.mark.parametrize("scale", [1e-100, 1e-36, 1e36, 1e100])
def test_what_float32_cannot_hold_is_counted(tmp_path: Path, vectors: np.ndarray, scale: float) -> None:
    wide = vectors.astype(np.float64)
    wide[:5] *= scale
    for write in WRITERS[:2]:
        encoder = opened(tmp_path, write(tmp_path, wide))
        places, found, unknown = encoder.vectors_of(NAMES)
        assert places == list(range(5, len(NAMES)))
        np.testing.assert_allclose(found, unit(vectors)[5:], atol=1e-6)
        assert all("below 1e-30 or above 1e+30" in reason for _, reason in unknown)
        assert (
            "with numbers too small or too large for float32: 5 (cat/0.jpg, cat/1.jpg, cat/2.jpg, …)" in encoder.notes
        )


def test_rows_without_an_id_are_counted_as_such(tmp_path: Path, vectors: np.ndarray) -> None:
    pq.write_table(pa.table({"id": [None, "", *NAMES[2:]], "vector": vectors.tolist()}), tmp_path / "own.parquet")
    notes = opened(tmp_path, {"path": "own.parquet"}).notes
    assert "without an id, left out: 2 (row 1, row 2)" in notes
    assert "stands before already" not in notes


def test_names_may_hold_other_ends_of_lines(tmp_path: Path, vectors: np.ndarray) -> None:
    odd = ["a\u2028b.jpg", "c\x0bd.jpg", "e\x85f.jpg", *NAMES[3:]]
    write_npy(tmp_path, vectors, odd)
    (tmp_path / "names.csv").write_text("id\n" + "".join(f"{name}\n" for name in odd) + "\n", encoding="utf-8")
    for ids in ("own.txt", "names.csv"):
        assert opened(tmp_path, {"path": "own.npy", "ids": ids}).vectors_of(odd)[2] == []


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("names.csv", "n,id\n" + "1\n" * len(NAMES), "the row '1' has no column 2"),
        ("names.json", "[" * 100_000, "no list of names"),
        ("names.json", json.dumps({name: row for row, name in enumerate(NAMES)}), "it holds a dict"),
        ("names.json", json.dumps("x" * len(NAMES)), "it holds a str"),
        ("names.json", json.dumps(["\ud800", *NAMES[1:]]), "no list of names"),
        ("names.txt", "", "names 0 items"),
    ],
)
def test_a_damaged_list_of_names_is_named(
    tmp_path: Path, vectors: np.ndarray, file: str, content: str, message: str
) -> None:
    write_npy(tmp_path, vectors)
    (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        opened(tmp_path, {"path": "own.npy", "ids": file})


def test_what_is_no_array_is_named(tmp_path: Path, vectors: np.ndarray) -> None:
    np.savez(tmp_path / "several.npz", vectors)
    (tmp_path / "several.npz").rename(tmp_path / "several.npy")
    (tmp_path / "nothing.npy").touch()
    for path, message in (("several.npy", "an archive of arrays"), ("nothing.npy", "no array of vectors")):
        with pytest.raises(ConfigError, match=message):
            check_encoder("precomputed", {"path": path}, "image", tmp_path)


def test_parts_are_found_in_folders_and_some_may_be_empty(tmp_path: Path, vectors: np.ndarray) -> None:
    options = write_parts(tmp_path, vectors)
    whole = pq.read_table(tmp_path / "parts" / "0.parquet")
    (tmp_path / "parts" / "day=2").mkdir()
    (tmp_path / "parts" / "1.parquet").rename(tmp_path / "parts" / "day=2" / "1.PARQUET")
    pq.write_table(whole.slice(0, 0), tmp_path / "parts" / "000.parquet")
    (tmp_path / "parts" / "._0.parquet").write_bytes(b"of a Mac")
    (tmp_path / "parts" / "_temporary").mkdir()
    pq.write_table(whole, tmp_path / "parts" / "_temporary" / "0.parquet")
    encoder = opened(tmp_path, options)
    np.testing.assert_allclose(encoder.vectors_of(NAMES)[1], unit(vectors), atol=1e-6)
    assert encoder.notes == ""


def test_a_class_has_one_vector(tmp_path: Path, vectors: np.ndarray) -> None:
    options = write_npy(tmp_path, vectors)
    for rows, is_refused in (([0, 1, 0], False), ([0, 1, 2], True)):
        pq.write_table(
            pa.table({"class": ["cat", "dog", "Cat"], "vector": vectors[rows].tolist()}), tmp_path / "text.parquet"
        )
        checked = check_encoder("precomputed", {**options, "text": "text.parquet"}, "image", tmp_path)
        if is_refused:
            with pytest.raises(EncoderUnavailableError, match="class 'Cat' has two vectors"):
                checked.open()
        else:
            checked.open()
