"""REST: what the newest head says of items and of what is sent, the classifier as a file, and taking a file in."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from starlette.datastructures import Headers
from starlette.types import Message

from fastlabel_gradio.classifier import load_classifier
from fastlabel_gradio.server.access import Person, Role, person_of
from fastlabel_gradio.server.access.body_limit import MAX_MEDIA_BYTES, limited
from fastlabel_gradio.server.api import create_api
from fastlabel_gradio.server.project import Project
from tests.classifier_pools import app_says, files_of, train
from tests.pools import make_config, wait_for, write_pictures

pytestmark = pytest.mark.usefixtures("computing_as_the_app")


def opened(folder: Path, pictures: Path, **settings: object) -> Project:
    project = Project(make_config(pictures, **settings), folder, folder / "work")
    project.start()
    wait_for(lambda: project.pipeline.progress.state == "done", 60)
    return project


def client_of(project: Project) -> TestClient:
    api = create_api({project.name: project})
    api.dependency_overrides[person_of] = lambda: Person("ann", Role.OWNER)
    return TestClient(api)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """60 pictures in class folders, and a head."""
    folder = tmp_path_factory.mktemp("routes")
    project = train(opened(folder, write_pictures(folder / "pictures", per_class=20)), batches=2)
    yield project
    project.close()


@pytest.fixture(scope="module")
def client(project: Project) -> TestClient:
    return client_of(project)


def pool_of(project: Project) -> Path:
    return Path(str(project.config.source.options["path"]))


def test_items_get_every_class_with_its_probability(client: TestClient, project: Project) -> None:
    said = app_says(project)
    answer = client.post("/api/predict", json={"ids": list(said)}).json()
    assert [(one["id"], one["label"], np.float32(one["confidence"])) for one in answer["predictions"]] == [
        (item_id, label, np.float32(confidence)) for item_id, (label, confidence) in said.items()
    ]
    for one in answer["predictions"]:
        shares = [entry["confidence"] for entry in one["classes"]]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) == pytest.approx(1, abs=1e-5)
        assert {entry["label"] for entry in one["classes"]} == {"blue", "green", "red"}
    refused = client.post("/api/predict", json={"ids": ["red/nothing.png"]})
    assert (refused.status_code, "red/nothing.png" in refused.json()["error"]) == (422, True)
    assert client.post("/api/predict", json={"ids": []}).status_code == 422


def test_a_picture_that_is_sent_is_classified_with_labeled_ones_that_are_like_it(
    client: TestClient, project: Project
) -> None:
    file = files_of(pool_of(project) / "green")[3]
    answer = client.post("/api/predict/media", content=file.read_bytes()).json()
    same = client.post("/api/predict", json={"ids": [f"green/{file.name}"]}).json()
    assert answer["classes"] == same["predictions"][0]["classes"]
    assert answer["head_version"] == same["head_version"]
    assert [one["label"] for one in answer["nearest"][:3]] == ["green"] * 3
    similarities = [one["similarity"] for one in answer["nearest"]]
    assert similarities == sorted(similarities, reverse=True)
    assert "sub-folders are the classes" in answer["why_not_taken"]
    for content in (b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(40)):
        assert client.post("/api/predict/media", content=content).status_code == 422


def test_what_is_sent_has_a_limit_of_its_own() -> None:
    async def receive() -> Message:
        return {"type": "http.request"}

    for path, most in (
        ("/api/predict/media", MAX_MEDIA_BYTES),
        ("/api/predict/take", MAX_MEDIA_BYTES),
        ("/api/predict", 2_000_000),
    ):
        limited(receive, Headers({"content-length": str(most)}), path)
        with pytest.raises(Exception, match="longer than"):
            limited(receive, Headers({"content-length": str(most + 1)}), path)


def test_the_classifier_is_downloaded_as_a_zip(client: TestClient, project: Project, tmp_path: Path) -> None:
    answer = client.get("/api/model")
    assert answer.headers["content-type"] == "application/zip"
    assert 'filename="images-model.zip"' in answer.headers["content-disposition"]
    (tmp_path / "model.zip").write_bytes(answer.content)
    said = app_says(project)
    found = [
        (one.label, one.confidence)
        for one in load_classifier(tmp_path / "model.zip").stream([pool_of(project) / i for i in said])
    ]
    assert found == list(said.values())


def test_before_the_first_head_there_is_nothing_to_ask(tmp_path: Path) -> None:
    project = opened(tmp_path, write_pictures(tmp_path / "pictures", per_class=2))
    try:
        client = client_of(project)
        picture = files_of(pool_of(project))[0]
        for answer in (
            client.get("/api/model"),
            client.post("/api/predict", json={"ids": [f"{picture.parent.name}/{picture.name}"]}),
            client.post("/api/predict/media", content=picture.read_bytes()),
        ):
            assert (answer.status_code, "no trained head yet" in answer.json()["error"]) == (503, True)
    finally:
        project.close()


def test_a_picture_is_taken_into_a_plain_folder_and_found(tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    for file in files_of(write_pictures(tmp_path / "pictures", per_class=3)):
        file.rename(flat / f"{file.parent.name}-{file.name}")
    project = opened(tmp_path, flat, classes=["red", "green", "blue"])
    try:
        client = client_of(project)
        picture = io.BytesIO()
        Image.new("RGB", (24, 24), (200, 40, 40)).save(picture, "PNG")
        names = ["../../evil name?.png", "../../evil name?.png", "-rf.PNG"]
        taken = [client.post("/api/predict/take", params={"name": name}, content=picture.getvalue()) for name in names]
        ids = [answer.json()["id"] for answer in taken]
        assert ids == ["added/evil_name.png", "added/evil_name-2.png", "added/rf.png"]
        wait_for(lambda: project.store.total == 12)
        assert all((flat / item_id).read_bytes() == picture.getvalue() for item_id in ids)
        for name, content in (("x.exe", picture.getvalue()), ("x.png", b"no picture"), ("x", picture.getvalue())):
            refused = client.post("/api/predict/take", params={"name": name}, content=content)
            assert refused.status_code in (400, 422), name
        assert len(files_of(flat)) == 12
    finally:
        project.close()


def test_where_a_file_cannot_be_taken_the_reason_is_said(client: TestClient, project: Project, tmp_path: Path) -> None:
    content = files_of(pool_of(project))[0].read_bytes()
    refused = client.post("/api/predict/take", params={"name": "x.png"}, content=content)
    assert (refused.status_code, "sub-folders are the classes" in refused.json()["error"]) == (400, True)
    assert len(files_of(pool_of(project))) == 60
    private = opened(tmp_path, write_pictures(tmp_path / "pictures", per_class=2), sharing="private")
    try:
        refused = client_of(private).post("/api/predict/take", params={"name": "x.png"}, content=content)
        assert (refused.status_code, "do not see each other" in refused.json()["error"]) == (403, True)
    finally:
        private.close()
