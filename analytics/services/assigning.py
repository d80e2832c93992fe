"""From a night's scores to memberships: one pass over two nights finds who moved, and only they are written.

The moves are found before the night is shown, while its scores are indexed, and kept in a table of the run's own.

RFM's scores carry the segment before and since when. For the other schemes the night before tells it, and for those who
are back where the night before had them (a night was done again) the kept nights do.
"""

from typing import Final

import numpy as np
from django.db import connection, transaction

from analytics import schemes, scores
from analytics.schemes import Scheme
from analytics.services import carried, codes, partitions
from core import pgcopy
from core.models import Run
from core.pgcopy import Column
from customers.models import Category
from customers.services import memberships
from customers.services.memberships import Codes, Wanted

FLAG: Final = "assigned"  # in a run's stats: the memberships say what its scores say
PREFIX: Final = "analytics_moves_of_run_"
PARTS: Final = 2  # of the moves, at work at once

RFM: Final = """
SELECT customer_id, segment, previous_segment, segment_changed_on FROM {scores} WHERE segment > 0
"""
RFM_MOVED: Final = """
SELECT customer_id, segment, previous_segment, segment_changed_on FROM scheme_moves
WHERE segment IS DISTINCT FROM old_segment
"""
MOVES: Final = "CREATE TEMP TABLE scheme_moves ({columns}) ON COMMIT DROP"
# The night before tells what she was; if that is what she is, the last night that says otherwise. Only then the nights
# are looked at: a condition of the join would be asked after them.
WANTED: Final = """
SELECT m.customer_id, m.{column},
    CASE WHEN c.{column} = m.{column} THEN back.previous ELSE c.{column} END,
    CASE WHEN c.{column} = m.{column} THEN coalesce(back.since, date '{as_of}') ELSE date '{as_of}' END
FROM {moved} m LEFT JOIN ({before}) c ON c.customer_id = m.customer_id
LEFT JOIN LATERAL (
    SELECT max(o.code) FILTER (WHERE o.day = o.otherwise) AS previous,
        min(o.day) FILTER (WHERE o.otherwise IS NULL OR o.day > o.otherwise) AS since
    FROM (
        SELECT n.day, s.{column} AS code, max(n.day) FILTER (WHERE s.{column} <> m.{column}) OVER () AS otherwise
        FROM (VALUES {nights}) AS n (run_id, day)
        JOIN analytics_score s ON s.run_id = n.run_id AND s.customer_id = m.customer_id
        WHERE c.{column} = m.{column}
    ) o
) back ON true
{only}
"""
HALFWAY: Final = "SELECT percentile_disc(%s) WITHIN GROUP (ORDER BY customer_id) FROM {moves}"
NOBODY: Final = "SELECT NULL::bigint AS customer_id, NULL::bigint AS {column} WHERE false"


def table_of(run: Run) -> str:
    return f"{PREFIX}{int(run.pk)}"


@transaction.atomic
def find(*, run: Run) -> int:
    """Find who moves in any scheme by what the run says, and keep it; returns how many."""
    base = _base(run)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table_of(run)}")
    if base:
        _compare(run, base)
    found = memberships.find_moves(table=table_of(run), schemes=_wanted(run, base), only_wanted=base is not None)
    if base:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE scheme_moves")
    return found


def parts(run: Run) -> list[dict[str, int]]:
    """What `assign` is to be called with: ranges of customers with about as many moves each."""
    with connection.cursor() as cursor:
        cursor.execute(HALFWAY.format(moves=table_of(run)), [[part / PARTS for part in range(1, PARTS)]])
        (cuts,) = cursor.fetchone()
    ends = sorted(set(cuts or ()))
    firsts, lasts = [codes.FIRST, *(end + 1 for end in ends)], [*ends, codes.LAST]
    return [{"first": first, "last": last} for first, last in zip(firsts, lasts, strict=True)]


def assign(*, run: Run, first: int, last: int) -> int:
    """Move the customers with first ≤ id ≤ last; returns how many memberships changed."""
    return memberships.move(table=table_of(run), first=first, last=last)


def settle(*, run: Run) -> None:
    """Say that every part is done."""
    run.stats[FLAG] = True
    run.save(update_fields=["stats"])


def _wanted(run: Run, base: int | None) -> dict[str, Wanted]:
    rfm = {name.value: (name.slug, name.label) for name in scores.Name if name}
    by_rfm = RFM_MOVED if base else RFM.format(scores=partitions.table_of(run.pk))
    others = {scheme.slug: Wanted(named(scheme), _query(run, scheme, base)) for scheme in schemes.SCORED}
    return {"rfm": Wanted(rfm, by_rfm)} | others


def named(scheme: Scheme) -> Codes:
    """(slug, name) of each code; categories by their ids, so that another name is no other segment."""
    if scheme is schemes.PREFERENCE:
        return {pk: (f"c{pk}", name) for pk, name in Category.objects.order_by("pk").values_list("pk", "name")}
    return {kind.code: (kind.slug, kind.label) for kind in scheme.kinds}


def _base(run: Run) -> int | None:
    """The run that the memberships were brought to; None where they were not in full, or its table is gone."""
    shown = Run.objects.filter(published_at__isnull=False, is_past=False).exclude(pk=run.pk)
    last = shown.order_by("-published_at", "-pk").first()
    return last.pk if last and last.stats.get(FLAG) and last.pk in partitions.kept() else None


def _compare(run: Run, base: int) -> None:
    """Whose code is another in any scheme than in the base; 0 now is somebody who is in none any more."""
    new, old = codes.of_run(run.pk), codes.of_run(base)
    rows = _differing(new, old)
    types = {name: column.type for name, column in rows.items()}
    with connection.cursor() as cursor:
        cursor.execute(MOVES.format(columns=", ".join(f"{name} {kind}" for name, kind in types.items())))
        pgcopy.write("scheme_moves", rows)
        cursor.execute("ANALYZE scheme_moves")


def _differing(new: codes.Columns, old: codes.Columns) -> dict[str, Column]:
    """Each who differs: the codes as they are and as they were, empty for somebody who was in none."""
    place, known = carried.beside(new["customer_id"], old["customer_id"])
    moved, gone = ~known, np.ones(len(old["customer_id"]), np.bool_)
    gone[place[known]] = False
    if known.any():
        for name in codes.SCHEMES:
            moved |= new[name] != old[name][place]
    ids = np.union1d(new["customer_id"][moved], old["customer_id"][gone])
    now = carried.joined(ids, new, dict.fromkeys(codes.TYPES.keys() - {"customer_id"}, 0))
    was, known = carried.joined(ids, old, dict.fromkeys(codes.SCHEMES, 0)), carried.beside(ids, old["customer_id"])[1]
    return {
        "customer_id": Column("int8", ids),
        **{name: Column(codes.TYPES[name], values) for name, values in now.items()},
        **{f"old_{name}": Column(codes.TYPES[name], values, ~known) for name, values in was.items()},
    }


def _query(run: Run, scheme: Scheme, base: int | None) -> str:
    column = scheme.column
    return WANTED.format(
        column=column,
        as_of=run.as_of,
        moved="scheme_moves" if base else partitions.table_of(run.pk),
        before=_before(run, base).format(column=column),
        nights=_nights_before(run) or "(0, date '2000-01-01')",
        only=f"WHERE m.{column} IS DISTINCT FROM m.old_{column}" if base else f"WHERE m.{column} > 0",
    )


def _before(run: Run, base: int | None) -> str:
    """What those who moved were in the run that segments are compared with; mostly that is the base."""
    compared = run.model["compared_with"]
    if not base or not compared:
        return NOBODY
    if base == compared:
        return "SELECT customer_id, old_{column} AS {column} FROM scheme_moves"
    return f"SELECT customer_id, {{column}} FROM {partitions.table_of(compared)}"


def _nights_before(run: Run) -> str:
    """(run, date) of each earlier night whose scores are kept, its newest revision."""
    earlier = Run.objects.filter(published_at__isnull=False, as_of__lt=run.as_of, pk__in=partitions.kept())
    found = earlier.order_by("as_of", "-revision").distinct("as_of").values_list("pk", "as_of")
    return ", ".join(f"({pk}, date '{day}')" for pk, day in found)
