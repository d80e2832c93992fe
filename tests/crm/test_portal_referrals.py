"""Recommending friends: the own link, what it opens, the button in the mail, and what is said when it is no good."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from crm.portal import invite_mails
from customers.models import Customer, Identity
from loyalty.models import Referral, ReferralInvite, ReferralPlan
from loyalty.services import invites, referrals
from tests.crm.test_portal import make_person, signed_in
from tests.factories import make_business, make_customer
from tests.loyalty.shop import line, open_programme, order, totals

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(settings):
    settings.PUBLIC_URL = "https://crm.example.com/"
    make_business(name="Juniper & Oak", currency="EUR")
    open_programme()
    ReferralPlan.objects.create(opened_at=timezone.now() - timedelta(days=1), least_cents=2_000)
    return make_person("Ann Archer", "ann@example.com")


def link_of(ann):
    return f"/r/{referrals.code_for(customer_id=ann.pk, at=timezone.now()).code}/"


def text(answer):
    return " ".join(answer.content.decode().split())


def ask(ann, address="ben@example.com", client=None):
    return (client or Client()).post(link_of(ann), {"email": address, "name": "Ben Bold"})


def mailed():
    """The path of the link in the newest mail."""
    invite_mails.send_waiting(at=timezone.now())
    return re.search(r"https://crm.example.com(/r/confirm/\S+)", mail.outbox[-1].body)[1]


class TestTheOwnPage:
    def test_the_link_and_ways_to_share_it(self, ann):
        shown = text(signed_in(ann).get("/me/friends/"))
        code = referrals.code_for(customer_id=ann.pk, at=timezone.now()).code
        assert f'value="https://crm.example.com/r/{code}/"' in shown
        for network in ("https://wa.me/?text=", "https://x.com/", "https://www.facebook.com/", "mailto:?subject="):
            assert network in shown
        assert "Nobody yet" in shown
        assert "The first order has to come to €20.00, after discounts." in shown

    def test_friends_by_their_first_name_and_no_more(self, ann):
        friend = make_customer(name="Ben Bold")
        referrals.claim(text=link_of(ann)[3:-1], customer_id=friend.pk, at=timezone.now())
        shown = text(signed_in(ann).get("/me/friends/"))
        assert "<b>Ben</b>" in shown
        assert "Bold" not in shown
        order(friend, line("25.00"), at=timezone.now())
        referrals.follow(at=timezone.now())
        assert "Has ordered. You get your points on" in text(signed_in(ann).get("/me/friends/"))

    def test_only_the_own_friends(self, ann):
        eve = make_person("Eve", "eve@example.com")
        referrals.claim(text=link_of(ann)[3:-1], customer_id=make_customer(name="Ben").pk, at=timezone.now())
        assert "Ben" not in text(signed_in(eve).get("/me/friends/"))

    def test_switched_off_there_is_no_such_page(self, ann):
        assert "/me/friends/" in text(signed_in(ann).get("/me/"))
        ReferralPlan.objects.update(opened_at=None)
        assert signed_in(ann).get("/me/friends/").status_code == 404
        assert "/me/friends/" not in text(signed_in(ann).get("/me/"))


class TestTheLink:
    def test_from_the_link_to_the_points(self, ann):
        assert "Ann recommends Juniper &amp; Oak" in text(Client().get(link_of(ann)))
        assert "ben@example.com" in text(ask(ann))
        path = mailed()
        assert "Is this your address?" in text(Client().get(path))
        assert not Referral.objects.exists()
        assert "Welcome" in text(Client().post(path))
        ben = Customer.objects.get(emails__address="ben@example.com")
        assert (ben.name, ben.referred_by.advocate) == ("Ben Bold", ann)
        assert Identity.objects.get(customer=ben).source == invites.SOURCE
        bought = make_customer(name="Ben B.", external_id="c-99")  # as the shop knows him
        bought.emails.create(address="ben@example.com")
        order(bought, line("25.00"), at=timezone.now())
        referrals.follow(at=timezone.now())
        assert Referral.objects.get().friend == bought
        assert (totals(ann)[1], totals(bought)[1]) == (500, 500)

    def test_a_scanner_that_opens_the_mail_s_link_changes_nothing(self, ann):
        ask(ann)
        path = mailed()
        for _ in range(3):
            Client().get(path)
            Client().head(path)
        assert not Referral.objects.exists()
        assert Client().post(path).status_code == 200

    def test_the_link_of_the_mail_works_once_and_for_a_week(self, ann):
        ask(ann)
        path = mailed()
        Client().post(path)
        assert "was used already" in text(Client().post(path))
        ask(ann, "cleo@example.com")
        late = mailed()
        ReferralInvite.objects.update(made_at=timezone.now() - timedelta(days=8))
        assert Client().get(late).status_code == 404
        assert Referral.objects.count() == 1

    def test_somebody_who_is_a_customer_already(self, ann):
        known = make_person("Ben", "ben@example.com")
        ask(ann)
        Client().post(mailed())
        assert Referral.objects.get().friend == known

    def test_who_has_ordered_is_told_so(self, ann):
        order(make_person("Ben", "ben@example.com"), line("25.00"), at=timezone.now() - timedelta(days=9))
        ask(ann)
        assert "The code is for new customers" in text(Client().post(mailed()))

    def test_an_address_of_several_is_not_guessed(self, ann):
        for _ in range(2):
            make_customer().emails.create(address="ben@example.com")
        ask(ann)
        assert "more than one customer" in text(Client().post(mailed()))
        assert not Referral.objects.exists()

    def test_the_own_link(self, ann):
        ask(ann, "ann@example.com")
        assert "This is your own code" in text(Client().post(mailed()))

    def test_a_mailbox_is_not_flooded_and_nobody_is_told(self, ann):
        answers = {
            text(ask(ann, client=Client(REMOTE_ADDR=f"203.0.113.{n}"))) for n in range(invites.MOST_AN_ADDRESS + 2)
        }
        assert invite_mails.send_waiting(at=timezone.now()) == invites.MOST_AN_ADDRESS
        assert len({re.sub(r'"[^"]{60,}"', "", answer) for answer in answers}) == 1

    def test_one_internet_address_is_limited(self, ann):
        client = Client(REMOTE_ADDR="203.0.113.77")
        codes = [ask(ann, f"p{n}@example.com", client=client).status_code for n in range(12)]
        assert codes.count(429) == 2

    def test_an_address_that_is_none_is_told(self, ann):
        answer = ask(ann, "not an address")
        assert answer.status_code == 400
        assert "Enter a valid email address" in text(answer)

    def test_no_such_link_and_one_that_is_switched_off(self, ann):
        assert Client().get("/r/NOSUCHCODE/").status_code == 404
        there = link_of(ann)
        ReferralPlan.objects.update(opened_at=None)
        assert "does not work at the moment" in text(Client().get(there))

    def test_old_addresses_are_forgotten(self, ann):
        ask(ann)
        assert invites.prune(at=timezone.now() + timedelta(days=6)) == 0
        assert invites.prune(at=timezone.now() + timedelta(days=8)) == 1
        assert not invites.is_waiting()
