"""Take the pictures of docs/images: `python -m tests.browser.shots`."""

from pathlib import Path

from costs.html_report import html_report
from tests.browser.chromium import open_chromium
from tests.browser.pictures import with_few_colours
from tests.costs.html_reports import full_report

_IMAGES = Path(__file__).parents[2] / "docs" / "images"


def main() -> None:
    """Write the picture of the cost report."""
    _IMAGES.mkdir(parents=True, exist_ok=True)
    with open_chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
        page.set_content(html_report(full_report()))
        picture = with_few_colours(browser.new_page(), page.screenshot(full_page=True))
    (_IMAGES / "cost-report.png").write_bytes(picture)


if __name__ == "__main__":
    main()
