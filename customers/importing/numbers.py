"""Numbers and amounts as people write them: 1234.56, 1,234.56, 1.234,56, (12.00), € 12,00."""

import re
from decimal import Decimal
from typing import Final

from customers.importing.problems import ValueProblem

LARGEST: Final = Decimal(10) ** 10
KEPT: Final = 100_000

PLAIN: Final = re.compile(r"\d+(?:\.\d+)?|\.\d+")
COMMA: Final = re.compile(r"\d+,\d+")
GROUPED_COMMA: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
GROUPED_DOT: Final = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?")
EITHER_COMMA: Final = re.compile(r"[1-9]\d{0,2},\d{3}")
EITHER_DOT: Final = re.compile(r"[1-9]\d{0,2}\.\d{3}")
SPACES: Final = re.compile(r"(?<=\d)[ \u00a0\u202f'’](?=\d{3})")
CODE: Final = re.compile(r"([A-Za-z]{3})\s*(.+)|(.+?)\s*([A-Za-z]{3})")

# What a sign can stand for.
DOLLARS: Final = frozenset({"USD", "AUD", "CAD", "NZD", "SGD", "HKD", "MXN", "TWD"})
SIGNS: Final = {"€": frozenset({"EUR"}), "£": frozenset({"GBP"}), "$": DOLLARS, "¥": frozenset({"JPY", "CNY"})}


class Numbers:
    """Reads numbers of a file. `comma` says that the comma is the decimal sign; None: each number must be plain."""

    def __init__(self, currency: str, *, comma: bool | None = None) -> None:
        self.currency, self.comma = currency, comma
        self._known: dict[str, Decimal] = {}

    def parse(self, text: str, *, field: str) -> Decimal:
        """Raises ValueProblem for what is no finite number, is in another currency or can be read in two ways."""
        value = self._known.get(text)
        if value is None:
            try:
                value = self._read(text)
            except ValueError as error:
                raise ValueProblem(field, text, str(error)) from None
            if len(self._known) < KEPT:
                self._known[text] = value
        return value

    def _read(self, text: str) -> Decimal:
        negative, body = _sign(text)
        body = SPACES.sub("", self._without_currency(body))
        if not negative:
            negative, body = _sign(body)
        value = Decimal(self._plain(body))
        if value >= LARGEST:
            raise ValueError("is too large; expected less than 10,000,000,000")
        return -value if negative else value

    def _plain(self, body: str) -> str:
        """The number with a decimal point and nothing else."""
        if PLAIN.fullmatch(body) and not (self.comma and EITHER_DOT.fullmatch(body)):
            return body
        if EITHER_COMMA.fullmatch(body) and self.comma is None:
            raise ValueError("can be read in two ways; expected a number such as 1234.56")
        if self.comma is not False and (COMMA.fullmatch(body) or GROUPED_DOT.fullmatch(body)):
            return body.replace(".", "").replace(",", ".")
        if not self.comma and GROUPED_COMMA.fullmatch(body):
            return body.replace(",", "")
        raise ValueError("is not a number; expected one such as 1234.56")

    def _without_currency(self, body: str) -> str:
        for sign, currencies in SIGNS.items():
            if sign in body:
                if self.currency not in currencies:
                    raise ValueError(f"is in another currency; expected {self.currency}")
                return body.replace(sign, "", 1).strip()
        found = CODE.fullmatch(body)
        if found is None or not any(character.isdigit() for character in body):
            return body
        code = found[1] or found[4]
        if code.upper() != self.currency:
            raise ValueError(f"is in another currency; expected {self.currency}")
        return (found[2] or found[3]).strip()


def _sign(text: str) -> tuple[bool, str]:
    """Whether a minus sign or brackets stand around the number, and what is between."""
    body = text.replace("\N{MINUS SIGN}", "-").strip()
    if body.startswith("(") and body.endswith(")"):
        return True, body[1:-1].strip()
    if body.startswith("-"):
        return True, body[1:].strip()
    if body.endswith("-"):
        return True, body[:-1].strip()
    return False, body.removeprefix("+").strip()


def comma_of(texts: list[str]) -> bool | None:
    """Whether the comma is the decimal sign in these numbers: by the clear ones; None when none is clear or they
    disagree.
    """
    bare = [SPACES.sub("", re.sub(r"[^\d.,]", "", text)) for text in texts]
    commas = any(re.fullmatch(r"\d+,\d{1,2}|\d+,\d{4,}|\d{1,3}(\.\d{3})+,\d+|\d{4,},\d+|0,\d+", text) for text in bare)
    dots = any(
        re.fullmatch(r"\d+\.\d{1,2}|\d+\.\d{4,}|\d{1,3}(,\d{3})+\.\d+|\d{4,}\.\d+|0\.\d+", text) for text in bare
    )
    return commas if commas != dots else None
