"""What each answer of Resource Manager means; the texts are those that Azure documents."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)

from replication.azure.arm.errors import classify
from replication.domain.errors import (
    ConflictError,
    FailureCode,
    PermanentError,
    ReplicationError,
    ThrottledError,
    ThrottleKind,
    TransientError,
    UnknownAnswerError,
)
from replication.domain.regions import Region, RegionRefusedError
from tests.support.arm.refusals import Response, refused
from tests.support.builders import version_id

VERSION = version_id()
ASKED_FOR = tuple(Region(name) for name in ("eastus", "eastus2", "westus", "westus2"))


def classified(error: HttpResponseError) -> ReplicationError:
    return classify(error, about=VERSION, asked_for=ASKED_FOR)


CONCURRENT = (
    "The request failed due to conflict with a concurrent request. To resolve it, please refer to "
    "https://aka.ms/activitylog to get more details on the conflicting requests."
)
LOCKED = (
    "The scope '/subscriptions/s' cannot perform write operation because following scope(s) are "
    "locked: '/subscriptions/s'. Please remove the lock and try again."
)


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (409, "Conflict", CONCURRENT, ConflictError),
        (409, "", "", ConflictError),
        (412, "PreconditionFailed", "the resource changed", ConflictError),
        (429, "TooManyRequests", "The request is being throttled.", ThrottledError),
        (429, "", "", ThrottledError),
        (401, "ExpiredAuthenticationToken", "The access token expiry …", TransientError),
        (408, "RequestTimeout", "", TransientError),
        (500, "InternalServerError", "", TransientError),
        (502, "", "", TransientError),
        (503, "ServerBusy", "", TransientError),
        (504, "GatewayTimeout", "", TransientError),
    ],
)
def test_answers_that_a_later_try_or_look_deals_with(
    status: int, code: str, message: str, expected: type[ReplicationError]
) -> None:
    meant = classified(refused(status, code, message))
    assert type(meant) is expected


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (409, "ScopeLocked", LOCKED, FailureCode.LOCKED),
        (409, "ReadOnlyDisabledSubscription", "The subscription is disabled", FailureCode.LOCKED),
        (403, "AuthorizationFailed", "The client … does not", FailureCode.NOT_AUTHORISED),
        (403, "RequestDisallowedByPolicy", "by policy", FailureCode.NOT_AUTHORISED),
        (403, "", "", FailureCode.NOT_AUTHORISED),
        (400, "LinkedAuthorizationFailed", "linked", FailureCode.NOT_AUTHORISED),
        (409, "MissingSubscriptionRegistration", "register", FailureCode.INVALID_REQUEST),
        (
            400,
            "InvalidParameter",
            "Duplicate regions are not allowed in target publishing regions.",
            FailureCode.INVALID_REQUEST,
        ),
        (
            400,
            "InvalidParameter",
            (
                "Gallery image version publishing profile regions must contain the location "
                "of image version eastus."
            ),
            FailureCode.INVALID_REQUEST,
        ),
        (
            400,
            "InvalidParameter",
            (
                "The value 200 of parameter replicaCount is out of range. The value must be "
                "between 1 and 100, inclusive."
            ),
            FailureCode.INVALID_REQUEST,
        ),
        (
            400,
            "InvalidParameter",
            "ZRS storage account type is not supported in this region.",
            FailureCode.ZONE_REDUNDANCY_UNSUPPORTED,
        ),
        (
            400,
            "InvalidParameter",
            (
                "Replication is not possible, source resource size 2520 exceeds the max size 2048 "
                "supported."
            ),
            FailureCode.SOURCE_TOO_LARGE,
        ),
        (400, "QuotaExceeded", "You have reached the limit", FailureCode.QUOTA_EXCEEDED),
        (409, "ResourceQuotaExceeded", "too many versions", FailureCode.QUOTA_EXCEEDED),
        (400, "InvalidParameter", "The value is out of range.", FailureCode.INVALID_REQUEST),
        (
            400,
            "BadRequest",
            "The disk encryption set for region westus is missing.",
            FailureCode.ENCRYPTION_SET_MISSING,
        ),
        (
            409,
            "OperationNotAllowed",
            "Operation results in exceeding quota limits of snapshots.",
            FailureCode.QUOTA_EXCEEDED,
        ),
        (
            400,
            "LocationNotAvailableForResourceType",
            (
                "The provided location 'mars' is not available for resource type "
                "'Microsoft.Compute/galleries'."
            ),
            FailureCode.REGION_UNAVAILABLE,
        ),
    ],
)
def test_answers_that_need_a_person(
    status: int, code: str, message: str, expected: FailureCode
) -> None:
    meant = classified(refused(status, code, message))
    assert isinstance(meant, PermanentError)
    assert meant.code is expected


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [(400, "", ""), (400, "SomethingNew", "in words of next year"), (418, "Teapot", "short")],
)
def test_a_refusal_that_nobody_foresaw_may_pass_and_shows_the_words_of_azure(
    status: int, code: str, said: str
) -> None:
    meant = classified(refused(status, code, said))
    assert type(meant) is UnknownAnswerError
    assert meant.code == (code or "unknown")
    assert code in str(meant)
    assert said in str(meant)


def test_a_list_that_lacks_a_region_by_now_is_a_conflict_with_another_writer() -> None:
    said = (
        "Complete set of target locations not specified while updating gallery artifact. "
        "Deletion of previously replicated locations is not allowed"
    )
    assert type(classified(refused(400, "BadRequest", said))) is ConflictError


@pytest.mark.parametrize(
    ("status", "code", "said", "kind"),
    [
        (429, "SubscriptionRequestsThrottled", "writes", ThrottleKind.OPERATION),
        (429, "TooManyRequests", "", ThrottleKind.OPERATION),
        (429, "OperationNotAllowed", "The server rejected the request", ThrottleKind.OPERATION),
        (429, "TenantRequestsThrottled", "", ThrottleKind.SUBSCRIPTION),
        (400, "BadRequest", "Too many requests on source.", ThrottleKind.GALLERY),
    ],
)
def test_a_pause_names_what_it_is_about(
    status: int, code: str, said: str, kind: ThrottleKind
) -> None:
    meant = classified(refused(status, code, said))
    assert isinstance(meant, ThrottledError)
    assert meant.kind is kind


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            (
                "The provided location eastus2 is not available for resource type "
                "'Microsoft.Compute/galleries'. List of available regions for the resource type is "
                "'eastus,westus'."
            ),
            {"eastus2"},
        ),
        ("The location 'East US' is not available for this subscription.", {"eastus"}),
        ("West US 2 and East US 2 are not available.", {"westus2", "eastus2"}),
        ("Subscription s does not have access to eastus or eastus2", {"eastus", "eastus2"}),
        ("westus is not accepting new customers", {"westus"}),
    ],
)
def test_a_refusal_of_regions_names_exactly_those(said: str, expected: set[str]) -> None:
    meant = classified(refused(400, "LocationNotAvailableForResourceType", said))
    assert isinstance(meant, RegionRefusedError)
    assert {region.name for region in meant.regions} == expected
    assert meant.code is FailureCode.REGION_UNAVAILABLE


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "17"}, 17.0),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"retry-after-ms": "1500", "Retry-After": "17"}, 1.5),
        ({"x-ms-retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "soon", "Retry-After": "17"}, 17.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, 86400.0),
        ({"Retry-After": "99999999999999"}, 86400.0),
        ({"Retry-After": format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True)}, 0.0),
        ({}, None),
    ],
)
def test_the_pause_asked_for_is_read_in_every_unit_and_bounded(
    headers: dict[str, str], expected: float | None
) -> None:
    meant = classified(refused(429, "TooManyRequests", headers=headers))
    assert isinstance(meant, ThrottledError)
    assert meant.retry_after_s == expected


def test_a_pause_may_be_given_as_a_date() -> None:
    at = datetime.now(UTC) + timedelta(seconds=600)
    headers = {"Retry-After": format_datetime(at, usegmt=True)}
    meant = classified(refused(503, "ServerBusy", headers=headers))
    assert isinstance(meant, TransientError)
    assert meant.retry_after_s is not None
    assert 500 < meant.retry_after_s <= 600


def test_a_conflict_keeps_its_code_and_its_pause() -> None:
    meant = classified(refused(409, "Conflict", CONCURRENT, headers={"Retry-After": "9"}))
    assert isinstance(meant, ConflictError)
    assert (meant.code, meant.retry_after_s) == ("Conflict", 9.0)
    assert "concurrent request" in str(meant)


@pytest.mark.parametrize(
    "error",
    [
        ServiceRequestError("no route"),
        ServiceResponseTimeoutError("too slow"),
        IncompleteReadError("cut off"),
        ClientAuthenticationError("no token: the identity endpoint does not answer"),
    ],
)
def test_no_answer_at_all_is_worth_another_try(error: ServiceRequestError) -> None:
    meant = classify(error)
    assert type(meant) is TransientError
    assert meant.code == "unreachable"


def test_a_yes_that_cannot_be_read_is_worth_another_look() -> None:
    response = Response(status_code=200, body="<html>")
    error = DecodeError("bad JSON", response=response)
    meant = classify(error)
    assert type(meant) is TransientError
    assert meant.code == "not_json"


def test_long_words_of_azure_are_cut_to_what_a_record_can_hold() -> None:
    meant = classified(refused(400, "BadRequest", "so " * 5000))
    assert len(str(meant)) == 600
    assert str(meant).endswith("…")
