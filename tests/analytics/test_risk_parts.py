"""The reasons of a customer's risk on her page: facts in words, points that add up."""

from dataclasses import replace
from datetime import date

import pytest

from analytics.clv import churn
from analytics.models import PurchaseSummary, Score
from analytics.selectors import risk_parts
from analytics.services import scoring
from tests import factories, nights

pytestmark = pytest.mark.django_db(transaction=True)
AS_OF = date(2026, 3, 31)
CALIBRATION = churn.Calibration((0.2, 0.9, 1.1, 0.5, 0.3, 2.0, -0.5), (0.1, 0.8, 0.0, 0.4, 0.02, 0.05), 5000)


@pytest.fixture
def customer():
    return factories.make_customer()


@pytest.fixture
def learned(monkeypatch):
    """A shop whose past has told how its risk is to be calibrated."""
    plan = scoring.choices.plan
    monkeypatch.setattr(scoring.choices, "plan", lambda run: replace(plan(run), calibration=CALIBRATION))


def scored(customer):
    run = nights.pass_night(AS_OF)
    return Score.objects.get(run=run, customer=customer), run


def buy(customer, *days, **fields):
    return [factories.make_order(customer=customer, day=date(2026, *day), **fields) for day in days]


def facts(found):
    return {str(part.label): part.fact for part in found.parts}


def test_points_add_up_to_the_risk(customer, learned):
    buy(customer, (1, 5), (1, 20), (2, 3), (3, 20))
    score, run = scored(customer)
    found = risk_parts.of(score, run)
    assert found.average + sum(part.points for part in found.parts) == found.risk == round(100 * score.churn_risk)
    assert len(found.parts) == len(churn.FEATURES)


def test_facts_are_told_in_words(customer, learned):
    first, *_ = buy(customer, (1, 5), (1, 20), (2, 3), (3, 5), value_cents=10_000)
    factories.make_refund(order=first, day=date(2026, 1, 9), value_cents=4_000)
    told = facts(risk_parts.of(*scored(customer)))
    assert told["Usual pace"] == "Usually every 20 days."
    assert told["Silence"] == "26 days since the last order, 1.3 times the usual gap."
    assert told["Pace lately"] == "The last two gaps were 22 days on average."
    assert told["Returns"] == "10% of what was bought came back."
    assert told["Price paid"] == "Has always paid the full price."
    assert told["Number of orders"] == "Has come back before."


def test_who_ordered_once(customer, learned):
    buy(customer, (3, 1))
    told = facts(risk_parts.of(*scored(customer)))
    assert told["Usual pace"] == "No pace yet."
    assert told["Silence"] == "30 days since the last order."
    assert told["Number of orders"] == "One order so far."


def test_nothing_where_the_past_has_told_nothing(customer):
    buy(customer, (3, 1))
    assert risk_parts.of(*scored(customer)) is None


def test_nothing_where_every_order_came_back(customer, learned):
    (order,) = buy(customer, (3, 1))
    factories.make_refund(order=order)
    assert risk_parts.of(*scored(customer)) is None


def test_nothing_where_the_facts_have_changed_since(customer, learned):
    buy(customer, (1, 5), (3, 1))
    score, run = scored(customer)
    PurchaseSummary.objects.filter(pk=customer.pk).update(last_on=date(2026, 1, 20))
    assert risk_parts.of(score, run) is None


@pytest.mark.parametrize(
    ("shares", "total", "points"),
    [
        ([0.124, 0.124, -0.05], 20, [12, 13, -5]),
        ([0.5, -0.2, 0.0], 30, [50, -20, 0]),
        ([0.333, 0.333, 0.334], 100, [33, 33, 34]),
    ],
)
def test_whole_points_by_largest_remainder(shares, total, points):
    assert sorted(risk_parts._whole(shares, total)) == sorted(points)
