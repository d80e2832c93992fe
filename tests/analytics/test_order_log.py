"""The order log: a day as it looked then, and what happened after it."""

from collections import defaultdict
from itertools import pairwise
from math import log as log_of
from random import Random

import numpy as np
import pytest

from analytics.clv import order_log
from analytics.clv.history import History
from analytics.clv.order_log import NO_ORDER_DAY
from tests.analytics.logs import make_log, make_order, make_refund, make_return

FIELDS = History.__slots__


def one(log, as_of):
    """The history of the only customer, as plain numbers."""
    history, rows = log.history(as_of)
    assert rows.tolist() == [0]
    return {name: getattr(history, name)[0].item() for name in FIELDS}


def test_it_works():
    log = make_log(make_order(day=10), make_order(day=14, value=3000, margin=900), make_order(day=21))

    assert one(log, 30) == {
        "order_days": 3,
        "first_age": 20,
        "last_age": 9,
        "value": 50.0,
        "repeat_value": 40.0,
        "margin": 17.0,
        "log_gaps": pytest.approx(log_of(4) + log_of(7)),
        "paid_days": 2,
        "log_value": pytest.approx(log_of(30) + log_of(10)),
        "log_value_sq": pytest.approx(log_of(30) ** 2 + log_of(10) ** 2),
        "prior_age": 20,
        "refunded": 0.0,
        "discounted": 0.0,
        "cell": 0,
    }


def test_two_orders_of_a_day_are_one_order_day():
    log = make_log(make_order(day=10), make_order(day=10), make_order(day=15))

    assert one(log, 20)["order_days"] == 2
    assert one(log, 20)["value"] == 30.0
    assert one(log, 20)["repeat_value"] == 10.0


def test_an_order_is_not_known_before_its_day():
    log = make_log(make_order(day=10), make_order(day=15))

    assert one(log, 14)["order_days"] == 1
    assert log.history(9)[1].size == 0


def test_what_came_back_on_a_later_day_or_without_an_order():
    day_after = make_refund(day=10, seen=11, value=300, whole=False)
    same_day = make_refund(day=10, seen=10, value=200, whole=False)
    log = make_log(make_order(day=10), same_day, day_after, make_return(seen=12, value=50))

    assert (one(log, 10)["refunded"], one(log, 20)["refunded"]) == (0.0, 3.5)
    assert one(log, 20)["value"] == 4.5


def test_a_refund_is_not_known_before_it_happens():
    log = make_log(make_order(day=10), make_order(day=15), make_refund(day=15, seen=20))

    assert (one(log, 19)["order_days"], one(log, 19)["value"]) == (2, 20.0)
    assert (one(log, 20)["order_days"], one(log, 20)["value"]) == (1, 10.0)


def test_a_partial_refund_takes_money_and_no_day():
    log = make_log(make_order(day=10), make_order(day=15), make_refund(day=15, seen=20, value=400, whole=False))

    assert (one(log, 20)["order_days"], one(log, 20)["repeat_value"]) == (2, 6.0)
    assert one(log, 20)["log_value"] == pytest.approx(log_of(6))


def test_a_day_keeps_standing_when_one_of_its_two_orders_came_back():
    log = make_log(make_order(day=10), make_order(day=10), make_refund(day=10, seen=11))

    assert (one(log, 12)["order_days"], one(log, 12)["value"]) == (1, 10.0)


def test_who_sent_everything_back_stays_with_no_order_day():
    log = make_log(make_order(day=10), make_refund(day=10, seen=12))

    found = one(log, 15)
    assert (found["order_days"], found["first_age"], found["last_age"], found["prior_age"]) == (0, 0, 0, -1)


def test_the_first_order_day_is_the_first_that_stands():
    log = make_log(make_order(day=10), make_refund(day=10, seen=12), make_order(day=20), make_order(day=30))

    assert (one(log, 30)["first_age"], one(log, 30)["order_days"]) == (10, 2)


def test_a_return_without_an_order_takes_money_alone():
    log = make_log(make_order(day=10), make_order(day=12), make_return(seen=14))

    assert (one(log, 13)["value"], one(log, 13)["repeat_value"]) == (20.0, 10.0)
    assert (one(log, 14)["value"], one(log, 14)["repeat_value"]) == (17.0, 7.0)
    assert (one(log, 14)["order_days"], one(log, 14)["margin"]) == (2, pytest.approx(6.8))


def test_a_return_of_who_bought_once_leaves_no_repeat_money():
    log = make_log(make_order(day=10), make_return(seen=14))

    assert (one(log, 14)["value"], one(log, 14)["repeat_value"]) == (7.0, 0.0)


def test_who_has_returns_alone_is_not_there():
    assert make_log(make_return(seen=5)).history(9)[1].size == 0


def test_days_before_1970_are_days():
    log = make_log(make_order(day=-400), make_order(day=-30))

    assert (one(log, -10)["first_age"], one(log, -10)["last_age"]) == (390, 20)


def test_money_that_cancels_out_is_exactly_none():
    log = make_log(
        make_order(day=1), make_order(day=5, value=1010), make_order(day=5, value=2020), make_return(seen=9, value=0),
        make_refund(day=5, seen=7, value=3030, whole=False),
    )  # fmt: skip

    assert (one(log, 9)["repeat_value"], one(log, 9)["paid_days"]) == (0.0, 0)


def test_a_currency_without_decimals():
    assert one(make_log(make_order(day=1, value=1200), unit=1.0), 3)["value"] == 1200.0


def test_nothing_gives_an_empty_history():
    log = make_log()
    history, rows = log.history(5)

    assert history.order_days.size == rows.size == 0
    assert log.outcomes(5, 30).order_days.size == 0
    assert log.start == log.end + 1


def test_the_facts_may_come_in_any_order():
    facts = [make_order(0, 3), make_order(1, 2), make_refund(0, 3, seen=8), make_order(0, 9), make_return(1, seen=4)]
    mixed = facts.copy()
    Random(1).shuffle(mixed)

    assert [*same(make_log(*facts))] == [*same(make_log(*mixed))]


def same(log):
    return (getattr(log, name).tolist() for name in ("customer", "order_day", "seen_on", "orders", "value", "margin"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"customer": [0]}, "one length"),
        ({"customer": [0, 2]}, "one of those counted"),
        ({"customer": [0, -1]}, "one of those counted"),
        ({"seen_on": [1, 4]}, "before its day"),
    ],
)
def test_columns_that_do_not_fit_are_refused(change, message):
    columns = {"customer": [0, 1], "order_day": [1, 5], "seen_on": [1, 5], "orders": [1, 1], "value": [1, 1]}

    with pytest.raises(ValueError, match=message):
        order_log.build(**columns | {"margin": [0, 0]} | change, customers=2, end=9)


# What happened after


def test_outcomes_count_the_days_after_the_cut_off_up_to_the_horizon():
    log = make_log(*(make_order(day=day) for day in (5, 10, 11, 11, 20, 21)))
    found = log.outcomes(10, 10)

    assert (found.order_days.tolist(), found.value.tolist()) == ([2], [30.0])


def test_outcomes_are_as_known_at_the_end():
    log = make_log(make_order(day=5), make_order(day=12), make_refund(day=12, seen=40), make_return(seen=15))
    found = log.outcomes(10, 10)

    assert (found.order_days.tolist(), found.value.tolist()) == ([0], [-3.0])


def test_a_refund_of_an_earlier_order_is_no_outcome():
    log = make_log(make_order(day=5), make_refund(day=5, seen=12), end=30)

    assert log.outcomes(10, 10).value.tolist() == [0.0]


def test_outcomes_of_those_who_are_not_customers_yet_are_left_out_by_taking_rows():
    log = make_log(make_order(0, day=5), make_order(1, day=12), make_order(0, day=13))
    _, rows = log.history(10)

    assert log.outcomes(10, 10).order_days.tolist() == [1, 1]
    assert log.outcomes(10, 10).take(rows).order_days.tolist() == [1]


# Nothing leaks


@pytest.mark.parametrize("seed", range(8))
def test_a_history_is_the_same_whatever_comes_later(seed):
    facts = random_facts(seed)
    everything, cut = make_log(*facts), make_log(*(fact for fact in facts if fact[2] <= 60), customers=9)

    for log in (everything.until(60), cut):
        assert_equal(log.history(60), everything.history(60))


def test_a_log_that_is_cut_ends_on_that_day():
    log = make_log(make_order(day=5), make_order(day=30))

    assert (log.until(20).end, log.until(99).end) == (20, 30)
    assert log.until(20).outcomes(10, 30).order_days.tolist() == [0]


@pytest.mark.parametrize("seed", range(8))
def test_columns_say_what_the_definitions_say(seed):
    facts = random_facts(seed)
    log = make_log(*facts, customers=9)

    for as_of in (0, 30, 60, 90, 130):
        history, rows = log.history(as_of)
        expected = plain(facts, as_of)
        assert rows.tolist() == sorted(expected)
        for row, customer in enumerate(rows.tolist()):
            found = {name: getattr(history, name)[row].item() for name in FIELDS}
            assert found == pytest.approx(expected[customer])


def random_facts(seed):
    chance = Random(seed)
    facts = []
    for _ in range(60):
        who, day, value = chance.randrange(9), chance.randint(-20, 100), chance.choice([0, 999, 5000])
        facts.append(make_order(who, day, value=value))
        if chance.random() < 0.3:
            whole = chance.random() < 0.6
            facts.append(make_refund(who, day, seen=day + chance.randint(0, 30), value=value // 2, whole=whole))
        if chance.random() < 0.1:
            facts.append(make_return(who, seen=chance.randint(-20, 100)))
    return facts


def plain(facts, as_of):
    """The same by dictionaries and loops."""
    people = defaultdict(list)
    for fact in facts:
        if fact[2] <= as_of:
            people[fact[0]].append(fact)
    return {who: _plain_one(known, as_of) for who, known in people.items() if any(f[3] > 0 for f in known)}


def _plain_one(known, as_of):
    days = sorted({f[1] for f in known if f[1] != NO_ORDER_DAY})
    orders = {day: sum(f[3] for f in known if f[1] == day) for day in days}
    net = {day: sum(f[4] for f in known if f[1] == day) for day in days}
    standing = [day for day in days if orders[day] > 0]
    later = [day for day in days if standing and day > standing[0]]
    lost = sum(f[4] for f in known if f[1] == NO_ORDER_DAY)
    paid = [log_of(net[day] / 100) for day in standing[1:] if net[day] > 0]
    return {
        "order_days": len(standing),
        "first_age": as_of - standing[0] if standing else 0,
        "last_age": as_of - standing[-1] if standing else 0,
        "value": (sum(net.values()) + lost) / 100,
        "repeat_value": (sum(net[day] for day in later) + lost) / 100 if len(standing) > 1 else 0.0,
        "margin": sum(f[5] for f in known) / 100,
        "log_gaps": sum(log_of(b - a) for a, b in pairwise(standing)),
        "paid_days": len(paid),
        "log_value": sum(paid),
        "log_value_sq": sum(value**2 for value in paid),
        "prior_age": as_of - standing[-3] if len(standing) > 2 else -1,
        "refunded": -sum(f[4] for f in known if f[1] != f[2]) / 100,
        "discounted": 0.0,
        "cell": 0,
    }


def assert_equal(one, other):
    assert np.array_equal(one[1], other[1])
    assert all(np.array_equal(getattr(one[0], name), getattr(other[0], name)) for name in FIELDS)


@pytest.mark.parametrize("seed", range(8))
def test_outcomes_say_what_the_definitions_say(seed):
    facts = random_facts(seed)
    log = make_log(*facts, customers=9)

    for as_of, horizon in ((0, 30), (30, 1), (60, 90), (110, 500)):
        found = log.outcomes(as_of, horizon)
        for customer in range(9):
            own = [fact for fact in facts if fact[0] == customer]
            days = {fact[1] for fact in own if as_of < fact[1] <= as_of + horizon}
            standing = [day for day in days if sum(fact[3] for fact in own if fact[1] == day) > 0]
            lost = sum(f[4] for f in own if f[1] == NO_ORDER_DAY and as_of < f[2] <= as_of + horizon)
            assert found.order_days[customer] == len(standing)
            assert found.value[customer] == pytest.approx((sum(f[4] for f in own if f[1] in days) + lost) / 100)


@pytest.mark.parametrize("seed", range(4))
def test_without_refunds_what_was_and_what_came_add_up(seed):
    facts = [fact for fact in random_facts(seed) if fact[3] > 0]
    log = make_log(*facts, customers=9)
    before, rows = log.history(40)
    after, later = log.history(log.end)
    came = log.outcomes(40, log.end - 40)
    place = np.searchsorted(later, rows)

    assert (before.order_days + came.order_days[rows]).tolist() == after.order_days[place].tolist()
    assert before.value + came.value[rows] == pytest.approx(after.value[place])


def test_facts_of_one_day_seen_on_one_day_are_one_row():
    log = make_log(make_order(0, 3), make_order(0, 3, value=200), make_refund(0, 3, seen=3, value=100, whole=False))

    assert (log.customer.size, log.orders.tolist(), log.value.tolist()) == (1, [2], [1100.0])


def test_day_sums_know_what_came_back_on_a_later_day():
    log = make_log(
        make_order(0, 3), make_refund(0, 3, seen=3, value=100, whole=False),
        make_refund(0, 3, seen=5, value=300, whole=False), make_return(0, seen=6, value=50),
    )  # fmt: skip

    assert log.days(4).refunded.tolist() == [0.0]
    assert log.days(5).refunded.tolist() == [300.0]
    assert log.days(6).refunded.tolist() == [300.0, 50.0]


def test_money_beyond_an_int4_is_kept():
    log = make_log(make_order(0, 3, value=10**12), make_order(0, 9, value=10**12 + 1))

    assert one(log, 9)["value"] == 20_000_000_000.01


def test_a_day_that_only_lost_orders_is_no_order_day_between_others():
    log = make_log(make_order(day=1), make_order(day=5), make_refund(day=5, seen=6), make_order(day=9))

    assert one(log, 10)["log_gaps"] == pytest.approx(log_of(8))
    assert one(log, 10)["prior_age"] == -1
