"""Sources in a bucket and behind a web server are as those of a folder, and go on by themselves where the store was away."""

import argparse
import os
import socketserver
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from fastlabel_gradio.config import ProjectConfig
from fastlabel_gradio.data_options import add_data_options, workdir_of
from fastlabel_gradio.errors import SourceError, UnavailableItemError, UnreadableItemError
from fastlabel_gradio.media.sounds import sound_info
from fastlabel_gradio.pool import retries
from fastlabel_gradio.pool.pipeline import EmbeddingPipeline
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.sources import file_cache, files, guess_source, remote_store, remote_tree
from fastlabel_gradio.sources.address import address_of, without_secrets
from fastlabel_gradio.sources.ranged_file import FileBlocks
from fastlabel_gradio.sources.ranged_sound import RangedSound
from fastlabel_gradio.types import Item, TimeSpan
from tests.pools import PixelEncoder, wait_for, write_pictures
from tests.remote import BUCKET, S3, WebServer, gs, s3, web  # noqa: F401  # fixtures
from tests.source_data import ids, opened, save, save_sound


def _kept(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "cache" / "remote").rglob("*") if path.is_file())


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_folder_of_a_bucket_is_as_the_same_folder_of_this_machine(tmp_path: Path, s3: S3) -> None:  # noqa: F811
    folder = write_pictures(tmp_path / "here" / "train", 2)
    save(tmp_path / "here" / "test" / "red" / "t.png", 7)
    save(folder / "red" / "ü ?#%.png", 8)
    for name in ("notes.txt", ".hidden.png", "@eaDir/x.png", "Thumbs.db"):
        _write(folder / name, "x")
    s3.put(tmp_path / "here", "deep/er/")
    local = opened("image_folder", tmp_path, path="here")
    remote = opened("image_folder", tmp_path, path=f"s3://{BUCKET}/deep/er/")
    assert ids(remote) == ids(local)
    assert remote.classes() == local.classes() == ("blue", "green", "red")
    assert [item.id for item in remote.held_out()] == [item.id for item in local.held_out()] == ["test/red/t.png"]
    assert set(remote.left_out()) == set(local.left_out())
    for ours, theirs in zip(local.scan(), remote.scan(), strict=True):
        np.testing.assert_array_equal(np.asarray(remote.read(theirs)), np.asarray(local.read(ours)))
        assert remote.content_key(theirs) == local.content_key(ours)
        assert remote.reference_label(theirs) == local.reference_label(ours)
    assert len(_kept(tmp_path)) == 7
    assert remote.why_takes_none()


def test_a_bucket_of_google_is_as_a_folder_of_this_machine(
    tmp_path: Path,
    gs: Callable[[Path, str], None],  # noqa: F811
) -> None:
    folder = write_pictures(tmp_path / "here", 2)
    save(folder / "red" / "ü ?#%.png", 8)
    gs(folder, "deep/er/")
    local, remote = (opened("image_folder", tmp_path, path=path) for path in ("here", f"gs://{BUCKET}/deep/er"))
    assert ids(remote) == ids(local)
    assert remote.classes() == local.classes()
    for ours, theirs in zip(local.scan(), remote.scan(), strict=True):
        assert remote.content_key(theirs) == local.content_key(ours)
    first = next(remote.scan())
    whole = (folder / first.id).read_bytes()
    store, root = remote_store.store_of(address_of(f"gs://{BUCKET}")), address_of(f"gs://{BUCKET}/deep/er")
    assert store.read(root.below(first.id), 1, 9) == whole[1:9]
    assert store.entry(root.below("none.png")) is None
    save(tmp_path / "more" / first.id, 99)
    gs(tmp_path / "more", "deep/er/")
    assert next(remote.scan()).stamp != first.stamp
    with pytest.raises(
        SourceError, match="gs://nothing/deep cannot be listed: there is no such file, folder or bucket"
    ):
        opened("image_folder", tmp_path, path="gs://nothing/deep")


def test_new_changed_and_removed_files_of_a_bucket_are_found(tmp_path: Path, s3: S3) -> None:  # noqa: F811
    s3.put(write_pictures(tmp_path / "here", 2))
    source = opened("image_folder", tmp_path, path=f"s3://{BUCKET}")
    before = {item.id: item for item in source.scan()}
    first = source.read(before["red/0000.png"])
    s3.client.delete_object(Bucket=BUCKET, Key="blue/0000.png")
    save(tmp_path / "more" / "red" / "0000.png", 99)
    save(tmp_path / "more" / "red" / "new.png", 98)
    s3.put(tmp_path / "more")
    after = {item.id: item for item in source.scan()}
    assert after.keys() ^ before.keys() == {"blue/0000.png", "red/new.png"}
    assert {name for name in after.keys() & before.keys() if after[name] != before[name]} == {"red/0000.png"}
    assert source.read(after["red/0000.png"]).tobytes() != first.tobytes()
    with pytest.raises(UnavailableItemError, match="there is no such file"):
        source.read(before["blue/0000.png"])


def test_a_bucket_is_listed_page_by_page(tmp_path: Path, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(remote_store, "PAGE_KEYS", 5)
    for number in range(23):
        s3.client.put_object(Bucket=BUCKET, Key=f"{number:02d}.png", Body=b"x")
    source = opened("image_folder", tmp_path, path=f"s3://{BUCKET}")
    scan: Iterator[Item] = source.scan()
    assert next(scan).id == "00.png"
    s3.client.put_object(Bucket=BUCKET, Key="21-came-while-listing.png", Body=b"x")
    assert [item.id for item in scan][-4:] == ["20.png", "21-came-while-listing.png", "21.png", "22.png"]


def test_what_a_bucket_or_a_server_lacks_is_said_with_the_next_step(
    tmp_path: Path,
    s3: S3,  # noqa: F811
    web: WebServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    s3.client.put_object(Bucket=BUCKET, Key="folder/a.txt", Body=b"x")
    for path, message in (
        ("s3://no-such-bucket/x", "s3://no-such-bucket/x cannot be listed: there is no such file, folder or bucket"),
        (f"s3://{BUCKET}/nowhere", f"s3://{BUCKET}/nowhere does not exist, is empty or is no folder"),
        (f"s3://{BUCKET}/folder", "holds no picture, in its sub-folders neither (1 file left out: 1 .txt)"),
        (f"{web.address}/nowhere", "there is no such file"),
        ("http://127.0.0.1:9/x", "http://127.0.0.1:9/x cannot be listed"),
    ):
        with pytest.raises(SourceError) as caught:
            opened("image_folder", tmp_path, path=path)
        assert message in str(caught.value)


@pytest.mark.parametrize("scheme", ["gs", "hf", "https", "s3"])
def test_a_store_that_cannot_be_reached_is_said_after_a_few_tries_with_the_next_step(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _deaf_server() as (port, asked):
        address = f"https://127.0.0.1:{port}/x" if scheme == "https" else f"{scheme}://datasets/some/folder"
        for name in ("STORAGE_EMULATOR_HOST", "AWS_ENDPOINT_URL"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{port}")  # of HF_ENDPOINT
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "x")
        monkeypatch.setenv("FSSPEC_GS_TOKEN", "anon")
        monkeypatch.setattr(remote_store, "PAUSES_S", (0.01,))
        remote_store.forget()
        said = r"cannot be listed: .*\. Check the address, and that this machine has a network"
        with pytest.raises(SourceError, match=said):
            list(remote_store.store_of(address_of(address)).entries(address_of(address)))
        remote_store.forget()
    assert 1 <= asked[0] <= 4, "the library tries again by itself, for minutes"


@contextmanager
def _deaf_server() -> Iterator[tuple[int, list[int]]]:
    """The port of a server that hangs up at once, and how often it did."""
    asked = [0]

    class HangsUp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked[0] += 1

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), HangsUp) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1], asked
        server.shutdown()


def test_a_store_that_stops_costs_nothing_but_time(
    tmp_path: Path,
    s3: S3,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE_S", 0.1)
    s3.put(write_pictures(tmp_path / "here", 8))
    source = opened("image_folder", tmp_path, path=f"s3://{BUCKET}")
    store = EmbeddingStore(tmp_path / "pool")
    read, stopped = source.read, []

    def stopping_read(item: Item, resolution: int | None = None) -> object:
        if len(store) >= 4 and not stopped:
            stopped.append(item.id)
            s3.stop()
        return read(item, resolution)

    monkeypatch.setattr(source, "read", stopping_read)
    monkeypatch.setattr(PixelEncoder, "batch_size", 4)
    pipeline = EmbeddingPipeline(source, store, lambda: (PixelEncoder(), ""), workers=1, audit_share=0.0)
    pipeline.start()
    try:
        wait_for(lambda: store.unreadable_count > 0)
        assert stopped and len(store) < 24
        pipeline.rescan()
        wait_for(lambda: pipeline.progress.scan_notice != "")
        assert "nothing left the pool" in pipeline.progress.scan_notice
        s3.start()
        wait_for(lambda: len(store) == 24 and store.unreadable_count == 0)
    finally:
        pipeline.stop()
        store.close()


def test_a_web_folder_is_listed_by_its_links_and_read_with_what_its_address_says(
    tmp_path: Path,
    web: WebServer,  # noqa: F811
) -> None:
    save(tmp_path / "web" / "photos" / "cat" / "a b&c.png", 1)
    save(tmp_path / "web" / "photos" / "dog" / "ü#1%.png", 2)
    _write(tmp_path / "web" / "photos" / "notes.txt", "x")
    web.login = "Basic YW5uOnA6dw=="
    address = f"http://ann:p%3Aw@{web.address[7:]}/photos?sig=deadbeef"
    source = opened("image_folder", tmp_path, path=address)
    assert ids(source) == ["cat/a b&c.png", "dog/ü#1%.png"]
    assert source.classes() == ("cat", "dog")
    assert [source.read(item).size for item in source.scan()] == [(12, 10)] * 2
    assert all("sig=deadbeef" in path and login == web.login for path, login in web.asked)
    web.login = "another"
    with pytest.raises(SourceError, match="access is denied") as caught:
        list(source.scan())
    assert not {"ann", "deadbeef", "p%3Aw"} & set(str(caught.value).replace("/", " ").replace("?", " ").split())


def test_an_answer_that_breaks_off_is_never_kept(tmp_path: Path, web: WebServer) -> None:  # noqa: F811
    save(tmp_path / "web" / "a.png", 1)
    source = opened("image_folder", tmp_path, path=web.address)
    [item] = source.scan()
    web.torn.add("/a.png")
    with pytest.raises(UnavailableItemError, match="cannot be fetched"):
        source.read(item)
    assert _kept(tmp_path) == []
    web.torn.clear()
    assert source.read(item).size == (12, 10)


def test_the_cache_stays_within_its_limit_and_keeps_what_was_used_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_cache, "SPARED_S", -1.0)
    cache = file_cache.FileCache(tmp_path / "cache", 1_000)

    def path(number: int) -> Path:
        fetched.append(number)
        return cache.path(str(number), ".bin", lambda path: path.write_bytes(b"x" * 100))

    fetched: list[int] = []
    first = [path(number) for number in range(10)]
    for age, file in enumerate(first):
        os.utime(file, (1_000 + age, 1_000 + age))
    cache.path("0", ".bin", lambda path: pytest.fail("it is there"))
    path(10)
    kept = sorted((tmp_path / "cache").iterdir())
    assert sum(file.stat().st_size for file in kept) == 800
    assert first[0].exists() and not any(file.exists() for file in first[1:4])


def test_a_killed_download_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    cache = file_cache.FileCache(tmp_path, 1_000)

    def killed(path: Path) -> None:
        path.write_bytes(b"ha")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.path("a", ".png", killed)
    (tmp_path / "of-a-killed-process.part").write_bytes(b"ha")
    assert cache.path("a", ".png", lambda path: path.write_bytes(b"whole")).read_bytes() == b"whole"


def test_a_table_names_files_by_address_or_relative_to_itself(tmp_path: Path, web: WebServer, s3: S3) -> None:  # noqa: F811
    save(tmp_path / "web" / "sets" / "in" / "a.png", 1)
    save(tmp_path / "web" / "b.png", 2)
    save(tmp_path / "up" / "c.png", 3)
    s3.put(tmp_path / "up")
    rows = [
        "path,label",
        "in/a.png,x",
        f"{web.address}/sets/in/a.png?X-Amz-Signature=abc,again",
        "../b.png,y",
        f"{web.address}/b.png?id=5,z",
        f"s3://{BUCKET}/c.png,x",
        "ftp://x.org/a.png,x",
        "C:\\a.png,x",
    ]
    _write(tmp_path / "web" / "sets" / "t.csv", "\n".join(rows))
    source = opened("table", tmp_path, path=f"{web.address}/sets/t.csv?token=abc")
    found = ids(source)
    assert found[:2] == ["in/a.png", f"{web.address}/b.png"]
    assert found[2].startswith(f"{web.address}/b.png~") and found[3] == f"s3://{BUCKET}/c.png"
    assert {left.what for left in source.left_out()} == {"repeated path with another label", "path of another place"}
    assert source.classes() == ("x", "y", "z")
    for item in source.scan():
        assert source.read(item).size == (12, 10)
    assert ("/b.png?id=5", "") in web.asked and ("/sets/in/a.png?X-Amz-Signature=abc", "") in web.asked
    _write(tmp_path / "web" / "sets" / "t.csv", "path,label\nin/a.png,x\nin/new.png,x\n")
    assert ids(source) == ["in/a.png", "in/new.png"]
    with pytest.raises(UnreadableItemError, match="there is no such file"):
        source.read(Item("in/new.png", ""))


def test_a_table_of_this_machine_may_name_addresses(tmp_path: Path, web: WebServer) -> None:  # noqa: F811
    save(tmp_path / "web" / "far.png", 1)
    save(tmp_path / "near.png", 2)
    _write(tmp_path / "t.csv", f"path,label\nnear.png,x\n{web.address}/far.png,y\n")
    source = opened("table", tmp_path, path="t.csv")
    assert ids(source) == ["near.png", f"{web.address}/far.png"]
    assert [source.read(item).size for item in source.scan()] == [(12, 10)] * 2
    assert source.notice == ""


def test_sounds_of_a_bucket_are_cut_read_and_played_as_those_of_a_folder(tmp_path: Path, s3: S3) -> None:  # noqa: F811
    for number, suffix in enumerate((".wav", ".flac", ".ogg")):
        save_sound(tmp_path / "here" / f"{number}{suffix}", number, seconds=1.0)
    s3.put(tmp_path / "here")
    for options in ({}, {"window_s": 0.4}):
        local = opened("audio_folder", tmp_path, path="here", **options)
        remote = opened("audio_folder", tmp_path, path=f"s3://{BUCKET}", **options)
        assert ids(remote) == ids(local)
        for ours, theirs in zip(local.scan(), remote.scan(), strict=True):
            np.testing.assert_array_equal(remote.read(theirs).samples, local.read(ours).samples)
            assert remote.content_key(theirs) == local.content_key(ours)
            played = local.file(ours)
            if played is not None:
                assert remote.file(theirs).read_bytes() == played.read_bytes()


@pytest.mark.parametrize("place", ["bucket", "web server", "web server without ranges"])
def test_of_a_long_recording_elsewhere_only_what_a_part_needs_is_fetched(
    place: str,
    tmp_path: Path,
    s3: S3,  # noqa: F811
    web: WebServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remote_tree, "PARTS_FROM_BYTES", 1 << 21)
    monkeypatch.setattr(files, "WHOLE_BYTES", 1 << 21)
    noise = np.random.default_rng(0).integers(-3_000, 3_000, 3_000_000, dtype=np.int16)  # 6 MB
    (tmp_path / "web" / "long").mkdir()
    soundfile.write(tmp_path / "web" / "long" / "night.wav", noise, 48_000)
    web.has_ranges = place == "web server"
    if place == "bucket":
        s3.put(tmp_path / "web")
    address = f"s3://{BUCKET}/long" if place == "bucket" else f"{web.address}/long/"
    local = opened("audio_folder", tmp_path, path="web/long", window_s=3.0)
    remote = opened("audio_folder", tmp_path, path=address, window_s=3.0)
    assert ids(remote) == ids(local)
    ours, theirs = ([*source.scan()][5] for source in (local, remote))
    assert remote.content_key(theirs) == local.content_key(ours)
    for _ in range(2):
        np.testing.assert_array_equal(remote.read(theirs).samples, local.read(ours).samples)
    kept = sum(path.stat().st_size for path in _kept(tmp_path))
    if place == "web server without ranges":
        assert kept == (tmp_path / "web" / "long" / "night.wav").stat().st_size
    else:
        assert kept < 300_000, "the part alone is kept"
    assert web.sent < 4_500_000, "64 samples for the key, head and end, the part"


def test_a_recording_elsewhere_that_breaks_off_is_no_shorter_sound(tmp_path: Path) -> None:
    stored = tmp_path / "night.wav"
    soundfile.write(stored, np.ones(400_000, dtype=np.int16), 8_000)

    def fetch(start: int, end: int) -> bytes:
        if start:
            raise UnavailableItemError("cannot be fetched: the server hung up")
        return stored.read_bytes()[start:end]

    blocks = FileBlocks(stored.stat().st_size, fetch)
    sound = RangedSound(blocks, sound_info(stored))
    with pytest.raises(UnavailableItemError, match="hung up"):
        sound.write_part(TimeSpan(10.0, 40.0), tmp_path / "part.wav")


def test_a_secret_of_an_address_is_in_no_file_message_log_or_export(
    tmp_path: Path,
    web: WebServer,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    write_pictures(tmp_path / "web" / "photos", 3)
    web.login = "Basic YW5uOmdlaGVpbQ=="
    address = f"http://ann:geheim@{web.address[7:]}/photos/?sig=deadbeef"
    workdir = tmp_path / "workdir"
    config = ProjectConfig(name="images", source={"kind": "image_folder", "path": address}, encoder="pixels")
    for _ in range(2):
        project = Project(config, tmp_path, workdir)
        try:
            project.start()
            wait_for(lambda project=project: project.pipeline.progress.state == "done")
            labeler = project.labeler("ann")
            batch = labeler.next_batch("ann", 3)
            labeler.submit("ann", [(item.id, "red") for item in batch.items], batch.id)
            shown = [repr(project.config), repr(list(project.export_rows("ann"))), repr(project.source.left_out())]
            (tmp_path / "web" / "photos" / "red" / "0000.png").unlink(missing_ok=True)
            web.torn.add("/photos/?sig=deadbeef")
            project.pipeline.rescan()
            wait_for(lambda project=project: project.pipeline.progress.scans > 0)
            shown.append(repr(project.pipeline.progress))
        finally:
            project.close()
            web.torn.clear()
        address = address.replace("deadbeef", "c0ffee")
        assert not {secret for text in shown[1:] for secret in ("geheim", "deadbeef", "c0ffee") if secret in text}
    written = b"".join(path.read_bytes() for path in workdir.rglob("*") if path.is_file()) + caplog.text.encode()
    assert not {secret for secret in (b"geheim", b"deadbeef", b"c0ffee") if secret in written}


def test_messages_of_libraries_are_shown_without_secrets() -> None:
    for text, shown in (
        ("403, url='https://ann:pw@h.org/a/b.png?X-Amz-Signature=abc'", "403, url='https://h.org/a/b.png'"),
        ("GET s3://key:pw@bucket/a#f failed", "GET s3://bucket/a failed"),
        ("no address in it", "no address in it"),
    ):
        assert without_secrets(text) == shown
    address = address_of("HTTPS://ann:p%40w@h.org:8/a%20b/?token=t#f")
    assert str(address) == "https://h.org:8/a%20b" and "p@w" not in repr(address) and "token" not in repr(address)
    assert address.name == "a b" and address.login == ("ann", "p@w") and address.query == "token=t"
    for text in ("s3://", "https://", "https:///a"):
        with pytest.raises(ValueError, match="names no"):
            address_of(text)


def test_a_remote_place_is_guessed_and_has_a_working_directory_without_its_secret(
    tmp_path: Path,
    web: WebServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save(tmp_path / "web" / "photos" / "a.png")
    save_sound(tmp_path / "web" / "calls" / "a.wav")
    _write(tmp_path / "web" / "t.csv", "path,label\ncalls/a.wav,x\n")
    for path, kind, source in (
        ("photos", "image", "image_folder"),
        ("calls/", "audio", "audio_folder"),
        ("t.csv?sig=abc", "audio", "table"),
    ):
        assert guess_source(f"{web.address}/{path}")[:2] == (kind, source)
    for path, message in (
        (f"{web.address}/photos/a.png", "is one picture. Give its folder"),
        ("https://", "names no host"),
        ("http://[::1", "'http://\\[::1' is no address"),
        ("https://h.org:99999999/", "is no address"),
        ("https://h.org:port/", "is no address"),
        ("hf-dataset:", "names no dataset"),
    ):
        with pytest.raises(SourceError, match=message):
            guess_source(path)
    monkeypatch.setenv("FASTLABEL_WORKDIR", str(tmp_path))
    parser = argparse.ArgumentParser()
    add_data_options(parser)
    parser.add_argument("--workdir")
    names = {workdir_of(parser.parse_args([f"{web.address}/photos?sig={sig}"])) for sig in ("abc", "def")}
    assert len(names) == 1 and next(iter(names)).name.startswith("photos-")


def test_a_missing_package_is_named_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "gs", raising=False)  # opened by another test
    remote_store.forget()
    with pytest.raises(SourceError, match=r'pip install "fastlabel-gradio\[remote\]"'):
        opened("image_folder", tmp_path, path="gs://bucket/x")
