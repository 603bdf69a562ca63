"""Buttons of the desk, clicked through to what they do in the storage."""

import re

from playwright.sync_api import Page, expect

from tests.support.browser.desk import Desk, Look
from tests.support.localcloud.hosts import eventually


def confirm(page: Page, label: str, *, reason: str = "") -> None:
    """Say yes in the dialog, and wait until it is done."""
    dialog = page.get_by_role("dialog")
    if reason:
        dialog.get_by_role("textbox", name="Reason").fill(reason)
    dialog.get_by_role("button", name=label).click()
    expect(dialog).to_be_hidden()


def open_image(page: Page, image: str) -> None:
    page.get_by_role("link", name="Replications", exact=True).click()
    page.get_by_role("link", name=re.compile(f"^{image} ")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(image)


def test_one_letter_is_replayed_and_its_image_becomes_usable(look: Look, desk: Desk) -> None:
    (letter,) = desk.letters_of(failure_code="locked")
    page = look("/dashboard/dead-letters?failure_code=locked").page
    page.get_by_role("link", name="physics-2019 1.0.0").click()
    expect(page.get_by_role("main")).to_contain_text("ScopeLocked")
    page.get_by_role("button", name="Replay").click()
    confirm(page, "Replay")
    eventually(
        lambda: desk.replication_of("physics-2019")["phase"] == "succeeded" or None, within_s=60
    )
    assert desk.letters_of(failure_code="locked") == []
    assert desk.get(f"/api/v1/dead-letters/{letter['id']}")["state"] != "open"


def test_a_letter_about_nothing_is_read_and_discarded(look: Look, desk: Desk) -> None:
    (letter,) = desk.letters_of(failure_code="malformed_event")
    page = look("/dashboard/dead-letters?failure_code=malformed_event").page
    page.get_by_role("rowheader").get_by_role("link").last.click()
    expect(page.get_by_role("main")).to_contain_text("versions/latest?")
    page.get_by_role("button", name="Discard").click()
    confirm(page, "Discard")
    assert desk.letters_of(failure_code="malformed_event") == []
    assert letter["id"] not in {one["id"] for one in desk.letters_of(state="all")}


def test_a_letter_stays_when_the_dialog_is_left(look: Look, desk: Desk) -> None:
    before = desk.letters_of(failure_code="copy_failed", region="southindia")
    page = look("/dashboard/dead-letters?region=southindia").page
    page.get_by_role("button", name="Discard all that match").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"copy_failed: {len(before)}")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert desk.letters_of(failure_code="copy_failed", region="southindia") == before


def test_a_paused_queue_says_who_paused_it_and_why_until_it_is_resumed(
    look: Look, desk: Desk
) -> None:
    page = look().page
    row = page.get_by_role("row").filter(has=page.get_by_text("replication-jobs", exact=True))
    row.get_by_role("button", name="Pause").click()
    confirm(page, "Pause", reason="the <b>gallery</b> moves")
    expect(row).to_contain_text("Paused")
    expect(row).to_contain_text("the local operator")
    expect(row).to_contain_text("the <b>gallery</b> moves")
    (jobs,) = (one for one in desk.get("/api/v1/queues")["items"] if one["name"].endswith("-jobs"))
    assert jobs["paused"]
    row.get_by_role("button", name="Resume").click()
    confirm(page, "Resume")
    expect(row).to_contain_text("Running")
    assert not any(one["paused"] for one in desk.get("/api/v1/queues")["items"])
    # Afterwards it is still known who did what, and why.
    page.get_by_role("link", name="Actions", exact=True).click()
    resumed, paused = page.get_by_role("table").get_by_role("row").all()[1:3]
    expect(resumed).to_contain_text("Resume")
    expect(resumed).to_contain_text("the local operator")
    expect(paused).to_contain_text("the <b>gallery</b> moves")
    expect(paused).to_contain_text("replication-jobs")


def test_a_held_plan_is_released_and_carried_out(look: Look, desk: Desk) -> None:
    page = look().page
    open_image(page, "genome-lab")
    expect(page.get_by_role("main")).to_contain_text("over budget research")
    page.get_by_role("button", name="Release").click()
    confirm(page, "Release")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Succeeded", timeout=60_000)
    assert [one["state"] for one in desk.replication_of("genome-lab")["regions"]] == ["completed"]
    shown = desk.get(f"/api/v1/replications/{desk.replication_of('genome-lab')['key']}")
    assert any("the local operator" in one["reason"] for one in shown["history"])


def test_a_replication_is_cancelled_and_then_made_anew(look: Look, desk: Desk) -> None:
    page = look().page
    open_image(page, "statistics")
    page.get_by_role("button", name="Cancel").click()
    confirm(page, "Cancel")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Cancelled")
    assert desk.replication_of("statistics")["phase"] == "cancelled"
    page.get_by_role("button", name="Replicate now").click()
    confirm(page, "Replicate now")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("Cancelled", timeout=30_000)
    assert desk.replication_of("statistics")["phase"] != "cancelled"


def test_a_page_in_a_hidden_tab_asks_for_nothing(look: Look) -> None:
    seen = look(bypass_csp=True)
    page = seen.page
    page.evaluate(
        """() => {
            Object.defineProperty(document, "hidden", {configurable: true, get: () => true});
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    page.wait_for_load_state("networkidle")
    asked = len(seen.requested)
    # Longer than the page would take to look again.
    page.wait_for_timeout(1000 * (int(page.locator("body").get_attribute("data-refresh") or 0) + 1))
    assert len(seen.requested) == asked
    page.evaluate(
        """() => {
            Object.defineProperty(document, "hidden", {configurable: true, get: () => false});
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    expect(page.get_by_role("timer")).to_contain_text(re.compile(r"\b[0-3] s"))
    assert len(seen.requested) > asked
