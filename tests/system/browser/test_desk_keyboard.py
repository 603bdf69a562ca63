"""The desk without a mouse."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser.desk import Desk, Look
from tests.support.browser.places import place_of

_NAME = """(one) => one.tagName + " "
    + (one.getAttribute("aria-label") || one.name || one.textContent.trim())"""
# Of what has the focus: its name, whether it can be seen, and whether it is marked.
_FOCUSED = f"""() => {{
    const one = document.activeElement;
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    return {{
        name: ({_NAME})(one),
        seen: box.width > 0 && box.right > 0 && box.bottom > 0 && box.top < innerHeight,
        marked: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        last: one === document.body,
    }};
}}"""
_CONTROLS = f"""() => [...document.querySelectorAll(
    "a[href], button, input, select, summary, [tabindex='0']")]
    .filter((one) => one.checkVisibility()).map({_NAME})"""


def walk(page: Page, *, most: int) -> list[dict[str, Any]]:
    """Press Tab until the page is left."""
    seen: list[dict[str, Any]] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        focused = page.evaluate(_FOCUSED)
        if focused["last"]:
            return seen
        seen.append(focused)
    return seen


@pytest.mark.parametrize("name", ["replication", "dead-letters", "regions", "policy", "costs"])
def test_tab_reaches_every_control_in_the_order_of_the_page(
    look: Look, desk: Desk, name: str
) -> None:
    page = look(place_of(desk, name)).page
    page.emulate_media(reduced_motion="reduce")  # no waiting until it has scrolled
    controls = page.evaluate(_CONTROLS)
    walked = walk(page, most=len(controls))
    assert [one["name"] for one in walked] == controls
    assert [one["name"] for one in walked if not (one["seen"] and one["marked"])] == []


def test_the_first_tab_skips_to_the_content(look: Look) -> None:
    page = look().page
    page.keyboard.press("Tab")
    assert page.evaluate(_FOCUSED)["name"] == "A Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_a_dialog_takes_the_focus_keeps_it_and_gives_it_back(look: Look, key: str) -> None:
    page = look().page
    button = page.get_by_role("button", name="Pause").first
    button.focus()
    page.keyboard.press(key)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("textbox")).to_be_focused()
    for _ in range(8):
        page.keyboard.press("Tab")
        # The browser's own controls, which a page sees as its body, may come in between.
        assert page.evaluate(
            "document.activeElement === document.body"
            " || document.activeElement.closest('dialog') !== null"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


def test_a_reason_that_is_missing_is_asked_for_and_nothing_is_done(look: Look, desk: Desk) -> None:
    page = look().page
    page.get_by_role("button", name="Pause").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert not any(one["paused"] for one in desk.get("/api/v1/queues")["items"])


def test_what_has_the_focus_keeps_it_while_the_page_brings_itself_up_to_date(look: Look) -> None:
    seen = look()
    button = seen.page.get_by_role("button", name="Pause").first
    button.focus()
    with seen.page.expect_response("**/dashboard"):
        pass
    seen.page.wait_for_timeout(200)  # for the answer to be put in
    expect(button).to_be_focused()
