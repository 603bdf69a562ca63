"""Which dead letters a query means."""

from replication.image_version import ImageVersionId, MalformedImageVersionIdError
from replication.ports import DeadLetter, LetterQuery


def gallery_of_letter(letter: DeadLetter) -> str:
    """Return the gallery's name in lower case, empty where the letter names no image version."""
    if letter.image_version_id is None:
        return ""
    try:
        return ImageVersionId.parse(letter.image_version_id).gallery.lower()
    except MalformedImageVersionIdError:
        return ""


def matches(letter: DeadLetter, query: LetterQuery) -> bool:
    """Tell whether a letter is one of those asked for; the cursor and the limit aside."""
    version_id = (letter.image_version_id or "").lower()
    return (
        (query.state is None or letter.state is query.state)
        and (query.code is None or letter.code == query.code)
        and (query.source is None or letter.source == query.source)
        and (query.gallery is None or gallery_of_letter(letter) == query.gallery.lower())
        and (query.region is None or query.region in letter.regions)
        and (query.image_version_id is None or version_id == query.image_version_id.lower())
        and (query.laid_by is None or letter.at <= query.laid_by)
    )
