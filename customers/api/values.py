"""Fields that several resources of facts share: how many, when, addresses and numbers."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import status
from rest_framework.exceptions import NotFound

from core.api.fields import Moment, Price, Text
from customers.importing import contacts
from customers.importing.problems import ValueProblem

LARGEST_CENTS: Final = 10**12
CLOCKS: Final = timedelta(minutes=10)  # by which the clock of another machine may be ahead
QUANTITY_SCHEMA: Final = {
    "oneOf": [{"type": "string", "pattern": r"^[0-9]{1,10}(\.[0-9]{1,3})?$"}, {"type": "number", "minimum": 0}],
    "example": "2",
}


def named(text: str, *, longest: int = 200) -> str:
    """A name from an address, as far as its column goes. Raises NotFound: nothing can have a longer one."""
    if len(text) > longest or not text.isprintable():
        raise NotFound(gettext("A name in the address is too long or cannot be printed."))
    return text


def created(outcome: str) -> int:
    """The status of an answer to an upsert."""
    return status.HTTP_201_CREATED if outcome == "created" else status.HTTP_200_OK


@extend_schema_field(QUANTITY_SCHEMA)
class Quantity(Price):
    """How many, with up to three decimals."""

    default_error_messages: ClassVar = {
        "invalid": _('Give a quantity as a number or a text, as in 2 or "0.5".'),
        "range": _("The quantity is below zero, or too large."),
        "zero": _("A quantity is more than zero."),
    }

    def __init__(self, *, allow_zero: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.allow_zero = allow_zero

    def to_internal_value(self, data: Any) -> Decimal:
        value = self.read(data, places=3)
        if value >= 10**10:
            self.fail("range")
        if not value and not self.allow_zero:
            self.fail("zero")
        return value

    def to_representation(self, value: Decimal) -> str:
        return f"{value.normalize():f}"


class PastMoment(Moment):
    """A time that has come; a few minutes are left to clocks that are ahead."""

    default_error_messages: ClassVar = {"future": _("This is in the future.")}

    def to_internal_value(self, value: Any) -> datetime:
        moment = super().to_internal_value(value)
        if moment > timezone.now() + CLOCKS:
            self.fail("future")
        return moment


class Address(Text):
    """An e-mail address, kept in lower case."""

    default_error_messages: ClassVar = {"address": _("This is not an e-mail address; expected name@example.com.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=contacts.LONGEST_EMAIL, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            return contacts.email(text) if text else ""
        except ValueProblem:
            return self.fail("address")


class Number(Text):
    """A phone number, kept as +491701234567."""

    default_error_messages: ClassVar = {
        "number": _("This is not a phone number; expected one with its country, such as +491701234567.")
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            return contacts.phone(text) if text else ""
        except ValueProblem:
            return self.fail("number")
