"""Points for orders (loyalty.services.crediting): each rule, and what happens when an order changes afterwards."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from customers.models import Category, Order, Product
from customers.services import corrections
from loyalty.models import Account, Credit, LineCredit, Move, Posting, Programme, Standing, Tier
from loyalty.services import points, settling, verifying
from tests.factories import make_customer
from tests.loyalty.shop import (
    DAY,
    NOW,
    OPENED,
    Policy,
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
from tests.loyalty.tiers import make_tier

pytestmark = pytest.mark.django_db


@pytest.fixture
def programme():
    make_rule()
    return open_programme()


@pytest.fixture(autouse=True)
def sound_ledger(db):
    yield
    assert [result for result in verifying.verify() if result.wrong] == []


def test_it_works(programme):
    customer = make_customer()
    placed = order(customer, line("120.00"))
    assert credit(placed) == 1
    assert totals(customer) == (0, 120)
    posting = Posting.objects.get()
    assert (posting.key, posting.order_id, posting.at) == (f"earn:order:{placed.pk}", placed.pk, NOW)
    settling.settle_all(at=NOW + 15 * DAY)
    assert totals(customer) == (120, 0)


def test_running_again_changes_nothing(programme):
    placed = order(make_customer(), line("120.00"))
    assert [credit(placed), credit(placed), credit(placed, placed)] == [1, 0, 0]
    assert Posting.objects.count() == 1


def test_an_import_of_yesterday_counts_for_yesterday(programme):
    placed = order(make_customer(), line("120.00"), at=NOW - DAY)
    credit(placed)
    assert Posting.objects.get().at == NOW - DAY


def test_points_are_active_at_once_without_a_return_window():
    make_rule()
    open_programme(pending_days=0, expiry="months", expiry_months=1, expiry_period="day")
    customer = make_customer()
    credit(order(customer, line("120.00")))
    assert totals(customer) == (120, 0)
    assert lots(customer)[0].expires_at == datetime(2026, 4, 11, tzinfo=UTC)
    assert Account.objects.get().due_at == datetime(2026, 4, 11, tzinfo=UTC)


def test_points_expire_after_they_become_active():
    make_rule()
    open_programme(pending_days=14, expiry="months", expiry_months=12, expiry_period="month")
    customer = make_customer()
    credit(order(customer, line("120.00")))
    (lot,) = lots(customer)
    assert (lot.active_at, lot.expires_at) == (datetime(2026, 3, 25, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC))


def test_each_line_keeps_what_it_earned(programme):
    placed = order(make_customer(), line("1.50", sku="A"), line("1.99", sku="B"))
    credit(placed)
    assert list(LineCredit.objects.order_by("position").values_list("position", "points")) == [(1, 1), (2, 2)]


class TestWhoIsNotCredited:
    def test_guests(self, programme):
        assert credit(order(None, line("120.00"))) == 0
        assert not Account.objects.exists()

    def test_orders_from_before_the_programme(self, programme):
        assert credit(order(make_customer(), line("120.00"), at=OPENED - timedelta(seconds=1))) == 0

    def test_orders_before_a_stated_day(self):
        make_rule(starts_at=OPENED - 100 * DAY)
        open_programme(credit_from=date(2025, 12, 1))
        early, late = (datetime(2025, month, 30, tzinfo=UTC) for month in (11, 12))
        assert (
            credit(order(make_customer(), line("1.00"), at=early), order(make_customer(), line("1.00"), at=late)) == 1
        )

    def test_orders_that_are_not_paid(self, programme):
        assert credit(order(make_customer(), line("120.00"), status="pending")) == 0
        assert credit(order(make_customer(), line("120.00"), status="cancelled")) == 0

    def test_orders_outside_the_rule_s_time(self):
        make_rule(starts_at=NOW + DAY)
        make_rule(ends_at=NOW)
        open_programme()
        customer = make_customer()
        placed = order(customer, line("120.00"))
        assert credit(placed) == 1
        assert totals(customer) == (0, 0)
        assert not Posting.objects.exists()


class TestChanges:
    def test_a_pending_order_that_is_paid(self, programme):
        customer = make_customer()
        placed = order(customer, line("120.00"), number="1", status="pending")
        credit(placed)
        order(customer, line("120.00"), number="1")
        assert credit(placed) == 1
        assert totals(customer) == (0, 120)

    def test_a_cancelled_order(self, programme):
        customer = make_customer()
        placed = order(customer, line("120.00"))
        credit(placed)
        corrections.cancel(order_id=placed.pk)
        assert [credit(placed), credit(placed)] == [1, 0]
        assert history(customer) == [("earn", 0, 120), ("reverse", 0, -120)]
        assert totals(customer) == (0, 0)

    def test_a_cancelled_order_that_is_paid_after_all(self, programme):
        customer = make_customer()
        placed = order(customer, line("120.00"), number="1")
        credit(placed)
        order(customer, line("120.00"), number="1", status="cancelled")
        credit(placed)
        order(customer, line("120.00"), number="1")
        credit(placed)
        assert totals(customer) == (0, 120)
        assert [posting.key for posting in Posting.objects.filter(kind="earn").order_by("id")] == [
            f"earn:order:{placed.pk}",
            f"earn:order:{placed.pk}:3",
        ]

    def test_an_amount_that_rises_and_falls(self, programme):
        customer = make_customer()
        placed = order(customer, line("120.00"), number="1")
        credit(placed)
        for price, then in (("150.00", 150), ("80.00", 80), ("80.50", 80), ("81.00", 81)):
            order(customer, line(price), number="1")
            credit(placed)
            assert totals(customer) == (0, then)
        assert history(customer) == [
            ("earn", 0, 120),
            ("earn", 0, 30),
            ("reverse", 0, -30),
            ("reverse", 0, -40),
            ("earn", 0, 1),
        ]

    def test_another_customer(self, programme):
        one, two = make_customer(), make_customer()
        placed = order(one, line("120.00"), number="1")
        credit(placed)
        order(two, line("120.00"), number="1")
        credit(placed)
        assert (totals(one), totals(two)) == ((0, 0), (0, 120))
        order(one, line("120.00"), number="1")
        credit(placed)
        assert (totals(one), totals(two)) == ((0, 120), (0, 0))

    def test_an_order_that_is_gone(self, programme):
        customer = make_customer()
        placed = order(customer, line("120.00"))
        credit(placed)
        pk = placed.pk
        placed.lines.all().delete()
        placed.delete()
        placed.pk = pk
        credit(placed)
        assert totals(customer) == (0, 0)

    def test_a_line_more_and_a_line_less(self, programme):
        customer = make_customer()
        placed = order(customer, line("20.00", sku="A"), number="1")
        credit(placed)
        order(customer, line("20.00", sku="A"), line("5.00", sku="B"), number="1")
        credit(placed)
        assert totals(customer) == (0, 25)
        order(customer, line("20.00", sku="A"), number="1")
        credit(placed)
        assert totals(customer) == (0, 20)
        assert LineCredit.objects.count() == 1

    def test_rules_that_are_made_later_change_nothing(self, programme):
        customer = make_customer()
        placed = order(customer, line("120.00"), number="1")
        credit(placed)
        make_rule(points=5)
        refund(placed, 1, cents=2_000)
        credit(placed)
        assert totals(customer) == (0, 100)

    def test_a_tier_that_comes_later_changes_nothing(self, programme):
        customer = make_customer()
        placed = order(customer, line("100.00"), number="1")
        credit(placed)
        raise_to(customer, Decimal("1.50"))
        order(customer, line("200.00"), number="1")
        credit(placed)
        assert totals(customer) == (0, 200)


class TestPolicies:
    """120 points are earned and 100 of them spent; then the order is cancelled."""

    def cancelled(self, policy):
        make_rule()
        open_programme(pending_days=0, refund_policy=policy)
        customer = make_customer()
        placed = order(customer, line("120.00"), number="1")
        credit(placed)
        points.redeem(customer_id=customer.pk, points=100, key="redeem:1", at=NOW)
        order(customer, line("120.00"), number="1", status="cancelled")
        credit(placed)
        return customer, placed

    @pytest.mark.parametrize(
        ("policy", "balance"), [(Policy.ONLY_PENDING, 0), (Policy.WITHIN_BALANCE, 0), (Policy.ALLOW_NEGATIVE, -100)]
    )
    def test_spent_points(self, policy, balance):
        customer, _ = self.cancelled(policy)
        assert totals(customer) == (balance, 0)

    def test_other_orders_points_stay_with_only_pending(self):
        make_rule()
        open_programme(pending_days=0, refund_policy=Policy.ONLY_PENDING)
        customer = make_customer()
        placed = order(customer, line("120.00"), number="1")
        credit(placed)
        points.redeem(customer_id=customer.pk, points=100, key="redeem:1", at=NOW)
        credit(order(customer, line("50.00")))
        order(customer, line("120.00"), number="1", status="cancelled")
        credit(placed)
        assert totals(customer) == (50, 0)

    def test_what_was_forgiven_is_not_given_twice(self):
        customer, placed = self.cancelled(Policy.WITHIN_BALANCE)
        assert Credit.objects.get().forgiven == 100
        order(customer, line("120.00"), number="1")
        credit(placed)
        assert totals(customer) == (20, 0)
        assert Credit.objects.get().forgiven == 0

    def test_a_debt_is_paid_by_what_is_earned_next(self):
        customer, _ = self.cancelled(Policy.ALLOW_NEGATIVE)
        later = NOW + DAY
        credit(order(customer, line("30.00"), at=later), order(customer, line("90.00"), at=later), at=later)
        assert totals(customer) == (20, 0)
        assert sum(lot.points_left for lot in lots(customer)) == 20


class TestRules:
    def earned(self, *rules, lines, **settings):
        for rule in rules:
            make_rule(**rule)
        open_programme(**settings)
        customer = make_customer()
        credit(order(customer, *lines))
        return totals(customer)[1]

    def test_before_the_discount(self):
        assert self.earned({}, lines=[line("100.00", discount_cents=2_000)], earn_base="before") == 100

    def test_after_the_discount(self):
        assert self.earned({}, lines=[line("100.00", discount_cents=2_000)]) == 80

    def test_a_product_alone(self):
        beans = Product.objects.create(sku="BEANS")
        lines = [line("10.00"), line("10.00", sku="CUP")]
        assert self.earned({}, {"product": beans, "points": 3}, lines=lines) == 40

    def test_a_category_on_top(self):
        coffee = Category.objects.create(name="Coffee")
        lines = [line("10.00", category="Coffee"), line("10.00", sku="CUP")]
        assert self.earned({}, {"category": coffee, "points": 2, "is_extra": True}, lines=lines) == 40

    def test_a_category_that_earns_nothing(self):
        cards = Category.objects.create(name="Gift cards")
        lines = [line("50.00", sku="CARD", category="Gift cards"), line("10.00")]
        assert self.earned({}, {"category": cards, "points": 0}, lines=lines) == 10

    def test_fixed_points_for_an_order_and_for_pieces(self):
        rules = [{"kind": "order", "points": 50, "minimum_cents": 1_000}, {"kind": "piece", "points": 5}]
        assert self.earned(*rules, lines=[line("10.00", quantity="2.5")]) == 62

    def test_shipping_earns_nothing(self):
        Product.objects.create(sku="SHIP", kind="shipping")
        assert self.earned({}, lines=[line("10.00"), line("4.90", sku="SHIP")]) == 10

    def test_a_tier_multiplies_what_is_multiplied(self):
        make_rule()
        make_rule(kind="order", points=10, is_multiplied=False)
        open_programme()
        customer = make_customer()
        raise_to(customer, Decimal("1.50"))
        credit(order(customer, line("100.00")))
        assert totals(customer) == (0, 160)
        assert Credit.objects.get().multiplier == 150

    def test_the_multiplier_of_an_order_stays_after_a_refund(self):
        make_rule()
        open_programme()
        customer = make_customer()
        raise_to(customer, Decimal("1.50"))
        placed = order(customer, line("100.00"), number="one")
        credit(placed)
        Standing.objects.all().delete()
        refund(placed, 0, cents=2_000)
        credit(placed)
        credit(order(customer, line("200.00"), number="one"))
        assert Credit.objects.get().multiplier == 150
        assert totals(customer) == (0, 270)

    def test_a_tier_that_ended_yesterday_does_not(self):
        make_rule()
        open_programme()
        customer = make_customer()
        raise_to(customer, Decimal("1.50"), until=NOW.date() - DAY)
        credit(order(customer, line("100.00")))
        assert totals(customer) == (0, 100)

    def test_late_orders_take_the_tier_of_their_own_day(self):
        """Gold for a week, Silver before it, and nothing at all since yesterday."""
        make_rule()
        open_programme()
        customer, silver, gold = (
            make_customer(),
            make_tier(multiplier="1.25"),
            make_tier(rank=2, threshold=300, multiplier="1.5"),
        )
        Standing.objects.create(customer=customer, tier=None, since=NOW - DAY, value=0)
        course = ((silver, 20), (gold, 8), (None, 1))
        for before, (tier, days) in zip((None, silver, gold), course, strict=True):
            Move.objects.create(
                customer=customer, before=before, after=tier, at=NOW - days * DAY, reason="rule", value=0
            )
        late = {days: order(customer, line("100.00"), at=NOW - days * DAY) for days in (30, 9, 8, 2, 0)}
        credit(*late.values())
        told = dict(Credit.objects.values_list("order_id", "points"))
        assert {days: told[one.pk] for days, one in late.items()} == {30: 100, 9: 125, 8: 150, 2: 150, 0: 100}
        assert sum(totals(customer)) == 625


def raise_to(customer, multiplier, until=None):
    tier = Tier.objects.create(name="Gold", rank=1, threshold=100, multiplier=multiplier)
    Standing.objects.create(customer=customer, tier=tier, since=OPENED, value=100, ends_on=until, until=until)
    Move.objects.create(customer=customer, after=tier, at=OPENED, reason=Move.Reason.REACHED, value=100)


def test_inactivity_moves_the_end_of_all_points():
    make_rule()
    open_programme(pending_days=0, expiry=Programme.Expiry.INACTIVITY, expiry_months=1)
    customer = make_customer()
    credit(order(customer, line("10.00")))
    credit(order(customer, line("20.00"), at=NOW + 20 * DAY), at=NOW + 20 * DAY)
    assert {lot.expires_at for lot in lots(customer)} == {datetime(2026, 5, 1, tzinfo=UTC)}
    settling.settle_all(at=datetime(2026, 4, 30, 23, tzinfo=UTC))
    assert totals(customer) == (30, 0)
    settling.settle_all(at=datetime(2026, 5, 1, tzinfo=UTC))
    assert totals(customer) == (0, 0)


def test_an_enormous_order_stops_nobody_else(programme):
    make_rule(points=10**9, per_cents=1)
    rich, other = make_customer(), make_customer()
    assert credit(order(rich, line("10000000.00")), order(other, line("1.00"))) == 2
    assert totals(rich)[1] == 10**10 + 10**7
    assert Order.objects.count() == 2
