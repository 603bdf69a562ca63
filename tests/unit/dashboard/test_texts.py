"""Every language says everything, and nothing that no page asks for."""

import ast
import re
from datetime import timedelta
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog

import dashboard
from dashboard.i18n.language import Language, preferred
from dashboard.i18n.words import SCRIPT_TEXTS, Words
from dashboard.views.costs import GROUPS
from dashboard.views.page import PAGES
from dashboard.views.regions import Health
from replication.dead_letters.filter import ANY_STATE
from replication.domain.errors import FailureCode, Operation
from replication.domain.failures import FAILURES
from replication.domain.job import Phase, ReplicaState
from replication.operations.journal import ActionKind
from replication.ports import LetterState
from tests.support.builders import NOON
from tools import texts

FOLDER = Path(dashboard.__file__).parent
CATALOGUES = {language: texts.catalogue(language.value) for language in Language}
TEXTS = {
    message.id if isinstance(message.id, str) else message.id[0]
    for message in CATALOGUES[Language.ENGLISH]
    if message.id
}
# Keys that are put together of a word and one of these.
FAMILIES = {
    "phase_": [one.value for one in Phase],
    "state_": [one.value for one in ReplicaState],
    "letter_": [*(one.value for one in LetterState), ANY_STATE],
    "operation_": [*(one.value for one in Operation), "any"],
    "health_": [one.value for one in Health],
    "nav_": list(PAGES),
    "by_": list(GROUPS),
    "act_": [one.value for one in ActionKind],
    "unit_": ["s", "min", "h", "d"],
    "sort_": ["newest", "oldest", "name"],
    "problem_": ["400", "401", "403", "404", "500", "503"],
    "told_": ["400", "401", "403", "404", "500", "503"],
    "source_": ["event", "job"],
    "means_": [one.value for one in FailureCode],
}
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
NO_WORDS = {"product", "bar_median", "progress_of", "range"}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def said(key: str, language: Language) -> tuple[str, ...]:
    """Return a text in its plural forms."""
    message = CATALOGUES[language].get(key)
    return texts.forms(message) if message else ()


def test_every_language_has_a_catalogue_and_every_catalogue_is_a_language() -> None:
    assert {path.name for path in texts.LOCALE.iterdir()} == set(Language)


def test_the_catalogues_are_in_step_and_compiled() -> None:
    for path, content in texts.files():
        assert path.read_bytes() == content, f"{path.name} is stale: make texts"


def test_a_translation_of_a_text_that_has_changed_is_marked() -> None:
    source = Catalog()
    counted = ("raw_more", "raw_more")
    for key, text in (("back", "Go back"), ("skip", "Jump over it"), ("added", "Something else")):
        source.add(key, text)
    source.add(counted, ("{n} more character, as JSON", "{n} more characters, as JSON"))
    source.add(("all_stuck", "all_stuck"), ("The one that is stuck", "All {n} that are stuck"))
    japanese = [one for one in texts.in_step(texts.catalogue("ja"), source) if one.id]
    keys = [one.id if isinstance(one.id, str) else one.id[0] for one in japanese]
    assert keys == ["back", "skip", "added", "raw_more", "all_stuck"]
    assert [one.fuzzy for one in japanese] == [False, True, False, False, True]
    assert [any(texts.forms(one)) for one in japanese] == [True, True, False, True, True]


@pytest.mark.parametrize("language", Language)
def test_every_language_puts_in_the_same_values(language: Language) -> None:
    for key in TEXTS:
        *_, english = said(key, Language.ENGLISH)
        for text in said(key, language):
            assert fields(english) == fields(text), key
            placeholders = [sorted(re.findall(r"\[\w+\]", one)) for one in (english, text)]
            assert placeholders[0] == placeholders[1], key


@pytest.mark.parametrize("language", Language)
def test_what_is_counted_has_every_form_of_its_language(language: Language) -> None:
    for key in TEXTS:
        counted = "n" in fields(said(key, Language.ENGLISH)[0])
        plurals = CATALOGUES[language].num_plurals if counted else 1
        assert len(said(key, language)) == plurals, key


@pytest.mark.parametrize("language", Language)
def test_every_text_is_translated(language: Language) -> None:
    assert not any(message.fuzzy for message in CATALOGUES[language])
    for key in TEXTS:
        found = said(key, language)
        assert Words(language=language, now=NOON).text(key) == found[0], key
        is_japanese = language is Language.JAPANESE and key not in NO_WORDS
        for text in found:
            assert text.strip() == text != "", key
            assert bool(JAPANESE.search(text)) == is_japanese, key


@pytest.mark.parametrize(
    ("key", "one", "two"),
    [
        ("health_held", "Held back: 1 version failed", "Held back: 2 versions failed"),
        ("health_failing", "Failing: 1 version", "Failing: 2 versions"),
        ("groups_left_out", "1 more group is not shown.", "2 more groups are not shown."),
        ("raw_more", "1 more character, as JSON", "2 more characters, as JSON"),
    ],
)
def test_one_is_said_in_the_singular(key: str, one: str, two: str) -> None:
    words = Words(language=Language.ENGLISH, now=NOON)
    assert (words.text(key, n=1), words.text(key, n=2)) == (one, two)


def test_a_text_that_nobody_knows_is_a_mistake() -> None:
    words = Words(language=Language.JAPANESE, now=NOON)
    with pytest.raises(KeyError, match="no_such_text"):
        words.text("no_such_text")
    with pytest.raises(KeyError, match="back"):
        words.text("back", n=2)  # it counts nothing
    assert words.known("phase", "no_such_phase") == "no_such_phase"
    assert words.known("phase", "no_such_phase", "") == ""


def test_a_failure_is_explained_in_the_words_of_the_core() -> None:
    for code, failure in FAILURES.items():
        assert said(f"means_{code.value}", Language.ENGLISH) == (failure.sentence,)


def keys_in_use() -> set[str]:
    found = {f"{family}{word}" for family, words in FAMILIES.items() for word in words}
    for path in (FOLDER / "templates").glob("*.html"):
        found |= set(re.findall(r"\bt\(\"(\w+[a-z0-9])\"", path.read_text()))
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    script = (FOLDER / "static" / "script.js").read_text()
    found |= {f"js_{name}" for name in re.findall(r"\bwords\.(\w+)", script)}
    found |= {f"next_of_{code.value}" for code in FailureCode}
    return found


def test_every_text_is_shown_somewhere() -> None:
    assert keys_in_use() >= TEXTS


def test_every_family_and_every_template_finds_its_text() -> None:
    for family, words in FAMILIES.items():
        assert {f"{family}{word}" for word in words} <= TEXTS, family
    for path in (FOLDER / "templates").glob("*.html"):
        named = set(re.findall(r"\bt\(\"(\w+[a-z0-9])\"", path.read_text()))
        assert named <= TEXTS, path.name
    script = (FOLDER / "static" / "script.js").read_text()
    assert set(re.findall(r"\bwords\.(\w+)", script)) == set(SCRIPT_TEXTS)
    assert {f"js_{name}" for name in SCRIPT_TEXTS} <= TEXTS


def test_no_template_says_anything_itself() -> None:
    for path in (FOLDER / "templates").glob("*.html"):
        text = re.sub(
            r"\{%.*?%\}|\{\{.*?\}\}|<code>.*?</code>|<[^>]*>",
            " ",
            path.read_text(),
            flags=re.DOTALL,
        )
        assert set(re.findall(r"[A-Za-z]{2,}", text)) <= {"GB"}, path.name


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        ("en-US,en;q=0.9,ja;q=0.8", "en"),
        ("de, ja;q=0.5, en;q=0.4", "ja"),
        ("de-DE,fr;q=0.9", "en"),
        ("ja;q=0, en;q=0.1", "en"),
        ("ja;q=0", "en"),
        ("en;q=0.5, JA ; Q=0.6", "ja"),
        ("*", "en"),
        ("ja;q=2, en;q=0.1", "en"),
        ("ja;q=abc", "en"),
        ("japanese", "en"),
        (";;;,,,=", "en"),
        ("x," * 10_000 + "ja", "en"),
    ],
)
def test_the_browser_chooses_the_language(header: str, language: str) -> None:
    assert preferred(header) == language


@pytest.mark.parametrize(
    ("seconds", "english", "japanese"),
    [
        (0, "0 s", "0 秒"),
        (119, "119 s", "119 秒"),
        (120, "2 min", "2 分"),
        (7199, "119 min", "119 分"),
        (7200, "2 h", "2 時間"),
        (172_800, "2 d", "2 日"),
        (None, "\N{EN DASH}", "\N{EN DASH}"),
    ],
)
def test_times_are_said_in_one_unit(seconds: float | None, english: str, japanese: str) -> None:
    assert Words(language=Language.ENGLISH, now=NOON).duration(seconds) == english
    assert Words(language=Language.JAPANESE, now=NOON).duration(seconds) == japanese


def test_what_lies_ahead_is_said_so() -> None:
    words = Words(language=Language.ENGLISH, now=NOON)
    assert words.age("2026-11-23T12:05:00Z") == "in 5 min"
    assert words.age("2026-11-23T11:55:00Z") == "5 min ago"
    assert words.utc("2026-11-23T11:55:00Z") == "2026-11-23 11:55:00 UTC"


@pytest.mark.parametrize(
    ("ahead_s", "said"),
    [
        (90, "in 90 s"),
        (0, "any moment"),
        (-59, "any moment"),
        (-60, "overdue for 60 s"),
        (-3 * 3600, "overdue for 3 h"),
        (None, "–"),  # noqa: RUF001 - the dash of the pages
    ],
)
def test_what_is_to_come_is_never_said_to_be_over(ahead_s: int | None, said: str) -> None:
    words = Words(language=Language.ENGLISH, now=NOON)
    moment = None if ahead_s is None else NOON + timedelta(seconds=ahead_s)
    assert words.due(moment) == said
