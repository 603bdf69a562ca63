"""Doors of the local cloud are for programs of this machine, and not for pages that it shows."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_LOOKING = ("GET", "HEAD", "OPTIONS")


def for_this_machine(*prefixes: str) -> Middleware:
    """Refuse, below these paths, what a page of another site may have made a browser send.

    A name that is made to point here is told by its Host, a foreign page by what browsers say.
    """

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.lower().startswith(prefixes):
            problem = _problem(request)
            if problem is not None:
                return web.Response(status=403, text=problem)
        return await handler(request)

    return check


def _problem(request: web.Request) -> str | None:
    if not _is_here(request.headers.get("Host", "")):
        return "the Host is not this machine"
    if request.method in _LOOKING:
        return None
    site = request.headers.get("Sec-Fetch-Site", "none")
    origin = request.headers.get("Origin")
    if site not in ("none", "same-origin"):
        return "this came from another site"
    if origin is not None and not _is_here(urlsplit(origin).netloc):
        return "this came from another site"
    return None


def _is_here(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
