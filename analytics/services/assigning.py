"""From a night's scores to memberships: one pass over two nights finds who moved, and only they are written.

RFM's scores carry the segment before and since when. For the other schemes the night before tells it, and for those who
are back where the night before had them (a night was done again) the kept nights do.
"""

from collections.abc import Mapping
from typing import Final

from django.db import connection, transaction

from analytics import schemes, scores
from analytics.schemes import Scheme
from analytics.services import partitions
from core.models import Run
from customers.models import Category
from customers.services import memberships

Named = Mapping[int, tuple[str, str]]
FLAG: Final = "assigned"  # in a run's stats: the memberships say what its scores say

RFM: Final = """
SELECT customer_id, segment, previous_segment, segment_changed_on FROM {scores} WHERE segment > 0
"""
RFM_MOVED: Final = """
SELECT m.customer_id, m.segment, s.previous_segment, s.segment_changed_on
FROM scheme_moves m LEFT JOIN {scores} s USING (customer_id) WHERE m.segment IS DISTINCT FROM m.old_segment
"""
COLUMNS: Final = ("segment", *(scheme.column for scheme in schemes.SCORED))
MOVES: Final = """
CREATE TEMP TABLE scheme_moves ON COMMIT DROP AS
SELECT customer_id, {codes} FROM {scores} s FULL JOIN {base} b USING (customer_id)
WHERE ({new}) IS DISTINCT FROM ({old})
"""
# The night before tells what she was; if that is what she is, the last night that says otherwise.
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
    ) o
) back ON c.{column} = m.{column}
{only}
"""
NOBODY: Final = "SELECT NULL::bigint AS customer_id, NULL::bigint AS {column} WHERE false"


@transaction.atomic
def assign(*, run: Run) -> int:
    """Bring the memberships of every scheme to what the run says; returns how many changed."""
    rfm = {name.value: (name.slug, name.label) for name in scores.Name if name}
    table = partitions.table_of(run.pk)
    base = _base()
    if base:
        _find_moves(table, base)
    by_rfm = (RFM_MOVED if base else RFM).format(scores=table)
    written = memberships.assign(scheme="rfm", segments=rfm, wanted=by_rfm, only_wanted=bool(base))
    for scheme in schemes.SCORED:
        wanted = _wanted(run, scheme, moved="scheme_moves" if base else table)
        written += memberships.assign(scheme=scheme.slug, segments=named(scheme), wanted=wanted, only_wanted=bool(base))
    if base:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE scheme_moves")
    run.stats[FLAG] = True
    run.save(update_fields=["stats"])
    return written


def named(scheme: Scheme) -> Named:
    """(slug, name) of each code; categories by their ids, so that another name is no other segment."""
    if scheme is schemes.PREFERENCE:
        return {pk: (f"c{pk}", name) for pk, name in Category.objects.order_by("pk").values_list("pk", "name")}
    return {kind.code: (kind.slug, kind.label) for kind in scheme.kinds}


def _base() -> str:
    """The table of the last run that the memberships were brought to; empty when it is gone."""
    last = Run.objects.filter(**{f"stats__{FLAG}": True}).order_by("-pk").values_list("pk", flat=True).first()
    return partitions.table_of(last) if last in partitions.kept() and last is not None else ""


def _find_moves(table: str, base: str) -> None:
    codes = ", ".join(f"coalesce(s.{column}, 0) AS {column}, b.{column} AS old_{column}" for column in COLUMNS)
    new, old = (", ".join(f"{side}.{column}" for column in COLUMNS) for side in "sb")
    with connection.cursor() as cursor:
        cursor.execute(MOVES.format(codes=codes, scores=table, base=base, new=new, old=old))


def _wanted(run: Run, scheme: Scheme, *, moved: str) -> str:
    column, before = scheme.column, run.model["compared_with"]
    is_all = moved != "scheme_moves"
    compared = f"SELECT customer_id, {column} FROM {partitions.table_of(before)}" if before and not is_all else ""
    only = f"WHERE m.{column} > 0" if is_all else f"WHERE m.{column} IS DISTINCT FROM m.old_{column}"
    return WANTED.format(
        column=column,
        as_of=run.as_of,
        moved=moved,
        before=compared or NOBODY.format(column=column),
        nights=_nights_before(run) or "(0, date '2000-01-01')",
        only=only,
    )


def _nights_before(run: Run) -> str:
    """(run, date) of each earlier night whose scores are kept, its newest revision."""
    earlier = Run.objects.filter(published_at__isnull=False, as_of__lt=run.as_of, pk__in=partitions.kept())
    found = earlier.order_by("as_of", "-revision").distinct("as_of").values_list("pk", "as_of")
    return ", ".join(f"({pk}, date '{day}')" for pk, day in found)
