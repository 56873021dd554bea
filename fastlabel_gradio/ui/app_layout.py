"""The whole page: its title, one tab per project, and how it looks.

Gradio takes the look as arguments of `launch()`: `theme=PAGE_THEME, css=PAGE_CSS, head=page_head(), i18n=PAGE_WORDS`.
"""

from collections import Counter
from collections.abc import Sequence

import gradio as gr

from fastlabel_gradio.ui.api_names import add_names
from fastlabel_gradio.ui.label_grid import read_asset
from fastlabel_gradio.ui.label_tab import build_label_tab
from fastlabel_gradio.ui.tab_info import TabInfo
from fastlabel_gradio.ui.web_files import head_links, web_files
from fastlabel_gradio.ui.words import gradio_word

KIND_WORDS = {"image": "images", "audio": "audio"}
SYSTEM_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Arial", "sans-serif")
MONOSPACE_FONTS = ("ui-monospace", "SFMono-Regular", "Consolas", "Liberation Mono", "monospace")
QUEUE_PAUSE_S = 0.05  # as Gradio has it on Windows


class _WithHub(gr.Blocks):
    """A page whose people log in with Hugging Face: Gradio adds its routes for that, without a button that runs Python."""

    expects_oauth = True


def build_page(title: str, projects: Sequence[TabInfo], *, with_hub: bool = False) -> gr.Blocks:
    """The page with one tab per project, named by kind, or by the project where several share a kind."""
    kinds = Counter(project.kind for project in projects)
    page = (_WithHub if with_hub else gr.Blocks)(title=title, fill_width=True, analytics_enabled=False)
    with page:
        add_names()
        _heading(title)
        with gr.Tabs(elem_classes="fl-tabs"):
            for project in projects:
                name = gradio_word(KIND_WORDS[project.kind]) if kinds[project.kind] == 1 else project.title
                with gr.Tab(name, id=project.project):
                    build_label_tab(project)
    _wakes_seldom(page)
    return page


def _wakes_seldom(page: gr.Blocks) -> None:
    """Gradio's queue looks a thousand times a second for events; this page sends it next to none."""
    queue = page._queue
    queue.sleep_when_free = queue.progress_update_sleep_when_free = QUEUE_PAUSE_S


def _heading(title: str) -> gr.HTML:
    # By textContent: a title put into the template would be run as a script.
    return gr.HTML(
        html_template="<h1></h1>",
        js_on_load="element.querySelector('h1').textContent = props.heading",
        apply_default_css=False,
        elem_classes="fl-title",
        heading=title,
    )


def _theme() -> gr.themes.Base:
    theme = gr.themes.Default(
        primary_hue=gr.themes.colors.blue,
        secondary_hue=gr.themes.colors.blue,
        neutral_hue=gr.themes.colors.slate,
        font=SYSTEM_FONTS,
        font_mono=MONOSPACE_FONTS,
    )
    return theme.set(
        body_background_fill="#fafbfc",
        body_background_fill_dark="#0f131a",
        body_text_color_subdued="#596275",  # Gradio's own is too light to be read: the foot of the page has it
        button_secondary_background_fill="#e9edf2",
        button_secondary_background_fill_hover="#dde3ea",
        button_secondary_background_fill_dark="#252c39",
        button_secondary_background_fill_hover_dark="#303949",
        button_secondary_text_color="#1f2937",
        button_secondary_text_color_dark="#e5e9f0",
        button_primary_background_fill="#2563eb",
        button_primary_background_fill_hover="#1d4fd0",
        button_primary_background_fill_dark="#2563eb",
        button_primary_background_fill_hover_dark="#1d4fd0",
    )


PAGE_THEME = _theme()
PAGE_CSS = read_asset("page.css")


def page_head() -> str:
    """What stands in the page's head: it has the browser fetch the scripts."""
    return head_links(web_files())
