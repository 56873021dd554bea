"""What the page says of the head's accuracy: only from random items, with how sure that is, and how far the target is."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import Serving, TakePage, Visit, become_guest, become_new_guest, served_for_all
from tests.browser.kept_page import open_anew
from tests.browser.label_page import LabelPage, expect
from tests.browser.test_layout import CONTRAST
from tests.grey_encoder import ColourEncoder, GreyEncoder, only_these_encoders
from tests.pools import make_config, wait_for, write_pictures

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = ('<img src=x onerror="window.pwned=1">', "${window.pwned=1} {{1}}", "long " * 40 + "end")
CLASSES = ("c0", "c1", "c2", *HOSTILE)
PANEL_TEXTS = (
    ".fl-advice",
    ".fl-reasons",
    ".fl-target",
    ".fl-target-input",
    ".fl-evaluation-title",
    ".fl-curve-note",
    ".fl-recall-name",
    ".fl-recall-count",
    ".fl-calibration",
)

Audited = Callable[..., "EvaluationPage"]


class EvaluationPage(LabelPage):
    """The page of a project with an audit: the line above the cards and the panel behind it."""

    def __init__(self, page: "Page", address: str) -> None:
        super().__init__(page, address)
        self.line = self.grid.locator(".fl-evaluation-line")
        self.panel = self.grid.locator(".fl-evaluation-body")
        self.target = self.panel.get_by_label("Target accuracy")
        self.rows = self.panel.locator(".fl-recall-row")
        self.asked: list[str] = []
        page.on("request", lambda request: "/api/evaluation" in request.url and self.asked.append(request.url))

    def evaluation(self, **query: Any) -> Any:
        return self.rest.get("evaluation", **query)

    def learn(self, *counts: int) -> None:
        """Labels that many items, a third of them random ones, and trains a head, for each count."""
        for count in counts:
            self.rest.label(count)
            self.train()

    def train(self) -> None:
        """Trains a head and waits until its figures are there."""
        before = self.rest.status()["head"]["version"]
        self.rest.post("train")
        wait_for(lambda: self._is_trained(before))

    def show(self) -> None:
        """Opens the panel, unless the address of a page that was loaded again has opened it."""
        expect(self.line).to_be_visible()
        if not self.panel.is_visible():
            self.line.click()
        expect(self.panel).to_be_visible()

    def targets_asked(self) -> list[str | None]:
        """The target of each question, oldest first; None where it named none."""
        return [parse_qs(urlsplit(url).query).get("target", [None])[0] for url in self.asked]

    def _is_trained(self, before: int) -> bool:
        head = self.rest.status()["head"]
        return bool(head["version"] > before and head["settled"])


@pytest.fixture(scope="module")
def audited_pool(tmp_path_factory: pytest.TempPathFactory, kept_pages: dict[str, "Page"]) -> Iterator[str]:
    """The address of an app over 240 pictures, about 72 of them for the audit, that trains only when asked to."""
    folder = tmp_path_factory.mktemp("audited")
    config = make_config(
        write_pictures(folder / "pictures", per_class=80),
        classes=CLASSES,
        batch_size=12,
        sharing="private",
        train_every=1000,
        audit_share=0.3,
    )
    with served_for_all(kept_pages, folder / "work", config) as address:
        yield address


@pytest.fixture(scope="module")
def guests() -> dict[tuple[int, ...], str]:
    """Those that only look, by what they learned before: learning is most of what such a test takes."""
    return {}


@pytest.fixture
def audited(take_page: TakePage, audited_pool: str, guests: dict[tuple[int, ...], str]) -> Audited:
    """The page of a guest on that app, with heads trained on batches of those sizes before; a new one if it `learns` more."""

    def visit_as_guest(*counts: int, query: str = "", opened: bool = True, learns: bool = False) -> EvaluationPage:
        visitor = EvaluationPage(take_page(audited_pool), audited_pool)
        known = None if learns else guests.get(counts)
        guest = become_new_guest(visitor.page, audited_pool, stays_open=opened and not query, name=known)
        if known is None:
            visitor.learn(*counts)
        if not learns:
            guests[counts] = guest
        if query:
            visitor.open(query)
        elif opened:
            open_anew(visitor.page, audited_pool)
            visitor.wait_ready()
        return visitor

    return visit_as_guest


def test_the_line_says_what_rest_says_of_the_random_items(audited: Audited) -> None:
    page = audited(40, 80)
    audit = page.evaluation()["audit"]
    assert audit["items"] == 36
    percent = min(round(100 * audit["accuracy"]), 100 if audit["accuracy"] == 1 else 99)
    low, high = round(100 * audit["low"]), round(100 * audit["high"])
    expect(page.line).to_have_text(f"accuracy {percent} % ({low} to {high}), from 36 random items")


def test_of_groups_the_line_says_what_it_is_true_for_and_the_panel_why(
    page: "Page", serving: Serving, tmp_path: Path
) -> None:
    pictures = write_pictures(tmp_path / "pictures", per_class=80)
    source = {"kind": "image_folder", "path": str(pictures), "group_pattern": r"(\d\d)\d\.png"}
    _, address = serving(make_config(pictures, source=source, classes=CLASSES[:3], train_every=1000, audit_share=0.5))
    visitor = EvaluationPage(page, address)
    visitor.learn(80)
    visitor.open()
    audit = visitor.evaluation()["audit"]
    assert (audit["groups"], audit["true_for"]) == (4, "new groups")
    expect(visitor.line).to_contain_text("on new groups, from 40 random items of 4 groups")
    visitor.show()
    expect(visitor.panel.locator(".fl-true-for")).to_contain_text("True for new groups: measured on 4 groups")


def test_without_groups_the_panel_says_what_may_make_the_figure_too_good(audited: Audited) -> None:
    page = audited(40)
    page.show()
    expect(page.panel.locator(".fl-true-for")).to_contain_text("group_pattern")


def test_below_30_random_items_it_is_too_early_and_no_percent_is_said(audited: Audited) -> None:
    page = audited(40)
    expect(page.line).to_have_text("accuracy: too early, 12 of 30 random items")
    page.show()
    expect(page.panel.locator(".fl-advice")).to_contain_text("too early")
    expect(page.panel.locator(".fl-calibration")).to_be_hidden()


def test_nothing_is_said_before_there_is_a_head(audited: Audited) -> None:
    page = audited()
    page.poll()
    expect(page.grid.locator(".fl-head")).to_contain_text("no head yet")
    expect(page.line).to_be_hidden()


def test_nothing_is_said_where_no_item_is_drawn_for_the_audit(visit: Visit) -> None:
    page = visit(labeled=30, opened=False)
    with page.page.expect_response("**/api/evaluation*") as answer:
        page.open()
    assert answer.value.json()["audit"] is None
    expect(page.grid.locator(".fl-evaluation")).to_be_hidden()


def test_the_line_follows_new_labels_and_heads_without_a_reload(audited: Audited) -> None:
    page = audited(40, learns=True)
    expect(page.line).to_contain_text("12 of 30")
    page.learn(40)
    page.poll()
    expect(page.line).to_contain_text("24 of 30")
    page.learn(40)
    page.poll()
    expect(page.line).to_contain_text("from 36 random items")


def test_nothing_is_asked_again_while_nothing_changed(audited: Audited) -> None:
    page = audited(40)
    expect(page.line).to_be_visible()
    before = len(page.asked)
    for _ in range(3):
        with page.page.expect_response("**/api/status*"):
            page.poll()
    assert len(page.asked) == before


@pytest.fixture
def page_with_a_clock(browser: "Browser") -> Iterator["Page"]:
    """A page whose time a test sets. Its context is its own: a clock is for all pages of a context."""
    with browser.new_context() as context:
        page = context.new_page()
        page.clock.install()
        yield page


def test_labels_in_quick_succession_are_asked_about_at_most_every_two_seconds(
    page_with_a_clock: "Page", audited_pool: str
) -> None:
    page = page_with_a_clock
    become_guest(page.context, audited_pool)
    visitor = EvaluationPage(page, audited_pool)
    visitor.learn(40)
    visitor.open()
    expect(visitor.line).to_contain_text("12 of 30")
    page.clock.pause_at(page.evaluate("Date.now() + 60_000"))
    visitor.rest.label(10)
    with page.expect_response("**/api/evaluation*"):
        visitor.poll()
        page.clock.run_for(100)
    before = len(visitor.asked)
    visitor.rest.label(10)
    with page.expect_response("**/api/status*"):
        visitor.poll()
        page.clock.run_for(100)
    expect(visitor.number("labeled")).to_have_text("60")
    page.clock.run_for(1500)
    assert len(visitor.asked) == before
    page.clock.run_for(500)
    expect(visitor.line).to_contain_text("18 of 30")
    assert len(visitor.asked) == before + 1


def test_the_panel_shows_advice_reasons_curve_and_each_class_worst_first(audited: Audited) -> None:
    page = audited(40, 40, 40, 40)
    expect(page.line).to_have_attribute("aria-expanded", "false")
    page.show()
    expect(page.line).to_have_attribute("aria-expanded", "true")
    answer = page.evaluation()
    expect(page.panel.locator(".fl-advice")).to_have_text(answer["advice"])
    assert page.panel.locator(".fl-reasons li").all_text_contents() == answer["reasons"]
    expect(page.target).to_have_value(f"{100 * answer['target']:g}")
    expect(page.panel.locator(".fl-chart-dot")).to_have_count(len(answer["curve"]))
    expect(page.panel.locator(".fl-chart-target")).to_have_count(1)
    points = round(100 * answer["audit"]["calibration_error"])
    off = {0: "less than a point", 1: "1 point"}.get(points, f"{points} points")
    expect(page.panel.locator(".fl-calibration")).to_have_text(f"Confidences are off by {off} on average.")
    expect(page.rows).to_have_count(len(CLASSES))
    counts = {row["label"]: (row["correct"], row["items"]) for row in answer["audit"]["recall"]}
    names, words = (page.rows.locator(part).all_text_contents() for part in (".fl-recall-name", ".fl-recall-count"))
    assert dict(zip(names, words, strict=True)) == {
        label: f"{correct} of {items}" if items else "none yet" for label, (correct, items) in counts.items()
    }
    known = [correct / items for correct, items in (counts[name] for name in names) if items]
    assert known == sorted(known)
    assert words[len(known) :] == ["none yet"] * (len(CLASSES) - len(known))


def test_the_intervals_of_the_curve_are_those_of_rest(audited: Audited) -> None:
    page = audited(40, 40, 40)
    page.show()
    audit = page.evaluation()["audit"]
    low, high = round(100 * audit["low"]), round(100 * audit["high"])
    expect(page.panel.locator(".fl-chart-dot title").last).to_contain_text(f"({low} to {high}) of 36 random items")


def test_another_target_asks_again_and_is_kept_over_a_reload(audited: Audited) -> None:
    page = audited(40, 80)
    page.show()
    assert set(page.targets_asked()) == {None}
    page.target.fill("97.5")
    page.key("Enter")
    expect(page.panel.locator(".fl-curve-key-target")).to_have_text("target 97.5 %")
    expect(page.panel.locator(".fl-advice")).to_have_text(page.evaluation(target=0.975)["advice"])
    page.asked.clear()
    page.page.reload()
    page.wait_ready()
    page.show()
    expect(page.target).to_have_value("97.5")
    assert set(page.targets_asked()) == {"0.975"}


def test_a_target_out_of_range_becomes_the_nearest_and_none_the_one_before(audited: Audited) -> None:
    page = audited(40)
    page.show()
    for typed, becomes in (("", "90"), ("30", "50"), ("100", "99.9"), ("92.345", "92.3"), ("", "92.3")):
        page.target.fill(typed)
        page.target.press("Enter")
        page.target.press("Tab")
        expect(page.target).to_have_value(becomes)
        expect(page.panel.locator(".fl-curve-key-target")).to_have_text(f"target {becomes} %")


def test_digits_typed_as_a_target_label_no_card(audited: Audited) -> None:
    page = audited(40)
    page.show()
    page.target.click()
    page.key("ControlOrMeta+a", "9", "5", "Enter")
    expect(page.panel.locator(".fl-curve-key-target")).to_have_text("target 95 %")
    assert page.labels() == {}


def test_escape_closes_the_panel_and_keys_label_again(audited: Audited) -> None:
    page = audited(40)
    page.show()
    page.target.click()
    page.key("ControlOrMeta+a", "7", "Escape")
    expect(page.panel).to_be_hidden()
    expect(page.line).to_have_attribute("aria-expanded", "false")
    page.key("2")
    assert page.labels() == {page.item_ids()[0]: "c1"}
    page.show()
    expect(page.target).to_have_value("90")


def test_escape_closes_the_other_menus_too(audited: Audited) -> None:
    page = audited()
    page.grid.locator(".fl-export summary").click()
    expect(page.grid.get_by_role("link", name="Labels as CSV")).to_be_visible()
    page.key("Escape", "1")
    expect(page.grid.get_by_role("link", name="Labels as CSV")).to_be_hidden()
    assert page.labels() == {page.item_ids()[0]: "c0"}


def test_a_click_elsewhere_and_a_second_click_close_the_panel(audited: Audited) -> None:
    page = audited(40)
    page.show()
    page.panel.locator(".fl-advice").click()
    expect(page.panel).to_be_visible()
    page.grid.locator(".fl-labeled").click()
    expect(page.panel).to_be_hidden()
    page.show()
    page.line.click()
    expect(page.panel).to_be_hidden()
    page.key("3")
    assert page.labels() == {page.item_ids()[0]: "c2"}


def test_an_open_panel_stays_open_while_its_numbers_change(audited: Audited) -> None:
    page = audited(40, learns=True)
    page.show()
    page.target.click()
    page.key("ControlOrMeta+a", "8")
    page.learn(40, 40)
    page.poll()
    expect(page.panel.locator(".fl-chart-dot")).to_have_count(3)
    expect(page.target).to_be_focused()
    expect(page.target).to_have_value("8")


def test_hostile_class_names_stand_in_the_panel_as_they_are(audited: Audited) -> None:
    page = audited(40)
    page.show()
    names = page.panel.locator(".fl-recall-name").all_text_contents()
    assert set(names) == set(CLASSES)
    assert page.panel.locator("img, script").count() == 0
    assert page.page.evaluate("typeof window.pwned") == "undefined"


def test_of_many_classes_60_are_listed(page: "Page", serving: Serving, tmp_path: Path) -> None:
    classes = ("c0", "c1", "c2", *(f"other {number}" for number in range(70)))
    pictures = write_pictures(tmp_path / "pictures", per_class=30)
    _, address = serving(make_config(pictures, classes=classes, batch_size=12, train_every=1000, audit_share=0.3))
    visitor = EvaluationPage(page, address)
    visitor.learn(40)
    visitor.open()
    visitor.show()
    expect(visitor.rows).to_have_count(60)
    expect(visitor.panel.locator(".fl-recall")).to_contain_text("and 13 more")


def test_a_failed_question_keeps_the_numbers_and_is_asked_again(audited: Audited) -> None:
    page = audited(40)
    page.show()
    page.page.route("**/api/evaluation*", lambda route: route.abort())
    page.target.fill("80")
    page.key("Enter")
    expect(page.panel.locator(".fl-evaluation-problem")).to_have_text("No answer from the server.")
    expect(page.line).to_contain_text("12 of 30")
    page.page.unroute("**/api/evaluation*")
    expect(page.panel.locator(".fl-curve-key-target")).to_have_text("target 80 %")
    expect(page.panel.locator(".fl-evaluation-problem")).to_be_hidden()


def test_the_panel_stays_inside_the_window(audited: Audited) -> None:
    visitor = audited(40, 40, 40)
    page = visitor.page
    for width in (1280, 700, 360):
        page.set_viewport_size({"width": width, "height": 740})
        page.reload()
        visitor.wait_ready()
        visitor.show()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        box = visitor.panel.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= 740
        assert visitor.panel.evaluate("(node) => node.scrollWidth <= node.clientWidth")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_panel_has_the_contrast_that_reading_needs(audited: Audited, theme: str) -> None:
    page = audited(40, 40, 40, query=f"?__theme={theme}")
    page.show()
    ratios = {text: page.panel.locator(text).first.evaluate(CONTRAST) for text in PANEL_TEXTS}
    ratios["line"] = page.line.evaluate(CONTRAST)
    assert {text: round(ratio, 2) for text, ratio in ratios.items() if ratio < 4.5} == {}


def test_the_panel_answers_whether_another_encoder_would_be_better(
    page: "Page", serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    only_these_encoders(monkeypatch, GreyEncoder.name, ColourEncoder.name, "clip")
    pictures = write_pictures(tmp_path / "pictures", per_class=40)
    encoder = GreyEncoder.name
    config = make_config(pictures, encoder=encoder, classes=CLASSES[:3], train_every=1000, audit_share=0.3)
    _, address = serving(config)
    visitor = EvaluationPage(page, address)
    visitor.learn(60)
    visitor.open()
    visitor.show()
    question = visitor.panel.locator(".fl-encoder-question")
    question.get_by_role("button", name="Compare encoders").click()
    expect(question).to_contain_text("On 60 labels, each item judged by a head that did not see it.", timeout=120_000)
    compared = visitor.rest.get("encoders/compare")
    shown = {row["encoder"]: row for row in compared["rows"] if not row["problem"]}
    rows = question.locator("tbody tr")
    expect(rows).to_have_count(len(shown))
    expect(rows.first).to_contain_text(f"grey (in use){100 * shown['grey']['accuracy']:.1f} %")
    better = rows.filter(has_text=ColourEncoder.name)
    expect(better).to_contain_text(f"100.0 % ({100 * shown[ColourEncoder.name]['low']:.1f} % to 100.0 %)")
    expect(better).to_contain_text(f"+{100 * shown[ColourEncoder.name]['change']['change']:.1f} points")
    expect(question).to_contain_text("clip not compared: encoder 'clip' is not available")
    visitor.open()
    visitor.show()
    expect(rows).to_have_count(len(shown))  # what was found stays
    expect(question.get_by_role("button", name="Compare again")).to_be_enabled()
