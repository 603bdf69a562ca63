"""Every page of the desk, as a browser sees it."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.support.browser.axe import grave_findings
from tests.support.browser.desk import Desk, Look, Seen
from tests.support.browser.places import NAMES, place_of

_MOST_BYTES = 100_000
_ENGLISH, _JAPANESE = "en-GB", "ja-JP"
_KANA_OR_KANJI = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
# The words that people read first, without what is on record in English, and names.
_WORDS = """() => [...document.querySelectorAll(
    "h1, h2, h3, caption, thead th, label, legend, button, summary, dt, .tag, .empty,"
    + " figcaption, nav a, footer, .skip, option, .verdict li, .cell span")]
    .filter((one) => !one.closest("[lang=en]"))
    .map((one) => one.textContent.trim()).filter(Boolean)"""
# Of the page and all that it asked for, in a browser that had nothing of it.
_WEIGHT = """() => performance.getEntriesByType("navigation")
    .concat(performance.getEntriesByType("resource"))
    .reduce((sum, one) => sum + one.encodedBodySize, 0)"""
_TEXTS = "() => document.querySelector('main').innerText"


def open_place(look: Look, desk: Desk, name: str, **how: Any) -> Seen:
    seen = look(place_of(desk, name), **how)
    assert seen.page.locator("h1").count() == 1
    return seen


def is_too_wide(page: Page) -> bool:
    wide: bool = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return wide


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_light_asks_its_own_host_alone_and_complains_of_nothing(
    look: Look, desk: Desk, name: str
) -> None:
    seen = open_place(look, desk, name)
    assert seen.complaints == []
    assert {urlsplit(url).netloc for url in seen.requested} == {urlsplit(desk.functions).netloc}
    assert seen.page.locator("html").get_attribute("lang") == "en"
    assert len(seen.requested) >= 3  # with its script and style
    assert seen.page.evaluate(_WEIGHT) < _MOST_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_for_everyone(look: Look, desk: Desk, name: str) -> None:
    bright = open_place(look, desk, name, bypass_csp=True)
    assert grave_findings(bright.page) == []
    dark = open_place(look, desk, name, scheme="dark", locale=_JAPANESE, width=360, bypass_csp=True)
    assert grave_findings(dark.page) == []
    assert not is_too_wide(dark.page)


@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_a_telephone(look: Look, desk: Desk, name: str) -> None:
    page = open_place(look, desk, name, width=360).page
    assert not is_too_wide(page)
    for one in page.get_by_role("button").all():
        box = one.bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 360


@pytest.mark.parametrize("name", NAMES)
def test_a_japanese_page_leaves_no_word_in_english(look: Look, desk: Desk, name: str) -> None:
    page = open_place(look, desk, name, locale=_JAPANESE).page
    assert page.locator("html").get_attribute("lang") == "ja"
    found = [text for text in page.evaluate(_WORDS) if not _KANA_OR_KANJI.search(text)]
    # What is left are names: of images, regions, codes and queues.
    names = json.dumps(_every_name(desk))
    assert [text for text in found if text not in names] == []


def test_what_moves_moves_only_for_those_who_like_it(look: Look) -> None:
    page = look().page
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    assert page.evaluate(behaviour) == "smooth"
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(behaviour) == "auto"
    assert page.evaluate("document.getAnimations().length") == 0


def test_static_files_are_kept_and_pages_are_not(look: Look) -> None:
    page = look().page
    shown = page.reload()
    assert shown is not None
    assert shown.headers["cache-control"] == "no-store"
    sources = page.evaluate(
        "[...document.querySelectorAll('script, link, img')].map((one) => one.src || one.href)"
    )
    assert len(set(sources)) == 3
    for source in set(sources):
        answer = page.request.get(source)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        again = page.request.get(source, headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status, again.body()) == (304, b"")


@pytest.mark.parametrize("name", [one for one in NAMES if one != "runbook"])
def test_a_page_and_its_twin_in_json_say_the_same(look: Look, desk: Desk, name: str) -> None:
    page = open_place(look, desk, name).page
    twin = page.locator("footer a").get_attribute("href")
    assert twin == f"{place_of(desk, name)}.json"
    document = desk.get(twin)
    text = page.evaluate(_TEXTS)
    expected = _substance(name, document)
    assert expected
    assert [one for one in expected if one not in text] == []


def _substance(name: str, document: dict[str, Any]) -> list[str]:
    """Return what a page must show of its twin."""
    match name:
        case "overview":
            listed = [one["listed"] for part in ("stuck", "failed") for one in document[part]]
            found = [one["image"] for one in listed]
        case "replications":
            found = [one["image"] for one in document["items"]]
        case "replication":
            found = [one["region"] for one in document["regions"]]
        case "dead-letters":
            found = [one["code"] for one in document["items"]]
        case "dead-letter":
            found = [document["code"], document["cause"]]
        case "regions":
            found = [one["region"] for row in document["geographies"] for one in row["regions"]]
        case "costs":
            found = [document["from"]] if "from" in document else ["No day is on the books"]
        case "actions":
            found = [one["by"] for one in document["items"]]
        case _:
            found = [document["fingerprint"]]
    return found


def _every_name(desk: Desk) -> list[Any]:
    """Return all that is on record, whose names and codes are the same in every language."""
    return [
        desk.get("/dashboard/policy.json"),
        desk.get("/dashboard/regions.json"),
        desk.get("/api/v1/queues"),
        desk.get("/api/v1/replications?limit=200"),
        "Gallery Replicator",
    ]
