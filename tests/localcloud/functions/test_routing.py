"""Rules of the router that the recordings do not hold, and how it says no."""

import pytest

from localcloud.functions.routes.router import Route, Router
from localcloud.functions.routes.targets import BadTargetError, read_target


def found(path: str, *templates: str, method: str = "GET") -> tuple[str, dict[str, str]] | None:
    router = Router(Route.parse(text, methods=None, function=text) for text in templates)
    match = router.find(method, read_target(method, path).path)
    return (match[0].function, match[1]) if match else None


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("", "/", {}),
        ("", "/x", None),
        ("a/{x?}/{*rest}", "/a", {}),
        ("a/{x?}/{*rest}", "/a/1/2/", {"x": "1", "rest": "2/"}),
        ("a/{x?}/{y=2}", "/a/1", {"x": "1", "y": "2"}),
        ("a/{x?}/b", "/a/b", None),
        ("a/{x=}/b", "/a/1/b", {"x": "1"}),
        ("{{x}}/{y}", "/{x}/1", {"y": "1"}),
        ("a/{x:regex(^[/:=)]+$)}", "/a/:=)", {"x": ":=)"}),
        ("a/{x:min(1):max(3)=2}", "/a", {"x": "2"}),
        ("a/{x:min(1):max(3)=2}", "/a/4", None),
        ("a/{x:decimal}", f"/a/-{2**96 - 1}", {"x": f"-{2**96 - 1}"}),
        ("a/{x:decimal}", f"/a/{2**96}", None),
        ("a/{x:float}", "/a/+Infinity", {"x": "+Infinity"}),
        ("a/{x:datetime}", "/a/2026-12-01T00:00+14:00", {"x": "2026-12-01T00:00+14:00"}),
        ("a/{x:datetime}", "/a/2026-12-01T00:00+15:00", None),
        ("STRASSE/{x}", "/strasse/1", {"x": "1"}),
        ("STRASSE/{x}", "/%C5%BFtrasse/1", None),
        ("k", "/%E2%84%AA", None),
        ("\u0131d", "/Id", None),
        ("a/{name}-{part}.{ext?}", "/a/n-p", {"name": "n", "part": "p"}),
        ("a/{name}-{part}.{ext?}", "/a/n-p.txt", {"name": "n", "part": "p", "ext": "txt"}),
        ("a/{x:guid}", "/a/7d444840-9dc0-11d1-b245-5ffdce74fad", None),
        ("a/{x:datetime}", "/a/2026-02-30", None),
    ],
)
def test_a_template_takes_its_paths(
    template: str, path: str, parameters: dict[str, str] | None
) -> None:
    expected = None if parameters is None else (template, parameters)
    assert found(path, template) == expected


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("a/{x?}-{y}", "after x may come nothing"),
        ("a/{x}-{y?}", "only a full stop may come before the optional y"),
        ("a/{x=1?}", "has no use for its question mark"),
        ("~x", "a route begins with ~ only before a slash"),
        ("a/{x:min(1,2)}", r"min does not take \(1,2\)"),
        ("a/{x:range(2,1)}", r"range does not take \(2,1\)"),
        ("a/{x:range(1_0,20)}", "needs whole numbers"),
        ("a/{x:max(9223372036854775808)}", "needs whole numbers"),
        ("a/{x:maxlength(2147483648)}", "needs whole numbers"),
        ("a/{x:minlength(-1)}", "minlength takes no number below zero"),
        ("a/{x:int(3)}", "is no constraint, or not with these arguments"),
        ("a/{x:length}", "is no constraint, or not with these arguments"),
    ],
)
def test_a_template_that_the_vendor_refuses_is_refused(template: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Route.parse(template, methods=None, function="f")


@pytest.mark.parametrize(
    ("sent", "status"),
    [("*", 400), ("http://a/b", 400), ("/a%00", 400), ("/" + "x" * 8192, 414)],
)
def test_what_no_function_is_asked_for(sent: str, status: int) -> None:
    with pytest.raises(BadTargetError) as caught:
        read_target("GET", sent)
    assert caught.value.status == status
