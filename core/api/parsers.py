"""JSON and nothing else, read strictly: what PostgreSQL could not store or Python could not count is refused here."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, Final, NoReturn

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from core.api.errors import TooLarge

MAX_BODY_BYTES: Final = 1 << 20  # a view that takes more says so in `max_body_bytes`
MAX_DIGITS: Final = 19  # of a whole number; a bigint has no more
MAX_NUMBER_LENGTH: Final = 40  # of a number with a point or an exponent
MAX_EXPONENT: Final = 30


class StrictJSONParser(BaseParser):
    """Numbers with a point become Decimal, so that 0.1 stays 0.1."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        view = (parser_context or {}).get("view")
        return read(_bounded(stream, limit=getattr(view, "max_body_bytes", MAX_BODY_BYTES)))


def _bounded(stream: IO[Any], *, limit: int) -> bytes:
    body: bytes = stream.read(limit + 1)
    if len(body) > limit:
        raise TooLarge(_("The body is larger than %s bytes.") % limit)
    return body


def read(body: bytes) -> Any:
    """The value of a JSON text. Raises ParseError with the reason."""
    try:
        value = json.loads(
            body.decode(),
            parse_int=_whole,
            parse_float=_fraction,
            parse_constant=_no_number,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise ParseError(_("The JSON is nested too deeply.")) from None
    except ValueError as error:
        raise ParseError(_("The body is not valid JSON: %s") % error) from None
    _refuse_unstorable(body, value)
    return value


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise ParseError(_("A number has too many digits."))
    return int(text)


def _fraction(text: str) -> Decimal:
    if len(text) > MAX_NUMBER_LENGTH:
        raise ParseError(_("A number has too many digits."))
    value = Decimal(text)
    if abs(value.adjusted()) > MAX_EXPONENT:
        raise ParseError(_("A number is too large or too small."))
    return value


def _no_number(name: str) -> NoReturn:
    raise ParseError(_("%s is not a number.") % name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ParseError(_("An object names a field twice."))
    return value


def _refuse_unstorable(body: bytes, value: Any) -> None:
    """NUL and half characters reach us as escapes only, so that most bodies need no second look."""
    if b"\\u0000" not in body and b"\\ud" not in body.lower():
        return
    text = json.dumps(value, ensure_ascii=False, default=str)
    if "\\u0000" in text.replace("\\\\", ""):
        raise ParseError(_("A text holds a NUL character."))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ParseError(_("A text holds half of a surrogate pair.")) from None
