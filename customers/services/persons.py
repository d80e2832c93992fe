"""One customer by hand: added, changed, archived and brought back. Joining two customers is another matter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import transaction

from core import feed
from core.models import Change
from customers.models import Company, Customer, Email, Identity, Phone
from customers.services import search

SOURCE: Final = "manual"
COLUMNS: Final = (
    *("name", "company", "channel", "street", "postcode", "city", "region", "country", "locale", "time_zone"),
    *("birthday", "custom"),
)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Everything that people edit of a customer. E-mails in lower case, phones in E.164 form, the first one first."""

    name: str
    company: Company | None = None
    channel: str = ""
    street: str = ""  # with the number and the flat
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    locale: str = ""
    time_zone: str = ""
    birthday: str = ""  # as customers.birthdays keeps it
    emails: Sequence[str] = ()
    phones: Sequence[str] = ()
    custom: Mapping[str, object] = field(default_factory=dict)


@transaction.atomic
def add(*, person: Person) -> Customer:
    """A new customer, known under its own number."""
    customer = Customer.objects.create(**{name: getattr(person, name) for name in COLUMNS})
    Identity.objects.create(customer=customer, source=SOURCE, external_id=str(customer.pk))
    _write_contacts(customer, person)
    search.refresh(customer_ids=[customer.pk])
    return customer


@transaction.atomic
def change(*, customer_id: int, person: Person) -> Customer:
    """Make the customer what `person` says; e-mails and phones that it does not name go."""
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    company_was = customer.company_id
    for name in COLUMNS:
        setattr(customer, name, getattr(person, name))
    customer.save(update_fields=COLUMNS)
    if customer.company_id != company_was:  # scores are by kind of customer
        feed.record(Change.Kind.CUSTOMER_ORDERS, [customer.pk])
    _write_contacts(customer, person)
    search.refresh(customer_ids=[customer.pk])
    return customer


def _write_contacts(customer: Customer, person: Person) -> None:
    Email.objects.filter(customer=customer).exclude(address__in=person.emails).delete()
    Phone.objects.filter(customer=customer).exclude(number__in=person.phones).delete()
    Email.objects.bulk_create(
        [Email(customer=customer, address=address) for address in person.emails], ignore_conflicts=True
    )
    Phone.objects.bulk_create(
        [Phone(customer=customer, number=number) for number in person.phones], ignore_conflicts=True
    )


def archive(*, customer_id: int, at: datetime) -> bool:
    """Take a customer out of lists and counts; orders and totals stay. Returns whether it was in them."""
    return bool(Customer.objects.filter(pk=customer_id, archived_at__isnull=True).update(archived_at=at))


def restore(*, customer_id: int) -> bool:
    """Not somebody who was merged: they are another customer now."""
    rows = Customer.objects.filter(pk=customer_id, archived_at__isnull=False, merge=None)
    return bool(rows.update(archived_at=None))
