"""What script adds to the forms where people write records."""

import pytest

from customers.models import Order, Product
from tests.factories import make_order

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_order_is_written_with_the_keyboard(open_page, shop):
    """e opens what is there to edit; a line is added in place and the totals follow."""
    order = make_order(customer=shop[0])
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
