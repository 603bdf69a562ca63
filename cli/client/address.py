"""Address of a deployed app: where it is, and what its callers prove themselves with."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from cli.terminal.errors import UsageProblem
from replication.domain.urls import is_loopback

URL_VARIABLE = "GALLERY_REPLICATOR_URL"
SCOPE_VARIABLE = "GALLERY_REPLICATOR_SCOPE"
KEY_VARIABLE = "GALLERY_REPLICATOR_KEY"
LEAVE_OUT = f"leave --url (and {URL_VARIABLE}) out"
_HOST = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
_SCOPE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[!-~]{1,300}")
_KEY = re.compile(r"[!-~]{1,512}")
_DEFAULT = "/.default"
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Where a deployed app is, and what its callers prove themselves with."""

    url: str
    scope: str | None = None
    key: str | None = None
    timeout_s: float = _TIMEOUT_S

    @classmethod
    def read(cls, url: str | None, scope: str | None, env: Mapping[str, str]) -> "Remote | None":
        """Read the options and the environment, None for no deployed app; raises UsageProblem.

        A key is taken from the environment alone: everybody on a machine can read arguments.
        """
        address = url if url is not None else env.get(URL_VARIABLE, "").strip() or None
        wanted = scope if scope is not None else env.get(SCOPE_VARIABLE, "").strip() or None
        if address is None:
            if scope is not None:
                raise UsageProblem("--scope goes with --url")
            return None
        root = read_root(address)
        key = env.get(KEY_VARIABLE, "").strip() or None
        if key is not None and not _KEY.fullmatch(key):
            raise UsageProblem(f"{KEY_VARIABLE} is no function key: it holds what no header can")
        if key is not None and wanted is not None:
            raise UsageProblem(
                f"a token (--scope, {SCOPE_VARIABLE}) and a key ({KEY_VARIABLE}) are given; "
                "leave one out"
            )
        if wanted is not None and not root.startswith("https:"):
            raise UsageProblem("--scope goes with an https address: a token is sent over no other")
        return cls(url=root, scope=None if wanted is None else _read_scope(wanted), key=key)


def read_root(text: str) -> str:
    """Return the address of an app without a slash at its end; raises UsageProblem."""
    with suppress(ValueError):  # of an address or a port that is none
        parts = urlsplit(text)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(text))
        bare = parts.path in ("", "/") and not parts.query and not parts.fragment
        plain = text.isascii() and text.isprintable() and _HOST.fullmatch(parts.netloc)
        if is_safe and bare and plain and parts.port != 0:
            return f"{parts.scheme}://{parts.netloc}"
    raise UsageProblem(
        f"--url is {text[:80]!r}; it is https and a host alone, such as "
        "https://app.azurewebsites.net, or http to this machine"
    )


def _read_scope(text: str) -> str:
    if not _SCOPE.fullmatch(text):
        raise UsageProblem(
            f"--scope is {text[:80]!r}; it is the id URI of the app's registration, such as "
            "api://00000000-0000-0000-0000-000000000000"
        )
    return text if text.endswith(_DEFAULT) else f"{text}{_DEFAULT}"
