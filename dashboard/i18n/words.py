"""Words of a page: its texts, times and figures as a reader of its language says them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

from dashboard.i18n.language import Language
from replication.domain import formatting

_LOCALE = Path(__file__).with_name("locale")
SCRIPT_TEXTS = (
    *("away", "back", "count", "counted_again", "counting", "done", "done_many"),
    *("failed", "none", "not_shown", "replicate", "signed_out", "updated"),
)

_ROUND = 100
_ANY_MOMENT_S = 60
NOTHING = "–"  # noqa: RUF001 - a dash stands for what there is none of


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The texts of one language, as of a moment."""

    language: Language
    now: datetime

    def text(self, key: str, **values: object) -> str:
        """Return a text with its values put in; raises KeyError for an unknown one.

        `n` is a count, by which the form of the text is chosen.
        """
        catalogue, n = _catalogue(self.language), values.get("n")
        text = catalogue.ngettext(key, key, n) if isinstance(n, int) else catalogue.gettext(key)
        return text.format(**values) if values else text

    def known(self, prefix: str, word: str, otherwise: str | None = None) -> str:
        """Return what a word of the record is called; as it stands there if nobody knows it."""
        try:
            return self.text(f"{prefix}_{word}")
        except KeyError:
            return word if otherwise is None else otherwise

    def duration(self, seconds: float | None) -> str:
        """Return a length of time in one unit."""
        if seconds is None:
            return NOTHING
        count, unit = formatting.in_one_unit(seconds)
        return self.text(f"unit_{unit}", n=count)

    def age(self, moment: datetime | str | None) -> str:
        """Return how long ago a moment was, or how far ahead it lies."""
        at = _moment(moment)
        if at is None:
            return NOTHING
        past_s = (self.now - at).total_seconds()
        if past_s >= 0:
            return self.text("ago", time=self.duration(past_s))
        return self.text("ahead", time=self.duration(-past_s))

    def due(self, moment: datetime | str | None) -> str:
        """Return when something comes; what is over by less than a minute comes any moment."""
        at = _moment(moment)
        if at is None or at > self.now:
            return self.age(at)
        past_s = (self.now - at).total_seconds()
        if past_s < _ANY_MOMENT_S:
            return self.text("ready_soon")
        return self.text("overdue", time=self.duration(past_s))

    def utc(self, moment: datetime | str | None) -> str:
        """Return a moment whole, in UTC."""
        at = _moment(moment)
        return NOTHING if at is None else formatting.moment(at)

    def iso(self, moment: datetime | str) -> str:
        """Return a moment for the attribute `datetime`."""
        at = _moment(moment)
        return "" if at is None else f"{at:%Y-%m-%dT%H:%M:%SZ}"

    def for_script(self) -> Mapping[str, str]:
        """Return the texts that the script says."""
        return {name: self.text(f"js_{name}") for name in SCRIPT_TEXTS}


class _Unknown(NullTranslations):
    """The end of the chain of languages: a text that none has is a mistake of ours."""

    def gettext(self, message: str) -> str:
        raise KeyError(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:  # noqa: ARG002 - gettext's own
        raise KeyError(msgid1)


@cache
def _catalogue(language: Language) -> NullTranslations:
    found = translation("dashboard", _LOCALE, [language.value, Language.ENGLISH.value])
    found.add_fallback(_Unknown())
    return found


def number(value: float | None) -> str:
    """Return a figure with its thousands apart."""
    return NOTHING if value is None else f"{value:,}"


def speed(percent_per_min: float) -> str:
    """Return how fast a copy goes, in as many digits as anyone needs."""
    return f"{percent_per_min:.3g}" if percent_per_min < _ROUND else f"{percent_per_min:,.0f}"


def _moment(moment: datetime | str | None) -> datetime | None:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return None if moment is None else moment.astimezone(UTC)
