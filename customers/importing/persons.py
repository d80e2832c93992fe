"""The customer file: one row per person. What is empty is left as it is."""

import re
import zoneinfo
from typing import Final

from customers import birthdays, places
from customers.importing import contacts
from customers.importing.record import Record
from customers.importing.rows import PersonRow

_TEXTS: Final = ("name", "company", "country", "city", "region", "locale", "time_zone", "channel")
ALIASES: Final = {
    "customer_id": ("customer_id", "customer", "id"),
    "email": ("email", "e_mail", "emails"),
    "phone": ("phone", "phones"),
    **{name: (name,) for name in _TEXTS},
    "birthday": ("birthday",),
    "street": ("street", "address"),
    "postcode": ("postcode", "postal_code", "zip"),
}
REQUIRED: Final = (("customer_id",),)
LOCALE: Final = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,8})?")
ZONES: Final = frozenset(zoneinfo.available_timezones())


def parse(record: Record) -> PersonRow:
    """Raises ValueProblem for what cannot be used."""
    customer = record.key("customer_id")
    if not customer:
        raise record.problem("customer_id", "no customer_id")
    country = record.name("country", longest=60)
    return PersonRow(
        line=record.line,
        customer=customer,
        name=record.name("name", longest=200),
        emails=tuple(contacts.email(part) for part in contacts.several(record.text("email"))),
        phones=_phones(record, country),
        company=record.name("company", longest=200),
        country=country,
        city=record.name("city", longest=80),
        street=record.name("street", longest=places.LONGEST_STREET),
        postcode=record.name("postcode", longest=places.LONGEST_POSTCODE),
        region=record.name("region", longest=places.LONGEST_REGION),
        locale=_locale(record),
        time_zone=_time_zone(record),
        channel=record.name("channel", longest=60),
        birthday=_birthday(record),
    )


def _phones(record: Record, country: str) -> tuple[str, ...]:
    region = contacts.region_of(country)
    parts = re.split(r"[;,]", record.text("phone"))
    return tuple(contacts.phone(part.strip(), region=region) for part in parts if part.strip())


def _locale(record: Record) -> str:
    text = record.text("locale")
    if text and (len(text) > 12 or not LOCALE.fullmatch(text)):
        raise record.problem("locale", "is not a language; expected one such as en or de-AT")
    return text


def _birthday(record: Record) -> str:
    """A date as the file has dates, or a month and a day."""
    text = record.text("birthday")
    try:
        return birthdays.read(text)
    except ValueError:
        return birthdays.of_day(record.moment("birthday").day)


def _time_zone(record: Record) -> str:
    text = record.text("time_zone")
    if text and text not in ZONES:
        raise record.problem("time_zone", "is not a time zone; expected one such as Europe/Berlin")
    return text
