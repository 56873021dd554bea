"""What axe-core finds on a page: https://github.com/dequelabs/axe-core, a development dependency of package.json."""

from typing import TYPE_CHECKING

import pytest

from tests.documents import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
_RUN = """async (impacts) => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.filter(({ impact }) => impacts.includes(impact)).flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target} ${node.failureSummary.split("\\n").pop().trim()}`));
}"""


def serious_findings(page: "Page") -> list[str]:
    """Rule, element and reason of all that axe calls serious or critical. Skips the test where axe is not installed."""
    if not AXE.is_file():
        pytest.skip("axe-core is not there: npm install")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(_RUN, SERIOUS)
    return found
