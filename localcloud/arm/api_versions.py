"""The api-versions that are answered, and the refusals of all others."""

from localcloud.arm.errors import invalid
from localcloud.arm.resource_ids import Kind

GALLERIES = (
    "2018-06-01",
    "2019-03-01",
    "2019-07-01",
    "2019-12-01",
    "2020-09-30",
    "2021-07-01",
    "2021-10-01",
    "2022-01-03",
    "2022-03-03",
    "2022-08-03",
    "2023-07-03",
    "2024-03-03",
    "2025-03-03",
    "2025-12-03",
    "2026-03-03",
)
_RESOURCES = (
    "2014-04-01",
    "2015-01-01",
    "2015-11-01",
    "2016-02-01",
    "2016-06-01",
    "2016-07-01",
    "2016-09-01",
    "2017-05-10",
    "2018-02-01",
    "2018-05-01",
    "2018-06-01",
    "2019-03-01",
    "2019-05-01",
    "2019-05-10",
    "2019-06-01",
    "2019-07-01",
    "2019-08-01",
    "2019-10-01",
    "2019-11-01",
    "2020-01-01",
    "2020-06-01",
    "2020-08-01",
    "2020-10-01",
    "2021-01-01",
    "2021-04-01",
    "2022-01-01",
    "2022-05-01",
    "2022-06-01",
    "2022-09-01",
    "2022-12-01",
    "2023-07-01",
    "2024-03-01",
    "2024-07-01",
    "2024-11-01",
    "2025-04-01",
)
_TYPES = {
    Kind.GALLERIES: "galleries",
    Kind.GALLERY: "galleries",
    Kind.IMAGES: "galleries/images",
    Kind.IMAGE: "galleries/images",
    Kind.VERSIONS: "galleries/images/versions",
    Kind.VERSION: "galleries/images/versions",
    Kind.HIDDEN_VERSIONS: "galleries/softDeletedArtifactTypes/artifacts/versions",
    Kind.HIDDEN_VERSION: "galleries/softDeletedArtifactTypes/artifacts/versions",
    Kind.OPERATION: "locations/capsOperations",
}
_SHOWN = 40


def checked_api_version(given: str | None, kind: Kind) -> str:
    """Return the api-version; raises ArmError 400 if it is missing or nobody answers it."""
    require_api_version(given)
    version = str(given)
    resource_type = _TYPES.get(kind)
    if resource_type is None and version not in _RESOURCES:
        raise invalid(
            f"The api-version '{version[:_SHOWN]}' is invalid. The supported versions are "
            f"'{','.join(reversed(_RESOURCES))}'.",
            code="InvalidApiVersionParameter",
        )
    if resource_type is not None and version not in GALLERIES:
        raise invalid(
            f"No registered resource provider found for API version '{version[:_SHOWN]}' for type "
            f"'{resource_type}'. The supported api-versions are '{', '.join(GALLERIES)}'.",
            code="NoRegisteredProviderFound",
        )
    return version


def require_api_version(given: str | None) -> None:
    """Raise ARM's refusal of a request that names none."""
    if not given:
        raise invalid(
            "The api-version query parameter (?api-version=) is required for all requests.",
            code="MissingApiVersionParameter",
        )
