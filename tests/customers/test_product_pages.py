"""Products and categories: lists, page, add, correct, and what a cost or a rate changes."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from customers.models import Category, OrderLine, Product
from customers.services import margins, orders
from tests.factories import make_customer, make_order, make_product
from tests.forms import inputs, send

pytestmark = pytest.mark.django_db
ADD = "/products/add/"


def edit(product):
    return reverse("customers:product_edit", args=[product.pk])


def sell(product, *, quantity=2, price=10):
    line = orders.Line(sku=product.sku, quantity=Decimal(quantity), unit_price=Decimal(price))
    return orders.record(
        source="shop", external_id=product.sku, customer=make_customer(), placed_at=timezone.now(), lines=[line]
    ).order


def test_it_adds_and_corrects(manager):
    tea = Category.objects.create(name="Tea")
    response = send(
        manager, ADD, sku="T1", name="Green tea", category=str(tea.pk), unit_price="1.234,56", unit_cost="4"
    )
    product = Product.objects.get()
    assert response.url == f"/products/{product.pk}/"
    assert (product.category, product.unit_price, product.unit_cost) == (tea, Decimal("1234.56"), 4)
    send(manager, edit(product), kind="fee", unit_price="")
    product.refresh_from_db()
    assert (product.kind, product.unit_price) == ("fee", None)


def test_a_sku_is_unique(manager):
    make_product(sku="T1")
    response = send(manager, ADD, sku="T1", name="Tea")
    assert "Another product has this SKU." in response.content.decode()
    other = make_product(sku="T2")
    response = send(manager, edit(other), sku="T1")
    assert "Another product has this SKU." in response.content.decode()
    assert inputs(response)["sku"] == ["T1"]


def test_a_new_cost_leaves_history_as_it_was(manager):
    product = make_product(sku="T1", unit_cost=Decimal(4))
    sell(product)
    send(manager, edit(product), unit_cost="9")
    assert OrderLine.objects.get().margin_cents == 1200
    margins.apply_margin_rates(business_rate=Decimal("0.4"))
    assert OrderLine.objects.get().margin_cents == 1200


def test_a_rate_of_a_category_changes_lines_without_a_cost(manager):
    tea = Category.objects.create(name="Tea")
    product = make_product(sku="T1", category=tea)
    sell(product)
    assert OrderLine.objects.get().margin_cents == 800
    url = reverse("customers:category_edit", args=[tea.pk])
    assert "by the next night" in manager.get(url).content.decode()
    send(manager, url, margin_percent="25,5")
    tea.refresh_from_db()
    assert tea.margin_rate == Decimal("0.255")
    margins.apply_margin_rates(business_rate=Decimal("0.4"))
    assert OrderLine.objects.get().margin_cents == 510
    assert inputs(manager.get(url))["margin_percent"] == ["25.5"]
    assert "Write a rate from -100 to 100." in send(manager, url, margin_percent="101").content.decode()


def test_categories_are_added_once(manager):
    send(manager, "/products/categories/add/", name="Tea")
    response = send(manager, "/products/categories/add/", name="Tea")
    assert "Another category has this name." in response.content.decode()
    assert "Tea" in manager.get("/products/categories/").content.decode()


def test_the_list_searches_filters_and_counts(manager):
    tea = Category.objects.create(name="Tea")
    green, mug = make_product(sku="T1", name="Green tea", category=tea), make_product(sku="M1", name="Mug")
    sell(green, quantity=3)
    for query, found in (
        ("", [green, mug]),
        ("q=gre", [green]),
        ("q=m1", [mug]),
        (f"category={tea.pk}", [green]),
        ("category=none", [mug]),
        ("kind=fee", []),
    ):
        page = manager.get(f"/products/?{query}").content.decode()
        assert [one for one in (green, mug) if f'href="/products/{one.pk}/"' in page] == found, query
    page = " ".join(manager.get("/products/?q=green").content.decode().split())
    assert "€30" in page
    detail = " ".join(manager.get(f"/products/{green.pk}/").content.decode().split())
    assert "3 sold in 1 order in the last 365 days, €30.00 net" in detail


def test_the_latest_orders_are_those_of_the_latest_days(manager):
    make_order(day=date(2026, 3, 1), external_id="later")
    make_order(day=date(2025, 3, 1), external_id="earlier")
    page = manager.get(f"/products/{OrderLine.objects.first().product_id}/").content.decode()
    assert -1 < page.index(">later<") < page.index(">earlier<")


def test_options_suggest_skus(manager):
    make_product(sku="T1", name="Green tea")
    assert (
        '<option value="T1">Green tea</option>' in manager.get("/products/options/?lines-0-sku=gree").content.decode()
    )


def test_an_agent_reads_only(agent):
    product = make_product()
    assert agent.get(f"/products/{product.pk}/").status_code == 200
    assert agent.get(edit(product)).status_code == 403
    assert agent.post("/products/categories/add/", {"name": "x"}).status_code == 403


def test_queries(manager, django_assert_num_queries):
    for number in range(3):
        sell(make_product(sku=f"T{number}", category=Category.objects.create(name=f"C{number}")))
    product = Product.objects.first()
    with django_assert_num_queries(8):
        manager.get("/products/")
    with django_assert_num_queries(7):
        manager.get(f"/products/{product.pk}/")
