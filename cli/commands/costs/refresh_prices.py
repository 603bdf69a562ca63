"""`costs refresh-prices`: read the public price list into the price book."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.session import session_of
from cli.terminal.arguments import AsJson
from cli.terminal.errors import UsageProblem
from cli.terminal.output import print_human, print_json, text
from costs.pricing.price_book import check_currency
from replication.domain.errors import MalformedError

if TYPE_CHECKING:
    from costs.pricing.retail import Refreshed


def refresh_prices_command(
    ctx: typer.Context,
    *,
    currency: Annotated[
        str | None,
        typer.Option(
            help="Three letters, such as EUR; without it, the currency of the policy.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read the prices of replicas and of transfers from Azure's public price list and keep them."""
    code = currency.strip().upper() if currency is not None else None
    if code is not None:
        try:
            check_currency(code)
        except MalformedError as error:
            raise UsageProblem(f"--currency: {error}") from error
    app = session_of(ctx).app()
    refreshed = app.costs.refresh_prices(code or app.policy.currency)
    if as_json:
        print_json(_view(refreshed))
        return
    print_human(*(text(line) for line in _lines(refreshed)))


def _view(refreshed: "Refreshed") -> dict[str, Any]:
    book = refreshed.book
    return {
        "currency": book.currency,
        "read_on": None if book.read_on is None else book.read_on.isoformat(),
        "source": book.source,
        "rows_read": refreshed.rows_read,
        "prices_used": refreshed.kept,
        "rows_set_aside": dict(sorted(refreshed.set_aside.items())),
        "regions": refreshed.regions,
        "meters_without_a_price": list(refreshed.meters_without_a_price),
        "prices_in_book": len(book.prices),
    }


def _lines(refreshed: "Refreshed") -> list[str]:
    book = refreshed.book
    done = (
        f"{_count(refreshed.kept, 'price')} in {book.currency} for "
        f"{_count(refreshed.regions, 'region')} kept (from {book.source}, read on {book.read_on}); "
        f"the book now holds {len(book.prices)}, former prices among them."
    )
    lines = [done]
    lines += [f"No price was found for {meter}." for meter in refreshed.meters_without_a_price]
    aside = sum(refreshed.set_aside.values())
    lines.append(f"{refreshed.rows_read} rows read, {refreshed.kept} used, {aside} set aside.")
    lines += [f"  {count}: {why}" for why, count in sorted(refreshed.set_aside.items())]
    return lines


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
