"""A customer on a phone: the code from the mail, the balance, a reward, and the code for the till."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from crm.portal import code_mails
from customers.models import Email
from loyalty.models import Programme, Redemption, Reward
from loyalty.services import points
from tests.browser.conftest import LOOKS, go, settle, troubles
from tests.factories import make_business, make_customer, make_order

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ADDRESS = "ada@example.com"


@pytest.fixture
def ada(transactional_db):
    make_business(name="Juniper & Oak", currency="EUR")
    now = timezone.now()
    Programme.objects.update_or_create(id=1, defaults={"opened_at": now, "name": "Oak club"})
    customer = make_customer(name="Ada Lovelace")
    Email.objects.create(customer=customer, address=ADDRESS)
    order = make_order(customer=customer, external_id="A-7")
    points.earn(
        customer_id=customer.pk, points=1_250, key="e1", at=now, order_id=order.pk, expires_at=now + timedelta(days=90)
    )
    points.earn(customer_id=customer.pk, points=80, key="e2", at=now, active_at=now + timedelta(days=14))
    Reward.objects.create(name="A mug of oak", kind="product", cost_points=500)
    Reward.objects.create(name="A lamp", kind="product", cost_points=2_000)
    return customer


def sign_in(page):
    """With the code from the mail, as a person does."""
    page.get_by_label("Your e-mail address").fill(ADDRESS)
    page.get_by_role("button", name="Send me a code").click()
    expect(page.get_by_role("heading", name="Type in the code")).to_be_visible()
    code_mails.send_waiting(at=timezone.now())
    code = re.search(r"\b[B-Z]{4}-[B-Z]{4}\b", mail.outbox[-1].body)[0]
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Oak club")).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_from_the_mail_to_the_till(open_page, ada, script):
    page = open_page("/me/", signed_in=False, **LOOKS["phone"], java_script_enabled=script)
    sign_in(page)
    expect(page.locator(".me-points")).to_contain_text("1,250")
    page.get_by_role("link", name="Redeem A mug of oak").click()
    page.get_by_role("button", name="Redeem now").click()
    made = Redemption.objects.get()
    shown = "-".join(made.code[place : place + 4] for place in range(0, 16, 4))
    expect(page.get_by_text(shown)).to_be_visible()
    expect(page.get_by_role("img", name="The code as a square to scan")).to_be_visible()
    page.reload()
    expect(page.get_by_text(shown)).to_be_visible()
    assert Redemption.objects.count() == 1
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("balance 750")).to_be_visible()
    assert page.problems == []


def test_each_page_is_open_to_everybody_in_every_look(open_page, ada):
    page = open_page("/me/", signed_in=False, **LOOKS["phone"])
    found = {"/me/sign-in/": troubles(page)}
    sign_in(page)
    reward = Reward.objects.earliest("pk")
    go(page, f"/me/rewards/{reward.pk}/")
    page.get_by_role("button", name="Redeem now").click()
    settle(page)
    found["redemption"] = troubles(page)
    for path in ("", "rewards/", f"rewards/{reward.pk}/", "offers/", "points/", "orders/", "profile/"):
        go(page, f"/me/{path}")
        found[path] = troubles(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    for path in ("", "points/", "profile/"):
        go(page, f"/me/{path}")
        found[f"wide {path}"] = troubles(page)
    assert {path: several for path, several in found.items() if several} == {}


def test_the_browser_s_session_lasts_ninety_days(open_page, ada):
    page = open_page("/me/", signed_in=False, **LOOKS["phone"])
    sign_in(page)
    (cookie,) = [one for one in page.context.cookies() if one["name"] == settings.SESSION_COOKIE_NAME]
    days = (cookie["expires"] - timezone.now().timestamp()) / 86_400
    assert 89 < days < 91
