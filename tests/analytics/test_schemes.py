"""The schemes besides RFM as pure functions: what divides customers, ties, shops of nobody and of equals, losses."""

import numpy as np
import pytest

from analytics import schemes
from analytics.clv import bands
from analytics.clv.history import History

LOW, MEDIUM, HIGH = bands.LOW, bands.MEDIUM, bands.HIGH


def history(*people):
    """(order days, first age, last age, prior age) each; gaps of equal length."""
    days, first, last, prior = (np.array(column, np.int32) for column in zip(*people, strict=True))
    gap = np.where(days > 1, (first - last) / np.maximum(days - 1, 1), 1.0)
    nothing = np.zeros(days.size)
    return History(
        order_days=days,
        first_age=first,
        last_age=last,
        value=nothing,
        repeat_value=nothing,
        margin=nothing,
        log_gaps=np.where(days > 1, (days - 1) * np.log(np.maximum(gap, 1.0)), 0.0),
        prior_age=prior,
    )


NOBODY = history((0, 0, 0, -1)).take(np.array([], np.intp))


def tiers(*worth, known=None):
    values = np.array(worth, float)
    a, b = schemes.tier_cuts(values)
    found = schemes.Thresholds(tier_a=a, tier_b=b)
    stands = np.ones(values.size, bool) if known is None else np.array(known)
    return schemes.value_tier(found, worth=values, known=stands).tolist()


class TestValueTier:
    def test_it_works(self):
        assert tiers(70, 12, 8, 6, 4) == [1, 1, 2, 2, 3]

    def test_equals_share_the_better_tier(self):
        assert tiers(50, 25, 25, 0) == [1, 1, 1, 3]
        assert tiers(5, 5, 5, 5, 5) == [1] * 5

    def test_who_brings_nothing_or_a_loss_is_c(self):
        assert tiers(100, 0, -300) == [1, 3, 3]
        assert tiers(-1, -2, 0) == [3, 3, 3]

    def test_one_customer_brings_everything(self):
        assert tiers(7) == [1]
        assert tiers(10_000_000, 1, 1) == [1, 3, 3]

    def test_who_has_no_order_left_has_none(self):
        assert tiers(9, 0, known=[True, False]) == [1, 0]

    def test_nobody(self):
        assert schemes.tier_cuts(np.array([])) == (None, None)
        assert tiers() == []

    def test_the_order_of_the_rows_does_not_matter(self):
        worth = np.random.default_rng(3).gamma(0.5, 100, 200)
        assert schemes.tier_cuts(worth) == schemes.tier_cuts(worth[::-1])

    @pytest.mark.parametrize("seed", range(5))
    def test_a_brings_80_percent_and_no_smaller_number_does(self, seed):
        worth = np.random.default_rng(seed).gamma(0.4, 50, 500)
        found = np.array(tiers(*worth))
        top = np.sort(worth[found == 1])
        assert top.sum() >= 0.8 * worth.sum() > top[1:].sum()
        upper = np.sort(worth[found <= 2])
        assert upper.sum() >= 0.95 * worth.sum() > upper[1:].sum()


class TestTenure:
    FOUND = schemes.Thresholds(gap_days=30.0)

    def test_it_works(self):
        past = history((1, 0, 0, -1), (1, 89, 89, -1), (1, 90, 90, -1), (2, 359, 5, -1), (2, 360, 5, -1))
        assert schemes.tenure(self.FOUND, past).tolist() == [1, 1, 2, 2, 3]

    def test_who_has_no_order_left_has_none(self):
        assert schemes.tenure(self.FOUND, history((0, 0, 0, -1))).tolist() == [0]

    def test_a_shop_that_has_just_opened_has_newcomers_only(self):
        past = history(*[(1, 0, 0, -1)] * 4)
        assert schemes.tenure(schemes.thresholds(past, worth=np.zeros(4)), past).tolist() == [1] * 4


class TestUsualGap:
    def test_it_is_the_geometric_mean_of_all_gaps(self):
        past = history((2, 40, 30, -1), (2, 100, 60, -1), (1, 500, 500, -1))
        assert schemes.usual_gap(past) == pytest.approx(20.0)

    def test_it_is_kept_within_limits(self):
        assert schemes.usual_gap(history((2, 2, 1, -1))) == schemes.FEWEST_GAP_DAYS
        assert schemes.usual_gap(history((2, 4000, 1, -1))) == schemes.MOST_GAP_DAYS

    @pytest.mark.parametrize("past", [NOBODY, history((1, 30, 30, -1)), history((0, 0, 0, -1))])
    def test_without_a_second_order_it_is_not_known(self, past):
        assert schemes.usual_gap(past) == schemes.UNKNOWN_GAP_DAYS

    def test_gaps_that_are_not_known_count_for_nothing(self):
        known = history((3, 90, 10, 90))
        blind = History(*(getattr(known, name) for name in ("order_days", "first_age", "last_age", "value",
                                                            "repeat_value", "margin")))  # fmt: skip
        assert schemes.usual_gap(blind) == schemes.UNKNOWN_GAP_DAYS


class TestTrajectory:
    def of(self, *people, band=LOW):
        past = history(*people)
        return schemes.trajectory(past, band=np.full(len(people), band, np.int8)).tolist()

    def test_it_works(self):
        # Six order days, the third-last 60 days ago: gaps of 30 of late, before that 90, 30 and 15.
        assert self.of((6, 330, 0, 60), (6, 150, 0, 60), (6, 105, 0, 60)) == [1, 2, 3]

    def test_silence_counts_once_it_is_longer_than_a_gap(self):
        assert schemes.change_of_pace(history((6, 150, 0, 60))).tolist() == [1.0]
        assert schemes.change_of_pace(history((6, 180, 30, 90))).tolist() == [1.0]
        assert schemes.change_of_pace(history((6, 240, 90, 150))).tolist() == [pytest.approx(0.6)]

    def test_the_band_decides_who_is_lost_and_who_fades(self):
        assert self.of((6, 330, 0, 60), band=HIGH) == [4]
        assert self.of((6, 330, 0, 60), band=MEDIUM) == [3]

    @pytest.mark.parametrize("person", [(1, 10, 10, -1), (2, 400, 10, -1), (3, 400, 10, 400)])
    def test_too_few_orders_are_steady_while_the_silence_is_normal(self, person):
        assert self.of(person) == [2]
        assert self.of(person, band=HIGH) == [4]

    def test_who_has_no_order_left_has_none(self):
        assert self.of((0, 0, 0, -1), band=bands.NONE) == [0]

    def test_nobody(self):
        assert schemes.trajectory(NOBODY, band=np.zeros(0, np.int8)).tolist() == []

    def test_orders_on_the_last_days_make_no_division_by_zero(self):
        with np.errstate(all="raise"):
            assert self.of((5, 4, 0, 2), (4, 3, 0, 2)) == [2, 2]


class TestProfitability:
    def of(self, profit, expected, band=LOW, known=True):
        return schemes.profitability(
            profit=np.array([float(profit)]),
            expected=np.array([float(expected)]),
            band=np.array([band], np.int8),
            known=np.array([known]),
        ).tolist()[0]

    def test_it_works(self):
        assert [self.of(5, 5), self.of(-5, 9), self.of(-5, 2), self.of(5, 0, HIGH)] == [1, 2, 3, 4]

    def test_nothing_gained_and_nothing_to_come_is_unprofitable(self):
        assert self.of(0, 0) == 3

    def test_who_cost_more_and_left_is_unprofitable_and_not_only_inactive(self):
        assert self.of(-5, 1, HIGH) == 3

    def test_who_has_no_order_left_has_none(self):
        assert self.of(-5, 0, known=False) == 0


def test_thresholds_survive_the_runs_json():
    found = schemes.thresholds(history((3, 90, 10, 90)), worth=np.array([3.0, 1.0]))
    assert schemes.Thresholds.from_dict(found.as_dict()) == found
    assert schemes.Thresholds.from_dict({}) == schemes.Thresholds()


def test_every_kind_has_a_place_of_its_own():
    for scheme in schemes.COMPUTED:
        assert [kind.code for kind in scheme.kinds] == list(range(1, len(scheme.kinds) + 1))
        assert len({kind.slug for kind in scheme.kinds}) == len(scheme.kinds)
        assert all(kind.definition.endswith(".") for kind in scheme.kinds)
