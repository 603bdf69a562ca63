"""Targets of request lines, decoded and tidied as the vendor's server does it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

_LONGEST_REQUEST_LINE_BYTES = 8192
_FRAME = len("  HTTP/1.1\r\n")
# A slash that was sent encoded stays so: the function cannot tell it from one encoded twice.
_ENCODED = re.compile(r"(?:%(?!2[Ff])[0-9A-Fa-f]{2})+")
_ENCODED_QUERY = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class Target:
    """What a request asks for: its path decoded, without dots, and the URL that a function sees."""

    path: str
    url_path: str
    query: Mapping[str, str]


class BadTargetError(ValueError):
    """The server answers by itself, with `status` and nothing else."""

    def __init__(self, status: int) -> None:
        super().__init__(f"answered with {status}")
        self.status = status


def read_target(method: str, sent: str) -> Target:
    """Read the target of a request line as the vendor's server does; raise BadTargetError."""
    if len(method) + len(sent) + _FRAME > _LONGEST_REQUEST_LINE_BYTES:
        raise BadTargetError(414)
    sent_path, mark, query = sent.partition("?")
    if not sent_path.startswith("/"):
        raise BadTargetError(400)
    path = _without_dots(_decoded(sent_path, _ENCODED))
    if "\0" in path:
        raise BadTargetError(400)
    return Target(path, _encoded(path) + mark + query, _query(query))


def _decoded(text: str, encoded: re.Pattern[str]) -> str:
    """Decode UTF-8; what is none stays as it was written."""

    def decode(match: re.Match[str]) -> str:
        written, at, found = match[0], 0, ""
        raw = bytes.fromhex(written.replace("%", ""))
        while at < len(raw):
            try:
                return found + raw[at:].decode()
            except UnicodeDecodeError as error:
                end = at + error.end
                found += raw[at : at + error.start].decode()
                found += written[3 * (at + error.start) : 3 * end]
                at = end
        return found

    return encoded.sub(decode, text)


def _without_dots(path: str) -> str:
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _encoded(path: str) -> str:
    pieces = re.split(r"(%[0-9A-Fa-f]{2})", path)
    return "".join(
        piece if at % 2 else quote(piece, safe="/!$&'()*+,-.:;=@_~")
        for at, piece in enumerate(pieces)
    )


def _query(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    spelled: dict[str, str] = {}
    for pair in filter(None, text.split("&")):
        name, _, value = (
            _decoded(one, _ENCODED_QUERY) for one in pair.replace("+", " ").partition("=")
        )
        name = spelled.setdefault(name.lower(), name)
        found[name] = f"{found[name]},{value}" if name in found else value
    return found
