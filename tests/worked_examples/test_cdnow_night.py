"""CDNOW through the database: orders in, a night, and the published parameters out at the digits shown.

Fader, Hardie & Lee (2005) for BG/NBD; Batislam, Denizel & Filiztekin (2007) for MBG/NBD; Fader & Hardie, note 025, for
Gamma-Gamma. The orders are made from the customers' order days, so that days and money are those of the sample.
"""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core import feed
from core.models import Change
from crm import night_report
from customers.models import Customer, Order
from tests.nights import pass_night

DATA = Path(__file__).parents[1] / "data" / "cdnow_days.csv"
AS_OF = date(1997, 9, 30)


def cents(amount):
    return int(Decimal(amount).scaleb(2))


def orders_of(customer, row):
    """The first and the last day as they were, those between anywhere between; the money in equal parts."""
    days, first, last = int(row["order_days"]), int(row["first_age"]), int(row["last_age"])
    ages = sorted({first, last, *range(last + 1, last + days - 1)}, reverse=True)
    assert len(ages) == days
    repeat = cents(row["repeat_value"])
    part, rest = divmod(repeat, max(days - 1, 1))
    amounts = [cents(row["value"]) - repeat, *[part + (number < rest) for number in range(days - 1)]]
    for age, amount in zip(ages, amounts, strict=True):
        day = AS_OF - timedelta(days=age)
        yield Order(
            source="cdnow", external_id=f"{customer.pk}-{age}", customer=customer, placed_on=day, date_only=True,
            placed_at=datetime(day.year, day.month, day.day, tzinfo=UTC), net_cents=amount, value_cents=amount,
            margin_cents=round(amount * 0.4),
        )  # fmt: skip


@pytest.fixture
def cdnow(transactional_db):
    rows = list(csv.DictReader(DATA.open(encoding="utf-8")))
    people = Customer.objects.bulk_create(Customer(name=f"Customer {n}") for n, _ in enumerate(rows))
    pairs = zip(people, rows, strict=True)
    Order.objects.bulk_create(order for person, row in pairs for order in orders_of(person, row))
    feed.record(Change.Kind.CUSTOMER_ORDERS, [person.pk for person in people])


def test_the_night_prints_the_published_parameters(cdnow):
    run = pass_night(AS_OF)
    said = " | ".join(" ".join(line.split()) for line in night_report.lines(run))
    assert "Customers with an order: 2,357" in said
    assert "Model for the scores: MBG/NBD" in said
    assert "BG/NBD r = 0.243 alpha = 4.414 a = 0.793 b = 2.426 log-likelihood -9582.4" in said
    assert "MBG/NBD r = 0.525 alpha = 6.183 a = 0.891 b = 1.614" in said
    assert "Gamma-Gamma p = 6.25 q = 3.74 gamma = 15.44 log-likelihood -4055.9" in said
