"""Nights and segments: who moves keeps where she was and since when, also over nights that were missed."""

from datetime import timedelta

import pytest

from analytics import scores
from crm import night
from customers.models import Membership
from tests import nights
from tests.factories import make_customer, make_order, make_refund
from tests.nights import AS_OF, pass_night, score_rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop():
    return nights.make_random_shop(1, customers=40)


class TestSegments:
    def test_they_start_on_the_first_night(self, shop):
        rows = score_rows(pass_night()).values()
        assert {row["segment_changed_on"] for row in rows} == {AS_OF}
        assert {row["previous_segment"] for row in rows} == {0}

    def test_who_moves_keeps_where_she_was_and_since_when(self, shop):
        first = pass_night()
        before = score_rows(first)
        sleeper = max(before.values(), key=lambda row: (row["segment"] > 0) * row["last_age_days"])["customer_id"]
        day = AS_OF + timedelta(days=1)
        make_order(customer=next(one for one in shop if one.pk == sleeper), day=day)
        second = pass_night(day)
        row = score_rows(second)[sleeper]
        assert row["segment"] != before[sleeper]["segment"]
        assert (row["previous_segment"], row["segment_changed_on"]) == (before[sleeper]["segment"], day)
        third = score_rows(pass_night(day + timedelta(days=1)))[sleeper]
        if third["segment"] == row["segment"]:
            assert (third["previous_segment"], third["segment_changed_on"]) == (before[sleeper]["segment"], day)

    def sleeper_who_buys(self, shop, *, on):
        """A customer in the segment of those who have been away the longest, and an order of hers on a day."""
        before = score_rows(pass_night())
        customer = max(before.values(), key=lambda row: (row["segment"] > 0) * row["last_age_days"])["customer_id"]
        make_order(customer=next(one for one in shop if one.pk == customer), day=on)
        return customer

    def test_missed_nights_are_made_up_so_that_the_day_of_a_move_is_its_own(self, shop):
        moved_on, today = AS_OF + timedelta(days=2), AS_OF + timedelta(days=4)
        sleeper = self.sleeper_who_buys(shop, on=moved_on)
        gaps = night.missed(before=today)
        assert gaps == [AS_OF + timedelta(days=n) for n in (1, 2, 3)]
        rows = {day: score_rows(pass_night(day))[sleeper] for day in [*gaps, today]}
        assert rows[moved_on]["segment_changed_on"] == moved_on
        assert rows[moved_on]["segment"] != rows[AS_OF + timedelta(days=1)]["segment"]

    def test_without_them_the_move_would_get_the_wrong_day(self, shop):
        """The negative control: only the newest night is run after the gap."""
        today = AS_OF + timedelta(days=4)
        sleeper = self.sleeper_who_buys(shop, on=AS_OF + timedelta(days=2))
        assert score_rows(pass_night(today))[sleeper]["segment_changed_on"] == today

    def test_a_revision_of_the_same_date_is_compared_with_the_night_before_it(self, shop):
        before = score_rows(pass_night())
        day = AS_OF + timedelta(days=1)
        make_order(customer=shop[0], day=day)
        first = score_rows(pass_night(day))
        make_order(customer=shop[1], day=day)
        again = pass_night(day)
        assert again.revision == 2
        for customer, row in score_rows(again).items():
            was = before.get(customer, {"segment": 0, "segment_changed_on": None})
            if row["segment"] != was["segment"]:
                assert (row["previous_segment"], row["segment_changed_on"]) == (was["segment"], day)
            else:
                assert row["segment_changed_on"] in {was["segment_changed_on"], day}
        assert first.keys() <= score_rows(again).keys()

    def test_moves_add_up_to_the_customers(self, shop):
        first = pass_night()
        second = pass_night(AS_OF + timedelta(days=1))
        assert sum(second.stats["moves"].values()) == second.stats["all"]["customers"]
        came_from: dict[str, int] = {}
        for move, count in second.stats["moves"].items():
            came_from[move.split(">")[0]] = came_from.get(move.split(">")[0], 0) + count
        for name in range(1, 11):
            expected = first.stats["segments"].get(str(name), {"customers": 0})["customers"]
            assert came_from.get(str(name), 0) == expected

    def test_memberships_follow(self, shop):
        for step in range(3):
            run = pass_night(AS_OF + timedelta(days=step))
            make_order(customer=shop[step], day=AS_OF + timedelta(days=step + 1))
            expected = {
                (row["customer_id"], scores.Name(row["segment"]).slug, row["segment_changed_on"])
                for row in score_rows(run).values()
                if row["segment"]
            }
            rfm = Membership.objects.filter(scheme="rfm")
            assert set(rfm.values_list("customer_id", "segment__slug", "changed_on")) == expected

    def test_who_has_no_order_left_leaves_her_segment(self, shop):
        order = make_order(customer=make_customer(), day=AS_OF)
        pass_night()
        assert Membership.objects.filter(customer=order.customer).exists()
        make_refund(order=order, day=AS_OF)
        pass_night()
        assert not Membership.objects.filter(customer=order.customer).exists()
