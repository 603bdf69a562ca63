"""Command `regions`: which regions make up a geography."""

import difflib
from typing import Annotated, Any

import typer

from cli.session import session_of
from cli.tables.replications import region_list
from cli.terminal.arguments import AsJson, read_subscription
from cli.terminal.completion import complete_region
from cli.terminal.errors import NotFoundError, UsageProblem
from cli.terminal.output import new_fields, print_human, print_json, text
from replication.domain.regions import InvalidRegionNameError, Region, RegionCatalog


def regions(
    ctx: typer.Context,
    region: Annotated[
        str | None,
        typer.Argument(
            metavar="[REGION]",
            help='A region in any spelling, such as "West US 2"; without it, all geographies.',
            show_default=False,
            autocompletion=complete_region,
        ),
    ] = None,
    *,
    subscription: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Ask Azure what this subscription sees; without it, the snapshot shipped.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the geography of a region and the others in it, or all geographies."""
    catalog = session_of(ctx).catalog(read_subscription(subscription))
    if region is None:
        _show_all(catalog, as_json=as_json)
    else:
        _show_one(catalog, _find(catalog, region), as_json=as_json)


def nearest_region(catalog: RegionCatalog, name: str) -> Region:
    """Return the region that a name not in the catalog comes closest to."""
    known = {one.name: one for one in catalog.details}
    close = difflib.get_close_matches(name, [*known, *catalog.aliases], n=1, cutoff=0.0)
    return catalog.aliases[close[0]] if close[0] in catalog.aliases else known[close[0]]


def _find(catalog: RegionCatalog, text_: str) -> Region:
    try:
        found = catalog.resolve(text_)
    except InvalidRegionNameError as error:
        raise UsageProblem(str(error)) from error
    if found not in catalog.details:
        near = nearest_region(catalog, found.name) if catalog.details else None
        raise NotFoundError(
            f"{found.name!r} is no region of {catalog.source}"
            + (f"; the nearest name is {near}" if near else "")
        )
    return found


def _show_one(catalog: RegionCatalog, region: Region, *, as_json: bool) -> None:
    others = [_view(catalog, other) for other in catalog.same_geography(region)]
    view = _view(catalog, region)
    if as_json:
        print_json({**view, "others": others, "catalog": catalog.source})
        return
    print_human(
        new_fields(
            [
                ("Region", text(f"{view['region']} ({view['display_name']})")),
                ("Geography", text(view["geography"])),
                ("Others in it", text("" if others else "none")),
                ("Source", text(catalog.source)),
            ]
        )
    )
    if others:
        print_human("", region_list(others))


def _show_all(catalog: RegionCatalog, *, as_json: bool) -> None:
    views = [_view(catalog, region) for region in sorted(catalog.details)]
    views.sort(key=lambda one: str(one["geography"]))
    if not as_json:
        print_human(region_list(views), "", text(f"Source: {catalog.source}"))
        return
    geographies: dict[str, list[dict[str, Any]]] = {}
    for view in views:
        geographies.setdefault(str(view["geography"]), []).append(view)
    print_json(
        {
            "geographies": [
                {"geography": name, "regions": members} for name, members in geographies.items()
            ],
            "catalog": catalog.source,
        }
    )


def _view(catalog: RegionCatalog, region: Region) -> dict[str, Any]:
    return {
        "region": region.name,
        "display_name": catalog.display_name(region),
        "geography": catalog.geography_of(region),
        "offered": None if catalog.offered is None else catalog.offers(region),
    }
