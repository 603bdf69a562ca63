import base64
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.records.queue_body import open_body

JSON = '{"v": 1, "größe": "?~\U0001f300"}'


def encoded(text: str) -> bytes:
    return base64.b64encode(text.encode())


@pytest.mark.parametrize(
    "body",
    [
        JSON.encode(),
        encoded(JSON),
        encoded(JSON) + b"\n",
        b"\r\n\t " + encoded(JSON),
        textwrap.fill(encoded(JSON * 9).decode(), 76).encode(),
    ],
)
def test_json_is_read_plain_and_in_base64_that_may_be_wrapped(body: bytes) -> None:
    assert open_body(body) in (JSON, JSON * 9)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        (b" \n", " \n"),
        (b"not base64!", "not base64!"),
        (b"eyJ2IjogMX0", "eyJ2IjogMX0"),  # without its padding
        (b"_-_-", "_-_-"),  # the alphabet of URLs
        (b"abcd", "abcd"),  # base64, but of no text
        (base64.b64encode(b"a\xff\xfeb"), "Yf/+Yg=="),
        (b"a\xff\xfeb", "a\\xff\\xfeb"),
        (b"\xef\xbb\xbf{}", "\ufeff{}"),
        ("größe".encode(), "größe"),
    ],
)
def test_what_is_no_base64_of_text_stays_as_it_arrived(body: bytes, text: str) -> None:
    assert open_body(body) == text


@given(st.binary(max_size=200))
def test_any_body_gives_a_text_from_which_it_can_be_told(body: bytes) -> None:
    text = open_body(body)
    if text != body.decode("utf-8", "backslashreplace"):
        assert encoded(text) == body.translate(None, b" \t\r\n")
