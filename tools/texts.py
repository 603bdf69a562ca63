"""Catalogues of the pages' texts: keep the translations in step, compile all (`make texts`).

English is the source. A translation has its entries in the same order, each below the English
text; one whose English text has changed is marked as fuzzy until a translator has looked at it.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

LOCALE = Path(__file__).parents[1] / "dashboard" / "i18n" / "locale"
SOURCE = "en"


def catalogue(language: str) -> Catalog:
    """Read the catalogue of a language."""
    with _file(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def forms(message: Message) -> tuple[str, ...]:
    """Return a text in its plural forms, of which there is one if nothing is counted."""
    text = message.string or ""
    return (text,) if isinstance(text, str) else tuple(text)


def in_step(found: Catalog, source: Catalog) -> Catalog:
    """Return a translation with exactly the texts of the source, each below its source."""
    known = {message.id: " ".join(message.auto_comments) for message in found}
    template = Catalog()
    for message in source:
        if message.id:
            template.add(message.id, auto_comments=list(dict.fromkeys(forms(message))))
    found.update(template, no_fuzzy_matching=True, update_creation_date=False)
    for message in found:
        if any(forms(message)) and known.get(message.id) != " ".join(message.auto_comments):
            message.flags.add("fuzzy")
    return found


def files() -> Iterator[tuple[Path, bytes]]:
    """Yield every file of the catalogues with what is to stand in it."""
    source = catalogue(SOURCE)
    for language in sorted(folder.name for folder in LOCALE.iterdir()):
        found = source if language == SOURCE else in_step(catalogue(language), source)
        text, compiled = BytesIO(), BytesIO()
        write_po(text, found, width=100, ignore_obsolete=True)
        yield _file(language), text.getvalue()
        write_mo(compiled, found)
        yield _file(language).with_suffix(".mo"), compiled.getvalue()


def _file(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "dashboard.po"


if __name__ == "__main__":
    for path, content in files():
        path.write_bytes(content)
