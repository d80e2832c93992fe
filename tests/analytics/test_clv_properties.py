"""Any shop that hypothesis can think of: what must hold for every history."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import scores
from analytics.clv import shop
from tests.analytics.histories import make_history

MONEY = st.floats(-1e7, 1e7).map(lambda amount: round(amount, 2))


@st.composite
def customers(draw):
    """One row that a night can produce."""
    order_days = draw(st.one_of(st.integers(0, 3), st.integers(0, 4000)))
    if order_days == 0:
        return (0, 0, 0, 0.0, 0.0, 0.0)
    last_age = draw(st.integers(0, 3000))
    first_age = last_age + (draw(st.integers(order_days - 1, order_days + 5000)) if order_days > 1 else 0)
    repeat_value = draw(MONEY) if order_days > 1 else 0.0
    return (order_days, first_age, last_age, draw(MONEY), repeat_value, draw(MONEY))


SHOPS = st.lists(customers(), max_size=12).map(lambda rows: make_history(*rows))
LARGE_SHOPS = st.lists(customers(), min_size=1, max_size=12).map(lambda rows: make_history(*(rows * 250)))
TERMS = st.builds(
    shop.Terms,
    horizon_days=st.integers(0, 1500),
    churn_horizon_days=st.integers(1, 400),
    discount_rate=st.floats(0, 1),
    margin_rate=st.floats(0, 1),
)
SOME = settings(max_examples=40, deadline=None)
FEW = settings(max_examples=12, deadline=None)


def assert_sensible(past, found):
    known = past.order_days > 0
    for name in ("p_alive", "churn_risk", "expected_orders", "expected_margin_per_order", "clv"):
        column = getattr(found, name)
        assert np.all(np.isnan(column[~known]))
        assert np.all(np.isfinite(column[known]) & (column[known] >= 0)), name
    assert np.all(found.p_alive[known] <= 1)
    assert np.all(found.churn_risk[known] <= 1)
    assert np.array_equal(found.band > 0, known)


@SOME
@given(SHOPS, TERMS)
def test_small_shops_get_finite_numbers(past, terms):
    fitted = shop.fit(past, terms)

    assert fitted.model == "Shop averages"
    assert_sensible(past, shop.score(fitted, past, terms))


@FEW
@given(LARGE_SHOPS, TERMS)
def test_shops_of_a_few_kinds_of_customers_get_finite_numbers(past, terms):
    """Hundreds of identical customers: parameters run to the edges of their ranges."""
    fitted = shop.fit(past, terms)

    assert_sensible(past, shop.score(fitted, past, terms))


@SOME
@given(SHOPS, TERMS)
def test_value_is_not_more_than_orders_times_margin(past, terms):
    found = shop.score(shop.fit(past, terms), past, terms)

    known = past.order_days > 0
    most = found.expected_orders[known] * found.expected_margin_per_order[known]
    assert np.all(found.clv[known] <= most * (1 + 1e-9))


@SOME
@given(SHOPS, TERMS)
def test_some_order_within_the_horizon_is_at_most_the_expected_number(past, terms):
    """Markov's inequality, with the churn horizon as horizon."""
    terms = shop.Terms(horizon_days=terms.churn_horizon_days, churn_horizon_days=terms.churn_horizon_days)

    found = shop.score(shop.fit(past, terms), past, terms)

    known = past.order_days > 0
    assert np.all(1 - found.churn_risk[known] <= found.expected_orders[known] + 1e-9)


@SOME
@given(SHOPS, TERMS, st.randoms(use_true_random=False))
def test_each_row_is_its_own(past, terms, chance):
    fitted = shop.fit(past, terms)
    rows = list(range(past.order_days.size))
    chance.shuffle(rows)
    order = np.array(rows, dtype=np.intp)

    whole = shop.score(fitted, past, terms)
    turned = shop.score(fitted, past.take(order), terms)

    for name in whole.__slots__:
        assert getattr(turned, name).tobytes() == getattr(whole, name)[order].tobytes()


@SOME
@given(SHOPS, TERMS)
def test_what_is_kept_as_json_is_what_was_fitted(past, terms):
    fitted = shop.fit(past, terms)

    assert shop.Fitted.from_dict(json.loads(json.dumps(fitted.as_dict(), allow_nan=False))) == fitted


@SOME
@given(SHOPS, TERMS)
def test_the_same_shop_gives_the_same_fit(past, terms):
    assert shop.fit(past, terms) == shop.fit(past, terms)


@SOME
@given(SHOPS)
def test_every_customer_with_an_order_has_one_name(past):
    columns = {"order_days": past.order_days, "last_age": past.last_age, "margin": past.margin}

    found = scores.rfm(scores.rfm_cuts(**columns), **columns)

    assert np.array_equal(found.name > 0, past.order_days > 0)


@SOME
@given(st.lists(st.integers(-50, 50), max_size=60))
def test_a_higher_value_never_scores_less(values):
    column = np.sort(np.array(values, dtype=np.int64))

    found = scores.apply(column, scores.quintile_cuts(column))

    assert np.all(np.diff(found) >= 0)
