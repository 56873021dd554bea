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


def note_start(page: "Page") -> None:
    """Call it where the page was opened by its address and is ready."""
    page.evaluate(_NOTE_START)


def begin_anew(page: "Page") -> None:
    """Mounts the views again, for whoever the cookies say, with nothing stored."""
    page.evaluate(_BEGIN_ANEW)


def is_kept(page: "Page", address: str) -> bool:
    """Whether a page can serve another test; its views are stopped then."""
    page.unroute_all()
    if not page.url.startswith(f"{address}/") or not page.evaluate(_IS_AS_AT_START):
        return False
    page.evaluate(_STOP)
    page.set_viewport_size(VIEWPORT)
    return True
