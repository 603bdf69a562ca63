"""The cost report in a browser: complete without a network, readable everywhere, inert."""

import re
from collections.abc import Callable

import pytest

from costs.report.html.report import html_report
from costs.report.report import CostReport
from tests.support.browser.reports import Opener
from tests.support.costs.html_reports import (
    HOSTILE,
    empty_report,
    full_report,
    hostile_report,
    two_currencies,
)

ALL = [full_report, two_currencies, hostile_report, empty_report]
TITLES = [
    "In all",
    "What to look at",
    "Month by month",
    "Budgets",
    "By gallery",
    "Top spenders",
    "Cost per lab",
    "Versions that nobody uses",
    "Superseded versions",
    "Orphans",
    "Ghosts",
    "Account of rows",
]


@pytest.mark.parametrize("make", ALL)
def test_a_report_asks_for_nothing_but_itself_and_complains_of_nothing(
    open_page: Opener, make: Callable[[], CostReport]
) -> None:
    opened = open_page(html_report(make()))
    assert [url for url in opened.requested if url != opened.page.url] == []
    assert opened.complaints == []


def test_a_reader_meets_the_parts_in_their_order(open_page: Opener) -> None:
    page = open_page(html_report(full_report())).page
    assert page.locator("h2").all_inner_texts() == TITLES
    assert page.locator("h1").inner_text() == "What the image replicas cost"
    first = page.locator(".figures .first dd").inner_text()
    assert first == "4,339.61 USD"


def test_charts_are_drawn_and_named(open_page: Opener) -> None:
    page = open_page(html_report(two_currencies())).page
    charts = page.get_by_role("img")
    assert charts.count() == 3
    for chart in charts.all():
        assert chart.is_visible()
        box = chart.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 100
        for bar in chart.locator("rect").all():
            drawn = bar.bounding_box()
            assert drawn is not None
            assert drawn["y"] >= box["y"] - 1
            assert drawn["y"] + drawn["height"] <= box["y"] + box["height"] + 1
            assert drawn["x"] + drawn["width"] <= box["x"] + box["width"] + 1
    assert page.get_by_role("img", name="Cost of each month in EUR").count() == 1
    assert page.get_by_role("img", name="Cost of each month in USD").count() == 1


def test_light_and_dark_have_colours_of_their_own(open_page: Opener) -> None:
    html = html_report(full_report())
    # Of the page, of its text, of a bar: each must be told from what lies under it.
    colours = """() => [
        getComputedStyle(document.body).backgroundColor,
        getComputedStyle(document.body).color,
        getComputedStyle(document.querySelector('.months .color-0 rect')).fill,
        getComputedStyle(document.querySelector('.chart text')).fill,
    ]"""
    light = open_page(html, scheme="light").page.evaluate(colours)
    dark = open_page(html, scheme="dark").page.evaluate(colours)
    assert light[0] == "rgb(255, 255, 255)"
    assert all(one != other for one, other in zip(light, dark, strict=True))
    assert len(set(light)) == len(set(dark)) == 4


def test_paper_is_white_whatever_the_screen_is(open_page: Opener) -> None:
    page = open_page(html_report(full_report()), scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("nav").is_hidden()


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("make", ALL)
def test_a_page_never_scrolls_sideways(
    open_page: Opener, make: Callable[[], CostReport], width: int
) -> None:
    page = open_page(html_report(make()), width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_a_report_prints_with_its_tables(open_page: Opener) -> None:
    page = open_page(html_report(full_report())).page
    printed = page.pdf(format="A4", tagged=True)
    assert printed.startswith(b"%PDF-")
    # The tags name what a reader of the printed file finds in it.
    assert len(re.findall(rb"/S\s*/Table\b", printed)) == page.locator("table").count() == 11
    assert len(re.findall(rb"/S\s*/Caption\b", printed)) >= 11
    page.emulate_media(media="print")
    # A table that is wider than a sheet would be cut: 210 mm less two margins of 14 mm.
    page.set_viewport_size({"width": 687, "height": 1000})
    for table in page.locator("table").all():
        box = table.bounding_box()
        assert box is not None
        assert box["width"] <= 687
    assert page.evaluate("getComputedStyle(document.querySelector('thead')).display") == (
        "table-header-group"
    )


def test_hostile_names_are_text_and_nothing_else(open_page: Opener) -> None:
    opened = open_page(html_report(hostile_report()))
    page = opened.page
    assert page.locator("script").count() == 0
    assert opened.complaints == []
    for part in ("groups", "top", "labs", "budgets", "unused", "superseded", "ghosts", "account"):
        section = page.locator(f"section[aria-labelledby={part}]")
        assert HOSTILE in section.inner_text()
    drawn = page.locator("svg text").all_text_contents()
    assert any(one.startswith("<script>") for one in drawn)


def test_every_link_leads_somewhere_in_the_page(open_page: Opener) -> None:
    page = open_page(html_report(full_report())).page
    targets = [link.get_attribute("href") or "" for link in page.locator("a").all()]
    assert len(targets) > 10
    assert [one for one in targets if page.locator(one).count() != 1] == []
