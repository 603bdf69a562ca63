"""Charts of the overview: the last day, hour by hour."""

from collections.abc import Iterable

from dashboard.i18n.words import Words
from dashboard.views.bars import Chart, Place, chart
from dashboard.views.overview import Hour
from replication.listing.job_rows import TIME_CLASSES_S

_EVERY = 4


def throughput(hours: Iterable[Hour], words: Words) -> Chart:
    """Draw how many copies became usable in each hour."""
    places = [
        Place(
            label=_label(hour),
            value=hour.copies,
            told=words.text("bar_copies", hour=_label(hour), n=hour.copies),
        )
        for hour in hours
    ]
    return chart(places, every=_EVERY)


def time_to_available(hours: Iterable[Hour], words: Words) -> Chart:
    """Draw the class of the middle copy's time; a class is about twice the one before."""
    places = [
        Place(
            label=_label(hour),
            value=hour.median_class,
            told=words.text("bar_median", hour=_label(hour), time=median_text(hour, words)),
        )
        for hour in hours
    ]
    return chart(places, every=_EVERY, top=len(TIME_CLASSES_S) + 1, top_told=words.text("over_day"))


def median_text(hour: Hour, words: Words) -> str:
    """Say how long the middle copy of an hour took."""
    if hour.median_class_s is None:
        return words.text("over_day")
    return words.text("at_most", time=words.duration(hour.median_class_s))


def _label(hour: Hour) -> str:
    return f"{hour.hour:%H}"
