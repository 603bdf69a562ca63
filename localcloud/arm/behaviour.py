"""Where nobody could verify what Azure does, each of the answers can be had."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

from localcloud.arm.json_bodies import choice_at, flag_at, integer_at, known_keys

# How each switch is read; None for one that a body leaves out.
_READ: Mapping[str, Callable[[dict[str, Any], str, str], Any]] = {
    "refuse_region_removal": flag_at,
    "concurrent_write": partial(choice_at, choices=("accept", "conflict", "lose")),
    "put_over_hidden": partial(choice_at, choices=("refuse", "create")),
    "restored_published_date": partial(choice_at, choices=("kept", "new")),
    "summary_region_names": partial(choice_at, choices=("short", "display")),
    "list_page_size": partial(integer_at, least=1, most=10_000),
    "price_page_size": partial(integer_at, least=1, most=1000),
    "throttling": flag_at,
    "unknown_resources": partial(choice_at, choices=("exist", "refuse")),
    "new_regions_need_source": flag_at,
    "authorization": flag_at,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """The switches of `PUT /_localcloud/behaviour`.

    `refuse_region_removal`: refuse to drop a region where the safety profile does not allow it.
    `concurrent_write`: a write while another one runs is accepted (the last one wins), answered
    with 409 (conflict), or answered with success and then forgotten (lose).
    `put_over_hidden`: a full PUT to a soft-deleted version is refused, or creates another.
    `restored_published_date`: a soft-deleted version that is restored has the date of before (kept)
    or that of its restoring (new).
    `summary_region_names`: short ("eastus2") or display ("East US 2") in `replicationStatus`.
    `list_page_size`, `price_page_size`: how many entries a page of a list, or of prices, has.
    `throttling`: whether Azure's limits of calls hold.
    `unknown_resources`: a source, or an encryption set of the home region, that nobody told of is
    taken to exist, or refused (refuse) as Azure does.
    `new_regions_need_source`: refuse new regions of a version once its source was deleted.
    `authorization`: refuse calls of Resource Manager that bring no token.
    """

    refuse_region_removal: bool = True
    concurrent_write: str = "accept"
    put_over_hidden: str = "refuse"
    restored_published_date: str = "kept"
    summary_region_names: str = "short"
    list_page_size: int = 50
    price_page_size: int = 1000
    throttling: bool = True
    unknown_resources: str = "exist"
    new_regions_need_source: bool = True
    authorization: bool = False

    def changed(self, raw: object) -> Self:
        """Return it with what a body names; raises ArmError for a key or value that is wrong."""
        body = known_keys(raw, tuple(_READ), "behaviour")
        read = {name: reader(body, name, "behaviour") for name, reader in _READ.items()}
        return replace(self, **{name: value for name, value in read.items() if value is not None})
