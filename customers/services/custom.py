"""Custom fields: what a business keeps of its customers beside what everybody keeps.

Values stand in Customer.custom by the field's key, as JSON: texts, numbers as decimal strings, dates as YYYY-MM-DD,
true or false, choices by their words. An empty value is no entry.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Final, TypeAlias

from django.db import transaction
from django.db.models import Max
from django.utils import formats
from django.utils.dateparse import parse_date
from django.utils.text import slugify
from django.utils.translation import gettext as _

from customers.importing.extras import Extra
from customers.models import Customer, CustomField

LONGEST: Final = 500
YES: Final = frozenset({"yes", "y", "true", "1", "on", "ja", "sí", "si"})
NO: Final = frozenset({"no", "n", "false", "0", "off", "nein"})
Value: TypeAlias = str | bool | None


class BadValue(ValueError):
    """The value does not fit the field; the message says what would, in the reader's language."""

    def __init__(self, field: CustomField, message: str) -> None:
        super().__init__(message)
        self.field = field


class FieldInUse(Exception):
    """Customers have a value that the change would make unreadable."""


def fields() -> list[CustomField]:
    """The fields in use, in their order."""
    return list(CustomField.objects.filter(archived_at__isnull=True).order_by("position", "pk"))


def told(customer: Customer) -> list[tuple[str, str]]:
    """(label, value) of the fields in use that the customer has a value of. One query, none without values."""
    known = fields() if customer.custom else []
    return [(one.label, words(one, customer.custom[one.key])) for one in known if one.key in customer.custom]


def words(field: CustomField, value: object) -> str:
    """A value as people read it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field.kind == CustomField.Kind.DATE and (day := parse_date(str(value))):
        return formats.date_format(day)
    return str(value)


def clean(field: CustomField, value: object) -> Value:
    """The value as it is stored; None for nothing. Takes texts as files and people write them, and JSON values.

    Raises BadValue.
    """
    if value is None or str(value).strip() == "":
        return None
    readers: dict[str, Callable[[CustomField, object], Value]] = {
        CustomField.Kind.TEXT: _text,
        CustomField.Kind.NUMBER: _number,
        CustomField.Kind.DATE: _date,
        CustomField.Kind.YES_NO: _yes_no,
        CustomField.Kind.CHOICE: _choice,
    }
    return readers[field.kind](field, value)


def clean_all(values: Mapping[str, object], *, known: Sequence[CustomField]) -> dict[str, Value]:
    """By key, for programs. Raises BadValue for a value that does not fit and KeyError for a key that is not known."""
    by_key = {field.key: field for field in known}
    return {key: clean(by_key[key], value) for key, value in values.items()}


def merge(custom: Mapping[str, object], changes: Mapping[str, Value]) -> dict[str, object]:
    """What stands in Customer.custom after `changes`; None takes an entry away."""
    whole = dict(custom) | dict(changes)
    return {key: value for key, value in whole.items() if value is not None}


def _text(field: CustomField, value: object) -> str:
    if not isinstance(value, str):
        raise BadValue(field, _("Write a text."))
    text = re.sub(r"\s+", " ", str(value)).strip()
    if len(text) > LONGEST:
        raise BadValue(field, _("At most %(most)s characters.") % {"most": LONGEST})
    return text


def _number(field: CustomField, value: object) -> str:
    text = str(value).strip().replace("\N{MINUS SIGN}", "-")
    if re.fullmatch(r"-?\d+,\d+", text):
        text = text.replace(",", ".")
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or abs(number) >= Decimal(10) ** 15 or isinstance(value, bool):
        raise BadValue(field, _("Write a number such as 1234.5."))
    return f"{number.normalize():f}"


def _date(field: CustomField, value: object) -> str:
    try:
        return date.fromisoformat(str(value).strip()).isoformat()
    except ValueError:
        raise BadValue(field, _("Write a date such as 2026-03-31.")) from None


def _yes_no(field: CustomField, value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold()
    if word not in YES | NO:
        raise BadValue(field, _("Write yes or no."))
    return word in YES


def _choice(field: CustomField, value: object) -> str:
    word = str(value).strip().casefold()
    found = next((choice for choice in field.choices if choice.casefold() == word), None)
    if found is None:
        raise BadValue(field, _("Choose one of: %(choices)s.") % {"choices": ", ".join(field.choices)})
    return found


def extras() -> list[Extra]:
    """The fields in use, for files."""
    return [
        Extra(key=one.key, label=one.label, kind=one.kind, choices=one.choices, clean=partial(clean, one))
        for one in fields()
    ]


@transaction.atomic
def add(*, label: str, kind: str, choices: Sequence[str]) -> CustomField:
    """A new field, the last. Its key comes from the label and never changes: files and programs name it."""
    last = CustomField.objects.aggregate(last=Max("position"))["last"] or 0
    return CustomField.objects.create(
        key=_free_key(label), label=label, kind=kind, choices=list(choices), position=last + 1
    )


def _free_key(label: str) -> str:
    stem = re.sub(r"[^a-z0-9]+", "_", slugify(label).replace("-", "_")).strip("_")[:34]
    stem = stem if stem[:1].isalpha() else f"field_{stem}".rstrip("_")
    taken = set(CustomField.objects.filter(key__startswith=stem).values_list("key", flat=True))
    return next(key for key in (stem, *(f"{stem}_{number}" for number in range(2, 10_000))) if key not in taken)


@transaction.atomic
def change(*, field_id: int, label: str, choices: Sequence[str], position: int) -> CustomField:
    """Raises FieldInUse when a choice goes that customers have."""
    field = CustomField.objects.select_for_update().get(pk=field_id)
    for gone in sorted(set(field.choices) - set(choices)):
        if Customer.objects.exclude(custom={}).filter(custom__contains={field.key: gone}).exists():
            raise FieldInUse(_("Customers have the choice “%(choice)s”: it has to stay.") % {"choice": gone})
    field.label, field.choices, field.position = label, list(choices), position
    field.save(update_fields=["label", "choices", "position"])
    return field


def archive(*, field_id: int, at: datetime | None) -> None:
    """Take a field out of use, or with None back into it. Values stay where they are."""
    CustomField.objects.filter(pk=field_id).update(archived_at=at)
