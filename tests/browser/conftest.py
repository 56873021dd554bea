"""What browser tests share: one browser, served apps of pictures and sounds, and a visitor of their own for each test.

The app keeps visitors apart (`sharing: private`), so every test starts with a pool that nobody labeled yet.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fastlabel_gradio.app import App, create_app
from fastlabel_gradio.config import AppConfig, ProjectConfig
from fastlabel_gradio.server.access import GUEST_COOKIE
from tests.browser.kept_page import VIEWPORT, is_kept, open_anew
from tests.pools import make_config, make_sound_config, wait_for, write_pictures, write_sounds
from tests.test_api import free_port

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.browser.label_page import LabelPage
    from tests.browser.sound_page import SoundPage

CLASSES = tuple(f"c{index}" for index in range(10))
BATCH_SIZE = 12

NewContext = Callable[[], "BrowserContext"]
Serving = Callable[..., tuple[App, str]]
Visit = Callable[..., "LabelPage"]
Listen = Callable[..., "SoundPage"]
TakePage = Callable[[str], "Page"]


def serve(
    workdir: Path,
    *projects: ProjectConfig,
    logins: dict[str, str] | None = None,
    port: int | None = None,
    embed: bool = True,
    title: str = "FastLabel",
) -> tuple[App, str]:
    """A served app, its pools embedded if `embed`, and its address."""
    app = create_app(AppConfig(projects=projects, title=title), workdir, logins)
    address = app.serve(host="127.0.0.1", port=port or free_port(), share=False, open_browser=False, quiet=True)
    if embed:
        wait_for(lambda: all(one.pipeline.progress.state in ("done", "failed") for one in app.projects.values()))
    return app, address.rstrip("/")


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    """Serves apps that work in `tmp_path/work` and closes them at the end."""
    served: list[App] = []

    def serve_one(*projects: ProjectConfig, **settings: Any) -> tuple[App, str]:
        app, address = serve(tmp_path / "work", *projects, **settings)
        served.append(app)
        return app, address

    yield serve_one
    for app in served:
        app.close()


@pytest.fixture(scope="package")
def browser() -> Iterator["Browser"]:
    from tests.browser.label_page import BROWSER_ARGUMENTS, CHROMIUM, sync_api

    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(BROWSER_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def ten_classes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app over 120 pictures with the classes c0 to c9 that trains only when asked to."""
    folder = tmp_path_factory.mktemp("ten_classes")
    config = make_config(
        write_pictures(folder / "pictures", per_class=40),
        classes=CLASSES,
        batch_size=BATCH_SIZE,
        sharing="private",
        train_every=1000,
    )
    app, address = serve(folder / "work", config)
    yield address
    app.close()


@contextmanager
def served_for_all(
    kept_pages: dict[str, "Page"], workdir: Path, *projects: ProjectConfig, **settings: Any
) -> Iterator[str]:
    """The address of an app of several tests, which is closed together with the page of it that they kept."""
    app, address = serve(workdir, *projects, **settings)
    yield address
    if address in kept_pages:
        kept_pages.pop(address).close()
    app.close()


def stays_warm(context: "BrowserContext") -> "BrowserContext":
    """The context with an empty page of this machine that stays open.

    With it stays the process that draws the pages, and what that has compiled of Gradio's scripts: half of a page's start.
    """
    context.add_init_script("try { localStorage['fastlabel:hint'] = 'dismissed' } catch {}")  # nobody's first visit
    empty = context.new_page()
    empty.route("**/*", lambda route: route.fulfill(content_type="text/html", body=""))
    empty.goto("http://127.0.0.1/")
    return context


@pytest.fixture(scope="package")
def other_contexts(browser: "Browser") -> Iterator[list["BrowserContext"]]:
    contexts: list[BrowserContext] = []
    yield contexts
    for context in contexts:
        context.close()


@pytest.fixture
def new_context(browser: "Browser", other_contexts: list["BrowserContext"]) -> Iterator[NewContext]:
    """Opens browsers of other people: contexts with no cookies, which keep the cache of Gradio's scripts only."""
    free = list(other_contexts)

    def open_one() -> "BrowserContext":
        if not free:
            free.append(stays_warm(browser.new_context()))
            other_contexts.append(free[0])
        free[0].clear_cookies()
        return free.pop(0)

    yield open_one
    for context in other_contexts:
        for page in context.pages[1:]:
            page.close()


@pytest.fixture(scope="package")
def shared_context(browser: "Browser") -> Iterator["BrowserContext"]:
    """A context that keeps the cache of Gradio's scripts, which saves a second per test."""
    context = stays_warm(browser.new_context(viewport=VIEWPORT))
    yield context
    context.close()


@pytest.fixture
def page(shared_context: "BrowserContext") -> Iterator["Page"]:
    """A new visitor's page: no cookies, nothing stored."""
    shared_context.clear_cookies()
    page = shared_context.new_page()
    yield page
    page.evaluate("location.protocol.startsWith('http') && localStorage.clear()")
    page.close()


@pytest.fixture(scope="package")
def kept_pages() -> dict[str, "Page"]:
    """Pages that earlier tests left as they were, by the address of their app. Whoever closes an app closes its page."""
    return {}


@pytest.fixture
def take_page(shared_context: "BrowserContext", kept_pages: dict[str, "Page"]) -> Iterator[TakePage]:
    """A page for an app, one that is open already if there is one; it is kept in turn where this test leaves it as it was."""
    taken: dict[str, Page] = {}

    def take(address: str) -> "Page":
        if address not in taken:
            taken[address] = kept_pages.pop(address, None) or shared_context.new_page()
        taken[address].bring_to_front()  # the browser draws one that stands behind another once a second
        return taken[address]

    yield take
    for address, page in taken.items():
        if is_kept(page, address):
            kept_pages[address] = page
        else:
            page.evaluate("location.protocol.startsWith('http') && localStorage.clear()")
            page.close()


@pytest.fixture
def visit(take_page: TakePage, ten_classes: str) -> Visit:
    """The page of a new guest on the app with ten classes, optionally with labels and a head made before."""
    from tests.browser.label_page import LabelPage

    def visit_as_guest(labeled: int = 0, *, opened: bool = True) -> LabelPage:
        visitor = LabelPage(take_page(ten_classes), ten_classes)
        become_new_guest(visitor.page, ten_classes, stays_open=opened)
        if labeled:
            visitor.rest.label(labeled)
            visitor.rest.post("train")
            wait_for(lambda: visitor.rest.status()["head"]["version"] == 1)
        if opened:
            open_anew(visitor.page, visitor.address)
            visitor.wait_ready()
        return visitor

    return visit_as_guest


def become_new_guest(page: "Page", address: str, *, stays_open: bool = True, name: str | None = None) -> str:
    """Somebody whom the app has never seen, or knows by `name`; an open page of others is left unless it `stays_open`."""
    if not stays_open and page.url != "about:blank":
        page.goto("about:blank")
    page.context.clear_cookies()
    return become_guest(page.context, address, name)


@pytest.fixture(scope="package")
def sounds_and_pictures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app with 36 sounds of 2 to 4 s ("audio") and 36 pictures ("images"), both of three classes."""
    folder = tmp_path_factory.mktemp("mixed")
    settings = {"batch_size": 8, "sharing": "private", "train_every": 1000}
    sounds = make_sound_config(write_sounds(folder / "sounds", per_class=12, seconds=2.0), **settings)
    app, address = serve(folder / "work", sounds, make_config(write_pictures(folder / "pictures", 12), **settings))
    yield address
    app.close()


@pytest.fixture
def listen(take_page: TakePage, sounds_and_pictures: str) -> Listen:
    """The sounds of that app on the page of a new guest."""
    from tests.browser.sound_page import SoundPage

    def listen_as_guest(*, opened: bool = True) -> SoundPage:
        page = take_page(sounds_and_pictures)
        become_new_guest(page, sounds_and_pictures, stays_open=opened)
        visitor = SoundPage(page, sounds_and_pictures)
        if opened:
            open_anew(page, sounds_and_pictures)
            visitor.wait_ready()
        return visitor

    return listen_as_guest


def become_guest(context: "BrowserContext", address: str, name: str | None = None) -> str:
    """Gives a browser a name, one of its own before its first visit unless one is given."""
    name = name or f"guest-{secrets.token_hex(6)}"
    context.add_cookies([{"name": GUEST_COOKIE, "value": name, "url": address}])
    return name
