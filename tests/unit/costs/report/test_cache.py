"""Reports are made once for the same files, and anew when they may have something new to say."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from costs.report.cache import ReportCache
from tests.support.builders import NOON

LATER = NOON + timedelta(minutes=9)


def counting(made: list[str], name: str) -> Callable[[], Mapping[str, Any]]:
    def make() -> Mapping[str, Any]:
        made.append(name)
        return {"name": name, "number": len(made)}

    return make


def test_the_same_question_about_the_same_files_is_answered_once() -> None:
    memory, made = ReportCache(), list[str]()
    first = memory.get("a", NOON, counting(made, "a"))
    assert memory.get("a", LATER, counting(made, "a")) is first
    memory.get("b", LATER, counting(made, "b"))
    assert made == ["a", "b"]


def test_a_report_is_made_anew_after_ten_minutes() -> None:
    memory, made = ReportCache(), list[str]()
    memory.get("a", NOON, counting(made, "a"))
    again = memory.get("a", NOON + timedelta(minutes=10), counting(made, "a"))
    assert again["number"] == 2


def test_those_asked_for_last_are_kept() -> None:
    memory, made = ReportCache(), list[str]()
    for number in range(16):
        memory.get(number, NOON, counting(made, str(number)))
    memory.get(0, NOON, counting(made, "0"))
    memory.get(16, NOON, counting(made, "16"))
    del made[:]
    memory.get(0, NOON, counting(made, "0"))
    memory.get(1, NOON, counting(made, "1"))
    assert made == ["1"]


def test_a_report_that_cannot_be_made_is_not_kept() -> None:
    memory, made = ReportCache(), list[str]()

    def fail() -> Mapping[str, Any]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        memory.get("a", NOON, fail)
    assert memory.get("a", NOON, counting(made, "a"))["number"] == 1
