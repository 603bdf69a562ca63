"""What knows about money, gathered for those who report on it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from costs.ledger.ledger import Ledger
from costs.ports import LedgerBlobs
from costs.pricing.price_book import PriceBooks
from costs.pricing.sizes import OccupiedSizes

if TYPE_CHECKING:
    from bootstrap.app import App


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What knows about money, on the storage of an app."""

    app: "App"
    blobs: LedgerBlobs
    price_books: PriceBooks
    sizes: OccupiedSizes
    ledger: Ledger
