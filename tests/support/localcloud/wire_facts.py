"""The table of wire facts: what Resource Manager shows and when, by which source.

A fact is recorded (an exchange with Azure was written down), documented, or inferred. What is
inferred has a switch in the simulator, and `otherwise` is what is shown with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.support.localcloud import wire_looks as looks
from tests.support.localcloud.arm_world import GALLERY, World

CLI = "recordings of the vendor's CLI tests, 2019 to 2026"
SPECS = "examples of the REST specification, 2025-03-03"
SOFT_DELETE = "the vendor's page on soft delete, 2025"
SDK = "models of azure-mgmt-compute 39"
REPORTS = "reports of a team that writes image versions from several pipelines"
NOWHERE = "no source"
NOT = False


class Known(StrEnum):
    """How a fact is known."""

    RECORDED = "recorded"
    DOCUMENTED = "documented"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """A switch of the simulator: the call that has it, its name, and the other position."""

    call: str = "behaviour"
    name: str
    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One row: of which field or answer it is and what it says; `look` drives the simulator."""

    what: str
    says: str
    known: Known
    source: str
    look: Callable[[World], object]
    shown: object
    switch: Switch | None = None
    otherwise: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many calls of an operation a subscription has in 3 and in 30 minutes."""

    operation: str
    calls: tuple[int, int]
    known: Known
    source: str = CLI


def _recorded(what: str, says: str, look: Callable[[World], object], shown: object) -> Fact:
    return Fact(what=what, says=says, known=Known.RECORDED, source=CLI, look=look, shown=shown)


FACTS = (
    _recorded(
        "PUT version", "201, Creating", lambda w: looks.told(looks.put(w)), (201, "Creating")
    ),
    _recorded(
        "PATCH version", "200, Updating", lambda w: looks.told(looks.patch(w)), (200, "Updating")
    ),
    _recorded("DELETE version", "202, no body", lambda w: looks.told(looks.delete(w)), (202, None)),
    _recorded(
        "headers of a write",
        "the operation and Retry-After, no Location",
        lambda w: looks.headers(looks.patch(w)),
        ["Azure-AsyncOperation", "Retry-After"],
    ),
    _recorded(
        "headers of a deletion",
        "Location beside them",
        lambda w: looks.headers(looks.delete(w)),
        ["Azure-AsyncOperation", "Location", "Retry-After"],
    ),
    _recorded(
        "operation under way",
        "keys in this order, Retry-After 60",
        lambda w: looks.poll(w, later_s=0),
        (["startTime", "status", "name"], "60"),
    ),
    _recorded(
        "operation that ended",
        "endTime second, no Retry-After",
        lambda w: looks.poll(w, later_s=looks.LONG_S),
        (["startTime", "endTime", "status", "name"], None),
    ),
    _recorded(
        "operation that failed",
        "error before name, one code for copies",
        looks.failed,
        (
            ["startTime", "endTime", "status", "error", "name"],
            "CrpPirReplicationJobsNotCompleted",
        ),
    ),
    _recorded(
        "version, order of keys",
        "name first, properties last",
        lambda w: list(looks.version(w)),
        ["name", "id", "type", "location", "properties"],
    ),
    _recorded(
        "location, targetRegions[].name",
        "short; display names in the order of the request",
        looks.names,
        ("eastus", ["West US 2", "East US"]),
    ),
    _recorded(
        "publishingProfile.replicaCount, .storageAccountType",
        "always; default 1 and Standard_LRS",
        looks.defaults,
        [1, "Standard_LRS"],
    ),
    _recorded(
        "publishingProfile.publishedDate",
        "seven digits and an offset; no update changes it",
        looks.date_kept,
        (len("1234567+00:00"), True),
    ),
    _recorded(
        "storageProfile.osDiskImage while Creating",
        "without sizeInGB",
        lambda w: looks.os_disk(w, later_s=0),
        ["hostCaching", "source"],
    ),
    _recorded(
        "storageProfile.osDiskImage.sizeInGB",
        "once the version is there",
        lambda w: looks.os_disk(w, later_s=looks.LONG_S),
        ["hostCaching", "sizeInGB", "source"],
    ),
    _recorded(
        "safetyProfile.allowDeletionOfReplicatedLocations",
        "false where unset",
        lambda w: looks.allows_deletion(w, "2026-03-03"),
        NOT,
    ),
    _recorded(
        "safetyProfile",
        "from API version 2022-03-03 on",
        lambda w: looks.allows_deletion(w, "2021-07-01"),
        None,
    ),
    _recorded(
        "tags, etag, systemData",
        "tags where sent; the others never",
        lambda w: sorted({"tags", "etag", "systemData"} & set(looks.version(w))),
        [],
    ),
    _recorded(
        "replicationStatus.summary[].details",
        "from API version 2020-09-30 on, empty where Completed",
        looks.details,
        (None, ""),
    ),
    _recorded(
        "gallery and definition writes",
        "Creating or Updating, with an operation that soon ends",
        looks.written,
        [((200, "Updating"), "Succeeded")] * 2,
    ),
    _recorded(
        "resource group in ids",
        "as created; in lists in capitals",
        looks.listed_group,
        ("Labs-RG", "LABS-RG"),
    ),
    _recorded(
        "white space", "single answers indented, lists compact", looks.line_ends, (True, True)
    ),
    _recorded(
        "an unknown group",
        "404 of its own code",
        looks.unknown_group,
        (404, "ResourceGroupNotFound"),
    ),
    _recorded(
        "undeleting PUT",
        "200, Updating",
        lambda w: looks.told(looks.restored(w)),
        (200, "Updating"),
    ),
    Fact(
        what="softDeletePolicy.retentionPeriodInDays",
        says="7 where only the switch is sent",
        known=Known.DOCUMENTED,
        source=SOFT_DELETE,
        look=lambda w: looks.hiding(w).get(GALLERY)["properties"]["softDeletePolicy"],
        shown={"isSoftDeleteEnabled": True, "retentionPeriodInDays": 7},
    ),
    Fact(
        what="a hidden version in its list",
        says="keys in this order",
        known=Known.DOCUMENTED,
        source=SPECS,
        look=lambda w: list(looks.first(looks.hidden(w), looks.HIDDEN)),
        shown=["name", "id", "type", "location", "properties"],
    ),
    Fact(
        what="consumptionEndTime, hardDeletionTargetTime",
        says="in the list of hidden versions, from API version 2026-03-03 on",
        known=Known.DOCUMENTED,
        source=SDK,
        look=lambda w: sorted(looks.first(looks.hidden(w), looks.HIDDEN)["properties"])[:2],
        shown=["consumptionEndTime", "hardDeletionTargetTime"],
    ),
    Fact(
        what="replicationStatus.summary[].region",
        says="short; display names in the documentation",
        known=Known.RECORDED,
        source=CLI,
        look=looks.summary,
        shown=["westus2"],
        switch=Switch(name="summary_region_names", value="display"),
        otherwise=["West US 2"],
    ),
    *(
        Fact(
            what="a second write while Updating",
            says="accepted, the last one wins; or refused, or lost",
            known=Known.INFERRED,
            source=REPORTS,
            look=looks.second_write,
            shown=(200, 3),
            switch=Switch(name="concurrent_write", value=value),
            otherwise=otherwise,
        )
        for value, otherwise in (("conflict", (409, 2)), ("lose", (200, 2)))
    ),
    Fact(
        what="a list without a region that is held",
        says="refused unless the safety profile allows it; seen for application versions only",
        known=Known.INFERRED,
        source="an issue of a Terraform provider",
        look=looks.dropping,
        shown=400,
        switch=Switch(name="refuse_region_removal", value=False),
        otherwise=200,
    ),
    *(
        Fact(
            what="events of a write",
            says="when it is accepted, at its end, or both",
            known=Known.INFERRED,
            source=NOWHERE,
            look=looks.events_of_a_write,
            shown=(1, 2),
            switch=Switch(call="events", name="when", value=value),
            otherwise=otherwise,
        )
        for value, otherwise in (("accept", (1, 1)), ("end", (0, 1)))
    ),
    Fact(
        what="publishedDate of a restored version",
        says="the one of before",
        known=Known.INFERRED,
        source=NOWHERE,
        look=looks.restored_date,
        shown=True,
        switch=Switch(name="restored_published_date", value="new"),
        otherwise=NOT,
    ),
    Fact(
        what="a full PUT to a hidden version",
        says="refused",
        known=Known.INFERRED,
        source=NOWHERE,
        look=looks.put_over_hidden,
        shown=409,
        switch=Switch(name="put_over_hidden", value="create"),
        otherwise=201,
    ),
    Fact(
        what="a new region once the source was deleted",
        says="refused; the sentence is documented, its status was seen nowhere",
        known=Known.INFERRED,
        source="the vendor's page on troubles with images",
        look=looks.new_region_without_source,
        shown=404,
        switch=Switch(name="new_regions_need_source", value=False),
        otherwise=200,
    ),
    Fact(
        what="a source that nobody told the simulator of",
        says="refused in Azure, where it is not there; taken here, for short tests",
        known=Known.DOCUMENTED,
        source="the vendor's page on troubles with images",
        look=lambda w: looks.put(w).status,
        shown=201,
        switch=Switch(name="unknown_resources", value="refuse"),
        otherwise=404,
    ),
)

LIMITS = (
    Limit(operation="CreateUpdateGallery", calls=(50, 300), known=Known.RECORDED),
    Limit(operation="CreateUpdateGalleryImage", calls=(150, 750), known=Known.RECORDED),
    Limit(operation="CreateUpdateGalleryImageVersion", calls=(375, 1_200), known=Known.RECORDED),
    Limit(operation="GetGallery", calls=(350, 2_500), known=Known.RECORDED),
    Limit(operation="GetGalleryImage", calls=(600, 3_000), known=Known.RECORDED),
    Limit(operation="GetGalleryImageVersion", calls=(2_000, 10_000), known=Known.RECORDED),
    Limit(operation="GetOperationStatus", calls=(5_000, 15_000), known=Known.RECORDED),
    Limit(operation="DeleteGalleryImageVersion", calls=(150, 1_000), known=Known.RECORDED),
    Limit(operation="ListGalleryInResourceGroup", calls=(100, 1_000), known=Known.RECORDED),
    Limit(
        operation="ListGalleryImageVersionsInGalleryImage",
        calls=(1_500, 10_000),
        known=Known.RECORDED,
    ),
    *(
        Limit(operation=operation, calls=calls, known=Known.INFERRED, source=NOWHERE)
        for operation, calls in (
            ("DeleteGallery", (50, 300)),
            ("DeleteGalleryImage", (150, 1_000)),
            ("ListGalleryImagesInGallery", (1_500, 10_000)),
        )
    ),
)
