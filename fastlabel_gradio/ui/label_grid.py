"""The grid of cards: one `gr.HTML` whose template never changes and whose cards are built in the browser.

The modules in `web/` are the page's client of the REST API. Gradio runs whatever stands in a template as
JavaScript, so no data goes through one: the settings travel as a prop, everything else by `fetch`.
"""

from pathlib import Path

import gradio as gr

from fastlabel_gradio.config import MAX_BATCH
from fastlabel_gradio.server.views import VIEWS
from fastlabel_gradio.ui.plotly_file import plotly_url
from fastlabel_gradio.ui.tab_info import TabInfo
from fastlabel_gradio.ui.web_files import start_script, view_name, web_files

HERE = Path(__file__).parent
STYLES = (
    "label_grid.css",
    "grid_cards.css",
    "grid_sound.css",
    "grid_dock.css",
    "grid_evaluation.css",
    "grid_explore.css",
    "grid_classes.css",
    "grid_finish.css",
    "grid_try.css",
    "grid_map.css",
    "grid_progress.css",
    "grid_people.css",
)


def label_grid(tab: TabInfo) -> gr.HTML:
    """The cards of one project. No event reads its value: labels go to the REST API, not through Gradio.

    A function, not a subclass: Gradio writes a `.pyi` file beside every module that subclasses a component.
    """
    files = web_files()
    return gr.HTML(
        html_template='<div class="fl"></div>',
        css_template="\n".join(read_asset(name) for name in STYLES),
        js_on_load=start_script(files),
        apply_default_css=False,
        elem_id=f"fl-grid-{tab.project}",
        elem_classes="fl-grid",
        settings={
            "project": tab.project,
            "kind": tab.kind,
            "strategy": tab.strategy,
            "batch_size": tab.batch_size,
            "max_batch": MAX_BATCH,
            "plotly": plotly_url(),
            "exports": list(tab.exports),
            "views": [files.url(view_name(view)) for view in VIEWS.names()],
            "sound_view": {
                "low_hz": tab.sound_view.low_hz,
                "top_hz": tab.sound_view.top_hz,
                "stretch": tab.sound_view.stretch,
                "expand": tab.sound_view.expand,
            },
        },
    )


def read_asset(name: str) -> str:
    """The text of a style sheet beside this file."""
    return (HERE / name).read_text(encoding="utf-8")
