"""What Resource Manager answers, request by request, without a network."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from localcloud.arm.answers import Answer, ArmRequest, page
from localcloud.arm.api_versions import checked_api_version
from localcloud.arm.behaviour import Behaviour
from localcloud.arm.clock import SimulatedClock
from localcloud.arm.cloud import Cloud, page_of
from localcloud.arm.errors import ArmError, invalid
from localcloud.arm.event_bodies import TENANT_ID, Change
from localcloud.arm.events import EventGrid
from localcloud.arm.faults import Faults
from localcloud.arm.groups import in_capitals
from localcloud.arm.json_bodies import parse_object
from localcloud.arm.operations import RETRY_AFTER_S, Operation, Operations
from localcloud.arm.resource_ids import Kind, ResourceId, Route
from localcloud.arm.soft_delete import hidden_id, require_listing, soft_deleted_body
from localcloud.arm.surroundings.end_of_life import refuse_early_deletion
from localcloud.arm.version_writes import Write, write_note
from localcloud.arm.versions import ImageVersion, version_body

DEFAULT_SUBSCRIPTION_ID = "0b1f6471-1bf0-4dda-aec3-111122223333"
_EXPANSIONS = frozenset({"replicationstatus", "uefisettings", "validationprofile"})


@dataclass(slots=True, kw_only=True)
class ArmApi:
    """Answers requests whose route is known; nothing in here waits, so nothing interleaves."""

    cloud: Cloud
    clock: SimulatedClock
    faults: Faults
    events: EventGrid
    behaviour: Behaviour = field(default_factory=Behaviour)
    operations: Operations = field(init=False)

    def __post_init__(self) -> None:
        self.operations = Operations(self.clock, self._tell_end)

    def answer(self, request: ArmRequest, route: Route) -> Answer:
        """Return the answer; raises ArmError for a refusal."""
        handlers: dict[Kind, dict[str, Callable[[ArmRequest, Route, str], Answer]]] = {
            Kind.SUBSCRIPTIONS: {"GET": self._subscriptions},
            Kind.SUBSCRIPTION: {"GET": self._subscription},
            Kind.LOCATIONS: {"GET": self._locations},
            Kind.PROVIDER: {"GET": self._provider},
            Kind.GALLERIES: {"GET": self._galleries},
            Kind.GALLERY: {
                "GET": self._gallery,
                "PUT": self._put_plain,
                "PATCH": self._put_plain,
                "DELETE": self._delete_plain,
            },
            Kind.IMAGES: {"GET": self._images},
            Kind.IMAGE: {
                "GET": self._image,
                "PUT": self._put_plain,
                "PATCH": self._put_plain,
                "DELETE": self._delete_plain,
            },
            Kind.VERSIONS: {"GET": self._versions},
            Kind.VERSION: {
                "GET": self._version,
                "PUT": self._put_version,
                "PATCH": self._put_version,
                "DELETE": self._delete_version,
            },
            Kind.GROUP: {"GET": self._group, "HEAD": self._group, "PUT": self._put_group},
            Kind.HIDDEN_VERSIONS: {"GET": self._hidden_versions},
            Kind.HIDDEN_VERSION: {"DELETE": self._delete_hidden},
            Kind.OPERATION: {"GET": self._operation},
        }
        api_version = checked_api_version(request.query.get("api-version"), route.kind)
        by_method = handlers[route.kind]
        handler = by_method.get(request.method)
        if handler is None:
            raise ArmError(
                405,
                "MethodNotAllowed",
                f"The requested resource does not support http method '{request.method[:20]}'.",
                headers={"Allow": ", ".join(by_method)},
            )
        if "group" in route.names and route.kind is not Kind.GROUP:
            self.cloud.groups.get(route.subscription, route.names["group"])
        return handler(request, route, api_version)

    def _group(self, request: ArmRequest, route: Route, _api_version: str) -> Answer:
        found = self.cloud.groups.get(route.subscription, route.names["group"])
        return Answer(status=204) if request.method == "HEAD" else Answer(body=found)

    def _put_group(self, request: ArmRequest, route: Route, _api_version: str) -> Answer:
        sent = parse_object(request.body)
        subscription, name = route.names["subscription"], route.names["group"]
        body, is_new = self.cloud.groups.put(subscription, name, sent)
        return Answer(status=201 if is_new else 200, body=body)

    def _subscriptions(self, _request: ArmRequest, _route: Route, _api_version: str) -> Answer:
        known = {DEFAULT_SUBSCRIPTION_ID, *self.cloud.subscriptions()}
        value = [_subscription_body(one) for one in sorted(known)]
        count = {"type": "Total", "value": len(value)}
        return Answer(body={"value": value, "count": count}, compact=True)

    def _subscription(self, _request: ArmRequest, route: Route, _api_version: str) -> Answer:
        return Answer(body=_subscription_body(route.subscription))

    def _locations(self, _request: ArmRequest, route: Route, _api_version: str) -> Answer:
        return page(self.cloud.regions.locations_of(route.subscription), None)

    def _provider(self, _request: ArmRequest, route: Route, _api_version: str) -> Answer:
        return Answer(body=self.cloud.regions.provider_of(route.subscription))

    def _galleries(self, request: ArmRequest, route: Route, _api_version: str) -> Answer:
        found = self.cloud.galleries(route.subscription, route.names.get("group"))
        return self._page(request, {str(one["id"]).lower(): one for one in found})

    def _images(self, request: ArmRequest, route: Route, _api_version: str) -> Answer:
        gallery = self.cloud.gallery(route.resource_id)
        return self._page(request, {name: one.body for name, one in gallery.images.items()})

    def _gallery(self, _request: ArmRequest, route: Route, _api_version: str) -> Answer:
        return Answer(body=self.cloud.gallery(route.resource_id).body)

    def _image(self, _request: ArmRequest, route: Route, _api_version: str) -> Answer:
        return Answer(body=self.cloud.image(route.resource_id).body)

    def _put_plain(self, request: ArmRequest, route: Route, api_version: str) -> Answer:
        sent, replaces = parse_object(request.body), request.method == "PUT"
        if route.kind is Kind.GALLERY:
            body, is_new = self.cloud.put_gallery(route.resource_id, sent, replaces=replaces)
        else:
            body, is_new = self.cloud.put_image(
                route.resource_id, sent, replaces=replaces, api_version=api_version
            )
        change = _change(request, str(body["id"]), api_version, is_new=is_new)
        self.events.publish(change)
        headers = self._ended_at_once(request, route, body, change)
        doing = {"provisioningState": "Creating" if is_new else "Updating"}
        body = {**body, "properties": {**body["properties"], **doing}}
        return Answer(status=201 if is_new else 200, body=body, headers=headers)

    def _delete_plain(self, request: ArmRequest, route: Route, api_version: str) -> Answer:
        if route.kind is Kind.GALLERY:
            gone = self.cloud.delete_gallery(route.resource_id)
        else:
            gone = self.cloud.delete_image(route.resource_id, self.clock.now())
        if gone is None:
            return Answer(status=204)
        change = _change(request, str(gone["id"]), api_version, is_new=False)
        self.events.publish(change)
        return Answer(status=202, headers=self._ended_at_once(request, route, gone, change))

    def _ended_at_once(
        self, request: ArmRequest, route: Route, body: dict[str, Any], change: Change
    ) -> dict[str, str]:
        """Return the headers of an operation that was never seen to take half a second."""
        operation = Operation(
            subscription=route.subscription,
            location=str(body["location"]),
            change=change,
            due=lambda: (0.0, []),
            quiet=True,
        )
        self.operations.begin(operation)
        return self._operation_headers(request, operation)

    def _hidden_versions(self, request: ArmRequest, route: Route, api_version: str) -> Answer:
        require_listing(api_version)
        found, after = self.cloud.hidden_page(
            route.resource_id,
            after=request.query.get("$skiptoken", "").lower(),
            size=self.behaviour.list_page_size,
            now=self.clock.now(),
        )
        value = [soft_deleted_body(one, api_version) for one in found]
        return page(value, _next_link(request, after))

    def _delete_hidden(self, request: ArmRequest, route: Route, api_version: str) -> Answer:
        require_listing(api_version)
        gone = self.cloud.delete_hidden(route.resource_id, self.clock.now())
        if gone is None:
            return Answer(status=204)
        change = _change(request, hidden_id(gone.id), api_version, is_new=False)
        body = {"location": gone.home}
        return Answer(status=202, headers=self._ended_at_once(request, route, body, change))

    def _versions(self, request: ArmRequest, route: Route, api_version: str) -> Answer:
        found, after = self.cloud.version_page(
            route.resource_id,
            after=request.query.get("$skiptoken", "").lower(),
            size=self.behaviour.list_page_size,
            now=self.clock.now(),
        )
        value = [in_capitals(self._body(one, api_version)) for one in found]
        return page(value, _next_link(request, after))

    def _version(self, request: ArmRequest, route: Route, api_version: str) -> Answer:
        asked = {one.strip().lower() for one in request.query.get("$expand", "").split(",")} - {""}
        if asked - _EXPANSIONS:
            raise invalid(
                f"The value '{request.query['$expand'][:80]}' of parameter '$expand' is invalid: "
                "it should be ReplicationStatus, UefiSettings or both, with a comma.",
                target="$expand",
            )
        version = self.cloud.version(route.resource_id, self.clock.now())
        return Answer(body=self._body(version, api_version, expand="replicationstatus" in asked))

    def _put_version(self, request: ArmRequest, route: Route, api_version: str) -> Answer:
        now = self.clock.now()
        held = self.cloud.find_version(route.resource_id, now)
        write = Write(
            now=now,
            wall=datetime.now(UTC),
            regions=self.cloud.regions,
            inventory=self.cloud.inventory,
            behaviour=self.behaviour,
            ending_of_copy=lambda region: self.faults.ending_of_copy(
                request.method, request.path, region
            ),
        )
        version, is_new = self.cloud.put_version(
            route.resource_id,
            parse_object(request.body),
            write,
            replaces=request.method == "PUT",
            lose=request.lose_write,
        )
        kept = self.cloud.find_version(route.resource_id, now) is version
        request.notes["write"] = write_note(held, version, self.cloud.regions, now=now, kept=kept)
        change = _change(request, version.id, api_version, is_new=is_new)
        if self.events.delivery.when != "end" and not request.lose_write:
            self.events.publish(change)
        operation = Operation(
            subscription=route.subscription,
            location=version.home,
            change=change,
            due=self._due(route.resource_id, version if request.lose_write else None),
            quiet=request.lose_write,
        )
        self.operations.begin(operation)
        headers = self._operation_headers(request, operation)
        body = self._body(version, api_version)
        body["properties"]["provisioningState"] = "Creating" if is_new else "Updating"
        return Answer(status=201 if is_new else 200, body=body, headers=headers)

    def _delete_version(self, request: ArmRequest, route: Route, api_version: str) -> Answer:
        now = self.clock.now()
        held = self.cloud.find_version(route.resource_id, now)
        if held is not None:
            refuse_early_deletion(held.name, held.publishing, held.safety, datetime.now(UTC))
        marked = self.cloud.delete_version(
            route.resource_id,
            now,
            lose=request.lose_write,
            for_good=request.query.get("bypasssoftdelete", "").lower() == "true",
        )
        if marked is None or marked.gone_at is None:
            return Answer(status=204)
        gone_at = marked.gone_at
        operation = Operation(
            subscription=route.subscription,
            location=marked.home,
            change=_change(request, marked.id, api_version, is_new=False),
            due=lambda: (gone_at, []),
            # A delete that finds another one under way has nothing new to tell.
            quiet=request.lose_write or marked is held,
        )
        self.operations.begin(operation)
        return Answer(status=202, headers=self._operation_headers(request, operation))

    def _operation(self, request: ArmRequest, route: Route, api_version: str) -> Answer:
        operation = self.operations.get(route.subscription, route.names["operation"])
        retry = {"Retry-After": self.clock.retry_after(RETRY_AFTER_S)}
        is_running = operation.ended is None
        if request.query.get("monitor", "").lower() == "true":
            if is_running:
                url = self._operation_url(request, operation, api_version, monitor=True)
                return Answer(status=202, headers={"Location": url, **retry})
            return Answer()
        return Answer(body=operation.body(), headers=retry if is_running else {})

    def _due(
        self, resource_id: ResourceId, lost: ImageVersion | None
    ) -> Callable[[], tuple[float, list[str]]]:
        def due() -> tuple[float, list[str]]:
            version = lost or self.cloud.find_version(resource_id, self.clock.now())
            if version is None or version.gone_at is not None:
                return 0.0, []
            settles_at = version.settles_at()
            return settles_at, version.failed_regions(settles_at)

        return due

    def _tell_end(self, operation: Operation) -> None:
        """Send the event at the end of an operation that went well."""
        change = operation.change
        told_before = not change.is_delete and self.events.delivery.when == "accept"
        if not operation.failed_regions and not operation.quiet and not told_before:
            self.events.publish(change)

    def _body(
        self, version: ImageVersion, api_version: str, *, expand: bool = False
    ) -> dict[str, Any]:
        return version_body(
            version,
            now=self.clock.now(),
            api_version=api_version,
            behaviour=self.behaviour,
            regions=self.cloud.regions,
            expand=expand,
        )

    def _page(self, request: ArmRequest, entries: dict[str, dict[str, Any]]) -> Answer:
        after = request.query.get("$skiptoken", "").lower()
        found, last = page_of(entries, after=after, size=self.behaviour.list_page_size)
        return page([in_capitals(one) for one in found], _next_link(request, last))

    def _operation_headers(self, request: ArmRequest, operation: Operation) -> dict[str, str]:
        api_version = request.query["api-version"]
        headers = {
            "Azure-AsyncOperation": self._operation_url(request, operation, api_version),
            "Azure-AsyncNotification": "Enabled",
        }
        if operation.change.is_delete:
            headers["Location"] = self._operation_url(request, operation, api_version, monitor=True)
        if operation.ended is None:
            headers["Retry-After"] = self.clock.retry_after(RETRY_AFTER_S)
        return headers

    @staticmethod
    def _operation_url(
        request: ArmRequest, operation: Operation, api_version: str, *, monitor: bool = False
    ) -> str:
        digest = hashlib.sha512(operation.name.encode()).hexdigest()
        query = {"monitor": "true"} if monitor else {}
        # Real ones are signed, and long.
        query |= {"api-version": api_version, "t": "639000000000000000", "c": digest * 2}
        query |= {"s": digest * 3, "h": digest[:43]}
        return (
            f"{request.base_url}/subscriptions/{operation.subscription}/providers"
            f"/Microsoft.Compute/locations/{operation.location}/capsOperations/{operation.name}"
            f"?{urlencode(query)}"
        )


def _change(request: ArmRequest, resource_id: str, api_version: str, *, is_new: bool) -> Change:
    return Change(
        resource_id=resource_id,
        method=request.method,
        is_new=is_new,
        api_version=api_version,
        correlation_id=request.correlation_id,
    )


def _next_link(request: ArmRequest, after: str | None) -> str | None:
    if after is None:
        return None
    query = {**request.query, "$skiptoken": after}
    return f"{request.base_url}{request.path}?{urlencode(query, safe='$')}"


def _subscription_body(subscription: str) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{subscription}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription,
        "tenantId": TENANT_ID,
        "displayName": "Local cloud",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }
