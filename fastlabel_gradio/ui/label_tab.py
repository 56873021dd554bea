"""One project's tab: the toolbar of Gradio components, and the grid that it commands.

A button is a line of JavaScript that calls the session, and the session calls the REST API: no Python runs in between, so a
button waits for no queue and does nothing that `curl` cannot do.
"""

import json

import gradio as gr

from fastlabel_gradio.config import MAX_BATCH
from fastlabel_gradio.ui.label_grid import label_grid
from fastlabel_gradio.ui.tab_info import TabInfo
from fastlabel_gradio.ui.words import gradio_word


def build_label_tab(tab: TabInfo) -> gr.HTML:
    """Adds a project's toolbar and grid to the Blocks or Tab that is open."""
    with gr.Row(elem_classes="fl-toolbar", elem_id=f"fl-toolbar-{tab.project}"):
        load = _button(tab, "load", "load_next")
        submit = _button(tab, "submit", "submit", variant="primary")
        undo = _button(tab, "undo", "undo")
        strategy = _strategy_menu(tab)
        size = _batch_size(tab)
        train = _button(tab, "train", "train_now")
    grid = label_grid(tab)
    load.click(None, [strategy, size], None, js=_call(tab, "load"))
    for setting in (strategy, size):
        setting.change(None, [strategy, size], None, js=_call(tab, "configure"), show_progress="hidden")
    submit.click(None, None, None, js=_call(tab, "submit"))
    undo.click(None, None, None, js=_call(tab, "undo"))
    train.click(None, None, None, js=_call(tab, "train"))
    return grid


def _button(tab: TabInfo, name: str, word: str, variant: str = "secondary") -> gr.Button:
    return gr.Button(
        gradio_word(word),
        variant="primary" if variant == "primary" else "secondary",
        size="md",
        scale=0,
        min_width=96,
        elem_id=f"fl-{name}-{tab.project}",
        elem_classes=f"fl-button fl-button-{name}",
    )


def _strategy_menu(tab: TabInfo) -> gr.Dropdown:
    return gr.Dropdown(
        list(tab.strategies),
        value=tab.strategy,
        label=gradio_word("strategy"),
        filterable=False,
        scale=0,
        min_width=168,
        elem_id=f"fl-strategy-{tab.project}",
        elem_classes="fl-setting",
    )


def _batch_size(tab: TabInfo) -> gr.Number:
    return gr.Number(
        tab.batch_size,
        label=gradio_word("batch_size"),
        minimum=1,
        maximum=MAX_BATCH,
        precision=0,
        scale=0,
        min_width=104,
        elem_id=f"fl-size-{tab.project}",
        elem_classes="fl-setting",
    )


def _call(tab: TabInfo, method: str) -> str:
    """JavaScript that calls a method of the project's session, if that is on the page yet."""
    session = f"window.fastlabel?.views[{json.dumps(tab.project)}]?.session"
    return f"(...values) => {{ {session}?.{method}(...values); return []; }}"
