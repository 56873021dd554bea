"""The words of the page as Python reads them: the dictionaries of the scripts, of which Gradio's own parts take some."""

import json
from functools import cache

import gradio as gr
from gradio.i18n import I18nData

from fastlabel_gradio.ui.web_files import WEB

LANGUAGES = ("en", "zh-CN")
GRADIO_WORDS = ("load_next", "submit", "undo", "strategy", "batch_size", "train_now", "images", "audio")
# Gradio's name of a language, and ours. It knows no other Chinese, and takes a browser of Hong Kong for an English one;
# what it gets wrong `gradio_words.js` puts right.
GRADIO_LANGUAGES = {"en": "en", "zh-CN": "zh-CN", "zh-TW": "zh-CN"}


@cache
def read_words(language: str) -> dict[str, str]:
    """Every word of one of LANGUAGES by its name. The files are modules whose one value is also JSON."""
    text = (WEB / "words" / f"{language}.js").read_text(encoding="utf-8")
    words: dict[str, str] = json.loads(text.removeprefix("export default ").rstrip().removesuffix(";"))
    return words


def gradio_word(word: str) -> I18nData:
    """One of GRADIO_WORDS for a label of a component: the browser puts in what its language has."""
    return PAGE_WORDS(f"fl_{word}")


def _gradio_words() -> gr.I18n:
    """With names that are none of Gradio's own, of which `submit` and `audio` are two."""
    return gr.I18n(
        **{
            name: {f"fl_{word}": read_words(ours)[word] for word in GRADIO_WORDS}
            for name, ours in GRADIO_LANGUAGES.items()
        }
    )


PAGE_WORDS = _gradio_words()
