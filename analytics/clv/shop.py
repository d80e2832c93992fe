"""The whole for one shop: histories in, parameters out; parameters and histories in, scores out.

BG/NBD and MBG/NBD are both fitted and reported; scores use MBG/NBD, because BG/NBD gives everyone who
bought once a P(alive) of 1. The parameters' unit of time is the week (days / 7).
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.clv import averages, bands, beta_geometric, bgnbd, discount, fitting, gamma_gamma, mbgnbd
from analytics.clv.fitted import GAMMA_GAMMA, MBG_NBD, SHOP_AVERAGES, SHRUNKEN_MEAN, Fitted
from analytics.clv.history import History, Terms
from analytics.clv.params import BgNbdParams, Fit, FloatArray, GammaGammaParams, MbgNbdParams

__all__ = ["Comparison", "Fitted", "History", "Scores", "Terms", "compare", "fit", "score"]

WEEK = 7.0  # days
YEAR = 365.0  # days
FEWEST_REPEAT = 200
MARGIN_PRIOR = 4.0  # order days at the shop's margin rate that count beside the customer's own
FARTHEST_MEAN = 3.0  # a Gamma-Gamma whose mean is further than this factor from the shop's is not used


@dataclass(frozen=True, slots=True)
class Scores:
    """Columns as long as the history; NaN where order_days == 0, for which nothing can be predicted."""

    p_alive: FloatArray
    churn_risk: FloatArray  # P(no order within the churn horizon)
    expected_orders: FloatArray  # within the horizon
    expected_margin_per_order: FloatArray  # major units
    clv: FloatArray  # discounted margin within the horizon, major units
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


def fit(history: History, terms: Terms) -> Fitted:
    """Learn the shop's parameters from all its customers. Never raises for a valid history."""
    known = history.take(np.flatnonzero(history.order_days > 0))
    x = known.order_days - 1
    bought_again = int(np.count_nonzero(x))
    bg, mbg, reason = _purchase_fits(known, bought_again)
    mean_spend = averages.capped_mean(known.value / known.order_days, known.order_days)
    spend, spend_reason = _spend_fit(x, known.repeat_value, bought_again)
    if spend is not None:
        spend_reason = _doubt(spend.params, mean_spend)
    ages, customers = np.unique(known.first_age, return_counts=True)
    pace = averages.pace(ages / WEEK, customers, float(np.sum(x))) if mbg is None else mbg.params
    return Fitted(
        model=MBG_NBD if mbg else SHOP_AVERAGES,
        reason=reason,
        n=known.order_days.size,
        repeat_customers=bought_again,
        purchase=pace,
        bgnbd=bg,
        mbgnbd=mbg,
        spend_model=SHRUNKEN_MEAN if spend_reason else GAMMA_GAMMA,
        spend_reason=spend_reason,
        gamma_gamma=spend,
        mean_spend=mean_spend,
        margin_rate=_shop_margin_rate(known, terms),
    )


def score(fitted: Fitted, history: History, terms: Terms) -> Scores:
    """Score each row by itself: a shard of the rows gives the same bits as the whole."""
    rows = np.flatnonzero(history.order_days > 0)
    known = history.take(rows)
    alive, risk, normal = _risks(fitted.purchase, known, terms)
    orders, discounted = _orders_alive(fitted.purchase, known, terms)
    margin = _spend(fitted, known) * _margin_rate(fitted, known)
    left = _spread(bands.chance_left(risk, normal), rows, history)
    return Scores(
        p_alive=_spread(alive, rows, history),
        churn_risk=_spread(risk, rows, history),
        expected_orders=_spread(alive * orders, rows, history),
        expected_margin_per_order=_spread(margin, rows, history),
        clv=_spread(margin * (alive * discounted), rows, history),
        band=bands.band(left, _spread(_silence(fitted.purchase, known), rows, history)),
        usual_gap=bands.usual_gap(history.order_days, history.first_age, history.last_age),
    )


def compare(fitted: Fitted, history: History, terms: Terms) -> Comparison:
    """The figures behind each row's band; NaN where order_days == 0."""
    rows = np.flatnonzero(history.order_days > 0)
    known = history.take(rows)
    _, risk, normal = _risks(fitted.purchase, known, terms)
    gap = bands.usual_gap(history.order_days, history.first_age, history.last_age)
    silence = _spread(known.last_age.astype(np.float64), rows, history)
    return Comparison(
        usual_gap=gap,
        silence=silence,
        gaps_of_silence=silence / gap,
        normal_risk=_spread(normal, rows, history),
        chance_left=_spread(bands.chance_left(risk, normal), rows, history),
        silence_chance=_spread(_silence(fitted.purchase, known), rows, history),
    )


def _purchase_fits(known: History, bought_again: int) -> tuple[Fit[BgNbdParams] | None, Fit[MbgNbdParams] | None, str]:
    """Both models, or why there is none to score with."""
    if bought_again < FEWEST_REPEAT:
        return None, None, f"customers who bought again: {bought_again}; a model needs {FEWEST_REPEAT}"
    data = beta_geometric.tally_days(
        x=known.order_days - 1, t_x=known.first_age - known.last_age, T=known.first_age, days=WEEK
    )
    bg: Fit[BgNbdParams] | None = None
    with suppress(fitting.DidNotConverge):  # it is reported, not used: its absence stops nothing
        bg = bgnbd.fit(data)
    try:
        return bg, mbgnbd.fit(data), ""
    except fitting.DidNotConverge as problem:
        return bg, None, f"MBG/NBD: {problem}"


def _spend_fit(
    x: NDArray[np.int32], repeat_value: FloatArray, bought_again: int
) -> tuple[Fit[GammaGammaParams] | None, str]:
    if bought_again < FEWEST_REPEAT:
        return None, f"customers who bought again: {bought_again}; a model needs {FEWEST_REPEAT}"
    try:
        return gamma_gamma.fit(x, np.divide(repeat_value, x, out=np.zeros(x.size), where=x > 0)), ""
    except fitting.DidNotConverge as problem:
        return None, f"Gamma-Gamma: {problem}"


def _doubt(params: GammaGammaParams, mean_spend: float) -> str:
    """Why a Gamma-Gamma that was fitted should not be used; empty if it may be."""
    if params.q <= 1.0:
        return f"Gamma-Gamma: q = {params.q:.3g} ≤ 1, so that the mean spend of all customers does not exist"
    mean = params.p * params.gamma / (params.q - 1.0)
    if not mean_spend / FARTHEST_MEAN <= mean <= mean_spend * FARTHEST_MEAN:
        return f"Gamma-Gamma: its mean of {mean:.4g} an order is far from the shop's {mean_spend:.4g}"
    return ""


def _shop_margin_rate(known: History, terms: Terms) -> float:
    """Margin over revenue of all customers with revenue, between 0 and 1; the setting without revenue."""
    sold = known.value > 0
    revenue = float(np.sum(known.value[sold]))
    if revenue <= 0:
        return terms.margin_rate
    return min(max(float(np.sum(known.margin[sold])) / revenue, 0.0), 1.0)


def _weeks(known: History) -> tuple[FloatArray, FloatArray, FloatArray]:
    """x, t_x and T of the papers."""
    x = (known.order_days - 1).astype(np.float64)
    return x, (known.first_age - known.last_age) / WEEK, known.first_age / WEEK


def _risks(params: MbgNbdParams, known: History, terms: Terms) -> tuple[FloatArray, FloatArray, FloatArray]:
    """P(alive), churn risk and normal risk: P(no order) as it is and if she were certainly still there."""
    x, t_x, T = _weeks(known)
    alive = mbgnbd.p_alive(params, x, t_x, T)
    normal = mbgnbd.p_silent_alive(params, terms.churn_horizon_days / WEEK, x, T)
    return alive, 1.0 - alive * (1.0 - normal), normal


def _silence(params: MbgNbdParams, known: History) -> FloatArray:
    """P(no order since the last one | alive, her pace until then)."""
    x, t_x, T = _weeks(known)
    return mbgnbd.p_silent_alive(params, T - t_x, x, t_x)


def _orders_alive(params: MbgNbdParams, known: History, terms: Terms) -> tuple[FloatArray, FloatArray]:
    """Orders of a living customer within the horizon, plain and discounted: a table over distinct (x, T)."""
    x, T, place = _pairs(known.order_days - 1, known.first_age)
    rate = float(np.log1p(terms.discount_rate)) * WEEK / YEAR
    plain, discounted = discount.discounted_purchases_alive(params, terms.horizon_days / WEEK, rate, x, T / WEEK)
    return plain[place], discounted[place]


def _pairs(x: NDArray[np.int32], T: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.intp]]:
    """The distinct pairs and, for each row, its place among them; a bitmap where it is small, else a sort."""
    width = int(np.max(T, initial=0)) + 1
    key = x.astype(np.int64) * width + T
    size = int(np.max(key, initial=-1)) + 1
    if size > max(4 * key.size, 1_000_000):
        distinct, place = np.unique(key, return_inverse=True)
        return distinct // width, distinct % width, place
    seen = np.zeros(size, dtype=np.bool_)
    seen[key] = True
    distinct = np.flatnonzero(seen)
    places = np.empty(size, dtype=np.intp)
    places[distinct] = np.arange(distinct.size)
    return distinct // width, distinct % width, places[key]


def _spend(fitted: Fitted, known: History) -> FloatArray:
    """Net revenue to expect per repeat order day; money taken back counts as none."""
    x, total = known.order_days - 1, np.maximum(known.repeat_value, 0.0)
    if fitted.spend_model == GAMMA_GAMMA and fitted.gamma_gamma is not None:
        mean = np.divide(total, x, out=np.zeros(total.size), where=x > 0)
        return gamma_gamma.expected_spend(fitted.gamma_gamma.params, x, mean)
    return averages.shrunken_spend(fitted.mean_spend, x, total)


def _margin_rate(fitted: Fitted, known: History) -> FloatArray:
    """The customer's margin over revenue with MARGIN_PRIOR average order days at the shop's rate added."""
    revenue = np.maximum(known.value, 0.0)
    margin = np.clip(known.margin, 0.0, revenue)
    prior = MARGIN_PRIOR * fitted.mean_spend
    rate = np.full(revenue.shape, fitted.margin_rate)
    np.divide(margin + prior * fitted.margin_rate, revenue + prior, out=rate, where=revenue + prior > 0)
    return rate


def _spread(column: FloatArray, rows: NDArray[np.intp], history: History) -> FloatArray:
    whole = np.full(history.order_days.shape, np.nan)
    whole[rows] = column
    return whole
