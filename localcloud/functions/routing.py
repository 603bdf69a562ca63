"""Route templates of HTTP triggers: which function a method and a path belong to."""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self
from urllib.parse import unquote

_PARAMETER = re.compile(r"\{(\*{0,2})([A-Za-z_]\w*)((?::[a-z]+)*)(\??)\}")


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


_CONSTRAINTS: Mapping[str, Callable[[str], bool]] = {
    "alpha": lambda text: text.isascii() and text.isalpha(),
    "bool": lambda text: text.lower() in ("true", "false"),
    "guid": _is_guid,
    "int": lambda text: re.fullmatch(r"[+-]?\d+", text) is not None,
}


class _Segment(NamedTuple):
    literal: str | None
    name: str = ""
    constraints: tuple[str, ...] = ()
    optional: bool = False
    rest: bool = False

    @property
    def rank(self) -> tuple[int, int]:
        if self.literal is not None:
            return (0, 0)
        return (2 if self.rest else 1, -len(self.constraints))


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP trigger: its template, its methods (empty: all) and the function behind it."""

    template: str
    methods: frozenset[str]
    function: str
    segments: tuple[_Segment, ...]

    @classmethod
    def parse(cls, template: str, *, methods: Iterable[str], function: str) -> Self:
        """Read a template; raise ValueError when it has a form that this host does not know."""
        segments = tuple(_segment(text, template) for text in template.strip("/").split("/"))
        if template.strip("/") == "":
            segments = ()
        for segment in segments[:-1]:
            if segment.rest or segment.optional:
                raise ValueError(f"route {template!r}: only the last segment may be * or optional")
        return cls(template, frozenset(m.upper() for m in methods), function, segments)

    def match(self, method: str, parts: list[str]) -> dict[str, str] | None:
        """Return the route parameters when the request is this route's, None otherwise."""
        if self.methods and method not in self.methods:
            return None
        found: dict[str, str] = {}
        for at, segment in enumerate(self.segments):
            if segment.rest:
                found[segment.name] = "/".join(parts[at:])
                return found
            if at >= len(parts):
                return found if segment.optional else None
            part = parts[at]
            if segment.literal is not None:
                if segment.literal.lower() != part.lower():
                    return None
            elif all(_CONSTRAINTS[name](part) for name in segment.constraints):
                found[segment.name] = part
            else:
                return None
        return found if len(parts) == len(self.segments) else None


class Router:
    """All routes of an app; literal segments win over parameters, those over the rest."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=lambda route: [s.rank for s in route.segments])

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the route and its parameters for a path as it was sent, or None."""
        parts = [unquote(part) for part in raw_path.split("/") if part]
        for route in self._routes:
            parameters = route.match(method.upper(), parts)
            if parameters is not None:
                return route, parameters
        return None


def _segment(text: str, template: str) -> _Segment:
    if "{" not in text and "}" not in text:
        return _Segment(literal=text)
    match = _PARAMETER.fullmatch(text)
    if match is None:
        raise ValueError(f"route {template!r}: cannot read the segment {text!r}")
    stars, name, constraints, question = match.groups()
    names = tuple(part for part in constraints.split(":") if part)
    unknown = [name for name in names if name not in _CONSTRAINTS]
    if unknown:
        known = ", ".join(_CONSTRAINTS)
        raise ValueError(f"route {template!r}: constraint {unknown[0]!r} is not one of {known}")
    return _Segment(
        literal=None,
        name=name,
        constraints=names,
        optional=question == "?",
        rest=bool(stars),
    )
