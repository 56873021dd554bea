"""What axe-core of package.json finds on a page (https://github.com/dequelabs/axe-core), and which controls are reached."""

from typing import TYPE_CHECKING

import pytest

from tests.documents import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
# Halfway between two looks a colour is of neither; what turns for ever is not waited for.
_WAIT_FOR_TRANSITIONS = """() => Promise.allSettled(
    document.getAnimations()
        .filter((one) => one.effect.getComputedTiming().endTime < Infinity)
        .map((one) => one.finished)
).then(() => {})"""
_RUN = """async ([impacts, rules]) => {
  const only = rules ? { runOnly: { type: "rule", values: rules } } : {};
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...only });
  return violations.filter(({ impact }) => impacts.includes(impact)).flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target} ${node.failureSummary.split("\\n").pop().trim()}`));
}"""
LOOKS, LOOK_AGAIN_MS = 8, 300  # a view may still be laid out, or get what it asked for
# Controls that take part in the Tab order; of a group of radio buttons the browser gives one.
_CONTROLS = """(root) => {
  const all = "button, a[href], input, select, textarea, summary, [tabindex='0']";
  return [...document.querySelectorAll(root)].flatMap((part) => [...part.querySelectorAll(all)]).filter((node) =>
    !node.disabled && node.tabIndex >= 0 && node.checkVisibility({ visibilityProperty: true }));
}"""
_NAME = "(node) => `${node.tagName.toLowerCase()}.${node.className} ${node.ariaLabel || node.textContent.trim()}`"
# The middle of a control, scrolled to, is the control: nothing covers it, and no edge of the window cuts it off.
_LOST = f"""async (root) => {{
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame); // what follows a resize is done
  return ({_CONTROLS})(root).filter((node) => {{
  const target = node.closest("label") ?? node;
  target.scrollIntoView({{ block: "center", inline: "nearest" }});
  const box = target.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const hit = document.elementFromPoint(x, y);
  return !hit || !(target.contains(hit) || hit.contains(target)) || box.width > innerWidth;
}}).map({_NAME}); }}"""
# What changes on screen when a control gets the focus, on it or on what it stands in.
_LOOKS = """(node) => {
  const looks = [];
  for (let part = node, steps = 0; part && steps < 4; part = part.parentElement, steps++) {
    const { outline, boxShadow, borderColor, backgroundColor } = getComputedStyle(part);
    looks.push(outline, boxShadow, borderColor, backgroundColor);
  }
  return looks.join();
}"""
_WATCH = f"""(root) => {{
  document.activeElement.blur();
  window.watching?.abort();
  window.watching = new AbortController();
  const before = new Map(({_CONTROLS})(root).map((node) => [node, ({_LOOKS})(node)]));
  window.reached = {{ all: before, unseen: [], got: new Set() }};
  document.addEventListener("focusin", ({{ target }}) => {{
    window.reached.got.add(target);
    if (before.has(target) && before.get(target) === ({_LOOKS})(target)) window.reached.unseen.push(({_NAME})(target));
  }}, {{ signal: window.watching.signal }});
  return before.size;
}}"""
_REACHED = f"""() => {{
  const {{ all, got, unseen }} = window.reached;
  return [[...all.keys()].filter((node) => node.isConnected && !got.has(node)).map({_NAME}), unseen];
}}"""


def serious_findings(page: "Page", *rules: str) -> list[str]:
    """Rule, element and reason of all that axe calls serious or critical; of all rules where none is named.

    Skips the test where axe is not installed.
    """
    if not AXE.is_file():
        pytest.skip("axe-core is not there: npm install")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    page.evaluate(_WAIT_FOR_TRANSITIONS)
    found: list[str] = page.evaluate(_RUN, [SERIOUS, list(rules) or None])
    return found


def lost_controls(page: "Page", root: str) -> list[str]:
    """Controls below elements of that selector that nobody can click, even after scrolling to them."""
    lost: list[str] = []
    for _ in range(LOOKS):
        lost = page.evaluate(_LOST, root)
        if not lost:
            break
        page.wait_for_timeout(LOOK_AGAIN_MS)
    return lost


def unreached_by_tab(page: "Page", root: str) -> tuple[list[str], list[str]]:
    """Controls that Tab does not lead to, and those that look the same with the focus as without."""
    missed: list[str] = []
    unseen: list[str] = []
    for _ in range(LOOKS):
        count = page.evaluate(_WATCH, root)
        for _ in range(count + 20):
            page.keyboard.press("Tab")
        missed, unseen = page.evaluate(_REACHED)
        if not (missed or unseen):
            break
    return missed, unseen
