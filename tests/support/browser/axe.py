"""The accessibility checker axe-core, which `make setup` installs beside the storage emulator."""

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

_SCRIPT = (
    Path(__file__).parents[3]
    / "localcloud"
    / "azurite"
    / "node_modules"
    / "axe-core"
    / "axe.min.js"
)
_GRAVE = ("serious", "critical")


@cache
def _script() -> str:
    if not _SCRIPT.is_file():
        raise RuntimeError(f"axe-core is not installed ({_SCRIPT}); run `make setup`")
    return _SCRIPT.read_text(encoding="utf-8")


def grave_findings(page: Page) -> list[str]:
    """Return what axe finds serious or critical; the context must bypass the page's CSP."""
    page.evaluate(_script())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:200]}: {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in _GRAVE
        for node in one["nodes"]
    ]
