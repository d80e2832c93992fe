"""A friend's code that a new customer says at the counter."""

import pytest
from django.utils import timezone

from core.models import Role, User
from loyalty.models import Referral, ReferralPlan
from loyalty.services import referrals
from tests.factories import make_business, make_customer
from tests.loyalty.shop import DAY, OPENED, line, open_programme, order

pytestmark = pytest.mark.django_db


@pytest.fixture
def counter(client):
    make_business(currency="EUR")
    open_programme()
    ReferralPlan.objects.create(opened_at=OPENED)
    client.force_login(User.objects.create_user("a@example.com", "x", role=Role.AGENT))
    return client


@pytest.fixture
def code(counter):
    ann = make_customer(name="Ann")
    return referrals.code_for(customer_id=ann.pk, at=OPENED)


def panel(client, customer):
    path = f"/loyalty/customers/{customer.pk}/points/panel/"
    return client.get(path, headers={"HX-Request": "true"}).content.decode()


def test_a_code_is_noted_as_it_was_said(counter, code):
    ben = make_customer(name="Ben")
    assert f"/loyalty/customers/{ben.pk}/friend/" in panel(counter, ben)
    said = "-".join((code.code[:4], code.code[4:8], code.code[8:12], code.code[12:])).lower()
    counter.post(f"/loyalty/customers/{ben.pk}/friend/", {"code": said})
    made = Referral.objects.get()
    assert (made.advocate_id, made.friend_id, made.state) == (code.customer_id, ben.pk, "pending")
    assert "Came by Ann" in " ".join(panel(counter, ben).split())


def test_the_till_leads_there_and_back(counter, code):
    """As long as the first order could still count for a friend."""
    ben = make_customer(name="Ben")
    path = f"/loyalty/customers/{ben.pk}/friend/?till"
    assert path in counter.get(f"/till/{ben.pk}/").content.decode()
    assert counter.post(path, {"code": code.code}).url == f"/till/{ben.pk}/"
    assert path not in counter.get(f"/till/{ben.pk}/").content.decode()


def test_a_refusal_says_why_and_keeps_what_was_typed(counter, code):
    regular = make_customer(name="Cal")
    order(regular, line(100), at=timezone.now() - DAY)
    path = f"/loyalty/customers/{regular.pk}/friend/"
    for text, said in (("NOT-A-CODE", "no such referral code"), (code.code, "and this one has ordered before")):
        answer = counter.post(path, {"code": text})
        assert answer.status_code == 422
        page = answer.content.decode()
        assert said in page
        assert f'value="{text}"' in page
    assert not Referral.objects.exists()
    assert path not in panel(counter, regular)
