"""Resource Graph, over the machines that a test says there are and as much KQL as is asked of it.

A query is a table, then `where type` with `in~ (…)` or `=~ '…'`, `project` and `order by`. Anything
else is refused: an answer that left a part of the query out would be wrong without a sign.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.arm.answers import Answer, ArmRequest
from localcloud.arm.api_versions import require_api_version
from localcloud.arm.errors import ArmError, invalid
from localcloud.arm.json_bodies import (
    choice_at,
    integer_at,
    known_keys,
    object_at,
    objects_at,
    parse_object,
    text_at,
    wrong_value,
)

RESOURCE_GRAPH_PATH = "/providers/microsoft.resourcegraph/resources"
MAX_MACHINES = 100_000
_API_VERSIONS = ("2021-03-01", "2022-10-01", "2024-04-01")
_PAGE = 1000
_VM, _SET, _LAB = (
    "microsoft.compute/virtualmachines",
    "microsoft.compute/virtualmachinescalesets",
    "microsoft.labservices/labs",
)
# Where each type keeps the reference to its image.
_IMAGE_AT: Mapping[str, tuple[str, ...]] = {
    _VM: ("storageProfile", "imageReference"),
    _SET: ("virtualMachineProfile", "storageProfile", "imageReference"),
    _LAB: ("virtualMachineProfile", "imageReference"),
}
_NAMES = {"virtualMachine": _VM, "scaleSet": _SET, "lab": _LAB}
_MACHINE_KEYS = ("image", "exact_version", "kind", "count", "subscription")
_DEFAULT_SUBSCRIPTION = "0b1f6471-1bf0-4dda-aec3-111122223333"
_WHERE = re.compile(
    r"where\s+type\s+(?:in~\s*\((?P<types>[^()]*)\)|=~\s*(?P<type>\S+))", re.IGNORECASE
)
_COLUMN = re.compile(
    r"(?:(?P<name>\w+)\s*=\s*)?(?:tostring\(\s*(?P<inner>[\w.]+)\s*\)|(?P<plain>[\w.]+))",
    re.IGNORECASE,
)
_ORDER = re.compile(r"order\s+by\s+(?P<column>\w+)(?:\s+(?P<way>asc|desc))?", re.IGNORECASE)


@dataclass(slots=True)
class ResourceGraph:
    """The machines that Resource Graph sees."""

    machines: list[dict[str, Any]] = field(default_factory=list)

    def put(self, raw: object) -> None:
        """Replace the machines; raises ArmError for a body that says none."""
        body = known_keys(raw, ("machines",), "machines")
        told: list[dict[str, Any]] = []
        for number, one in enumerate(objects_at(body, "machines", "machines")):
            where = f"machines[{number}]"
            known_keys(one, _MACHINE_KEYS, where)
            image = text_at(one, "image", where)
            if image is None:
                raise wrong_value(f"{where}.image", "the id of an image version or definition")
            kind = choice_at(one, "kind", where, tuple(_NAMES)) or "virtualMachine"
            count = integer_at(one, "count", where, least=0, most=MAX_MACHINES)
            subscription = text_at(one, "subscription", where) or _DEFAULT_SUBSCRIPTION
            for _ in range(1 if count is None else count):
                told.append(
                    _machine(
                        len(told),
                        _NAMES[kind],
                        image,
                        text_at(one, "exact_version", where),
                        subscription,
                    )
                )
            if len(told) > MAX_MACHINES:
                raise invalid(f"There may be {MAX_MACHINES} machines.", target=where)
        self.machines = told

    def answer(self, request: ArmRequest) -> Answer:
        """Answer a query; raises ArmError for one that is not understood."""
        require_api_version(request.query.get("api-version"))
        if request.query["api-version"] not in _API_VERSIONS:
            raise invalid(
                f"The api-version '{request.query['api-version'][:40]}' is invalid. The supported "
                f"versions are '{','.join(_API_VERSIONS)}'.",
                code="InvalidApiVersionParameter",
            )
        if request.method != "POST":
            raise ArmError(405, "MethodNotAllowed", "A query is sent with POST.")
        body = parse_object(request.body)
        options = object_at(body, "options", "request")
        size = integer_at(options, "$top", "options", least=1, most=_PAGE) or 100
        token = text_at(options, "$skipToken", "options") or "0"
        if not re.fullmatch(r"\d{1,9}", token, re.ASCII):
            raise invalid("The $skipToken is not one of this service.", target="$skipToken")
        choice_at(options, "resultFormat", "options", ("objectArray",))
        scope = _subscriptions(body)
        seen = [one for one in self.machines if scope is None or one["subscriptionId"] in scope]
        rows = _run(text_at(body, "query", "request") or "", seen)
        start = int(token)
        page = rows[start : start + size]
        answer: dict[str, Any] = {
            "totalRecords": len(rows),
            "count": len(page),
            "data": page,
            "facets": [],
            "resultTruncated": "false",
        }
        if start + size < len(rows):
            answer["$skipToken"] = str(start + size)
        headers = {
            "x-ms-user-quota-remaining": "14",
            "x-ms-user-quota-resets-after": "00:00:05",
        }
        return Answer(body=answer, compact=True, headers=headers)


def _machine(
    number: int, kind: str, image: str, exact_version: str | None, subscription: str
) -> dict[str, Any]:
    name = f"machine-{number:06}"
    reference = {"id": image} | ({"exactVersion": exact_version} if exact_version else {})
    properties: dict[str, Any] = reference
    for step in reversed(_IMAGE_AT[kind]):
        properties = {step: properties}
    return {
        "id": f"/subscriptions/{subscription}/resourceGroups/machines/providers/{kind}/{name}",
        "name": name,
        "type": kind,
        "location": "eastus",
        "resourceGroup": "machines",
        "subscriptionId": subscription.lower(),
        "properties": properties,
    }


def _subscriptions(body: Mapping[str, Any]) -> set[str] | None:
    given = body.get("subscriptions")
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise wrong_value("request.subscriptions", "a list of subscription ids")
    return {one.lower() for one in given}


def _run(query: str, machines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    table, *stages = (part.strip() for part in query.split("|"))
    if table.lower() != "resources":
        raise _not_understood(table)
    rows = machines
    for stage in stages:
        word = stage.split(None, 1)[0].lower() if stage else ""
        if word == "where":
            rows = _where(rows, stage)
        elif word == "project":
            rows = _project(rows, stage)
        elif word == "order":
            rows = _order(rows, stage)
        else:
            raise _not_understood(stage)
    return rows


def _where(rows: list[dict[str, Any]], stage: str) -> list[dict[str, Any]]:
    match = _WHERE.fullmatch(stage)
    if match is None:
        raise _not_understood(stage)
    quoted = [one.strip() for one in (match["types"] or match["type"]).split(",")]
    if not all(re.fullmatch(r"'[^']*'|\"[^\"]*\"", one) for one in quoted):
        raise _not_understood(stage)
    wanted = {one[1:-1].lower() for one in quoted}
    return [row for row in rows if str(row["type"]).lower() in wanted]


def _project(rows: list[dict[str, Any]], stage: str) -> list[dict[str, Any]]:
    columns: list[tuple[str, str, bool]] = []
    for part in stage.split(None, 1)[1].split(",") if " " in stage else []:
        match = _COLUMN.fullmatch(part.strip())
        path = (match["inner"] or match["plain"]) if match else ""
        if match is None or ("." in path and match["name"] is None):
            raise _not_understood(part.strip() or stage)
        columns.append((match["name"] or path, path, match["inner"] is not None))
    if not columns:
        raise _not_understood(stage)
    return [
        {name: _at(row, path, as_text=as_text) for name, path, as_text in columns} for row in rows
    ]


def _order(rows: list[dict[str, Any]], stage: str) -> list[dict[str, Any]]:
    match = _ORDER.fullmatch(stage)
    if match is None:
        raise _not_understood(stage)
    backwards = (match["way"] or "desc").lower() == "desc"
    return sorted(rows, key=lambda row: str(row.get(match["column"], "")), reverse=backwards)


def _at(row: Mapping[str, Any], path: str, *, as_text: bool) -> object:
    """Return what is at a path; `tostring` of nothing is an empty text."""
    value: Any = row
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return ("" if value is None else str(value)) if as_text else value


def _not_understood(part: str) -> ArmError:
    return ArmError(
        400,
        "BadRequest",
        "Please provide below info when asking for support. The query is not understood by this "
        f"simulator at '{part[:80]}': it knows the table resources, where type in~ (…), project "
        "with tostring(…), and order by.",
        details=[{"code": "InvalidQuery", "message": "Query is invalid."}],
    )
