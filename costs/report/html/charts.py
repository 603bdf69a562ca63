"""Charts as static SVG to stand inside a page: no script and no style of their own.

The page's style sheet gives the colours, so that they follow its light and dark. pygal draws with
binary fractions, which decide nothing but how long a bar is: every figure that can be read in a
chart is made from the Decimal.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

import pygal  # type: ignore[import-untyped] # has no types
from pygal.style import Style  # type: ignore[import-untyped] # likewise

from costs.report.html.words import in_currency
from costs.report.maths import BudgetState, BudgetUse, Forecast, MonthGrowth

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# What a bar of a budget may come to before it is cut, so that one does not flatten the others.
MOST_PERCENT = 200
MOST_BUDGETS = 20
_FULL_PERCENT = 100
_STEP_PERCENT = 50
_PERCENTS = range(0, MOST_PERCENT + 1, _STEP_PERCENT)
_LONGEST_NAME = 26
_BUDGET_WIDTH = 460
_MOST_STEPS = 5
_MOST_MONTH_LABELS = 14
# The share of its place that a bar fills.
_FILLED = 0.62
_FONT_PX = 13
# Lines, bars and labels: not pygal's own style and script, nor what only the script shows.
_KEPT_TAGS = frozenset({"g", "path", "rect", "text"})
_DROPPED_CLASSES = frozenset({"tooltip-overlay", "text-overlay", "overlay", "background"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing of its own `width_px`, and which of the series in its legend it shows."""

    svg: str
    width_px: int
    series: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bar:
    """One part of a bar: how long it is drawn, and what is told of it."""

    length: Decimal
    sentence: str


type _Series = list[_Bar | None]


def month_chart(
    chart_id: str, months: Sequence[MonthGrowth], forecast: Forecast | None
) -> Chart | None:
    """Draw the months of one currency: storage, transfer, and what is forecast.

    None where nothing has a price.
    """
    known = {one.month: one for one in months}
    labels = _months_between(known, forecast)
    drawn = [known.get(label) for label in labels]
    storage: _Series = [
        None if one is None else _bar("storage", one.month, one.storage, one.currency)
        for one in drawn
    ]
    transfer: _Series = [
        None if one is None else _bar("transfer", one.month, one.egress, one.currency)
        for one in drawn
    ]
    ahead: _Series = [
        None if forecast is None else _forecast_bar(label, forecast) for label in labels
    ]
    series = [storage, transfer, ahead]
    if not any(part for parts in series for part in parts):
        return None
    currency = months[0].currency if months else forecast.currency if forecast else ""
    chart = pygal.StackedBar(**_settings(width=_width(len(labels)), height=280))
    chart.x_labels = labels
    if len(labels) > _MOST_MONTH_LABELS:
        chart.x_labels_major_every = -(-len(labels) // _MOST_MONTH_LABELS)
        chart.show_minor_x_labels = False
    highest = max(
        sum((part.length for part in parts if part), start=Decimal(0))
        for parts in zip(*series, strict=True)
    )
    _scale(chart, _ticks(highest))
    return _drawn(
        chart,
        series,
        chart_id=chart_id,
        title=f"Cost of each month in {currency}",
        sentence=f"Bars of storage, transfer and forecast from {labels[0]} to {labels[-1]}; "
        "the table beside has every figure.",
    )


def budget_chart(chart_id: str, budgets: Sequence[BudgetUse]) -> Chart | None:
    """Draw the fullest budgets, as percents of their limits; None where no limit is over zero."""
    measured = [one for one in budgets if one.limit > 0]
    if len(measured) > MOST_BUDGETS:
        measured = sorted(measured, key=lambda one: one.expected / one.limit, reverse=True)
        measured = measured[:MOST_BUDGETS]
    if not measured:
        return None
    within: _Series = []
    over: _Series = []
    ahead: _Series = []
    # pygal draws the first at the bottom.
    for one in reversed(measured):
        spent = min(_percent(one.actual, one.limit), Decimal(MOST_PERCENT))
        expected = min(_percent(one.expected, one.limit), Decimal(MOST_PERCENT))
        name, limit = budget_name(one), in_currency(one.limit, one.currency)
        bar = _Bar(
            length=spent,
            sentence=f"{name}: {in_currency(one.actual, one.currency)} of {limit} spent",
        )
        is_over = one.state is BudgetState.OVER
        within.append(None if is_over or not spent else bar)
        over.append(bar if is_over else None)
        ahead.append(
            _Bar(
                length=expected - spent,
                sentence=f"{name}: {in_currency(one.expected, one.currency)} of {limit} expected",
            )
            if expected > spent
            else None
        )
    fullest = max(max(one.actual, one.expected) * 100 / one.limit for one in measured)
    names = [one.gallery or one.budget for one in measured]
    if len(set(names)) < len(names):
        names = [budget_name(one) for one in measured]
    chart = pygal.HorizontalStackedBar(
        **_settings(width=_BUDGET_WIDTH, height=44 + 34 * len(measured), margin_right=24)
    )
    chart.x_labels = [_shortened(one) for one in reversed(names)]
    ticks = [one for one in _PERCENTS if one <= _FULL_PERCENT or one < fullest + _STEP_PERCENT]
    _scale(chart, [Decimal(one) for one in ticks], " %")
    chart.y_labels_major = [_FULL_PERCENT]
    return _drawn(
        chart,
        [within, over, ahead],
        chart_id=chart_id,
        title=f"Budgets of {measured[0].month} against what is spent and expected",
        sentence="Bars in percent of each limit; the table beside has every figure.",
    )


def budget_name(one: BudgetUse) -> str:
    """Return what a budget, or its part for one gallery, is called."""
    return one.budget if one.gallery is None else f"{one.budget}, {one.gallery}"


def _settings(*, width: int, height: int, **more: Any) -> dict[str, Any]:
    style = Style(
        font_family="sans-serif",
        label_font_size=_FONT_PX,
        major_label_font_size=_FONT_PX,
    )
    return {
        "width": width,
        "height": height,
        "style": style,
        "css": (),
        "js": (),
        "disable_xml_declaration": True,
        "show_legend": False,
        "margin": 6,
        "truncate_label": -1,
        **more,
    }


def _scale(chart: Any, ticks: Sequence[Decimal], unit: str = "") -> None:
    chart.y_labels = [
        {"value": float(one), "label": f"{one.normalize():,f}{unit}"} for one in ticks
    ]
    chart.range = (0, float(ticks[-1]))


def _drawn(
    chart: Any, series: Sequence[_Series], *, chart_id: str, title: str, sentence: str
) -> Chart:
    for number, parts in enumerate(series):
        chart.add(
            f"{number}",
            [
                None if one is None else {"value": float(one.length), "label": one.sentence}
                for one in parts
            ],
        )

    def clean(root: "Element") -> "Element":
        _clean(root)
        _describe(root, chart_id, title, sentence)
        return root

    chart.add_xml_filter(clean)
    shown = tuple(number for number, parts in enumerate(series) if any(parts))
    return Chart(svg=chart.render(), width_px=chart.config.width, series=shown)


def _clean(node: "Element") -> None:
    """Leave lines, bars and labels; a bar tells its figure as a title, which needs no script."""
    for child in list(node):
        if _is_dropped(child):
            node.remove(child)
        elif "bar" in child.get("class", "").split():
            _clean_bar(node, child)
        else:
            _clean(child)


def _is_dropped(node: "Element") -> bool:
    # The titles of the axes repeat, with other digits, what stands at them. A comment's tag is no
    # text.
    classes = node.get("class", "").split()
    return str(node.tag) not in _KEPT_TAGS or not _DROPPED_CLASSES.isdisjoint(classes)


def _clean_bar(series: "Element", bar: "Element") -> None:
    rect = next(child for child in bar if child.tag == "rect")
    sentence = next((child.text for child in bar if child.get("class") == "label"), None)
    if sentence is None or not float(rect.get("width", "0")) or not float(rect.get("height", "0")):
        series.remove(bar)  # pygal draws what there is none of as a bar without length
        return
    for child in list(bar):
        bar.remove(child)
    bar.append(_text_node(bar, "title", sentence))
    rect.set("class", "rect")
    bar.append(rect)


def _describe(root: "Element", chart_id: str, title: str, sentence: str) -> None:
    names = f"{chart_id}-title", f"{chart_id}-told"
    root.set("id", chart_id)
    root.set("class", "chart")
    root.set("role", "img")
    root.set("aria-labelledby", " ".join(names))
    for place, (tag, name, words) in enumerate(
        (("title", names[0], title), ("desc", names[1], sentence))
    ):
        node = _text_node(root, tag, words)
        node.set("id", name)
        root.insert(place, node)
    plot = next(node for node in root.iter() if "graph" in node.get("class", "").split())
    side, place_of = ("height", "y") if "horizontal" in plot.get("class", "") else ("width", "x")
    for rect in root.iter("rect"):
        length = float(rect.get(side, "0"))
        rect.set(place_of, f"{float(rect.get(place_of, '0')) + length * (1 - _FILLED) / 2:.2f}")
        rect.set(side, f"{length * _FILLED:.2f}")


def _text_node(beside: "Element", tag: str, words: str) -> "Element":
    node = beside.makeelement(tag, {})
    node.text = words
    return node


def _bar(what: str, month: str, amount: Decimal | None, currency: str) -> _Bar | None:
    if amount is None or amount <= 0:
        return None
    return _Bar(length=amount, sentence=f"{month}, {what}: {in_currency(amount, currency)}")


def _forecast_bar(month: str, forecast: Forecast) -> _Bar | None:
    if month == forecast.month:
        rest = forecast.month_total - forecast.so_far
        return _bar("forecast for the rest", month, rest, forecast.currency)
    if month == _next_month(forecast.month):
        return _bar("forecast", month, forecast.next_month, forecast.currency)
    return None


def _months_between(known: Iterable[str], forecast: Forecast | None) -> list[str]:
    """Return all months in order: one of which nothing is known keeps its place."""
    ends = [*known, *([forecast.month, _next_month(forecast.month)] if forecast else [])]
    months = [min(ends)] if ends else []
    while months and months[-1] < max(ends):
        months.append(_next_month(months[-1]))
    return months


def _percent(part: Decimal, whole: Decimal) -> Decimal:
    return part * 100 / whole


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _width(bars: int) -> int:
    return min(1000, max(424, 120 + 76 * bars))


def _next_month(month: str) -> str:
    year, number = (int(part) for part in month.split("-"))
    return f"{year + number // 12:04}-{number % 12 + 1:02}"


def _ticks(highest: Decimal) -> list[Decimal]:
    """Return three to five round figures from zero to the first that is not below the highest."""
    power = Decimal(1).scaleb(highest.adjusted() - 1)
    steps = (power * one for one in (2, 4, 5, 10, 20, 25))
    step = next(one for one in steps if one * _MOST_STEPS >= highest)
    count = int((highest / step).to_integral_value(ROUND_CEILING))
    return [step * number for number in range(count + 1)]
