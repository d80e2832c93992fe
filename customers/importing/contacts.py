"""E-mail addresses in lower case and phone numbers in E.164 form."""

import re
from typing import Final

import phonenumbers

from customers.importing.problems import ValueProblem

EMAIL: Final = re.compile(r"[^\s@<>()\[\],;:\"\\]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}[^\W_]")
LONGEST_EMAIL: Final = 254
SEPARATORS: Final = re.compile(r"[;,\s]+")


def email(text: str, *, field: str = "email") -> str:
    """Raises ValueProblem for what can be no address."""
    address = text.strip().removeprefix("mailto:").lower()
    if len(address) > LONGEST_EMAIL or not EMAIL.fullmatch(address) or ".." in address:
        raise ValueProblem(field, text, "is not an e-mail address; expected name@example.com")
    return address


def phone(text: str, *, region: str = "", field: str = "phone") -> str:
    """The number as +491701234567. Without a `region` (ISO 3166, two letters) it must begin with +."""
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise ValueProblem(field, text, "is not a phone number; expected one such as +491701234567")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def several(text: str) -> list[str]:
    """Addresses that stand in one cell."""
    return [part for part in SEPARATORS.split(text) if part]


def region_of(country: str) -> str:
    """The region for reading phone numbers, where a country is given by its two letters."""
    return country.upper() if country.upper() in phonenumbers.SUPPORTED_REGIONS else ""
