"""What a night says of costs: its scores, its settings, and nights for past dates."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from analytics.clv import profit
from core.models import Run
from customers.services import costs, spend
from customers.services.costs import Spent
from customers.services.spend import Spend
from tests import nights
from tests.factories import make_customer, make_order, make_refund
from tests.nights import AS_OF, pass_night, score_rows

pytestmark = pytest.mark.django_db(transaction=True)
JANUARY = date(2026, 1, 1)
COLUMNS = ("acquisition_cents", "cost_cents", "expected_cost_cents", "textbook_cents", "profitable_on")


@pytest.fixture
def customer():
    """Won in January two years ago by an advertisement, and silent for a year and more."""
    customer = make_customer()
    make_order(customer=customer, day=date(2024, 1, 9), value_cents=10_000, margin_cents=4_000, channel="ads")
    make_order(customer=customer, day=date(2024, 11, 9), value_cents=20_000, margin_cents=8_000)
    spend.write(cells={("ads", date(2024, 1, 1)): Spend(amount_cents=5_000)})
    spend.set_unit_costs(unit_cents={"order": Decimal(150)})
    told = {"source": "t", "external_id": "1", "kind": "email", "unit_cents": Decimal(300)}
    costs.record(costs=[Spent(customer_id=customer.pk, spent_on=date(2024, 5, 5), **told)])
    return customer


def columns(run, customer):
    row = score_rows(run)[customer.pk]
    return {name: row[name] for name in COLUMNS}


def test_it_works(customer):
    run = pass_night()
    row = score_rows(run)[customer.pk]
    assert columns(run, customer) | {"expected_cost_cents": 0} == {
        "acquisition_cents": 5_000,
        "cost_cents": 600,
        "expected_cost_cents": 0,
        # 150.00 an order, 2 orders in 812 days, all lost in the year: one year, at a margin rate of 0.4
        "textbook_cents": round(15_000 * 2 / (812 / 365) * 1 * 0.4),
        "profitable_on": date(2024, 11, 9),
    }
    shop = profit.Shop.from_dict(run.model["profit"])
    assert (shop.churn, shop.lifespan, shop.order_cost) == (1.0, 1.0, 1.5)
    years = 812 / 365
    expected = row["expected_orders"] * 1.5 + (3 + shop.other_rate) / (years + 1)
    assert row["expected_cost_cents"] == round(100 * expected)


def test_a_shop_of_less_than_a_year_has_no_textbook_value():
    customer = make_customer()
    make_order(customer=customer, day=AS_OF - timedelta(days=30))
    assert columns(pass_night(), customer)["textbook_cents"] is None


def test_a_customer_whose_every_order_came_back_has_costs_and_nothing_to_come(customer):
    gone = make_customer()
    make_refund(order=make_order(customer=gone, day=JANUARY))
    assert columns(pass_night(), gone) == {
        "acquisition_cents": 0,
        "cost_cents": 150,
        "expected_cost_cents": None,
        "textbook_cents": None,
        "profitable_on": None,
    }


def test_margin_and_costs_are_those_of_the_same_facts(customer):
    nights.make_random_shop(3, customers=20)
    rows = score_rows(pass_night())
    with nights.connection.cursor() as cursor:
        cursor.execute("SELECT customer_id, margin_cents, cost_cents, acquisition_cents FROM analytics_profit")
        counted = {pk: rest for pk, *rest in cursor.fetchall()}
    for pk, row in rows.items():
        assert counted[pk] == [row["historic_cents"], row["cost_cents"], row["acquisition_cents"]]


def test_a_night_keeps_the_sums_of_what_was_spent(customer):
    nights.make_random_shop(3, customers=20)
    costs.record(
        costs=[
            Spent(
                source="t", external_id="9", customer_id=customer.pk, spent_on=AS_OF, kind="sms", unit_cents=Decimal(9)
            )
        ]
    )
    run = pass_night()
    rows, whole = score_rows(run).values(), run.stats["all"]
    for name in ("acquisition_cents", "cost_cents", "expected_cost_cents"):
        assert whole[name] == sum(row[name] or 0 for row in rows) > 0
        assert whole[name] == sum(cell[name] for cell in run.stats["segments"].values())


@pytest.mark.parametrize(
    "change",
    [
        lambda customer: spend.write(cells={("ads", JANUARY): Spend(amount_cents=1)}),
        lambda customer: spend.set_unit_costs(unit_cents={"return": Decimal(1)}),
        lambda customer: costs.record(
            costs=[Spent(source="t", external_id="2", customer_id=customer.pk, spent_on=AS_OF, kind="sms")]
        ),
    ],
)
def test_a_change_of_costs_makes_a_revision(customer, change):
    pass_night()
    assert pass_night().revision == 1
    change(customer)
    assert pass_night().revision == 2


def test_what_a_message_costs_from_now_on_changes_no_score(customer):
    pass_night()
    spend.set_unit_costs(unit_cents={"email": Decimal(7)})
    assert pass_night().revision == 1


def test_a_night_for_a_past_date_says_what_was_known_of_then(customer):
    then = date(2024, 6, 30)
    pass_night()
    run = pass_night(then)
    assert run.is_past
    assert columns(run, customer)["profitable_on"] is None
    assert columns(run, customer)["cost_cents"] == 450
    assert Run.objects.get(is_current=True).as_of == AS_OF
    again = score_rows(run)
    make_customer()
    spend.write(cells={("ads", date(2026, 3, 1)): Spend(amount_cents=9)})
    assert score_rows(pass_night(then)) == again
