"""Route templates as the vendor's router reads them: one regular expression and its constraints."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from localcloud.functions.routes.constraints import Check, read_constraints

# A parameter's name ends at the first colon or equals sign that is not its first letter.
_PARAMETER = re.compile(
    r"(?P<stars>\*{0,2})(?P<name>(?:.[^:=]*)?)"
    r"(?P<constraints>(?::[^:=(]*(?:\(.*?\)(?=[:=]|\Z))?)*)(?:=(?P<default>.*))?",
    re.DOTALL,
)
_TOKEN = re.compile(r"\{\{|\}\}|(?P<parameter>\{(?:[^{}]|\{\{|\}\})*\})|[^{}]+|[{}]")


class Template(NamedTuple):
    """What a template says: which paths it takes, and what must hold for their parameters.

    `names` goes by the groups of `pattern`, since a name may be no name of a group.
    """

    pattern: re.Pattern[str]
    names: tuple[str, ...]
    defaults: dict[str, str]
    checks: tuple[tuple[str, Check, bool], ...]

    def match(self, path: str) -> dict[str, str] | None:
        """Return the parameters of a decoded path, those without a value left out."""
        match = self.pattern.fullmatch(path)
        if match is None:
            return None
        groups: tuple[str | None, ...] = match.groups()
        given = {n: v for n, v in zip(self.names, groups, strict=True) if v is not None}
        found = self.defaults | given
        for name, check, optional in self.checks:
            if name in found and not check(found[name]):
                return None
            if name not in found and not optional:
                return None
        return found


class _Parameter(NamedTuple):
    name: str
    rest: bool
    optional: bool
    default: str | None
    checks: tuple[Check, ...]


class _Literal(NamedTuple):
    text: str


type _Part = _Parameter | _Literal


def parse_template(template: str) -> Template:
    """Read a template; raise ValueError where the vendor's router refuses it."""
    text = template.removeprefix("~") if template.startswith("~/") else template
    if text.startswith("~"):
        raise ValueError("a route begins with ~ only before a slash")
    text = text.removeprefix("/").removesuffix("/")
    segments = [list(_parts(one)) for one in _split(text)] if text else []
    parameters = [one for parts in segments for one in parts if isinstance(one, _Parameter)]
    _refuse(segments, parameters)
    names: list[str] = []
    pattern = _pattern(segments, names)
    return Template(
        re.compile(pattern, re.DOTALL),
        tuple(names),
        {one.name: one.default for one in parameters if one.default is not None},
        tuple((one.name, check, one.optional) for one in parameters for check in one.checks),
    )


def _split(text: str) -> Iterator[str]:
    """Split at slashes, but not inside of a parameter, whose regex may hold some."""
    segment = ""
    for token in _TOKEN.finditer(text):
        pieces = [token[0]] if token["parameter"] else token[0].split("/")
        for piece in pieces[:-1]:
            yield segment + piece
            segment = ""
        segment += pieces[-1]
    yield segment


def _parts(segment: str) -> Iterator[_Part]:
    if not segment:
        raise ValueError("two slashes follow each other")
    literal = ""
    for token in _TOKEN.finditer(segment):
        if token["parameter"]:
            if literal:
                yield _literal(literal)
                literal = ""
            yield _parameter(token[0][1:-1].replace("{{", "{").replace("}}", "}"))
        elif token[0] in "{}":
            raise ValueError(f"a brace without its other one in {segment!r}")
        else:
            literal += token[0].replace("{{", "{").replace("}}", "}")
    if literal:
        yield _literal(literal)


def _literal(text: str) -> _Literal:
    if "?" in text:
        raise ValueError(f"{text!r} holds a question mark")
    return _Literal(text)


def _parameter(text: str) -> _Parameter:
    optional = text.endswith("?")
    match = _PARAMETER.fullmatch(text.removesuffix("?"))
    if match is None or not match["name"] or set("{}/*?") & set(match["name"]):
        raise ValueError(f"{{{text}}} has no name that a parameter may have")
    rest = bool(match["stars"])
    if optional and (rest or match["default"] is not None):
        raise ValueError(f"{{{text}}} has no use for its question mark")
    checks = tuple(read_constraints(match["constraints"] or ""))
    return _Parameter(match["name"], rest, optional, match["default"], checks)


def _refuse(segments: list[list[_Part]], parameters: list[_Parameter]) -> None:
    names = [one.name.lower() for one in parameters]
    if len(set(names)) < len(names):
        raise ValueError("a parameter's name is there twice")
    for at, parts in enumerate(segments):
        takes_rest = any(isinstance(one, _Parameter) and one.rest for one in parts)
        if takes_rest and (len(parts) > 1 or at + 1 < len(segments)):
            raise ValueError("only the last segment, and all of it, may take the rest")
        for before, part in pairwise(parts):
            if isinstance(before, _Parameter) and (before.optional or isinstance(part, _Parameter)):
                raise ValueError(f"after {before.name} may come nothing, or only a literal")
            if isinstance(part, _Parameter) and part.optional and before != _Literal("."):
                raise ValueError(f"only a full stop may come before the optional {part.name}")


def _pattern(segments: list[list[_Part]], names: list[str]) -> str:
    """Write the expression; from the back, segments that may lack are put around each other."""
    pieces = []
    takes_rest = False
    for parts in segments:
        match parts:
            case [_Parameter(rest=True, name=name)]:
                takes_rest = True
                names.append(name)
                pieces.append("(?:/([^/].*)?)?")
            case _:
                pieces.append(f"/{_segment(parts, names)}")
    for at in range(len(segments) - 1, -1, -1):
        match segments[at]:
            case [_Parameter(rest=True)]:
                continue
            case [_Parameter() as one] if one.optional or one.default is not None:
                pieces[at] = f"(?:{pieces[at]}"
                pieces[-1] += ")?"
            case _:
                break
    # A slash at the end counts nothing; what takes the rest has its own rule for it.
    return "".join(pieces) + ("" if takes_rest else "/?")


def _segment(parts: list[_Part], names: list[str]) -> str:
    written = _written(parts, names)
    last = parts[-1]
    if len(parts) > 1 and isinstance(last, _Parameter) and last.optional:
        return f"(?:{written}|{_written(parts[:-2], names)}(?<!\\.))"
    return written


def _written(parts: list[_Part], names: list[str]) -> str:
    written = ""
    for part in parts:
        if isinstance(part, _Literal):
            written += "".join(map(_either_case, part.text))
        else:
            names.append(part.name)
            written += "([^/]+)"
    return written


def _either_case(letter: str) -> str:
    """Match a letter as the vendor compares: case by case, and across ASCII's end none."""
    forms = {letter, letter.lower(), letter.upper()}
    same = {one for one in forms if len(one) == 1 and one.isascii() == letter.isascii()}
    return f"(?:{'|'.join(map(re.escape, sorted(same)))})"
