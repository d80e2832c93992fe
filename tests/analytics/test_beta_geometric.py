"""The likelihood that BG/NBD and MBG/NBD share: against the printed one, its gradient, its refusals."""

import numpy as np
import pytest

from analytics.clv import beta_geometric, bgnbd, fitting, mbgnbd
from analytics.clv.params import BgNbdParams, MbgNbdParams
from benchmarks import simulated
from tests.analytics import cdnow, reference

CUSTOMERS = (
    (0, 0.0, 0.3),
    (0, 0.0, 38.86),
    (1, 1.71, 38.86),
    (2, 30.43, 38.86),
    (7, 12.0, 12.0),
    (30, 20.0, 90.0),
    (400, 200.0, 260.0),
)
SHOPS = ((0.243, 4.414, 0.793, 2.426), (0.525, 6.183, 0.891, 1.614), (3.0, 0.5, 1.0, 0.4), (0.05, 80.0, 4.0, 9.0))


@pytest.mark.parametrize("shop", SHOPS)
@pytest.mark.parametrize("customer", CUSTOMERS)
def test_bg_nbd_likelihood_is_equation_6(shop, customer):
    x, t_x, T = customer

    value = bgnbd.log_likelihood(BgNbdParams(*shop), [x], [t_x], [T])

    assert value == pytest.approx(float(reference.bg_log_likelihood(*shop, *customer)), rel=1e-10)


@pytest.mark.parametrize("shop", SHOPS)
@pytest.mark.parametrize("customer", CUSTOMERS)
def test_mbg_nbd_likelihood_is_the_paper_s(shop, customer):
    x, t_x, T = customer

    value = mbgnbd.log_likelihood(MbgNbdParams(*shop), [x], [t_x], [T])

    assert value == pytest.approx(float(reference.mbg_log_likelihood(*shop, *customer)), rel=1e-10)


@pytest.mark.parametrize("m", [0, 1])
@pytest.mark.parametrize("values", [(0.3, 0.2, 0.7, 1.3), (2.0, 3.0, 0.05, 8.0), (0.01, 0.01, 5.0, 0.3)])
def test_gradient_is_that_of_the_likelihood(m, values):
    x, t_x, T, _ = cdnow.summary()
    data = beta_geometric.tally(x=x, t_x=t_x, T=T)
    at = np.array(values)

    _, slope = beta_geometric.log_likelihood(data, at, m=m)

    for place in range(4):
        step = np.zeros(4)
        step[place] = 1e-5 * at[place]
        above, _ = beta_geometric.log_likelihood(data, at + step, m=m)
        below, _ = beta_geometric.log_likelihood(data, at - step, m=m)
        assert slope[place] == pytest.approx((above - below) / (2 * step[place]), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("m", [0, 1])
def test_slope_is_flat_at_the_maximum(m):
    x, t_x, T, _ = cdnow.summary()
    data = beta_geometric.tally(x=x, t_x=t_x, T=T)
    found = beta_geometric.fit(data, m=m)
    r, alpha, a, b = found.values

    _, slope = beta_geometric.log_likelihood(data, np.array([r, alpha / data.scale, a, b]), m=m)

    assert np.max(np.abs(slope * found.values)) < 1e-4


@pytest.mark.parametrize("m", [0, 1])
def test_nowhere_near_is_more_likely(m):
    x, t_x, T, _ = cdnow.summary()
    model, kind = ((bgnbd, BgNbdParams), (mbgnbd, MbgNbdParams))[m]
    found = beta_geometric.fit(beta_geometric.tally(x=x, t_x=t_x, T=T), m=m)

    for place in range(4):
        for factor in (0.97, 1.03):
            moved = list(found.values)
            moved[place] *= factor
            assert model.log_likelihood(kind(*moved), x, t_x, T) < found.log_likelihood


def test_likelihood_adds_up_over_customers():
    x, t_x, T = (np.array(column, dtype=float) for column in zip(*CUSTOMERS, strict=True))
    params = BgNbdParams(*SHOPS[0])

    whole = bgnbd.log_likelihood(params, x, t_x, T)
    alone = [bgnbd.log_likelihood(params, [x], [t_x], [T]) for x, t_x, T in CUSTOMERS]

    assert whole == pytest.approx(sum(alone), rel=1e-13)


def test_blocks_do_not_change_the_likelihood(monkeypatch):
    x, t_x, T, _ = cdnow.summary()
    params = MbgNbdParams(*SHOPS[1])
    whole = mbgnbd.log_likelihood(params, x, t_x, T)

    monkeypatch.setattr(beta_geometric, "BLOCK", 7)

    assert mbgnbd.log_likelihood(params, x, t_x, T) == pytest.approx(whole, rel=1e-13)


def test_days_and_weeks_tell_the_same():
    past = cdnow.history()
    x, t_x, T = past.order_days - 1, past.first_age - past.last_age, past.first_age
    by_days = beta_geometric.fit(beta_geometric.tally_days(x=x, t_x=t_x, T=T, days=7.0), m=1)
    by_weeks = beta_geometric.fit(beta_geometric.tally(x=x, t_x=t_x / 7, T=T / 7), m=1)

    assert by_days.values == pytest.approx(by_weeks.values, rel=1e-5)
    assert by_days.log_likelihood == pytest.approx(by_weeks.log_likelihood, rel=1e-12)


@pytest.mark.parametrize("unit", [1 / 7, 1.0, 52.0])
def test_unit_of_time_changes_alpha_only(unit):
    x, t_x, T, _ = cdnow.summary()

    found = bgnbd.fit(beta_geometric.tally(x=x, t_x=t_x / unit, T=T / unit)).params

    assert found.alpha * unit == pytest.approx(4.4135, rel=1e-3)
    assert (found.r, found.a, found.b) == pytest.approx((0.2426, 0.7929, 2.4258), rel=1e-3)


@pytest.mark.parametrize("start", [(0.05, 2.0, 0.1, 0.2), (5.0, 5.0, 5.0, 5.0), (0.5, 0.01, 3.0, 30.0)])
def test_every_start_leads_to_the_same_maximum(start):
    x, t_x, T, _ = cdnow.summary()

    found = beta_geometric.fit(beta_geometric.tally(x=x, t_x=t_x, T=T), m=0, start=start)

    assert found.values == pytest.approx((0.2426, 4.4135, 0.7929, 2.4258), rel=2e-3)


@pytest.mark.parametrize("m", [0, 1])
def test_a_part_leads_many_customers_to_the_same_maximum(monkeypatch, m):
    past = simulated.shop(20_000, seed=8)
    data = beta_geometric.tally_days(
        x=past.order_days - 1, t_x=past.first_age - past.last_age, T=past.first_age, days=7.0
    )
    alone = beta_geometric.fit(data, m=m)
    monkeypatch.setattr(beta_geometric, "PART", 1_000)
    monkeypatch.setattr(beta_geometric, "MANY", 4_000)

    found = beta_geometric.fit(data, m=m)

    assert found.values == pytest.approx(alone.values, rel=1e-4)
    assert found.log_likelihood == pytest.approx(alone.log_likelihood, rel=1e-12)
    assert found.evaluations < alone.evaluations


def test_a_part_has_the_share_of_each_kind_of_customer(monkeypatch):
    past = simulated.shop(20_000, seed=8)
    data = beta_geometric.tally_days(
        x=past.order_days - 1, t_x=past.first_age - past.last_age, T=past.first_age, days=7.0
    )
    monkeypatch.setattr(beta_geometric, "PART", 1_000)

    part = beta_geometric._part(data)

    assert part.repeat / part.customers == pytest.approx(data.repeat / data.customers, rel=1e-3)
    assert np.sum(part.x_count) == pytest.approx(np.sum(part.T_count))
    assert np.sum(part.T_orders) == np.sum(part.x_count * part.x)
    assert part.rows_x.size == part.rows_age.size == part.rows_t_x.size == part.repeat


def test_true_parameters_are_found_again():
    """60,000 customers, with orders of one day merged: within what that grain and chance allow."""
    past = simulated.shop(60_000, seed=7)
    data = beta_geometric.tally_days(
        x=past.order_days - 1, t_x=past.first_age - past.last_age, T=past.first_age, days=7.0
    )

    params = bgnbd.fit(data).params

    assert params.r == pytest.approx(simulated.PURCHASE.r, rel=0.06)
    assert params.alpha == pytest.approx(simulated.PURCHASE.alpha, rel=0.08)
    assert params.a == pytest.approx(simulated.PURCHASE.a, rel=0.08)
    assert params.b == pytest.approx(simulated.PURCHASE.b, rel=0.08)


def test_tally_counts_every_customer_once():
    x, t_x, T, _ = cdnow.summary()

    data = beta_geometric.tally(x=x, t_x=t_x, T=T)

    assert data.customers == data.x_count.sum() == data.T_count.sum() == 2357
    assert data.repeat == data.rows_x.size == 946
    assert data.once_count.sum() == 2357 - 946
    assert data.T_orders.sum() == x.sum()


def test_p_alive_of_long_silence_is_below_that_of_short_silence():
    params = MbgNbdParams(*SHOPS[1])

    alive = mbgnbd.p_alive(params, 4, np.linspace(1, 40, 50), 40)

    assert np.all(np.diff(alive) > 0)


# What it refuses


def test_nobody_bought_twice_does_not_converge():
    data = beta_geometric.tally(x=[0, 0], t_x=[0, 0], T=[3, 9])

    with pytest.raises(fitting.DidNotConverge, match="nobody has bought twice"):
        beta_geometric.fit(data, m=1)


@pytest.mark.parametrize(
    ("x", "t_x", "T", "message"),
    [
        ([-1.0], [0.0], [1.0], "x ≥ 0"),
        ([1.0], [2.0], [1.0], "t_x ≤ T"),
        ([1.0], [0.0], [1.0], "t_x > 0"),
        ([1.0], [-1.0], [1.0], "t_x ≤ T"),
        ([np.nan], [0.0], [1.0], "finite"),
        ([1.0], [1.0], [np.inf], "finite"),
        ([1.0, 2.0], [1.0], [1.0], "one length"),
        ([], [], [], "at least one"),
    ],
)
def test_impossible_histories_are_refused(x, t_x, T, message):
    with pytest.raises(ValueError, match=message):
        beta_geometric.tally(x=x, t_x=t_x, T=T)


@pytest.mark.parametrize("factor", [1e-9, 0.25, 0.8, 1.0, 1.5])
def test_scaled_chance_has_its_mean_scaled_and_its_sum_kept(factor):
    a, b = beta_geometric.scaled_chance(0.8, 2.4, factor)

    assert a / (a + b) == pytest.approx(0.25 * factor)
    assert a + b == pytest.approx(3.2)


def test_scaled_chance_by_nothing_is_the_same_to_the_last_bit():
    assert beta_geometric.scaled_chance(0.793, 2.426, 1.0) == (0.793, 2.426)


@pytest.mark.parametrize(("a", "b"), [(0.8, 0.4), (1e4, 1e-4), (1e-4, 1e-4)])
def test_scaled_chance_leaves_some_to_stay(a, b):
    scaled, rest = beta_geometric.scaled_chance(a, b, 4.0)

    assert rest == pytest.approx(b / 100, rel=1e-3)
    assert scaled + rest == pytest.approx(a + b)
