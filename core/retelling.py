"""Sentences that were made without a reader, such as the reason of a failed job, in the language of who reads them now.

They are kept in English. The catalogue's own patterns (`{name} is empty.`) find the values in them again, so that
nothing but the sentence has to be stored or handed on, and the modules that make them need not know of it
(tools/catalogues.py reads the patterns from their f-strings).
"""

import re
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Final

from babel.messages.mofile import read_mo
from django.conf import settings
from django.utils import formats
from django.utils.translation import get_language, gettext, pgettext

# Values that are sentences themselves, as constants are; all others, such as names of files, stay as they are.
NESTED: Final = frozenset({"reason", "problem", "place", "expected", "message", "day_first"})
SEVERAL: Final = "; "  # between reasons that were joined
# Names of models, which are words in some cases and signs in others; what a row is; what points are called, unless the
# shop calls them otherwise.
NAMES: Final = frozenset({"best", "kind", "points"})
# Figures, which are written as the language writes them; all other numbers may be names or come from a file.
FIGURES: Final = frozenset({"wrong", "left", "times", "ours", "own"})
DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}: ")  # what a sentence about a past day begins with
ISO: Final = len("2026-03-31")
VALUE: Final = re.compile(r"\{(\w+)\}")
NUMBER: Final = re.compile(r"(\d+)(?:\.(\d+))?(%?)")


def retold(text: str) -> str:
    """The English sentence in the active language; where no pattern of the catalogue fits, only its day is."""
    language = get_language()
    if not text or language is None:
        return text
    said = text if language.startswith("en") else _told(text, language) or text
    return _with_day(said) if DAY.match(said) else said


def _with_day(text: str) -> str:
    """Its day as people write it. Dates further on stay: they may be names, or come from a file."""
    try:
        day = date.fromisoformat(text[:ISO])
    except ValueError:
        return text
    return f"{formats.date_format(day, 'DATE_FORMAT')}{text[ISO:]}"


def _told(text: str, language: str) -> str | None:
    same = gettext(text)
    if same != text:
        return same
    if SEVERAL in text and None not in (told := [_told(part, language) for part in text.split(SEVERAL)]):
        return SEVERAL.join(filter(None, told))
    for pattern, shape in patterns(language):
        if (found := shape.fullmatch(text)) and (values := _values(found.groupdict(), language)) is not None:
            return gettext(pattern).format(**values)
    return None


def _values(found: dict[str, str], language: str) -> dict[str, str] | None:
    """The values as they are to be said; None when one that should be a sentence is none, so the pattern is not it."""
    said = {name: _value(name, value, language) for name, value in found.items()}
    return None if None in said.values() else {name: value or "" for name, value in said.items()}


def _value(name: str, value: str, language: str) -> str | None:
    if name in NAMES:
        return gettext(value)
    if name in FIGURES and (number := NUMBER.fullmatch(value)):
        return _figure(*number.groups(default=""))
    return _told(value, language) if _is_sentence(name, value) else value


def _figure(whole: str, decimals: str, sign: str) -> str:
    """`1.13` is `1,13` in German, and `11%` is `11 %`."""
    written = formats.number_format(Decimal(f"{whole}.{decimals or 0}"), len(decimals))
    return pgettext("percent", "%(number)s%%") % {"number": written} if sign else written


def _is_sentence(name: str, value: str) -> bool:
    return (name in NESTED or name.isupper()) and any(c.isalpha() for c in value)


@cache
def patterns(language: str) -> list[tuple[str, re.Pattern[str]]]:
    """The catalogue's patterns with values: those with sentences in them first, then those with most words."""
    ids = {text for text in _texts(language) if VALUE.search(text)}
    return [(text, _shape(text)) for text in sorted(ids, key=_rank)]


def _rank(text: str) -> tuple[bool, int, str]:
    return not (NESTED | NAMES) & set(VALUE.findall(text)), -len(VALUE.sub("", text)), text


def _texts(language: str) -> list[str]:
    """The one-sentence texts of our compiled catalogue; none when there is no such file."""
    path = settings.LOCALE_PATHS[0] / language / "LC_MESSAGES" / "django.mo"
    if not path.exists():
        return []
    with path.open("rb") as file:
        return [message.id for message in read_mo(file) if isinstance(message.id, str)]


def _shape(text: str) -> re.Pattern[str]:
    literals = VALUE.split(text)
    parts = [re.escape(part) if i % 2 == 0 else f"(?P<{part}>.+?)" for i, part in enumerate(literals)]
    return re.compile("".join(parts), re.DOTALL)
