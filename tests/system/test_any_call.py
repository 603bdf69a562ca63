"""Any call of the API as its own document has it, over the strict host, by each role and by nobody.

Schemathesis makes the calls up. No answer is a 5xx, a status that the document does not name, or a
body outside its schema, and nobody does what his role may not.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.openapi import document
from tests.support.http.calling import OBJECT_ID, SIGNED_IN, principal
from tests.support.localcloud.hosts import DEADLINE_S, http_call, ready_line, start_localcloud
from tests.support.localcloud.instances import FAST
from tests.support.speed import examples

OPERATIONS = {
    found.ok().label: found.ok()
    for found in schemathesis.openapi.from_dict(document()).get_all_operations()
    if isinstance(found, Ok)
}
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
READER, STRANGER = "a1b2c3d4-0000-4000-8000-000000000001", "a1b2c3d4-0000-4000-8000-000000000002"
CALLERS: Mapping[str, Mapping[str, str]] = {
    "nobody": {},
    "somebody without a role": {"x-ms-client-principal": principal(object_id=STRANGER)},
    "reader": {"x-ms-client-principal": principal("Replication.Reader", object_id=READER)},
    "operator": {"x-ms-client-principal": principal("Replication.Operator")},
}
# The more a caller may, the more there is to find.
SHARE = {"nobody": 10, "somebody without a role": 10, "reader": 30, "operator": 60}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the app where the platform signs callers in; yields its address."""
    folder = tmp_path_factory.mktemp("any-call")
    with ExitStack() as stack:

        def start(*arguments: str, **settings: str) -> dict[str, str]:
            log = stack.enter_context((folder / f"{arguments[0]}.log").open("w", encoding="utf-8"))
            process = stack.enter_context(
                start_localcloud(*arguments, settings=settings, stderr=log)
            )
            stack.callback(process.wait, DEADLINE_S)
            stack.callback(process.terminate)
            return ready_line(process)

        storage = start("storage", "--port-base", "0")["storage"]
        arm = start("arm", "--port", "0")["arm"]
        host = start(
            *("functions", "--port", "0", "--state", str(folder / "state")),
            **{
                **FAST,
                **SIGNED_IN,
                "AZURE_FUNCTIONS_ENVIRONMENT": "Production",
                "AzureWebJobsStorage": storage,
                "AZURE_RESOURCE_MANAGER_URL": arm,
            },
        )
        yield host["functions"]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_asked_is_answered_as_the_document_says(name: str, caller: str, app: str) -> None:
    @settings(
        max_examples=examples(SHARE[caller]),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(name))
    def every(case: Case[Any]) -> None:
        ask(case, app, caller)

    every()


def cases(name: str) -> st.SearchStrategy[Case[Any]]:
    """Draw calls as the document allows them, and others."""
    operation = OPERATIONS[name]
    allowed = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    return allowed | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)


def ask(case: Case[Any], app: str, caller: str) -> None:
    response = case.call(base_url=app, headers=dict(CALLERS[caller]))
    case.validate_response(response, checks=CHECKS)
    may_ask = caller == "operator" or (caller == "reader" and case.method.upper() == "GET")
    if not may_ask:
        assert response.status_code == (401 if caller == "nobody" else 403)


def test_nobody_did_what_he_may_not(app: str) -> None:
    """Runs last, after all that readers and strangers have tried."""
    acted: set[str] = set()
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        asked = http_call(f"{app}/api/v1/actions?limit=200{more}", headers=CALLERS["operator"])
        page = json.loads(asked.body)
        acted |= {one["by"] for one in page["items"]}
        cursor = page["next"]
    assert len(acted) == 1
    assert OBJECT_ID in acted.pop()
