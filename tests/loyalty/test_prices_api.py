"""`GET prices/`: what a customer pays, and why."""

from decimal import Decimal
from urllib.parse import urlencode

import pytest

from loyalty.models import PriceItem, PriceList
from tests.api.callers import caller, codes
from tests.factories import make_business, make_customer, make_product
from tests.loyalty.rewards import make_tier, stand

PATH = "/api/v1/prices/"


@pytest.fixture
def ada(db):
    """Gold, for whom mugs are 8.00 instead of 10.00."""
    make_business(currency="EUR")
    mug, customer, gold = make_product(sku="MUG-1", unit_price="10.00"), make_customer(), make_tier(1, name="Gold")
    prices = PriceList.objects.create(name="Gold prices", tier=gold, floor=None)
    PriceItem.objects.create(price_list=prices, product=mug, unit_price=Decimal(8), list_price=Decimal(10))
    stand(customer, gold)
    return customer


def ask(scope="loyalty:read", **params):
    return caller(scope).get(f"{PATH}?{urlencode(params, doseq=True)}")


def test_it_works(ada):
    answer = caller("loyalty:read").post(PATH, {"customer": str(ada.pk), "skus": ["MUG-1", "NONE"]})
    mug = {"sku": "MUG-1", "list_price": "10.0000", "price": "8.0000"}
    mug |= {"reason": "price_list", "price_list": "Gold prices"}
    none = {"sku": "NONE", "list_price": None, "price": None, "reason": "unknown", "price_list": None}
    assert (answer.status_code, answer.json()) == (200, {"prices": [mug, none]})
    assert ask(customer=ada.pk, sku="MUG-1").json() == {"prices": [mug]}


def test_without_a_customer_they_are_public(ada):
    (mug,) = ask(sku="MUG-1").json()["prices"]
    assert (mug["price"], mug["reason"], mug["price_list"]) == ("10.0000", "list", None)


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({}, {"sku": "required"}),
        ({"sku": "A", "customer": "999999"}, {"customer": "does_not_exist"}),
        ({"sku": "A", "customer": "x"}, {"customer": "invalid"}),
        ({"sku": ["A", "B"]}, {"sku": "repeated_parameter"}),
        ({"sku": "A", "colour": "red"}, {"colour": "unknown_parameter"}),
    ],
)
def test_refused_by_name(ada, asked, refusal):
    answer = ask(**asked)
    assert (answer.status_code, codes(answer)) == (400, refusal)


def test_another_scope_is_refused(ada):
    assert ask("orders:read", sku="MUG-1").status_code == 403
