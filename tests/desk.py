"""A published night made by hand, for pages: scores as given, totals counted from them the plain way."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

from analytics import schemes
from analytics.models import DayTotals, PurchaseSummary, Score
from analytics.scores import Name
from analytics.services import partitions
from core.models import Run

AS_OF = date(2026, 3, 31)
SUMS = (
    *("clv_cents", "value_cents", "historic_cents", "clv_36m_cents", "clv_lifetime_cents", "orders"),
    *("contract_cents", "contract_36m_cents", "contract_lifetime_cents"),
    *("acquisition_cents", "cost_cents", "expected_cost_cents"),
)
MEASURES = ("customers", "active", "expected_milli", *SUMS)
FITTED = {
    "model": "MBG/NBD",
    "reason": "",
    "n": 3000,
    "repeat_customers": 1800,
    "unit": "weeks",
    "purchase": {"model": "MBG/NBD", "r": 0.55, "alpha": 10.6, "a": 0.8, "b": 2.4},
    "fits": {},
    "corrected": {},
    "spend": {"model": "Shrunken mean", "customers": 1800, "mean_spend": 35.0},
    "spend_reason": "",
    "gamma_gamma": None,
    "levels": {"orders": 1.0, "spend": 1.0},
    "widths": None,
    "calibration": None,
    "mean_spend": 35.0,
    "margin_rate": 0.4,
}
SETTINGS = {
    "currency": "USD",
    "time_zone": "UTC",
    "churn_horizon_days": 90,
    "discount_rate": "0.1",
    "margin_rate": "0.4",
}


def noon(day):
    return datetime.combine(day, time(12), UTC)


def score(customer, *, last_age_days=20, **fields):
    """One row of a night; everything that a test does not speak of is plausible."""
    age_days = last_age_days + 180
    return {
        "customer_id": customer.pk,
        "orders": 4,
        "order_days": 4,
        "age_days": age_days,
        "last_age_days": last_age_days,
        "first_at": noon(AS_OF - timedelta(days=age_days)),
        "last_at": noon(AS_OF - timedelta(days=last_age_days)),
        "value_cents": 40_000,
        "historic_cents": 16_000,
        "p_alive": 0.9,
        "churn_risk": 0.3,
        "churn_band": 1,
        "expected_orders": 6.0,
        "order_margin_cents": 4_000,
        "clv_cents": 20_000,
        "usual_gap_days": 60.0,
        "r": 5,
        "f": 5,
        "m": 3,
        "segment": Name.CHAMPIONS,
        "previous_segment": Name.CHAMPIONS,
        "segment_changed_on": AS_OF - timedelta(days=30),
    } | fields


def score_of_nobody(customer, **fields):
    """A row of somebody whose every order came back: no order stands, and nothing is predicted."""
    nothing = dict.fromkeys(
        ("p_alive", "churn_risk", "expected_orders", "order_margin_cents", "clv_cents", "usual_gap_days")
    )
    zeros = dict.fromkeys(
        ("orders", "order_days", "r", "f", "m", "segment", "churn_band", "value_cents", "historic_cents"), 0
    )
    return score(customer) | nothing | zeros | fields


def make_night(*rows, as_of=AS_OF, is_current=True, moves=None, **fields):
    """A published run with these scores."""
    if is_current:
        Run.objects.filter(is_current=True).update(is_current=False)
    run = Run.objects.create(
        **{"as_of": as_of, "state": Run.State.DONE, "step": "tidy", "is_current": is_current}
        | {"settings": SETTINGS, "model": {"fitted": FITTED}, "stats": count(rows, moves or {})}
        | {"started_at": noon(as_of), "published_at": noon(as_of), "finished_at": noon(as_of) + timedelta(seconds=8)}
        | fields
    )
    partitions.create(run.pk)
    partitions.index(run.pk, sorts=is_current)
    partitions.attach(run.pk)
    Score.objects.bulk_create(Score(run=run, **row) for row in rows)
    return run


def make_summaries(*rows, as_of=AS_OF):
    """What a night read of the orders of these scores."""
    PurchaseSummary.objects.bulk_create(
        PurchaseSummary(
            **{
                name: row[name]
                for name in ("customer_id", "orders", "order_days", "first_at", "last_at", "value_cents")
            },
            first_on=as_of - timedelta(days=row["age_days"]),
            last_on=as_of - timedelta(days=row["last_age_days"]),
            prior_on=as_of - timedelta(days=row["age_days"]),
            repeat_value_cents=row["value_cents"] * (row["order_days"] - 1) // max(row["order_days"], 1),
            margin_cents=row["historic_cents"],
            **dict.fromkeys(("log_gaps", "paid_days", "log_value", "log_value_sq", "refunded_cents"), 0),
        )
        for row in rows
    )


def count(rows, moves):
    """The totals that a night keeps (analytics.services.stats), added up row by row."""
    cells = {}
    for row in rows:
        cell = cells.setdefault(f"{row['segment']:d}/{row['churn_band']}", Counter())
        add(cell, row)
    return {
        "all": total(cells.values()),
        "segments": group(cells, 0),
        "bands": group(cells, 1),
        "cells": {key: total([cell]) for key, cell in cells.items()},
        "moves": moves,
        "schemes": {scheme.slug: count_scheme(rows, scheme.column) for scheme in schemes.SCORED},
    }


def count_scheme(rows, column):
    """The same by the codes of another column."""
    cells = {}
    for row in rows:
        cell = cells.setdefault(f"{row.get(column, 0)}/{row['churn_band']}", Counter())
        add(cell, row)
    return {"segments": group(cells, 0), "cells": {key: total([cell]) for key, cell in cells.items()}}


def add(cell, row):
    cell["customers"] += 1
    cell["active"] += row["last_age_days"] < 90
    cell["expected_milli"] += round(1000 * (row["expected_orders"] or 0))
    for name in SUMS:
        cell[name] += row.get(name) or 0


def group(cells, part):
    keys = {key.split("/")[part] for key in cells}
    return {key: total(cell for name, cell in cells.items() if name.split("/")[part] == key) for key in keys}


def total(cells):
    cells = list(cells)
    return {name: sum(cell[name] for cell in cells) for name in MEASURES}


def make_day(day, **fields):
    return DayTotals.objects.create(**_day(day, **fields))


def make_days(last, days):
    """So many days up to `last`, each a little other than the day before."""
    backs = range(days)
    DayTotals.objects.bulk_create(
        DayTotals(**_day(last - timedelta(days=back), value_cents=90_000 + 100 * (back % 60))) for back in backs
    )


def _day(day, *, value_cents=10_000, **fields):
    plain = {"orders": 1, "buyers": 1, "refunds_cents": 0, "margin_cents": 0}
    return plain | {"day": day, "value_cents": value_cents} | fields
