"""Completion: what the shell offers for the words of a command, without storage or Azure."""

from collections.abc import Callable, Iterable

from replication.domain.region_snapshot import shipped_catalog

type Completion = Callable[[str], list[str]]


def one_of(words: Iterable[str]) -> Completion:
    """Offer the words that begin as what was typed so far."""
    known = tuple(words)

    def offer(incomplete: str) -> list[str]:
        typed = incomplete.lower()
        return [word for word in known if word.lower().startswith(typed)]

    return offer


def comma_list(words: Completion) -> Completion:
    """Offer words for the last of several with commas between."""

    def offer(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        return [f"{before}{comma}{word}" for word in words(last)]

    return offer


def complete_region(incomplete: str) -> list[str]:
    """Offer the regions of the snapshot that ships with the project."""
    return one_of(sorted(one.name for one in shipped_catalog().details))(incomplete)


def complete_geography(incomplete: str) -> list[str]:
    """Offer the geographies of the snapshot that ships with the project."""
    catalog = shipped_catalog()
    names = {catalog.geography_of(one) for one in catalog.details}
    return one_of(sorted(name for name in names if name))(incomplete)
