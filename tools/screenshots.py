"""Take the pictures of docs/images: `make screenshots`."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import Browser, Page, expect

from costs.report.html.report import html_report
from tests.support.browser.chromium import open_chromium
from tests.support.browser.desk import Desk
from tests.support.browser.pictures import with_few_colours
from tests.support.browser.places import place_of
from tests.support.costs.html_reports import full_report
from tests.support.localcloud.hosts import DEADLINE_S, ready_line, start_localcloud

_ROOT = Path(__file__).parents[1]
_IMAGES = _ROOT / "docs" / "images"
_FONT = _ROOT / "scripts" / "japanese-font.sh"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shot:
    """A picture of a page of the desk, after `prepare` has done something there."""

    file: str
    place: str
    query: str = ""
    scheme: Literal["light", "dark"] = "light"
    locale: str = "en-GB"
    width: int = 1280
    height: int = 960
    prepare: Callable[[Page], None] = lambda _: None


def _count_what_matches(page: Page) -> None:
    page.get_by_role("button", name="Replay all that match").click()
    expect(page.get_by_role("dialog").get_by_role("button", name="Replay")).to_be_visible()


_SHOTS = (
    _Shot(file="desk-overview.png", place="overview"),
    _Shot(file="desk-overview-dark.png", place="overview", scheme="dark"),
    _Shot(file="desk-replications.png", place="replications"),
    _Shot(file="desk-replication.png", place="replication"),
    _Shot(
        file="desk-dead-letters.png",
        place="dead-letters",
        query="?region=japanwest",
        prepare=_count_what_matches,
    ),
    _Shot(file="desk-regions.png", place="regions"),
    _Shot(file="desk-costs.png", place="costs", query="?today=yes"),
    _Shot(file="desk-phone.png", place="overview", width=360, height=800),
)
_JAPANESE = _Shot(file="desk-japanese.png", place="overview", locale="ja-JP")


def main() -> int:
    """Write the pictures; return 1 where one could not be taken."""
    _IMAGES.mkdir(parents=True, exist_ok=True)
    has_font = subprocess.run([_FONT], check=False).returncode == 0  # noqa: S603 - our own script
    with open_chromium() as browser:
        _picture_report(browser)
        with _cloud() as desk:
            for shot in (*_SHOTS, _JAPANESE) if has_font else _SHOTS:
                _picture(browser, desk, shot)
    if not has_font:
        sys.stderr.write(f"docs/images/{_JAPANESE.file} was left as it is\n")
    return 0 if has_font else 1


@contextmanager
def _cloud() -> Iterator[Desk]:
    with (
        TemporaryDirectory() as folder,
        (Path(folder) / "stderr.log").open("w", encoding="utf-8") as stderr,
        start_localcloud(
            "trouble", "--port-base", "0", "--state", folder, stderr=stderr
        ) as process,
    ):
        try:
            ready = ready_line(process)
            yield Desk(functions=ready["functions"], arm=ready["arm"], storage=ready["storage"])
        finally:
            process.terminate()
            process.wait(DEADLINE_S)


def _picture_report(browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page.set_content(html_report(full_report()))
    _write(browser, "cost-report.png", page.screenshot(full_page=True))
    page.close()


def _picture(browser: Browser, desk: Desk, shot: _Shot) -> None:
    page = browser.new_page(
        viewport={"width": shot.width, "height": shot.height},
        color_scheme=shot.scheme,
        locale=shot.locale,
    )
    page.goto(f"{desk.functions}{place_of(desk, shot.place)}{shot.query}", wait_until="load")
    shot.prepare(page)
    _write(browser, shot.file, page.screenshot())
    page.close()


def _write(browser: Browser, file: str, png: bytes) -> None:
    blank = browser.new_page()
    (_IMAGES / file).write_bytes(with_few_colours(blank, png))
    blank.close()


if __name__ == "__main__":
    sys.exit(main())
