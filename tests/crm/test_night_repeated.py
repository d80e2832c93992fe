"""A night for a past date: the same rows again, whatever happened since; what was entered late counts from then on."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db import connection

from analytics.clv import backtest
from analytics.models import PeriodCounts
from core import engine, feed
from core.models import Change, Cursor, Run
from customers.models import Order, OrderLine, Refund
from customers.services import costs, spend, tags
from customers.services.costs import Spent
from customers.services.spend import Spend
from tests import nights
from tests.factories import make_customer, make_order, make_refund, make_unmatched_return
from tests.nights import pass_night, score_rows

pytestmark = pytest.mark.django_db(transaction=True)

FIRST = date(2025, 6, 1)
THEN = date(2026, 3, 10)  # looks back from 28 February
DAY = timedelta(days=1)
NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
# What a run keeps of its inputs, beside its rows. The rest names the run itself.
KEPT = ("fitted", "profit", "schemes", "cuts")


@pytest.fixture(autouse=True)
def small_shops_look_back(monkeypatch):
    monkeypatch.setattr(engine, "BACKOFF_SECONDS", 0)
    monkeypatch.setattr(backtest, "FEWEST_REPEAT", 5)
    monkeypatch.setattr(backtest, "FEWEST_ORDERS", 5)


@pytest.fixture
def people():
    """A shop of nine months with orders, refunds, lost returns, costs, acquisition and tags; nothing after `THEN`."""
    chance = Random(7)
    found = [make_customer() for _ in range(40)]
    for person in found:
        for _ in range(chance.choice([1, 2, 4, 8])):
            day = FIRST + timedelta(days=chance.randrange((THEN - FIRST).days))
            order = make_order(customer=person, day=day, value_cents=chance.choice([999, 5_000, 12_345]), channel="ads")
            if chance.random() < 0.2:
                make_refund(order=order, day=min(THEN, day + timedelta(days=9)), value_cents=order.value_cents // 3)
    make_unmatched_return(customer=found[0], day=THEN)
    spend.write(cells={("ads", date(2025, 7, 1)): Spend(amount_cents=90_000)})
    spend.set_unit_costs(unit_cents={"order": Decimal(150), "return": Decimal(200)})
    tell_cost(found[1], THEN, "1")
    tag = tags.find_or_make(name="Vegan")
    tags.add(segment=tag, customer_ids=[found[2].pk], by=None, at=NOON)
    return found


def tell_cost(customer, day, number):
    told = {"source": "t", "external_id": number, "kind": "email", "unit_cents": Decimal(300)}
    costs.record(costs=[Spent(customer_id=customer.pk, spent_on=day, **told)])


def later_facts(people):
    """Everything that a shop does, on days after `THEN`."""
    made = [make_order(customer=person, day=THEN + DAY, channel="ads") for person in (*people[:9], make_customer())]
    make_refund(order=Order.objects.filter(fully_refunded_on=None, placed_on__lte=THEN).first(), day=THEN + DAY)
    make_refund(order=made[0], day=THEN + DAY)
    make_unmatched_return(customer=people[3], day=THEN + 2 * DAY)
    tell_cost(people[1], THEN + DAY, "2")
    spend.write(cells={("ads", date(2026, 4, 1)): Spend(amount_cents=70_000)})
    tags.add(segment=tags.find_or_make(name="Vegan"), customer_ids=[people[4].pk], by=None, at=NOON + timedelta(days=3))


def late_facts(people):
    """What the shop learns of the days until `THEN` only now."""
    make_order(customer=people[5], day=date(2025, 9, 9), value_cents=44_000, channel="ads")
    make_order(customer=make_customer(), day=THEN - 3 * DAY, value_cents=8_000)
    order = Order.objects.filter(fully_refunded_on=None, placed_on__lte=date(2025, 12, 1), customer=people[6]).first()
    make_refund(order=order, day=date(2025, 12, 24))
    make_unmatched_return(customer=people[7], day=date(2026, 1, 7))
    tell_cost(people[8], date(2025, 8, 8), "3")
    spend.write(cells={("ads", date(2025, 8, 1)): Spend(amount_cents=30_000)})


def hand_over(giver, taker):
    """The orders of one customer turn out to be another's: what joining two records of one person comes to."""
    days = set(Order.objects.filter(customer=giver).values_list("placed_on", flat=True))
    days |= set(Refund.objects.filter(customer=giver).values_list("refunded_on", flat=True))
    Order.objects.filter(customer=giver).update(customer=taker)
    OrderLine.objects.filter(customer=giver).update(customer=taker)
    Refund.objects.filter(customer=giver).update(customer=taker)
    feed.record(Change.Kind.CUSTOMER_ORDERS, [giver.pk, taker.pk])
    feed.record(Change.Kind.DAY, [(day - date(1970, 1, 1)).days for day in days])


def said(run):
    """All that a night says: rows, look back, fit, totals and counts of periods."""
    counts = PeriodCounts.objects.filter(as_of=run.as_of).order_by("days", "until")
    return {
        "rows": score_rows(run),
        "look_back": run.model["look_back"],
        **{name: run.model[name] for name in KEPT if name in run.model},
        "stats": {name: found for name, found in run.stats.items() if name != "assigned"},  # no part of a past night
        "periods": list(counts.values()),
    }


def forget_everything_derived():
    """As if no night had ever been: the facts stay."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE tablename ~ '^analytics_' AND schemaname = 'public'")
        names = {name for (name,) in cursor.fetchall()} - {"analytics_appliedunitcosts"}
        cursor.execute(f"TRUNCATE {', '.join(sorted(names))} CASCADE")
    Cursor.objects.all().delete()
    Run.objects.all().delete()


def without_ids(found):
    """Without the numbers that the database hands out."""
    return found | {"periods": [{**one, "id": 0} for one in found["periods"]]}


def differences(one, other, path=""):
    """Where two nights are not the same, to be read when a test fails."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return [] if one == other else [f"{path}: {one!r}, then {other!r}"[:300]]
    names = [*one, *(name for name in other if name not in one)]
    return [found for name in names for found in differences(one.get(name), other.get(name), f"{path}/{name}")]


def test_what_happens_later_changes_nothing(people):
    pass_night(THEN - DAY)
    first = pass_night(THEN)
    expected = without_ids(said(first))
    assert first.model["look_back"]["choice"]["origins"], "the shop should be old enough to look back"
    later_facts(people)
    pass_night(date(2026, 4, 1))
    again = pass_night(THEN)
    assert (again.is_past, again.revision, again.pk == first.pk) == (True, 2, False)
    assert differences(expected, without_ids(said(again))) == []


def test_what_is_learned_late_counts_as_if_it_had_been_known(people):
    """Facts with a date until then count, also in the look back: as on a database that has had no night before."""
    first = without_ids(said(pass_night(THEN)))
    pass_night(THEN + 2 * DAY)
    late_facts(people)
    hand_over(people[10], people[11])
    repeated = pass_night(THEN)
    found = without_ids(said(repeated))
    assert repeated.is_past
    assert found["rows"] != first["rows"]
    assert found["look_back"]["key"] != first["look_back"]["key"]
    assert set(found["rows"]) == set(nights.plain_summaries(THEN))
    forget_everything_derived()
    anew = pass_night(THEN)
    assert not anew.is_past
    assert differences(found, without_ids(said(anew))) == []


def test_late_facts_of_this_month_leave_the_look_back_alone(people):
    first = pass_night(THEN)
    pass_night(THEN + DAY)
    make_order(customer=people[0], day=THEN)
    again = pass_night(THEN)
    assert again.model["look_back"] == first.model["look_back"]
    assert score_rows(again) != score_rows(first)
    assert again.jobs.get(step="choice").result["rows"] == 0


def test_a_past_night_does_not_disturb_the_next_one(people):
    """The tables that follow changes are those of the newest date, late facts included."""
    pass_night(THEN + DAY)
    late_facts(people)
    pass_night(THEN)
    next_one = without_ids(said(pass_night(THEN + 2 * DAY)))
    forget_everything_derived()
    assert differences(comparable(next_one), comparable(without_ids(said(pass_night(THEN + 2 * DAY))))) == []


def comparable(found):
    """Without what the night before is compared by: there was none."""
    dates = ("segment_changed_on", "previous_segment")
    rows = {one: {name: row[name] for name in row if name not in dates} for one, row in found["rows"].items()}
    return found | {"rows": rows, "stats": {k: v for k, v in found["stats"].items() if k != "moves"}}
