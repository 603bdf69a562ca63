"""The queue listener against the recording of the vendor's."""

from typing import Any

import pytest

from tests.support.localcloud.queue_cases import kinder, played, recorded_row
from tests.support.localcloud.recorded import case_ids, judge, recording

NAME = "queue-listener"


def case_of(case_id: str) -> dict[str, Any]:
    return next(case for case in recording(NAME)["cases"] if case["id"] == case_id)


@pytest.mark.parametrize("case_id", case_ids(NAME))
def test_a_recorded_case_is_answered_as_the_vendor_does(case_id: str) -> None:
    case = case_of(case_id)
    recorded, here = recorded_row(case), played(case)
    judge(case_id, recorded=recorded, here=here, kinder=kinder(here, recorded))
