"""Parameters corrected for the grain: they come to the truth, and where nothing can be corrected nothing breaks."""

import json

import numpy as np
import pytest

from analytics.clv import beta_geometric, bgnbd, grain, mbgnbd
from analytics.clv.params import BgNbdParams, MbgNbdParams
from benchmarks import simulated
from tests.analytics import cdnow

BG_HEAVY = BgNbdParams(r=1.0, alpha=10 / 7, a=0.5, b=5.0)  # weeks: an order in ten days
MBG_HEAVY = MbgNbdParams(r=1.0, alpha=10 / 7, a=0.5, b=5.0)
TRUTHS = pytest.mark.parametrize("truth", [BG_HEAVY, MBG_HEAVY], ids=["bg", "mbg"])


def columns(history):
    return {
        "x": history.order_days - 1,
        "t_x": history.first_age - history.last_age,
        "T": history.first_age,
    }


def raw_fit(facts, kind=MbgNbdParams):
    model = bgnbd if kind is BgNbdParams else mbgnbd
    return model.fit(beta_geometric.tally_days(**facts, days=7.0)).params


def make_facts(*rows):
    x, t_x, T = np.array(rows, dtype=np.int32).reshape(-1, 3).T
    return {"x": x, "t_x": t_x, "T": T}


def logs(params, days=7.0):
    return np.log([params.r, params.alpha * days, params.a, params.b])


@pytest.fixture(scope="module")
def heavy():
    """60,000 customers of either model, watched for up to a year, with their raw fits."""
    found = {}
    for truth in (BG_HEAVY, MBG_HEAVY):
        facts = columns(simulated.shop(60_000, seed=3, days=365, purchase=truth))
        found[type(truth)] = facts, raw_fit(facts, type(truth))
    return found


@TRUTHS
def test_truth_is_within_chance_and_the_raw_fit_is_not(truth, heavy):
    facts, raw = heavy[type(truth)]
    data = grain.tally(**facts)

    found = grain.correct(raw, data, days=7.0)

    error = np.array(list(grain.standard_errors(found.params, data, days=7.0).values()))
    assert found.reason == ""
    assert np.max(np.abs(logs(raw) - logs(truth)) / error) > 15
    assert np.max(np.abs(logs(found.params) - logs(truth)) / error) < 3
    assert found.moved > 15


@TRUTHS
def test_corrected_is_the_top_of_the_likelihood(truth, heavy):
    facts, raw = heavy[type(truth)]
    data, m = grain.tally(**facts), int(truth is MBG_HEAVY)
    found = grain.correct(raw, data, days=7.0)
    top = logs(found.params)

    at = grain.likelihood(data, top, m=m)

    assert at.level * data.customers == pytest.approx(found.log_likelihood, abs=0.01)
    for unit in np.eye(4):
        for step in (-0.05, 0.05):
            assert grain.likelihood(data, top + step * unit, m=m).level < at.level


@TRUTHS
def test_slope_is_that_of_the_likelihood(truth, heavy):
    data, m = grain.tally(**heavy[type(truth)][0]), int(truth is MBG_HEAVY)
    at = logs(truth) + 0.1

    slope = grain.likelihood(data, at, m=m).slope

    for place, unit in enumerate(np.eye(4)):
        above, below = (grain.likelihood(data, at + step * unit, m=m).level for step in (1e-4, -1e-4))
        assert slope[place] == pytest.approx((above - below) / 2e-4, abs=3e-4)


@TRUTHS
def test_errors_by_curvature_and_by_products_of_slopes_agree(truth, heavy):
    facts, raw = heavy[type(truth)]
    data = grain.tally(**facts)
    found = grain.correct(raw, data, days=7.0)

    by_curvature = list(grain.standard_errors(found.params, data, days=7.0).values())

    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(by_curvature, rel=0.1)


@TRUTHS
def test_a_part_of_a_large_shop_moves_the_whole_s_parameters(monkeypatch, truth, heavy):
    """Nearer to the whole's correction than a part's own top is."""
    facts, raw = heavy[type(truth)]
    whole = grain.corrected(raw, **facts, days=7.0)
    monkeypatch.setattr(grain, "MOST_CUSTOMERS", 15_000)

    found = grain.corrected(raw, **facts, days=7.0)

    error = np.sqrt(np.diag(whole.covariance))
    assert found.reason == ""
    assert found.params != whole.params
    assert np.max(np.abs(logs(found.params) - logs(whole.params)) / error) < 0.7
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(error, rel=0.2)
    assert found.moved == pytest.approx(whole.moved, rel=0.2)
    assert found.log_likelihood == pytest.approx(whole.log_likelihood, rel=0.05)


def test_a_shop_that_is_not_large_is_corrected_as_a_whole(heavy):
    facts, raw = heavy[MbgNbdParams]

    found = grain.corrected(raw, **facts, days=7.0)

    assert found.params == grain.correct(raw, grain.tally(**facts), days=7.0).params


def test_errors_shrink_with_the_root_of_the_customers(heavy):
    facts, raw = heavy[MbgNbdParams]
    once, twice = grain.tally(**facts), grain.tally(**{name: np.tile(v, 2) for name, v in facts.items()})

    few = grain.correct(raw, once, days=7.0)
    many = grain.correct(raw, twice, days=7.0)

    assert logs(many.params) == pytest.approx(logs(few.params), abs=1e-4)
    assert many.covariance == pytest.approx(few.covariance / 2, rel=1e-3)
    assert many.moved == pytest.approx(few.moved * np.sqrt(2), rel=1e-3)


def test_unit_of_time_changes_alpha_only(heavy):
    facts, raw = heavy[MbgNbdParams]
    data = grain.tally(**facts)
    daily = MbgNbdParams(raw.r, raw.alpha * 7, raw.a, raw.b)

    by_weeks, by_days = grain.correct(raw, data, days=7.0), grain.correct(daily, data, days=1.0)

    assert logs(by_weeks.params) == pytest.approx(logs(by_days.params, days=1.0), rel=1e-9)


def test_slow_buyers_hardly_move():
    """An order in five years: two on one day are as good as never, half a day is nothing."""
    facts = columns(simulated.shop(60_000, seed=4, days=3_650, purchase=MbgNbdParams(0.8, 260.0, 0.9, 2.4)))
    raw = raw_fit(facts)

    found = grain.correct(raw, grain.tally(**facts), days=7.0)

    assert found.reason == ""
    assert found.moved < 0.5


@pytest.mark.parametrize("kind", [BgNbdParams, MbgNbdParams], ids=["bg", "mbg"])
def test_cdnow_moves_toward_quicker_buyers(kind):
    """2,357 customers cannot tell: it moves by less than two standard errors, and down in α as merged days must."""
    facts = columns(cdnow.history())
    raw = raw_fit(facts, kind)

    found = grain.correct(raw, grain.tally(**facts), days=7.0)

    assert found.reason == ""
    assert 0.3 < found.moved < 2
    assert found.params.alpha < raw.alpha


def test_tally_counts_every_customer_once():
    facts = columns(cdnow.history())

    data = grain.tally(**facts)

    assert data.customers == data.once_count.sum() + data.rows_alive.size == 2357
    assert data.rows_alive.size == data.rows_left.size == 946
    assert np.array_equal(data.alive_x[data.rows_alive], facts["x"][facts["x"] > 0])
    assert np.array_equal(data.left_t_x[data.rows_left], facts["t_x"][facts["x"] > 0])


def test_likelihood_adds_up_over_customers():
    rows = [(0, 0, 5), (0, 0, 80), (1, 1, 1), (3, 20, 90), (90, 90, 90)]
    at = logs(MBG_HEAVY)

    whole = grain.likelihood(grain.tally(**make_facts(*rows)), at, m=1)
    alone = [grain.likelihood(grain.tally(**make_facts(row)), at, m=1) for row in rows]

    assert whole.level * 5 == pytest.approx(sum(one.level for one in alone), rel=1e-12)
    assert whole.slope * 5 == pytest.approx(sum(one.slope for one in alone), rel=1e-12)
    assert whole.products * 5 == pytest.approx(sum(np.outer(one.slope, one.slope) for one in alone), rel=1e-12)


def test_curvature_of_a_sample_leads_to_the_same_top(monkeypatch, heavy):
    facts, raw = heavy[MbgNbdParams]
    data = grain.tally(**facts)
    whole = grain.correct(raw, data, days=7.0)

    monkeypatch.setattr(grain, "SAMPLE", 4_000)

    found = grain.correct(raw, data, days=7.0)
    error = np.sqrt(np.diag(whole.covariance))
    assert np.max(np.abs(logs(found.params) - logs(whole.params)) / error) < 0.1
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(error, rel=0.1)


def test_blocks_do_not_change_the_likelihood(monkeypatch):
    data = grain.tally(**columns(cdnow.history()))
    whole = grain.likelihood(data, logs(MBG_HEAVY), m=1)

    monkeypatch.setattr(grain, "BLOCK", 7)

    again = grain.likelihood(data, logs(MBG_HEAVY), m=1)
    assert again.level == pytest.approx(whole.level, rel=1e-13)
    assert again.products == pytest.approx(whole.products, rel=1e-12)


def test_record_is_json():
    found = grain.correct(MBG_HEAVY, grain.tally(**columns(cdnow.history())), days=7.0)

    record = json.loads(json.dumps(found.as_dict()))

    assert record["alpha"] == found.params.alpha
    assert record["moved"] == found.moved
    assert record["standard_errors"]["r"] == pytest.approx(np.sqrt(found.covariance[0, 0]))


@TRUTHS
@pytest.mark.parametrize("factors", [(0.7, 0.7, 1.3, 1.3), (1.4, 1.5, 0.8, 0.7)])
def test_another_start_leads_to_the_same_top(truth, heavy, factors):
    facts, raw = heavy[type(truth)]
    data = grain.tally(**facts)
    elsewhere = type(truth)(*(value * factor for value, factor in zip(raw.as_dict().values(), factors, strict=True)))

    near, far = grain.correct(raw, data, days=7.0), grain.correct(elsewhere, data, days=7.0)

    error = np.sqrt(np.diag(near.covariance))
    assert far.reason == ""
    assert np.max(np.abs(logs(far.params) - logs(near.params)) / error) < 0.1


def test_steps_of_a_model_that_is_not_true_are_cut(monkeypatch):
    """MBG/NBD on customers of BG/NBD, whose slopes' products are half of its curvature."""
    facts = columns(simulated.shop(60_000, seed=5))
    raw, data = raw_fit(facts), grain.tally(**facts)

    cut = grain.correct(raw, data, days=7.0)
    monkeypatch.setattr(grain, "LEAST_SHARE", 1.0)
    whole = grain.correct(raw, data, days=7.0)

    assert cut.reason == ""
    assert cut.steps < whole.steps
    error = np.sqrt(np.diag(cut.covariance))
    assert np.max(np.abs(grain.likelihood(data, logs(cut.params), m=1).slope) * error) * data.customers < 0.5


def test_order_of_the_customers_does_not_matter(heavy):
    facts, raw = heavy[MbgNbdParams]
    shuffled = np.random.default_rng(2).permutation(facts["x"].size)

    found = grain.correct(raw, grain.tally(**{name: column[shuffled] for name, column in facts.items()}), days=7.0)

    expected = grain.correct(raw, grain.tally(**facts), days=7.0)
    assert logs(found.params) == pytest.approx(logs(expected.params), abs=1e-9)
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-12)


@TRUTHS
def test_distances_from_the_truth_are_what_their_errors_say(truth):
    """Eight shops of 20,000: the distances in standard errors have a mean about 0 and a spread about 1."""
    distances = []
    for seed in range(40, 48):
        facts = columns(simulated.shop(20_000, seed=seed, days=365, purchase=truth))
        found = grain.correct(raw_fit(facts, type(truth)), grain.tally(**facts), days=7.0)
        distances.append((logs(found.params) - logs(truth)) / np.sqrt(np.diag(found.covariance)))

    assert np.max(np.abs(np.mean(distances, axis=0))) < 1.3
    assert np.max(np.std(distances, axis=0)) < 2
    assert np.min(np.std(distances, axis=0)) > 0.3


@pytest.mark.parametrize("kind", [BgNbdParams, MbgNbdParams], ids=["bg", "mbg"])
def test_raw_fit_is_left_as_published(kind):
    """The correction stands beside it."""
    facts = columns(cdnow.history())
    raw = raw_fit(facts, kind)

    grain.corrected(raw, **facts, days=7.0)

    published = {BgNbdParams: (0.243, 4.414, 0.793, 2.426), MbgNbdParams: (0.525, 6.183, 0.891, 1.614)}[kind]
    assert tuple(raw.as_dict().values()) == pytest.approx(published, abs=6e-4)


def test_merged_days_are_more_likely_under_the_corrected_parameters(heavy):
    facts, raw = heavy[MbgNbdParams]
    data = grain.tally(**facts)

    found = grain.correct(raw, data, days=7.0)

    raw_level = grain.likelihood(data, logs(raw), m=1).level * data.customers
    assert found.log_likelihood > raw_level + 100


# Where it keeps the raw parameters


def test_climb_that_does_not_settle_keeps_the_raw_parameters(monkeypatch, heavy):
    facts, raw = heavy[MbgNbdParams]
    monkeypatch.setattr(grain, "MOST_STEPS", 1)

    found = grain.correct(raw, grain.tally(**facts), days=7.0)

    assert found.params == raw
    assert "did not settle" in found.reason
    assert found.moved == 0
    assert np.all(np.isnan(found.covariance))
    assert found.as_dict()["standard_errors"] is None


def test_likelihood_that_is_not_finite_keeps_the_raw_parameters(monkeypatch):
    data = grain.tally(**columns(cdnow.history()))
    broken = grain.Level(float("nan"), np.zeros(4), np.eye(4))
    monkeypatch.setattr(grain, "likelihood", lambda *args, **kwargs: broken)

    found = grain.correct(MBG_HEAVY, data, days=7.0)

    assert found.params == MBG_HEAVY
    assert "not finite" in found.reason


def test_a_part_that_cannot_be_fitted_keeps_the_raw_parameters(monkeypatch):
    monkeypatch.setattr(grain, "MOST_CUSTOMERS", 2)
    facts = make_facts(*[(0, 0, 30), (2, 9, 30)] * 20)  # each 20th bought once

    found = grain.corrected(MBG_HEAVY, **facts, days=7.0)

    assert found.params == MBG_HEAVY
    assert "nobody has bought twice" in found.reason
    record = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert record["standard_errors"] is None
    assert record["log_likelihood"] is None


def test_a_part_that_does_not_settle_keeps_the_raw_parameters_of_the_whole(monkeypatch, heavy):
    facts, raw = heavy[MbgNbdParams]
    monkeypatch.setattr(grain, "MOST_CUSTOMERS", 15_000)
    monkeypatch.setattr(grain, "MOST_STEPS", 1)

    found = grain.corrected(raw, **facts, days=7.0)

    assert found.params == raw
    assert "did not settle" in found.reason


def test_climb_that_ends_lower_keeps_the_raw_parameters(monkeypatch):
    data = grain.tally(**columns(cdnow.history()))
    levels = iter([grain.Level(-1.0, np.ones(4), np.eye(4)), grain.Level(-2.0, np.zeros(4), np.eye(4))])
    monkeypatch.setattr(grain, "likelihood", lambda *args, **kwargs: next(levels))

    found = grain.correct(MBG_HEAVY, data, days=7.0)

    assert found.params == MBG_HEAVY
    assert "more likely" in found.reason


def test_a_parameter_at_the_end_of_its_range_stays_there():
    """Nobody ever leaves: the raw fit ends at a = 1e-4, where it has no slope to climb."""
    never = MbgNbdParams(r=1.0, alpha=3.0, a=1e-4, b=1e4)
    facts = columns(simulated.shop(5_000, seed=6, days=300, purchase=never))
    raw = MbgNbdParams(r=1.1, alpha=3.3, a=beta_geometric.LOW[2], b=beta_geometric.HIGH[3])

    found = grain.correct(raw, grain.tally(**facts), days=7.0)

    assert found.reason == ""
    assert (found.params.a, found.params.b) == pytest.approx((raw.a, raw.b), rel=1e-9)
    assert (found.params.r, found.params.alpha) == pytest.approx((1.0, 3.0), rel=0.1)


@pytest.mark.parametrize(
    "rows",
    [
        [(0, 0, 0)],
        [(0, 0, 30)] * 5,
        [(3, 10, 20)],
        [(1, 1, 1)] * 300,
        [(300, 300, 300)] * 250,
        [(0, 0, 4), (10_000, 12_000, 20_000), (2, 9, 9)],
    ],
    ids=["first day", "all bought once", "one customer", "all alike", "every day", "ten thousand orders"],
)
@pytest.mark.parametrize("raw", [BG_HEAVY, MBG_HEAVY, MbgNbdParams(0.525, 6.183, 0.891, 1.614)])
def test_odd_shops_give_finite_parameters(rows, raw):
    found = grain.correct(raw, grain.tally(**make_facts(*rows)), days=7.0)

    values = list(found.params.as_dict().values())
    assert np.all(np.isfinite(values))
    assert min(values) > 0
    assert np.isfinite(found.log_likelihood)
    assert found.reason == "" or found.params == raw


def test_parameters_without_curvature_have_no_error():
    errors = grain.standard_errors(MBG_HEAVY, grain.tally(**make_facts((0, 0, 30))), days=7.0)

    assert set(errors) == {"r", "alpha", "a", "b"}
    assert any(np.isnan(error) for error in errors.values())
