"""What becomes of value when something changes: a sample of customers expected anew, scaled to what the night found.

What a night published does not change, so that the sample, and each answer, is kept for a while.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.core.cache import cache
from django.db import connection

from analytics.clv import shop, what_if
from analytics.clv.fitted import SHOP_AVERAGES, Fitted
from analytics.clv.history import History
from analytics.clv.params import MbgCnbdKParams
from analytics.clv.what_if import AMOUNTS, AS_IT_IS, Difference, Levers, Outcome
from analytics.selectors import kpis
from analytics.selectors.whom import Whom
from analytics.services import baskets, customer_cells, partitions, scoring
from core import money, pgcopy
from core.models import Run

SAMPLE: Final = 20_000
SMALL_SAMPLE: Final = 4_000  # where one order is several steps of the model, each as long as another model's order
KEPT_SECONDS: Final = 3600
SHAPE: Final = 1  # of what is kept: another number where that changes
ORDERS: Final = ("orders",)
COSTS_DAYS: Final = 365  # what a new customer costs: of the last twelve complete months
NO_LEAVING, NO_MARGIN = 1e-4, 1e-9

# Contracts are part of the values of a score; levers do not move them.
SUMS: Final = """
SELECT count(*) FILTER (WHERE order_days > 0), sum(clv_cents), sum(clv_36m_cents), sum(clv_lifetime_cents),
    sum(contract_cents), sum(contract_36m_cents), sum(contract_lifetime_cents), sum(expected_orders)
FROM {scores} WHERE {where}
"""
# Every so many-th customer by a hash of the id, so that no order of ids can tilt the sample. Whose orders have changed
# since the night is left out.
CHOSEN: Final = """
SELECT {summary}, coalesce(k.discount_cents, 0), {cell}
FROM (
    SELECT customer_id, order_days, value_cents FROM {scores}
    WHERE {where} AND order_days > 0 AND mod(abs(hashint8(customer_id)::bigint), {every}) = 0
) c JOIN {summaries} s USING (customer_id) LEFT JOIN {baskets} k USING (customer_id)
WHERE s.order_days = c.order_days AND s.value_cents = c.value_cents
ORDER BY s.customer_id
"""


@dataclass(frozen=True, slots=True)
class Totals:
    """What the night found of those that the page speaks of: minor units and orders."""

    customers: int  # with an order that stands
    amounts: Mapping[str, float | None]  # of orders; None where a night did not tell
    contracts: Mapping[str, float]  # the part of the values that contracts are


@dataclass(frozen=True, slots=True)
class Base:
    """What every answer of one night about the same customers starts from."""

    totals: Totals
    known: History
    scale: Mapping[str, float]  # from the sample's major units to the shop's minor ones
    before: Outcome


@dataclass(frozen=True, slots=True)
class Line:
    """One amount, in minor units or orders, and the 80 % interval of what the levers add."""

    before: float
    after: float
    added: Difference
    contracts: float = 0.0  # of both

    @property
    def relative(self) -> float | None:
        return self.added.expected / self.before if self.before > 0 else None


@dataclass(frozen=True, slots=True)
class Answer:
    """All of it as the model expects it."""

    customers: int
    sampled: int
    lines: Mapping[str, Line]  # by name of AMOUNTS
    leave: tuple[float, float]  # share who leaves, before and after
    payback: tuple[int | None, int | None]  # month of a new customer of the whole business
    acquisition_cents: float | None  # of a new customer, as it is; None where no cost is known
    cut: float  # share of the customers whose margin is already all of the revenue under the levers
    model: str
    reason: str  # why it is not a model of this shop's own; empty otherwise
    nobody_leaves: bool
    no_margin: bool


def answer(*, run: Run, whom: Whom, levers: Levers) -> Answer | None:
    """None where nobody of them has an order that stands, or the facts of the night are gone."""
    cost = acquisition_cents(run)
    key = f"what-if:{SHAPE}:{run.pk}:{whom.value}:{cost}:"
    name = key + ":".join(f"{getattr(levers, lever):.4f}" for lever in what_if.RANGES)
    found: Answer | None = cache.get(name)
    if found is None:
        base = _base(run, whom, cost, key)
        found = _answer(run, base, levers, cost) if base else None
        cache.set(name, found, KEPT_SECONDS)
    return found


def acquisition_cents(run: Run) -> float | None:
    """What a new customer costs, as the key figures say it."""
    return kpis.kpi("cac", kpis.Facts(run=run, days=COSTS_DAYS)).now.value


def _base(run: Run, whom: Whom, cost: float | None, key: str) -> Base | None:
    """Kept with the sample in it, so that both sides of a difference are of the same customers."""
    found: Base | None = cache.get(f"{key}base")
    if found is None:
        found = _read(run, whom, cost)
        if found is not None:
            cache.set(f"{key}base", found, KEPT_SECONDS)
    return found


def _read(run: Run, whom: Whom, cost: float | None) -> Base | None:
    if "fitted" not in run.model or run.pk not in partitions.kept():
        return None
    totals, fitted = _totals(run, whom), Fitted.from_dict(run.model["fitted"])
    known = _sample(run, whom, fitted, totals.customers)
    if not known.order_days.size:
        return None
    before = _simulate(run, fitted, known, AS_IT_IS, cost)
    return Base(totals=totals, known=known, before=before, scale=_scale(run, totals, known, before))


def _totals(run: Run, whom: Whom) -> Totals:
    with connection.cursor() as cursor:
        cursor.execute(SUMS.format(scores=partitions.table_of(run.pk), where=whom.where))
        customers, *sums, orders = cursor.fetchone()
    values, contracts = sums[:3], [float(each or 0) for each in sums[3:]]
    of_orders = [None if each is None else float(each) - part for each, part in zip(values, contracts, strict=True)]
    names = AMOUNTS[:3]
    return Totals(
        customers=customers,
        amounts=dict(zip(names, of_orders, strict=True)) | {"orders": orders},
        contracts=dict(zip(names, contracts, strict=True)),
    )


def _sample(run: Run, whom: Whom, fitted: Fitted, customers: int) -> History:
    every = -(-customers // _most(fitted)) or 1
    tables = {
        "scores": partitions.table_of(run.pk),
        "summaries": scoring.summary_table(run),
        "baskets": baskets.table_of(run),
        "cell": customer_cells.expression(run),
        "summary": ", ".join(f"s.{name}" for name in scoring.HISTORY),
    }
    types = scoring.HISTORY | {"discount_cents": scoring.BESIDES_TYPES["discount_cents"]} | customer_cells.CELL
    columns = pgcopy.read(CHOSEN.format(where=whom.where, every=every, **tables), {}, types)
    currency = run.settings["currency"]
    past = scoring.history(columns, as_of=run.as_of, currency=currency)
    return scoring.with_discounts(past, columns["discount_cents"], currency=currency)


def _most(fitted: Fitted) -> int:
    params = fitted.purchase
    return SMALL_SAMPLE if isinstance(params, MbgCnbdKParams) and params.k > 1 else SAMPLE


def _scale(run: Run, totals: Totals, known: History, before: Outcome) -> dict[str, float]:
    """So that each amount as it is is the night's own; what no night adds up follows the orders."""
    unit = 10.0 ** money.exponent(run.settings["currency"])
    heads = totals.customers / known.order_days.size

    def share(name: str) -> float:
        expected, told = float(getattr(before, name)), totals.amounts.get(name)
        per_unit = 1.0 if name in ORDERS else unit
        return told / (expected * per_unit) if told and expected > 0.0 else heads

    orders = share("orders")
    return {name: share(name) * unit for name in AMOUNTS[:3]} | {
        "orders": orders,
        "revenue": orders * unit,
        "at_risk": orders * unit,
    }


def _simulate(run: Run, fitted: Fitted, known: History, levers: Levers, cost: float | None) -> Outcome:
    unit = 10.0 ** money.exponent(run.settings["currency"])
    return what_if.simulate(fitted, known, scoring.terms(run.settings), levers, (cost or 0.0) / unit)


def _answer(run: Run, base: Base, levers: Levers, cost: float | None) -> Answer:
    fitted, before = Fitted.from_dict(run.model["fitted"]), base.before
    after = before if levers == AS_IT_IS else _simulate(run, fitted, base.known, levers, cost)
    added = what_if.differences(fitted, before, after)
    rates = shop.margin_rates(fitted, base.known)
    is_average = fitted.model == SHOP_AVERAGES
    return Answer(
        customers=base.totals.customers,
        sampled=base.known.order_days.size,
        lines={name: _line(base, after, added[name], name) for name in AMOUNTS},
        leave=(before.leave, after.leave),
        payback=(before.payback_month, after.payback_month),
        acquisition_cents=cost,
        cut=float(np.mean(rates * levers.margin_rate > 1.0 + NO_MARGIN)),
        model=fitted.model,
        reason=fitted.reason if is_average else "",
        nobody_leaves=before.at_risk <= NO_LEAVING * before.revenue,
        no_margin=before.clv_lifetime <= NO_MARGIN * max(before.revenue, 1.0),
    )


def _line(base: Base, after: Outcome, added: Difference, name: str) -> Line:
    scale, contracts = base.scale[name], base.totals.contracts.get(name, 0.0)
    ends = Difference(*(scale * each for each in (added.low, added.expected, added.high)))
    return Line(
        before=contracts + scale * getattr(base.before, name),
        after=contracts + scale * getattr(after, name),
        added=ends,
        contracts=contracts,
    )


def levers_of(changes: Mapping[str, Any]) -> Levers:
    """From per cent. Raises ValueError outside of their ranges."""
    return Levers(**{name: 1.0 + float(changes.get(name, 0)) / 100.0 for name in what_if.RANGES})
