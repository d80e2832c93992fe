"""Reaching, keeping and losing tiers in the database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from core import business
from loyalty.models import Account, Move, Standing, Tier, TierNotice
from loyalty.services import tiers
from loyalty.services.tiers import Moved
from tests.factories import DAY, make_business, make_customer, make_order, make_refund, make_unmatched_return
from tests.loyalty.tiers import (
    A_YEAR_ON,
    YESTERDAY,
    history,
    make_member,
    make_posting,
    make_tier,
    make_tiers,
    midnight,
    noon,
    settle,
    stands,
)

pytestmark = pytest.mark.django_db


class TestStory:
    def test_two_years_of_a_customer(self):
        make_tiers(grace_days=10)
        ada = make_customer()
        make_posting(ada, 60)
        assert settle(ada) == Moved()
        make_posting(ada, 60, pending=60)
        assert settle(ada) == Moved(1, 1, 0)
        assert stands(ada) == ("Silver", A_YEAR_ON, date(2027, 3, 19), 120)
        make_posting(ada, 200)
        assert settle(ada) == Moved(1, 1, 0)
        assert stands(ada) == ("Gold", A_YEAR_ON, date(2027, 3, 19), 320)
        make_posting(ada, -250, kind="reverse")
        assert (settle(ada), *midnight(A_YEAR_ON)) == (Moved(),) * 3
        assert midnight(date(2027, 3, 15)) == (Moved(), Moved())
        assert stands(ada)[0] == "Gold"
        assert midnight(date(2027, 3, 20)) == (Moved(1, 0, 1), Moved())
        assert stands(ada) == ("Silver", date(2028, 3, 19), date(2028, 3, 29), 70)
        assert midnight(date(2028, 4, 1)) == (Moved(1, 0, 1), Moved())
        assert stands(ada) == (None, None, None, 0)
        assert history(ada) == [
            ("-", "Silver", "reached", 120),
            ("Silver", "Gold", "reached", 320),
            ("Gold", "Silver", "ended", 70),
            ("Silver", "-", "ended", 0),
        ]

    def test_kept_by_what_was_earned_in_the_period(self):
        make_tiers(window="year")
        ada = make_customer()
        make_posting(ada, 120)
        settle(ada)
        assert midnight(date(2027, 1, 1)) == (Moved(1, 0, 0), Moved())
        assert stands(ada) == ("Silver", date(2027, 12, 31), date(2027, 12, 31), 120)
        assert midnight(date(2028, 1, 1)) == (Moved(1, 0, 1), Moved())
        assert history(ada)[-1] == ("Silver", "-", "ended", 0)

    def test_with_grace_the_new_period_begins_at_once(self):
        make_tiers(window="year", grace_days=30)
        ada = make_customer()
        make_posting(ada, 120)
        settle(ada)
        assert midnight(date(2027, 1, 1)) == (Moved(), Moved(1, 0, 0))
        assert stands(ada)[1] == date(2027, 12, 31)

    def test_money_less_refunds(self):
        make_tiers(qualify_by="money")
        ada = make_customer()
        order = make_order(customer=ada, value_cents=90)
        make_order(customer=ada, value_cents=500, status="cancelled")
        make_order(customer=ada, value_cents=500, day=DAY - timedelta(days=365))
        settle(ada)
        assert stands(ada) is None
        make_order(customer=ada, value_cents=310)
        make_refund(order=order, value_cents=50)
        make_unmatched_return(customer=ada, value_cents=60)
        settle(ada)
        assert stands(ada) == ("Silver", A_YEAR_ON, A_YEAR_ON, 290)


class TestWhatCounts:
    def test_never_the_balance(self):
        make_tiers()
        ada = make_customer()
        make_posting(ada, 120)
        make_posting(ada, -120, kind="redeem")
        make_posting(ada, 900, kind="adjust")
        make_posting(ada, 40, kind="activate")
        settle(ada)
        assert stands(ada)[0] == "Silver"
        assert stands(ada)[3] == 120

    @pytest.mark.parametrize(
        ("at", "counts"),
        [
            (datetime(2025, 3, 10, 22, 59, tzinfo=UTC), False),
            (datetime(2025, 3, 10, 23, 0, tzinfo=UTC), True),
            (datetime(2026, 3, 10, 22, 59, tzinfo=UTC), True),
            (datetime(2026, 3, 10, 23, 0, tzinfo=UTC), False),
        ],
    )
    def test_days_are_those_of_the_business(self, at, counts):
        make_business(time_zone="Europe/Berlin")
        make_tiers()
        ada = make_customer()
        make_posting(ada, 100, at=at)
        settle(ada, at=datetime(2026, 3, 10, 22, 59, 30, tzinfo=UTC))
        assert (stands(ada) is not None) is counts

    @pytest.mark.parametrize(("minute", "counts"), [(29, False), (30, True)])
    def test_the_year_begins_where_the_clocks_say_so(self, minute, counts):
        make_business(time_zone="Asia/Kolkata")
        make_tiers(window="year")
        ada = make_customer()
        make_posting(ada, 100, at=datetime(2025, 12, 31, 18, minute, tzinfo=UTC))
        settle(ada)
        assert (stands(ada) is not None) is counts

    def test_the_day_after_the_clocks_change(self):
        """The day of 23 hours is over at 22:00 UTC, and so is the tier."""
        make_business(time_zone="Europe/Berlin")
        silver, _ = make_tiers()
        member = make_member(silver, ends_on=date(2026, 3, 29))
        now = business.current()
        assert tiers.expire(business=now, at=datetime(2026, 3, 29, 21, 59, tzinfo=UTC)) == Moved()
        assert tiers.expire(business=now, at=datetime(2026, 3, 29, 22, 0, tzinfo=UTC)).fallen == 1
        member.refresh_from_db()
        assert member.tier is None

    def test_points_of_a_merged_account(self):
        make_tiers()
        ada, other = make_customer(), make_customer()
        make_posting(ada, 60)
        make_posting(other, 60)
        Account.objects.filter(customer=other).update(merged_into=Account.objects.get(customer=ada))
        settle(ada)
        assert stands(ada)[3] == 120

    def test_a_tier_from_zero_is_for_those_who_take_part(self):
        make_tier(threshold=0, name="Member")
        ada, guest = make_customer(), make_customer()
        make_posting(ada, 1)
        assert settle(ada, guest) == Moved(1, 1, 0)
        assert not TierNotice.objects.exists()

    def test_a_value_beyond_all_measure(self):
        make_tiers()
        ada = make_customer()
        for _ in range(2):
            make_posting(ada, 10**12)
        assert settle(ada).risen == 1

    def test_without_tiers_nothing_happens(self):
        ada = make_customer()
        make_posting(ada, 1000)
        assert (settle(ada), *midnight(DAY)) == (Moved(),) * 3


class TestTwice:
    def test_the_same_midnight_again_changes_nothing(self):
        silver, gold = make_tiers()
        for tier in (silver, gold):
            make_member(tier, ends_on=YESTERDAY)
        assert midnight(DAY) == (Moved(2, 0, 2), Moved())
        before = list(Standing.objects.order_by("pk").values())
        assert midnight(DAY) == (Moved(), Moved())
        assert list(Standing.objects.order_by("pk").values()) == before
        assert (Move.objects.count(), TierNotice.objects.count()) == (2, 2)

    def test_settling_again_changes_nothing(self):
        make_tiers()
        ada = make_customer()
        make_posting(ada, 100)
        settle(ada)
        assert settle(ada, ada) == Moved()
        assert len(history(ada)) == 1


@pytest.mark.django_db(transaction=True)
class TestFollowing:
    def test_the_first_time_everybody_then_those_who_changed(self):
        make_tiers(qualify_by="money")
        ada, bob = make_customer(), make_customer()
        make_order(customer=ada, value_cents=120)
        assert self.follow() == Moved(1, 1, 0)
        make_posting(bob, 900)
        make_order(customer=bob, value_cents=300)
        assert self.follow() == Moved(1, 1, 0)
        assert self.follow() == Moved()
        assert (stands(ada)[0], stands(bob)[0]) == ("Silver", "Gold")

    def test_without_tiers_the_first_time_is_still_to_come(self):
        ada = make_customer()
        make_order(customer=ada, value_cents=120)
        assert self.follow() == Moved()
        make_tiers(qualify_by="money")
        assert self.follow().risen == 1

    def follow(self):
        return tiers.follow(business=business.current(), at=noon(DAY))


class TestNotices:
    def test_risen_and_fallen(self):
        silver, gold = make_tiers()
        ada = make_customer()
        make_posting(ada, 300)
        settle(ada)
        member = make_member(gold, ends_on=YESTERDAY)
        midnight(DAY)
        assert set(TierNotice.objects.values_list("customer_id", "kind", "tier_id")) == {
            (ada.pk, "rose", gold.pk),
            (member.pk, "fell", gold.pk),
        }
        assert silver.standings.get() == member

    def test_about_to_fall(self):
        silver, gold = make_tiers()
        ends_on = DAY + timedelta(days=30)
        late, safe = make_member(gold, ends_on=ends_on), make_member(silver, ends_on=ends_on)
        make_member(gold, ends_on=ends_on + timedelta(days=1))
        make_posting(late.customer, 299)
        make_posting(safe.customer, 100)
        assert self.tell() == 1
        notice = TierNotice.objects.get()
        assert (notice.customer_id, notice.kind, notice.tier, notice.until) == (late.pk, "ending", gold, ends_on)
        assert self.tell() == 0

    def test_seen(self):
        _, gold = make_tiers()
        member = make_member(gold, ends_on=DAY)
        self.tell()
        assert tiers.mark_seen(customer_id=member.pk, at=noon(DAY)) == 1
        assert tiers.mark_seen(customer_id=member.pk, at=noon(DAY)) == 0

    def tell(self):
        return tiers.tell_ending(business=business.current(), at=noon(DAY))


class TestTheDatabaseRefuses:
    def test_moves_are_never_changed(self):
        make_tiers()
        ada = make_customer()
        make_posting(ada, 100)
        settle(ada)
        for change in ("UPDATE loyalty_move SET note = 'x'", "DELETE FROM loyalty_move"):
            with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(change)
        assert len(history(ada)) == 1

    @pytest.mark.parametrize("wrong", [{"rank": 2, "threshold": 50}, {"rank": 1, "threshold": 150}])
    def test_ranks_and_thresholds_that_do_not_rise_together(self, wrong):
        make_tier(rank=1, threshold=100)
        with pytest.raises(IntegrityError, match="rise together"):
            self.add(wrong)

    @transaction.atomic
    def add(self, fields):
        make_tier(name="Other", **fields)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def test_a_tier_that_was_taken_away_is_in_nobody_s_way(self):
        make_tier(rank=1, threshold=100, retired_at=noon(DAY))
        make_tier(rank=1, threshold=200)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert Tier.objects.count() == 2

    def test_one_standing_for_a_customer(self):
        silver, gold = make_tiers()
        member = make_member(silver)
        with pytest.raises(IntegrityError), transaction.atomic():
            make_member(gold, customer=member.customer)
