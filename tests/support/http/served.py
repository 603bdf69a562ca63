"""The functions of the app, for the documents that name them."""

from functools import cache
from typing import Any

import function_app


@cache
def functions() -> tuple[Any, ...]:
    """Return the functions; the vendor's library gives them out once in a process."""
    return tuple(function_app.app.get_functions())
