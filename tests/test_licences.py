"""What a model says of its licence, and what is said of one that is not free for every use."""

import json
from pathlib import Path

import pytest

from fastlabel_gradio.encoders import clip_weights, timm_weights
from fastlabel_gradio.encoders.licences import licence_of_folder, licence_of_repo, restriction
from tests.tiny_models import fill_cache

CARDS = {
    "license: apache-2.0": "apache-2.0",
    "license: other\nlicense_name: dinov3-license\nlicense_link: LICENSE.md": "dinov3-license",
    "license: other\nlicense_link: https://example.org/terms": "https://example.org/terms",
    "license: [mit, CC-BY-4.0]": "mit, cc-by-4.0",
    "license: other\nlicense_name: [house-rules, house-terms]": "house-rules, house-terms",
    "tags: [audio]": "",
    "license: [": "",
}


@pytest.mark.parametrize("front_matter", CARDS)
def test_the_licence_is_what_the_model_card_names(front_matter: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"---\n{front_matter}\n---\n# A model\n", encoding="utf-8")
    assert licence_of_folder(tmp_path) == CARDS[front_matter]


def test_a_folder_without_a_card_names_no_licence(tmp_path: Path) -> None:
    assert licence_of_folder(tmp_path) == ""


def test_the_licence_of_a_repository_is_read_from_the_cache(no_network: None, tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text("---\nlicense: cc-by-nc-4.0\n---\n", encoding="utf-8")
    fill_cache("some/model", {"README.md": card})
    assert licence_of_repo("some/model") == "cc-by-nc-4.0"
    assert licence_of_repo("some/other") == ""


def test_the_licence_of_the_default_needs_no_network(no_network: None) -> None:
    assert clip_weights.licence(clip_weights.DEFAULT_MODEL, clip_weights.DEFAULT_TAG) == "mit"


@pytest.mark.parametrize(
    ("named", "shown"),
    [("apache-2.0", "apache-2.0"), (["mit", "cc-by-nc-4.0"], "mit, cc-by-nc-4.0"), ([], ""), (None, "")],
)
def test_the_licence_of_a_timm_folder_is_one_line(named: object, shown: str, tmp_path: Path) -> None:
    content = {"architecture": "resnet18", "pretrained_cfg": {"license": named}}
    (tmp_path / timm_weights.CONFIG_NAME).write_text(json.dumps(content), encoding="utf-8")
    assert timm_weights.find(f"local-dir:{tmp_path}", "").licence == shown


def test_only_a_licence_that_is_not_free_for_every_use_is_told_of() -> None:
    for free in (
        "",
        "mit",
        "MIT",
        "apache-2.0",
        "bsd-3-clause",
        "cc0-1.0",
        "cc-by-4.0",
        "cc-by-sa-4.0",
        "mit, apache-2.0",
    ):
        assert restriction("clip", free) == ""
    for strict in (
        "cc-by-nc-4.0",
        "cc-by-nc-sa-4.0",
        "dinov3-license",
        "apple-amlr",
        "fair-noncommercial-research-license",
    ):
        assert f"licence {strict}, which is not free for every use" in restriction("timm", f"mit, {strict}")
