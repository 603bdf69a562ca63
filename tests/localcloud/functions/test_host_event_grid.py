"""The Event Grid webhook of the running host."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.localcloud.hosts import Answer, Host, running_host

URL = "/runtime/webhooks/eventgrid?functionName=listen"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with running_host("events", tmp_path_factory.mktemp("events")) as host:
        yield host


def post(host: Host, document: Any, kind: str | None = "Notification", path: str = URL) -> Answer:
    headers = {"Content-Type": "application/json"} | ({"aeg-event-type": kind} if kind else {})
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return host.call(path, method="POST", body=body, headers=headers)


def grid_event(event_id: str, data: Any = None) -> dict[str, Any]:
    return {
        "id": event_id,
        "topic": "/subscriptions/x",
        "subject": "/s",
        "eventType": "Test",
        "eventTime": "2026-01-02T03:04:05.1234567Z",
        "dataVersion": "1",
        "data": data,
    }


def seen(host: Host, event_id: str) -> list[dict[str, Any]]:
    return [line for line in host.records() if line["id"] == event_id]


def test_an_array_is_one_invocation_an_element_in_parallel(host: Host) -> None:
    # Each of the two waits for the other inside the function.
    assert post(host, [grid_event("pair-1"), grid_event("pair-2")]).status == 202
    assert len(seen(host, "pair-1")) == len(seen(host, "pair-2")) == 1


def test_a_single_object_and_an_empty_array_are_accepted(host: Host) -> None:
    assert post(host, grid_event("single", {"a": [1]}), "notification").status == 202
    assert seen(host, "single") == [{"kind": "EventGridEvent", "id": "single", "data": {"a": [1]}}]
    assert post(host, []).status == 202


def test_a_cloud_event_arrives_as_one(host: Host) -> None:
    event = {"specversion": "1.0", "id": "cloud", "source": "/s", "type": "T", "data": {"b": 1}}
    assert post(host, event).status == 202
    assert [line["kind"] for line in seen(host, "cloud")] == ["CloudEvent"]


def test_what_is_packed_is_not_unpacked(host: Host) -> None:
    packed = gzip.compress(json.dumps([grid_event("packed")]).encode())
    headers = {"aeg-event-type": "Notification", "Content-Encoding": "gzip"}
    assert host.call(URL, method="POST", body=packed, headers=headers).status == 500
    assert seen(host, "packed") == []


def test_one_failure_makes_the_whole_delivery_fail_after_all_have_run(host: Host) -> None:
    answer = post(host, [grid_event("fail"), grid_event("beside-fail")])
    assert answer.status == 500
    assert answer.text == "Exception while executing function: Functions.listen"
    assert len(seen(host, "beside-fail")) == 1


@pytest.mark.parametrize("as_array", [True, False])
def test_the_handshake_of_the_event_grid_schema_returns_the_code(
    host: Host, *, as_array: bool
) -> None:
    data = {"validationCode": "512d38b6", "validationUrl": "unused"}
    document = [{"data": data}] if as_array else {"data": json.dumps(data)}
    answer = post(host, document, "SubscriptionValidation")
    assert (answer.status, json.loads(answer.body)) == (200, {"validationResponse": "512d38b6"})


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("eventgrid.azure.net", "eventgrid.azure.net"),
        ("evil.example", "eventgrid.azure.net"),
        (None, "eventgrid.azure.net"),
    ],
)
def test_the_handshake_of_cloud_events_allows_event_grid_alone(
    host: Host, origin: str | None, allowed: str
) -> None:
    headers = {"WebHook-Request-Origin": origin} if origin else {}
    answer = host.call(URL, method="OPTIONS", headers=headers)
    assert (answer.status, answer.headers["Webhook-Allowed-Origin"]) == (200, allowed)


@pytest.mark.parametrize("kind", [None, "SomethingElse"])
def test_a_delivery_without_a_known_event_type_header_is_400(host: Host, kind: str | None) -> None:
    assert post(host, [grid_event("unheard")], kind).status == 400
    assert seen(host, "unheard") == []


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b'"text"', b"\xff"])
@pytest.mark.parametrize("kind", ["Notification", "SubscriptionValidation"])
def test_a_body_that_cannot_be_read_is_500_so_that_it_is_sent_again(
    host: Host, body: bytes, kind: str
) -> None:
    assert post(host, body, kind).status == 500


@pytest.mark.parametrize("document", [[], [{}], {"data": {"validationKey": 1}}])
def test_a_handshake_without_a_code_is_500(host: Host, document: Any) -> None:
    assert post(host, document, "SubscriptionValidation").status == 500


def test_unsubscribe_is_accepted_without_a_call(host: Host) -> None:
    assert post(host, [grid_event("bye")], "Unsubscribe").status == 202
    assert seen(host, "bye") == []


@pytest.mark.parametrize("method", ["HEAD", "PATCH"])
def test_other_verbs_find_no_webhook(host: Host, method: str) -> None:
    assert host.call(URL, method=method).status == 404


@pytest.mark.parametrize("path", ["/Runtime/WebHooks/EventGrid", "/runtime/webhooks/eventgrid/x"])
def test_the_path_has_no_letter_case_and_any_tail(host: Host, path: str) -> None:
    assert post(host, [], path=f"{path}?functionName=listen").status == 202


def test_another_extension_is_not_there(host: Host) -> None:
    assert post(host, [], path="/runtime/webhooks/other?functionName=listen").status == 404


@pytest.mark.parametrize(
    ("query", "name"), [("?functionName=Listen", "Listen"), ("", ""), ("?functionName=x", "x")]
)
def test_an_unknown_function_is_404_and_names_count_their_case(
    host: Host, query: str, name: str
) -> None:
    answer = post(host, [], path=f"/runtime/webhooks/eventgrid{query}")
    assert (answer.status, answer.text) == (404, f"cannot find function: '{name}'")


def test_a_body_of_several_mebibytes_comes_in_and_one_beyond_the_limit_does_not(
    host: Host,
) -> None:
    assert post(host, [grid_event("large", "x" * 2 * 1024 * 1024)]).status == 202
    length = {"Content-Length": str(100 * 1024 * 1024 + 1), "aeg-event-type": "Notification"}
    assert host.call(URL, method="POST", headers=length).status == 500
