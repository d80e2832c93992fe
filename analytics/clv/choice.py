"""Which models a shop uses: those that its own past says are best, until another is clearly better.

Purchase models compete on the chance that they gave to what happened after each origin (measures.log_score); where that
says next to the same, on how far the number of order days was off. MBG/NBD is used until another is clearly better. A
model that is farther off than the naive baseline both in the total and per customer, at most of the origins, is out.
Spend models compete on the money of the order days that happened. What was chosen a month ago has no say: the same
facts lead to the same models, in whatever order nights are passed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple, Self

import numpy as np

from analytics.clv import backtest, fitting, intervals, levels, measures, purchase, season, spend
from analytics.clv.backtest import Origin, OriginScores, PurchaseScore
from analytics.clv.intervals import Past
from analytics.clv.levels import Level, Seen
from analytics.clv.order_log import OrderLog
from analytics.clv.season import Season

USUAL_PURCHASE, USUAL_SPEND = purchase.MBG_NBD, spend.PREFERENCE[0]
SAME_SCORE = 0.01  # nats per order day: less is no difference
SAME_LEVEL = 0.03  # mean distance of ln(predicted / actual) from 0: less is no difference
LEVELS = ("level", "spend_level")
# For BG/NBD everyone who bought once is still there, so that none of them is ever lost: it is fitted to compare with.
COMPETING = tuple(name for name in purchase.MODELS if name != purchase.BG_NBD)


class Today(NamedTuple):
    """What a purchase model says at the end of the log."""

    orders: float  # order days of all customers within the horizon
    season: Season


@dataclass(frozen=True, slots=True)
class Choice:
    """The models to use, why, and what the looking back showed; JSON in and out."""

    purchase: str = USUAL_PURCHASE
    spend: str = USUAL_SPEND
    reasons: list[str] = field(default_factory=list)
    demoted: dict[str, str] = field(default_factory=dict)  # purchase model → why it is out
    origins: list[OriginScores] = field(default_factory=list)
    season: Season = field(default_factory=Season)  # all 1 where it is not used
    consensus: float = 1.0  # order days that all models expect in the mean, over those that the chosen one expects
    level: Level = levels.NONE  # of order days
    spend_level: Level = levels.NONE  # of the money of an order day
    order_ratios: list[float] = field(default_factory=list)  # actual / predicted order days, the chosen and corrected
    spend_ratios: list[float] = field(default_factory=list)  # the same of money
    order_levels: list[float] = field(default_factory=list)  # levels that would have held 80 % of the customers
    value_levels: list[float] = field(default_factory=list)
    coverage: list[float] = field(default_factory=list)  # share of customers that the intervals of that day held

    def factor(self, first: int, days: int) -> float:
        """What to multiply the order days with that the model expects in the `days` from `first` on."""
        return self.level.factor * self.consensus * season.factor(self.season, first, days)

    def mean_of(self, said: Mapping[str, float]) -> float:
        """The mean of the order days that models say, by name, over what the chosen one says; at most a factor of two.

        Models that are out do not count. 1 where the chosen one says nothing.
        """
        own = said.get(self.purchase, 0.0)
        if own <= 0:
            return 1.0
        counting = [orders for name, orders in said.items() if name == self.purchase or name not in self.demoted]
        return float(np.exp(np.clip(measures.level(_mean(counting), own), -levels.FARTHEST, levels.FARTHEST)))

    def factor_at(self, one: OriginScores) -> float:
        """What was to be multiplied on that day with what the chosen model said, before any correction by errors."""
        season = one.purchase[self.purchase].season if self.season.is_known else 1.0
        return season * self.mean_of({name: found.predicted for name, found in one.purchase.items()})

    def off(self, one: OriginScores) -> Seen:
        """How far the order days of that day were off; chance is taken to be that of independent orders."""
        said = one.purchase[self.purchase].predicted * self.factor_at(one)
        chance = 1.0 / max(one.orders, 1) ** 0.5
        return Seen(one.day, one.day + one.horizon_days, measures.level(one.orders, said), chance)

    def past(self, horizon_days: int = backtest.LONGEST) -> Past:
        """What intervals of that horizon are to know of earlier origins.

        A shop's level wanders: errors seen over shorter horizons are stretched as those of a random walk, by the root
        of the longer time over the shorter.
        """
        seen = self.origins[0].horizon_days if self.origins else horizon_days
        stretch = max(1.0, horizon_days / seen) ** 0.5
        return Past(
            orders=tuple(ratio**stretch for ratio in self.order_ratios),
            value=tuple(ratio**stretch for ratio in self.spend_ratios),
            order_levels=tuple(self.order_levels),
            value_levels=tuple(self.value_levels),
            independent=levels.independent([Seen(one.day, one.day + one.horizon_days, 0.0) for one in self.origins]),
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; from_dict reads it back."""
        return asdict(self) | {name: getattr(self, name)._asdict() for name in LEVELS}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            **{
                **data,
                "origins": [OriginScores.from_dict(one) for one in data["origins"]],
                "season": Season.from_dict(data["season"]),
                **{name: Level(**data[name]) for name in LEVELS},
            }
        )


def decide(log: OrderLog, *, longest: int = backtest.LONGEST) -> Choice:
    """Look back from the end of the log and choose.

    Predictions of more than `longest` days are not tried. Never raises for a valid log.
    """
    at, reason = backtest.origins(log, longest=longest)
    scores, notes = backtest.run(log, at)
    if not scores:
        return _untried([reason] if reason else notes)
    chosen = choose(scores, notes=notes, today=_today(log, longest))
    off = backtest.money_off(log, chosen.purchase, chosen.spend)
    return _held(log, _with_spend_level(chosen, levels.learn(off)))


def _untried(reasons: list[str]) -> Choice:
    return Choice(reasons=[*reasons, "The usual models are used until the past can tell."])


def choose(
    scores: Sequence[OriginScores],
    *,
    notes: Sequence[str] = (),
    today: Mapping[str, Today] | None = None,
) -> Choice:
    """The best models by these origins, one at least, at each of which MBG/NBD could be fitted.

    `today` is what each purchase model says at the end of the log.
    """
    today, demoted = today or {}, _demoted(scores)
    orders, why = _purchase(scores, demoted)
    money, why_money = _spend(scores)
    known = today[orders].season if orders in today else Season(reason="It could not be looked for.")
    seasons, why_season = _use_season(scores, orders, known)
    plain = Choice(purchase=orders, spend=money, demoted=demoted, origins=list(scores), season=seasons)
    level = levels.learn([plain.off(one) for one in scores])
    reason, corrected = level.reason, [level.factor * plain.factor_at(one) for one in scores]
    consensus = plain.mean_of({name: found.orders for name, found in today.items()})
    return replace(
        plain,
        reasons=[*notes, why, why_money, why_season, *_together(orders, consensus), f"Order days: {reason}"],
        consensus=consensus,
        level=level,
        order_ratios=[
            _ratio(one.orders, one.purchase[orders].predicted * f) for one, f in zip(scores, corrected, strict=True)
        ],
        spend_ratios=[
            _ratio(one.spend, one.money[money].totals[orders] * f)
            for one, f in zip(scores, corrected, strict=True)
            if money in one.money
        ],
    )


def _together(name: str, consensus: float) -> list[str]:
    """Nothing where the models agree to a hundredth."""
    times = f"{consensus:.2f}"
    return [] if times == "1.00" else [f"All models together expect {times} times the order days that {name} does."]


def _ratio(actual: float, predicted: float) -> float:
    return float(np.exp(measures.level(actual, predicted)))


def _level(found: PurchaseScore, one: OriginScores) -> float:
    return measures.level(found.predicted, one.orders)


def _demoted(scores: Sequence[OriginScores]) -> dict[str, str]:
    """Models that could not be fitted each time, or lost to the naive baseline at most origins."""
    demoted, count = {}, len(scores)
    for name in COMPETING:
        missing = sum(name not in one.purchase for one in scores)
        lost = sum(_loses(one.purchase[name], one) for one in scores if name in one.purchase)
        if missing:
            demoted[name] = f"{name} could not be fitted at {missing} of {count} past days."
        elif 2 * lost > count:
            demoted[name] = f"{name} was farther off than the naive baseline at {lost} of {count} past days."
    return demoted


def _loses(found: PurchaseScore, one: OriginScores) -> bool:
    """To the baseline, in the total and per customer."""
    return found.mae > one.naive.mae and abs(_level(found, one)) > abs(_level(one.naive, one))


def _purchase(scores: Sequence[OriginScores], demoted: Mapping[str, str]) -> tuple[str, str]:
    everywhere = [name for name in COMPETING if all(name in one.purchase for one in scores)]
    standing = [name for name in everywhere if name not in demoted] or everywhere
    score = {name: _mean([one.purchase[name].log_score or 0.0 for one in scores]) for name in standing}
    off = {name: _mean([abs(_level(one.purchase[name], one)) for one in scores]) for name in standing}
    near = [name for name in standing if score[name] >= max(score.values()) - SAME_SCORE]
    closest = min(near, key=lambda name: off[name])
    stays = USUAL_PURCHASE in near and off[USUAL_PURCHASE] <= off[closest] + SAME_LEVEL
    best, count = USUAL_PURCHASE if stays else closest, len(scores)
    wrong = f"{off[best]:.0%}"
    if stays:
        return (
            best,
            f"{best}: no model was clearly better. Past days: {count}; order days were off by {wrong} on average.",
        )
    return best, f"{best}: clearly better. Past days: {count}; order days were off by {wrong} on average."


def _spend(scores: Sequence[OriginScores]) -> tuple[str, str]:
    everywhere = [name for name in spend.PREFERENCE if all(name in one.money for one in scores)]
    off = {n: _mean([abs(measures.level(one.money[n].predicted, one.spend)) for one in scores]) for n in everywhere}
    near = [name for name in everywhere if off[name] <= min(off.values()) + SAME_LEVEL]
    best = near[0]
    wrong = f"{off[best]:.0%}"
    if not any(one.spend for one in scores):
        return best, f"{best}: the past days brought no money to judge spend models by."
    if best == USUAL_SPEND:
        return (
            best,
            f"{best}: no spend model was clearly better. Known order days brought {wrong} more or less than said.",
        )
    return best, f"{best}: clearly better for spend. Known order days brought {wrong} more or less than said."


def _with_spend_level(chosen: Choice, level: Level) -> Choice:
    reason = level.reason
    return replace(
        chosen,
        spend_level=level,
        spend_ratios=[ratio / level.factor for ratio in chosen.spend_ratios],
        reasons=[*chosen.reasons, f"Spend: {reason}"],
    )


def _held(log: OrderLog, chosen: Choice) -> Choice:
    """With what the intervals of the chosen models would have held at each origin, knowing only those before it."""
    past, coverage = Past(), list[float]()
    for one in chosen.origins:
        cut = backtest.split(log, Origin(one.day, one.horizon_days), most=intervals.SAMPLE)
        params = purchase.MODELS[chosen.purchase].fit(backtest.columns(cut.history)).params
        spent = spend.fit(chosen.spend, cut.history)
        widths = intervals.learn(params, spent, cut.history, one.horizon_days, past)
        expected = intervals.expect(params, spent, cut.history, one.horizon_days)
        coverage.append(intervals.coverage(*intervals.order_ends(widths, expected), cut.order_days))
        orders, value = intervals.needed_levels(widths, expected, cut.order_days, cut.value)
        past = Past(order_levels=(*past.order_levels, orders), value_levels=(*past.value_levels, value))
    return replace(
        chosen, order_levels=list(past.order_levels), value_levels=list(past.value_levels), coverage=coverage
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _today(log: OrderLog, days: int) -> dict[str, Today]:
    """What each purchase model says of the `days` after the end of the log, where it can be fitted."""
    history, _ = log.history(log.end)
    known = history.take(np.flatnonzero(history.order_days > 0))
    columns, found = backtest.columns(known), {}
    for name, model in purchase.MODELS.items():
        try:
            params = model.fit(columns).params
        except fitting.DidNotConverge:
            continue
        orders = backtest.said(params, known, days).orders
        found[name] = Today(float(np.sum(orders)), season.learn(season.track(log, log.end, params)))
    return found


def _use_season(scores: Sequence[OriginScores], name: str, known: Season) -> tuple[Season, str]:
    """A season that came back from year to year is used, unless it would have made past predictions worse."""
    reason = known.reason
    if not known.is_known:
        return known, f"No season: {reason}"
    tried = [one for one in scores if one.purchase[name].season != 1.0]
    plain = [_level(one.purchase[name], one) for one in tried]
    seasonal = [off + float(np.log(one.purchase[name].season)) for off, one in zip(plain, tried, strict=True)]
    if tried and _mean(np.abs(seasonal).tolist()) >= _mean(np.abs(plain).tolist()):
        reason = "The season would have made past predictions worse."
        return Season(reason=reason, pairs=known.pairs, left=known.left), f"No season: {reason}"
    left = f"{known.left or 0.0:.0%}"
    return known, f"The season is used: months were like those of the year before, with {left} of the error left."
