"""Points for actions over HTTP: each fact once, as often as it counts, by name."""

import pytest

from loyalty.models import Act, Action
from tests.api.callers import caller, codes
from tests.factories import make_business, make_customer
from tests.loyalty.accounts import disagreements, totals
from tests.loyalty.shop import open_programme


@pytest.fixture
def api(db):
    make_business()
    open_programme()
    Action.objects.create(code="review", name="A review", points=50, cap=2, period="year")
    return caller("loyalty")


def act(api, customer, action="review", key="review-1"):
    return api.post(f"/api/v1/points/{customer.pk}/actions/", {"action": action}, Idempotency_Key=key)


def test_each_fact_counts_once_and_no_more_often_than_the_cap(api):
    customer = make_customer()
    told = [act(api, customer, key=key) for key in ("review-1", "review-1", "review-2", "review-3")]
    assert [one.status_code for one in told] == [201, 201, 201, 200]
    assert [(one.json()["points"], one.json()["balance"]) for one in told] == [(50, 50), (50, 50), (50, 100), (0, 100)]
    assert (Act.objects.count(), totals(customer), disagreements()) == (2, (100, 0, 0), [])


def test_it_refuses(api):
    customer = make_customer()
    assert codes(act(api, customer, action="dance")) == {"action": "does_not_exist"}
    assert codes(api.post(f"/api/v1/points/{customer.pk}/actions/", {"action": "review"})) == {
        "Idempotency-Key": "required"
    }
    customer.pk += 1
    assert act(api, customer).status_code == 404
    assert not Act.objects.exists()
