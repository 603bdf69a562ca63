"""Every page in both languages: escaped, allowed to nobody else, helpful when empty, and small."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from dashboard.assets import assets
from dashboard.i18n.language import Language
from dashboard.i18n.words import Words
from dashboard.pages import NAMES
from dashboard.views.page import PAGES as NAVIGATION
from replication.domain.errors import FailureCode, MalformedError, TransientError
from replication.domain.job import HistoryEntry, Phase
from tests.support.browser.places import NAMES as IN_A_BROWSER
from tests.support.builders import NOON
from tests.support.dashboard.pages import LANGUAGES, MOST_BYTES, ask, check_structure, read
from tests.support.dashboard.worlds import (
    HOSTILE,
    add_job,
    lay_letter,
    rename_images,
    troubled_world,
)
from tests.support.documents import DOCS, table_rows
from tests.support.fakes import World, build_world
from tests.support.http.calling import principal, sign_in
from tests.support.http.serving import Serve

PAGES = tuple(f"/dashboard/{name}".rstrip("/") for name in NAMES)
# Reached from the causes that it explains.
NOT_IN_NAVIGATION = {"/dashboard/runbook"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def addresses(world: World) -> Iterator[str]:
    """Yield every page of a world."""
    yield from PAGES
    yield from (f"/dashboard/replications/{key}" for key in world.store.rows)
    yield from (f"/dashboard/dead-letters/{one}" for one in world.letters.letters)


def test_the_navigation_leads_to_every_page() -> None:
    assert {*NAVIGATION.values(), *NOT_IN_NAVIGATION} == set(PAGES)


def test_every_page_stands_in_the_document_and_is_opened_in_a_browser() -> None:
    documented = {row[0].strip("`") for row in table_rows(DOCS / "dashboard.md")}
    assert [page for page in PAGES if page not in documented] == []
    assert [name for name in NAMES if (name or "overview") not in IN_A_BROWSER] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_whole_in_both_languages(serve: Serve, language: str) -> None:
    world = serve(troubled_world())
    for address in addresses(world):
        answer = ask(address, language=language)
        assert (answer.status, answer.media_type) == (200, "text/html"), address
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert {"Referrer-Policy", "Permissions-Policy"} <= answer.headers.keys()
        check_structure(read(answer.text), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_a_name_or_a_reason_is_it_stays_text(serve: Serve, language: str) -> None:
    world = serve(troubled_world(word=HOSTILE))
    rename_images(world, HOSTILE)
    seen = 0
    for address in addresses(world):
        answer = ask(address, language=language)
        assert answer.status == 200, address
        assert "<script>alert" not in answer.text
        assert "alert(1)49" not in answer.text  # no template in a name is run
        document = read(answer.text)
        check_structure(document, language)
        seen += HOSTILE in document.text
    assert seen >= 6


def test_what_is_asked_for_is_escaped_as_well(serve: Serve) -> None:
    serve(troubled_world())
    for parameter in ("search", "gallery", "geography"):
        answer = ask(f"/dashboard/replications?{parameter}=%22%3E%3Cscript%3Ealert(1)")
        assert answer.status == 200
        assert "<script>alert" not in answer.text
    answer = ask("/dashboard/replications?phase=%3Cscript%3Ealert(1)")
    assert answer.status == 400
    assert "<script>alert" not in answer.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_page_says_what_that_means(world: World, language: str) -> None:
    assert world.store.rows == {}
    said = {
        "/dashboard": ("All is well", "正常です"),
        "/dashboard/replications": ("There is no replication yet", "まだありません"),
        "/dashboard/dead-letters": ("nothing waits for you", "ありません"),
        "/dashboard/regions": ("No region is held back", "ありません"),
        "/dashboard/costs": ("address is missing", "設定されていません"),
        "/dashboard/policy": ("no budget", "予算は設定されていません"),
        "/dashboard/actions": ("Nobody has done anything", "行われていません"),
    }
    for address, words in said.items():
        answer = ask(address, language=language)
        assert answer.status == 200
        check_structure(read(answer.text), language)
        assert words[LANGUAGES.index(language)] in answer.text


def test_every_page_has_a_twin_in_json(serve: Serve) -> None:
    world = serve(troubled_world())
    for address in addresses(world):
        answer = ask(f"{address}.json")
        assert (answer.status, answer.media_type) == (200, "application/json"), address
        assert isinstance(answer.json, dict)
    assert ask("/dashboard.json").json["stuck_count"] == 1
    key = next(iter(world.store.rows))
    shown = ask(f"/dashboard/replications/{key}.json").json
    assert shown["key"] == key
    copying = next(one for one in shown["regions"] if one["region"] == "westus2")
    assert copying["percent_per_min"] == 1.0


@pytest.mark.parametrize(
    "address",
    [
        "/dashboard?x=1",
        "/dashboard/replications?pahse=failed",
        "/dashboard/replications?phase=done",
        "/dashboard/replications?sort=size",
        "/dashboard/replications?stuck=maybe",
        "/dashboard/replications?cursor=abc",
        "/dashboard/replications?cursor=%C3%A4",
        "/dashboard/replications?gallery=%00",
        "/dashboard/dead-letters?state=gone",
        "/dashboard/dead-letters?failure_code=No!",
        "/dashboard/dead-letters?cursor=abc",
        "/dashboard/costs?group_by=colour",
        "/dashboard/policy?x=1",
    ],
)
def test_what_cannot_be_asked_is_named(world: World, address: str) -> None:
    assert world.store.rows == {}
    check_problem(address, 400)


@pytest.mark.parametrize("address", ["/dashboard/replications/xyz", "/dashboard/dead-letters/xyz"])
def test_what_cannot_be_a_key_is_not_found(world: World, address: str) -> None:
    assert world.store.rows == {}
    check_problem(address, 404)


def check_problem(address: str, status: int) -> None:
    """Check that the page and its twin say the same of what went wrong."""
    for language in LANGUAGES:
        answer = ask(address, language=language)
        assert (answer.status, answer.media_type) == (status, "text/html")
        check_structure(read(answer.text), language)
    path, _, query = address.partition("?")
    twin = ask(f"{path}.json?{query}")
    assert (twin.status, twin.media_type) == (status, "application/problem+json")
    assert twin.detail in read(ask(address).text).text


@pytest.mark.parametrize(
    "address",
    [
        "/dashboard/nothing",
        "/dashboard/nothing/there",
        f"/dashboard/replications/{'0' * 32}",
        f"/dashboard/dead-letters/{'0' * 32}",
    ],
)
def test_what_is_not_there_is_said(world: World, address: str) -> None:
    assert world.store.rows == {}
    answer = ask(address)
    assert (answer.status, answer.media_type) == (404, "text/html")
    check_structure(read(answer.text), "en")
    assert ask(f"{address}.json").status == 404


@pytest.mark.parametrize(("header", "status"), [("", 401), (principal("Owner"), 403)])
def test_strangers_see_nothing_of_any_page(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, header: str, status: int
) -> None:
    world = serve(troubled_world())
    sign_in(monkeypatch)
    for address in addresses(world):
        answer = ask(address, x_ms_client_principal=header)
        assert (answer.status, answer.media_type) == (status, "text/html"), address
        assert "maths" not in answer.text
        assert "Set-Cookie" not in answer.headers
        check_structure(read(answer.text), "en")
        assert ask(f"{address}.json", x_ms_client_principal=header).status == status


def test_a_reader_sees_everything_and_no_button(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = serve(troubled_world())
    sign_in(monkeypatch)
    reader, operator = principal("Replication.Reader"), principal("Replication.Operator")
    for address in addresses(world):
        answer = ask(address, x_ms_client_principal=reader)
        assert answer.status == 200
        document = read(answer.text)
        assert not [one for one in document.all("button") if one.attributes["type"] != "submit"]
        assert not document.all("dialog")
        assert "csrf-token" not in answer.text
        assert "Set-Cookie" not in answer.headers
    for address in ("/dashboard", "/dashboard/dead-letters"):
        document = read(ask(address, x_ms_client_principal=operator).text)
        assert [one for one in document.all("button") if "data-act" in one.attributes]


def test_a_page_hands_out_the_token_that_its_cookie_holds(world: World) -> None:
    assert world.store.rows == {}
    answer = ask("/dashboard")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict")
    name, token = cookie.partition(";")[0].split("=", 1)
    metas = {one.attributes.get("name"): one for one in read(answer.text).all("meta")}
    assert metas["csrf-token"].attributes["content"] == token
    # The other pages of the same browser go on with it; one that was made up is not taken.
    again = ask("/dashboard/policy", cookie=f"{name}={token}")
    assert f'content="{token}"' in again.text
    assert 'content="mine"' not in ask("/dashboard", cookie=f"{name}=mine").text


def test_over_tls_the_cookie_is_sent_back_over_tls_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.store.rows == {}
    sign_in(monkeypatch)
    header = principal("Replication.Operator")
    monkeypatch.setattr("tests.support.dashboard.pages.ROOT", "https://replicator.example")
    answer = ask("/dashboard", x_ms_client_principal=header)
    # With the prefix a browser takes it only for this host, its whole path, and over TLS.
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-gallery-replicator-csrf=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict; Secure")
    assert "Domain" not in cookie


@pytest.mark.parametrize(
    ("error", "status"), [(TransientError("storage: away"), 503), (MalformedError("broken"), 500)]
)
def test_trouble_is_told_on_a_page_that_tries_again(
    world: World, error: Exception, status: int
) -> None:
    world.listing.failures = [error] * 9  # type: ignore[list-item] # both are ReplicationError
    answer = ask("/dashboard/replications")
    assert (answer.status, answer.media_type) == (status, "text/html")
    document = read(answer.text)
    assert str(error) in document.text
    assert int(document.all("body")[0].attributes["data-refresh"]) > 0


def test_static_files_are_kept_until_they_change() -> None:
    for name, asset in assets().items():
        answer = ask(asset.address)
        assert (answer.status, answer.text.encode()) == (200, asset.content)
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        old = ask(f"/dashboard/static/{name}?v=old")
        assert old.headers["Cache-Control"] == "no-cache"
        tag = old.headers["ETag"]
        assert ask(f"/dashboard/static/{name}", if_none_match=tag).status == 304
    assert ask("/dashboard/static/..%2Ftexts.py").status == 404
    assert ask("/dashboard/static/texts.py").status == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_failure_is_explained_in_the_language_of_the_page(serve: Serve, language: str) -> None:
    world = serve(build_world())
    job = add_job(world, phase=Phase.FAILED, code=FailureCode.LOCKED)
    letter_id = lay_letter(world, job)
    said = {one: Words(language=one, now=NOON).known("means", "locked") for one in Language}
    wanted = said.pop(Language(language))
    (other,) = said.values()
    for address in (
        "/dashboard/dead-letters",
        f"/dashboard/dead-letters/{letter_id}",
        f"/dashboard/replications/{job.key}",
    ):
        page = ask(address, language=language).text
        assert wanted in page, address
        assert other not in page, address


def test_a_day_of_equal_looks_is_one_line_of_a_timeline(serve: Serve) -> None:
    world = serve(build_world())
    job = add_job(world, stuck=True)
    begun = world.clock()
    looks = [
        HistoryEntry(
            id=f"{number:04}",
            at=begun + timedelta(minutes=number),
            event="track",
            reason="under way: westus2 40 % (stuck)",
            details={"phase": "tracking"},
        )
        for number in range(400)
    ]
    world.history.append(job.key, looks[:199])
    world.clock.advance(400 * 60)
    page = ask(f"/dashboard/replications/{job.key}").text
    assert page.count("under way: westus2 40 % (stuck)") == 1
    assert "199 times, first" in page
    assert "two to add" in page
    assert "Older entries" not in page
    world.history.append(job.key, looks)
    assert "Older entries" in ask(f"/dashboard/replications/{job.key}").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_weighs_more_than_a_hundred_kilobytes(serve: Serve, language: str) -> None:
    world = serve(troubled_world(word="a reason that goes on and on " * 10))
    for number in range(10, 90):
        add_job(world, number, image=f"image-{'x' * 70}", stuck=number % 3 == 0)
    long = add_job(world, 100)
    entries = [
        HistoryEntry(
            id=f"{number:04}",
            at=world.clock(),
            event="track",
            reason="under way: " + ", ".join(f"region{n} {number % 100} %" for n in range(30)),
            details={"regions": {f"region{n}": "replicating" for n in range(10)}},
        )
        for number in range(500)
    ]
    world.history.append(long.key, entries)
    beside = sum(len(one.content) for one in assets().values())
    for address in (*PAGES, f"/dashboard/replications/{long.key}"):
        weight = len(ask(address, language=language).text.encode()) + beside
        assert weight < MOST_BYTES, (address, weight)
