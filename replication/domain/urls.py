"""URLs, as far as the product reads them itself."""

from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Tell whether a URL's host is this machine."""
    with suppress(ValueError):  # of an address that is none
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    return False


def is_local_http(url: str) -> bool:
    """Tell whether a call came over plain http from this very machine."""
    return url.lower().startswith("http://") and is_loopback(url)
