"""`fastlabel embed`: parts of a whole source, gone on with, taken in by the app while they are written."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from fastlabel_gradio.bulk.embedding import Embedding, Tally
from fastlabel_gradio.command_line import main
from fastlabel_gradio.config import ProjectConfig
from fastlabel_gradio.encoders import check_encoder
from fastlabel_gradio.encoders.precomputed import PrecomputedEncoder
from fastlabel_gradio.errors import ConfigError, EncoderUnavailableError, StoreError
from fastlabel_gradio.parts.part_files import begin, complete, is_complete, parts_of
from fastlabel_gradio.parts.places import open_place
from fastlabel_gradio.pool.parts_taken import PartsTaken
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.sources.image_folder import ImageFolder
from tests.pools import make_config, make_sound_config, wait_for, write_pictures, write_sounds
from tests.remote import BUCKET, S3, s3  # noqa: F401  # a fixture

pytestmark = pytest.mark.usefixtures("computing_as_the_app")
COLUMNS = ["id", "stamp", "content_key", "group", "vector", "fingerprint", "reason"]
PART_ITEMS = 16


def embedded(config: ProjectConfig, tmp_path: Path, out: Path | str | None = None) -> Tally:
    embedding = Embedding(config, tmp_path, tmp_path / "work", str(out or tmp_path / "parts"), PART_ITEMS)
    return embedding.run(None, threads=2)


def rows_in(folder: Path) -> dict[str, dict[str, object]]:
    tables = [pq.read_table(part) for part in sorted(folder.glob("*.parquet"))]
    assert all(table.column_names == COLUMNS for table in tables)
    rows = [row for table in tables for row in table.to_pylist()]
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row for row in rows}


def vectors_of(project: Project) -> dict[str, np.ndarray]:
    rows = project.store.items_between(0, len(project.store))
    return {item_id: project.store.embeddings[row] for row, item_id in rows}


def test_parts_hold_what_the_app_would_embed(
    pictures: Path, tmp_path: Path, open_project: Callable[..., Project]
) -> None:
    """With an encoder that learns from the pool, and for sounds, whose tiles need more than the encoder."""
    (pictures / "broken.png").write_bytes(b"no picture")
    sounds = write_sounds(tmp_path / "sounds", per_class=3)
    for config in (make_config(pictures, encoder="offline"), make_sound_config(sounds, encoder="offline")):
        out = tmp_path / f"parts-{config.name}"
        embedded(config, tmp_path, out)
        rows = rows_in(out)
        project = open_project(config)
        vectors = vectors_of(project)
        assert project.store.space is not None
        for item_id, vector in vectors.items():
            row = rows.pop(item_id)
            assert row["fingerprint"] == project.store.space.name
            assert row["content_key"]
            assert np.dot(vector, np.array(row["vector"], dtype=np.float32)) >= 0.9999
        bad = [(row["id"], row["vector"], row["content_key"]) for row in rows.values()]
        assert bad == ([("broken.png", None, None)] if config.name == "images" else [])
        assert all(row["reason"] for row in rows.values())


def test_what_is_in_a_part_is_not_done_again(pictures: Path, tmp_path: Path) -> None:
    config = make_config(pictures)
    tally = embedded(config, tmp_path)
    assert (tally.listed, tally.before, tally.vectors) == (60, 0, 60)
    place = open_place(tmp_path / "parts")
    parts = parts_of(place)
    assert len(parts) == 4
    (tmp_path / "parts" / parts[0]).unlink()  # never written: its worker was killed
    (tmp_path / "parts" / f"{parts[0]}.77.unfinished").write_bytes(b"half")
    write_pictures(tmp_path / "more", per_class=1, seed=5)
    (tmp_path / "more/red/0000.png").rename(pictures / "red/new.png")
    before = {name: (tmp_path / "parts" / name).stat().st_mtime_ns for name in parts[1:]}
    tally = embedded(config, tmp_path)
    assert tally.listed == 61
    assert tally.before + tally.vectors == 61
    assert 1 < tally.vectors <= PART_ITEMS + 1
    assert before.items() <= {path.name: path.stat().st_mtime_ns for path in (tmp_path / "parts").iterdir()}.items()
    assert len(rows_in(tmp_path / "parts")) == 61
    assert place.names(".unfinished") == {}
    assert is_complete(place)


def test_a_place_takes_the_vectors_of_one_encoder(pictures: Path, tmp_path: Path) -> None:
    embedded(make_config(pictures), tmp_path)
    with pytest.raises(EncoderUnavailableError, match=r"pixels-1.*another -o"):
        embedded(make_config(pictures, encoder="offline"), tmp_path)
    with pytest.raises(ConfigError, match="embeds nothing"):
        options = {"kind": "precomputed", "path": str(tmp_path / "parts")}
        Embedding(make_config(pictures, encoder=options), tmp_path, tmp_path / "work", str(tmp_path / "other"))


def test_the_precomputed_encoder_reads_the_parts(pictures: Path, tmp_path: Path) -> None:
    (pictures / "broken.png").write_bytes(b"no picture")
    embedded(make_config(pictures), tmp_path)
    encoder, _ = check_encoder("precomputed", {"path": "parts"}, "image", tmp_path).open()
    assert isinstance(encoder, PrecomputedEncoder)
    encoder.open_in(tmp_path)
    known, vectors, unknown = encoder.vectors_of(["red/0001.png", "broken.png"])
    assert (known, vectors.shape, [item_id for item_id, _ in unknown]) == ([0], (1, 48), ["broken.png"])


def test_people_label_while_the_parts_are_written(
    pictures: Path, tmp_path: Path, open_project: Callable[..., Project]
) -> None:
    (pictures / "broken.png").write_bytes(b"no picture")
    config = make_config(pictures, embedded=str(tmp_path / "parts"))
    embedded(config, tmp_path)
    place, kept = open_place(tmp_path / "parts"), tmp_path / "kept"
    kept.mkdir()
    names = parts_of(place)
    for name in names[2:]:
        (tmp_path / "parts" / name).rename(kept / name)
    begin(place)  # not complete any more
    project = open_project(config, embed=False)
    there = sum(pq.read_metadata(tmp_path / "parts" / name).num_rows for name in names[:2])  # the last part is shorter
    wait_for(lambda: len(project.store) == there - project.store.unreadable_count, 60)
    assert project.labeler("ann").next_batch("ann", 12, fresh=True).items
    for name in names[2:]:
        (kept / name).rename(tmp_path / "parts" / name)
    wait_for(lambda: len(project.store) == 60, 60)
    assert [item_id for item_id, _ in project.store.unreadable(5)] == ["broken.png"]
    assert project.pipeline.progress.state == "embedding"  # more could come
    complete(place, 61)
    wait_for(lambda: project.pipeline.progress.state == "done", 60)
    contents = {key for key, *_ in project.store.contents_of(range(60))}
    assert contents == {row["content_key"] for row in rows_in(tmp_path / "parts").values()} - {None}


def test_parts_that_come_when_the_app_embeds_by_itself_already_are_taken_in(
    pictures: Path, tmp_path: Path, open_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config(pictures, embedded="parts")
    embedded(config, tmp_path)
    read: list[str] = []
    monkeypatch.setattr(PartsTaken, "outcomes", lambda *_: iter(()))  # as if their writer had been silent for long
    monkeypatch.setattr(ImageFolder, "read", lambda _, item, resolution=None: read.append(item.id))
    project = open_project(config)
    assert (project.pipeline.progress.state, len(project.store), read) == ("done", 60, [])


def test_parts_in_a_bucket_are_gone_on_with_and_taken_in_from_there(
    pictures: Path,
    tmp_path: Path,
    open_project: Callable[..., Project],
    s3: S3,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = f"s3://{BUCKET}/deep/parts"
    config = make_config(pictures, encoder="offline", embedded=place)
    assert embedded(config, tmp_path, place).vectors == 60
    keys = [found["Key"] for found in s3.client.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert sum(key.endswith(".parquet") for key in keys) == 4
    assert all(key.startswith("deep/parts/") for key in keys)
    s3.client.delete_object(Bucket=BUCKET, Key=next(key for key in keys if key.endswith(".parquet")))
    again = embedded(config, tmp_path, place)
    assert 0 < again.vectors <= PART_ITEMS
    assert again.before == 60 - again.vectors

    monkeypatch.setattr(ImageFolder, "read", None)  # nothing is embedded here
    project = open_project(config)
    assert (project.pipeline.progress.state, len(project.store)) == ("done", 60)
    with pytest.raises(StoreError, match=f"s3://{BUCKET}-2/parts cannot be"):
        embedded(config, tmp_path, f"s3://{BUCKET}-2/parts")


def test_what_is_in_no_part_or_changed_since_is_embedded_by_the_app(
    pictures: Path, tmp_path: Path, open_project: Callable[..., Project]
) -> None:
    config = make_config(pictures, encoder="offline", embedded="parts")
    embedded(config, tmp_path)
    former = rows_in(tmp_path / "parts")
    (pictures / "red/0000.png").write_bytes((pictures / "blue/0000.png").read_bytes())
    (pictures / "red/0001.png").touch()  # another stamp, the same content
    (tmp_path / "parts" / parts_of(open_place(tmp_path / "parts"))[0]).unlink()
    project = open_project(config)
    assert (len(project.store), project.pipeline.progress.error) == (60, "")
    vectors = vectors_of(project)
    changed = [
        item_id
        for item_id, row in former.items()
        if np.dot(vectors[item_id], np.array(row["vector"], dtype=np.float32)) < 0.9999
    ]
    assert changed == ["red/0000.png"]


def test_vectors_of_another_encoder_are_not_taken_and_the_page_says_so(
    pictures: Path, tmp_path: Path, open_project: Callable[..., Project]
) -> None:
    embedded(make_config(pictures), tmp_path)
    project = open_project(make_config(pictures, encoder="offline", embedded=str(tmp_path / "parts")))
    assert len(project.store) == 60
    assert "are by encoder 'pixels'" in project.pipeline.progress.notice


def test_the_command_says_what_it_wrote_and_how_to_go_on(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "broken.png").write_bytes(b"no picture")
    out, work = str(tmp_path / "parts"), str(tmp_path / "work")
    main(["embed", str(pictures), "--encoder", "offline", "-o", out, "--workdir", work, "--part-items", "20"])
    said = capsys.readouterr()
    assert f"{out}: 60 vectors by encoder 'offline', 1 cannot be read." in said.out
    assert f"--embedded {out}" in said.out
    assert "broken.png: " in said.err
    with pytest.raises(SystemExit, match=r"say what to embed"):
        main(["embed", "-o", out])
    with pytest.raises(SystemExit, match=r"nowhere:// cannot be opened"):
        main(["embed", str(pictures), "--encoder", "offline", "-o", "nowhere://bucket"])
    with pytest.raises(SystemExit, match=r"no password in an address") as raised:
        main(["embed", str(pictures), "--encoder", "offline", "-o", "s3://key:secret@bucket/x"])
    assert "secret" not in str(raised.value)
