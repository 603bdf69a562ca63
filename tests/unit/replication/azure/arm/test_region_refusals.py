"""Which regions a refusal is about, in the sentences of Azure and of companies' policies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.azure.arm.errors import classify
from replication.azure.arm.region_refusals import named_regions
from replication.domain.errors import ConflictError, FailureCode, PermanentError
from replication.domain.regions import Region, RegionRefusedError
from tests.support.arm.refusals import refused
from tests.support.builders import US_NEIGHBOURS, version_id

ASKED_FOR = tuple(Region(name) for name in ("eastus", *US_NEIGHBOURS))
POLICY = (
    "Resource '1.0.0' was disallowed by policy. Policy identifiers: '[{\"policyAssignment\":"
    '{"name":"Images in West US only","id":"/providers/Microsoft.Management/managementGroups/corp'
    "/providers/Microsoft.Authorization/policyAssignments/img-westus3\"}}]'."
)
NO_PROVIDER = (
    "No registered resource provider found for location '{location}' and API version '{version}' "
    "for type 'galleries/images/versions'. The supported api-versions are '2024-03-03, "
    "2025-03-03'. The supported locations are 'eastus, westus, westus2'."
)
DISPLAY_NAMES = {
    "centralus": "Central US",
    "eastus": "East US",
    "eastus2": "East US 2",
    "northcentralus": "North Central US",
    "southcentralus": "South Central US",
    "westcentralus": "West Central US",
    "westus": "West US",
    "westus2": "West US 2",
    "westus3": "West US 3",
}


@pytest.mark.parametrize(
    ("status", "code", "said", "expected", "regions"),
    [
        (
            400,
            "InvalidParameter",
            (
                "Cannot specify westus3 in target regions because the subscription is missing "
                "required feature Microsoft.Compute/EastUS2. Either register your subscription "
                "with the required feature or remove the region from the target region list."
            ),
            FailureCode.REGION_UNAVAILABLE,
            {"westus3"},
        ),
        (
            400,
            "NoRegisteredProviderFound",
            NO_PROVIDER.format(location="westus3", version="2025-03-03"),
            FailureCode.REGION_UNAVAILABLE,
            {"westus3"},
        ),
        (
            400,
            "LocationNotAvailable",
            "westus3 is not available. Supported regions: eastus, eastus2, West US 2.",
            FailureCode.REGION_UNAVAILABLE,
            {"westus3"},
        ),
        (
            400,
            "InvalidParameter",
            "The region 'South Central US' is not available. The available regions are Central US.",
            FailureCode.REGION_UNAVAILABLE,
            {"southcentralus"},
        ),
        (403, "RequestDisallowedByPolicy", POLICY, FailureCode.NOT_AUTHORISED, set()),
        (
            409,
            "OperationNotAllowed",
            "The maximum number of image replicas in West US 2 has been reached.",
            FailureCode.QUOTA_EXCEEDED,
            {"westus2"},
        ),
        (
            400,
            "QuotaExceeded",
            "Quota of snapshots is used up. Location: westus3, Current Limit: 100.",
            FailureCode.QUOTA_EXCEEDED,
            {"westus3"},
        ),
        (
            409,
            "Conflict",
            "The maximum number of image versions has been exceeded.",
            FailureCode.QUOTA_EXCEEDED,
            set(),
        ),
        (
            400,
            "BadRequest",
            "The disk encryption set for region westus is missing.",
            FailureCode.ENCRYPTION_SET_MISSING,
            {"westus"},
        ),
    ],
)
def test_a_refusal_about_a_region_says_which_as_far_as_the_sentence_does(
    status: int, code: str, said: str, expected: FailureCode, regions: set[str]
) -> None:
    meant = classify(refused(status, code, said), about=version_id(), asked_for=ASKED_FOR)
    assert isinstance(meant, RegionRefusedError)
    assert meant.code is expected
    assert {region.name for region in meant.regions} == regions


@pytest.mark.parametrize(
    ("status", "code", "said", "expected"),
    [
        (
            400,
            "NoRegisteredProviderFound",
            NO_PROVIDER.format(location="westus3", version="2030-01-01"),
            FailureCode.INVALID_REQUEST,
        ),
        (
            400,
            "NoRegisteredProviderFound",
            NO_PROVIDER.format(location=" ", version="2025-03-03"),
            FailureCode.INVALID_REQUEST,
        ),
        (403, "AuthorizationFailed", "no right in West US 2", FailureCode.NOT_AUTHORISED),
        (
            400,
            "InvalidParameter",
            "Replication is not possible, size 2520 exceeds the max size 2048 supported.",
            FailureCode.SOURCE_TOO_LARGE,
        ),
    ],
)
def test_a_refusal_about_something_else_is_about_no_region(
    status: int, code: str, said: str, expected: FailureCode
) -> None:
    meant = classify(refused(status, code, said), about=version_id(), asked_for=ASKED_FOR)
    assert type(meant) is PermanentError
    assert meant.code is expected


def test_another_writer_is_no_quota() -> None:
    said = "The request failed due to conflict with a concurrent request."
    meant = classify(refused(409, "Conflict", said), about=version_id(), asked_for=ASKED_FOR)
    assert isinstance(meant, ConflictError)


@given(
    refused_one=st.sampled_from(sorted(DISPLAY_NAMES)),
    offered=st.sets(st.sampled_from(sorted(DISPLAY_NAMES))),
    in_print=st.booleans(),
    sentence=st.sampled_from(
        [
            "The location {name} is not available. List of available regions is '{others}'.",
            "{name} is not available. Supported regions: {others}",
            "Cannot specify {name} in target regions. The supported locations are '{others}'.",
            "At least use a location: '{name}' is not accepting. Allowed regions are {others}.",
        ]
    ),
)
def test_no_region_is_taken_for_another(
    refused_one: str, offered: set[str], *, in_print: bool, sentence: str
) -> None:
    def called(name: str) -> str:
        return DISPLAY_NAMES[name] if in_print else name

    others = ", ".join(called(name) for name in sorted(offered - {refused_one}))
    said = sentence.format(name=called(refused_one), others=others)
    every = [Region(name) for name in DISPLAY_NAMES]
    assert named_regions(said, every) == {Region(refused_one)}
