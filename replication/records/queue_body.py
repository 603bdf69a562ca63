"""Queue bodies: the text of a message, out of its base64 or as it arrived.

`host.json` has no encoding, so that the host hands over whatever is in the queue. It would move a
body that it cannot decode to the poison queue, could not decode it there either, and nobody would
ever see it.
"""

import base64
from contextlib import suppress

# What base64 may be wrapped with; GNU's breaks the line after 76 characters.
_WHITE_SPACE = b" \t\r\n"


def open_body(body: bytes) -> str:
    """Return the text that a body holds in base64, else the body itself; never raises.

    JSON's objects and arrays are no base64, so that they are taken as they are. So is base64 of
    what is no text: nothing of it gets lost on the way to a dead letter.
    """
    inner = body.translate(None, _WHITE_SPACE)
    if inner:
        with suppress(ValueError):  # of base64, or of UTF-8
            return base64.b64decode(inner, validate=True).decode()
    return body.decode("utf-8", "backslashreplace")
