"""Two projects in one app: two tabs with labels, counts and keys of their own."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import TakePage, become_new_guest, served_for_all
from tests.browser.kept_page import open_anew
from tests.browser.label_page import LabelPage, expect
from tests.pools import make_config, write_pictures

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def two_projects(tmp_path_factory: pytest.TempPathFactory, kept_pages: dict[str, "Page"]) -> Iterator[str]:
    """The address of an app with the projects "plants" (60 pictures) and "stones" (30)."""
    folder = tmp_path_factory.mktemp("two")
    configs = [
        make_config(write_pictures(folder / name, per_class), name=name, batch_size=6, sharing="private")
        for name, per_class in (("plants", 20), ("stones", 10))
    ]
    with served_for_all(kept_pages, folder / "work", *configs) as address:
        yield address


@pytest.fixture
def tabs(take_page: TakePage, two_projects: str) -> tuple[LabelPage, LabelPage]:
    page = take_page(two_projects)
    become_new_guest(page, two_projects)
    open_anew(page, two_projects)
    plants = LabelPage(page, two_projects, "plants")
    plants.wait_ready()
    return plants, LabelPage(page, two_projects, "stones")


def show(tab: LabelPage) -> LabelPage:
    tab.page.get_by_role("tab", name=tab.project).click()
    expect(tab.grid).to_be_visible()
    tab.wait_ready()
    return tab


def test_each_project_is_a_tab_with_its_own_pool(tabs: tuple[LabelPage, LabelPage]) -> None:
    plants, stones = tabs
    expect(plants.number("unlabeled")).to_have_text("60")
    show(stones)
    expect(stones.number("unlabeled")).to_have_text("30")
    expect(plants.grid).to_be_hidden()


def test_keys_act_on_the_tab_on_screen_only(tabs: tuple[LabelPage, LabelPage]) -> None:
    plants, stones = tabs
    plants.key("1")
    show(stones).key("ArrowRight", "2", "3")
    assert list(plants.labels().values()) == ["blue"]
    assert list(stones.labels().values()) == ["green", "red"]
    stones.submit()
    assert (plants.rest.stored(), len(stones.rest.stored())) == ({}, 2)
    labels = show(plants).labels()
    plants.key("ArrowRight")
    plants.submit()
    assert plants.rest.stored() == labels
    expect(plants.number("labeled")).to_have_text("1")
    expect(stones.number("labeled")).to_have_text("2")


def test_the_buttons_of_a_tab_act_on_its_project(tabs: tuple[LabelPage, LabelPage]) -> None:
    plants, stones = tabs
    batch = plants.batch_id()
    show(stones)
    before = stones.batch_id()
    stones.button("load").click()
    stones.wait_ready(after=before)
    assert plants.batch_id() == batch
    stones.key("1")
    stones.button("submit").click()
    expect(stones.number("labeled")).to_have_text("1")
    assert (len(stones.rest.stored()), plants.rest.stored()) == (1, {})


def test_labels_on_screen_survive_a_look_at_the_other_tab(tabs: tuple[LabelPage, LabelPage]) -> None:
    plants, stones = tabs
    plants.key("1", "2")
    labels = plants.labels()
    show(stones)
    assert show(plants).labels() == labels
