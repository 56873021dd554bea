"""What each role has on its page, and the way in by an invite."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from fastlabel_gradio.app import App, create_app
from fastlabel_gradio.config import AppConfig
from fastlabel_gradio.server.access import Role
from tests.browser.conftest import NewContext
from tests.browser.label_page import expect
from tests.pools import make_config, wait_for, write_pictures
from tests.test_api import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, str]]:
    """An app with one login of each role, named after it."""
    folder = tmp_path_factory.mktemp("roles")
    config = AppConfig(projects=(make_config(write_pictures(folder / "pictures", 10), batch_size=6),))
    app = create_app(
        config, folder / "work", {role.value: "secret" for role in Role}, {role.value: role for role in Role}
    )
    address = app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
    [project] = app.projects.values()
    wait_for(lambda: project.pipeline.progress.state == "done")
    yield app, address.rstrip("/")
    app.close()


def page_of(context: "BrowserContext", address: str, role: str) -> "Page":
    context.clear_cookies()
    page = context.new_page()
    page.request.post(f"{address}/login", form={"username": role, "password": "secret"})
    page.goto(address)
    expect(page.locator(".fl-views button").first).to_be_visible()
    return page


VIEWS = {
    "viewer": ["explore", "progress", "try"],
    "annotator": ["label", "explore", "progress", "try"],
    "reviewer": ["label", "explore", "finish", "progress", "try"],
    "owner": ["label", "explore", "finish", "progress", "try", "people"],
}


def test_each_role_has_its_views_buttons_and_keys(new_context: NewContext, served: tuple[App, str]) -> None:
    _, address = served
    context = new_context()
    for role, views in VIEWS.items():
        for earlier in context.pages[1:]:
            earlier.evaluate("localStorage.clear()")
            earlier.close()
        page = page_of(context, address, role)
        tabs = page.locator(".fl-views button:visible")  # that of adjudication shows while it is open
        assert [tabs.nth(place).get_attribute("data-view") for place in range(tabs.count())] == views
        if role == "viewer":
            expect(page.locator(".fl-found, .fl-explore").first).to_be_visible()
            expect(page.locator("#fl-submit-images")).to_be_hidden()
            expect(page.locator(".fl-explore-acts [data-action=clear]")).to_be_hidden()
            continue
        expect(page.locator(".fl-card").first).to_be_visible()
        theirs = role != "annotator"
        for control in ("#fl-train-images", ".fl-export", ".fl-import", ".fl-classes-button", ".fl-rescan"):
            expect(page.locator(control)).to_be_visible(visible=theirs)
        page.keyboard.press("c")
        expect(page.locator(".fl-classes")).to_be_visible(visible=theirs)


def test_the_page_of_a_link_speaks_the_language_of_the_browser(browser: "Browser", served: tuple[App, str]) -> None:
    for locale, not_whole, expired in (
        ("zh-TW", "链接不完整。请按收到的原样打开。", "过期"),
        ("de-DE", "This link is not whole.", "expired or was revoked"),
    ):
        with browser.new_context(locale=locale) as context:
            page = context.new_page()
            page.goto(f"{served[1]}/invite")
            expect(page.locator("#says")).to_contain_text(not_whole)
            page.goto("about:blank")
            page.goto(f"{served[1]}/invite#0123456789abcdef.0")
            expect(page.locator("#says")).to_contain_text(expired)


def test_an_owner_sends_a_link_and_ends_it(new_context: NewContext, served: tuple[App, str]) -> None:
    _, address = served
    owner = page_of(new_context(), address, "owner")
    owner.locator("[data-view=people]").click()
    owner.locator(".fl-invite-name").fill("ann <b>")
    owner.locator(".fl-invite-make").click()
    link = owner.locator(".fl-invite-made a").text_content() or ""
    assert re.fullmatch(re.escape(address) + r"/invite#[0-9a-f]+\.[0-9a-f]{64}", link)
    guest = new_context().new_page()
    asked: list[str] = []
    guest.on("request", lambda request: asked.append(f"{request.url} {request.headers}"))
    guest.goto(link)
    expect(guest.locator(".fl-card").first).to_be_visible()
    expect(guest.locator(".fl-annotator")).to_contain_text("ann <b>")
    token = link.partition("#")[2]
    assert guest.url.rstrip("/") == address
    assert len(asked) > 10
    assert not [
        one
        for one in asked
        if token in one.partition(" ")[0].partition("#")[0] or f"#{token}'" in one.partition(" ")[2]
    ]
    line = owner.locator(".fl-invite", has_text="ann <b>")
    line.locator(".fl-invite-revoke").click()
    expect(line).to_have_attribute("data-state", "revoked")
    guest.reload()
    expect(guest.locator("input[type=password]")).to_be_visible()
    late = new_context().new_page()
    late.goto(link)
    expect(late.locator("#says")).to_contain_text("expired or was revoked")
