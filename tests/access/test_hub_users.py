"""Logging in with Hugging Face: Gradio's own routes, cookie and middleware; only the hub's profile is made up."""

from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from fastlabel_gradio.app import create_app
from fastlabel_gradio.config import AppConfig
from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.server.access import Role, hub_users, parse_login, roles_of
from tests.pools import make_config, write_pictures
from tests.test_api import free_port


def test_a_list_of_users_needs_the_hub_s_secret_and_known_roles() -> None:
    secret = {"OAUTH_CLIENT_SECRET": "s", "SPACE_AUTHOR_NAME": "boss"}
    assert hub_users({}) == hub_users(secret) == {}
    listed = hub_users(secret | {"FASTLABEL_HF_USERS": "ann, team:viewer,bob:reviewer"})
    assert listed == {"boss": "owner", "ann": "annotator", "team": "viewer", "bob": "reviewer"}
    with pytest.raises(ConfigError, match="hf_oauth"):
        hub_users({"FASTLABEL_HF_USERS": "ann"})
    with pytest.raises(ConfigError, match="king"):
        hub_users(secret | {"FASTLABEL_HF_USERS": "ann:king"})


def test_a_login_has_a_role_only_by_a_last_part_that_is_one() -> None:
    for entry, password, role in (
        ("ann:a:b", "a:b", None),
        ("ann:a:owner", "a", Role.OWNER),
        ("ann:owner", "owner", None),
        ("ann:a:Owner", "a:Owner", None),
        ("ann:a:b:viewer", "a:b", Role.VIEWER),
        ("ann:owner:owner", "owner", Role.OWNER),
    ):
        login = parse_login(entry)
        assert (login.password, login.role) == (password, role), entry
    ann, bob, eve = (parse_login(entry) for entry in ("ann:x", "bob:y", "eve:z:owner"))
    assert roles_of([ann, bob], others_reach=True) == {"ann": "owner", "bob": "annotator"}
    assert roles_of([ann, bob, eve], others_reach=True) == {"ann": "annotator", "bob": "annotator", "eve": "owner"}
    assert roles_of([ann, bob], others_reach=False) == {"ann": "owner", "bob": "owner"}
    with pytest.raises(ConfigError, match="no owner"):
        roles_of([parse_login("ann:x:viewer")], others_reach=True)


def test_whoever_logs_in_with_the_hub_has_the_role_of_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("authlib")
    pytest.importorskip("itsdangerous")
    import gradio.oauth

    profile = {"sub": "1", "name": "Ann", "preferred_username": "ann", "profile": "p", "picture": "q"}
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "of the hub")
    monkeypatch.setattr(gradio.oauth, "OAUTH_CLIENT_SECRET", "of the hub")
    monkeypatch.setattr(gradio.oauth, "_get_mocked_oauth_info", lambda: {"userinfo": profile})
    monkeypatch.setenv("FASTLABEL_HF_USERS", "ann:viewer,team:reviewer")
    config = AppConfig(projects=(make_config(write_pictures(tmp_path / "pictures", per_class=1)),))
    app = create_app(config, tmp_path / "work")
    try:
        address = app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
        with httpx.Client(base_url=address, timeout=30) as browser:
            assert browser.get("/api/me").status_code == browser.get("/config").status_code == 401
            assert "login/huggingface" in browser.get("/").text

            def log_in() -> dict[str, str]:
                first = browser.get("/login/huggingface")
                answer = browser.get(urljoin(address, first.headers["location"]))
                cookie = SimpleCookie(answer.headers["set-cookie"])["session"].value  # browsers keep it on https alone
                return {"Cookie": f"session={cookie}"}

            known = log_in()
            me = browser.get("/api/me", headers=known).json()
            assert (me["annotator"], me["role"]) == ("ann", "viewer")
            assert browser.get("/config", headers=known).status_code == 200
            assert browser.post("/api/undo", json={}, headers=known).status_code == 403
            forged = {"Cookie": known["Cookie"][:-2]}
            assert browser.get("/api/me", headers=forged).status_code == 401
            profile["orgs"] = [{"preferred_username": "team"}]  # type: ignore[assignment]
            assert browser.get("/api/me", headers=log_in()).json()["role"] == "reviewer"
            profile |= {"preferred_username": "eve", "orgs": []}  # type: ignore[dict-item]
            assert browser.get("/api/me", headers=log_in()).status_code == 401
    finally:
        app.close()
