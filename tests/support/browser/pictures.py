"""PNG files of few colours: a picture of a page needs no more, and they are far smaller."""

import base64
import struct
import zlib
from array import array
from collections import Counter

from playwright.sync_api import Page

_COLOURS = 256
# Chromium decodes its own picture: the answer is four bytes a pixel.
_DECODE = """async (png) => {
    const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    const pixels = context.getImageData(0, 0, picture.width, picture.height).data;
    const parts = [];
    for (let start = 0; start < pixels.length; start += 32768) {
        parts.push(String.fromCharCode(...pixels.subarray(start, start + 32768)));
    }
    return [picture.width, picture.height, btoa(parts.join(""))];
}"""


def with_few_colours(blank: Page, png: bytes) -> bytes:
    """Return a picture with its 256 most frequent colours; the others become the nearest."""
    width, height, text = blank.evaluate(_DECODE, base64.b64encode(png).decode())
    pixels = array("I", base64.b64decode(text))
    counts = Counter(pixels)
    palette = [_parts(colour) for colour, _ in counts.most_common(_COLOURS)]
    index = {colour: _nearest(_parts(colour), palette) for colour in counts}
    flat = bytes(map(index.__getitem__, pixels))
    # No filter: pixels of a palette are names, between which there is no difference to tell.
    lines = b"".join(
        b"\0" + flat[start : start + width] for start in range(0, width * height, width)
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", b"".join(bytes(one) for one in palette)),
            _chunk(b"IDAT", zlib.compress(lines, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _parts(colour: int) -> tuple[int, int, int]:
    red, green, blue, _ = struct.pack("=I", colour)
    return red, green, blue


def _nearest(colour: tuple[int, int, int], palette: list[tuple[int, int, int]]) -> int:
    return min(
        range(len(palette)),
        key=lambda place: sum(
            (one - other) ** 2 for one, other in zip(colour, palette[place], strict=True)
        ),
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
