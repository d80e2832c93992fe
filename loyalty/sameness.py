"""Whether two e-mail or postal addresses are one person's, as far as an address can tell. Pure."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, NamedTuple

from customers.places import Place

ALIASES: Final = {"googlemail.com": "gmail.com"}

# Letters that are no letter with an accent, and marks: an apostrophe is nothing, # is a flat's.
LETTERS: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "'": "", "’": "", "`": "", "#": " flat "}
)
UMLAUT: Final = re.compile(r"([aou])e")  # Mueller is Müller, on both sides
WORD: Final = re.compile(r"[^\W\d_]+|\d+")
ENDING: Final = re.compile(r"(?<=..)(strasse|straat|str)$")
KINDS: Final = {
    "st": "street saint str strasse straat",
    "av": "avenu ave avda avenida",
    "rd": "road",
    "ln": "lane",
    "dr": "drive",
    "bd": "boulevard blvd boul bvd",
    "ct": "court",
    "sq": "square",
    "pl": "place platz plaza",
    "ter": "terrace terr",
    "c": "calle",
    "r": "rue ru",
}
SHORT: Final = {long: short for short, longs in KINDS.items() for long in longs.split()}
UNSAID: Final = frozenset({"no", "nr", "num", "numero", "number", "ul", "ulica"})
FLAT: Final = re.compile(
    r"\b(?:flat|apartment|apt|apartamento|appartement|app|unit|suite|room|wohnung|whg|top|piso|purta|lokal)"
    r" (?:no |nr )?(\d+(?: [a-z])?|[a-z])\b"
)


def canonical(address: str) -> str:
    """An address without what people add to make it look like another: dots and a plus tag in its first part.

    Not everywhere do `a.b@` and `ab@` reach one mailbox, so that two alike are a reason to look and not to refuse.
    """
    name, _, domain = address.strip().lower().rpartition("@")
    return f"{name.partition('+')[0].replace('.', '')}@{ALIASES.get(domain, domain)}"


def are_similar(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether any address of `one` is also among `other` once both are made canonical."""
    return not {canonical(address) for address in one}.isdisjoint(canonical(address) for address in other)


def are_one_place(one: Place, other: Place) -> bool:
    """Whether two postal addresses are one, however they are written.

    The same words and numbers of the street in any order, and the same postcode; where one names none, the same city,
    and then only with a number in the street. Flats are kept apart when both are named. A city alone is no address.
    Countries count where both are two letters.
    """
    here, there = _house(one), _house(other)
    if not here.words or here.words != there.words or _differ(here.flat, there.flat):
        return False
    if _differ(_letters(one.country), _letters(other.country)):
        return False
    codes = _postcode(one.postcode), _postcode(other.postcode)
    if all(codes):
        return codes[0] == codes[1]
    return here.has_number and bool(_words(one.city)) and _words(one.city) == _words(other.city)


def digits(postcode: str) -> str:
    """As the index of customers has them: postcodes that are one have the same."""
    return re.sub(r"[^0-9]", "", postcode)[:5]


class _House(NamedTuple):
    words: tuple[str, ...] = ()  # sorted
    flat: str = ""

    @property
    def has_number(self) -> bool:
        return any(word.isdigit() for word in self.words)


def _house(place: Place) -> _House:
    text = " ".join(_words(place.street))
    flat = FLAT.search(text)
    words = tuple(sorted(word for word in FLAT.sub(" ", text).split() if word not in UNSAID))
    if words == tuple(sorted(_words(place.city))):
        return _House()
    return _House(words=words, flat=flat[1] if flat else "")


def _words(text: str) -> list[str]:
    """Small plain words and numbers, with kinds of streets as one writes them in short."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(LETTERS))
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    found = WORD.findall(UMLAUT.sub(r"\1", bare))
    return [SHORT.get(part, part) for word in found for part in ENDING.sub(r" st", word).split()]


def _differ(one: str, other: str) -> bool:
    return bool(one and other and one != other)


def _letters(country: str) -> str:
    return country.upper() if len(country) == 2 else ""


def _postcode(text: str) -> str:
    """Without spaces and dashes, the country before it (D-10115) and the last four digits of an American one."""
    code = "".join(letter for letter in text.upper() if letter.isalnum())
    if re.fullmatch(r"\s*\d{5}-\d{4}\s*", text):
        return code[:5]
    return re.sub(r"^[A-Z]{1,2}(?=\d{4,6}$)", "", code)
