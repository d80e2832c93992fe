"""Costs of single customers over HTTP."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from core.models import Change
from customers.models import Cost
from customers.services import spend
from tests.api.callers import caller, codes
from tests.customers.test_order_upserts import at_once
from tests.factories import make_business, make_customer

URL = "/api/v1/costs/"
ITEM = {
    "source": "mailer",
    "external_id": "1",
    "customer": {"source": "shop", "external_id": "c-1"},
    "kind": "email",
    "spent_on": "2026-03-01",
}


@pytest.fixture
def api(db):
    make_business(currency="EUR")
    make_customer(external_id="c-1")
    return caller("customers")


def tell(api, *changes):
    return api.post(URL, {"costs": [ITEM | change for change in changes]})


def test_it_works_and_again_changes_nothing(api):
    spend.set_unit_costs(unit_cents={"email": Decimal("0.04")})
    items = {"quantity": "3"}, {"external_id": "2", "kind": "case", "unit_cost": "12.5"}
    answer = tell(api, *items)
    assert (answer.status_code, answer.json()) == (200, {"created": 2, "unchanged": 0})
    rows = list(Cost.objects.order_by("external_id").values_list("kind", "quantity", "unit_cents"))
    assert rows == [("email", 3, Decimal("0.04")), ("case", 1, 1250)]
    spend.set_unit_costs(unit_cents={"email": Decimal(9)})  # told costs keep the price of their day
    assert tell(api, *items).json() == {"created": 0, "unchanged": 2}
    assert Change.objects.filter(kind="customer_costs").count() == 1


def test_they_are_listed(api):
    tell(api, {"quantity": "-0.5", "unit_cost": "0.0004"})
    customer = Cost.objects.get().customer_id
    assert api.get(f"{URL}?customer={customer}&kind=email&source=mailer").json()["results"] == [
        {
            "id": str(Cost.objects.get().pk),
            "source": "mailer",
            "external_id": "1",
            "customer": str(customer),
            "kind": "email",
            "spent_on": "2026-03-01",
            "quantity": "-0.5",
            "unit_cost": "0.0004",
        }
    ]
    assert api.get(f"{URL}?kind=sms").json()["results"] == []


def test_other_facts_under_a_known_id_are_refused(api):
    tell(api, {"unit_cost": "1"})
    for change in ({"unit_cost": "2"}, {"unit_cost": "1", "quantity": "2"}, {"unit_cost": "1", "kind": "sms"}):
        answer = tell(api, {"external_id": "2"}, change)
        assert (answer.status_code, codes(answer)) == (409, {None: "told_otherwise"})
        assert "mailer:1" in answer.json()["errors"][0]["detail"]
    assert Cost.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "where", "code"),
    [
        ({"customer": {"source": "shop", "external_id": "nobody"}}, "costs.1.customer.external_id", "does_not_exist"),
        ({"kind": "order"}, "costs.1.kind", "invalid_choice"),
        ({"kind": "return"}, "costs.1.kind", "invalid_choice"),
        ({"quantity": "0"}, "costs.1.quantity", "zero"),
        ({"quantity": "-10000000000"}, "costs.1.quantity", "range"),
        ({"unit_cost": "-1"}, "costs.1.unit_cost", "range"),
        ({"unit_cost": "0.0000001"}, "costs.1.unit_cost", "places"),
        ({"spent_on": "1899-12-31"}, "costs.1.spent_on", "year"),
        ({"spent_on": "soon"}, "costs.1.spent_on", "invalid"),
        ({"spent_on": None}, "costs.1.spent_on", "null"),
        ({"external_id": "0"}, "costs.1.external_id", "duplicate"),
        ({"colour": "red"}, "costs.1.colour", "unknown_field"),
    ],
)
def test_a_bad_cost_refuses_all(api, change, where, code):
    answer = tell(api, {"external_id": "0"}, change)
    assert (answer.status_code, codes(answer).get(where)) == (400, code)
    assert not Cost.objects.exists()


def test_an_amount_that_no_sum_could_hold_is_refused(api):
    answer = tell(api, {"quantity": "9999999999", "unit_cost": "99999999"})
    assert (answer.status_code, codes(answer)) == (400, {"costs.0.quantity": "range"})
    assert not Cost.objects.exists()
    assert tell(api, {"quantity": "1000", "unit_cost": "10000000"}).json() == {"created": 1, "unchanged": 0}


def test_days_to_come_are_refused(api):
    tomorrow = timezone.localdate() + timedelta(days=2)
    assert codes(tell(api, {"spent_on": str(tomorrow)})) == {"costs.0.spent_on": "future"}


def test_the_scope_is_needed(db):
    assert caller("orders").post(URL, {"costs": []}).status_code == 403
    assert caller("customers:read").post(URL, {"costs": []}).status_code == 403
    assert caller("customers:read").get(URL).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_same_costs_from_many_at_once_are_there_once(api):
    items = [{"external_id": str(number)} for number in range(20)]
    answers = at_once(*[lambda: tell(api, *items), lambda: tell(api, *reversed(items))] * 2)
    assert sum(answer.json()["created"] for answer in answers) == 20
    assert Cost.objects.count() == 20
