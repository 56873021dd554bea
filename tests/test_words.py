"""The two dictionaries of the page: both whole, nothing in them that nobody says, and Gradio gets its share."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import fastlabel_gradio
from fastlabel_gradio.finish.words import SENTENCES
from fastlabel_gradio.ui.web_files import WEB
from fastlabel_gradio.ui.words import GRADIO_LANGUAGES, GRADIO_WORDS, LANGUAGES, PAGE_WORDS, read_words

PACKAGE = Path(fastlabel_gradio.__file__).parent
ENGLISH, CHINESE = (read_words(language) for language in LANGUAGES)
BUILT = re.compile(  # names that a script puts together
    r"(is|loop|normalise|playOnFocus|finish_part|export_part|import_as|import_added|role|invite|edit)_\w+|explore_(facet|state|source|agrees|by|send)_\w+|explore_\w+_title"
)
SAID = {word for word in ENGLISH if word.startswith("server_")}  # sentences of the server, which are their own keys
SENT = {f"finish_{key}" for key in SENTENCES} | SAID  # by the server, with their values


def test_no_word_is_missing_in_either_language() -> None:
    assert list(ENGLISH) == list(CHINESE)
    assert all(text.strip() for words in (ENGLISH, CHINESE) for text in words.values())


def test_every_word_is_said_somewhere_on_the_page() -> None:
    scripts = "".join(path.read_text(encoding="utf-8") for path in WEB.glob("*.js"))
    unsaid = [word for word in ENGLISH.keys() - SENT if f'"{word}"' not in scripts and not BUILT.fullmatch(word)]
    assert unsaid == []


def test_every_word_that_a_script_says_is_in_the_dictionary() -> None:
    for path in WEB.glob("*.js"):
        said = re.findall(r'\b(?:t|phrase)\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
        assert set(said) <= set(ENGLISH), path.name


def test_every_sentence_of_the_server_in_the_dictionary_is_one_that_it_says() -> None:
    said = "\n".join(text for path in PACKAGE.rglob("*.py") for text in _texts(path))
    assert [word for word in SAID if re.sub(r"{\w+}", "{}", ENGLISH[word]) not in said] == []


def _texts(path: Path) -> Iterator[str]:
    """The texts of a Python file, what is filled in as `{}`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_gradio_gets_its_words_in_each_of_its_languages_under_names_of_our_own() -> None:
    for name, ours in GRADIO_LANGUAGES.items():
        assert PAGE_WORDS.translations[name] == {f"fl_{word}": read_words(ours)[word] for word in GRADIO_WORDS}
