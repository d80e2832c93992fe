"""The audit log: everything that was changed, by person, record and day."""

from datetime import timedelta

import pghistory
import pytest
from django.utils import timezone

from core import edits
from core.models import Role, User
from customers.models import Category, Company, Customer, Order, Product
from tests.factories import make_business, make_customer, make_order, make_product

pytestmark = pytest.mark.django_db
LOG = "/settings/audit/"


@pytest.fixture
def people(client):
    make_business(currency="EUR")
    made = [
        User.objects.create_user(f"{name.lower()}@example.com", "a long password", role=role, name=name)
        for name, role in (("Otto", Role.ADMIN), ("Mara", Role.MANAGER))
    ]
    client.force_login(made[0])
    return made


def read(client, query=""):
    response = client.get(f"{LOG}?{query}")
    assert response.status_code == 200
    return [(entry.who, entry.verb, entry.kind, entry.record) for entry in response.context["entries"]]


def test_it_names_who_what_and_which_record(client, people):
    otto, mara = people
    with pghistory.context(user=mara.pk):
        customer = make_customer(name="Ada")
    with pghistory.context(user=otto.pk):
        User.objects.filter(pk=mara.pk).update(role=Role.VIEWER)
    with pghistory.context(program="Webshop"):
        Customer.objects.update(city="Bonn")
    assert read(client) == [
        ("Webshop", "changed", "Customer", "Ada"),
        ("Otto", "changed", "User", "Mara"),
        ("Mara", "added", "Customer", "Ada"),
    ]
    page = client.get(LOG).content.decode()
    assert f'href="/customers/{customer.pk}/"' in page
    assert "Viewer" in page


def test_filters_by_person_record_and_day(client, people):
    otto, mara = people
    with pghistory.context(user=mara.pk):
        make_customer(name="Ada")
    with pghistory.context(user=otto.pk):
        Category.objects.create(name="Tea")
    today = timezone.localdate()
    assert len(read(client, f"person={mara.pk}")) == 1
    assert read(client, "kind=customers_category") == [("Otto", "added", "Category", "Tea")]
    assert len(read(client, f"since={today}&until={today}")) == 2
    assert read(client, f"since={today + timedelta(days=1)}") == []
    assert "Nothing matches" in client.get(f"{LOG}?person={mara.pk}&kind=customers_category").content.decode()
    assert len(read(client, "person=nobody&since=never")) == 2


def test_pages_go_on_where_they_ended(client, people, monkeypatch):
    monkeypatch.setattr(edits, "PAGE_EDITS", 2)
    for name in ("Ada", "Bob", "Cid"):
        with pghistory.context(user=people[0].pk):
            Category.objects.create(name=name)
    first = client.get(LOG)
    assert [entry.record for entry in first.context["entries"]] == ["Cid", "Bob"]
    assert [entry[3] for entry in read(client, f"before={first.context['earlier']}")] == ["Ada"]


def test_values_are_told_as_people_read_them(people):
    acme, tea = Company.objects.create(name="Acme", external_id="1"), Category.objects.create(name="Tea")
    customer, product = make_customer(name="Ada", custom={"vip": True}), make_product(sku="T1")
    order = make_order(customer=customer)
    with pghistory.context(user=people[1].pk):
        Customer.objects.update(company=acme, custom={"vip": False, "tea": "green"})
        Product.objects.filter(pk=product.pk).update(category=tea, kind="fee")
        Order.objects.filter(pk=order.pk).update(net_cents=12_345, status="cancelled")
    told = edits.entries(edits.Edit.objects.order_by("-pk").select_related("user"), business=make_business())
    assert {(step.label, step.before, step.after) for entry in told for step in entry.steps} >= {
        ("Company", "", "Acme"),
        ("Vip", "yes", "no"),
        ("Tea", "", "green"),
        ("Category", "", "Tea"),
        ("Kind", "Goods", "Fee"),
        ("Net cents", "€100.00", "€123.45"),
        ("Status", "Paid", "Cancelled"),
    }


def test_a_record_that_is_gone_is_named_so(client, people):
    with pghistory.context(user=people[0].pk):
        Category.objects.create(name="Tea")
    with pghistory.context(user=people[0].pk):
        Category.objects.all().delete()
    assert read(client) == [
        ("Otto", "removed", "Category", "no longer there"),
        ("Otto", "added", "Category", "no longer there"),
    ]


def test_a_manager_gets_403(client, people):
    client.force_login(people[1])
    assert client.get(LOG).status_code == 403


def test_queries_do_not_grow(client, people, django_assert_max_num_queries):
    for number in range(30):
        with pghistory.context(user=people[number % 2].pk):
            make_customer(name=f"Customer {number}")
    with django_assert_max_num_queries(9):
        client.get(LOG)
