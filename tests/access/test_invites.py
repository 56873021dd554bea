"""Invites: links for one person each, made and revoked from the page's routes and beside the running app."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from fastlabel_gradio.app import App, create_app
from fastlabel_gradio.config import AppConfig
from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.server.access import Invites, Role
from fastlabel_gradio.server.access.invite_command import main as invite
from fastlabel_gradio.server.access.login_delay import FREE, LoginDelay
from tests.pools import make_config, write_pictures
from tests.test_api import free_port

DAY_S = 86_400.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, str]]:
    """An app whose one login is its owner."""
    folder = tmp_path_factory.mktemp("invites")
    config = AppConfig(projects=(make_config(write_pictures(folder / "pictures", per_class=2)),))
    app = create_app(config, folder / "work", {"boss": "a secret"})
    yield app, app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
    app.close()


@pytest.fixture
def owner(served: tuple[App, str]) -> Iterator[httpx.Client]:
    token = served[0].access.token("boss")
    with httpx.Client(base_url=served[1], headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        yield client


@pytest.fixture
def browser(served: tuple[App, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served[1], timeout=30) as client:
        yield client


def open_link(browser: httpx.Client, link: str) -> httpx.Response:
    """What the page of a link does."""
    address, _, token = urljoin(str(browser.base_url), link).partition("#")
    page = browser.get(address)
    assert page.status_code == 200
    assert token not in page.text
    return browser.post(address, json={"token": token})


def test_a_link_lets_one_person_in_with_its_name_and_role(owner: httpx.Client, browser: httpx.Client) -> None:
    made = owner.post("/api/invites", json={"name": "ann", "role": "viewer", "days": 2}).json()
    assert browser.get("/api/me").status_code == 401
    answer = open_link(browser, made["link"])
    assert answer.json() == {"annotator": "ann", "role": "viewer"}
    [cookie] = answer.headers.get_list("set-cookie")
    assert re.search(r"; HttpOnly; SameSite=Lax$", cookie)
    assert int(re.search(r"Max-Age=(\d+)", cookie)[1]) == pytest.approx(2 * DAY_S, abs=60)  # type: ignore[index]
    me = browser.get("/api/me").json()
    assert (me["annotator"], me["role"]) == ("ann", "viewer")
    assert browser.post("/api/undo", json={}).status_code == 403
    assert '"auth_required":true' not in browser.get("/").text  # Gradio knows them too, and shows no login form
    assert browser.get("/config").status_code == 200
    assert owner.post("/api/invites/revoke", json={"id": "ann"}).json()["invites"][0]["state"] == "revoked"


def test_a_revoked_invite_is_dead_with_the_next_request(
    served: tuple[App, str], owner: httpx.Client, browser: httpx.Client
) -> None:
    workdir = ["--workdir", str(served[0].workdir)]
    for revoke in (
        lambda: owner.post("/api/invites/revoke", json={"id": "bob"}),
        lambda: invite([*workdir, "--revoke", "bob"]),  # beside the running app
    ):
        printed = invite([*workdir, "--name", "bob", "--role", "reviewer"])
        link = printed.splitlines()[-1]
        assert link.startswith(served[1])
        assert open_link(browser, link).status_code == 200
        assert browser.get("/api/me").json()["role"] == "reviewer"
        revoke()
        refused = browser.get("/api/me")
        assert refused.status_code == 401
        assert "revoked" in refused.json()["error"]
        assert browser.get("/config").status_code == 401
        assert open_link(browser, link).status_code == 403
    assert "bob  reviewer  revoked" in invite([*workdir, "--list"])


def test_an_invite_ends_and_cannot_be_made_longer_or_higher(tmp_path: Path) -> None:
    now = [1_000_000.0]
    path = tmp_path / "invites.json"
    invites = Invites(path, b"secret", lambda: now[0])
    _, token = invites.add("ann", Role.VIEWER, 1.5)
    assert invites.open_for(token) is not None
    text = path.read_text(encoding="utf-8")
    for was, becomes in (("viewer", "owner"), ("ann", "bob"), (str(now[0] + 1.5 * DAY_S), str(now[0] + 99 * DAY_S))):
        assert was in text
        path.write_text(text.replace(was, becomes), encoding="utf-8")
        assert invites.open_for(token) is None  # the signature is of what was given out
    path.write_text(text, encoding="utf-8")
    assert invites.open_for(token) is not None
    assert Invites(path, b"another", lambda: now[0]).open_for(token) is None
    assert [
        invites.open_for(wrong) for wrong in ("", ".", token[:-1], f"{token}0", "é.é", token.partition(".")[0])
    ] == [None] * 6
    now[0] += 1.5 * DAY_S
    assert invites.open_for(token) is None
    assert invites.add("ann", Role.VIEWER, 1)[0].name == "ann"  # the name is free again
    assert path.stat().st_mode & 0o077 == 0


def test_an_invite_is_refused_with_the_reason(tmp_path: Path, owner: httpx.Client) -> None:
    invites = Invites(tmp_path / "invites.json", b"secret")
    invites.add("ann", Role.VIEWER, 1)
    for name, days, says in (
        ("ann", 1, "taken"),
        ("boss", 1, "taken"),
        ("local", 1, "taken"),
        ("a/b", 1, "cannot be a name"),
        ("x" * 65, 1, "cannot be a name"),
        ("eve", 0, "0 days"),
        ("eve", 366, "366 days"),
        ("eve", float("nan"), "nan days"),
    ):
        with pytest.raises(ConfigError, match=says):
            invites.add(name, Role.VIEWER, days, taken={"boss"})
    with pytest.raises(ConfigError, match="no open invite"):
        invites.revoke("eve")
    assert "taken" in owner.post("/api/invites", json={"name": "boss"}).json()["error"]
    assert owner.post("/api/invites", json={"role": "king"}).status_code == 422
    with pytest.raises(ConfigError, match="no working directory"):
        invite(["--workdir", str(tmp_path / "nowhere")])


def test_without_a_name_one_is_made_up_that_nobody_ever_had(tmp_path: Path) -> None:
    invites = Invites(tmp_path / "invites.json", b"secret")
    assert [invites.add("", Role.ANNOTATOR, 1)[0].name for _ in range(3)] == [f"annotator-{n}" for n in (1, 2, 3)]
    invites.revoke("annotator-2")
    assert invites.add("", Role.ANNOTATOR, 1)[0].name == "annotator-4"


def test_a_broken_list_of_invites_lets_nobody_in(tmp_path: Path) -> None:
    invites = Invites(tmp_path / "invites.json", b"secret")
    _, token = invites.add("ann", Role.VIEWER, 1)
    for content in ("[", '{"id": 1}', '[{"id": "1"}]', '[{"id": "1", "role": "king"}]'):
        (tmp_path / "invites.json").write_text(content, encoding="utf-8")
        with pytest.raises(ConfigError, match=r"invites\.json"):
            invites.open_for(token) or invites.add("bob", Role.VIEWER, 1)


def test_whoever_guesses_invites_waits_and_a_good_link_does_not(
    served: tuple[App, str], owner: httpx.Client, browser: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served[0].access, "_delay", delay := LoginDelay())
    assert browser.post("/invite", json={"token": "0123456789abcdef.0"}).status_code == 403
    assert delay.wrong_count(("token", "127.0.0.1")) == 1
    for _ in range(FREE["token"] + 8):
        delay.turn(("token", "127.0.0.1"))
    refused = browser.post("/invite", json={"token": "0123456789abcdef.0"})
    assert refused.status_code == 429
    assert refused.headers["retry-after"]
    link = owner.post("/api/invites", json={"name": "cem"}).json()["link"]
    assert open_link(browser, link).status_code == 200
    owner.post("/api/invites/revoke", json={"id": "cem"})


def test_logging_in_or_out_ends_what_a_link_began(owner: httpx.Client, browser: httpx.Client) -> None:
    link = owner.post("/api/invites", json={"name": "dia"}).json()["link"]
    for leave in (
        lambda: browser.post("/login", data={"username": "boss", "password": "a secret"}),
        lambda: browser.get("/logout"),
    ):
        open_link(browser, link)
        assert browser.get("/api/me").json()["annotator"] == "dia"
        leave()
        after = browser.get("/api/me")
        assert after.status_code == 401 or after.json()["annotator"] == "boss"
    owner.post("/api/invites/revoke", json={"id": "dia"})


def test_a_page_of_another_site_cannot_let_a_browser_in(owner: httpx.Client, browser: httpx.Client) -> None:
    link = owner.post("/api/invites", json={"name": "eli"}).json()["link"]
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert browser.post("/invite", json={"token": link.partition("#")[2]}, headers=foreign).status_code == 403
    entered = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert browser.get("/invite", headers=entered).status_code == 200  # a link in a chat
    owner.post("/api/invites/revoke", json={"id": "eli"})


def test_an_app_without_logins_invites_nobody(tmp_path: Path) -> None:
    config = AppConfig(projects=(make_config(write_pictures(tmp_path / "pictures", per_class=1)),))
    app = create_app(config, tmp_path / "work")
    try:
        address = app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
        with httpx.Client(base_url=address) as client:
            answer = client.post("/api/invites", json={})
            assert answer.status_code == 409
            assert "--auth" in answer.json()["error"]
            printed = invite(["--workdir", str(tmp_path / "work")])
            assert "asks nobody for a login" in printed
            token = re.search(r"#(\S+)", printed)[1]  # type: ignore[index]
            assert client.post("/invite", json={"token": token}).status_code == 409
    finally:
        app.close()
