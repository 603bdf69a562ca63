"""Reports opened from a file, and what goes wrong in them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from playwright.sync_api import Page

type Scheme = Literal["light", "dark"]


@dataclass(slots=True, kw_only=True)
class OpenPage:
    """A page with the addresses that it asked for, and what it complained of."""

    page: Page
    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


type Opener = Callable[..., OpenPage]
