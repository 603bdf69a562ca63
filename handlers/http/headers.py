"""What answers and requests have in their headers, whichever function they are of."""

from collections.abc import Mapping

from replication.config.settings import is_loopback

YEAR_S = 365 * 24 * 3600


def is_local_http(url: str) -> bool:
    """Tell whether a call came over plain http from this very machine."""
    return url.lower().startswith("http://") and is_loopback(url)


def secured(headers: Mapping[str, str], url: str) -> dict[str, str]:
    """Return the headers of an answer, and that the app is to be asked over https alone."""
    if is_local_http(url):
        return dict(headers)
    return {**headers, "Strict-Transport-Security": f"max-age={YEAR_S}"}


def cookie_named(name: str, header: str) -> str:
    """Return the value of a cookie, empty where there is none.

    Other programs of the same host have cookies too, of any form; they must not hide this one.
    """
    for part in header.split(";"):
        found, is_pair, value = part.strip().partition("=")
        if is_pair and found == name:
            return value.strip()
    return ""
