"""The examples of the API's description: requests that work, and answers with the fields that answers have."""

import pytest
from drf_spectacular.drainage import get_override

from analytics.api import kpis
from crm.api import customer_shapes, jobs, segments, shapes
from customers.api import companies, contracts, order_batch, order_shapes, products, refunds
from customers.models import Customer
from loyalty.api import codes
from tests.api.callers import caller

ANSWERS = (
    *(shapes.CustomerOut, shapes.ScoreOut, customer_shapes.CustomerDetailOut, jobs.JobOut, segments.SegmentsOut),
    *(order_shapes.OrderOut, order_shapes.OrderDetailOut, order_shapes.RefundOut),
    contracts.ContractOut,
    codes.UseOut,
    *(kpis.KpisOut, kpis.CohortsOut),
)


def fields_of(serializer):
    """The names of the fields, with those of nested ones."""
    nested = {name: getattr(field, "child", field) for name, field in serializer.fields.items()}
    return {name: fields_of(field) if hasattr(field, "fields") else None for name, field in nested.items()}


def names_of(example, fields):
    def inner(name, value):
        value = value[0] if isinstance(value, list) and value else value
        return names_of(value, fields[name]) if fields.get(name) else None

    return {name: inner(name, value) for name, value in example.items()}


@pytest.mark.parametrize("serializer", ANSWERS)
def test_an_answer_has_the_fields_of_answers(serializer):
    (example,) = get_override(serializer, "examples")
    fields = fields_of(serializer())
    assert names_of(example.value, fields) == fields


@pytest.mark.django_db
def test_the_requests_work():
    api = caller("orders", "customers")
    assert api.put("/api/v1/customers/shop/c-1001/", customer_shapes.BODY).status_code == 201
    assert api.put("/api/v1/companies/shop/1/", companies.BODY).status_code == 201
    whose = {"customer": str(Customer.objects.get().pk)}
    assert api.put("/api/v1/contracts/erp/K-7/", contracts.BODY | whose).status_code == 201
    assert api.put("/api/v1/products/MUG-1/", products.BODY).status_code == 201
    order = api.put("/api/v1/orders/shop/1001/", order_shapes.BODY)
    assert order.status_code == 201
    assert api.post("/api/v1/orders/batch/", {"orders": [order_batch.ITEM]}).json()["unchanged"] == 1
    assert api.post(f"/api/v1/orders/{order.json()['id']}/refunds/", refunds.BODY).status_code == 201
