"""The cost services of an app; opened by the timer, the API and the commands that need them."""

from bootstrap.app import App
from costs.books import Costs
from costs.ledger.ledger import Ledger
from costs.ledger.rows import DayPrices
from costs.pricing.price_book import PriceBooks
from costs.pricing.sizes import KnownSizes, OccupiedSizes
from replication.config.settings import STORAGE_SETTING, SettingsError


def open_costs(app: App) -> Costs:
    """Open the cost services; raises SettingsError where the app has no address of blobs."""
    blobs = app.ports.blobs
    if blobs is None:
        raise SettingsError(
            f"the cost audit keeps its books in blobs, and their address is missing: set "
            f"{STORAGE_SETTING}__blobServiceUri"
        )
    clock = app.ports.clock
    price_books = PriceBooks(blobs=blobs, clock=clock)
    sizes = OccupiedSizes(blobs=blobs)

    def prices() -> DayPrices:
        return DayPrices(
            book=price_books.current(app.policy.currency),
            sizes=KnownSizes(sizes.all()),
            extra_regions=app.policy.extra_regions,
        )

    ledger = Ledger(store=app.ports.store, blobs=blobs, prices=prices, clock=clock)
    return Costs(app=app, blobs=blobs, price_books=price_books, sizes=sizes, ledger=ledger)
