"""A night looks back once a month; what it found stands in the run."""

from datetime import date

import numpy as np
import pytest

from analytics.clv.choice import Choice
from analytics.clv.levels import Level
from analytics.clv.rolling import LastMonth
from analytics.services import choices
from core.models import Run
from tests import factories, nights
from tests.cards import make_cards

pytestmark = pytest.mark.django_db(transaction=True)
AS_OF = date(2026, 3, 20)


@pytest.fixture
def customer():
    customer = factories.make_customer()
    for day in (date(2026, 1, 5), date(2026, 2, 9), date(2026, 3, 4)):
        factories.make_order(customer=customer, day=day)
    return customer


def looked_back(run):
    """Whether the night had to look back itself."""
    return run.jobs.get(step="choice").result["rows"] == 1


@pytest.mark.parametrize(
    ("as_of", "until"),
    [
        (date(2026, 3, 20), date(2026, 2, 28)),
        (date(2026, 3, 31), date(2026, 3, 31)),
        (date(2026, 1, 1), date(2025, 12, 31)),
        (date(2024, 2, 29), date(2024, 2, 29)),
    ],
)
def test_the_end_of_a_month_is_looked_back_from(as_of, until):
    assert choices.anchor(as_of) == until


def test_a_young_shop_uses_the_usual_models(customer):
    run = nights.pass_night(AS_OF)
    chosen = choices.choice_of(run)
    assert (chosen.purchase, chosen.origins) == (Choice().purchase, [])
    assert "looking back takes" in chosen.reasons[0]
    assert choices.plan(run).calibration is None


def test_nights_of_a_month_look_back_once(customer):
    first = nights.pass_night(AS_OF)
    second = nights.pass_night(date(2026, 3, 21))
    assert (looked_back(first), looked_back(second)) == (True, False)
    assert second.model["look_back"] == first.model["look_back"]


def test_the_cards_and_their_grades_stand_in_the_run(customer, monkeypatch):
    monkeypatch.setattr(choices.rolling, "cards", lambda log, chosen: make_cards())
    first = nights.pass_night(AS_OF)
    assert choices.cards_of(first) == make_cards()
    grades = {"orders": "good", "spend": "good", "customers": "good", "intervals": "good", "risk": "unknown"}
    assert first.stats["grades"] == grades
    assert nights.pass_night(date(2026, 3, 21)).stats["grades"] == grades


def test_a_young_shop_has_no_cards(customer):
    run = nights.pass_night(AS_OF)
    assert choices.cards_of(run) == []
    assert set(run.stats["grades"].values()) == {"unknown"}


def test_what_was_found_before_there_were_cards_is_found_anew(customer):
    first = nights.pass_night(AS_OF)
    del first.model["look_back"]["cards"], first.model["look_back"]["last_month"]
    first.save(update_fields=["model"])
    assert (choices.cards_of(first), choices.last_month_of(first)) == ([], None)
    assert looked_back(nights.pass_night(date(2026, 3, 21)))


def test_the_next_month_looks_back_anew(customer):
    nights.pass_night(AS_OF)
    assert looked_back(nights.pass_night(date(2026, 3, 31)))


def test_an_order_that_was_entered_late_makes_it_look_back_anew(customer):
    nights.pass_night(AS_OF)
    factories.make_order(customer=customer, day=date(2026, 1, 20))
    assert looked_back(nights.pass_night(date(2026, 3, 21)))


def test_an_order_of_this_month_does_not(customer):
    nights.pass_night(AS_OF)
    factories.make_order(customer=customer, day=date(2026, 3, 10))
    assert not looked_back(nights.pass_night(date(2026, 3, 21)))


def test_a_past_night_of_the_month_says_the_same(customer):
    nights.pass_night(AS_OF)
    past = nights.pass_night(date(2026, 3, 10))
    assert past.is_past
    assert past.model["look_back"] == Run.objects.get(as_of=AS_OF).model["look_back"]


def test_what_was_chosen_is_what_is_used(customer, monkeypatch):
    chosen = Choice(purchase="Pareto/NBD", spend="Log-normal", level=Level(1.1, "", 3), order_ratios=[1.2])
    monkeypatch.setattr(choices.choice, "decide", lambda log: chosen)
    monkeypatch.setattr(choices.rolling, "last_month", lambda *given: LastMonth("", "", []))
    plan = choices.plan(nights.pass_night(AS_OF))
    assert (plan.purchase, plan.spend, plan.levels.orders) == ("Pareto/NBD", "Log-normal", 1.1)
    assert plan.past.orders == (1.2,)


def test_the_models_of_a_month_ago_are_found_from_what_was_known_then(customer, monkeypatch):
    ends = []

    def decide(log):
        ends.append(log.end)
        return Choice()

    monkeypatch.setattr(choices.choice, "decide", decide)
    nights.pass_night(AS_OF)
    assert [str(np.datetime64(end, "D")) for end in ends] == ["2026-02-28", "2026-01-31"]


def test_a_choice_that_a_night_has_kept_is_not_made_again(customer, monkeypatch):
    kept = nights.pass_night(date(2026, 2, 10))
    kept.model["look_back"]["choice"]["purchase"] = "Pareto/NBD"
    kept.save(update_fields=["model"])
    assert choices.last_month_of(nights.pass_night(AS_OF)).model == "Pareto/NBD"


def test_nor_is_it_kept_where_the_facts_are_others(customer):
    kept = nights.pass_night(date(2026, 2, 10))
    kept.model["look_back"]["choice"]["purchase"] = "Pareto/NBD"
    kept.save(update_fields=["model"])
    factories.make_order(customer=customer, day=date(2026, 1, 20))
    assert choices.last_month_of(nights.pass_night(AS_OF)).model == Choice().purchase


def test_a_large_shop_says_of_how_many_customers_one_was_looked_at(customer, monkeypatch):
    assert choices.one_in(nights.pass_night(AS_OF)) == 1
    for _ in range(4):
        factories.make_customer()
    monkeypatch.setattr(choices, "SAMPLE", 2)
    assert choices.one_in(nights.pass_night(date(2026, 3, 31))) == 4
