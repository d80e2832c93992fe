"""The pages where people write records, in light, dark and on a phone, and what script adds to their forms."""

import pytest

from core.models import User
from customers.models import Company, CustomField, Order, Product
from tests.browser.conftest import LOOKS, go, troubles
from tests.factories import make_order, make_refund

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def paths(shop):
    User.objects.update(role="admin")
    company = Company.objects.create(name="Acme", external_id="1")
    CustomField.objects.create(key="tea", label="Tea", kind="choice", choices=["green"])
    order = make_order(customer=shop[0])
    make_refund(order=make_order(customer=shop[0]), value_cents=100)
    product = Product.objects.order_by("pk").first()
    customer = f"/customers/{shop[0].pk}/"
    return [
        *("/customers/add/", f"{customer}edit/", f"{customer}orders/add/", f"/history/customer/{shop[0].pk}/"),
        *(f"/orders/{order.pk}/", f"/orders/{order.pk}/edit/", f"/orders/{order.pk}/refund/"),
        *("/companies/", "/companies/add/", f"/companies/{company.pk}/"),
        *("/products/", "/products/add/", f"/products/{product.pk}/", "/products/categories/"),
        *("/settings/fields/", "/settings/fields/add/", "/settings/audit/"),
    ]


@pytest.mark.parametrize("look", LOOKS)
def test_pages(open_page, paths, look):
    page = open_page(**LOOKS[look])
    for path in paths:
        go(page, path)
        assert troubles(page) == [], path


def test_an_order_is_written_with_the_keyboard(open_page, paths, shop):
    """e opens what is there to edit; a line is added in place and the totals follow."""
    order = Order.objects.filter(refunds__isnull=True, customer=shop[0]).latest("pk")
    page = open_page(f"/orders/{order.pk}/")
    page.keyboard.press("e")
    page.wait_for_url(f"**/orders/{order.pk}/edit/")
    rows = page.locator(".line-row")
    before = rows.count()
    page.click("[data-add-line]")
    assert rows.count() == before + 1
    sku = Product.objects.order_by("pk").first().sku
    last = rows.nth(before)
    last.locator("[name$=-sku]").fill(sku)
    last.locator("[name$=-quantity]").fill("2")
    last.locator("[name$=-unit_price]").fill("1.50")
    last.locator("[name$=-unit_price]").press("Tab")
    page.get_by_text("103.00").first.wait_for()
    page.click("form.form button[type=submit].btn-primary")
    page.wait_for_url(f"**/orders/{order.pk}/")
    assert Order.objects.get(pk=order.pk).net_cents == 10_300
    assert page.problems == []
