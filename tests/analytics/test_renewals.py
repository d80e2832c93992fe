"""What contracts teach about renewals: pooling, shrinkage, named fallbacks, and terms that nobody decided upon."""

import numpy as np
import pytest

from analytics.clv import renewals, sbg
from analytics.clv.params import SbgParams
from tests.analytics.test_sbg import HIGH_END, REGULAR, drawn

KEEPS, LEAVES = sbg.of_cohort(HIGH_END), sbg.of_cohort(REGULAR)


def pairs(renewed, cancelled):
    return sbg.of_pairs([0] * (renewed + cancelled), [True] * renewed + [False] * cancelled)


def first(curve):
    return float(sbg.p_renew(curve.params, 0))


def test_each_plan_with_enough_decisions_has_a_model_of_its_own():
    learned = renewals.learn({("High End", 12): KEEPS, ("Regular", 12): LEAVES, ("Small", 12): pairs(3, 1)})

    assert set(learned.plans) == {("High End", 12), ("Regular", 12)}
    assert learned.of(("High End", 12)).name == renewals.OF_PLAN
    assert learned.of(("Small", 12)) == learned.of(("Unheard of", 12)) == learned.lengths[12]
    assert learned.of(("Small", 1)) == learned.pooled
    assert (learned.lengths[12].name, learned.pooled.name) == (renewals.OF_LENGTH, renewals.OF_ALL)
    assert first(learned.of(("Regular", 12))) < first(learned.pooled) < first(learned.of(("High End", 12)))


def test_months_and_years_learn_apart():
    learned = renewals.learn({("Year", 12): pairs(40, 10) + LEAVES, ("Month", 1): pairs(300, 6) + pairs(3, 1)})

    assert first(learned.of(("Another month", 1))) > 0.95
    assert first(learned.of(("Another year", 12))) < 0.7


def test_with_many_decisions_the_prior_says_next_to_nothing():
    learned = renewals.learn({("High End", 12): KEEPS, ("Regular", 12): LEAVES})

    assert learned.of(("High End", 12)).params.alpha == pytest.approx(0.668, rel=0.06)
    assert learned.of(("High End", 12)).params.beta == pytest.approx(3.806, rel=0.06)


def test_what_was_decided_is_told():
    told = renewals.learn({("High End", 12): KEEPS, ("Small", 12): pairs(3, 1)}).as_dict()

    (own,) = told["plans"]
    assert (own["plan"], own["months"], own["decisions"], own["renewed"]) == ("High End", 12, 4926, 4417)
    assert (told["pooled"]["decisions"], told["pooled"]["renewed"]) == (4926 + 4, 4417 + 3)
    assert {"name", "reason", "alpha", "beta"} <= set(told["pooled"])


@pytest.mark.parametrize(
    ("decisions", "reason"),
    [
        ({}, "no contract has come to a renewal"),
        ({("Care", 12): sbg.of_pairs([], [])}, "no contract has come to a renewal"),
        ({("Care", 12): pairs(50, 0)}, "no contract was cancelled"),
        ({("Care", 12): pairs(0, 50)}, "no contract was renewed"),
        ({("Care", 12): pairs(25, 25)}, "all decisions were taken at one age"),
        ({("Care", 12): sbg.of_pairs([0, 0, 1], [True, False, True])}, "fewer than 20 decisions"),
    ],
)
def test_too_little_is_said_by_name(decisions, reason):
    learned = renewals.learn(decisions)

    assert (learned.pooled.name, learned.pooled.reason) == (renewals.SHRUNKEN, reason)
    assert 0 < first(learned.pooled) < 1


def test_plans_differ_where_all_decisions_were_taken_at_one_age():
    learned = renewals.learn({("Loyal", 12): pairs(36, 4), ("Fickle", 12): pairs(20, 20)})

    assert learned.pooled.reason == "all decisions were taken at one age"
    assert first(learned.of(("Loyal", 12))) > first(learned.of(("Fickle", 12))) + 0.2


def test_too_few_decisions_make_no_model_of_a_plan():
    assert renewals.learn({("Care", 12): pairs(10, 5)}).plans == {}


def test_without_a_decision_the_prior_stands():
    assert first(renewals.learn({}).pooled) == pytest.approx(
        first(renewals._curve("", "", pairs(0, 0), renewals.PRIOR, 1))
    )
    assert first(renewals.learn({}).pooled) == pytest.approx(0.8, abs=1e-4)


def test_the_rate_follows_what_was_decided_in_order():
    """From nobody renewed to everybody did: the chance rises, and is never 0 or 1."""
    rates = [first(renewals.learn({("Care", 12): pairs(kept, 12 - kept)}).pooled) for kept in range(13)]

    assert rates == sorted(rates)
    assert 0.1 < rates[0] < 0.4
    assert 0.85 < rates[-1] < 1


def test_one_contract_hardly_moves_the_prior():
    assert first(renewals.learn({("Care", 12): pairs(1, 0)}).pooled) == pytest.approx(0.84, abs=0.02)
    assert first(renewals.learn({("Care", 12): pairs(0, 1)}).pooled) == pytest.approx(0.65, abs=0.03)


def test_true_chances_are_found_from_a_few_hundred_contracts():
    truth = SbgParams(0.8, 3.2)
    learned = renewals.learn({("Care", 12): drawn(truth, 400, 6)})

    for n in range(4):
        found = sbg.p_renew(learned.of(("Care", 12)).params, n)
        assert found == pytest.approx(sbg.p_renew(truth, n), abs=0.03)


def test_draws_of_parameters_are_as_wide_as_the_data_are_few():
    """The spread of the first chance of renewal falls with the root of the contracts."""
    spreads = []
    for contracts in (100, 1_600):
        curve = renewals.learn({("Care", 12): drawn(SbgParams(0.8, 3.2), contracts, 6)}).of(("Care", 12))
        alpha, beta = curve.draws(4_000, np.random.default_rng(1))
        spreads.append(np.std(beta / (alpha + beta)))

    assert spreads[0] / spreads[1] == pytest.approx(4, rel=0.35)


def test_draws_cover_the_truth_as_often_as_they_say():
    """Of 80 shops, the true first chance lies in the 80 % interval of the drawn ones 56 to 74 times."""
    truth, inside = SbgParams(0.8, 3.2), 0
    for seed in range(80):
        curve = renewals.learn({("Care", 12): drawn(truth, 250, 5, seed=seed)}).of(("Care", 12))
        alpha, beta = curve.draws(800, np.random.default_rng(seed))
        low, high = np.percentile(beta / (alpha + beta), [10, 90])
        inside += low <= 0.8 <= high

    assert 56 <= inside <= 74


def test_the_longer_nobody_decides_the_less_likely_is_a_renewal():
    """Ten decisions came late: those of the first week were renewals, later ones were not."""
    late = [1, 2, 3, 5, 6, 10, 20, 30, 40, 60], [True] * 5 + [False] * 5

    chances = renewals.still_renews(np.full(4, 0.8), [1, 7, 30, 100], *late)

    assert chances.tolist() == sorted(chances, reverse=True)
    assert chances[0] == pytest.approx((5 + 1.6) / 14)
    assert chances[-1] == chances[1] == pytest.approx(1.6 / 9)


def test_without_late_decisions_half_of_the_chance_is_left():
    assert renewals.still_renews([0.9, 0.2], [1, 400], [], []).tolist() == [0.45, 0.1]
