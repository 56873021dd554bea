"""The page's types are those of the OpenAPI, and the models of REST's answers have every field that comes."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, ValidationError

from fastlabel_gradio.loop.trainer import Training
from fastlabel_gradio.media.sound_view import SoundView
from fastlabel_gradio.pool.encoder_change import ChangeProgress
from fastlabel_gradio.pool.progress import EmbeddingProgress
from fastlabel_gradio.server import api_models
from fastlabel_gradio.server.api_models import ChangeAnswer, EmbeddingAnswer, HeadAnswer, SoundViewAnswer
from tests.page_types import MAKER, TYPES, make_types
from tests.test_api import label_as_the_folders_say, start

MODELS = {
    name: model
    for name, model in vars(api_models).items()
    if isinstance(model, type) and issubclass(model, api_models.Model)
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    app, address = start(tmp_path_factory.mktemp("served"), train_every=1000, audit_share=0.3)
    with httpx.Client(base_url=address, timeout=30) as opened:
        yield opened
    app.close()


@pytest.mark.skipif(not MAKER.exists(), reason="npm install brings openapi-typescript")
def test_the_types_of_the_page_are_made_from_the_openapi() -> None:
    assert TYPES.read_text(encoding="utf-8") == make_types(), "npm run types writes them anew"


def test_every_route_says_what_it_answers_with(client: httpx.Client) -> None:
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method, route in methods.items():
            schema = route["responses"]["200"].get("content", {}).get("application/json", {}).get("schema", {})
            is_file = path.startswith(("/media/", "/api/export", "/api/checkpoint", "/api/map", "/api/model"))
            assert is_file or schema["$ref"].endswith("Answer"), (method, path)


def test_every_field_of_the_real_answers_is_in_its_model(client: httpx.Client) -> None:
    answers = {"BatchAnswer": client.get("/api/next_batch", params={"size": 12}).json()}
    label_as_the_folders_say(client, 30)
    answers["StatusAnswer"] = client.get("/api/status").json()
    answers["EvaluationAnswer"] = client.get("/api/evaluation").json()
    answers["TrainAnswer"] = client.post("/api/train").json()
    answers["RescanAnswer"] = client.post("/api/rescan").json()
    answers["UndoAnswer"] = client.post("/api/undo").json()
    answers["RedoAnswer"] = client.post("/api/redo").json()
    for name, answer in answers.items():
        _assert_described(answer, MODELS[name])


def _assert_described(answer: dict[str, Any], model: type[BaseModel]) -> None:
    assert set(answer) == set(model.model_fields)
    assert model.model_validate(answer).model_dump(mode="json") == answer


def test_what_the_program_knows_more_than_the_model_is_refused_not_dropped() -> None:
    for part, model in (
        (EmbeddingProgress, EmbeddingAnswer),
        (ChangeProgress, ChangeAnswer),
        (Training, HeadAnswer),
        (SoundView, SoundViewAnswer),
    ):
        assert {field.name for field in fields(part)} <= set(model.model_fields)
    for model in MODELS.values():
        with pytest.raises(ValidationError, match="unknown_field"):
            model.model_validate({"unknown_field": 1})
