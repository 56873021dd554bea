"""A page that stays open from test to test. Gradio's start is most of what opening a page takes; the views begin anew.

What Gradio keeps, the fields of the toolbar, must be as at the start; a page where it is not is closed after its test.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.label_page import LabelPage

VIEWPORT = {"width": 1280, "height": 800}

_FIELDS = "[...document.querySelectorAll('input, textarea')].filter((one) => !one.closest('[id^=fl-grid-]'))"
_NOTE_START = f"() => {{ window.fieldsAtStart = {_FIELDS}.map((one) => one.value).join() }}"
_IS_AS_AT_START = f"() => window.fieldsAtStart === {_FIELDS}.map((one) => one.value).join()"
_STOP = "() => Object.values(window.fastlabel.views).forEach((view) => view.stop())"
_BEGIN_ANEW = """async () => {
    const loaded = performance.getEntriesByType('resource').map((one) => one.name);
    const { mount } = await import(loaded.find((name) => name.endsWith('/app.js')));
    const { root, context } = Object.values(window.fastlabel.views)[0];
    const begun = Object.assign(document.createElement('div'), { className: 'fl' });
    root.replaceWith(begun);
    window.fastlabel.views = {};
    localStorage.clear();
    localStorage['fastlabel:hint'] = 'dismissed';
    sessionStorage.clear();
    history.replaceState(null, '', location.pathname);
    document.activeElement.blur();
    scrollTo(0, 0);
    await mount(begun.parentElement, { settings: context.settings });
}"""


def open_anew(visitor: "LabelPage") -> None:
    """Opens the page by its address; where it is open already its views begin anew, for whoever the cookies say."""
    if visitor.page.url == "about:blank":
        visitor.open()
        visitor.page.evaluate(_NOTE_START)
    else:
        visitor.page.evaluate(_BEGIN_ANEW)
        visitor.wait_ready()


def is_kept(page: "Page", address: str) -> bool:
    """Whether a page can serve another test; its views are stopped then."""
    page.unroute_all()
    if not page.url.startswith(f"{address}/") or not page.evaluate(_IS_AS_AT_START):
        return False
    page.evaluate(_STOP)
    page.set_viewport_size(VIEWPORT)
    return True
