"""Products over HTTP."""

from decimal import Decimal

import pytest

from customers.models import Category, OrderLine, Product
from tests.api import shop
from tests.api.callers import caller, codes
from tests.customers.test_order_upserts import at_once

MUG = "/api/v1/products/MUG-1/"
BODY = {"name": "Mug", "kind": "goods", "category": "China", "unit_price": "9.95", "unit_cost": "4.10"}


@pytest.fixture
def api(db):
    return caller("orders")


def test_it_works(api):
    answer = api.put(MUG, BODY)
    product = Product.objects.get()
    shown = BODY | {"id": str(product.pk), "sku": "MUG-1", "unit_price": "9.95", "unit_cost": "4.10"}
    assert (answer.status_code, answer.json()) == (201, shown)
    assert product.category == Category.objects.get()
    assert api.put(MUG, BODY).status_code == 200
    assert Decimal(api.get(MUG).json()["unit_cost"]) == Decimal("4.1")


def test_what_is_left_out_stays_and_null_takes_away(api):
    api.put(MUG, BODY)
    answer = api.put(MUG, {"unit_cost": "5", "category": None}).json()
    assert (answer["name"], answer["category"], Decimal(answer["unit_cost"])) == ("Mug", None, 5)


def test_a_new_product_without_a_name_bears_its_sku(api):
    assert api.put(MUG, {}).json()["name"] == "MUG-1"


@pytest.mark.parametrize("sku", ["a%2Fb", "Größe 42", "x" * 100])
def test_any_sku_can_stand_in_the_address(api, sku):
    assert api.put(f"/api/v1/products/{sku}/", {}).status_code == 201
    assert api.get(f"/api/v1/products/{sku}/").json()["sku"] == sku.replace("%2F", "/")


def test_a_new_cost_is_for_orders_from_now_on(api):
    api.put(MUG, BODY)
    plain = {"sku": "MUG-1", "quantity": 1, "unit_price": "10"}
    api.put(shop.url("1"), shop.order(lines=[plain]))
    api.put(MUG, {"unit_cost": "5"})
    api.put(shop.url("2"), shop.order(lines=[plain]))
    costs = OrderLine.objects.order_by("order__external_id").values_list("unit_cost", flat=True)
    assert list(costs) == [Decimal("4.1"), Decimal(5)]


@pytest.mark.parametrize(
    ("body", "attr", "code"),
    [
        ({"kind": "toy"}, "kind", "invalid_choice"),
        ({"unit_cost": "-1"}, "unit_cost", "range"),
        ({"unit_cost": "1e30"}, "unit_cost", "invalid"),
        ({"unit_price": "0.00001"}, "unit_price", "places"),
        ({"name": "x" * 301}, "name", "max_length"),
        ({"category": ""}, "category", "blank"),
        ({"sku": "other"}, "sku", "unknown_field"),
    ],
)
def test_bad_input_is_named(api, body, attr, code):
    answer = api.put(MUG, body)
    assert (answer.status_code, codes(answer)) == (400, {attr: code}), answer.content
    assert not Product.objects.exists()


def test_the_list_is_filtered(api):
    api.put(MUG, BODY)
    api.put("/api/v1/products/POST/", {"kind": "shipping"})
    for query, expected in {"": ["POST", "MUG-1"], "category=China": ["MUG-1"], "kind=shipping": ["POST"]}.items():
        found = api.get(f"/api/v1/products/?{query}").json()["results"]
        assert [row["sku"] for row in found] == expected


def test_unknown_ones_are_404(api):
    assert api.get(MUG).status_code == 404
    assert api.put(f"/api/v1/products/{'x' * 101}/", {}).status_code == 404


def test_a_key_without_the_scope_gets_403(db):
    assert caller("customers").put(MUG, BODY).status_code == 403
    assert caller("orders:read").put(MUG, BODY).status_code == 403
    assert caller("orders:read").get(MUG).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_who_write_the_same_new_product_make_one():
    api = [caller("orders") for _ in range(3)]
    found = at_once(*(lambda one=one: one.put(MUG, BODY).status_code for one in api))
    assert set(found) <= {200, 201}
    assert (Product.objects.count(), Category.objects.count()) == (1, 1)
