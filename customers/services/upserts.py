"""One customer, company or product as a program says it is: made when it is new, changed where it says something else.

What is not told stays as it is. The same again changes nothing and says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from django.db import transaction

from customers.models import Category, Company, Contract, Customer, Identity, Product
from customers.services import buyers, catalogue, companies, custom, people_lock, persons
from customers.services.buyers import Buyer
from customers.services.catalogue import Item
from customers.services.companies import Terms
from customers.services.persons import Person

Row = TypeVar("Row", Customer, Company, Product, Contract)
Told = Mapping[
    str, Any
]  # the fields of Person, Terms or Item that are told; `email` and `phone` are added to the others


class EndsBeforeItStarts(Exception):
    """A contract cannot end before it starts."""


@dataclass(frozen=True, kw_only=True)
class Saved(Generic[Row]):
    row: Row
    outcome: str  # created, updated or unchanged


@transaction.atomic
def customer(*, source: str, external_id: str, told: Told) -> Saved[Customer]:
    """Raises custom.BadValue, and KeyError for a custom field that there is not."""
    people_lock.writing()
    known = Identity.objects.filter(source=source, external_id=external_id).first()
    if known is not None:
        return change_customer(customer_id=known.customer_id, told=told)
    buyer = Buyer(source=source, external_id=external_id, name=told.get("name", ""))
    customer_id = buyers.settle(buyers=[buyer])[buyer.key]
    return Saved(row=change_customer(customer_id=customer_id, told=told).row, outcome="created")


@transaction.atomic
def change_customer(*, customer_id: int, told: Told) -> Saved[Customer]:
    """Raises Customer.DoesNotExist, custom.BadValue, and KeyError for a custom field that there is not."""
    customer_id = people_lock.writing_about(customer_id)
    found = Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    person = Person(
        **{name: getattr(found, name) for name in persons.COLUMNS},
        emails=list(found.emails.order_by("pk").values_list("address", flat=True)),
        phones=list(found.phones.order_by("pk").values_list("number", flat=True)),
    )
    wanted = _wanted(person, told)
    if wanted == person:
        return Saved(row=found, outcome="unchanged")
    return Saved(row=persons.change(customer_id=customer_id, person=wanted), outcome="updated")


def _wanted(person: Person, told: Told) -> Person:
    words = dict(told)
    email, phone = words.pop("email", ""), words.pop("phone", "")
    if "custom" in words:
        words["custom"] = custom.merge(person.custom, custom.clean_all(words["custom"], known=custom.fields()))
    wanted = replace(person, **words)
    emails = [*wanted.emails, email] if email and email not in wanted.emails else wanted.emails
    phones = [*wanted.phones, phone] if phone and phone not in wanted.phones else wanted.phones
    return replace(wanted, emails=emails, phones=phones)


@transaction.atomic
def company(*, source: str, external_id: str, told: Told) -> Saved[Company]:
    """`told` names the company. Raises EndsBeforeItStarts."""
    found, is_new = Company.objects.get_or_create(
        source=source, external_id=external_id, defaults={"name": told["name"]}
    )
    found = Company.objects.select_for_update(no_key=True).get(pk=found.pk)
    terms = Terms(**{name: getattr(found, name) for name in companies.COLUMNS})
    wanted = replace(terms, **told)
    if wanted.contract_starts_on and wanted.contract_ends_on and wanted.contract_ends_on < wanted.contract_starts_on:
        raise EndsBeforeItStarts
    if wanted != terms:
        found = companies.change(company_id=found.pk, terms=wanted)
    changed = "unchanged" if wanted == terms else "updated"
    return Saved(row=found, outcome="created" if is_new else changed)


@transaction.atomic
def product(*, sku: str, told: Told) -> Saved[Product]:
    """`category` is told by its name, and made when it is new; None takes it away."""
    if told.get("category") is not None:
        told = {**told, "category": Category.objects.get_or_create(name=told["category"])[0]}
    found, is_new = Product.objects.get_or_create(sku=sku, defaults={"name": sku, **told})
    if is_new:
        return Saved(row=found, outcome="created")
    found = Product.objects.select_for_update(no_key=True).get(pk=found.pk)
    item = Item(**{name: getattr(found, name) for name in catalogue.COLUMNS})
    wanted = replace(item, **told)
    if wanted == item:
        return Saved(row=found, outcome="unchanged")
    return Saved(row=catalogue.change_product(product_id=found.pk, item=wanted), outcome="updated")
