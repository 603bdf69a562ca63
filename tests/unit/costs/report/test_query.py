"""A report's query is read strictly, and what cannot be meant is named."""

from datetime import date

import pytest

from costs.report.query import Dimension, ReportQuery, days_in_month, read_report_query
from replication.domain.errors import MalformedError

TODAY = date(2026, 11, 23)


def test_unless_told_it_is_this_month_and_the_two_before_by_gallery() -> None:
    assert read_report_query(today=TODAY) == ReportQuery(
        from_day=date(2026, 9, 1), to_day=TODAY, group_by=(Dimension.GALLERY,)
    )
    assert read_report_query(today=date(2026, 1, 31)).from_day == date(2025, 11, 1)


@pytest.mark.parametrize(
    ("from_text", "to_text", "expected"),
    [
        ("2026-11-03", "2026-11-05", (date(2026, 11, 3), date(2026, 11, 5))),
        ("2026-10", "2026-10", (date(2026, 10, 1), date(2026, 10, 31))),
        ("2024-02", "2024-02", (date(2024, 2, 1), date(2024, 2, 29))),
        ("2026-11", None, (date(2026, 11, 1), TODAY)),
        ("2026-11", "2026-11", (date(2026, 11, 1), TODAY)),
        (None, "2026-10", (date(2026, 8, 1), date(2026, 10, 31))),
        (None, "0001-01", (date(1, 1, 1), date(1, 1, 31))),
        ("2026-11-22", "2026-12", (date(2026, 11, 22), TODAY)),
    ],
)
def test_a_day_or_a_month_can_be_named(
    from_text: str | None, to_text: str | None, expected: tuple[date, date]
) -> None:
    query = read_report_query(today=TODAY, from_text=from_text, to_text=to_text)
    assert (query.from_day, query.to_day) == expected


def test_dimensions_may_be_named_together_or_one_by_one() -> None:
    query = read_report_query(today=TODAY, group_by=["Lab, month", "cost-center", "lab"])
    assert query.group_by == (Dimension.LAB, Dimension.MONTH, Dimension.COST_CENTER)
    tags = read_report_query(today=TODAY, group_by=["tag"])
    assert tags.group_by == (Dimension.LAB, Dimension.COST_CENTER)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"from_text": "yesterday"}, "from is 'yesterday'; it is a day such as 2026-11-23"),
        ({"from_text": "2026-02-30"}, "from is '2026-02-30'"),
        ({"to_text": "2026-13"}, "to is '2026-13'"),
        ({"to_text": "\u0662026-10"}, "to is '\u0662026-10'"),
        (
            {"from_text": "9999-12", "to_text": "9999-12"},
            "from is 9999-12-01, and the ledger has no day after today, 2026-11-23",
        ),
        ({"from_text": "2026-11-24"}, "from is 2026-11-24, and the ledger has no day after today"),
        ({"from_text": "2026-11", "to_text": "2026-10"}, "from is 2026-11-01, which is after to,"),
        ({"from_text": "0001-01-01"}, "from 0001-01-01 to 2026-11-23 are more than 1100 days"),
        ({"group_by": ["galery"]}, "group_by is 'galery'; it is one of subscription, gallery,"),
        ({"group_by": ["lab,month,rule,day,region"]}, "group_by names 5; 4 are the most"),
        ({"currency": "dollars"}, "currency is 'dollars'; it is a code of three letters"),
    ],
)
def test_a_wrong_word_is_named(words: dict[str, str], said: str) -> None:
    with pytest.raises(MalformedError) as raised:
        read_report_query(today=TODAY, **words)  # type: ignore[arg-type]  # a table of wrong ones
    assert str(raised.value).startswith(said)


def test_a_month_has_the_days_of_the_calendar() -> None:
    months = [days_in_month(date(2024, month, 15)) for month in range(1, 13)]
    assert months == [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
