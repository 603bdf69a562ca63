"""What a page of another site may have sent is refused at the local cloud's own doors."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from localcloud.same_machine import for_this_machine

CHECK = for_this_machine("/admin/", "/runtime/")
DOOR = "/admin/functions/sweep"


async def _answered(_request: web.Request) -> web.StreamResponse:
    return web.Response(status=202)


def ask(path: str = DOOR, method: str = "POST", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def call() -> int:
        request = make_mocked_request(method, path, headers={"Host": "127.0.0.1:7071", **named})
        return (await CHECK(request, _answered)).status

    return asyncio.run(call())


@pytest.mark.parametrize("host", ["localhost", "localhost:7071", "[::1]:7071", "127.0.0.2"])
def test_programs_of_this_machine_come_in(host: str) -> None:
    assert ask(Host=host) == 202
    assert ask(Host=host, Origin=f"http://{host}", Sec_Fetch_Site="same-origin") == 202


@pytest.mark.parametrize("host", ["evil.example:7071", "evil.example", "", "8.8.8.8", "[::1"])
def test_a_name_that_was_made_to_point_here_does_not(host: str) -> None:
    assert ask(Host=host) == 403
    assert ask(method="GET", Host=host) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_a_page_of_another_site_does_not(headers: dict[str, str]) -> None:
    assert ask(**headers) == 403
    # What only looks, a browser does not let it read.
    assert ask(method="GET", **headers) == 202


def test_the_functions_of_the_app_check_for_themselves() -> None:
    assert ask("/dashboard", Host="evil.example", Origin="https://evil.example") == 202
