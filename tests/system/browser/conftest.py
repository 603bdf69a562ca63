"""A browser, and pages that tell of everything that goes wrong in them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.support.browser.chromium import open_chromium
from tests.support.browser.desk import Desk, Look, Seen
from tests.support.browser.reports import Opener, OpenPage, Scheme
from tests.support.localcloud.hosts import DEADLINE_S, ready_line, start_localcloud

# A busy machine answers late; nothing here takes as long by itself.
_PATIENCE_MS = 20_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the time out that a fixture takes to install a Chromium, which has a limit itself."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(60, func_only=True))


# Closed after each module: while Playwright is open its event loop counts as running, and tests of
# other modules run loops of their own in the same process.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_chromium() as opened:
        yield opened


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Open HTML from a file, as one who got it by mail does."""
    contexts: list[BrowserContext] = []

    def opener(html: str, *, width: int = 1280, scheme: Scheme = "light") -> OpenPage:
        path = tmp_path / f"report-{len(contexts)}.html"
        path.write_text(html, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        opened = OpenPage(page=context.new_page())
        page = opened.page
        page.on("request", lambda request: opened.requested.append(request.url))
        page.on("console", lambda message: opened.complaints.append(message.text))
        page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        page.on("dialog", lambda dialog: _refuse(opened, dialog.message, dialog.dismiss))
        page.goto(path.as_uri(), wait_until="load")
        return opened

    yield opener
    for context in contexts:
        context.close()


@pytest.fixture(scope="package")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Run a local cloud full of trouble, as long as a process is at tests of this package."""
    folder = tmp_path_factory.mktemp("trouble")
    with (
        (folder / "stderr.log").open("w", encoding="utf-8") as stderr,
        start_localcloud(
            "trouble", "--port-base", "0", "--state", str(folder), stderr=stderr
        ) as process,
    ):
        try:
            ready = ready_line(process)
            yield Desk(functions=ready["functions"], arm=ready["arm"], storage=ready["storage"])
        finally:
            process.terminate()
            process.wait(DEADLINE_S)


@pytest.fixture
def look(browser: Browser, desk: Desk) -> Iterator[Look]:
    """Open pages of the desk."""
    contexts: list[BrowserContext] = []

    def opener(
        path: str = "/dashboard",
        *,
        width: int = 1280,
        scheme: Scheme = "light",
        locale: str = "en-GB",
        bypass_csp: bool = False,
    ) -> Seen:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            locale=locale,
            bypass_csp=bypass_csp,
        )
        contexts.append(context)
        seen = Seen(page=context.new_page())
        page = seen.page
        page.set_default_timeout(_PATIENCE_MS)
        page.on("request", lambda request: seen.requested.append(request.url))
        page.on("console", lambda message: seen.complaints.append(message.text))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.goto(f"{desk.functions}{path}", wait_until="load")
        return seen

    yield opener
    for context in contexts:
        context.close()


def _refuse(opened: OpenPage, message: str, dismiss: Callable[[], None]) -> None:
    opened.complaints.append(f"dialog: {message}")
    dismiss()
