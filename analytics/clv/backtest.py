"""Rolling origins: what each model would have said on past days, and what happened then.

At each origin every model is fitted to the history as it looked on that day and predicts the order days and the money
of the days after it. Outcomes are as they are known at the end of the log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from analytics.clv import cells, covariates, fitting, measures, purchase, season, spend
from analytics.clv.history import History
from analytics.clv.levels import Seen
from analytics.clv.order_log import OrderLog
from analytics.clv.params import FloatArray

MOST = 5  # origins
SHORTEST = 28  # days of a horizon
LONGEST = 365
QUARTER, PIECES = 91, 6  # days and number of the horizons that follow one upon the other
FEWEST_REPEAT = 200  # customers who bought again before an origin
FEWEST_ORDERS = 50  # order days after it
DAY = 1 / purchase.WEEK


@dataclass(frozen=True, slots=True)
class Origin:
    day: int
    horizon_days: int


def origins(log: OrderLog, *, longest: int = LONGEST, most: int = MOST) -> tuple[list[Origin], str]:
    """Days to look back to, and why there are none.

    A horizon is a third of the history at most, so that the first origin has as long a history behind it and the last
    one ends with the log; the others lie evenly between.
    """
    length = log.end - log.start + 1
    horizon = min(longest, length // 3)
    if horizon < SHORTEST:
        days, fewest = max(length, 0), 3 * SHORTEST
        return [], f"Days of history: {days}; looking back takes {fewest}."
    first, last = log.start + horizon - 1, log.end - horizon
    at = np.unique(np.linspace(first, last, min(most, last - first + 1)).astype(np.int64))
    return [Origin(day, horizon) for day in at.tolist()], ""


def recent(log: OrderLog) -> list[Origin]:
    """Days to look back to whose horizons follow one upon the other until the end of the log.

    At most six, of a sixth of the history or 91 days each, after its first third.
    """
    length = log.end - log.start + 1
    horizon = min(QUARTER, max(SHORTEST, length // PIECES))
    days = range(log.end - horizon, log.start + length // 3 - 2, -horizon)
    return [Origin(day, horizon) for day in reversed(days[:PIECES])]


@dataclass(frozen=True, slots=True)
class Split:
    """The customers of an origin with an order day by then: as they looked, and what they did after."""

    origin: Origin
    history: History
    order_days: NDArray[np.int64]
    value: FloatArray

    @property
    def bought_again(self) -> int:
        return int(np.count_nonzero(self.history.order_days > 1))


def split(log: OrderLog, origin: Origin, *, most: int | None = None) -> Split:
    """Cut the log at the origin; at most about so many customers, evenly spread, and all without a number."""
    history, rows = log.history(origin.day)
    known = np.flatnonzero(history.order_days > 0)
    known = known[:: -(-known.size // most)] if most and known.size else known
    outcome = log.outcomes(origin.day, origin.horizon_days).take(rows[known])
    return Split(
        origin=origin,
        history=history.take(known),
        order_days=outcome.order_days,
        value=outcome.value,
    )


def columns(history: History) -> purchase.Columns:
    """What the purchase models are fitted to."""
    return purchase.Columns(
        x=history.order_days - 1,
        t_x=history.first_age - history.last_age,
        T=history.first_age,
        log_gaps=history.log_gaps,
    )


@dataclass(frozen=True, slots=True)
class Said:
    """What a purchase model says of customers."""

    orders: FloatArray  # order days to expect
    none: FloatArray  # P(no order)


def said(params: purchase.Params, history: History, horizon_days: float) -> Said:
    """Of these customers, to whom the model was fitted; by cell where that is better."""

    def of_cell(one: purchase.Params, part: History) -> Said:
        model, t, times = purchase.model_of(one), horizon_days * DAY, columns(part).times()
        return Said(model.expected_purchases(one, t, *times), model.p_silent(one, t, *times))

    return cells.by_cell(covariates.learn(params, history).params or (params,), history, of_cell)


@dataclass(frozen=True, slots=True)
class PurchaseScore:
    """One purchase model at one origin. A figure that the model does not give is None."""

    predicted: float  # order days
    mae: float  # per customer
    gini: float
    groups: list[measures.Group]
    brier: float | None = None  # of P(no order)
    log_score: float | None = None  # measures.log_score, per order day that happened
    season: float = 1.0  # what the season known on that day would make of the prediction


@dataclass(frozen=True, slots=True)
class SpendScore:
    """One spend model at one origin."""

    predicted: float  # money, had the number of each customer's order days been known
    totals: dict[str, float]  # money, by the purchase model that says the order days


@dataclass(frozen=True, slots=True)
class OriginScores:
    """One origin: what happened, and what each model had said. `problems` names models that could not be fitted."""

    day: int
    horizon_days: int
    customers: int
    orders: int
    spend: float
    naive: PurchaseScore
    purchase: dict[str, PurchaseScore] = field(default_factory=dict)
    money: dict[str, SpendScore] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; from_dict reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            **{name: data[name] for name in ("day", "horizon_days", "customers", "orders", "spend", "problems")},
            naive=_score_from(data["naive"]),
            purchase={name: _score_from(found) for name, found in data["purchase"].items()},
            money={name: SpendScore(**found) for name, found in data["money"].items()},
        )


def _score_from(data: Mapping[str, Any]) -> PurchaseScore:
    return PurchaseScore(**{**data, "groups": [measures.Group(*group) for group in data["groups"]]})


def run(log: OrderLog, at: Sequence[Origin]) -> tuple[list[OriginScores], list[str]]:
    """Every model at every origin; the second value says which origins had too little to judge by."""
    scores, notes = [], []
    for origin in at:
        found = split(log, origin)
        day, bought_again, followed = date_of(origin.day), found.bought_again, int(np.sum(found.order_days))
        if bought_again < FEWEST_REPEAT:
            notes.append(f"{day}: customers who had bought again: {bought_again}; looking back takes {FEWEST_REPEAT}.")
        elif followed < FEWEST_ORDERS:
            notes.append(f"{day}: order days that followed: {followed}; looking back takes {FEWEST_ORDERS}.")
        else:
            one = score(found, log.until(origin.day))
            if purchase.MBG_NBD in one.purchase:
                scores.append(one)
            else:
                problem = one.problems[purchase.MBG_NBD]
                notes.append(f"{day}: {problem}")
    return scores, notes


def score(found: Split, known: OrderLog) -> OriginScores:
    """Fit every model to the history and judge each by what came after. `known` is the log as it was on that day."""
    problems: dict[str, str] = {}
    expected: dict[str, FloatArray] = {}
    judged: dict[str, PurchaseScore] = {}
    for name, model in purchase.MODELS.items():
        try:
            params = model.fit(columns(found.history)).params
        except fitting.DidNotConverge as problem:
            problems[name] = str(problem)
            continue
        expected[name], judged[name] = _judged(params, found, known)
    return OriginScores(
        day=found.origin.day,
        horizon_days=found.origin.horizon_days,
        customers=found.order_days.size,
        orders=int(np.sum(found.order_days)),
        spend=float(np.sum(found.value)),
        naive=_plain_score(naive(found.history, found.origin.horizon_days), found),
        purchase=judged,
        money=_money(found, expected, problems),
        problems=problems,
    )


def naive(history: History, horizon_days: int) -> FloatArray:
    """The baseline: everyone goes on at the pace so far, x / T; her first day counts as a whole one."""
    return np.asarray((history.order_days - 1) / np.maximum(history.first_age, 1) * horizon_days)


def _judged(params: purchase.Params, found: Split, known: OrderLog) -> tuple[FloatArray, PurchaseScore]:
    """The order days to expect of each customer, and how good that was."""
    told, day = said(params, found.history, found.origin.horizon_days), found.origin.day
    plain = _plain_score(told.orders, found)
    scored = measures.log_score(told.orders, told.none, found.order_days) * found.order_days.size
    learned = season.learn(season.track(known, day, params))
    return told.orders, PurchaseScore(
        **{name: getattr(plain, name) for name in ("predicted", "mae", "gini", "groups")},
        brier=measures.brier(told.none, found.order_days == 0),
        log_score=scored / float(np.sum(found.order_days)),
        season=season.factor(learned, day + 1, found.origin.horizon_days),
    )


def _plain_score(expected: FloatArray, found: Split) -> PurchaseScore:
    return PurchaseScore(
        predicted=float(np.sum(expected)),
        mae=measures.mean_absolute_error(expected, found.order_days),
        gini=measures.gini(expected, found.order_days),
        groups=measures.groups(expected, found.order_days),
    )


def _money(found: Split, orders: Mapping[str, FloatArray], problems: dict[str, str]) -> dict[str, SpendScore]:
    """Every spend model; the reasons of those that cannot be fitted go to `problems`."""
    scores = {}
    for name in spend.MODELS:
        try:
            params = spend.fit(name, found.history).params
        except fitting.DidNotConverge as problem:
            problems[name] = str(problem)
            continue
        each = spend.expected_spend(params, found.history)
        totals = {model: float(np.dot(expected, each)) for model, expected in orders.items()}
        scores[name] = SpendScore(predicted=float(np.dot(found.order_days, each)), totals=totals)
    return scores


def money_off(log: OrderLog, orders: str, money: str) -> list[Seen]:
    """How far the money of an order day was off at each of the `recent` origins, by these two models.

    It is what is left when the error of the order days is taken from that of all money: buyers of much may order more
    than the model thinks, or baskets grow.
    """
    seen = []
    for origin in recent(log):
        found = split(log, origin)
        if found.bought_again < FEWEST_REPEAT or np.sum(found.order_days) < FEWEST_ORDERS:
            continue
        try:
            params = purchase.MODELS[orders].fit(columns(found.history)).params
            spent = spend.fit(money, found.history).params
        except fitting.DidNotConverge:
            continue
        x, t_x, T = columns(found.history).times()
        expected = purchase.MODELS[orders].expected_purchases(params, origin.horizon_days * DAY, x, t_x, T)
        worth = expected * spend.expected_spend(spent, found.history)
        if np.sum(worth) > 0 and np.sum(found.value) > 0:
            seen.append(Seen(origin.day, origin.day + origin.horizon_days, *_money_off(found, expected, worth)))
    return seen


def _money_off(found: Split, orders: FloatArray, money: FloatArray) -> tuple[float, float]:
    """ln(actual / said) of money less that of order days, and its standard error by the delta method."""
    happened, brought = float(np.sum(found.order_days)), float(np.sum(found.value))
    many, much = happened / float(np.sum(orders)), brought / float(np.sum(money))
    moves = (found.value - much * money) / brought - (found.order_days - many * orders) / happened
    return float(np.log(much / many)), float(np.sqrt(np.sum(moves**2)))


def date_of(day: int) -> str:
    """The ISO date of a day number."""
    return str(np.datetime64(day, "D"))
