"""Scores and segments as CSV, with the first identity of each customer."""

import csv
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import IO, Any, Final
from zoneinfo import ZoneInfo

from django.db import connection

from analytics import scores
from analytics.services import partitions
from core import money
from core.models import Run

SCORE_COLUMNS: Final = (
    *("source", "external_id", "as_of", "orders", "order_days", "first_order_at", "last_order_at", "age_days"),
    *("p_alive", "churn_risk", "expected_orders_12m", "expected_margin_per_order"),
    *("clv_12m", "clv_12m_low", "clv_12m_high", "clv_historic", "segment", "model"),
)
SEGMENT_COLUMNS: Final = ("source", "external_id", "segment", "previous_segment", "changed_on")

FIRST_IDENTITY: Final = """
    SELECT DISTINCT ON (customer_id) customer_id, source, external_id
    FROM customers_identity ORDER BY customer_id, id
"""
SCORES: Final = """
SELECT i.source, i.external_id, s.orders, s.order_days, s.first_at, s.last_at, s.age_days, s.p_alive, s.churn_risk,
    s.expected_orders, s.order_margin_cents, s.clv_cents, s.clv_low_cents, s.clv_high_cents, s.historic_cents, s.segment
FROM {scores} s JOIN ({identities}) i USING (customer_id)
ORDER BY i.source, i.external_id
"""
SEGMENTS: Final = """
SELECT i.source, i.external_id, s.segment, s.previous_segment, s.segment_changed_on
FROM {scores} s JOIN ({identities}) i USING (customer_id)
WHERE s.segment > 0
ORDER BY i.source, i.external_id
"""
BATCH: Final = 5000


class NoScores(Exception):
    """There is no published night to export."""


def run_for(as_of: date | None) -> Run:
    """The current run, or the newest revision for a date. Raises NoScores."""
    if as_of is None:
        run = Run.objects.filter(is_current=True).first()
    else:
        published = Run.objects.filter(as_of=as_of, published_at__isnull=False)
        run = published.order_by("-revision").first()
    if run is None or run.pk not in partitions.kept():
        raise NoScores(f"No scores are kept for {as_of}." if as_of else "No night has been published yet.")
    return run


def write_scores(out: IO[str], *, run: Run) -> int:
    """One row per customer with at least one order, sorted by source and id there; returns the number of rows."""
    return _write(out, SCORE_COLUMNS, (_score_row(run, *row) for row in _rows(SCORES, run)))


def write_segments(out: IO[str], *, run: Run) -> int:
    """The segment of each customer, the one before, and since which business date."""
    rows = (
        (source, external_id, scores.Name(now).label, scores.Name(was).label, since)
        for source, external_id, now, was, since in _rows(SEGMENTS, run)
    )
    return _write(out, SEGMENT_COLUMNS, rows)


def _rows(query: str, run: Run) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query.format(scores=partitions.table_of(run.pk), identities=FIRST_IDENTITY))
        while batch := cursor.fetchmany(BATCH):
            yield from batch


def _write(out: IO[str], header: Sequence[str], rows: Iterator[Sequence[Any]]) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    count = 0
    for row in rows:
        writer.writerow([_plain(cell) for cell in row])
        count += 1
    return count


def _plain(cell: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets a quote in front."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


def _score_row(run: Run, source: str, external_id: str, *figures: Any) -> tuple[Any, ...]:
    orders, days, first, last, age, alive, risk, expected, margin, clv, low, high, historic, segment = figures
    zone, currency = run.settings["time_zone"], run.settings["currency"]
    model = run.model["fitted"]["model"]
    return (
        *(source, external_id, run.as_of, orders, days, _time(first, zone), _time(last, zone), age),
        *(_digits(alive), _digits(risk), _digits(expected), _money(margin, currency)),
        *(_money(clv, currency), _money(low, currency), _money(high, currency), _money(historic, currency)),
        *(scores.Name(segment).label, model if days else ""),
    )


def _time(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _money(cents: int | None, currency: str) -> str:
    return "" if cents is None else f"{money.major(cents, currency):.2f}"
