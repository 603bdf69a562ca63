"""HTTP functions of the running host: routes, keys and answers."""

import json
import socket
import stat
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from localcloud.functions.keys import Keys
from tests.support.localcloud.hosts import Host, running_host


@pytest.fixture(scope="module")
def development(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running_host("web", tmp_path_factory.mktemp("development")) as host:
        yield host


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("production")
    with running_host("web", folder, AZURE_FUNCTIONS_ENVIRONMENT="Production") as host:
        yield host


def key_of(host: Host) -> str:
    return (host.stderr_path.parent / "state" / "functions.key").read_text(encoding="utf-8")


def test_a_function_gets_the_whole_request(development: Host) -> None:
    answer = development.call(
        "/v2/ECHO/a%20b/c/d%2Fe?q=1&q=2",
        method="PUT",
        body="größe".encode(),
        headers={"X-Mixed-Case": "Kept"},
    )
    assert (answer.status, answer.headers["content-type"]) == (201, "application/json")
    assert json.loads(answer.body) == {
        "method": "PUT",
        "url": f"{development.url}/v2/ECHO/a%20b/c/d%2Fe?q=1&q=2",
        "route": {"name": "a b", "rest": "c/d%2Fe"},
        "query": {"q": "1,2"},
        "header": "Kept",
        "body": "größe",
    }


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/v2/things/7", 200, "things 7"),
        ("/v2/things", 200, "things None"),
        ("/v2/things/special", 200, "special GET"),
        ("/v2//things/7", 404, ""),
        ("/v2/nothing/../things/7", 200, "things 7"),
        ("/v2/things/word", 404, ""),
        ("/api/things/7", 404, ""),
        ("/", 200, "<!DOCTYPE html>\n<title>Local cloud</title>\nThe Functions host is running.\n"),
        ("/admin/host/ping", 200, ""),
        ("/admin/host/status", 200, '{"state": "Running"}'),
        ("/admin/nothing", 404, ""),
        ("/runtime/webhooks/blobs", 404, ""),
    ],
)
def test_paths_lead_to_their_functions(
    development: Host, path: str, status: int, text: str
) -> None:
    answer = development.call(path)
    assert (answer.status, answer.text) == (status, text)


def test_a_method_that_the_trigger_does_not_name_finds_nothing(development: Host) -> None:
    assert development.call("/v2/things/7", method="DELETE").status == 404


def test_headers_and_cookies_of_an_answer_arrive(development: Host) -> None:
    answer = development.call("/v2/things/special")
    assert answer.headers["X-Own"] == "yes"
    assert answer.headers["Set-Cookie"] == "a=1; Path=/"


@pytest.mark.parametrize("value", ["grün", "a\r\nX-Other: b", "a\x7f"])
def test_a_header_of_an_answer_that_cannot_be_sent_makes_it_an_empty_500(
    development: Host, value: str
) -> None:
    told = development.call("/v2/telling", method="POST", body=b"plain, with spaces")
    assert (told.status, told.headers["X-Own"]) == (200, "plain, with spaces")
    refused = development.call("/v2/telling", method="POST", body=value.encode())
    assert (refused.status, refused.text, refused.headers.get("X-Own")) == (500, "", None)
    assert "in header 'X-Own'" in development.stderr()


ASKING = b"GET /v2/echo/a/b HTTP/1.1\r\n"
HERE = b"Host: 127.0.0.1\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    ("request_lines", "status"),
    [
        (ASKING + HERE, 201),
        (ASKING + HERE + b"X-High: \xc3\xbc\r\n", 201),
        (ASKING + HERE + b"X-High: \xfc\r\n", 400),
        (ASKING + b"Connection: close\r\n", 400),
        (ASKING.replace(b"1.1", b"1.0"), 500),
        (ASKING + HERE + b"".join(b"X-%d: a\r\n" % at for at in range(98)), 201),
        (ASKING + HERE + b"".join(b"X-%d: a\r\n" % at for at in range(99)), 431),
        (ASKING + HERE + b"X-Long: " + b"a" * 32_000 + b"\r\n", 201),
        (ASKING + HERE + b"X-Long: " + b"a" * 33_000 + b"\r\n", 431),
        (ASKING.replace(b"/b", b"/" + b"b" * 8192) + HERE, 414),
    ],
    ids=range(10),
)
def test_what_the_vendor_s_server_refuses_reaches_no_function(
    development: Host, request_lines: bytes, status: int
) -> None:
    address = urlsplit(development.url)
    with socket.create_connection((address.hostname or "", address.port or 0), 30) as line:
        line.sendall(request_lines + b"\r\n")
        answer = HTTPResponse(line)
        answer.begin()
        assert answer.status == status


def test_two_headers_of_a_name_arrive_as_one_and_a_parameter_without_value_not_at_all(
    development: Host,
) -> None:
    address = urlsplit(development.url)
    with closing(HTTPConnection(address.hostname or "", address.port, timeout=30)) as connection:
        connection.putrequest("GET", "/v2/echo/a/b?none=&some=1")
        connection.putheader("X-Mixed-Case", "a=1")
        connection.putheader("x-mixed-case", "b=2")
        connection.endheaders()
        told = json.loads(connection.getresponse().read())
    assert (told["header"], told["query"]) == ("a=1,b=2", {"some": "1"})


def test_a_failing_function_is_500_with_its_log_line_untouched(development: Host) -> None:
    answer = development.call("/v2/failing", method="POST", body=b"x")
    assert (answer.status, answer.text) == (500, "")
    assert '{"event": "app.line", "method": "POST"}' in development.stderr().splitlines()
    assert "told to fail" in development.stderr()


def test_a_function_that_leaves_does_not_take_the_host_with_it(development: Host) -> None:
    assert development.call("/v2/leaving", method="POST", body=b"").status == 500
    assert "tried to end the process" in development.stderr()
    assert development.call("/").status == 200


def test_a_body_over_the_hosts_limit_does_not_reach_the_function(development: Host) -> None:
    length = {"Content-Length": str(100 * 1024 * 1024 + 1)}
    answer = development.call("/v2/echo/a/b", method="POST", headers=length)
    assert (answer.status, answer.body) == (500, b"")


def test_a_body_in_chunks_does_not_reach_the_function(development: Host) -> None:
    address = urlsplit(development.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=30)
    with closing(connection):
        connection.request("POST", "/v2/echo/a/b", body=iter([b"one", b"two"]), encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, json.loads(answer.read())["body"]) == (201, "")


def test_outside_development_only_anonymous_functions_open_without_a_key(
    production: Host,
) -> None:
    assert production.call("/v2/echo/a/b").status == 201
    assert production.call("/v2/things/7").status == 401
    assert production.call("/v2/failing", method="POST", body=b"").status == 401
    assert production.call("/v2/things/7?code=wrong").status == 401
    assert production.call("/admin/host/status").status == 401
    assert production.call("/admin/functions/x", method="POST", body=b"").status == 401
    webhook = "/runtime/webhooks/eventgrid?functionName=x"
    assert production.call(webhook, method="POST", body=b"[]").status == 401


def test_the_generated_key_opens_by_header_and_by_query_and_stays_out_of_the_log(
    production: Host,
) -> None:
    key = key_of(production)
    by_header = production.call("/v2/things/7", headers={"x-functions-key": key})
    by_query = production.call(f"/v2/things/7?code={key}")
    assert (by_header.status, by_query.status) == (200, 200)
    assert key not in production.stderr()
    path = production.stderr_path.parent / "state" / "functions.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_each_door_has_a_key_of_its_own_and_the_header_wins_by_being_there(
    production: Host,
) -> None:
    keys = Keys.of(key_of(production))
    webhook = "/runtime/webhooks/eventgrid?functionName=x"

    def status(path: str, key: str) -> int:
        return production.call(path, headers={"x-functions-key": key}).status

    assert [status(webhook, key) for key in (keys.host, keys.system)] == [403, 404]
    assert status("/v2/things/7", keys.system) == 401
    doors = ("/v2/things/7", "/admin/host/status")
    assert [status(door, keys.master) for door in doors] == [200, 200]
    assert status("/admin/host/status", keys.host) == 403
    for door, told in ((webhook, "Bearer"), ("/admin/host/status", "Bearer"), (doors[0], None)):
        assert production.call(door).headers.get("WWW-Authenticate") == told
    assert status(f"/v2/things/7?code={keys.host}", "") == 401
    assert production.call(f"/v2/things/7?Code={keys.host}").status == 200


def test_a_key_of_the_users_own_is_taken_from_the_setting(tmp_path: Path) -> None:
    with running_host(
        "web",
        tmp_path,
        AZURE_FUNCTIONS_ENVIRONMENT="Staging",
        LOCALCLOUD_FUNCTIONS_KEY="schlüssel-1",
    ) as host:
        assert host.call("/v2/things/7?code=schl%C3%BCssel-1").status == 200
        assert not (tmp_path / "state").exists()
