"""The ledger played again in memory: by its rules, and with the sums that crediting really comes to."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Sum

from core import business as settings_row
from loyalty import expiry, replay
from loyalty.expiry import Terms
from loyalty.models import Account, Posting
from loyalty.replay import Course, Fact, Kind, Sums
from loyalty.selectors import programme as programmes
from loyalty.services import points, replays
from tests.factories import make_business, make_customer
from tests.loyalty.shop import NOW, credit, line, make_rule, open_programme, order, refund

FIRST, TODAY = date(2026, 1, 1), date(2026, 6, 30)


def played(*facts, policy="within_balance", **terms):
    sums = Sums()
    told = Terms(zone=ZoneInfo("UTC"), **{"kind": "never", "pending_days": 0} | terms)
    had = replay.play(facts, course=Course(terms=told, policy=policy, first=FIRST, today=TODAY), sums=sums)
    return sums, had


def earn(day, number, order=1):
    return Fact(day, Kind.ORDER, number, order, None, True)


def back(day, number, order=1):
    return Fact(day, Kind.REFUND, number, order)


def spend(day, number):
    return Fact(day, Kind.SPEND, number, is_activity=True)


class TestRules:
    def test_they_wait_and_then_can_be_spent(self):
        sums, had = played(earn(date(2026, 6, 20), 100), earn(date(2026, 6, 1), 50, 2), pending_days=14)
        assert (sums.active, sums.pending, had) == (50, 100, 150)

    def test_what_expires_soonest_goes_first(self):
        facts = (earn(date(2026, 1, 31), 100), earn(date(2026, 4, 1), 40, 2), spend(date(2026, 2, 1), 30))
        sums, had = played(*facts, kind="months", months=1)
        assert sums.flows == {"earned": 140, "redeemed": 30, "missed": 0, "expired": 110}
        assert (sums.active, had) == (0, 30)

    def test_they_live_through_their_last_day(self):
        facts = (earn(date(2026, 1, 31), 100), spend(date(2026, 2, 28), 60), spend(date(2026, 3, 1), 40))
        sums, _had = played(*facts, kind="months", months=1)
        assert (sums.flows["redeemed"], sums.flows["missed"], sums.flows["expired"]) == (60, 40, 40)

    def test_whoever_buys_keeps_all(self):
        facts = (earn(date(2026, 1, 1), 100), earn(date(2026, 3, 1), 10, 2), spend(date(2026, 5, 20), 5))
        sums, _had = played(*facts, kind="inactivity", months=3)
        assert (sums.flows["expired"], sums.active) == (0, 105)

    def test_what_was_before_the_year_is_not_told(self):
        sums, had = played(earn(date(2025, 6, 1), 100), spend(date(2026, 2, 1), 30))
        assert (sums.flows["earned"], sums.flows["redeemed"], sums.active, had) == (0, 30, 70, 100)

    @pytest.mark.parametrize(
        ("policy", "took", "active", "owed"),
        [("only_pending", 20, 50, 0), ("within_balance", 70, 0, 0), ("allow_negative", 100, 0, 30)],
    )
    def test_how_far_a_refund_goes(self, policy, took, active, owed):
        """100 earned, 80 of them spent; another 50 came. Of the first order 20 are left."""
        facts = (earn(date(2026, 1, 1), 100), spend(date(2026, 1, 2), 80), earn(date(2026, 1, 3), 50, 2))
        sums, _had = played(*facts, back(date(2026, 1, 4), 100), policy=policy)
        assert (sums.flows["taken_back"], sums.active, sums.owed) == (took, active, owed)

    def test_a_debt_is_paid_by_what_becomes_active(self):
        facts = (earn(date(2026, 1, 1), 100), spend(date(2026, 2, 1), 100), back(date(2026, 2, 2), 100))
        sums, had = played(*facts, earn(date(2026, 3, 1), 60, 2), policy="allow_negative", pending_days=14)
        assert (sums.active, sums.owed, had) == (0, 40, 60)


def at(month, day):
    return datetime(2026, month, day, 11, tzinfo=UTC)


def a_year_of_things(row):
    """Two customers: orders, a refund of what waits, one of what was spent, redemptions, and points for a review."""
    make_business(currency="EUR", time_zone="Europe/Berlin")
    make_rule()
    ada, bob = make_customer(), make_customer()
    first = order(ada, line("120.00", discount_cents=2000), at=at(1, 10))
    credit(first, at=at(1, 10))
    points.redeem(customer_id=ada.pk, points=50, key="a", at=at(2, 1))
    second = order(ada, line("100.00", quantity=2), at=at(3, 1))
    credit(second, at=at(3, 1))
    refund(second, 1, at=at(3, 5))
    credit(second, at=at(3, 5))
    third = order(bob, line("80.00"), at=at(1, 20))
    credit(third, at=at(1, 20))
    ends = expiry.expires_at(programmes.terms(row), active_at=at(2, 10))
    points.earn(customer_id=bob.pk, points=30, key="review", at=at(2, 10), expires_at=ends)
    points.redeem(customer_id=bob.pk, points=100, key="b", at=at(2, 11))
    refund(third, 1, at=at(2, 20))
    credit(third, at=at(2, 20))
    for customer in (ada, bob):
        points.settle(customer_id=customer.pk, at=NOW)


def of_ledger():
    def all_of(*kinds):
        told = Posting.objects.filter(kind__in=kinds).aggregate(a=Sum("points", default=0), p=Sum("pending_points"))
        return abs(told["a"] + (told["p"] or 0))

    orders = Posting.objects.filter(kind="earn", key__startswith="earn:order").aggregate(all=Sum("asked"))["all"]
    accounts = Account.objects.aggregate(b=Sum("balance"), p=Sum("pending"))
    return {
        "earned": orders,
        "given": all_of("earn") - orders,
        "taken_back": all_of("reverse"),
        "redeemed": all_of("redeem"),
        "expired": all_of("expire"),
        "have": accounts["b"],
        "pending": accounts["p"],
    }


def of_replay(one):
    told = {name: getattr(one, name) for name in ("earned", "given", "taken_back", "redeemed", "expired", "pending")}
    return told | {"have": one.active - one.owed}


def tried(row, **settings):
    wanted = replays.with_settings(row, settings)
    return replays.of_settings(row=row, tried=wanted, business=settings_row.current(), at=NOW)


@pytest.mark.django_db
class TestAgainstTheLedger:
    @pytest.mark.parametrize(
        "settings",
        [
            {"expiry": "months", "expiry_months": 1, "expiry_period": "day"},
            {"refund_policy": "allow_negative", "earn_base": "before"},
            {"refund_policy": "only_pending", "pending_days": 0},
        ],
    )
    def test_the_settings_of_now_come_to_the_same(self, settings):
        row = open_programme(**settings)
        a_year_of_things(row)
        seen = tried(row)
        assert of_replay(seen.now) == of_ledger()
        assert seen.now == seen.then
        assert (seen.customers, seen.gain, seen.lose) == (2, 0, 0)

    def test_totals_by_hand(self):
        """Ada: 100 − 50 − 50 expired, and 200 − 100 that wait. Bob: 80 + 30 − 100, and 10 that a refund takes."""
        row = open_programme(expiry="months", expiry_months=1, expiry_period="day")
        a_year_of_things(row)
        seen = tried(row, earn_base="before", worth_cents=200)
        assert (seen.now.earned, seen.now.taken_back, seen.now.redeemed, seen.now.expired) == (380, 110, 150, 50)
        assert (seen.then.earned, seen.then.expired, seen.then.pending) == (400, 70, 100)
        assert seen.then.cost_cents == 2 * (400 + 30 - seen.then.taken_back)
        assert (seen.gain, seen.lose) == (2, 0)

    def test_nothing_is_written(self):
        row = open_programme()
        a_year_of_things(row)
        before = list(Posting.objects.order_by("pk").values())
        tried(row, pending_days=0, expiry="inactivity", expiry_months=1)
        assert list(Posting.objects.order_by("pk").values()) == before
        row.refresh_from_db()
        assert row.pending_days == 14

    def test_a_part_of_the_customers_is_scaled_up(self, monkeypatch):
        monkeypatch.setattr(replays, "LOOKED_AT", 5)
        make_business()
        make_rule()
        for _ in range(10):
            order(make_customer(), line("100.00"), at=NOW - timedelta(days=60))
        seen = tried(open_programme())
        assert (seen.orders, seen.looked_at, seen.customers, seen.now.earned) == (10, 5, 10, 1000)
        assert seen.is_estimated

    def test_once_it_was_on_for_the_months_only_what_counts_does(self):
        """One order before the first day that counts, one after it; until a year has passed both are played."""
        make_business()
        make_rule(starts_at=NOW - timedelta(days=500))
        for days in (450, 100):
            order(make_customer(), line("100.00"), at=NOW - timedelta(days=days))
        young = open_programme(opened_at=NOW, credit_from=(NOW - timedelta(days=200)).date(), pending_days=0)
        assert (tried(young).is_real, tried(young).now.active) == (False, 200)
        old = open_programme(opened_at=NOW, credit_from=(NOW - timedelta(days=400)).date())
        assert (tried(old).is_real, tried(old).now.active) == (True, 100)

    def test_before_it_is_on_orders_are_judged_by_the_rules_of_now(self):
        make_business()
        make_rule(starts_at=NOW - timedelta(days=1))
        order(make_customer(), line("100.00"), at=NOW - timedelta(days=200))
        assert tried(open_programme(opened_at=None)).now.earned == 100
