"""Where nobody could verify what Azure does, each of the answers can be had."""

from dataclasses import dataclass, replace
from typing import Self

from localcloud.arm.json_bodies import choice_at, flag_at, integer_at, known_keys

_KEYS = (
    "refuse_region_removal",
    "concurrent_write",
    "summary_region_names",
    "list_page_size",
    "price_page_size",
    "throttling",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """The switches of `PUT /_localcloud/behaviour`.

    `refuse_region_removal`: refuse to drop a region where the safety profile does not allow it.
    `concurrent_write`: a write while another one runs is accepted (the last one wins), answered
    with 409 (conflict), or answered with success and then forgotten (lose).
    `summary_region_names`: short ("eastus2") or display ("East US 2") in `replicationStatus`.
    """

    refuse_region_removal: bool = True
    concurrent_write: str = "accept"
    summary_region_names: str = "short"
    list_page_size: int = 50
    price_page_size: int = 1000
    throttling: bool = True

    def changed(self, raw: object) -> Self:
        """Return it with what a body names; raises ArmError for a key or value that is wrong."""
        body = known_keys(raw, _KEYS, "behaviour")
        removal = flag_at(body, "refuse_region_removal", "behaviour")
        write = choice_at(body, "concurrent_write", "behaviour", ("accept", "conflict", "lose"))
        names = choice_at(body, "summary_region_names", "behaviour", ("short", "display"))
        size = integer_at(body, "list_page_size", "behaviour", least=1, most=10_000)
        prices = integer_at(body, "price_page_size", "behaviour", least=1, most=1000)
        throttling = flag_at(body, "throttling", "behaviour")
        return replace(
            self,
            refuse_region_removal=self.refuse_region_removal if removal is None else removal,
            concurrent_write=write or self.concurrent_write,
            summary_region_names=names or self.summary_region_names,
            list_page_size=size or self.list_page_size,
            price_page_size=prices or self.price_page_size,
            throttling=self.throttling if throttling is None else throttling,
        )
