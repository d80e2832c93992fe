"""The gift on the birthday."""

from datetime import date, timedelta

import pytest

from loyalty.models import Account, BirthdayGiven, Code, Posting, Programme
from loyalty.services import birthdays
from tests.factories import make_customer
from tests.loyalty.offers import make_offer
from tests.loyalty.tiers import make_member, make_tiers, noon

pytestmark = pytest.mark.django_db
BIRTHDAY = date(2026, 3, 14)


@pytest.fixture(autouse=True)
def programme():
    birthdays.set_gift(amount=200, tier=None)
    return Programme.objects.create(opened_at=noon(date(2020, 1, 1)), expiry="never")


def make_born(birthday="--03-14", *, is_member=True, **fields):
    customer = make_customer(birthday=birthday, **fields)
    if is_member:
        Account.objects.create(customer=customer)
    return customer


def give(day=BIRTHDAY):
    return birthdays.give(at=noon(day))


def balance(customer):
    return Account.objects.get(customer=customer).balance


class TestGiving:
    def test_it_works(self):
        ada, bob = make_born("1990-03-14"), make_born("--03-15")
        assert give() == 1
        assert (balance(ada), balance(bob)) == (200, 0)
        assert Posting.objects.get().key == f"birthday:{ada.pk}:2026-03-14"

    def test_years_of_a_customer(self):
        ada = make_born()
        for year in (2026, 2027, 2028):
            assert [give(BIRTHDAY.replace(year=year) + timedelta(days=days)) for days in (-1, 0, 1)] == [0, 1, 0]
        assert balance(ada) == 600

    def test_a_night_that_was_missed(self):
        make_born()
        assert give(BIRTHDAY + timedelta(days=6)) == 1
        assert give(BIRTHDAY + timedelta(days=8)) == 0

    def test_a_code_of_an_offer(self):
        """Given once, for her alone, and told until she has read of it."""
        birthdays.set_gift(amount=0, tier=None, offer=make_offer(), code_days=30)
        ada = make_born()
        assert [give(), give(BIRTHDAY + timedelta(days=1))] == [1, 0]
        code = Code.objects.get()
        assert (code.holder, code.max_uses, code.expires_at.date(), balance(ada)) == (ada, 1, date(2026, 4, 14), 0)
        at = noon(BIRTHDAY)
        assert birthdays.unseen(ada.pk, at=at).code == code
        birthdays.mark_seen(customer_id=ada.pk, at=at)
        assert birthdays.unseen(ada.pk, at=at) is None

    def test_an_offer_that_has_ended_gives_nothing(self):
        birthdays.set_gift(amount=0, tier=None, offer=make_offer(state="ended"))
        make_born()
        assert give() == 0

    @pytest.mark.parametrize(("day", "given"), [(date(2026, 2, 27), 0), (date(2026, 2, 28), 1)])
    def test_born_on_the_leap_day(self, day, given):
        make_born("--02-29")
        assert give(day) == given

    def test_the_leap_day_year_after_year(self):
        make_born("1992-02-29")
        days = (date(2027, 2, 28), date(2028, 2, 28), date(2028, 2, 29), date(2029, 2, 28))
        assert [give(day) for day in days] == [1, 0, 1, 1]

    def test_from_a_tier_on(self):
        silver, gold = make_tiers()
        birthdays.set_gift(amount=200, tier=gold)
        own = [make_born() for _ in range(3)]
        for customer, tier in zip(own, (silver, gold), strict=False):
            make_member(tier, customer=customer)
        assert give() == 1
        assert balance(own[1]) == 200


class TestRefusing:
    def test_a_birthday_that_moves_is_no_second_gift(self):
        ada = make_born()
        give()
        ada.birthday = "--03-16"
        ada.save(update_fields=["birthday"])
        assert give(date(2026, 3, 16)) == 0
        assert give(date(2027, 3, 16)) == 1

    @pytest.mark.parametrize(
        "fields", [{"birthday": ""}, {"is_member": False}, {"archived_at": noon(date(2026, 1, 1))}]
    )
    def test_who_gets_none(self, fields):
        make_born(**fields)
        assert give() == 0

    def test_nothing_is_given_while_it_is_off(self, programme):
        make_born()
        birthdays.set_gift(amount=0, tier=None)
        assert give() == 0
        birthdays.set_gift(amount=200, tier=None)
        Programme.objects.update(opened_at=None)
        assert give() == 0
        assert not BirthdayGiven.objects.exists()
