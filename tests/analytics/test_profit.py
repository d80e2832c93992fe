"""Profit per customer: stories with totals, and what changes whose figures."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db import IntegrityError, transaction

from analytics.models import ChannelMonth, Profit
from analytics.services import baskets, profit
from analytics.services.profit import UnitCosts
from core import feed
from customers.models import Cost
from customers.services import costs, spend
from customers.services.costs import Spent
from customers.services.spend import Spend
from tests import nights
from tests.factories import make_customer, make_order, make_refund, make_unmatched_return, numbers

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)  # the feed gives only what is committed
AS_OF = date(2026, 3, 31)
JANUARY = date(2026, 1, 1)
FIELDS = [
    *("acquired_on", "channel", "acquisition_cents", "margin_cents", "cost_cents", "other_cents", "profitable_on"),
]


def day(number, month=1):
    return date(2026, month, number)


def refresh(as_of=AS_OF, **units):
    feed.wait_until_readable()
    baskets.refresh(as_of=as_of)
    return profit.refresh(as_of=as_of, units=UnitCosts(**{name: Decimal(cents) for name, cents in units.items()}))


def pay(cents, *, channel="ads", month=JANUARY):
    spend.write(cells={(channel, month): Spend(amount_cents=cents)})


def tell(customer, cents, *, on=AS_OF, kind="email", quantity=1, **fields):
    told = {"source": "test", "external_id": str(next(numbers)), "unit_cents": Decimal(str(cents))} | fields
    costs.record(costs=[Spent(customer_id=customer.pk, spent_on=on, kind=kind, quantity=Decimal(quantity), **told)])


FIFTH = day(5)


def win(*, on=FIFTH, margin_cents=1_000, channel="ads"):
    """A new customer with one order."""
    customer = make_customer()
    make_order(customer=customer, day=on, margin_cents=margin_cents, channel=channel)
    return customer


def of(customer):
    return Profit.objects.get(pk=customer.pk)


def rows():
    return {row.pop("customer_id"): row for row in Profit.objects.values("customer_id", *FIELDS)}


def cells():
    return {(cell.channel, cell.month): (cell.customers, cell.amount_cents) for cell in ChannelMonth.objects.all()}


def test_it_works():
    customer = win(margin_cents=5_000)
    make_order(customer=customer, day=day(7, 2), margin_cents=2_000)
    pay(3_000)
    tell(customer, "150.5", on=day(9, 2), quantity=2)
    assert refresh(order_cents=100) == 1
    found = of(customer)
    assert (found.acquired_on, found.channel, found.acquisition_cents) == (day(5), "ads", 3_000)
    assert (found.margin_cents, found.cost_cents, found.other_cents) == (7_000, 501, 301)
    assert (found.profit_cents, found.profitable_on) == (3_499, day(5))


class TestAcquisition:
    def test_a_hundred_among_three_adds_up(self):
        people = [win(on=day(number)) for number in (3, 9, 30)]
        pay(100)
        refresh()
        assert [of(customer).acquisition_cents for customer in people] == [34, 33, 33]
        assert cells() == {("ads", JANUARY): (3, 100)}

    def test_it_is_the_month_and_the_channel_of_the_first_order(self):
        early, late, other = win(on=day(31)), win(on=day(1, 2)), win(channel="fair")
        make_order(customer=early, day=day(10, 2), channel="fair")
        pay(500)
        pay(70, month=day(1, 2))
        refresh()
        assert [of(customer).acquisition_cents for customer in (early, late, other)] == [500, 70, 0]

    def test_an_order_without_a_channel_has_the_spend_of_no_channel(self):
        customer = win(channel="")
        pay(250, channel="")
        refresh()
        assert of(customer).acquisition_cents == 250

    def test_spend_without_a_customer_stays_to_be_seen(self):
        pay(400, channel="radio")
        refresh()
        assert cells() == {("radio", JANUARY): (0, 400)}

    def test_spend_of_months_to_come_waits(self):
        pay(400, month=date(2026, 4, 1))
        refresh()
        assert cells() == {}

    def test_whoever_sent_all_back_was_not_won(self):
        gone, kept = win(), win()
        make_refund(order=gone.orders.get(), day=day(20))
        pay(100)
        refresh(day(19))
        assert [of(customer).acquisition_cents for customer in (gone, kept)] == [50, 50]
        refresh()
        assert [of(customer).acquisition_cents for customer in (gone, kept)] == [0, 100]
        assert (of(gone).acquired_on, of(gone).profitable_on) == (None, None)


class TestTheDay:
    """She is profitable since the day from which on margin has covered costs and acquisition."""

    def test_it_is_the_day_on_which_margin_reaches_what_she_cost(self):
        customer = win(margin_cents=600)
        make_order(customer=customer, day=day(20), margin_cents=400)
        make_order(customer=customer, day=day(25), margin_cents=400)
        pay(1_000)
        refresh()
        assert of(customer).profitable_on == day(20)

    def test_a_cent_too_little_is_not_enough(self):
        customer = win(margin_cents=999)
        pay(1_000)
        refresh()
        assert (of(customer).profitable_on, of(customer).profit_cents) == (None, -1)

    def test_a_refund_moves_the_day(self):
        customer = win(margin_cents=600)
        second = make_order(customer=customer, day=day(10), value_cents=1_000, margin_cents=400)
        make_order(customer=customer, day=day(25), margin_cents=500)
        pay(1_000)
        refresh()
        assert of(customer).profitable_on == day(10)
        make_refund(order=second, day=day(15))
        profit.rebuild(table=profit.TABLE, cells=profit.CELLS, of_baskets=baskets.TABLE, as_of=AS_OF, units=UnitCosts())
        assert of(customer).profitable_on == day(25)

    def test_she_who_fell_below_is_not_profitable_any_more(self):
        customer = win(margin_cents=1_000)
        pay(900)
        tell(customer, 200, on=day(30))
        refresh()
        assert (of(customer).profitable_on, of(customer).profit_cents) == (None, -100)

    def test_a_cost_before_the_first_order_counts(self):
        customer = win(margin_cents=100)
        tell(customer, 150, on=date(2025, 12, 1))
        make_order(customer=customer, day=day(8), margin_cents=50)
        refresh()
        assert of(customer).profitable_on == day(8)

    def test_nobody_is_profitable_before_she_is_won(self):
        customer = win(margin_cents=100)
        tell(customer, 0, on=date(2025, 12, 1))
        refresh()
        assert of(customer).profitable_on == day(5)

    def test_orders_and_returns_of_a_day_are_taken_together(self):
        customer = win(margin_cents=100)
        make_unmatched_return(customer=customer, day=day(5), value_cents=500)  # takes 200 of margin
        make_order(customer=customer, day=day(5), margin_cents=150)
        refresh()
        assert of(customer).profitable_on == day(5)


class TestCosts:
    def test_orders_and_returns_are_counted_at_today_s_unit_costs(self):
        customer = win()
        make_refund(order=make_order(customer=customer, day=day(9)), day=day(11), value_cents=100)
        make_unmatched_return(customer=customer, day=day(12))
        refresh(order_cents="12.25", return_cents="3.5")
        assert (of(customer).cost_cents, of(customer).other_cents) == (32, 7)  # 24.5 and 7 together

    def test_messages_below_a_cent_add_up(self):
        customer = win()
        for _ in range(3):
            tell(customer, "0.4", quantity=10)
        refresh()
        assert of(customer).cost_cents == 12

    def test_a_quantity_below_zero_takes_a_cost_back(self):
        customer = win()
        tell(customer, 30)
        tell(customer, 30, quantity=-1)
        refresh()
        assert of(customer).cost_cents == 0

    def test_somebody_who_never_bought_costs_all_the_same(self):
        customer = make_customer()
        tell(customer, 70)
        refresh()
        assert (of(customer).cost_cents, of(customer).acquired_on, of(customer).profitable_on) == (70, None, None)

    def test_guests_and_orders_that_are_not_paid_do_not_count(self):
        make_order(customer=None)
        customer = make_customer()
        make_order(customer=customer, status="cancelled")
        refresh()
        assert rows() == {}

    def test_costs_of_days_to_come_wait(self):
        customer = win()
        tell(customer, 70, on=AS_OF + timedelta(days=1))
        refresh()
        assert of(customer).cost_cents == 0


@committed
class TestWhatChanged:
    """The cost follows what changed; untouched rows are not written again."""

    @pytest.fixture
    def people(self):
        crowd = [win(channel="crowd") for _ in range(20)]  # so that few are few
        people = [win(on=day(number)) for number in (3, 9, 30)]
        pay(100)
        refresh()
        return people + crowd

    def versions(self):
        """Which transaction wrote each row last."""
        with transaction.get_connection().cursor() as cursor:
            cursor.execute(f"SELECT customer_id, xmin::text FROM {profit.TABLE}")
            return dict(cursor.fetchall())

    def touched(self, before):
        return {pk for pk, version in self.versions().items() if before.get(pk) != version}

    def test_nothing_again_writes_nothing(self, people):
        before = self.versions()
        assert refresh() == 0
        assert self.touched(before) == set()

    def test_a_cost_touches_its_customer(self, people):
        before = self.versions()
        tell(people[0], 10)
        refresh()
        assert self.touched(before) == {people[0].pk}

    def test_an_edit_of_spend_touches_those_whose_part_is_another(self, people):
        before = self.versions()
        pay(102)
        refresh()
        assert [of(customer).acquisition_cents for customer in people[:3]] == [34, 34, 34]
        assert self.touched(before) == {customer.pk for customer in people[1:3]}

    def test_one_more_customer_makes_the_others_cheaper(self, people):
        before = self.versions()
        new = win(on=day(30))
        refresh()
        assert [of(customer).acquisition_cents for customer in [*people[:3], new]] == [25, 25, 25, 25]
        assert self.touched(before) == {customer.pk for customer in [*people[:3], new]}
        assert cells()["ads", JANUARY] == (4, 100)

    def test_one_who_is_gone_makes_them_dearer(self, people):
        make_refund(order=people[1].orders.get(), day=day(30))
        refresh()
        assert [of(customer).acquisition_cents for customer in people[:3]] == [50, 0, 50]
        assert cells()["ads", JANUARY] == (2, 100)

    def test_spend_that_is_taken_away_is_nobody_s(self, people):
        spend.write(cells={("ads", JANUARY): None})
        refresh()
        assert {of(customer).acquisition_cents for customer in people} == {0}
        assert cells() == {("ads", JANUARY): (3, 0), ("crowd", JANUARY): (20, 0)}

    def test_other_unit_costs_count_everybody_anew(self, people):
        assert refresh(order_cents=50) == 23
        assert {of(customer).cost_cents for customer in people} == {50}
        assert refresh(order_cents=50) == 0

    def test_a_cost_whose_day_comes_is_counted(self, people):
        tell(people[0], 10, on=AS_OF + timedelta(days=1))
        refresh()
        assert of(people[0]).cost_cents == 0
        refresh(AS_OF + timedelta(days=1))
        assert of(people[0]).cost_cents == 10

    def test_who_lost_every_fact_has_no_figures(self, people):
        customer = make_customer()
        tell(customer, 5)
        refresh()
        assert Profit.objects.filter(pk=customer.pk).exists()
        feed.record(feed.Change.Kind.CUSTOMER_COSTS, [customer.pk])
        customer.delete()
        refresh()
        assert not Profit.objects.filter(pk=customer.pk).exists()


@committed
@pytest.mark.parametrize("seed", range(4))
def test_what_changed_step_by_step_is_what_counting_everybody_says(seed):
    """Random facts, spend and costs over several nights, against one count from the start and the plain way."""
    chance = Random(seed)
    people = nights.make_random_shop(seed, customers=12)
    units = {"order_cents": "12.5", "return_cents": "3"}
    for back in (40, 12, 0):
        pay(chance.randint(0, 999), channel=chance.choice(["", "ads"]), month=chance.choice([JANUARY, day(1, 2)]))
        for customer in chance.sample(people, 3):
            tell(customer, chance.randint(0, 400), on=AS_OF - timedelta(days=chance.randint(-3, 60)))
        nights.make_random_order(chance, chance.choice(people), day(chance.randint(1, 28), chance.randint(1, 3)))
        refresh(AS_OF - timedelta(days=back), **units)
    step_by_step = rows(), cells()
    profit.rebuild(
        table=profit.TABLE,
        cells=profit.CELLS,
        of_baskets=baskets.TABLE,
        as_of=AS_OF,
        units=UnitCosts(Decimal("12.5"), Decimal(3)),
    )
    assert (rows(), cells()) == step_by_step
    assert rows() == {customer.pk: plain for customer in people if (plain := plain_row(customer, people))}


def plain_row(customer, people):
    """The definition, day by day and without a query that adds up."""
    moves = [(o.placed_on, o.margin_cents, Decimal("12.5"), 0) for o in paid(customer)]
    moves += [(r.refunded_on, -r.margin_cents, 3, 3) for o in paid(customer) for r in o.refunds.all()]
    moves += [(u.returned_on, -u.margin_cents, 3, 3) for u in customer.unmatched_returns.all()]
    moves += [(c.spent_on, 0, c.quantity * c.unit_cents, c.quantity * c.unit_cents) for c in customer.costs.all()]
    moves = sorted(move for move in moves if move[0] <= AS_OF)
    if not moves:
        return None
    won, part = first_order(customer), plain_part(customer, people)
    since = None
    for on in sorted({move[0] for move in moves}):
        so_far = [move for move in moves if move[0] <= on]
        gained = sum(move[1] for move in so_far) - round_up(sum(move[2] for move in so_far))
        since = None if gained < part else since or on
    return {
        "acquired_on": won.placed_on if won else None,
        "channel": won.channel if won else "",
        "acquisition_cents": part,
        "margin_cents": sum(move[1] for move in moves),
        "cost_cents": round_up(sum(move[2] for move in moves)),
        "other_cents": round_up(sum(move[3] for move in moves)),
        "profitable_on": max(since, won.placed_on) if won and since else None,
    }


def round_up(number):
    return int((Decimal(number) + Decimal("0.5")) // 1)


def paid(customer):
    return customer.orders.filter(status="paid", placed_on__lte=AS_OF)


def first_order(customer):
    standing = [o for o in paid(customer) if o.fully_refunded_on is None or o.fully_refunded_on > AS_OF]
    return min(standing, key=lambda o: (o.placed_on, o.placed_at, o.pk), default=None)


def plain_part(customer, people):
    won = first_order(customer)
    if won is None:
        return 0
    cell = (won.channel, won.placed_on.replace(day=1))
    firsts = ((other.pk, first_order(other)) for other in people)
    members = sorted(pk for pk, o in firsts if o and (o.channel, o.placed_on.replace(day=1)) == cell)
    spent = {(row.channel, row.month): row.amount_cents for row in spend.AcquisitionCost.objects.all()}.get(cell, 0)
    return spent // len(members) + (members.index(customer.pk) < spent % len(members))


@committed
def test_a_past_date_has_its_own_figures_beside_the_kept_ones():
    customer = win()
    tell(customer, 10, on=AS_OF)
    refresh()
    kept = rows()
    baskets.build_past(run_id=7, as_of=day(30))
    for _ in range(2):  # a second try after a crash finds the table of the first
        assert profit.build_past(run_id=7, as_of=day(30), units=UnitCosts()) == 1
    with transaction.get_connection().cursor() as cursor:
        cursor.execute(f"SELECT cost_cents FROM {profit.past_table(7)}")
        assert cursor.fetchall() == [(0,)]
        cursor.execute(f"DROP TABLE {profit.past_table(7)}, {baskets.past_table(7)}")
    assert rows() == kept


def test_costs_stand():
    tell(win(), 10)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Cost.objects.update(quantity=5)
    Cost.objects.update(customer=make_customer())
