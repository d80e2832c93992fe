"""Churn risk set right by what happened, and reasons that add up to it."""

import numpy as np
import pytest
from scipy.special import expit, logit

from analytics.clv import churn

CUSTOMERS = 20_000


def one(**facts):
    """The features of one customer; one changed fact per line."""
    plain = {"risk": 0.5, "normal_risk": 0.4, "order_days": 5, "usual_gap": 30.0, "recent_gap": 30.0}
    return churn.features(
        **{name: [value] for name, value in (plain | {"refunded": 0, "discounted": 0} | facts).items()}
    )


def feature(name, **facts):
    return one(**facts)[0, churn.FEATURES.index(name)]


def customers(seed, *, weights=churn.MODEL, count=CUSTOMERS):
    """Random customers and whether they leave, as chances with these weights say."""
    chance = np.random.default_rng(seed)
    normal = chance.uniform(0.05, 0.9, count)
    usual = chance.uniform(5, 60, count)
    matrix = churn.features(
        risk=expit(logit(normal) + chance.exponential(1.0, count)),
        normal_risk=normal,
        order_days=chance.integers(1, 6, count),
        usual_gap=usual,
        recent_gap=usual * np.exp(chance.normal(0, 0.5, count)),
        refunded=chance.beta(1, 9, count),
        discounted=chance.beta(1, 4, count),
    )
    weights = np.asarray(weights)
    return matrix, chance.random(count) < expit(weights[0] + matrix @ weights[1:])


class TestFeatures:
    def test_pace_and_silence_are_the_models_log_odds(self):
        assert feature("pace", normal_risk=0.4) + feature("silence", normal_risk=0.4, risk=0.7) == pytest.approx(
            logit(0.7)
        )

    def test_slower_lately_is_above_zero(self):
        assert feature("trend", usual_gap=20.0, recent_gap=40.0) == pytest.approx(np.log(2))

    @pytest.mark.parametrize("gaps", [{"usual_gap": np.nan}, {"recent_gap": np.nan}])
    def test_no_gap_no_trend(self, gaps):
        assert feature("trend", **gaps) == 0.0

    def test_who_ordered_once(self):
        assert (feature("once", order_days=1), feature("once", order_days=2)) == (1.0, 0.0)

    @pytest.mark.parametrize(("told", "kept"), [(-0.2, 0.0), (0.3, 0.3), (1.7, 1.0)])
    def test_shares_are_between_0_and_1(self, told, kept):
        assert (feature("refunds", refunded=told), feature("discount", discounted=told)) == (kept, kept)

    @pytest.mark.parametrize("sure", [0.0, 1.0])
    def test_a_sure_chance_stays_finite(self, sure):
        assert np.isfinite(one(risk=sure, normal_risk=sure)).all()


class TestFit:
    def test_it_finds_what_made_them_leave(self):
        truth = [0.3, 0.8, 1.2, 0.6, 0.4, 1.5, -0.7]
        found = churn.fit(*customers(1, weights=truth, count=100_000))
        assert found.reason == ""
        assert found.weights == pytest.approx(truth, abs=0.35)
        assert found.weights[:4] == pytest.approx(truth[:4], abs=0.15)

    def test_a_right_model_is_left_alone(self):
        matrix, left = customers(2)
        moved = churn.risk(churn.fit(matrix, left), matrix) - churn.risk(churn.uncalibrated(matrix, ""), matrix)
        assert np.abs(moved).mean() < 0.01

    def test_few_customers_keep_the_models_chance(self):
        matrix, left = customers(3, count=300)
        found = churn.fit(matrix, left)
        assert found.weights == tuple(churn.MODEL)
        assert "it takes 200 of either" in found.reason

    def test_more_customers_move_it_further(self):
        truth = [1.0, 1, 1, 0, 0, 0, 0]
        few, many = (churn.fit(*customers(4, weights=truth, count=count)) for count in (1_500, CUSTOMERS))
        assert abs(many.weights[0] - 1.0) < 0.1
        assert 0 < few.weights[0] < 1.3

    def test_everyone_left(self):
        matrix, _ = customers(5, count=1_000)
        assert churn.fit(matrix, np.ones(1_000, dtype=bool)).weights == tuple(churn.MODEL)

    def test_the_largest_posterior_is_where_the_slope_ends(self):
        matrix, left = customers(6, weights=[1, 1.4, 0.4, 0, 0, 0, 0], count=3_000)
        weights = np.array(churn.fit(matrix, left).weights)
        design = np.column_stack((np.ones(len(matrix)), matrix))
        slope = design.T @ (left - expit(design @ weights)) - (weights - churn.MODEL) / churn.PRIOR_SD**2
        assert np.abs(slope).max() < 1e-3

    def test_it_reads_back_from_json(self):
        found = churn.fit(*customers(7))
        assert churn.Calibration.from_dict(found.as_dict()) == found


class TestReasons:
    def test_they_add_up_to_the_score(self):
        matrix, left = customers(8, weights=[0.3, 0.8, 1.2, 0.6, 0.4, 1.5, -0.7])
        found = churn.fit(matrix, left)
        parts = churn.contributions(found, matrix)
        assert parts.sum(axis=1) + churn.average_risk(found) == pytest.approx(churn.risk(found, matrix), abs=1e-12)

    def test_each_has_the_sign_of_its_term(self):
        found = churn.Calibration((0.0, 1.0, 1.0, 1.0, 0.0, 2.0, 0.0), (0.0,) * 6, 1)
        parts = churn.contributions(found, one(risk=0.5, normal_risk=0.5, recent_gap=15.0, refunded=0.5))[0]
        named = dict(zip(churn.FEATURES, parts, strict=True))
        assert named["trend"] < 0 < named["refunds"]
        assert named["once"] == named["discount"] == 0.0

    def test_the_average_customer_has_none(self):
        found = churn.fit(*customers(9))
        assert churn.contributions(found, np.array([found.means])) == pytest.approx(0.0, abs=1e-12)

    def test_terms_that_cancel_each_other_exactly(self):
        found = churn.Calibration((0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0), (0.0,) * 6, 1)
        parts = churn.contributions(found, np.array([[1.0, -1.0, 0, 0, 0, 0]]))[0]
        assert parts[:2] == pytest.approx([0.25, -0.25])


class TestLearn:
    def test_what_helps_is_used(self):
        truth = [0.8, 0.7, 0.6, 0, 0, 0, 0]
        learned = churn.learn([customers(seed, weights=truth) for seed in (10, 11, 12)])
        assert learned.calibration.reason == ""
        assert learned.brier < learned.brier_model
        assert (learned.tested_on, learned.calibration.customers) == (CUSTOMERS, 3 * CUSTOMERS)

    def test_what_does_not_help_the_latest_origin_is_not(self):
        wrong, right = customers(13, weights=[2.0, 1, 1, 0, 0, 0, 0]), customers(14)
        learned = churn.learn([wrong, right])
        assert learned.calibration.weights == tuple(churn.MODEL)
        assert "no better than the model" in learned.calibration.reason
        assert learned.brier == learned.brier_model

    def test_nothing_to_learn_from(self):
        learned = churn.learn([])
        assert learned.calibration.weights == tuple(churn.MODEL)
        assert (learned.brier, learned.curve) == (None, ())

    def test_one_origin_calibrates_and_is_not_tested(self):
        learned = churn.learn([customers(15)])
        assert (learned.calibration.reason, learned.tested_on, learned.brier) == ("", 0, None)

    def test_it_reads_back_from_json(self):
        learned = churn.learn([customers(16), customers(17)])
        assert churn.Learned.from_dict(learned.as_dict()) == learned


class TestCurve:
    def test_groups_rise_and_hold_everyone(self):
        matrix, left = customers(18)
        curve = churn.reliability(churn.risk(churn.uncalibrated(matrix, ""), matrix), left)
        said = [group.said for group in curve]
        assert said == sorted(said)
        assert sum(group.customers for group in curve) == CUSTOMERS
        assert all(abs(group.said - group.happened) < 0.04 for group in curve)

    def test_fewer_customers_than_groups(self):
        assert len(churn.reliability(np.array([0.2, 0.4]), np.array([True, False]))) == 2

    def test_brier(self):
        assert churn.brier([0.0, 0.5, 1.0], [False, True, True]) == pytest.approx(0.25 / 3)
        assert np.isnan(churn.brier([], []))
