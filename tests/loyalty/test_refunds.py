"""Refunds of orders (loyalty.services.refunding): earned points go by line, spent ones come back to their lots."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.services import corrections
from loyalty.models import Lot, Posting
from loyalty.services import fulfilment, order_points, points, refunding, rewards, settling, verifying
from tests.factories import make_customer
from tests.loyalty.rewards import make_reward
from tests.loyalty.shop import (
    DAY,
    NOW,
    credit,
    history,
    line,
    lots,
    make_rule,
    open_programme,
    order,
    refund,
    totals,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def programme():
    make_rule()
    return open_programme()


@pytest.fixture(autouse=True)
def sound_ledger(db):
    yield
    assert [result for result in verifying.verify() if result.wrong] == []


class TestEarned:
    def test_it_works(self, programme):
        customer = make_customer()
        placed = order(customer, line("30.00", sku="A", quantity=4), line("50.00", sku="B"))
        credit(placed)
        assert totals(customer) == (0, 170)
        refund(placed, 1, sku="A")
        credit(placed)
        assert totals(customer) == (0, 140)
        assert history(customer) == [("earn", 0, 170), ("reverse", 0, -30)]

    def test_parts_of_a_line_add_up_to_what_it_earned(self, programme):
        customer = make_customer()
        placed = order(customer, line("3.33", quantity=3))
        credit(placed)
        balances = [totals(customer)[1]]
        for _ in range(3):
            refund(placed, 1)
            credit(placed)
            balances.append(totals(customer)[1])
        assert balances == [9, 6, 3, 0]

    def test_the_same_refund_twice_is_one(self, programme):
        customer = make_customer()
        placed = order(customer, line("120.00"))
        credit(placed)
        for _ in range(2):
            refund(placed, 0, cents=2_000, name="r1")
            credit(placed)
        assert totals(customer) == (0, 100)
        assert Posting.objects.count() == 2

    def test_goods_that_come_back_for_no_money_take_nothing(self, programme):
        customer = make_customer()
        placed = order(customer, line("120.00"))
        credit(placed)
        refund(placed, 1, cents=0)
        assert credit(placed) == 0
        assert totals(customer) == (0, 120)

    def test_a_refund_before_the_order_was_credited(self, programme):
        customer = make_customer()
        placed = order(customer, line("120.00"))
        refund(placed, 0, cents=2_000)
        credit(placed)
        assert history(customer) == [("earn", 0, 100)]

    def test_a_refund_that_is_undone(self, programme):
        customer = make_customer()
        placed = order(customer, line("120.00"))
        credit(placed)
        made = refund(placed, 1)
        credit(placed)
        made.lines.all().delete()
        made.delete()
        placed.lines.update(refunded_quantity=0, refunded_cents=0)
        credit(placed)
        assert totals(customer) == (0, 120)

    def test_pending_points_of_other_orders_go_before_active_ones(self):
        make_rule()
        open_programme(pending_days=14)
        customer = make_customer()
        old, new = order(customer, line("100.00"), at=NOW - 30 * DAY), order(customer, line("60.00"))
        credit(old, at=NOW - 30 * DAY)
        settling.settle_all(at=NOW)
        points.redeem(customer_id=customer.pk, points=80, key="redeem:1", at=NOW)
        credit(new)
        refund(old, 1)
        credit(old)
        assert totals(customer) == (0, 0)
        assert history(customer)[-1] == ("reverse", -20, -60)

    def test_own_lot_goes_before_older_ones(self):
        make_rule()
        open_programme(pending_days=0)
        customer = make_customer()
        old, new = order(customer, line("100.00"), at=NOW - DAY), order(customer, line("60.00"))
        credit(old, new)
        refund(new, 1)
        credit(new)
        assert [lot.points_left for lot in lots(customer)] == [100, 0]

    def test_cancelled_after_a_refund(self, programme):
        customer = make_customer()
        placed = order(customer, line("120.00"))
        credit(placed)
        refund(placed, 0, cents=2_000)
        credit(placed)
        corrections.cancel(order_id=placed.pk)
        credit(placed)
        assert history(customer) == [("earn", 0, 120), ("reverse", 0, -20), ("reverse", 0, -100)]

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(prices=st.lists(st.integers(1, 5_000), min_size=1, max_size=3), data=st.data())
    def test_what_comes_back_bit_by_bit_leaves_nothing(self, programme, prices, data):
        customer = make_customer()
        skus = [f"P{number}" for number in range(len(prices))]
        placed = order(
            customer, *[line(f"{cents / 100:.2f}", sku=sku) for cents, sku in zip(prices, skus, strict=True)]
        )
        credit(placed)
        for cents, sku in zip(prices, skus, strict=True):
            part = data.draw(st.integers(0, cents))
            refund(placed, 0, sku=sku, cents=part)
            credit(placed)
            refund(placed, 1, sku=sku, cents=cents - part)
            credit(placed)
        assert totals(customer) == (0, 0)


class TestSpent:
    """120 points are spent on an order of 60.00."""

    def spent(self, **settings):
        make_rule()
        open_programme(pending_days=0, grace_days=30, **settings)
        customer = make_customer()
        credit(order(customer, line("200.00")))
        bought = order(customer, line("30.00", quantity=2), number="paid-with-points")
        return customer, bought, points.redeem(customer_id=customer.pk, points=120, key="redeem:1", at=NOW)

    def give_back(self, bought, spent, at=NOW):
        return refunding.give_back_for_order(order_id=bought.pk, posting_ids=[spent.pk], at=at)

    def test_a_part_comes_back_to_its_own_lot(self):
        customer, bought, spent = self.spent()
        refund(bought, 1)
        self.give_back(bought, spent)
        assert totals(customer) == (140, 0)
        assert Lot.objects.get().points_left == 140

    def test_parts_add_up_and_the_same_again_changes_nothing(self):
        customer, bought, spent = self.spent()
        refund(bought, 1, cents=999)
        given = [self.give_back(bought, spent), self.give_back(bought, spent)]
        assert [[posting.points for posting in each] for each in given] == [[19], []]
        refund(bought, 1, cents=5_001)
        self.give_back(bought, spent)
        assert totals(customer) == (200, 0)

    def test_everything_comes_back_of_a_cancelled_order(self):
        customer, bought, spent = self.spent()
        corrections.cancel(order_id=bought.pk)
        self.give_back(bought, spent)
        assert totals(customer) == (200, 0)

    def test_nothing_comes_back_of_an_order_that_stands(self):
        _, bought, spent = self.spent()
        assert self.give_back(bought, spent) == []

    def test_points_that_expired_meanwhile_live_for_the_grace(self):
        customer, bought, spent = self.spent(expiry="months", expiry_months=1, expiry_period="day")
        later = datetime(2026, 6, 1, tzinfo=UTC)
        settling.settle_all(at=later)
        refund(bought, 1, at=later)
        self.give_back(bought, spent, at=later)
        assert totals(customer) == (60, 0)
        assert lots(customer)[-1].expires_at == later + 30 * DAY
        settling.settle_all(at=later + 30 * DAY)
        assert totals(customer) == (0, 0)


def follow(bought):
    return order_points.follow(order_ids=[bought.pk], at=NOW)


class TestSpentOnAnOrder:
    """100 of 500 points take 1.00 off an order of 60.00 that comes in later, or takes none off: a mug."""

    def member(self):
        open_programme(pending_days=0, worth_cents=100)
        customer = make_customer()
        points.earn(customer_id=customer.pk, points=500, key="earn:test", at=NOW - 30 * DAY)
        return customer

    def redeem(self, customer, *, order="1001", **wish):
        asked = rewards.Wish(customer_id=customer.pk, reference=order, **wish)
        return rewards.redeem(wish=asked, key="k", at=NOW, place="api").redemption

    def test_points_come_back_in_proportion_and_once(self):
        customer = self.member()
        one = self.redeem(customer, points=100)
        bought = order(customer, line("30.00", quantity=2), number="1001")
        steps = []
        for back in (None, 3_000, None, 3_000, None):
            if back:
                refund(bought, 1, cents=back)
            steps.append((follow(bought), totals(customer)[0]))
        assert steps == [(0, 400), (1, 450), (0, 450), (1, 500), (0, 500)]
        one.refresh_from_db()
        assert (one.order_id, one.state) == (bought.pk, "handed_over")

    def test_what_came_back_is_not_cancelled_again(self):
        customer = self.member()
        bought = order(customer, line("30.00", quantity=2), number="1001")
        one = self.redeem(customer, order=str(bought.pk), points=100)
        refund(bought, 1)
        follow(bought)
        assert [rewards.cancel(redemption_id=one.pk, at=NOW, reason="x").balance for _twice in range(2)] == [500, 500]
        corrections.cancel(order_id=bought.pk)
        assert (follow(bought), totals(customer)[0]) == (0, 500)

    @pytest.mark.parametrize(("is_handed_over", "left"), [(False, 500), (True, 400)])
    def test_a_mug_comes_back_while_it_waits(self, is_handed_over, left):
        customer, mug = self.member(), make_reward(stock=3)
        one = self.redeem(customer, reward_id=mug.pk)
        bought = order(customer, line("30.00", quantity=2), number="1001")
        if is_handed_over:
            fulfilment.show(code=one.code, at=NOW, by=None)
        refund(bought, 1)
        assert (follow(bought), totals(customer)[0]) == (0, 400)
        corrections.cancel(order_id=bought.pk)
        follow(bought)
        mug.refresh_from_db()
        assert (totals(customer)[0], mug.stock) == (left, 3 if left == 500 else 2)

    def test_another_customers_order_of_the_name_is_not_hers(self):
        customer = self.member()
        self.redeem(customer, points=100)
        bought = order(make_customer(), line("30.00"), number="1001")
        corrections.cancel(order_id=bought.pk)
        assert (follow(bought), totals(customer)[0]) == (0, 400)
