"""Pictures of few colours are the same pictures."""

from playwright.sync_api import Browser

from tests.support.browser.pictures import with_few_colours

_SQUARES = "<body style='margin:0;background:#fff'><p style='background:#1f5fae;height:40px'>"
_RAMP = "<body style='margin:0;background:linear-gradient(90deg, #000, #f60 50%, #fff)'>"


def pixels(browser: Browser, png: bytes) -> list[list[int]]:
    """Return the colours along the middle of a picture, as Chromium shows it."""
    page = browser.new_page()
    found: list[list[int]] = page.evaluate(
        """async (bytes) => {
            const blob = new Blob([new Uint8Array(bytes)], {type: "image/png"});
            const picture = await createImageBitmap(blob);
            const canvas = new OffscreenCanvas(picture.width, picture.height);
            const context = canvas.getContext("2d");
            context.drawImage(picture, 0, 0);
            const line = context.getImageData(0, picture.height / 2, picture.width, 1).data;
            return Array.from({length: picture.width}, (_, at) =>
                Array.from(line.subarray(4 * at, 4 * at + 3)));
        }""",
        list(png),
    )
    page.close()
    return found


def shot(browser: Browser, html: str) -> tuple[bytes, bytes]:
    page = browser.new_page(viewport={"width": 400, "height": 60})
    page.set_content(html)
    before = page.screenshot()
    after = with_few_colours(page, before)
    page.close()
    return before, after


def test_a_picture_of_few_colours_stays_what_it_was(browser: Browser) -> None:
    before, after = shot(browser, _SQUARES)
    assert pixels(browser, after) == pixels(browser, before)
    assert len(after) < len(before)


def test_colours_beyond_the_palette_become_near_ones(browser: Browser) -> None:
    before, after = (pixels(browser, one) for one in shot(browser, _RAMP))
    assert len({tuple(one) for one in before}) > 256 >= len({tuple(one) for one in after})
    pairs = zip(before, after, strict=True)
    assert max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True)) <= 24
