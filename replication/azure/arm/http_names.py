"""How calls to Azure Resource Manager are named in telemetry: never by a query or a name in it."""

from urllib.parse import urlsplit

from replication.telemetry.metrics import OPERATION
from replication.telemetry.port import Value

_DEFAULT_PORTS = {"https": 443, "http": 80}
_PLACES = {
    "galleries": "{gallery}",
    "images": "{image}",
    "resourcegroups": "{resourceGroup}",
    "subscriptions": "{subscription}",
    "versions": "{version}",
}
# What may stand in a template as it is: it is one of few, and about nothing in particular.
_WORDS = frozenset({"locations", "providers", "resources", *_PLACES})
_VENDOR = "microsoft."
_READS = ("GET", "HEAD")
# Its queries are sent by POST.
_QUERIED = "microsoft.resourcegraph"
_MAX_PARTS = 20


def url_template(path: str) -> str:
    """Return the path with every name in it replaced by what it is a name of."""
    parts: list[str] = []
    for part in [one for one in path.split("/") if one][:_MAX_PARTS]:
        word = part.lower()
        place = _PLACES.get(parts[-1].lower()) if parts else None
        if place is not None:
            parts.append(place)
        elif word in _WORDS or word.startswith(_VENDOR):
            parts.append(part)
        else:
            parts.append("{}")
    return "/" + "/".join(parts)


def request_attributes(method: str, url: str) -> dict[str, Value]:
    """Return the attributes of a call before it is made, as the conventions for HTTP name them."""
    parts = urlsplit(url)
    template = url_template(parts.path)
    attributes: dict[str, Value] = {
        "http.request.method": method,
        "url.template": template,
        "server.address": parts.hostname or "",
        "server.port": parts.port or _DEFAULT_PORTS.get(parts.scheme, 0),
    }
    provider = next((one for one in template.split("/") if one.lower().startswith(_VENDOR)), None)
    reads = method in _READS or (provider or "").lower() == _QUERIED
    attributes[OPERATION] = "read" if reads else "write"
    if provider is not None:
        attributes["azure.resource_provider.namespace"] = provider
    return attributes
