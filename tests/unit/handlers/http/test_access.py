"""Who may call what: only whom the platform vouches for, and no site in someone's browser."""

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.http.access import (
    ACTION_VALUE,
    CORE_TOOLS,
    TOKEN_COOKIE,
    Call,
    Caller,
    DeniedError,
    Role,
    authorise,
    http_auth_level,
)
from tests.support.http.calling import (
    AUDIENCE,
    OBJECT_ID,
    SIGNED_IN,
    TENANT,
    TOKEN_CLAIMS,
    principal,
)

KEYED = {"AZURE_FUNCTIONS_ENVIRONMENT": "Production"}
LOCAL = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}
AZURE_URL = "https://replicator.azurewebsites.net/api/v1/queues"
LOCAL_URL = "http://127.0.0.1:7071/api/v1/queues"
OPERATOR = principal("Replication.Operator")
READER = principal("Replication.Reader")
TOKEN = "t0ken"  # noqa: S105 - a test's


def ask(
    wanted: Role,
    env: Mapping[str, str],
    *,
    method: str = "GET",
    url: str = AZURE_URL,
    **headers: str,
) -> Caller:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return authorise(Call(method=method, url=url, headers=named), wanted, env)


def denied(*args: Any, **kwargs: Any) -> tuple[HTTPStatus, str]:
    with pytest.raises(DeniedError) as raised:
        ask(*args, **kwargs)
    return raised.value.status, str(raised.value)


@pytest.mark.parametrize(
    ("env", "level"),
    [
        ({}, "function"),
        (KEYED, "function"),
        (LOCAL, "function"),
        ({"WEBSITE_AUTH_ENABLED": "False"}, "function"),
        (SIGNED_IN, "anonymous"),
        ({**SIGNED_IN, "WEBSITE_AUTH_ENABLED": " true "}, "anonymous"),
        ({"WEBSITE_AUTH_ENABLED": "True"}, "function"),
        ({"WEBSITE_AUTH_ENABLED": "True", "CONTAINER_APP_NAME": "a"}, "function"),
    ],
)
def test_the_host_asks_for_a_key_wherever_the_platform_does_not_authenticate(
    env: dict[str, str], level: str
) -> None:
    assert http_auth_level(env) is func.AuthLevel(level)


def test_a_role_of_the_principal_decides_where_the_platform_authenticates() -> None:
    reader = ask(Role.READER, SIGNED_IN, x_ms_client_principal=READER)
    assert reader == Caller(by=f"operator {OBJECT_ID}", role=Role.READER)
    assert ask(Role.READER, SIGNED_IN, x_ms_client_principal=OPERATOR).role is Role.OPERATOR
    assert ask(Role.OPERATOR, SIGNED_IN, x_ms_client_principal=OPERATOR).role is Role.OPERATOR
    both = principal("Replication.Reader", "Replication.Operator")
    assert ask(Role.OPERATOR, SIGNED_IN, x_ms_client_principal=both).role is Role.OPERATOR


def test_a_reader_may_not_act() -> None:
    status, told = denied(Role.OPERATOR, SIGNED_IN, x_ms_client_principal=READER)
    assert (status, told) == (403, "this needs the app role Replication.Operator")


def test_nobody_is_named_but_by_an_object_id() -> None:
    by = ask(Role.READER, SIGNED_IN, x_ms_client_principal=READER).by
    assert "Ann" not in by
    claims = [*TOKEN_CLAIMS, {"typ": "oid", "val": OBJECT_ID.upper()}]
    claims.append({"typ": "idtyp", "val": "app"})
    claims.append({"typ": "roles", "val": "Replication.Reader"})
    header = principal(claims=claims)
    app = ask(Role.READER, SIGNED_IN, x_ms_client_principal=header)
    assert app.by == f"app {OBJECT_ID}"


def encoded(document: object) -> str:
    return base64.b64encode(json.dumps(document).encode()).decode()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("", 401),
        ("not base64!", 401),
        ("Zm9v", 401),
        (encoded([]), 401),
        (encoded({}), 401),
        ("[" * 90_000, 401),
        (principal("Replication.Operator", auth_typ="github"), 401),
        (principal("Replication.Operator", claims=[]), 401),
        (principal("Replication.Operator", claims=[*TOKEN_CLAIMS]), 401),
        (principal(claims=None), 401),
        (principal(claims=[*TOKEN_CLAIMS, 5, {"typ": 1, "val": 2}]), 401),
        (principal(claims=[*TOKEN_CLAIMS, {"typ": "oid", "val": "<script>"}]), 401),
        (principal(), 403),
        (principal("replication.operator"), 403),
        (principal("Owner"), 403),
    ],
)
def test_a_principal_that_says_too_little_is_denied(header: str, status: int) -> None:
    assert denied(Role.READER, SIGNED_IN, x_ms_client_principal=header)[0] == status


@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
def test_no_header_whatever_opens_or_breaks_it(header: str) -> None:
    assert denied(Role.READER, SIGNED_IN, x_ms_client_principal=header)[0] in (401, 403)


def stranger(**changes: str) -> str:
    """Return an operator's header with other claims of where the token is from."""
    of = {"aud": AUDIENCE, "tid": TENANT, **changes}
    claims = [{"typ": kind, "val": value} for kind, value in of.items() if value]
    claims += [{"typ": "oid", "val": OBJECT_ID}, {"typ": "roles", "val": "Replication.Operator"}]
    return principal(claims=claims)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tid": "99999999-1111-2222-3333-444455556666"}, "a tenant that SIGN_IN_TENANTS"),
        ({"tid": ""}, "a tenant that SIGN_IN_TENANTS"),
        ({"aud": "api://99999999-1111-2222-3333-444455556666"}, "an audience that SIGN_IN_AUD"),
        ({"aud": ""}, "an audience that SIGN_IN_AUDIENCES"),
        (
            {"http://schemas.microsoft.com/identity/claims/tenantid": "another"},
            "a tenant that SIGN_IN_TENANTS",
        ),
    ],
)
def test_a_token_of_another_tenant_or_for_another_app_is_not_believed(
    changes: dict[str, str], told: str
) -> None:
    assert ask(Role.OPERATOR, SIGNED_IN, x_ms_client_principal=stranger()).role is Role.OPERATOR
    status, said = denied(Role.READER, SIGNED_IN, x_ms_client_principal=stranger(**changes))
    assert status == 401
    assert told in said


@pytest.mark.parametrize("lacking", ["SIGN_IN_TENANTS", "SIGN_IN_AUDIENCES"])
def test_where_nobody_says_whose_tokens_count_none_does(lacking: str) -> None:
    env = {**SIGNED_IN, lacking: " "}
    status, told = denied(Role.READER, env, x_ms_client_principal=OPERATOR)
    assert status == 401
    assert "set SIGN_IN_TENANTS and SIGN_IN_AUDIENCES" in told


def test_several_tenants_and_audiences_may_be_named_in_any_letter_case() -> None:
    env = {
        **SIGNED_IN,
        "SIGN_IN_TENANTS": f"99999999-1111-2222-3333-444455556666, {TENANT.upper()}",
        "SIGN_IN_AUDIENCES": f"other {AUDIENCE.upper()}",
    }
    assert ask(Role.OPERATOR, env, x_ms_client_principal=OPERATOR).role is Role.OPERATOR


@pytest.mark.parametrize("platform", [{}, {"CONTAINER_APP_NAME": "a"}])
def test_outside_app_service_its_switch_makes_no_principal_true(platform: dict[str, str]) -> None:
    env = {name: value for name, value in SIGNED_IN.items() if name != "WEBSITE_SITE_NAME"}
    caller = ask(Role.READER, {**env, **platform}, x_ms_client_principal=OPERATOR)
    assert caller.by == "a function key"


def test_a_forged_principal_means_nothing_where_keys_are_asked() -> None:
    caller = ask(Role.OPERATOR, KEYED, x_ms_client_principal=OPERATOR)
    assert caller.by == "a function key"


@pytest.mark.parametrize("url", [LOCAL_URL, "http://localhost:7071/", "http://[::1]:7071/x"])
def test_on_a_developers_machine_there_is_one_operator(url: str) -> None:
    assert ask(Role.OPERATOR, LOCAL, url=url).by == "the local operator"


def test_the_local_operator_is_nobody_elsewhere() -> None:
    assert denied(Role.READER, LOCAL, url=AZURE_URL)[0] == 401
    # A name that was made to point at this machine.
    assert denied(Role.READER, LOCAL, url=LOCAL_URL, host="evil.example:7071")[0] == 401
    assert ask(Role.READER, LOCAL, url=LOCAL_URL, host="localhost:7071").role is Role.OPERATOR


@pytest.mark.parametrize(
    "name",
    [
        "WEBSITE_INSTANCE_ID",
        "WEBSITE_SITE_NAME",
        "WEBSITE_HOSTNAME",
        "WEBSITE_POD_NAME",
        "CONTAINER_NAME",
        "LEGION_SERVICE_HOST",
        "KUBERNETES_SERVICE_HOST",
        "CONTAINER_APP_NAME",
    ],
)
def test_a_platform_that_is_set_to_development_has_no_local_operator(name: str) -> None:
    env = {**LOCAL, name: "abc"}
    assert ask(Role.READER, env, url=LOCAL_URL).by == "a function key"
    # Where nobody was asked for a key, nobody has shown one.
    status, told = denied(Role.READER, {**env, CORE_TOOLS: "true"}, url=LOCAL_URL)
    assert (status, told.split(",")[0]) == (401, "Core Tools ask for no key")


@pytest.mark.parametrize("name", ["disguised_host", "x_forwarded_host"])
@pytest.mark.parametrize("value", ["app.example", "127.0.0.1:7071", ""])
def test_a_request_that_a_front_end_hands_on_is_not_the_local_operators(
    name: str, value: str
) -> None:
    status, _ = denied(Role.READER, LOCAL, url=LOCAL_URL, **{name: value})
    assert status == 401


PAGE = {
    "host": "127.0.0.1:7071",
    "origin": "http://127.0.0.1:7071",
    "sec-fetch-site": "same-origin",
    "x-requested-with": ACTION_VALUE,
    "x-csrf-token": TOKEN,
    "cookie": f"other=1; {TOKEN_COOKIE}={TOKEN}",
}


def act(**changes: str | None) -> Caller:
    headers = {**PAGE, **{name.replace("_", "-"): value for name, value in changes.items()}}
    kept = {name: value for name, value in headers.items() if value is not None}
    return authorise(Call(method="POST", url=LOCAL_URL, headers=kept), Role.OPERATOR, LOCAL)


def test_a_page_of_ours_may_act() -> None:
    assert act().by == "the local operator"


@pytest.mark.parametrize("other", ['prefs={"a":1}', "n=hello world", "é", "=", "a", 'x="'])
def test_a_cookie_of_another_program_hides_not_the_pages_own(other: str) -> None:
    assert act(cookie=f"{other}; {TOKEN_COOKIE}={TOKEN}; {other}").by == "the local operator"


@pytest.mark.parametrize(
    "header",
    [
        f"other=1,{TOKEN_COOKIE}={TOKEN}",
        f"{TOKEN_COOKIE}={TOKEN},other=1",
        f"a=1; b=2,c=3; {TOKEN_COOKIE}={TOKEN},d=4; e=5",
        # No header of its own, but what another's cookie holds.
        f"other=1,{TOKEN_COOKIE}=forged; {TOKEN_COOKIE}={TOKEN}",
    ],
)
def test_two_cookie_headers_that_the_host_joins_are_read_as_two(header: str) -> None:
    assert act(cookie=header).by == "the local operator"


def test_over_https_only_the_cookie_of_this_very_host_counts() -> None:
    url = AZURE_URL
    host = {
        "host": "replicator.azurewebsites.net",
        "origin": "https://replicator.azurewebsites.net",
    }
    page = {**PAGE, **host, "x-ms-client-principal": OPERATOR}

    def act_with(cookie: str) -> Caller:
        call = Call(method="POST", url=url, headers={**page, "cookie": cookie})
        return authorise(call, Role.OPERATOR, SIGNED_IN)

    assert act_with(f"__Host-{TOKEN_COOKIE}={TOKEN}").role is Role.OPERATOR
    # Any other host of the domain can set one without the prefix.
    with pytest.raises(DeniedError, match="the page is out of date"):
        act_with(f"{TOKEN_COOKIE}={TOKEN}")


def test_a_program_may_act_without_what_only_a_browser_sends() -> None:
    call = Call(method="POST", url=LOCAL_URL, headers={"host": "127.0.0.1:7071"})
    assert authorise(call, Role.OPERATOR, LOCAL).by == "the local operator"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"origin": "https://evil.example"}, "this came from another site"),
        ({"origin": "null"}, "this came from another site"),
        ({"origin": "http://127.0.0.1:9999"}, "this came from another site"),
        ({"sec_fetch_site": "cross-site"}, "this came from another site"),
        ({"sec_fetch_site": "same-site"}, "this came from another site"),
        ({"sec_fetch_site": "none"}, "this came from another site"),
        ({"x_requested_with": None}, "the header X-Requested-With: gallery-replicator lacks"),
        ({"x_requested_with": "XMLHttpRequest"}, "the header X-Requested-With"),
        ({"x_csrf_token": None}, "the page is out of date: load it again"),
        ({"x_csrf_token": "another"}, "the page is out of date"),
        ({"cookie": None}, "the page is out of date"),
        ({"cookie": f"{TOKEN_COOKIE}="}, "the page is out of date"),
        ({"cookie": "\x00=;;="}, "the page is out of date"),
        ({"x_csrf_token": "\udcff"}, "the page is out of date"),
        ({"cookie": f"{TOKEN_COOKIE}=\udcff"}, "the page is out of date"),
    ],
)
def test_what_another_site_could_have_sent_is_refused(
    changes: dict[str, str | None], told: str
) -> None:
    with pytest.raises(DeniedError) as raised:
        act(**changes)
    assert raised.value.status == 403
    assert str(raised.value).startswith(told)


@given(st.dictionaries(st.sampled_from(sorted(PAGE)), st.text(max_size=40), max_size=6))
def test_only_the_pages_own_words_let_a_browser_act(changes: dict[str, str]) -> None:
    headers = PAGE | changes
    try:
        authorise(Call(method="POST", url=LOCAL_URL, headers=headers), Role.OPERATOR, LOCAL)
    except DeniedError:
        assert headers != PAGE
    else:
        assert headers["x-requested-with"] == ACTION_VALUE
        assert headers["sec-fetch-site"] == "same-origin"
