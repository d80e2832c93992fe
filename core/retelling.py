"""Sentences that were made without a reader, such as the reason of a failed job, in the language of who reads them now.

They are kept in English. The catalogue's own patterns (`{name} is empty.`) find the values in them again, so that
nothing but the sentence has to be stored or handed on, and the modules that make them need not know of it
(tools/catalogues.py reads the patterns from their f-strings).
"""

import re
from functools import cache
from typing import Final

from babel.messages.mofile import read_mo
from django.conf import settings
from django.utils.translation import get_language, gettext

# Values that are sentences themselves; all others, such as names of files, stay as they are. So are constants.
NESTED: Final = frozenset({"reason", "problem", "place", "expected", "message"})
VALUE: Final = re.compile(r"\{(\w+)\}")


def retold(text: str) -> str:
    """The English sentence in the active language; unchanged where no pattern of the catalogue fits."""
    language = get_language()
    if not text or language is None or language.startswith("en"):
        return text
    same = gettext(text)
    if same != text:
        return same
    for pattern, shape in patterns(language):
        if found := shape.fullmatch(text):
            values = {
                name: retold(value) if name in NESTED or name.isupper() else value
                for name, value in found.groupdict().items()
            }
            return gettext(pattern).format(**values)
    return text


@cache
def patterns(language: str) -> list[tuple[str, re.Pattern[str]]]:
    """The catalogue's patterns with values, those with most words of their own first."""
    ids = {text for text in _texts(language) if VALUE.search(text)}
    return [(text, _shape(text)) for text in sorted(ids, key=lambda text: (-len(VALUE.sub("", text)), text))]


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
