"""The words of the page as Python reads them: the dictionaries of the scripts, of which Gradio's own parts take some."""

import json
from functools import cache

from fastlabel_gradio.ui.web_files import WEB

LANGUAGES = ("en", "zh-CN")


@cache
def read_words(language: str) -> dict[str, str]:
    """Every word of one of LANGUAGES by its name. The files are modules whose one value is also JSON."""
    text = (WEB / "words" / f"{language}.js").read_text(encoding="utf-8")
    words: dict[str, str] = json.loads(text.removeprefix("export default ").rstrip().removesuffix(";"))
    return words
