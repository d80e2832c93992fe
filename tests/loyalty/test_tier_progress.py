"""What pages, prices and programs are told about tiers."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from core import business
from loyalty.models import Move, TierNotice
from loyalty.selectors import tiers as found
from loyalty.services import tiers
from tests.factories import DAY, make_business, make_customer, make_order
from tests.loyalty.tiers import make_member, make_plan, make_posting, make_tier, make_tiers, noon

pytestmark = pytest.mark.django_db
YESTERDAY = DAY - timedelta(days=1)


def progress(customer, day=DAY):
    return found.progress(customer.pk, noon(day))


class TestProgress:
    def test_on_the_way_to_the_first_tier(self):
        silver, _ = make_tiers()
        ada = make_customer()
        make_posting(ada, 40, day=date(2025, 6, 1))
        told = progress(ada)
        assert (told.tier, told.value, told.next_tier, told.next_missing) == (None, 40, silver, 60)
        assert (told.next_by, told.keep_missing, told.percent) == (date(2026, 5, 31), 0, 40)

    def test_keeping_it(self):
        _, gold = make_tiers(window="year")
        member = make_member(gold, since=date(2025, 5, 1), ends_on=date(2026, 12, 31))
        make_posting(member.customer, 120, day=date(2026, 1, 1))
        make_posting(member.customer, 900, day=date(2025, 12, 31))
        told = progress(member.customer)
        assert (told.tier, told.value, told.keep_missing, told.keep_by) == (gold, 120, 180, date(2026, 12, 31))
        assert (told.next_tier, told.percent, told.is_in_danger, told.counts_money) == (None, 100, True, False)

    def test_the_period_that_counts_is_the_member_s_own(self):
        """A year that began in June counts from June, not the last 12 months of today."""
        silver, _ = make_tiers()
        member = make_member(silver, since=date(2025, 6, 1), ends_on=date(2026, 5, 31))
        make_posting(member.customer, 30, day=date(2025, 5, 20))
        make_posting(member.customer, 50, day=date(2025, 7, 1))
        told = progress(member.customer)
        assert (told.value, told.keep_missing, told.keep_by) == (80, 50, date(2026, 5, 31))

    def test_a_tier_whose_last_day_is_over(self):
        """The night has not come yet, but the customer is told what time has decided."""
        silver, gold = make_tiers()
        told = progress(make_member(gold, since=date(2025, 1, 1), ends_on=YESTERDAY).customer)
        assert (told.tier, told.until, told.next_tier) == (silver, date(2027, 3, 9), gold)

    def test_in_money(self):
        make_tiers(qualify_by="money")
        ada = make_customer()
        make_order(customer=ada, value_cents=250)
        told = progress(ada)
        assert (told.counts_money, told.next_missing, told.tier.name) == (True, 50, "Silver")

    def test_somebody_who_never_took_part(self):
        make_tiers()
        assert progress(make_customer()).next_missing == 100

    def test_without_tiers_there_is_nothing_to_say(self):
        assert progress(make_customer()) is None

    def test_a_tier_for_life(self):
        silver, _ = make_tiers(window="lifetime")
        told = progress(make_member(silver).customer)
        assert (told.tier, told.until, told.keep_by, told.next_by) == (silver, None, None, None)

    def test_by_hand(self):
        _, gold = make_tiers()
        told = progress(make_member(gold, ends_on=DAY, set_by="raised").customer)
        assert (told.tier, told.is_by_hand, told.until) == (gold, True, DAY)

    def test_what_is_asked_costs_few_queries(self, django_assert_num_queries):
        make_tiers()
        ada = make_customer()
        make_plan()
        make_business()
        with django_assert_num_queries(5):
            progress(ada)


class TestTiersAt:
    def test_it_works(self):
        silver, gold = make_tiers()
        one, two = make_member(silver, ends_on=DAY), make_member(gold)
        stranger = make_customer()
        ids = [one.pk, two.pk, stranger.pk]
        assert found.tiers_at(ids, noon(DAY)) == {one.pk: silver, two.pk: gold}
        assert found.multipliers(ids, noon(DAY)) == {one.pk: Decimal("1.25"), two.pk: Decimal("1.5")}

    def test_before_the_night_has_come(self):
        silver, gold = make_tiers()
        falls, keeps, loses = (make_member(tier, ends_on=YESTERDAY) for tier in (gold, silver, silver))
        make_posting(keeps.customer, 100, day=YESTERDAY)
        ids = [falls.pk, keeps.pk, loses.pk]
        assert found.tiers_at(ids, noon(DAY)) == {falls.pk: silver, keeps.pk: silver}

    @pytest.mark.parametrize(("hour", "name"), [(22, "Gold"), (23, None)])
    def test_days_end_in_the_zone_of_the_business(self, hour, name):
        make_business(time_zone="Europe/Berlin")
        _, gold = make_tiers(downgrade="recalculated")
        member = make_member(gold, ends_on=DAY)
        told = found.tiers_at([member.pk], datetime(2026, 3, 10, hour, tzinfo=UTC)).get(member.pk)
        assert (told and told.name) == name

    def test_as_it_was_before_somebody_rose(self):
        silver, gold = make_tiers()
        ada = make_customer()
        for day, points in ((YESTERDAY, 100), (DAY, 200)):
            make_posting(ada, points, day=day)
            tiers.settle(customer_ids=[ada.pk], business=business.current(), at=noon(day))
        days = (YESTERDAY - timedelta(days=1), YESTERDAY, DAY)
        assert [found.tiers_at([ada.pk], noon(day)).get(ada.pk) for day in days] == [None, silver, gold]

    def test_early_access(self):
        silver, gold = make_tiers()
        early, late = make_member(gold), make_member(silver)
        assert found.seen_from(early.pk, noon(DAY)) == noon(DAY) + timedelta(days=3)
        assert found.seen_from(late.pk, noon(DAY)) == noon(DAY)


class TestNotices:
    def test_what_is_still_true_and_was_not_seen(self):
        silver, gold = make_tiers()
        member = make_member(silver)
        told = {"customer": member.customer, "tier": gold, "at": noon(DAY)}
        TierNotice.objects.create(kind="rose", key="move:1", **told)
        TierNotice.objects.create(kind="fell", key="move:2", seen_at=noon(DAY), **told)
        TierNotice.objects.create(kind="ending", key="ending:1", until=YESTERDAY, **told)
        TierNotice.objects.create(kind="ending", key="ending:2", until=DAY, **told)
        assert [notice.key for notice in found.notices(member.pk, noon(DAY))] == ["ending:2", "move:1"]


class TestHistory:
    def test_of_one_and_of_all(self):
        silver, gold = make_tiers()
        for number, tier in enumerate((silver, gold)):
            Move.objects.create(customer=make_customer(), after=tier, at=noon(DAY), reason="reached", value=number)
        assert [move.value for move in found.history()] == [1, 0]
        assert found.history(Move.objects.get(value=0).customer_id).get().after == silver

    def test_members(self):
        make_member(tier := make_tier())
        make_member(None)
        assert found.members() == {tier.pk: 1}
