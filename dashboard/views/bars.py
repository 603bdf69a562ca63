"""Bars of a chart: where they stand; geometry for a template of SVG, no drawing of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 480, 120
_LABEL_HEIGHT = 18
_FILLED = 0.72
# A chart of one value is no wall.
_WIDEST = 64.0
# A bar that is there at all can be seen.
_LEAST = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One value of a chart: what it is called, and what is told of it."""

    label: str
    value: float
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar in the units of the drawing; `label` is empty where it would be too close."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    label: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The bars of a chart, what its full height stands for, and how that is told."""

    bars: tuple[Bar, ...]
    top: float
    top_told: str
    width: int = WIDTH
    height: int = HEIGHT
    base: int = HEIGHT - _LABEL_HEIGHT


def chart(
    places: Sequence[Place], *, every: int = 1, top: float | None = None, top_told: str = ""
) -> Chart:
    """Place the bars; one label in `every` is shown, `top` is the value of the full height."""
    highest = max(top or 0.0, max((one.value for one in places), default=0.0)) or 1.0
    base = HEIGHT - _LABEL_HEIGHT
    step = WIDTH / max(1, len(places))
    width = min(step * _FILLED, _WIDEST)
    bars = []
    for number, place in enumerate(places):
        height = max(_LEAST, place.value / highest * (base - 4)) if place.value > 0 else 0.0
        bars.append(
            Bar(
                x=round(step * (number + 0.5) - width / 2, 1),
                y=round(base - height, 1),
                width=round(width, 1),
                height=round(height, 1),
                middle=round(step * (number + 0.5), 1),
                label=place.label if number % every == 0 else "",
                told=place.told,
            )
        )
    return Chart(bars=tuple(bars), top=highest, top_told=top_told or f"{highest:,.15g}")
