"""HTML of the pages, rendered from view models; everything in it is escaped."""

from collections.abc import Mapping
from functools import cache
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from dashboard.assets import assets
from dashboard.i18n.words import NOTHING, Words, number, speed
from dashboard.views.common import ACTIVE_PHASES, PHASES
from dashboard.views.page import PAGES, Page


def render(page: Page, words: Words, *, may_act: bool = False, token: str = "") -> str:
    """Return a page as HTML; `token` is what its script proves itself with."""
    return (
        _environment()
        .get_template(page.template)
        .render(
            {
                "page": page,
                "model": page.model,
                "words": words,
                "t": words.text,
                "may_act": may_act,
                "token": token,
                **page.values,
            }
        )
    )


def address(path: str, parameters: Mapping[str, str] | None = None, **more: str) -> str:
    """Return an address with its parameters, those without a value left out."""
    asked = {name: text for name, text in {**(parameters or {}), **more}.items() if text}
    return f"{quote(path)}?{urlencode(asked)}" if asked else quote(path)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "speed": speed}
    environment.globals |= {
        "address": address,
        "asset": {name: one.address for name, one in assets().items()},
        "pages": PAGES,
        "phases": PHASES,
        "active_phases": ACTIVE_PHASES,
        "nothing": NOTHING,
    }
    return environment
