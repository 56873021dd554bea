"""The colour of a class stands wherever the class is shown, beside its name, in every view and both themes."""

from typing import TYPE_CHECKING

from tests.browser.accessibility import serious_findings
from tests.browser.conftest import Visit
from tests.browser.explore_page import ExplorePage
from tests.browser.label_page import LabelPage, expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator

PALE, DARK = ("#ffee00", "rgb(255, 238, 0)"), ("#102030", "rgb(16, 32, 48)")
MARK = "(name) => ['content', 'backgroundColor'].map((key) => getComputedStyle(name, '::before')[key])"


def expect_marks(names: "Locator") -> None:
    """Names of c0 and c1 are marked, others are not."""
    expect(names.first).to_be_visible()
    assert names.count()
    for name in names.all():
        content, colour = name.evaluate(MARK)
        text = name.text_content()
        wanted = {"c0": PALE[1], "c1": DARK[1]}.get(text or "")
        assert (content, colour) == ('""', wanted) if wanted else content == "none", (text, content, colour)


def expect_marks_of_the_map(explore: ExplorePage, colours: dict[str, str]) -> None:
    """Beside the map a class without a colour of its own is marked in that of its points."""
    others = colours.keys() & {f"c{number}" for number in range(2, 10)}
    assert others
    for name in others:
        marked = explore.view.locator(f".fl-facet[data-facet=labels] bdi[data-class={name}]")
        expect(marked).to_have_css("--fl-class-colour", colours[name])
        assert marked.evaluate(MARK)[0] == '""'


def expect_readable(page: LabelPage) -> None:
    assert serious_findings(page.page) == []
    page.page.evaluate("document.body.classList.add('dark')")
    assert serious_findings(page.page, "color-contrast") == []
    page.page.evaluate("document.body.classList.remove('dark')")


def test_the_colour_of_a_class_is_seen_wherever_the_class_is(visit: Visit) -> None:
    page = visit(labeled=30)
    for name, (colour, _) in (("c0", PALE), ("c1", DARK)):
        page.rest.post("classes", set={"name": name, "colour": colour})
    page.poll()
    expect(page.grid.locator(".fl-legend-class bdi[data-class=c0]")).to_have_css("--fl-class-colour", PALE[0])
    for place in (".fl-legend-class bdi", ".fl-chip-words bdi", "bdi.fl-group-name"):
        expect_marks(page.grid.locator(place))
    page.key("1", "2")
    accepted, changed = (page.grid.locator(f".fl-card[data-state={state}] select") for state in ("accepted", "changed"))
    expect(changed.first).to_have_css("box-shadow", f"{DARK[1]} 4px 0px 0px 0px inset")
    expect(accepted.first).to_have_css("box-shadow", "none")  # it would lie over the suggestion's "%"
    expect_readable(page)

    explore = ExplorePage(page.page, page.address).open({"labels": ["c0"]})
    for place in (".fl-facet[data-facet=labels] bdi", ".fl-facet[data-facet=predicted] bdi", ".fl-chip-words bdi"):
        expect_marks(explore.view.locator(place))
    expect_marks(explore.chips.locator("bdi"))
    explore.view.locator(".fl-explore-tools [data-panel=map]").click()
    sign = explore.view.locator(".fl-map-legend li", has_text="c1").locator(".fl-map-sign")
    expect(sign).to_have_css("background-color", DARK[1])
    drawn = "(map) => Object.fromEntries(map.data.map(({ name, marker }) => [name, marker.color]))"
    colours = explore.view.locator(".fl-map-picture").evaluate(drawn)
    assert colours["c0"] == PALE[0]
    expect_marks_of_the_map(explore, colours)
    expect_readable(page)
    explore.view.get_by_role("combobox", name="Coloured by").select_option("confidence")
    expect_marks(explore.view.locator(".fl-facet[data-facet=labels] bdi"))

    page.page.goto(f"{page.address}/#view=progress")
    progress = page.page.locator(".fl-progress-classes")
    expect_marks(progress.locator("bdi.fl-progress-name"))
    bars = progress.locator(".fl-progress-bar[data-class=c1]").first
    assert DARK[1] in bars.evaluate("(bar) => getComputedStyle(bar).backgroundImage")
    expect_readable(page)
    page.rest.post("classes", set={"name": "c1", "colour": ""})
    expect(progress.locator("bdi[data-class=c1]")).not_to_have_css("--fl-class-colour", DARK[0])
    expect_marks(progress.locator("bdi.fl-progress-name").first)


def test_a_name_that_turns_text_around_is_refused_in_the_panel(visit: Visit) -> None:
    page = visit()
    page.key("c")
    panel = page.grid.get_by_role("dialog", name="Classes")
    panel.get_by_role("textbox", name="Name of a new class").fill("\u202eabc")
    panel.get_by_role("button", name="Add").click()
    expect(panel.get_by_role("status")).to_contain_text("right-to-left override, would turn the words around it")
    expect(panel.locator(".fl-classes-list").first.locator(".fl-class")).to_have_count(10)
