"""axe-core, which looks for what keeps people out of a page."""

from playwright.sync_api import Page

from tests.support.sources import REPOSITORY

AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def assert_accessible(page: Page, where: str) -> None:
    """No violation on the page as it stands."""
    if not page.evaluate("() => 'axe' in window"):
        page.add_script_tag(path=AXE)
    violations = page.evaluate(
        "tags => axe.run(document, { runOnly: tags }).then((found) => found.violations)", RULES
    )
    told = [
        f"{one['id']}: {one['help']}\n  "
        + "\n  ".join(f"{node['html'][:160]} ({node['failureSummary']})" for node in one["nodes"])
        for one in violations
    ]
    assert not told, f"{where}:\n" + "\n".join(told)
