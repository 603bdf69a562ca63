"""The list of differences from the recorded host: exact, with reasons, and about known cases."""

from tests.support.localcloud.recorded import case_ids, differences

RECORDINGS = ("routes", "event-grid", "timers", "queue-listener")


def test_each_difference_is_one_of_a_recorded_case() -> None:
    known = {case for name in RECORDINGS for case in case_ids(name)}
    assert set(differences()) <= known


def test_each_difference_has_its_kind_and_a_sentence() -> None:
    for case, difference in differences().items():
        assert difference.kind in {"stricter", "missing"}, case
        assert len(difference.why.split()) >= 4, case
        assert difference.why.endswith("."), case
