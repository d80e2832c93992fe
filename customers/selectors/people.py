"""Who shares an address or a number with somebody, and what a customer's form starts from."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from customers.models import Customer, Email, Phone

SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Contacts:
    emails: list[str]
    phones: list[str]


def contacts(customer_id: int) -> Contacts:
    """E-mails and phones, the oldest first."""
    emails = Email.objects.filter(customer_id=customer_id).order_by("pk")
    phones = Phone.objects.filter(customer_id=customer_id).order_by("pk")
    return Contacts(
        emails=list(emails.values_list("address", flat=True)), phones=list(phones.values_list("number", flat=True))
    )


def missing(customer: Customer) -> list[str]:
    """What a customer could still say of themselves, as words in a sentence; [] where the profile is complete."""
    told = {
        _("name"): bool(customer.name),
        _("phone"): Phone.objects.filter(customer=customer).exists(),
        pgettext("a day of the year", "birthday"): bool(customer.birthday),
        _("street and number"): bool(customer.street),
        _("city"): bool(customer.city),
    }
    return [word for word, is_known in told.items() if not is_known]


def sharing(*, emails: Sequence[str], phones: Sequence[str], but: int = 0) -> list[Customer]:
    """The first few other customers with one of these addresses or numbers. Families share them: no rule."""
    if not emails and not phones:
        return []
    ids = {
        *Email.objects.filter(address__in=emails)
        .exclude(customer_id=but)
        .values_list("customer_id", flat=True)[:SHOWN],
        *Phone.objects.filter(number__in=phones).exclude(customer_id=but).values_list("customer_id", flat=True)[:SHOWN],
    }
    return list(Customer.objects.filter(pk__in=ids).order_by("sort_name", "pk")[:SHOWN])
