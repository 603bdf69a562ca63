"""What a 404 is about: the version and its parents, what it was made from, or neither."""

import pytest

from replication.azure.arm.errors import classify
from replication.domain.errors import (
    ConflictError,
    FailureCode,
    GoneError,
    MissingReferenceError,
    PermanentError,
    ReplicationError,
    UnknownAnswerError,
)
from replication.domain.image_version import ImageVersionId
from tests.support.arm.refusals import refused

ID = ImageVersionId(
    subscription_id="11111111-2222-3333-4444-555555555555",
    resource_group="Labs-RG",
    gallery="labs",
    image="win11",
    version="1.0.0",
)
TYPED = "Microsoft.Compute/galleries/labs/images/win11/versions/1.0.0"
OTHER_ID = str(ID).replace("Labs-RG", "Dev-RG")
SOURCES = f"{ID.gallery_id.partition('/galleries')[0]}"
FIX = "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
ABSENT = "ResourceNotFound"


def meant(code: str, said: str, *, status: int = 404) -> ReplicationError:
    return classify(refused(status, code, said), about=ID)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (ABSENT, f"The Resource '{TYPED}' under resource group 'Labs-RG' was not found. {FIX}"),
        (ABSENT, f"The Resource '{TYPED.upper()}' under resource group 'labs-rg' was not found."),
        (ABSENT, "The Resource 'Microsoft.Compute/galleries/labs' was not found."),
        (ABSENT, f"The resource {ID} was not found."),
        ("NotFound", f"Gallery image version {ID} could not be found."),
        (
            "ParentResourceNotFound",
            (
                "Can not perform requested operation on nested resource. Parent resource "
                "'labs/win11' not found."
            ),
        ),
        ("ParentResourceNotFound", "Parent resource 'labs' not found."),
        (
            "ParentResourceNotFound",
            (
                "Failed to perform 'write' on resource(s) of type 'Microsoft.Compute/galleries"
                f"/images/versions', because the parent resource '{ID.gallery_id}/images/win11' "
                "could not be found."
            ),
        ),
        ("ResourceGroupNotFound", "Resource group 'labs-rg' could not be found."),
    ],
)
def test_the_version_is_gone_where_code_and_sentence_say_so(code: str, said: str) -> None:
    assert type(meant(code, said)) is GoneError


@pytest.mark.parametrize("status", [400, 404, 409])
def test_a_version_that_is_marked_for_deletion_is_gone(status: int) -> None:
    said = "Operation 'Update Gallery Image Version' is not on allowed on 1.0.0; since it is "
    assert type(meant("X", f"{said}marked for deletion.", status=status)) is GoneError


def test_a_source_that_is_marked_for_deletion_is_not_the_version() -> None:
    said = f"{SOURCES}/disks/d is marked for deletion."
    assert type(meant("Conflict", said, status=409)) is ConflictError


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "NotFound",
            f"Source was not found: {SOURCES}/images/mi. Please make sure the source exists.",
        ),
        ("BadRequest", "Source was not found: x. Please make sure the source exists."),
        (ABSENT, f"Source was not found: {SOURCES}/images/mi"),
        (
            ABSENT,
            f"The Resource 'Microsoft.Compute/images/mi' under resource group 'Labs-RG' {FIX}",
        ),
        (ABSENT, "The Resource 'Microsoft.Compute/images/labs' under resource group 'labs' …"),
        (ABSENT, f"The Resource 'Microsoft.Compute/virtualMachines/vm' … {FIX}"),
        # A version made from one of the same names in another group, or from a neighbour.
        (ABSENT, f"The Resource '{TYPED}' under resource group 'Dev-RG' was not found. {FIX}"),
        (ABSENT, f"The resource {OTHER_ID} was not found."),
        (ABSENT, f"The Resource '{TYPED}0' under resource group 'Labs-RG' was not found."),
        (ABSENT, "The Resource 'Microsoft.Compute/galleries/labs2' was not found."),
        (
            "ParentResourceNotFound",
            f"the parent resource '{SOURCES}/galleries/other/images/x' could not be found.",
        ),
        ("ResourceGroupNotFound", "Resource group 'templates-rg' could not be found."),
        (ABSENT, "The Resource 'Microsoft.Storage/storageAccounts/vhds' … was not found."),
    ],
)
def test_a_source_that_is_gone_has_a_failure_of_its_own(code: str, said: str) -> None:
    error = meant(code, said)
    assert isinstance(error, MissingReferenceError)
    assert error.code is FailureCode.SOURCE_MISSING
    assert str(error).startswith(f"{code}: ")


def test_a_missing_source_is_told_by_its_sentence_whatever_the_status() -> None:
    said = "Source was not found: x. Please make sure the source exists."
    for status in (400, 404, 409):
        assert type(meant("InvalidParameter", said, status=status)) is MissingReferenceError


@pytest.mark.parametrize(
    "said",
    [
        f"The disk encryption set {SOURCES}/diskEncryptionSets/des was not found.",
        "The Resource 'Microsoft.Compute/diskEncryptionSets/des' under resource group 'x' …",
    ],
)
def test_a_disk_encryption_set_that_is_gone_has_its_own_cause(said: str) -> None:
    error = meant(ABSENT, said)
    assert isinstance(error, MissingReferenceError)
    assert error.code is FailureCode.ENCRYPTION_SET_MISSING


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", ""),
        ("NotFound", "The entity was not found in this Azure location."),
        (ABSENT, "no"),
        ("ResourceGroupNotFound", "It could not be found."),
        ("ParentResourceNotFound", "Parent resource 'server' not found."),
        ("GalleryImageNotFound", f"The gallery image {ID} is not available in eastus region."),
    ],
)
def test_a_404_in_other_words_says_nothing_before_the_next_look(code: str, said: str) -> None:
    assert type(meant(code, said)) is UnknownAnswerError


def test_a_subscription_that_is_not_there_is_a_wrong_request() -> None:
    error = meant("SubscriptionNotFound", "The subscription 'x' could not be found.")
    assert isinstance(error, PermanentError)
    assert error.code is FailureCode.INVALID_REQUEST


def test_a_404_about_no_version_is_a_wrong_request() -> None:
    error = classify(refused(404, ABSENT, f"The Resource '{TYPED}' was not found."))
    assert isinstance(error, PermanentError)
    assert error.code is FailureCode.INVALID_REQUEST
