"""Scores by cell: nearer to the truth where cells differ, the same as ever where they do not."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analytics.clv import backtest, cells, churn, churn_origins, intervals, order_log, shop, what_if
from analytics.clv.covariates import ALIKE, ByCell
from analytics.clv.fitted import Fitted
from analytics.clv.history import History
from analytics.clv.params import MbgNbdParams
from benchmarks import simulated

TERMS = shop.Terms()
MAIL = MbgNbdParams(1.2, 6.0, 0.4, 4.0)  # weeks: back soon, and seldom gone
SEARCH = MbgNbdParams(0.8, 14.0, 1.2, 1.8)
SIZE = 4_000


def together(*shops, order=None):
    """One after the other, the first in cell 1, the second in cell 2; mixed by `order`."""
    columns = {name: np.concatenate([getattr(one, name) for one in shops]) for name in History.__slots__}
    columns["cell"] = np.repeat(np.arange(1, len(shops) + 1), [one.order_days.size for one in shops])
    found = History(**columns)
    return found if order is None else found.take(order)


@pytest.fixture(scope="module")
def history():
    """4,000 customers by mail and as many by search, mixed."""
    shops = (simulated.shop(SIZE, seed=seed, purchase=params) for seed, params in ((1, MAIL), (2, SEARCH)))
    return together(*shops, order=np.random.default_rng(8).permutation(2 * SIZE))


@pytest.fixture(scope="module")
def fitted(history):
    return shop.fit(history, TERMS)


@pytest.fixture(scope="module")
def scored(fitted, history):
    return shop.score(fitted, history, TERMS)


def without_cells(history):
    return History(*(getattr(history, name) for name in History.__slots__ if name != "cell"))


@pytest.fixture(scope="module")
def pooled(history):
    """One set of parameters for all."""
    plain = without_cells(history)
    return shop.score(shop.fit(plain, TERMS), plain, TERMS)


@pytest.fixture(scope="module")
def truth(history):
    """The same customers by the parameters that they were made with."""
    plain = shop.fit(without_cells(history), TERMS)
    cells_of_truth = ByCell(params=(MAIL, MAIL, SEARCH), customers=(0, SIZE, SIZE))
    return shop.score(replace(plain, cells=cells_of_truth), history, TERMS)


def in_cell(history, number):
    return history.cell == number


def test_cells_are_found(fitted):
    _, mail, search = fitted.cells.params

    assert fitted.cells.reason == ""
    assert mail.r / mail.alpha == pytest.approx(MAIL.r / MAIL.alpha, rel=0.15)
    assert search.r / search.alpha == pytest.approx(SEARCH.r / SEARCH.alpha, rel=0.25)


@pytest.mark.parametrize("cell", [1, 2], ids=["mail", "search"])
def test_the_level_of_each_channel_is_nearer_to_the_truth(cell, history, scored, pooled, truth):
    mine = in_cell(history, cell)
    ours, theirs, true = (float(np.sum(found.expected_orders[mine])) for found in (scored, pooled, truth))

    assert ours == pytest.approx(true, rel=0.06)
    assert abs(ours - true) < abs(theirs - true) / 2


@pytest.mark.parametrize("cell", [1, 2], ids=["mail", "search"])
def test_the_chance_to_be_there_is_nearer_to_the_truth(cell, history, scored, pooled, truth):
    mine = in_cell(history, cell)

    def off(found):
        return float(np.mean(np.abs(found.p_alive - truth.p_alive)[mine]))

    assert off(scored) < 0.85 * off(pooled)


def test_who_bought_once_long_ago_is_gone_the_quicker_her_channel_is(fitted):
    """The same history says more of somebody who would have come back soon."""
    ones, money = np.ones(2, np.int32), np.full(2, 20.0)
    once = History(ones, 400 * ones, 400 * ones, money, 0 * money, 0.4 * money, cell=np.array([1, 2]))

    risk = shop.score(fitted, once, TERMS).churn_risk
    silence = shop.compare(fitted, once, TERMS).silence_chance

    assert silence[0] < silence[1]
    assert risk[0] != risk[1]


def test_a_shard_of_the_rows_gives_the_same_bits(fitted, history, scored):
    for rows in (np.arange(700), np.arange(700, 705), np.flatnonzero(history.cell == 2)[:9]):
        part = shop.score(fitted, history.take(rows), TERMS)
        for name in part.__slots__:
            assert getattr(part, name).tobytes() == getattr(scored, name)[rows].tobytes(), name


def test_intervals_hold_what_is_expected_and_differ_by_cell(fitted, history, scored):
    assert np.all(scored.orders_low <= scored.expected_orders)
    assert np.all(scored.expected_orders <= scored.orders_high)
    assert np.all((scored.clv_low <= scored.clv) & (scored.clv <= scored.clv_high))
    wide = [float(np.mean(scored.orders_high[in_cell(history, cell)])) for cell in (1, 2)]
    assert wide[0] > 1.5 * wide[1]


def test_intervals_hold_what_happens_in_each_channel(fitted, history):
    """Outcomes drawn by the truth lie within the intervals about as often as for everyone."""
    for cell, params in ((1, MAIL), (2, SEARCH)):
        part = history.take(np.flatnonzero(in_cell(history, cell)))
        expected = intervals.expect(params, fitted.spend, part, 365)
        drawn, _ = intervals._draw(params, fitted.spend, part, expected, 365)
        found = shop.score(fitted, part, TERMS)
        held = intervals.coverage(found.orders_low, found.orders_high, drawn)
        assert 0.7 < held < 0.95, (cell, held)


def test_draws_move_with_the_parameters(fitted):
    mail = fitted.each[1]

    for ours, usual in zip(mail.widths.params, fitted.widths.params, strict=True):
        for name, value in ours.as_dict().items():
            ratio = getattr(mail.purchase, name) / getattr(fitted.purchase, name)
            assert value == pytest.approx(getattr(usual, name) * ratio, rel=1e-12)
    assert mail.widths.order_level == fitted.widths.order_level


def test_what_was_learned_comes_back_from_json(fitted, history, scored):
    again = Fitted.from_dict(json.loads(json.dumps(fitted.as_dict())))

    assert again.cells == fitted.cells
    assert shop.score(again, history, TERMS).clv.tobytes() == scored.clv.tobytes()


def test_a_run_from_before_there_were_cells_is_read(fitted):
    data = fitted.as_dict()
    del data["cells"]

    found = Fitted.from_dict(data)

    assert found.cells == ALIKE
    assert found.each == (found,)


def test_what_if_sums_are_those_of_the_scores(fitted, history, scored):
    found = what_if.simulate(fitted, history, TERMS)

    assert found.clv == pytest.approx(float(np.sum(scored.clv)), rel=1e-12)
    assert found.clv_lifetime == pytest.approx(float(np.sum(scored.clv_lifetime)), rel=1e-12)
    assert found.orders == pytest.approx(float(np.sum(scored.expected_orders)), rel=1e-12)
    assert 0 < found.leave < 1
    assert len(found.draws) == what_if.SOME


def test_what_if_moves_each_cell_by_its_own_model(fitted, history):
    levers = what_if.Levers(leaving=0.7, frequency=1.3)
    whole = what_if.simulate(fitted, history, TERMS, levers)

    parts = [what_if.simulate(one, part, TERMS, levers) for one, part in cells.parts(fitted.each, history)]

    assert whole.clv == pytest.approx(sum(part.clv for part in parts), rel=1e-12)
    assert whole.at_risk == pytest.approx(sum(part.at_risk for part in parts), rel=1e-12)
    assert min(part.leave for part in parts) < whole.leave < max(part.leave for part in parts)


# Where there is no difference


def test_channels_that_do_not_differ_are_scored_together():
    same = together(*(simulated.shop(2_500, seed=seed, purchase=SEARCH) for seed in (5, 6)))

    fitted = shop.fit(same, TERMS)
    plain = shop.fit(without_cells(same), TERMS)

    assert fitted.cells.params == ()
    assert "chance would do as well" in fitted.cells.reason
    scores = (shop.score(one, same, TERMS) for one in (fitted, plain))
    ours, theirs = (one.clv.tobytes() for one in scores)
    assert ours == theirs


def test_a_shop_too_small_for_a_model_has_no_cells(history):
    fitted = shop.fit(history.take(np.arange(150)), TERMS)

    assert (fitted.model, fitted.cells) == ("Shop averages", ALIKE)


def test_customers_whose_orders_all_came_back_stay_unknown(fitted, history):
    zero, money = np.zeros(2, np.int32), np.zeros(2)
    gone = History(zero, zero, zero, money, money, money, cell=np.array([1, 2]))

    found = shop.score(fitted, gone, TERMS)

    assert np.all(np.isnan(found.clv))


# Past days


def log_of(history):
    """Order days spread evenly between the first and the last of each customer."""
    who = np.repeat(np.arange(history.order_days.size), history.order_days)
    first, last = -history.first_age[who], -history.last_age[who]
    place = np.arange(who.size) - np.repeat(np.cumsum(history.order_days) - history.order_days, history.order_days)
    steps = np.maximum(history.order_days[who] - 1, 1)
    day = first + ((last - first) * place) // steps
    return order_log.build(
        customer=who,
        order_day=20_000 + day,
        seen_on=20_000 + day,
        orders=np.ones(who.size),
        value=np.full(who.size, 2_000),
        margin=np.full(who.size, 800),
        customers=history.order_days.size,
        end=20_000,
    )


def test_past_days_are_judged_by_cell(history):
    """The split of a log with cells is said better by them; without, it is said as ever."""
    log = log_of(history)
    with_cells = replace(log, cell=history.cell.astype(np.int16))
    at = backtest.Origin(19_800, 180)
    scores = {}
    for name, one in (("cells", with_cells), ("plain", log)):
        found = backtest.split(one, at)
        scores[name] = backtest.score(found, one.until(at.day)).purchase["MBG/NBD"]

    assert scores["cells"].log_score > scores["plain"].log_score
    assert scores["cells"].predicted == pytest.approx(scores["plain"].predicted, rel=0.1)


def test_a_history_of_the_log_has_its_cells(history):
    log = replace(log_of(history), cell=history.cell.astype(np.int16))

    found, rows = log.until(19_700).history(19_700)

    assert np.array_equal(found.cell, history.cell[rows])
    assert not np.any(log_of(history).history(19_700)[0].cell)


def test_the_churn_risk_is_calibrated_by_cell(history, monkeypatch):
    """What the calibration reads of each customer comes from her cell's parameters."""
    log = log_of(history)
    seen = []
    monkeypatch.setattr(churn, "learn", seen.append)
    for one in (replace(log, cell=history.cell.astype(np.int16)), log):
        churn_origins.learn(one, model="MBG/NBD", horizon_days=90, discounted=lambda day: np.zeros(log.customers))

    by_cell, plain = (origins[-1][0] for origins in seen)
    assert by_cell.shape == plain.shape
    assert float(np.max(np.abs(by_cell[:, 0] - plain[:, 0]))) > 0.2
