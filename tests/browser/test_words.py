"""The language of the page: the browser's, or the one that the address names, in our parts and in Gradio's."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from fastlabel_gradio.ui.words import read_words
from tests.browser.conftest import become_guest
from tests.browser.label_page import LabelPage, expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TOOLBAR = {"load": "load_next", "submit": "submit", "undo": "undo", "train": "train_now"}

VisitIn = Callable[..., LabelPage]


@pytest.fixture
def visit_in(browser: "Browser", ten_classes: str) -> Iterator[VisitIn]:
    """The page of pictures in a browser of that language."""
    contexts = []

    def visit(locale: str, query: str = "") -> LabelPage:
        context = browser.new_context(locale=locale)
        contexts.append(context)
        become_guest(context, ten_classes)
        return LabelPage(context.new_page(), ten_classes).open(query)

    yield visit
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("locale", "query", "language"),
    [("zh-CN", "", "zh-CN"), ("en-US", "?lang=zh", "zh-CN"), ("zh-CN", "?lang=en", "en"), ("zh-HK", "", "zh-CN")],
)
def test_every_part_is_in_the_language_of_the_browser_or_of_the_address(
    visit_in: VisitIn, locale: str, query: str, language: str
) -> None:
    page = visit_in(locale, query)
    words = read_words(language)
    for name, word in TOOLBAR.items():
        expect(page.button(name)).to_have_text(words[word])
    expect(page.page.get_by_label(words["strategy"])).to_be_visible()
    expect(page.page.get_by_label(words["batch_size"])).to_be_visible()
    expect(page.page.get_by_role("tab", name=words["images"])).to_be_visible()
    expect(page.grid.locator(".fl-export summary")).to_have_text(words["export"])
    page.key("s")
    expect(page.message).to_have_text(words["label_first"])
    page.key("?")
    expect(page.help).to_contain_text(words["help_submit"])
    assert page.grid.get_attribute("lang") == language


def test_labelling_works_in_chinese(visit_in: VisitIn) -> None:
    page = visit_in("zh-CN")
    page.key("1", "2")
    expect(page.grid.locator(".fl-dock-submit")).to_have_text("提交 2 个")
    labels = page.labels()
    page.submit()
    assert page.rest.stored() == labels
    expect(page.message).to_have_text("已提交 2 个标签。")
    expect(page.grid.locator(".fl-labeled")).to_have_text("已标注 2")
