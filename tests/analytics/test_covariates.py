"""Covariates: simulated effects are found again, one cell is the plain fit, cells that do not help are left alone."""

import json

import numpy as np
import pytest

from analytics.clv import beta_geometric, bgnbd, covariates, fitting, mbgnbd
from analytics.clv.covariates import ALIKE, ByCell, Cells, Histories
from analytics.clv.history import History
from analytics.clv.params import BgNbdParams, MbgNbdParams, ParetoNbdParams
from benchmarks import simulated

BASE = (0.8, 8.0, 0.9, 2.4)  # weeks
PACE, MORE_A, MORE_B = np.log(2.0), 0.3, -0.4  # of those who came by mail
KINDS = pytest.mark.parametrize("kind", [BgNbdParams, MbgNbdParams], ids=["bg", "mbg"])


def histories_of(*shops):
    """One after the other."""
    return Histories(
        x=np.concatenate([shop.order_days - 1 for shop in shops]),
        t_x=np.concatenate([shop.first_age - shop.last_age for shop in shops]),
        T=np.concatenate([shop.first_age for shop in shops]),
        days=7.0,
    )


def make_shop(kind, customers, *, pace=0.0, a=0.0, b=0.0, seed=1):
    r, alpha, base_a, base_b = BASE
    purchase = kind(r, alpha * np.exp(-pace), base_a * np.exp(a), base_b * np.exp(b))
    return simulated.shop(customers, seed=seed, days=500, purchase=purchase)


def make_cells(*codes):
    """An indicator for each value of each property; combinations are cells."""
    columns = [np.asarray(one) == value for one in codes for value in range(int(np.max(one)) + 1)]
    has, code = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
    names = tuple(f"{place}: {value}" for place, one in enumerate(codes) for value in range(int(np.max(one)) + 1))
    return Cells(names, np.vstack([np.zeros(len(names)), has.astype(float)]), code.ravel() + 1)


def history_of(histories, cell):
    """As a shop has it, with nothing known of money."""
    nothing = np.zeros(histories.x.size)
    last = histories.T - histories.t_x
    return History(histories.x + 1, histories.T, last, nothing, nothing, nothing, cell=np.asarray(cell))


@pytest.fixture(scope="module")
def two_channels():
    """15,000 customers by mail, who are quicker and stay shorter, and 15,000 by search, mixed."""
    found = {}
    order = np.random.default_rng(8).permutation(30_000)
    for kind in (BgNbdParams, MbgNbdParams):
        mail = make_shop(kind, 15_000, pace=PACE, a=MORE_A, b=MORE_B, seed=1)
        both = histories_of(mail, make_shop(kind, 15_000, seed=2))
        codes = np.repeat([0, 1], 15_000)[order]
        mixed = Histories(both.x[order], both.t_x[order], both.T[order], 7.0)
        found[kind] = mixed, make_cells(codes)
    return found


@KINDS
def test_simulated_effects_are_found_again(kind, two_channels):
    histories, known = two_channels[kind]

    found = covariates.fit(kind, histories, known)

    mail, search = found.names.index("0: 0"), found.names.index("0: 1")
    pace, more_a, more_b = (found.gamma[:, mail] - found.gamma[:, search]).tolist()
    assert pace == pytest.approx(PACE, abs=0.1)
    assert more_a == pytest.approx(MORE_A, abs=0.25)
    assert more_b == pytest.approx(MORE_B, abs=0.35)


@KINDS
def test_cells_have_the_parameters_they_were_made_with(kind, two_channels):
    histories, known = two_channels[kind]

    found = covariates.judged(kind, histories, known)

    mail = found.params[1 + int(known.z[1, found.names.index("0: 1")])]
    r, alpha, a, b = BASE
    assert mail.alpha / mail.r == pytest.approx(alpha * np.exp(-PACE) / r, rel=0.1)
    expected = a * np.exp(MORE_A) / (a * np.exp(MORE_A) + b * np.exp(MORE_B))
    assert mail.a / (mail.a + mail.b) == pytest.approx(expected, rel=0.1)
    assert found.reason == ""
    assert found.p_value < 1e-50
    assert found.gain > 100


@KINDS
def test_no_cells_is_the_plain_fit(kind, two_channels):
    histories, _ = two_channels[kind]
    alike = Cells.of(np.zeros(30_000, dtype=np.intp))
    model = bgnbd if kind is BgNbdParams else mbgnbd
    plain = model.fit(beta_geometric.tally_days(x=histories.x, t_x=histories.t_x, T=histories.T, days=7.0))

    found = covariates.fit(kind, histories, alike)

    assert len(found.params) == 1
    assert list(found.params[0].as_dict().values()) == pytest.approx(list(plain.params.as_dict().values()), rel=1e-3)
    assert found.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-9)
    assert found.ratio == pytest.approx(0, abs=1e-3)
    assert found.reason == "all customers are alike"


def test_gradient_is_that_of_the_likelihood(two_channels):
    histories, known = two_channels[MbgNbdParams]
    tallies = [(known.z[cell], histories.tally(known.code == cell)) for cell in (1, 2)]
    at = np.array([0.7, 0.3, 1.1, 2.0, 1.3, 0.8, 1.1, 0.9, 0.7, 1.2])

    _, slope = covariates._penalised(tallies, at, 30_000, 36.0, 1)

    for place in range(at.size):
        step = np.zeros(at.size)
        step[place] = 1e-5
        above, below = (covariates._penalised(tallies, at + sign * step, 30_000, 36.0, 1)[0] for sign in (1, -1))
        assert slope[place] == pytest.approx((above - below) / 2e-5, rel=1e-4, abs=1e-8)


def test_likelihood_is_the_sum_of_the_cells(two_channels):
    histories, known = two_channels[MbgNbdParams]

    found = covariates.fit(MbgNbdParams, histories, known)

    alone = 0.0
    for cell, params in enumerate(found.params):
        rows = known.code == cell
        if rows.any():
            alone += mbgnbd.log_likelihood(params, histories.x[rows], histories.t_x[rows] / 7, histories.T[rows] / 7)
    assert found.log_likelihood == pytest.approx(alone, rel=1e-10)
    assert found.ratio > 0


def test_small_levels_are_drawn_to_the_shop():
    """The same effect, told by 300 and by 15,000 customers."""
    quick, usual = make_shop(MbgNbdParams, 15_000, pace=PACE, seed=3), make_shop(MbgNbdParams, 15_000, seed=4)
    few = np.arange(300)
    many = covariates.fit(
        MbgNbdParams,
        histories_of(quick, usual),
        make_cells(np.repeat([0, 1], 15_000)),
    )
    little = covariates.fit(
        MbgNbdParams,
        histories_of(quick.take(few), usual),
        make_cells(np.repeat([0, 1], [300, 15_000])),
    )

    spread = [float(np.sum(found.gamma[0] * (1, -1))) for found in (many, little)]

    assert spread[0] == pytest.approx(PACE, abs=0.1)
    assert 0 < spread[1] < spread[0] + 0.2
    assert np.abs(little.gamma[1:, 0]).max() < 0.5


def test_a_large_shop_is_learned_from_a_part_of_it(monkeypatch, two_channels):
    histories, known = two_channels[MbgNbdParams]
    monkeypatch.setattr(covariates, "MOST_CUSTOMERS", 12_000)

    found = covariates.judged(MbgNbdParams, histories, known)

    assert found.customers == 10_000
    assert float(found.gamma[0] @ (known.z[1] - known.z[2])) == pytest.approx(
        PACE * (1 if known.z[1, 0] else -1), abs=0.2
    )
    assert len(found.params) == known.z.shape[0]


@KINDS
def test_two_properties_work_side_by_side(kind):
    """Pace × 1.6 by mail and × 0.7 for companies; a company that came by mail has both."""
    shops = [
        make_shop(kind, 6_000, pace=mail * np.log(1.6) + company * np.log(0.7), seed=20 + 2 * mail + company)
        for mail in (0, 1)
        for company in (0, 1)
    ]
    channel, which = np.repeat([1, 0], 12_000), np.tile(np.repeat([0, 1], 6_000), 2)

    found = covariates.fit(kind, histories_of(*shops), make_cells(channel, which))

    pace = dict(zip(found.names, found.gamma[0].tolist(), strict=True))
    assert pace["0: 0"] - pace["0: 1"] == pytest.approx(np.log(1.6), abs=0.12)
    assert pace["1: 1"] - pace["1: 0"] == pytest.approx(np.log(0.7), abs=0.12)


def test_order_of_the_customers_does_not_matter(two_channels):
    histories, known = two_channels[BgNbdParams]
    shuffled = np.random.default_rng(4).permutation(known.code.size)

    found = covariates.fit(BgNbdParams, histories.take(shuffled), Cells(known.names, known.z, known.code[shuffled]))

    expected = covariates.fit(BgNbdParams, histories, known)
    assert found.gamma == pytest.approx(expected.gamma, abs=2e-3)
    assert found.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-9)


def test_order_of_the_levels_does_not_matter(two_channels):
    histories, known = two_channels[MbgNbdParams]
    swapped = Cells(known.names[::-1], known.z[:, ::-1].copy(), known.code)

    found = covariates.fit(MbgNbdParams, histories, swapped)

    expected = covariates.fit(MbgNbdParams, histories, known)
    assert found.gamma[:, ::-1] == pytest.approx(expected.gamma, abs=2e-3)


def test_unit_of_time_changes_alpha_only(two_channels):
    histories, known = two_channels[MbgNbdParams]
    daily = Histories(histories.x, histories.t_x, histories.T, 1.0)

    weeks, days = (covariates.fit(MbgNbdParams, each, known) for each in (histories, daily))

    assert days.gamma == pytest.approx(weeks.gamma, abs=2e-3)
    for by_week, by_day in zip(weeks.params, days.params, strict=True):
        assert by_day.alpha == pytest.approx(7 * by_week.alpha, rel=5e-3)
        assert by_day.r == pytest.approx(by_week.r, rel=5e-3)


def test_parameters_of_a_cell_are_the_paper_s_products(two_channels):
    """α₀·exp(-γ₁'z), a₀·exp(γ₂'z), b₀·exp(γ₃'z), and one r for all."""
    histories, known = two_channels[BgNbdParams]

    found = covariates.fit(BgNbdParams, histories, known)

    base = found.params[0]
    for z, params in zip(known.z, found.params, strict=True):
        pace, more_a, more_b = found.gamma @ z
        assert params.r == pytest.approx(base.r, rel=1e-12)
        assert params.alpha == pytest.approx(base.alpha * np.exp(-pace), rel=1e-12)
        assert params.a == pytest.approx(base.a * np.exp(more_a), rel=1e-12)
        assert params.b == pytest.approx(base.b * np.exp(more_b), rel=1e-12)


def test_a_cell_alone_has_its_own_indicator():
    known = Cells.of(np.array([0, 2, 1, 2]))

    assert known.names == ("cell 1", "cell 2")
    assert np.array_equal(known.z, [[0, 0], [1, 0], [0, 1]])


def test_a_start_changes_nothing_but_the_way(two_channels):
    histories, known = two_channels[MbgNbdParams]

    usual = covariates.fit(MbgNbdParams, histories, known)
    found = covariates.fit(MbgNbdParams, histories, known, near=MbgNbdParams(2.0, 30.0, 0.3, 5.0))

    assert found.gamma == pytest.approx(usual.gamma, abs=2e-3)
    assert found.log_likelihood == pytest.approx(usual.log_likelihood, rel=1e-9)


def test_newton_arrives_where_the_search_does(two_channels, monkeypatch):
    """The search proper has nothing left to do; without Newton's steps it takes its time and ends at the same place."""
    histories, known = two_channels[MbgNbdParams]
    evaluations, maximise = [], fitting.maximise

    def counted(*args, **options):
        evaluations.append(maximise(*args, **options))
        return evaluations[-1]

    monkeypatch.setattr(fitting, "maximise", counted)
    quick = covariates.fit(MbgNbdParams, histories, known)
    monkeypatch.setattr(covariates, "STEPS", 0)
    slow = covariates.fit(MbgNbdParams, histories, known)

    assert quick.gamma == pytest.approx(slow.gamma, abs=2e-3)
    assert evaluations[1].evaluations < 5 < evaluations[3].evaluations


def test_curvature_is_that_of_the_slope(two_channels):
    histories, known = two_channels[MbgNbdParams]
    tallies = [(known.z[cell], histories.tally(known.code == cell)) for cell in (1, 2)]
    at = np.log(np.array([0.7, 0.3, 1.1, 2.0, 1.3, 0.8, 1.1, 0.9, 0.7, 1.2]))

    slope, curvature = covariates._bend(tallies, at, 30_000, 36.0, 1, True)

    level_slope = covariates._penalised(tallies, np.exp(at), 30_000, 36.0, 1)[1] * np.exp(at)
    assert slope == pytest.approx(level_slope, rel=1e-9, abs=1e-12)
    for place in range(at.size):
        step = np.zeros(at.size)
        step[place] = 1e-4
        above, below = (covariates._bend(tallies, at + sign * step, 30_000, 36.0, 1, False)[0] for sign in (1, -1))
        assert curvature[place] == pytest.approx((below - above) / 2e-4, rel=1e-2, abs=1e-4)


# Where they are left alone


def test_cells_without_a_difference_are_left_alone():
    shop = make_shop(MbgNbdParams, 8_000, seed=9)
    by_chance = make_cells(np.random.default_rng(1).integers(0, 2, 8_000))

    found = covariates.judged(MbgNbdParams, histories_of(shop), by_chance)

    assert "chance would do as well" in found.reason
    assert found.p_value > covariates.SURE


def test_cells_that_do_not_hold_for_others_are_left_alone():
    """Every other customer of the first level is quick, the rest are slow: what one half teaches misleads the other."""
    quick = make_shop(MbgNbdParams, 6_000, pace=1.5, seed=5)
    slow, usual = make_shop(MbgNbdParams, 6_000, pace=-1.5, seed=6), make_shop(MbgNbdParams, 12_000, seed=7)
    first = np.ravel(np.column_stack([np.arange(6_000), np.arange(6_000, 12_000)]))
    both = histories_of(quick, slow)
    mixed = Histories(
        *(
            np.concatenate([getattr(both, name)[first], getattr(histories_of(usual), name)])
            for name in ("x", "t_x", "T")
        ),
        days=7.0,
    )
    known = make_cells(np.repeat([0, 1], 12_000))

    found = covariates.judged(MbgNbdParams, mixed, known)

    assert found.gain < 0
    assert "who were not fitted to are not better known" in found.reason


def test_alike_customers_are_not_judged(two_channels):
    histories, _ = two_channels[MbgNbdParams]

    found = covariates.judged(MbgNbdParams, histories, Cells.of(np.zeros(30_000, dtype=np.intp)))

    assert found.reason == "all customers are alike"
    assert np.isnan(found.gain)


def test_nobody_bought_twice_does_not_converge():
    nobody = np.zeros(500, dtype=np.int32)
    histories = Histories(x=nobody, t_x=nobody, T=nobody + 30, days=7.0)

    with pytest.raises(fitting.DidNotConverge, match="nobody has bought twice"):
        covariates.fit(MbgNbdParams, histories, Cells((), np.zeros((1, 0)), nobody.astype(np.intp)))


def test_a_level_that_never_came_back_stays_finite():
    shop = make_shop(MbgNbdParams, 3_000, seed=10)
    never = np.zeros(400, dtype=np.int32)
    usual = histories_of(shop)
    both = Histories(
        x=np.concatenate([usual.x, never]),
        t_x=np.concatenate([usual.t_x, never]),
        T=np.concatenate([usual.T, never + 300]),
        days=7.0,
    )

    found = covariates.fit(MbgNbdParams, both, make_cells(np.repeat([1, 0], [3_000, 400])))

    assert np.all(np.isfinite(found.gamma))
    assert found.gamma[0, 0] < found.gamma[0, 1]


# What a shop learns


@pytest.fixture(scope="module")
def learned(two_channels):
    """Of 30,000 customers by mail (cell 1) and by search (cell 2)."""
    histories, known = two_channels[MbgNbdParams]
    columns = beta_geometric.tally_days(x=histories.x, t_x=histories.t_x, T=histories.T, days=7.0)
    plain = mbgnbd.fit(columns).params
    return covariates.learn(plain, history_of(histories, 1 + known.z[known.code, 1].astype(int)))


def test_a_shop_with_two_channels_has_parameters_of_either(learned):
    rest, mail, search = learned.params

    assert learned.customers == (0, 15_000, 15_000)
    assert learned.reason == ""
    assert learned.gain > 100
    assert mail.r / mail.alpha == pytest.approx(BASE[0] / BASE[1] * 2.0, rel=0.1)
    assert search.r / search.alpha == pytest.approx(BASE[0] / BASE[1], rel=0.1)
    assert search.r / search.alpha < rest.r / rest.alpha < mail.r / mail.alpha


def test_what_was_learned_comes_back_from_json(learned):
    for each in (learned, ALIKE, ByCell(customers=(3, 4), p_value=0.5, reason="chance would do as well (p = 0.5)")):
        assert ByCell.from_dict(json.loads(json.dumps(each.as_dict()))) == each


def test_a_shop_without_a_difference_keeps_one_set():
    """Levels dealt by chance: no parameters of cells, and the reason."""
    shop = make_shop(MbgNbdParams, 8_000, seed=9)
    cell = np.random.default_rng(1).integers(1, 3, 8_000)

    found = covariates.learn(MbgNbdParams(*BASE), history_of(histories_of(shop), cell))

    assert found.params == ()
    assert "chance would do as well" in found.reason
    assert sum(found.customers) == 8_000


def test_a_shop_without_cells_has_nothing_to_say():
    shop = make_shop(MbgNbdParams, 500, seed=9)

    assert covariates.learn(MbgNbdParams(*BASE), history_of(histories_of(shop), np.zeros(500, int))) == ALIKE


def test_other_models_know_no_cells(two_channels):
    histories, known = two_channels[BgNbdParams]

    found = covariates.learn(ParetoNbdParams(0.5, 10.0, 0.6, 11.0), history_of(histories, known.code))

    assert (found.params, found.reason) == ((), "Pareto/NBD has one set of parameters for all")


def test_what_cannot_be_fitted_keeps_one_set():
    nobody = np.zeros(500, dtype=np.int32)
    never = Histories(x=nobody, t_x=nobody, T=nobody + 30, days=7.0)

    found = covariates.learn(MbgNbdParams(*BASE), history_of(never, np.repeat([1, 2], 250)))

    assert found.params == ()
    assert "nobody has bought twice" in found.reason


def test_a_cell_with_few_customers_stays_near_the_shop():
    """Five customers who came back at once do not make a pace; the many have their own."""
    shop, quick = make_shop(MbgNbdParams, 10_000, seed=30), make_shop(MbgNbdParams, 10_000, pace=PACE, seed=31)
    both = histories_of(shop, quick)
    few = Histories(*(np.full(5, value, dtype=np.int32) for value in (12, 24, 26)), days=7.0)
    together = Histories(
        *(np.concatenate([getattr(both, name), getattr(few, name)]) for name in ("x", "t_x", "T")), days=7.0
    )

    found = covariates.learn(MbgNbdParams(*BASE), history_of(together, np.repeat([0, 1, 2], [10_000, 10_000, 5])))

    usual, quicker, few_of_them = (one.r / one.alpha for one in found.params)
    assert quicker == pytest.approx(2 * usual, rel=0.15)
    assert usual < few_of_them < 12 / (26 / 7) / 3
