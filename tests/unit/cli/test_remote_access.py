"""How a command proves itself to a deployed app, and what it says when that fails."""

import logging
from dataclasses import dataclass, field
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from cli.client.address import KEY_VARIABLE, SCOPE_VARIABLE, URL_VARIABLE, Remote
from cli.client.http import Api, open_api
from handlers.http.access import ENVIRONMENT
from tests.support.builders import version_id
from tests.support.fakes import World
from tests.support.http.calling import OBJECT_ID, principal, sign_in
from tests.support.http.serving import DEPLOYED, Canned, Detour, Site
from tests.support.letter_worlds import lay_job
from tests.support.shell import Shell

TOKEN = "a-token-of-the-test"  # noqa: S105 - made up
KEY = "a-key-of-the-test"
SCOPE = "api://11111111-2222-3333-4444-555555555555"


@dataclass(slots=True)
class Credential:
    """Gives out the token of the test, and remembers for what."""

    scopes: list[str] = field(default_factory=list)
    failure: Exception | None = None

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes += scopes
        if self.failure is not None:
            raise self.failure
        return AccessToken(TOKEN, 4_000_000_000)


@pytest.fixture
def credential() -> Credential:
    return Credential()


@pytest.fixture
def deployed(closed_shell: Shell, site: Site, credential: Credential) -> Shell:
    """Return a shell that calls an https address, which is led to the server here."""

    def opened(remote: Remote) -> Api:
        return open_api(
            remote.url,
            scope=remote.scope,
            key=remote.key,
            credential=credential,
            transport=Detour(site.root),
            timeout_s=30,
        )

    closed_shell.env[URL_VARIABLE] = DEPLOYED
    closed_shell.surroundings["open_api"] = opened
    return closed_shell


def signed_in(monkeypatch: pytest.MonkeyPatch, site: Site, *roles: str) -> None:
    """Let the platform check tokens, as App Service authentication does."""

    def platform(headers: dict[str, str]) -> None:
        headers.pop("x-ms-client-principal", None)
        if headers.get("authorization") == f"Bearer {TOKEN}":
            headers["x-ms-client-principal"] = principal(*roles)

    sign_in(monkeypatch)
    site.platform = platform


def test_a_token_for_the_scope_is_sent_and_the_act_is_recorded_with_its_owner(
    world: World,
    site: Site,
    deployed: Shell,
    credential: Credential,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signed_in(monkeypatch, site, "Replication.Operator")
    answer = deployed("--scope", SCOPE, "queues", "pause", "replication-jobs")
    assert (answer.code, answer.err) == (0, "")
    assert credential.scopes == [f"{SCOPE}/.default"]
    (pause,) = world.app.pauses.all().values()
    assert pause.by == f"operator {OBJECT_ID}"
    assert [one.headers.get("x-functions-key") for one in site.seen] == [None]


@pytest.mark.parametrize(
    "act",
    [
        ["queues", "pause", "replication-jobs"],
        ["queues", "resume", "replication-jobs"],
        ["cancel", version_id().key],
        ["release", version_id().key],
        ["replicate", str(version_id())],
    ],
)
def test_an_act_is_sent_with_its_length_for_in_chunks_it_would_not_arrive(
    site: Site, far: Shell, act: list[str]
) -> None:
    far(*act)
    sent = [one.headers for one in site.seen if one.method == "POST"]
    assert sent
    for headers in sent:
        assert int(headers["content-length"]) >= len("{}")
        assert "transfer-encoding" not in headers


def test_the_scope_may_stand_in_the_environment(
    site: Site, deployed: Shell, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(monkeypatch, site, "Replication.Reader")
    deployed.env[SCOPE_VARIABLE] = f"{SCOPE}/.default"
    assert deployed("queues").code == 0
    assert credential.scopes == [f"{SCOPE}/.default"]


def test_a_reader_may_look_and_not_act(
    world: World, site: Site, deployed: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(monkeypatch, site, "Replication.Reader")
    letter = lay_job(world, version_id())
    deployed.env[SCOPE_VARIABLE] = SCOPE
    for args in (
        ["queues", "pause", "replication-jobs"],
        ["cancel", version_id().key],
        ["replicate", str(version_id())],
        ["dead-letters", "discard", letter.id],
        ["dead-letters", "replay", "--all"],
    ):
        answer = deployed(*args)
        assert (answer.code, answer.out) == (4, "")
        assert answer.err == (
            f"Error: {DEPLOYED} forbids it: this needs the app role Replication.Operator\n"
        )
    assert deployed("dead-letters", "list").code == 0


def test_who_is_not_signed_in_is_told_how_to(
    site: Site, deployed: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(monkeypatch, site)
    answer = deployed("status")
    assert (answer.code, answer.out) == (4, "")
    assert "does not know who calls (sign in with Microsoft Entra)" in answer.err
    assert "--scope api://<client id>" in answer.err


def test_a_sign_in_that_fails_is_one_sentence(deployed: Shell, credential: Credential) -> None:
    credential.failure = ClientAuthenticationError("no account was found\nAttempted: all of them")
    answer = deployed("--scope", SCOPE, "status")
    assert (answer.code, answer.out) == (4, "")
    assert answer.err == f"Error: no token for {DEPLOYED}: no account was found\n"


def test_a_key_is_sent_in_its_header_and_is_a_functions_key(
    world: World, site: Site, deployed: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT, "Production")
    deployed.env[KEY_VARIABLE] = KEY
    assert deployed("queues", "pause", "replication-jobs").code == 0
    assert [one.headers.get("x-functions-key") for one in site.seen] == [KEY]
    assert "authorization" not in site.seen[0].headers
    (pause,) = world.app.pauses.all().values()
    assert pause.by == "a function key"


@pytest.mark.parametrize("variable", [KEY_VARIABLE, SCOPE_VARIABLE])
@pytest.mark.slow
def test_neither_token_nor_key_is_ever_logged_or_printed(
    deployed: Shell, site: Site, caplog: pytest.LogCaptureFixture, variable: str
) -> None:
    caplog.set_level(logging.DEBUG)
    deployed.env[variable] = KEY if variable == KEY_VARIABLE else SCOPE
    site.canned = [Canned(status=500, body=b"oops") for _ in range(3)]
    for args in (["--debug", "status"], ["queues"]):
        answer = deployed(*args)
        for secret in (TOKEN, KEY):
            assert secret not in answer.out + answer.err + caplog.text


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nothing_follows_a_redirect_so_that_no_one_else_gets_the_key(
    deployed: Shell, site: Site, status: int
) -> None:
    deployed.env[KEY_VARIABLE] = KEY
    page = "https://login.example.com/common?redirect=x"
    site.canned = [Canned(status=status, body=b"", headers={"Location": page})]
    answer = deployed("status")
    assert (answer.code, answer.out) == (4, "")
    assert "sends the call elsewhere (login.example.com), as to a page to sign in at" in answer.err
    assert len(site.seen) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_platform_that_refuses_without_a_word_is_not_allowed(
    far: Shell, site: Site, status: int
) -> None:
    site.canned = [Canned(status=status, body=b"", media_type="text/plain")]
    answer = far("queues")
    assert (answer.code, answer.out) == (4, "")
    assert f"{status})" in answer.err


@pytest.mark.parametrize(
    "key", ["two\nlines", "k\x00", "k\u00e9y", "with blanks", "x" * 513], ids=repr
)
def test_a_key_that_no_header_can_hold_is_not_shown(far: Shell, site: Site, key: str) -> None:
    far.env[KEY_VARIABLE] = key
    answer = far("status")
    assert (answer.code, site.seen) == (2, [])
    assert answer.err == (
        f"Error: {KEY_VARIABLE} is no function key: it holds what no header can\n"
    )


@pytest.mark.parametrize(
    ("args", "env", "said"),
    [
        (["--scope", SCOPE], {}, "--scope goes with --url"),
        (["--url", DEPLOYED, "--scope", "maths"], {}, "it is the id URI of the app's registration"),
        (["--url", DEPLOYED, "--scope", ""], {}, "--scope is ''"),
        (["--url", "http://127.0.0.1:1", "--scope", SCOPE], {}, "a token is sent over no other"),
        (["--url", DEPLOYED, "--scope", SCOPE], {KEY_VARIABLE: KEY}, "leave one out"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(
    closed_shell: Shell, args: list[str], env: dict[str, str], said: str
) -> None:
    closed_shell.env.update(env)
    answer = closed_shell(*args, "status")
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


@pytest.mark.parametrize(
    "address",
    [
        "",
        "app.example.net",
        "http://app.example.net",
        "http://127.0.0.1.example.net",
        "ftp://app.example.net",
        "file:///etc/passwd",
        "https://",
        "https://user:secret@app.example.net",
        "https://app.example.net\\@other.example",
        "https://app.example.net/dashboard",
        "https://app.example.net?code=x",
        "https://app.example.net#x",
        "https://app.example.net:0",
        "https://app.example.net:99999",
        "https://app.example.net\r\nHost: other",
        "https://[::1",
        "https://\u0430pp.example.net",
        "https://app.example.net" * 3000,
    ],
    ids=lambda text: repr(text[:40]),
)
def test_an_address_that_cannot_be_meant_is_wrong_usage(closed_shell: Shell, address: str) -> None:
    answer = closed_shell("--url", address, "status")
    assert (answer.code, answer.out) == (2, "")
    assert "it is https and a host alone" in answer.err
    assert len(answer.err) < 400


@pytest.mark.parametrize(
    "address", ["https://app.example.net/", "https://APP.example.net:8443", "http://[::1]:7071"]
)
def test_an_address_that_can_be_meant_is_taken(address: str) -> None:
    remote = Remote.read(address, None, {})
    assert remote is not None
    assert remote.url == address.rstrip("/")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["plan", str(version_id())], "a deployed app plans for itself"),
        (["sweep", "--dry-run"], "a deployed app sweeps on its own schedule"),
        (["costs", "audit"], "this command runs against storage"),
        (["costs", "what-if", "--replica-count", "1"], "this command runs against storage"),
        (["costs", "--format", "html", "--output", "x.html"], "an app makes no --format html"),
        (["regions", "--subscription", "0" * 8 + "-0000" * 3 + "-" + "0" * 12], "against storage"),
    ],
)
def test_what_the_api_does_not_offer_says_what_to_do(
    far: Shell, site: Site, args: list[str], said: str
) -> None:
    answer = far(*args)
    assert (answer.code, answer.out, site.seen) == (2, "", [])
    assert said in answer.err
    assert f"leave --url (and {URL_VARIABLE}) out" in answer.err


def test_what_needs_no_app_goes_with_an_address(far: Shell, site: Site) -> None:
    assert (far("regions", "eastus").code, site.seen) == (0, [])


def test_the_option_wins_over_the_environment(far: Shell, site: Site) -> None:
    far.env[URL_VARIABLE], root = "https://nobody.example.net", site.root
    assert far("--url", root, "queues").code == 0


def test_the_address_may_follow_the_command(closed_shell: Shell, site: Site) -> None:
    for arguments in (
        ("status", "--json", "--url", site.root),
        ("dead-letters", "list", f"--url={site.root}", "--json"),
    ):
        assert closed_shell(*arguments).code == 0


def test_an_address_without_a_value_after_the_command_is_wrong_usage(closed_shell: Shell) -> None:
    assert closed_shell("status", "--url").code == 2


def test_what_follows_two_dashes_is_no_address(closed_shell: Shell) -> None:
    answer = closed_shell("status", "--", "--url")
    assert "nor a key of 32 hex digits" in answer.err
