"""Contracts for tests, as people would have agreed them."""

from datetime import date

from customers.models import Contract
from customers.services import contracts
from customers.services.contracts import Agreement
from tests.factories import make_business, make_customer

STARTS = date(2025, 3, 1)  # a year before the day of the tests' orders
TODAY = date(2026, 2, 10)


def agreement(**changes):
    """€1,200 a year from 1 March 2025, renewed by somebody's decision."""
    facts = {"plan": "Care", "agreed_on": STARTS, "starts_on": STARTS, "value_cents": 120_000}
    if "company" not in changes and "customer" not in changes:
        facts["customer"] = make_customer()
    facts |= changes
    if "starts_on" in changes and "agreed_on" not in changes:
        facts["agreed_on"] = changes["starts_on"]
    return Agreement(**facts)


def make_contract(*, on=TODAY, renewals=0, source="manual", external_id="", **changes):
    make_business()
    return contracts.add(
        agreement=agreement(**changes), on=on, renewals=renewals, source=source, external_id=external_id
    )


def last_term(contract):
    return contract.terms.exclude(outcome="renewed").get()


def terms(contract):
    """What the timeline says: (number, first day, last day, value, outcome)."""
    found = contract.terms.order_by("number").values_list("number", "starts_on", "ends_on", "value_cents", "outcome")
    return [(number, str(first), str(last), cents, outcome) for number, first, last, cents, outcome in found]


def anybody_s():
    return Contract.objects.get()
