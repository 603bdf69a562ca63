"""The path of one who has never seen the project, from the pages alone.

It starts at the dashboard, types no address and reads no document: every step is a link or a
button that the page before it shows.
"""

import re

from playwright.sync_api import expect

from tests.support.browser.desk import Desk, Look

_REGION = "japanwest"


def test_a_person_who_has_never_seen_it_finds_what_is_stuck_and_sends_a_region_again(
    look: Look, desk: Desk
) -> None:
    seen = look()
    page = seen.page

    # Which replications are stuck, since when, why, and what happens next: on the first page.
    verdict = page.get_by_role("list", name="Needs a look")
    expect(verdict.get_by_role("link", name=re.compile(r"^Stuck.*: 1$"))).to_be_visible()
    stuck = page.get_by_role("region", name="Stuck").get_by_role("row").nth(1)
    expect(stuck).to_contain_text("robotics 1.0.0")
    expect(stuck).to_contain_text("koreasouth")
    expect(stuck).to_contain_text("40 %")
    expect(stuck.locator("time").first).to_have_text(re.compile(r"\d+ (s|min) ago"))
    expect(stuck).to_contain_text("Next look")
    stuck.get_by_role("link", name="robotics 1.0.0").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("robotics 1.0.0")
    copies = page.get_by_role("region", name="Regions")
    expect(copies).to_contain_text("stands at 40 %.")

    # What failed in one region, all of it and nothing else.
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Overview").click()
    page.get_by_role("link", name=re.compile(r"^Dead letters: \d+$")).click()
    page.get_by_role("region", name="Causes").get_by_role("link", name=_REGION).click()
    letters = page.get_by_role("table", name="Dead letters", exact=True)
    expect(letters.get_by_role("rowheader")).to_have_count(3)
    for row in letters.get_by_role("rowheader").all():
        expect(row).to_contain_text(_REGION)
        expect(row).to_contain_text("mathematics-")
    others = {one["id"] for one in desk.letters_of()} - {
        one["id"] for one in desk.letters_of(region=_REGION)
    }

    page.get_by_role("button", name="Replay all that match").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("copy_failed: 3")
    dialog.get_by_role("button", name="Replay all that match").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("status")).to_contain_text("3 done")

    # And they become usable, which the page shows without being loaded again.
    page.get_by_role("link", name="Replications", exact=True).click()
    for number in (1, 2, 3):
        row = page.get_by_role("row").filter(has_text=f"mathematics-{number}")
        expect(row).to_contain_text("Succeeded", timeout=60_000)
    assert [desk.replication_of(f"mathematics-{number}")["phase"] for number in (1, 2, 3)] == [
        "succeeded",
        "succeeded",
        "succeeded",
    ]
    assert {one["id"] for one in desk.letters_of()} == others
    assert seen.complaints == []
    assert all(url.startswith(desk.functions) for url in seen.requested)
