"""Charts are drawings and words: no script, no style, no address, whatever names they show."""

import re
from dataclasses import replace
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest

from costs.report.html.charts import MOST_BUDGETS, MOST_PERCENT, Chart, budget_chart, month_chart
from tests.support.costs.html_facts import budget, month
from tests.support.costs.html_reports import HOSTILE, full_report

SVG = "{http://www.w3.org/2000/svg}"
REPORT = full_report()
FORECAST = REPORT.forecasts[0]


def drawn(chart: Chart | None) -> ET.Element:
    assert chart is not None
    return ET.fromstring(chart.svg)  # noqa: S314 - made by ourselves


def bars(root: ET.Element) -> list[tuple[str, float, float]]:
    """Return what each bar tells, with its width and height."""
    found = []
    for group in root.iter(f"{SVG}g"):
        rect = group.find(f"{SVG}rect")
        if rect is not None:
            told = group.findtext(f"{SVG}title", "")
            found.append((told, float(rect.attrib["width"]), float(rect.attrib["height"])))
    return found


def texts(root: ET.Element) -> list[str]:
    return [node.text or "" for node in root.iter(f"{SVG}text")]


def test_a_month_has_its_storage_its_transfer_and_its_forecast() -> None:
    chart = month_chart("c", REPORT.months, FORECAST)
    root = drawn(chart)
    assert [told for told, _, _ in bars(root)] == [
        "2026-09, storage: 1,340.10 USD",
        "2026-10, storage: 1,536.33 USD",
        "2026-11, storage: 1,251.10 USD",
        "2026-09, transfer: 88.20 USD",
        "2026-10, transfer: 65.68 USD",
        "2026-11, transfer: 58.20 USD",
        "2026-11, forecast for the rest: 613.80 USD",
        "2026-12, forecast: 1,841.41 USD",
    ]
    assert chart is not None
    assert chart.series == (0, 1, 2)
    assert texts(root) == [
        *("0", "400", "800", "1,200", "1,600", "2,000"),
        *("2026-09", "2026-10", "2026-11", "2026-12"),
    ]


def test_bars_are_as_long_as_their_amounts() -> None:
    found = {told.split(":")[0]: height for told, _, height in bars(drawn(chart_of_months()))}
    ratio = found["2026-09, storage"] / found["2026-12, forecast"]
    assert ratio == pytest.approx(1340.10 / 1841.41, rel=1e-6)


def chart_of_months() -> Chart | None:
    return month_chart("c", REPORT.months, FORECAST)


def test_a_chart_is_named_for_those_who_do_not_see_it() -> None:
    root = drawn(month_chart("months-usd", REPORT.months, FORECAST))
    assert (root.get("role"), root.get("id")) == ("img", "months-usd")
    assert root.get("aria-labelledby") == "months-usd-title months-usd-told"
    title, told = root[0], root[1]
    assert (title.get("id"), title.text) == ("months-usd-title", "Cost of each month in USD")
    assert (told.get("id"), (told.text or "")[:7]) == ("months-usd-told", "Bars of")


@pytest.mark.parametrize(
    "chart", [chart_of_months(), budget_chart("b", REPORT.budgets)], ids=["months", "budgets"]
)
def test_a_chart_brings_nothing_but_lines_bars_and_words(chart: Chart | None) -> None:
    assert chart is not None
    tags = {node.tag.removeprefix(SVG) for node in ET.fromstring(chart.svg).iter()}  # noqa: S314
    assert tags == {"svg", "g", "path", "rect", "text", "title", "desc"}
    addresses = re.findall(r"https?://[^\"'< ]+", chart.svg)
    assert addresses == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"style=|<!--|<\?|\bon\w+=", chart.svg)


def test_the_same_report_draws_the_same_chart() -> None:
    assert chart_of_months() == chart_of_months()


def test_what_has_no_price_is_not_drawn() -> None:
    unknown = month("2026-11", None, None, per_day=None)
    assert month_chart("c", [unknown], None) is None
    assert month_chart("c", [], None) is None
    assert month_chart("c", [month("2026-11", "0", "0", per_day="0")], None) is None
    half = month_chart("c", [month("2026-11", "10", None, per_day="1")], None)
    assert half is not None
    assert half.series == (0,)


def test_a_month_of_which_nothing_is_known_keeps_its_place() -> None:
    chart = month_chart("c", [REPORT.months[0], REPORT.months[2]], None)
    assert [one for one in texts(drawn(chart)) if "-" in one] == ["2026-09", "2026-10", "2026-11"]
    assert [told.split(":")[0] for told, _, _ in bars(drawn(chart))] == [
        "2026-09, storage",
        "2026-11, storage",
        "2026-09, transfer",
        "2026-11, transfer",
    ]


def test_a_forecast_alone_is_drawn_and_after_december_comes_january() -> None:
    december = replace(FORECAST, month="2026-12")
    assert [told for told, _, _ in bars(drawn(month_chart("c", [], december)))] == [
        "2026-12, forecast for the rest: 613.80 USD",
        "2027-01, forecast: 1,841.41 USD",
    ]


@pytest.mark.parametrize("highest", ["0.00000004", "0.031", "9.99", "10", "101", "7654321.5"])
def test_axes_have_round_figures_up_to_the_highest_bar(highest: str) -> None:
    root = drawn(month_chart("c", [month("2026-11", highest, "0", per_day="1")], None))
    ticks = [Decimal(one.replace(",", "")) for one in texts(root) if "-" not in one]
    assert 3 <= len(ticks) <= 6
    assert ticks[0] == 0
    assert ticks[-2] < Decimal(highest) <= ticks[-1]
    assert max(len(one.normalize().as_tuple().digits) for one in ticks) <= 3


def test_many_months_leave_labels_out() -> None:
    months = [
        month(f"{2024 + number // 12}-{number % 12 + 1:02}", "10", "0", per_day="1")
        for number in range(36)
    ]
    chart = month_chart("c", months, None)
    assert chart is not None
    assert chart.width_px == 1000
    shown = [one for one in texts(drawn(chart)) if "-" in one]
    assert 8 <= len(shown) <= 14


def test_budgets_are_drawn_as_percents_of_their_limits() -> None:
    root = drawn(budget_chart("b", REPORT.budgets))
    assert [told for told, _, _ in bars(root)] == [
        "Each gallery, pilot-gallery: 91.53 USD of 600.00 USD spent",
        "Each gallery, physics-gallery: 201.80 USD of 600.00 USD spent",
        "Each gallery, computing-gallery: 404.55 USD of 600.00 USD spent",
        "All galleries: 1,309.30 USD of 2,400.00 USD spent",
        "Each gallery, biology-gallery: 611.42 USD of 600.00 USD spent",
        "Each gallery, pilot-gallery: 130.53 USD of 600.00 USD expected",
        "Each gallery, physics-gallery: 285.40 USD of 600.00 USD expected",
        "Each gallery, computing-gallery: 613.05 USD of 600.00 USD expected",
        "Each gallery, biology-gallery: 894.12 USD of 600.00 USD expected",
        "All galleries: 1,923.10 USD of 2,400.00 USD expected",
    ]
    assert texts(root)[-4:] == ["0 %", "50 %", "100 %", "150 %"]
    assert texts(root)[:2] == ["pilot-gallery", "physics-gallery"]


def test_a_budget_far_over_its_limit_does_not_flatten_the_others() -> None:
    far = budget("far", "1", "90000", "90000")
    near = budget("near", "100", str(MOST_PERCENT), str(MOST_PERCENT))
    root = drawn(budget_chart("b", [far, near]))
    (one, first, _), (other, second, _) = bars(root)
    assert (one, other) == (
        "near: 200.00 USD of 100.00 USD spent",
        "far: 90,000.00 USD of 1.00 USD spent",
    )
    assert first == second
    assert texts(root)[-1] == "200 %"


def test_budgets_without_a_limit_are_left_to_the_table() -> None:
    assert budget_chart("b", [budget("none", "0", "1", "2")]) is None
    assert budget_chart("b", []) is None


def test_of_many_budgets_the_fullest_are_drawn() -> None:
    many = [
        budget("each", "100", f"{number}", f"{number}", gallery=f"g{number:02}")
        for number in range(MOST_BUDGETS + 5)
    ]
    shown = texts(drawn(budget_chart("b", many)))[:MOST_BUDGETS]
    assert shown == [f"g{number:02}" for number in range(5, MOST_BUDGETS + 5)]


def test_budgets_of_one_gallery_are_told_apart() -> None:
    two = [budget("soft", "10", "1", "1", gallery="g"), budget("hard", "20", "1", "1", gallery="g")]
    assert texts(drawn(budget_chart("b", two)))[:2] == ["hard, g", "soft, g"]


def test_names_are_text_in_a_drawing_and_long_ones_are_cut() -> None:
    chart = budget_chart("b", [budget(HOSTILE, "10", "1", "1"), budget("n" * 99, "10", "1", "1")])
    assert chart is not None
    assert "<script" not in chart.svg
    assert texts(drawn(chart))[:2] == ["n" * 25 + "…", HOSTILE]
