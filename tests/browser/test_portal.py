"""A customer on a phone: the code from the mail, the balance, a reward, and the code for the till."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from core.models import Role, User
from crm.portal import code_mails
from customers.models import Email
from loyalty.models import Event, Programme, Redemption, ReferralCode, ReferralPlan, Reward
from loyalty.services import points
from tests.browser.conftest import LOOKS, PASSWORD, go, settle, troubles
from tests.factories import make_business, make_customer, make_order

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ADDRESS = "ada@example.com"
DARK = "rgb(15, 17, 23)"  # --c-bg of the dark theme
PAGES = ("", "rewards/", "offers/", "events/", "friends/", "points/", "orders/", "profile/", "profile/address/")


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
    ReferralPlan.objects.update_or_create(id=1, defaults={"opened_at": now, "advocate_points": 200})
    Event.objects.create(
        name="Cupping evening",
        places=12,
        visible_from=now + timedelta(hours=-1),
        reply_by=now + timedelta(days=5),
        starts_at=now + timedelta(days=9),
    )
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


def redeem(page):
    """A mug of oak by one tap and a confirmation; the code as it is shown."""
    page.get_by_role("link", name="Redeem A mug of oak").click()
    page.get_by_role("button", name="Redeem now").click()
    expect(page.get_by_role("img", name="The code as a square to scan")).to_be_visible()
    shown = "-".join(re.findall("....", Redemption.objects.get().code))
    expect(page.get_by_text(shown)).to_be_visible()
    return shown


def test_without_script_from_the_mail_to_the_till(open_page, ada):
    """Sign in, see the balance, redeem, refresh, and staff type in what the phone shows."""
    page = open_page("/me/", signed_in=False, **LOOKS["phone"], java_script_enabled=False)
    expect(page.locator("body")).to_have_css("background-color", DARK)
    sign_in(page)
    expect(page.locator("body")).to_have_css("background-color", DARK)
    page.emulate_media(color_scheme="light")
    expect(page.locator("body")).not_to_have_css("background-color", DARK)
    expect(page.locator(".me-points")).to_contain_text("1,250")
    shown = redeem(page)
    page.reload()
    expect(page.get_by_text(shown)).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.get_by_text("balance 750")).to_be_visible()
    User.objects.create_user("manager@example.com", PASSWORD, role=Role.AGENT)
    till = open_page("/till/", java_script_enabled=False)
    till.get_by_label("Name, phone, e-mail or code").fill(shown.lower())
    till.get_by_role("button", name="Find").click()
    till.get_by_role("button", name="Hand over").click()
    expect(till.get_by_role("heading", name="A mug of oak")).to_be_visible()
    made = Redemption.objects.get()
    go(page, f"/me/redemptions/{made.pk}/")
    expect(page.get_by_text("It was handed over on")).to_be_visible()
    assert (made.points, made.state, made.place) == (500, "handed_over", "portal")
    assert page.problems == till.problems == []


def test_each_page_is_open_to_everybody_in_every_look(open_page, ada):
    """Script on; both themes on the phone, and the wide ones on a desk. The session lasts ninety days."""
    page = open_page("/me/", signed_in=False, **LOOKS["phone"])
    found = {"sign-in": troubles(page)}
    sign_in(page)
    (cookie,) = [one for one in page.context.cookies() if one["name"] == settings.SESSION_COOKIE_NAME]
    assert 89 < (cookie["expires"] - timezone.now().timestamp()) / 86_400 < 91
    redeem(page)
    settle(page)
    found["redemption"] = troubles(page)
    mug = Reward.objects.earliest("pk")
    for path in PAGES:
        go(page, f"/me/{path}")
        found[path] = troubles(page)
    go(page, f"/me/rewards/{mug.pk}/")
    found["confirm"] = troubles(page)
    go(page, f"/r/{ReferralCode.objects.get().code}/")
    found["a friend's link"] = troubles(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    for path in ("", "points/", "profile/"):
        go(page, f"/me/{path}")
        found[f"wide {path}"] = troubles(page)
    page.goto("/me/nothing/")
    page.problems.clear()  # the browser tells of the 404 itself
    found["nothing"] = troubles(page)
    assert {path: several for path, several in found.items() if several} == {}
