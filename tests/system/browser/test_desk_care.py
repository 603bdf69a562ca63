"""The desk lets nobody do by accident what cannot be undone, and loses nobody's place."""

from playwright.sync_api import Page, expect

from tests.support.browser.desk import Desk, Look
from tests.support.localcloud.hosts import http_call

_FAILED = "southindia"
_LETTERS = f"/dashboard/dead-letters?region={_FAILED}"


def discard(desk: Desk, letter_id: str) -> None:
    url = f"{desk.functions}/api/v1/dead-letters/{letter_id}/discard"
    assert http_call(url, method="POST").status == 200


def name_of_focus(page: Page) -> str:
    name: str = page.evaluate("document.activeElement.tagName")
    return name


def test_what_cannot_be_undone_is_not_one_key_away(look: Look, desk: Desk) -> None:
    before = desk.letters_of(region=_FAILED)
    page = look(_LETTERS).page
    page.get_by_role("button", name="Discard…").first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Go back")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    # A key that is held down repeats itself, and asked once.
    page.keyboard.down("Enter")
    for _ in range(5):
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    expect(dialog).to_be_visible()
    assert desk.letters_of(region=_FAILED) == before


def test_every_button_of_a_list_has_a_name_of_its_own(look: Look, desk: Desk) -> None:
    for path in ("/dashboard", "/dashboard/dead-letters"):
        page = look(path).page
        names = [
            button.get_attribute("aria-label") or button.inner_text()
            for button in page.locator("table button").all()
        ]
        assert names
        assert len(names) == len(set(names)), path
    assert desk.letters_of()


def test_what_was_typed_and_not_shown_is_not_acted_on(look: Look) -> None:
    page = look("/dashboard/dead-letters").page
    page.get_by_role("textbox", name="Region").fill(_FAILED)
    page.get_by_role("button", name="Discard all that match").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("not shown yet")
    expect(dialog.get_by_role("button", name="Discard")).to_be_hidden()


def test_the_dialog_says_which_letters_and_counts_anew_when_they_are_others(
    look: Look, desk: Desk
) -> None:
    letters = desk.letters_of(region=_FAILED)
    page = look(_LETTERS).page
    page.get_by_role("button", name="Replay all that match").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"Region: {_FAILED}")
    expect(dialog).to_contain_text(f"copy_failed: {len(letters)} (Azure could not copy")
    discard(desk, letters[-1]["id"])
    dialog.get_by_role("button", name="Replay all that match").click()
    expect(dialog).to_contain_text("were counted anew")
    expect(dialog).to_contain_text(f"copy_failed: {len(letters) - 1}")
    page.keyboard.press("Escape")
    assert len(desk.letters_of(region=_FAILED)) == len(letters) - 1
    # What the page shows follows at once.
    table = page.get_by_role("table", name="Dead letters", exact=True)
    expect(table.get_by_role("rowheader")).to_have_count(len(letters) - 1)


def test_whose_row_is_gone_goes_on_with_the_next_one(look: Look, desk: Desk) -> None:
    page = look("/dashboard/dead-letters").page
    count = len(desk.letters_of())
    button = page.get_by_role("button", name="Discard… welding-").first
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("status")).to_contain_text("Done")
    expect(page.locator("#list tbody tr")).to_have_count(count - 1)
    assert name_of_focus(page) in ("BUTTON", "H1")


def test_a_letters_own_page_leads_back_to_the_list_when_it_is_gone(look: Look, desk: Desk) -> None:
    (shown, *_) = desk.letters_of(region=_FAILED, state="all")
    page = look(f"/dashboard/dead-letters/{shown['id']}").page
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dead letters")
    shown_ids = {one["id"] for one in desk.letters_of(state="all")}
    assert shown["id"] not in shown_ids


def test_a_page_that_one_goes_back_to_shows_its_own_filter(look: Look) -> None:
    page = look("/dashboard/replications").page
    page.get_by_role("searchbox", name="Search").fill("wel")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("combobox", name="Phase").select_option("partial")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("combobox", name="Phase")).to_have_value("partial")
    page.go_back()
    expect(page.get_by_role("combobox", name="Phase")).to_have_value("")
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("wel")


def test_who_is_signed_out_is_told_so(look: Look) -> None:
    page = look().page
    page.route("**/dashboard", lambda route: route.fulfill(status=401, body="sign in"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("status")).to_contain_text("You are signed out")
