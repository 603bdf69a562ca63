"""Assets: the files beside the pages, with addresses that change with what they hold."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_MEDIA_TYPES = {
    "icon.svg": "image/svg+xml",
    "script.js": "text/javascript",
    "style.css": "text/css",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file; `version` is a digest of its content."""

    name: str
    content: bytes
    media_type: str
    version: str

    @property
    def address(self) -> str:
        """Where a page finds this very content, for as long as it likes to keep it."""
        return f"/dashboard/static/{self.name}?v={self.version}"


@cache
def assets() -> dict[str, Asset]:
    """Return the files by their names."""
    return {name: _read(name) for name in _MEDIA_TYPES}


def _read(name: str) -> Asset:
    content = files("dashboard").joinpath("static", name).read_bytes()
    return Asset(
        name=name,
        content=content,
        media_type=_MEDIA_TYPES[name],
        version=hashlib.sha256(content).hexdigest()[:16],
    )
