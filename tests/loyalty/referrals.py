"""People who refer friends, what friends buy, and what both get for it."""

from core.models import Cursor
from loyalty.models import ReferralPlan
from loyalty.services import referrals
from loyalty.services.points import settle
from tests.factories import make_business, make_customer
from tests.loyalty.shop import DAY, NOW, OPENED, line, open_programme, order, totals


def open_for_friends():
    """A business in Berlin whose customers refer friends."""
    make_business(time_zone="Europe/Berlin", currency="EUR")
    open_programme(refund_policy="allow_negative")
    return open_plan()


def open_plan(**fields):
    told = {"opened_at": OPENED, "advocate_points": 500, "friend_points": 300, "least_cents": 2_000} | fields
    return ReferralPlan.objects.update_or_create(id=1, defaults=told | {"pending_days": 30, "window_days": 90})[0]


def make_person(*, email="", phone="", **fields):
    person = make_customer(**fields)
    if email:
        person.emails.create(address=email)
    if phone:
        person.phones.create(number=phone)
    return person


def code_of(person, at=NOW):
    return referrals.code_for(customer_id=person.pk, at=at).code


def claim(advocate, friend, at=NOW, **options):
    return referrals.claim(text=code_of(advocate, at), customer_id=friend.pk, at=at, **options)


def buy(person, price="25.00", at=NOW + DAY, **options):
    return order(person, line(price), at=at, **options)


def follow(at):
    """From the beginning: a test's own transaction is not to be read in the feed before it ends."""
    Cursor.objects.filter(reaction=referrals.REACTION).delete()
    referrals.follow(at=at)
    referrals.pass_time(at=at)


def spendable(person, at):
    settle(customer_id=person.pk, at=at)
    return totals(person)
