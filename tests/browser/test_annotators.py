"""Several annotators at once: no item in common, each label signed, counts that move for all."""

from collections.abc import Iterator

import pytest

from tests.browser.conftest import NewContext, serve
from tests.browser.label_page import PASSWORDS, LabelPage, Rest, expect, log_in
from tests.pools import make_config, wait_for, write_pictures


@pytest.fixture(scope="module")
def open_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app that all visitors share, without logins."""
    folder = tmp_path_factory.mktemp("open_house")
    app, address = serve(folder / "work", make_config(write_pictures(folder / "pictures", 60), batch_size=12))
    yield address
    app.close()


@pytest.fixture(scope="module")
def with_logins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("with_logins")
    config = make_config(write_pictures(folder / "pictures", 20), batch_size=12)
    app, address = serve(folder / "work", config, logins=PASSWORDS)
    yield address
    app.close()


def test_two_guests_get_no_item_in_common_and_sign_their_own_labels(new_context: NewContext, open_house: str) -> None:
    ann, bob = (LabelPage(new_context().new_page(), open_house).open() for _ in range(2))
    names = [page.rest.status()["annotator"] for page in (ann, bob)]
    assert all(name.startswith("guest-") for name in names)
    assert names[0] != names[1]
    for _ in range(3):
        assert not set(ann.item_ids()) & set(bob.item_ids())
        for name, page in zip(names, (ann, bob), strict=True):
            page.key("1", "2")
            labels = page.labels()
            page.submit()
            assert labels.items() <= page.rest.stored().items()
            assert {page.rest.annotators()[item_id] for item_id in labels} == {name}


def test_one_annotator_sees_the_counts_move_when_another_submits(new_context: NewContext, open_house: str) -> None:
    ann, bob = (LabelPage(new_context().new_page(), open_house).open() for _ in range(2))
    before = int(bob.number("labeled").text_content() or "")
    ann.key("1", "2", "3")
    ann.submit()
    bob.poll()
    expect(bob.number("labeled")).to_have_text(str(before + 3))
    expect(bob.number("unlabeled")).to_have_text(str(180 - before - 3))


def test_undo_takes_back_only_ones_own_labels(new_context: NewContext, open_house: str) -> None:
    ann, bob = (LabelPage(new_context().new_page(), open_house).open() for _ in range(2))
    ann.key("1")
    anns = ann.labels()
    ann.submit()
    bob.key("2")
    bobs = bob.labels()
    bob.submit()
    after = ann.batch_id()
    ann.key("u")
    ann.wait_ready(after=after)
    assert ann.labels() == anns
    stored = ann.rest.stored()
    assert bobs.items() <= stored.items()
    assert not anns.keys() & stored.keys()


def test_two_tabs_of_one_browser_are_one_annotator(new_context: NewContext, open_house: str) -> None:
    context = new_context()
    first, second = (LabelPage(context.new_page(), open_house).open() for _ in range(2))
    assert first.item_ids() == second.item_ids()


def test_without_a_login_the_page_shows_the_login_form_only(new_context: NewContext, with_logins: str) -> None:
    page = new_context().new_page()
    page.goto(with_logins)
    expect(page.get_by_role("button", name="Login")).to_be_visible()
    expect(page.locator(".fl")).to_have_count(0)


def test_logged_in_annotators_sign_with_their_names_and_share_no_item(
    new_context: NewContext, with_logins: str
) -> None:
    pages = {name: log_in(new_context().new_page(), with_logins, name) for name in PASSWORDS}
    assert not set(pages["ann"].item_ids()) & set(pages["bob"].item_ids())
    for name, page in pages.items():
        expect(page.grid.locator(".fl-annotator")).to_have_text(f"you are {name}")
        page.key("1", "3")
        labels = page.labels()
        page.submit()
        assert {page.rest.annotators()[item_id] for item_id in labels} == {name}
        assert len(labels) == 2


def test_a_second_login_of_the_same_annotator_gets_the_same_batch(new_context: NewContext, with_logins: str) -> None:
    first, second = (log_in(new_context().new_page(), with_logins, "ann") for _ in range(2))
    assert first.item_ids() == second.item_ids()


def test_a_page_that_slept_past_its_claim_says_so_and_its_labels_still_count(
    new_context: NewContext, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("nap")
    config = make_config(write_pictures(folder / "pictures", 4), batch_size=12, claim_minutes=0.01)
    app, address = serve(folder / "work", config)
    try:
        ann = LabelPage(new_context().new_page(), address).open()
        ann.key("1", "2")
        labels = ann.labels()
        bob = Rest(new_context(), address)
        wait_for(lambda: len(bob.get("next_batch", size=12, fresh=True)["items"]) == 12)
        ann.page.evaluate("window.fastlabel.views['images'].session.renew()")
        expect(ann.message).to_contain_text("can still be submitted")
        ann.button("submit").click()
        wait_for(lambda: ann.rest.stored() == labels)
    finally:
        app.close()
