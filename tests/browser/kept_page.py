"""A page that stays open from test to test. Gradio's start is most of what opening a page takes; the views begin anew.

What Gradio keeps, the fields of the toolbar, must be as at the start; a page where it is not is closed after its test.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

VIEWPORT = {"width": 1280, "height": 800}

_FIELDS = "[...document.querySelectorAll('input, textarea')].filter((one) => !one.closest('[id^=fl-grid-]'))"
_NOTE_START = f"() => {{ window.fieldsAtStart = {_FIELDS}.map((one) => one.value).join() }}"
_IS_AS_AT_START = f"() => window.fieldsAtStart === {_FIELDS}.map((one) => one.value).join()"
_STOP = "() => Object.values(window.fastlabel.views).forEach((view) => view.stop())"
_IS_MOUNTED = "() => Object.keys(window.fastlabel?.views ?? {}).length > 0"
_BEGIN_ANEW = """async (place) => {
    const loaded = performance.getEntriesByType('resource').map((one) => one.name);
    const { mount } = await import(loaded.find((name) => name.endsWith('/app.js')));
    const page = window.fastlabel;
    const before = Object.values(page.views);
    page.player?.close();
    page.views = {};
    delete page.player;
    localStorage.clear();
    localStorage['fastlabel:hint'] = 'dismissed';
    sessionStorage.clear();
    history.replaceState(null, '', location.pathname + place);
    dispatchEvent(new PopStateEvent('popstate'));  // the page takes note of its address, and opens the tab
    document.activeElement.blur();
    scrollTo(0, 0);
    await Promise.all(before.map(({ root, context }) => {
        const begun = Object.assign(document.createElement('div'), { className: 'fl' });
        root.replaceWith(begun);
        return mount(begun.parentElement, { settings: context.settings });
    }));
}"""


def open_anew(page: "Page", address: str, place: str = "") -> None:
    """Opens the app's page at a place, such as "#view=explore", or has its views begin anew there where it is open already.

    They are those of whoever the cookies say. Who opens it waits for its view.
    """
    if page.url == "about:blank":
        page.goto(f"{address}/{place}")
        page.wait_for_function(_IS_MOUNTED)
        page.evaluate(_NOTE_START)
    else:
        page.evaluate(_BEGIN_ANEW, place)


def is_kept(page: "Page", address: str) -> bool:
    """Whether a page can serve another test; its views are stopped then."""
    page.unroute_all()
    if not page.url.startswith(f"{address}/") or not page.evaluate(_IS_AS_AT_START):
        return False
    page.evaluate(_STOP)
    page.set_viewport_size(VIEWPORT)
    return True
