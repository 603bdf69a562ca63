"""What each failure code means, and what is decided after an error that may pass."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.domain.errors import FailureCode
from replication.domain.failures import FAILURES, TryLimit
from replication.domain.job import Failure, Phase, ReplicationJob
from replication.domain.limits import Limits
from replication.reconcile.decision import Decision, GiveUp, Retry, Wait
from replication.reconcile.error_decision import decide_on_error
from tests.support.builders import NOON, passing_error
from tests.support.jobs import job
from tests.support.strategies import CHANCES, LIMITS

KINDS = ("throttled", "conflict", "unknown", "failed")
PAST_DEADLINE = NOON + timedelta(days=2)


def after(
    on: ReplicationJob, kind: str, *, limits: Limits | None = None, chance: float = 0.5
) -> Decision:
    return decide_on_error(
        on,
        passing_error(kind, "in Azure's words", code="AzureWord"),
        now=NOON,
        limits=limits or Limits(),
        chance=chance,
    )


def test_every_code_is_explained() -> None:
    assert set(FAILURES) == set(FailureCode)


@pytest.mark.parametrize("code", FailureCode)
def test_an_explanation_is_one_sentence_and_leads_to_the_runbook(code: FailureCode) -> None:
    kind = FAILURES[code]
    assert kind.code is code
    assert kind.sentence[0].isupper()
    assert kind.sentence.endswith(".")
    assert kind.runbook == f"docs/runbook.md#{code.value}"


@pytest.mark.parametrize("code", FailureCode)
def test_what_cannot_be_mended_by_waiting_has_no_budget(code: FailureCode) -> None:
    assert (FAILURES[code].tries is TryLimit.NONE) == (not FAILURES[code].transient)


def test_an_answer_that_nobody_foresaw_is_tried_again_and_capped_sooner() -> None:
    limits = Limits(unknown_max_attempts=2, retry_max_attempts=5)
    decision = after(job(unknown_in_a_row=1), "unknown", limits=limits)
    assert isinstance(decision, Retry)
    assert decision.unknown
    assert decision.reason == "try 2 of 2 failed with AzureWord: in Azure's words"
    decision = after(job(unknown_in_a_row=2), "unknown", limits=limits)
    assert isinstance(decision, GiveUp)
    assert decision.failure == Failure(
        code=FailureCode.UNKNOWN_ANSWER, message="AzureWord: in Azure's words"
    )


def test_an_outage_does_not_use_up_the_tries_for_unknown_answers() -> None:
    limits = Limits(unknown_max_attempts=2, retry_max_attempts=50)
    on = job(failures_in_a_row=20)
    assert isinstance(after(on, "unknown", limits=limits), Retry)
    plain = after(on, "failed", limits=limits)
    assert isinstance(plain, Retry)
    assert not plain.unknown
    # Unknown ones count against the budget of all.
    spent = after(job(failures_in_a_row=50), "unknown", limits=limits)
    assert isinstance(spent, GiveUp)
    assert spent.failure.code is FailureCode.RETRIES_EXHAUSTED


def test_a_conflict_is_never_asked_about_again_at_once() -> None:
    decision = after(job(), "conflict", limits=Limits(tracking_min_s=15), chance=0.0)
    assert isinstance(decision, Wait)
    assert decision.after_s == 15


def test_a_failed_job_keeps_its_cause_when_a_later_look_errs() -> None:
    locked = Failure(code=FailureCode.LOCKED, message="a lock")
    over = job(phase=Phase.FAILED, failure=locked, deadline_at=NOON)
    for kind in KINDS:
        decision = after(over, kind)
        assert isinstance(decision, GiveUp)
        assert decision.failure == locked
        assert decision.reason == ("a lock; another look failed with AzureWord: in Azure's words")


def test_a_failed_job_before_its_deadline_may_still_be_mended() -> None:
    over = job(phase=Phase.FAILED, failure=Failure(code=FailureCode.LOCKED, message="a lock"))
    assert isinstance(after(over, "failed"), Retry)


@given(
    failures=st.integers(min_value=0, max_value=100),
    unknown=st.integers(min_value=0, max_value=100),
    kind=st.sampled_from(KINDS),
    limits=LIMITS,
    chance=CHANCES,
    retry_after_s=st.none() | st.floats(min_value=0, max_value=3600),
    late=st.booleans(),
    phase=st.sampled_from(Phase),
)
def test_every_error_leads_to_a_decision_with_a_reason(
    *,
    failures: int,
    unknown: int,
    kind: str,
    limits: Limits,
    chance: float,
    retry_after_s: float | None,
    late: bool,
    phase: Phase,
) -> None:
    on = replace(job(failures_in_a_row=failures, unknown_in_a_row=unknown), phase=phase)
    decision = decide_on_error(
        on,
        passing_error(kind, "m", code="c", retry_after_s=retry_after_s),
        now=PAST_DEADLINE if late else NOON,
        limits=limits,
        chance=chance,
    )
    assert "c" in decision.reason
    assert isinstance(decision, Retry | Wait | GiveUp)
    if isinstance(decision, Retry | Wait):
        assert decision.after_s >= (retry_after_s or 0)
        assert phase is Phase.FAILED or not late
    elif not late:
        assert kind in ("unknown", "failed")
        spent = failures >= limits.retry_max_attempts
        assert spent or (kind == "unknown" and unknown >= limits.unknown_max_attempts)
