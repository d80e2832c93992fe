"""From summaries to scores: read the columns, call the engine, COPY the rows. One shard, one transaction."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analytics import scores
from analytics.clv import shop
from analytics.services import (
    baskets,
    carried,
    choices,
    codes,
    contract_rows,
    customer_cells,
    partitions,
    profit,
    scheme_rows,
    score_rows,
    stats,
    summaries,
)
from core import money, pgcopy
from core.models import Run

SHARD_ROWS: Final = 125_000

# What the engine needs of a customer, and what her row of scores says besides.
HISTORY: Final = {
    "customer_id": "int8",
    "order_days": "int4",
    "first_on": "date",
    "last_on": "date",
    "value_cents": "int8",
    "repeat_value_cents": "int8",
    "margin_cents": "int8",
    "prior_on": "date",
    "log_gaps": "float8",
    "paid_days": "int4",
    "log_value": "float8",
    "log_value_sq": "float8",
    "refunded_cents": "int8",
}
# The fit reads these with the rest, so that a shard need not read anything a second time.
BESIDES: Final = {
    "orders": "s.orders",
    "first_at": "s.first_at",
    "last_at": "s.last_at",
    "discount_cents": "coalesce(k.discount_cents, 0)",
    "main_category": "coalesce(k.main_category_id, 0)",
}
BESIDES_TYPES: Final = dict(zip(BESIDES, ("int4", "timestamptz", "timestamptz", "int8", "int8"), strict=True))
SUMMARY: Final = HISTORY | {name: BESIDES_TYPES[name] for name in ("orders", "first_at", "last_at")}
ALL: Final = HISTORY | customer_cells.CELL | BESIDES_TYPES
READ: Final = "SELECT {columns} FROM {summaries} s LEFT JOIN {baskets} k USING (customer_id) {where}"
CARRIED: Final = "analytics_history_of_run_"

COSTS: Final = {"acquisition_cents": 0, "cost_cents": 0, "other_cents": 0, "profitable_on": score_rows.FOREVER}
COSTS_TYPES: Final = {"customer_id": "int8"} | dict(zip(COSTS, ("int8", "int8", "int8", "date"), strict=True))
COSTS_OF: Final = """
SELECT customer_id, acquisition_cents, cost_cents, other_cents, coalesce(profitable_on, 'infinity')
FROM {profit} WHERE customer_id BETWEEN {first} AND {last} ORDER BY customer_id
"""
# Segment −1 is a customer who was not scored the night before.
BEFORE: Final = {"segment": -1, "previous_segment": 0, "segment_changed_on": 0}

Columns = dict[str, NDArray[Any]]


def summary_table(run: Run) -> str:
    return summaries.past_table(run.pk) if run.is_past else summaries.TABLE


def tables_are_kept(run: Run) -> bool:
    """Whether a run that stopped could go on: the tables that its next step reads are there."""
    if run.is_past and run.facts_xid and run.pk not in partitions.runs_with(summaries.PAST_PREFIX):
        return False
    return "shards" not in run.model or run.pk in partitions.kept()


def terms(settings: Mapping[str, Any]) -> shop.Terms:
    return shop.Terms(
        churn_horizon_days=int(settings["churn_horizon_days"]),
        discount_rate=float(settings["discount_rate"]),
        margin_rate=float(settings["margin_rate"]),
    )


def history(columns: Columns, *, as_of: date, currency: str) -> shop.History:
    """The engine's columns: days as ages, money in major units. Without cells all are in the rest."""
    unit = 10.0 ** money.exponent(currency)
    today = (np.datetime64(as_of, "D") - pgcopy.EPOCH).astype(np.int32)
    stands = columns["order_days"] > 0
    return shop.History(
        order_days=columns["order_days"].astype(np.int32),
        first_age=np.where(stands, today - columns["first_on"], 0).astype(np.int32),
        last_age=np.where(stands, today - columns["last_on"], 0).astype(np.int32),
        value=columns["value_cents"] / unit,
        repeat_value=columns["repeat_value_cents"] / unit,
        margin=columns["margin_cents"] / unit,
        log_gaps=columns["log_gaps"],
        prior_age=np.where(columns["order_days"] > 2, today - columns["prior_on"], -1).astype(np.int32),
        refunded=columns["refunded_cents"] / unit,
        cell=columns.get("cell", np.zeros(len(stands), np.int16)),
        **_paid(columns, unit),
    )


def _paid(columns: Columns, unit: float) -> Columns:
    """The sums of logarithms in major units: ln(v / unit) = ln v - ln unit."""
    count, level, square = columns["paid_days"], columns["log_value"], columns["log_value_sq"]
    shift = math.log(unit)
    return {
        "paid_days": count.astype(np.int32),
        "log_value": level - count * shift,
        "log_value_sq": square - 2.0 * shift * level + count * shift**2,
    }


def fit(*, run: Run) -> dict[str, Any]:
    """Fit the models and the cut points of RFM on every customer; keep both in the run; make the table of scores."""
    run.model = run.model | {"cells": customer_cells.find(run)}
    columns = _by_id(_read(run))
    shards = _carry(run, columns)
    past = history(columns, as_of=run.as_of, currency=run.settings["currency"])
    fitted = shop.fit(past, terms(run.settings), choices.plan(run))
    unit = 10 ** money.exponent(run.settings["currency"])
    agreed = contract_rows.of_customers(run, columns["customer_id"])["year_cents"] / unit
    run.model = run.model | {
        "fitted": fitted.as_dict(),
        "profit": profit.of_shop(run=run, past=past, margin_rate=fitted.margin_rate).as_dict(),
        "schemes": scheme_rows.thresholds(
            fitted=fitted, past=past, agreed=agreed, terms=terms(run.settings), unit=unit
        ).as_dict(),
        "cuts": scores.rfm_cuts(order_days=past.order_days, last_age=past.last_age, margin=past.margin).as_dict(),
        "shards": shards,
        "compared_with": _run_before(run),
    }
    run.save(update_fields=["model"])
    partitions.create(run.pk)
    return {"rows": len(columns["customer_id"]), "days": int(np.sum(past.first_age))}


def _read(run: Run, where: str = "") -> Columns:
    tables = {"summaries": summary_table(run), "baskets": baskets.table_of(run)}
    columns = [*(f"s.{name}" for name in HISTORY), customer_cells.expression(run), *BESIDES.values()]
    return pgcopy.read(READ.format(columns=", ".join(columns), where=where, **tables), {}, ALL)


def _carry(run: Run, columns: Columns) -> list[dict[str, int]]:
    """Cut the customers into shards and keep the columns for them."""
    carried.create(table := _carried(run))
    carried.create(codes.table_of(run.pk))
    shards, begun = _shards(columns["customer_id"]), 0
    for shard in shards:
        part = {name: values[begun : begun + shard["rows"]] for name, values in columns.items()}
        carried.put(table, part, ALL, first=shard["first"])
        begun += shard["rows"]
    return shards


def _carried(run: Run) -> str:
    return f"{CARRIED}{int(run.pk)}"


def _by_id(columns: Columns) -> Columns:
    """The rows in the order of ids, so that sums come out the same. A tenth of what the query's ORDER BY would cost."""
    order = np.argsort(columns["customer_id"], kind="stable")
    return {name: values[order] for name, values in columns.items()}


def shards(run: Run) -> list[dict[str, int]]:
    """What score_shard is to be called with, as the fit has cut it."""
    return list(run.model["shards"])


def _shards(customer_ids: NDArray[np.int64]) -> list[dict[str, int]]:
    """Ranges of customer ids (first, last, rows) of at most SHARD_ROWS rows each; one empty range for no customers."""
    if not len(customer_ids):
        return [{"first": 0, "last": -1, "rows": 0}]
    parts = np.array_split(customer_ids, -(-len(customer_ids) // SHARD_ROWS))
    return [{"first": int(part[0]), "last": int(part[-1]), "rows": len(part)} for part in parts]


def _run_before(run: Run) -> int | None:
    """The run that segments are compared with: the latest published one for an earlier date whose scores are kept."""
    earlier = Run.objects.filter(published_at__isnull=False, as_of__lt=run.as_of, pk__in=partitions.kept())
    return earlier.order_by("-as_of", "-revision").values_list("pk", flat=True).first()


def score_shard(*, run: Run, first: int, last: int) -> dict[str, Any]:
    """Score the customers with first ≤ id ≤ last into the run's table; returns what the run's totals add up from."""
    columns = _read_shard(run=run, first=int(first), last=int(last))
    currency = run.settings["currency"]
    past = history(columns, as_of=run.as_of, currency=currency)
    past = with_discounts(past, columns["discount_cents"], currency=currency)
    settings = terms(run.settings)
    found = shop.score(shop.Fitted.from_dict(run.model["fitted"]), past, settings)
    table = score_rows.build(run=run, columns=columns, past=past, found=found)
    table |= contract_rows.build(run=run, table=table)
    unit = 10 ** money.exponent(run.settings["currency"])
    table |= scheme_rows.build(run=run, past=past, table=table, category=columns["main_category"], unit=unit)
    pgcopy.write(partitions.table_of(run.pk), table)
    codes.keep(run, table, first=int(first))
    return {
        "rows": len(columns["customer_id"]),
        "totals": stats.of_shard(table, before=columns["segment_before"], active_days=settings.churn_horizon_days),
    }


def with_discounts(past: shop.History, discount_cents: NDArray[Any], *, currency: str) -> shop.History:
    """With what discounts took off, as a share of what each bought at full price."""
    taken = discount_cents / 10.0 ** money.exponent(currency)
    full = taken + np.maximum(past.value + past.refunded, 0.0)
    return replace(past, discounted=np.divide(taken, full, out=np.zeros(full.shape), where=full > 0))


def _read_shard(*, run: Run, first: int, last: int) -> Columns:
    """The shard as the fit has read it, its costs, and its segments of the run before, in the order of ids."""
    columns = carried.take(_carried(run), ALL, firsts=[first])
    if columns is None:
        columns = _by_id(_read(run, f"WHERE s.customer_id BETWEEN {first} AND {last}"))
    ids = columns["customer_id"]
    costs = pgcopy.read(COSTS_OF.format(profit=profit.table_of(run), first=first, last=last), {}, COSTS_TYPES)
    columns |= carried.joined(ids, costs, COSTS)
    before = run.model["compared_with"]
    kept = codes.of_run(before, first=first, last=last) if before else codes.nobody()
    return columns | {f"{name}_before": values for name, values in carried.joined(ids, kept, BEFORE).items()}
