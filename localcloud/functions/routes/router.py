"""Which function takes a call: in the order of their names, the first whose route fits it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from localcloud.functions.routes.templates import Template, parse_template

_RESERVED = ("admin", "runtime")


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP trigger: its template below the prefix, its methods and the function behind it.

    Without methods (None) it takes them all, with an empty list none.
    """

    function: str
    template: str
    methods: tuple[str, ...] | None
    parsed: Template

    @classmethod
    def parse(
        cls, template: str, *, methods: Iterable[str] | None, function: str, prefix: str = ""
    ) -> Self:
        """Read a template; raise ValueError with what the vendor's router says no to."""
        whole = f"{prefix}/{template}" if prefix else template
        try:
            parsed = parse_template(whole)
        except ValueError as error:
            raise ValueError(f"the route {whole!r} cannot be: {error}") from None
        return cls(function, template, None if methods is None else tuple(methods), parsed)

    def takes(self, method: str) -> bool:
        """Compare verbs without letter case."""
        return self.methods is None or method.upper() in {one.upper() for one in self.methods}

    def problem(self, earlier: Iterable["Route"]) -> str | None:
        """Say why the host refuses this function alone, given those that it took before."""
        own = self.compared
        if own.startswith(_RESERVED):
            return "its route begins with admin or runtime, which the host keeps for itself"
        for other in earlier:
            if own == other.compared and self._shares_a_method(other):
                return f"its route is the one of function {other.function}"
        return None

    @property
    def compared(self) -> str:
        """Give what two routes have in common that are in each other's way."""
        return self.template.strip("/").lower()

    def _shares_a_method(self, other: "Route") -> bool:
        if not self.methods or not other.methods:
            return True
        # With letter case, as the host does it.
        return not set(self.methods).isdisjoint(other.methods)


class Router:
    """All routes of an app, by the names of their functions."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=lambda route: name_order(route.function))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the route of a decoded path, and the parameters that have a value."""
        for route in self._routes:
            parameters = route.parsed.match(path)
            if parameters is not None and route.takes(method):
                return route, parameters
        return None


def name_order(name: str) -> str:
    """Give the key by which the host sorts functions: an underscore comes after every letter."""
    return name.upper()
