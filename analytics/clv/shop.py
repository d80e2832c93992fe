"""The whole for one shop: histories in, parameters out; parameters and histories in, scores out.

BG/NBD and MBG/NBD are always fitted and reported. Scores use the model that the shop's own past speaks for (choice.py),
and MBG/NBD where it does not speak: BG/NBD gives everyone who bought once a P(alive) of 1. The parameters' unit of time
is the week (days / 7).
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analytics.clv import (
    averages,
    bands,
    cells,
    churn,
    covariates,
    fitting,
    gamma_gamma,
    grain,
    intervals,
    purchase,
    risk,
    spend,
    tables,
)
from analytics.clv.fitted import SHOP_AVERAGES, Fitted, Levels
from analytics.clv.history import WEEK, History, Terms
from analytics.clv.intervals import NOTHING, Expected, Past
from analytics.clv.params import Fit, FloatArray, GammaGammaParams

__all__ = [
    "Comparison",
    "Fitted",
    "History",
    "Levels",
    "Plan",
    "Scores",
    "Terms",
    "compare",
    "fit",
    "margin_rates",
    "score",
]

FEWEST_REPEAT = 200
ALWAYS = (purchase.BG_NBD, purchase.MBG_NBD)
MARGIN_PRIOR = 4.0  # order days at the shop's margin rate that count beside the customer's own

Fits = dict[str, Fit[Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Which models a shop is to use, and factors on what they expect. An empty name leaves it to the shop's size."""

    purchase: str = purchase.MBG_NBD
    spend: str = ""
    levels: Levels = field(default_factory=Levels)
    past: Past = NOTHING  # what the intervals are to know of earlier origins
    calibration: churn.Calibration | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """Columns as long as the history; NaN where order_days == 0, for which nothing can be predicted."""

    p_alive: FloatArray
    churn_risk: FloatArray  # P(no order within the churn horizon)
    expected_orders: FloatArray  # within the horizon
    orders_low: FloatArray  # of the orders within the horizon, an 80 % interval
    orders_high: FloatArray
    expected_margin_per_order: FloatArray  # major units
    clv: FloatArray  # discounted margin within the horizon, major units
    clv_low: FloatArray  # of the value within the horizon, an 80 % interval
    clv_high: FloatArray
    clv_36m: FloatArray
    clv_lifetime: FloatArray
    next_order_days: FloatArray  # until an order is as likely as not, if she is still there; NaN beyond three years
    band: NDArray[np.int8]  # bands.NONE, LOW, MEDIUM, HIGH
    usual_gap: FloatArray  # days; NaN when she has one order day or none


@dataclass(frozen=True, slots=True)
class Comparison:
    """Why the band is what it is: "usually every 31 days, now 58"."""

    usual_gap: FloatArray  # days; NaN when not known
    silence: FloatArray  # days since the last order day
    gaps_of_silence: FloatArray  # silence / usual gap; NaN when not known
    normal_risk: FloatArray  # the churn risk of her pace if she were certainly still there
    chance_left: FloatArray  # what the band is made of, see bands.py
    silence_chance: FloatArray  # and how often her pace would keep silent for so long


def fit(history: History, terms: Terms, plan: Plan | None = None) -> Fitted:
    """Learn the shop's parameters from all its customers. Never raises for a valid history."""
    _, known = _known(history)
    plan = plan or Plan()
    with ThreadPoolExecutor(max_workers=1) as beside:  # numpy works without the interpreter's lock
        always = beside.submit(_always, known)
        wanted, problems = _purchase_fits(known, {plan.purchase} - set(ALWAYS))
        spent, spend_reason = _spend_fit(known, plan.spend)
        recorded = _gamma_gamma(known, spent)
        fits, others, corrected = always.result()
    fits, problems = fits | wanted, others | problems
    used = fits.get(plan.purchase) or fits.get(purchase.MBG_NBD)
    params = used.params if used else _pace(known)
    days = terms.horizon_days * plan.levels.orders
    return Fitted(
        model=purchase.model_of(used.params).name if used else SHOP_AVERAGES,
        reason=problems.get(plan.purchase, ""),
        n=known.order_days.size,
        repeat_customers=int(np.count_nonzero(known.order_days > 1)),
        purchase=params,
        fits=fits,
        corrected=corrected,
        spend=spent,
        spend_reason=spend_reason,
        gamma_gamma=recorded,
        mean_spend=spend.mean_spend(known),
        margin_rate=_shop_margin_rate(known, terms),
        levels=plan.levels,
        widths=intervals.learn(params, spent, known, days, plan.past) if known.order_days.size else None,
        calibration=plan.calibration,
        cells=covariates.learn(params, known) if used else covariates.ALIKE,
    )


def score(fitted: Fitted, history: History, terms: Terms) -> Scores:
    """Score each row by itself, by her cell's parameters: a shard of the rows gives the same bits as the whole."""
    return cells.by_cell(fitted.each, history, lambda one, part: _score(one, part, terms))


def _score(fitted: Fitted, history: History, terms: Terms) -> Scores:
    rows, known = _known(history)
    said = risk.by_model(fitted.purchase, known, terms.churn_horizon_days)
    ahead = tables.alive(fitted.purchase, known.order_days - 1, known.first_age, terms)
    margin = fitted.levels.spend * spend.expected_spend(fitted.spend.params, known) * margin_rates(fitted, known)
    there = fitted.levels.orders * said.alive
    clv, clv_36m, clv_lifetime = (margin * (there * each) for each in ahead.discounted)
    orders = there * ahead.orders[0]
    ends = _ends(fitted, Expected(known.order_days - 1, known.first_age, said.alive, orders, clv))
    orders_low, orders_high, clv_low, clv_high = (_spread(each, rows, history) for each in ends)
    return Scores(
        p_alive=_spread(said.alive, rows, history),
        churn_risk=_spread(_churn_risk(fitted, said, known), rows, history),
        expected_orders=_spread(orders, rows, history),
        orders_low=orders_low,
        orders_high=orders_high,
        expected_margin_per_order=_spread(margin, rows, history),
        clv=_spread(clv, rows, history),
        clv_low=clv_low,
        clv_high=clv_high,
        clv_36m=_spread(clv_36m, rows, history),
        clv_lifetime=_spread(clv_lifetime, rows, history),
        next_order_days=_spread(ahead.next_order, rows, history),
        band=bands.band(*(_spread(each, rows, history) for each in (_left(said), said.pause))),
        usual_gap=bands.usual_gap(history.order_days, history.first_age, history.last_age),
    )


def compare(fitted: Fitted, history: History, terms: Terms) -> Comparison:
    """The figures behind each row's band; NaN where order_days == 0."""
    return cells.by_cell(fitted.each, history, lambda one, part: _compare(one, part, terms))


def _compare(fitted: Fitted, history: History, terms: Terms) -> Comparison:
    rows, known = _known(history)
    said = risk.by_model(fitted.purchase, known, terms.churn_horizon_days)
    gap = bands.usual_gap(history.order_days, history.first_age, history.last_age)
    silence = _spread(known.last_age.astype(np.float64), rows, history)
    return Comparison(
        usual_gap=gap,
        silence=silence,
        gaps_of_silence=silence / gap,
        normal_risk=_spread(said.normal, rows, history),
        chance_left=_spread(_left(said), rows, history),
        silence_chance=_spread(said.pause, rows, history),
    )


def _ends(fitted: Fitted, expected: Expected) -> tuple[FloatArray, ...]:
    """Both ends of the orders and of the value; without customers there is nothing to put ends around."""
    if fitted.widths is None:
        return expected.orders, expected.orders, expected.value, expected.value
    return *intervals.order_ends(fitted.widths, expected), *intervals.value_ends(fitted.widths, expected)


def _churn_risk(fitted: Fitted, said: risk.Risks, known: History) -> FloatArray:
    """As calibrated by the shop's own past, else as the purchase model says."""
    return churn.risk(fitted.calibration, risk.features(said, known)) if fitted.calibration else said.risk


def _left(said: risk.Risks) -> FloatArray:
    return bands.chance_left(said.risk, said.normal)


def _always(known: History) -> tuple[Fits, dict[str, str], dict[str, dict[str, Any]]]:
    """What is fitted and reported whatever is used: the models, why one is missing, and their day's grain corrected."""
    fits, problems = _purchase_fits(known, ALWAYS)
    return fits, problems, _corrected(fits, known)


def _purchase_fits(known: History, wanted: Iterable[str]) -> tuple[Fits, dict[str, str]]:
    """The models that could be fitted by name, and why others of those wanted could not."""
    bought_again = int(np.count_nonzero(known.order_days > 1))
    if bought_again < FEWEST_REPEAT:
        return {}, dict.fromkeys(wanted, f"customers who bought again: {bought_again}; a model needs {FEWEST_REPEAT}")
    columns = _columns(known)
    fits: Fits = {}
    problems: dict[str, str] = {}
    for name in wanted:
        try:
            fits[name] = purchase.MODELS[name].fit(columns)
        except fitting.DidNotConverge as problem:
            problems[name] = f"{name}: {problem}"
    return fits, problems


def _corrected(fits: Fits, known: History) -> dict[str, dict[str, Any]]:
    """For the record: scores predict order days, for which the raw parameters are the right ones."""
    x, t_x, T = known.order_days - 1, known.first_age - known.last_age, known.first_age
    return {name: grain.corrected(one.params, x=x, t_x=t_x, T=T, days=WEEK).as_dict() for name, one in fits.items()}


def _columns(known: History) -> purchase.Columns:
    return purchase.Columns(
        x=known.order_days - 1,
        t_x=known.first_age - known.last_age,
        T=known.first_age,
        log_gaps=known.log_gaps,
        days=WEEK,
    )


def _pace(known: History) -> purchase.Params:
    """Where no model can be fitted: published shapes and the shop's own pace."""
    ages, customers = np.unique(known.first_age, return_counts=True)
    return averages.pace(ages / WEEK, customers, float(np.sum(known.order_days - 1)))


def _spend_fit(known: History, wanted: str) -> tuple[spend.SpendFit, str]:
    """The wanted model, or the first that can be fitted, and why it is not the wanted one."""
    reason = ""
    if wanted:
        try:
            return spend.fit(wanted, known), ""
        except fitting.DidNotConverge as problem:
            reason = str(problem)
    found, others = spend.preferred(known)
    return found, reason or others


def _gamma_gamma(known: History, spent: spend.SpendFit) -> Fit[GammaGammaParams] | None:
    """For the record, wherever it has a maximum: it is printed beside the published tables."""
    x = known.order_days - 1
    if int(np.count_nonzero(x)) < FEWEST_REPEAT:
        return None
    start = spent.params if isinstance(spent.params, GammaGammaParams) else None
    try:
        return gamma_gamma.fit(x, np.divide(known.repeat_value, x, out=np.zeros(x.size), where=x > 0), start=start)
    except fitting.DidNotConverge:
        return None


def _shop_margin_rate(known: History, terms: Terms) -> float:
    """Margin over revenue of all customers with revenue, between 0 and 1; the setting without revenue."""
    sold = known.value > 0
    revenue = float(np.sum(known.value[sold]))
    if revenue <= 0:
        return terms.margin_rate
    return min(max(float(np.sum(known.margin[sold])) / revenue, 0.0), 1.0)


def margin_rates(fitted: Fitted, known: History) -> FloatArray:
    """The customer's margin over revenue with MARGIN_PRIOR average order days at the shop's rate added."""
    revenue = np.maximum(known.value, 0.0)
    margin = np.clip(known.margin, 0.0, revenue)
    prior = MARGIN_PRIOR * fitted.mean_spend
    rate = np.full(revenue.shape, fitted.margin_rate)
    np.divide(margin + prior * fitted.margin_rate, revenue + prior, out=rate, where=revenue + prior > 0)
    return rate


def _known(history: History) -> tuple[NDArray[np.intp], History]:
    """The customers with an order day, and their rows; the history itself where that is everyone."""
    rows = np.flatnonzero(history.order_days > 0)
    return rows, history if rows.size == history.order_days.size else history.take(rows)


def _spread(column: FloatArray, rows: NDArray[np.intp], history: History) -> FloatArray:
    if rows.size == history.order_days.size:
        return column
    whole = np.full(history.order_days.shape, np.nan)
    whole[rows] = column
    return whole
