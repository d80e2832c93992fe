"""Scores and segments as CSV, with the first identity of each customer."""

import csv
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import IO, Any, Final, cast
from zoneinfo import ZoneInfo

from django.db import connection

from analytics import schemes, scores
from analytics.schemes import Scheme
from analytics.services import partitions
from core import money
from core.formulas import plain
from core.models import Run
from customers.places import Place

SCORE_COLUMNS: Final = (
    *("source", "external_id", "as_of", "orders", "order_days", "first_order_at", "last_order_at", "age_days"),
    *("p_alive", "churn_risk", "expected_orders_12m", "expected_margin_per_order"),
    *("clv_12m", "clv_12m_low", "clv_12m_high", "clv_historic", "segment", "model"),
)
SEGMENT_COLUMNS: Final = ("source", "external_id", "segment", "previous_segment", "changed_on")

# Sorted by bytes, so that every server gives the same file.
NAMED: Final = """
SELECT i.source COLLATE "C" AS source, i.external_id COLLATE "C" AS external_id, s.*
FROM {scores} s JOIN (
    SELECT DISTINCT ON (customer_id) customer_id, source, external_id FROM customers_identity ORDER BY customer_id, id
) i USING (customer_id)
"""
SCORES: Final = f"""
SELECT source, external_id, orders, order_days, first_at, last_at, age_days, p_alive, churn_risk,
    expected_orders, order_margin_cents, clv_cents, clv_low_cents, clv_high_cents, historic_cents, segment
FROM ({NAMED}) AS named ORDER BY source, external_id
"""
SEGMENTS: Final = f"""
SELECT source, external_id, segment, previous_segment, segment_changed_on
FROM ({NAMED}) AS named WHERE segment > 0 ORDER BY source, external_id
"""
MEMBER_COLUMNS: Final = (
    *("source", "external_id", "name", "email", "segment", "previous_segment", "changed_on"),
    *("clv_12m", "churn_risk", "orders", "last_order_at"),
    *Place._fields,
)
ADDRESS: Final = ", ".join(f"c.{name}" for name in Place._fields)
MEMBERS: Final = f"""
SELECT n.source, n.external_id, c.name, coalesce(e.address, ''), n.previous_segment, n.segment_changed_on,
    n.clv_cents, n.churn_risk, n.orders, n.last_at, {ADDRESS}
FROM ({NAMED}) AS n JOIN customers_customer c ON c.id = n.customer_id
LEFT JOIN LATERAL (
    SELECT address FROM customers_email WHERE customer_id = n.customer_id ORDER BY id LIMIT 1
) e ON true
WHERE n.segment = {{segment}} ORDER BY n.clv_cents DESC NULLS LAST, n.source, n.external_id
"""
# Of the schemes whose scores do not say what was before: memberships do, of the night that is current.
GROUP_MEMBERS: Final = f"""
SELECT n.source, n.external_id, c.name, coalesce(e.address, ''), coalesce(p.name, ''), {{since}},
    n.clv_cents, n.churn_risk, n.orders, n.last_at, {ADDRESS}
FROM ({NAMED}) AS n JOIN customers_customer c ON c.id = n.customer_id
{{joined}}
LEFT JOIN LATERAL (
    SELECT address FROM customers_email WHERE customer_id = n.customer_id ORDER BY id LIMIT 1
) e ON true
WHERE {{chosen}} ORDER BY n.clv_cents DESC NULLS LAST, n.source, n.external_id
"""
OF_SCHEME: Final = """LEFT JOIN customers_membership m ON m.customer_id = n.customer_id AND m.scheme = '{scheme}'
LEFT JOIN customers_segment p ON p.id = m.previous_id"""
OF_TAG: Final = """JOIN customers_tagging t ON t.customer_id = n.customer_id AND t.segment_id = {code}
    AND t.removed_at IS NULL LEFT JOIN customers_segment p ON false"""
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
        (*_names(source, external_id), scores.Name(now).label, scores.Name(was).label, since)
        for source, external_id, now, was, since in _rows(SEGMENTS, run)
    )
    return _write(out, SEGMENT_COLUMNS, rows)


def members(*, run: Run, segment: scores.Name) -> Iterator[Sequence[Any]]:
    """MEMBER_COLUMNS, then one row per customer of the segment, the most valuable first."""
    zone, currency = ZoneInfo(run.settings["time_zone"]), run.settings["currency"]
    yield MEMBER_COLUMNS
    found = _rows(MEMBERS, run, segment=segment.value)
    for source, external_id, name, email, was, since, clv, risk, orders, last, *place in found:
        who = (*_names(source, external_id), *_names(name, email), segment.label, scores.Name(was).label, since)
        yield *who, _money(clv, currency), _digits(risk), orders, _time(last, zone), *map(plain, place)


def group_members(*, run: Run, scheme: Scheme, code: int, label: str) -> Iterator[Sequence[Any]]:
    """As `members`, for a segment of any scheme: a code of the scores or, of tags, the tag's id."""
    zone, currency = ZoneInfo(run.settings["time_zone"]), run.settings["currency"]
    is_tag = scheme is schemes.NEEDS
    parts = {
        "since": "t.added_at::date" if is_tag else "m.changed_on",
        "joined": OF_TAG.format(code=int(code)) if is_tag else OF_SCHEME.format(scheme=scheme.slug),
        "chosen": "true" if is_tag else f"n.{scheme.column} = {int(code)}",
    }
    yield MEMBER_COLUMNS
    found = _rows(GROUP_MEMBERS, run, **parts)
    for source, external_id, name, email, was, since, clv, risk, orders, last, *place in found:
        who = (*_names(source, external_id), *_names(name, email), plain(label), plain(was), since)
        yield *who, _money(clv, currency), _digits(risk), orders, _time(last, zone), *map(plain, place)


def _rows(query: str, run: Run, **parts: int | str) -> Iterator[tuple[Any, ...]]:
    """The rows as one moment shows them, fetched in batches."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(query.format(scores=partitions.table_of(run.pk), **parts))
        while batch := cursor.fetchmany(BATCH):
            yield from cast("list[tuple[Any, ...]]", batch)


def _write(out: IO[str], header: Sequence[str], rows: Iterator[Sequence[Any]]) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    count = 0
    for row in rows:
        writer.writerow(row)
        count += 1
    return count


def _names(source: str, external_id: str) -> tuple[str, str]:
    return plain(source), plain(external_id)


def _score_row(run: Run, source: str, external_id: str, *figures: Any) -> tuple[Any, ...]:
    orders, days, first, last, age, alive, risk, expected, margin, clv, low, high, historic, segment = figures
    zone, currency = ZoneInfo(run.settings["time_zone"]), run.settings["currency"]
    model = run.model["fitted"]["model"]
    return (
        *(*_names(source, external_id), run.as_of, orders, days, _time(first, zone), _time(last, zone), age),
        *(_digits(alive), _digits(risk), _digits(expected), _money(margin, currency)),
        *(_money(clv, currency), _money(low, currency), _money(high, currency), _money(historic, currency)),
        *(scores.Name(segment).label, model if days else ""),
    )


def _time(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _money(cents: int | None, currency: str) -> str:
    return "" if cents is None else f"{money.major(cents, currency):.2f}"
