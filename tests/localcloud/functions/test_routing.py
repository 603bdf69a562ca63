import pytest

from localcloud.functions.routing import Route, Router

GUID = "7d444840-9dc0-11d1-b245-5ffdce74fad2"


def router(*templates: str) -> Router:
    return Router(Route.parse(text, methods=(), function=text) for text in templates)


def found(routes: Router, path: str, method: str = "GET") -> tuple[str, dict[str, str]] | None:
    match = routes.find(method, path)
    return (match[0].function, match[1]) if match else None


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("api/x", "/api/x", {}),
        ("api/x", "/API/X/", {}),
        ("api/x", "/api", None),
        ("api/x", "/api/x/y", None),
        ("", "/", {}),
        ("", "/x", None),
        ("a/{key}", "/a/K%20e%2Fy", {"key": "K e/y"}),
        ("a/{key}", "/a", None),
        ("a/{key?}", "/a", {}),
        ("a/{key?}", "/a/1/2", None),
        ("a/{*rest}", "/a/1/2", {"rest": "1/2"}),
        ("a/{*rest}", "/a", {"rest": ""}),
        ("a/{**rest}", "/a/1", {"rest": "1"}),
        ("a/{n:int}", "/a/-7", {"n": "-7"}),
        ("a/{n:int}", "/a/x", None),
        ("a/{n:alpha}", "/a/x1", None),
        ("a/{n:bool}", "/a/True", {"n": "True"}),
        ("a/{n:guid}", f"/a/{GUID}", {"n": GUID}),
        ("a/{n:guid}", "/a/7d44", None),
    ],
)
def test_a_template_takes_its_paths(
    template: str, path: str, parameters: dict[str, str] | None
) -> None:
    match = found(router(template), path)
    assert match == (None if parameters is None else (template, parameters))


def test_literals_win_over_constraints_those_over_parameters_those_over_the_rest() -> None:
    routes = router("a/{*rest}", "a/{key}", "a/{n:int}", "a/b")
    assert found(routes, "/a/b") == ("a/b", {})
    assert found(routes, "/a/1") == ("a/{n:int}", {"n": "1"})
    assert found(routes, "/a/c") == ("a/{key}", {"key": "c"})
    assert found(routes, "/a/c/d") == ("a/{*rest}", {"rest": "c/d"})


def test_methods_choose_between_functions_on_one_route() -> None:
    routes = Router(
        [
            Route.parse("a", methods=["get"], function="read"),
            Route.parse("a", methods=["POST", "PUT"], function="write"),
        ]
    )
    assert found(routes, "/a") == ("read", {})
    assert found(routes, "/a", "put") == ("write", {})
    assert found(routes, "/a", "DELETE") is None


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("a/{x", "cannot read the segment '{x'"),
        ("a/v{x}", "cannot read the segment 'v{x}'"),
        ("a/{x:range(1,2)}", "cannot read the segment"),
        ("a/{x:odd}", "constraint 'odd' is not one of alpha, bool, guid, int"),
        ("{*x}/a", "only the last segment may be"),
        ("{x?}/a", "only the last segment may be"),
    ],
)
def test_a_template_that_this_host_cannot_read_is_refused(template: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        router(template)
