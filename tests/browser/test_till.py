"""The till in a browser: a whole purchase with the keyboard, taken back within the minute, and a code on a phone."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from core.models import Role
from customers.models import Email
from customers.services import search
from loyalty import codes
from loyalty.models import EarningRule, Redemption, Use
from tests.browser.conftest import LOOKS, settle, troubles
from tests.factories import make_product
from tests.loyalty.offers import make_code, make_offer
from tests.loyalty.rewards import balance, make_member, make_programme, make_reward, redeem

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ada(manager):
    """500 stars, a code of her own shop, and a mug that she redeemed on her phone."""
    manager.role = Role.AGENT
    manager.save(update_fields=["role"])
    now = timezone.now()
    make_programme(worth_cents=100, point_name="star", points_name="stars", name="Oak club")
    EarningRule.objects.create(name="All", points=1, per_cents=100, starts_at=now)
    make_product(sku="MUG-1", name="Blue mug", unit_price="10.00")
    make_product(sku="T", name="Green tea", unit_price="5.00")
    make_code(make_offer(is_listed=True, stacking="stackable"), text="TEN", max_uses=None)
    customer = make_member(600, at=now, name="Ada Lovelace")
    Email.objects.create(customer=customer, address="ada@example.com")
    search.refresh(customer_ids=[customer.pk])
    redeem(customer, make_reward(name="A mug of oak"), at=now)
    return customer


def find(page, text):
    page.get_by_label("Name, phone, e-mail or code").fill(text)
    send(page)


def send(page):
    """Enter in a field, and the page that comes."""
    with page.expect_navigation():
        page.keyboard.press("Enter")
    settle(page)


def fill_in(page):
    """Two mugs and a tea, a code and 200 stars: 25.00 less 2.50 less 2.00."""
    for number, (product, quantity) in enumerate((("MUG-1", "2"), ("tea", "")), start=1):
        page.locator(f"#row{number}_sku").fill(product)
        page.locator(f"#row{number}_quantity").fill(quantity)
    page.get_by_label("Receipt or order").fill("R-1")
    page.get_by_label("Code, typed or scanned").fill("ten")
    send(page)
    page.get_by_label("Stars to redeem").fill("200")
    send(page)
    expect(page.locator(".till-pay")).to_contain_text("20.50")


def test_a_purchase_and_a_code(open_page, ada):
    page = open_page("/till/")
    found = {"till": troubles(page)}
    find(page, "lovelace")
    fill_in(page)
    found["bill"] = troubles(page)
    page.get_by_role("button", name="Take").press("Enter")
    expect(page.get_by_role("heading", name="4.50 off")).to_be_visible()
    settle(page)
    found["done"] = troubles(page)
    assert (balance(ada), Use.objects.get().state, Use.objects.get().reference) == (300, "used", "R-1")
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_text("Undone: codes and stars are as before.")).to_be_visible()
    assert (balance(ada), Use.objects.get().state) == (500, "released")

    phone = open_page("/till/", **LOOKS["phone"])
    one = Redemption.objects.get(reward__isnull=False)
    find(phone, codes.shown(one.code).lower())
    found["shown"] = troubles(phone)
    phone.get_by_role("button", name="Hand over").click()
    expect(phone.get_by_role("heading", name="A mug of oak")).to_be_visible()
    settle(phone)
    found["handed over"] = troubles(phone)
    phone.get_by_role("link", name="Back to the customer").click()
    settle(phone)
    found["customer on a phone"] = troubles(phone)
    one.refresh_from_db()
    assert one.state == "handed_over"
    assert {name: several for name, several in found.items() if several} == {}
