"""Resource Graph: every machine, scale set and lab that this identity sees, with its image."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest

from costs.ports import Machine
from replication.azure.arm.clients import ArmClients
from replication.azure.arm.errors import classify
from replication.domain.errors import ThrottledError, TransientError

_PATH = "/providers/Microsoft.ResourceGraph/resources"
_API_VERSION = "2022-10-01"
_PAGE = 1000
# Ten million machines; an answer that never ends must not be followed for ever.
_MAX_PAGES = 10_000
_MAX_PAUSE_S = 30.0
_MAX_PAUSES = 20
# A result is handed out in pages only if each row has its id and the rows have an order.
_QUERY = (
    "resources"
    " | where type in~ ('microsoft.compute/virtualmachines',"
    " 'microsoft.compute/virtualmachinescalesets', 'microsoft.labservices/labs')"
    " | project id, type,"
    " vmImage = tostring(properties.storageProfile.imageReference.id),"
    " vmVersion = tostring(properties.storageProfile.imageReference.exactVersion),"
    " setImage ="
    " tostring(properties.virtualMachineProfile.storageProfile.imageReference.id),"
    " setVersion ="
    " tostring(properties.virtualMachineProfile.storageProfile.imageReference.exactVersion),"
    " labImage = tostring(properties.virtualMachineProfile.imageReference.id),"
    " labVersion = tostring(properties.virtualMachineProfile.imageReference.exactVersion)"
    " | order by id asc"
)


@dataclass(frozen=True, slots=True)
class ResourceGraph:
    """Implements the ImageConsumers port; waits where the service asks for a short pause."""

    clients: ArmClients
    pause: Callable[[float], None] = time.sleep
    max_pages: int = _MAX_PAGES

    def all(self) -> Iterator[Machine]:
        """List every machine in all subscriptions that this identity reads."""
        token: str | None = None
        for _ in range(self.max_pages):
            body = self._page(token)
            yield from _machines(body)
            token = body.get("$skipToken") or None
            if token is None:
                if str(body.get("resultTruncated")).lower() == "true":
                    raise TransientError("Resource Graph left a part out", code="truncated")
                return
        raise TransientError(f"more than {self.max_pages} pages", code="endless")

    def _page(self, token: str | None) -> Mapping[str, Any]:
        options: dict[str, Any] = {"$top": _PAGE, "resultFormat": "objectArray"}
        if token is not None:
            options["$skipToken"] = token
        for left in range(_MAX_PAUSES, -1, -1):
            try:
                return self._ask({"query": _QUERY, "options": options})
            except ThrottledError as error:
                pause_s = error.retry_after_s
                if left == 0 or pause_s is None or pause_s > _MAX_PAUSE_S:
                    raise
                self.pause(pause_s)
        raise AssertionError("the last attempt raises")

    def _ask(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        request = HttpRequest("POST", _PATH, params={"api-version": _API_VERSION}, json=query)
        try:
            response = self.clients.subscriptions().send_request(request)
            response.raise_for_status()
            body = response.json()
        except AzureError as error:
            raise classify(error) from error
        except (ValueError, RecursionError) as error:
            raise TransientError(
                f"Resource Graph answered no JSON: {error}", code="not_json"
            ) from error
        if not isinstance(body, Mapping) or not isinstance(body.get("data"), list):
            raise TransientError("Resource Graph answered without data", code="not_json")
        return body


def _machines(body: Mapping[str, Any]) -> Iterator[Machine]:
    for row in body["data"]:
        if not isinstance(row, Mapping):
            raise TransientError("Resource Graph answered a row that is none", code="not_json")
        yield Machine(
            kind=_text(row, "type"),
            image=_text(row, "vmImage") or _text(row, "setImage") or _text(row, "labImage"),
            exact_version=_text(row, "vmVersion")
            or _text(row, "setVersion")
            or _text(row, "labVersion"),
        )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""
