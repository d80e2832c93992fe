"""Who is in which segment: written here by the apps above, which bring the assignments as a query.

Whoever moves is found first and moved afterwards: the first takes long and changes nothing that people see.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from customers.models import Segment

Codes = Mapping[int, tuple[str, str]]

# `ids` has the segment of code n as its n-th element; somebody without one leaves.
WANTED: Final = """
SELECT customer_id, %(scheme{n})s::text AS scheme, (%(ids{n})s::bigint[])[segment] AS segment_id,
    (%(ids{n})s::bigint[])[previous] AS previous_id, changed_on
FROM ({query}) AS w{n} (customer_id, segment, previous, changed_on)
"""
MOVES: Final = """
CREATE TABLE {table} AS
SELECT customer_id, scheme, w.segment_id, w.previous_id, w.changed_on FROM ({wanted}) AS w {others}
ORDER BY customer_id, scheme
"""
# One pass over both sides: whoever is not wanted has no segment, and only the few that differ are joined any further.
OTHERS: Final = """
FULL JOIN (SELECT customer_id, scheme, segment_id FROM customers_membership WHERE scheme = ANY(%(schemes)s)) AS m
    USING (customer_id, scheme)
WHERE m.segment_id IS DISTINCT FROM w.segment_id
"""
LEAVE: Final = """
DELETE FROM customers_membership m USING {table} w
WHERE m.customer_id = w.customer_id AND m.scheme = w.scheme AND w.segment_id IS NULL
    AND w.customer_id BETWEEN %(first)s AND %(last)s
"""
CHANGE: Final = """
UPDATE customers_membership m
SET segment_id = w.segment_id, previous_id = w.previous_id, changed_on = w.changed_on
FROM {table} w
WHERE m.customer_id = w.customer_id AND m.scheme = w.scheme AND m.segment_id <> w.segment_id
    AND w.customer_id BETWEEN %(first)s AND %(last)s
"""
ENTER: Final = """
INSERT INTO customers_membership (customer_id, scheme, segment_id, previous_id, changed_on)
SELECT w.customer_id, w.scheme, w.segment_id, w.previous_id, w.changed_on
FROM {table} w JOIN customers_customer c ON c.id = w.customer_id
WHERE w.segment_id IS NOT NULL AND w.customer_id BETWEEN %(first)s AND %(last)s
    AND NOT EXISTS (SELECT FROM customers_membership m WHERE m.customer_id = w.customer_id AND m.scheme = w.scheme)
ORDER BY w.customer_id, w.scheme
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the memberships of a scheme are to be.

    `segments` maps a code from 1 on to (slug, name); `query`, a trusted text, gives (customer, code, previous code,
    since).
    """

    segments: Codes
    query: str


@transaction.atomic
def find_moves(*, table: str, schemes: Mapping[str, Wanted], only_wanted: bool = False) -> int:
    """Keep in a new `table` (a trusted name) who is in another segment than is wanted, and in which; returns how many.

    Who is not in a scheme's query, or has another code, leaves; with `only_wanted` who is not in it stays as she is.
    """
    params: dict[str, Any] = {"schemes": list(schemes)}
    for n, (scheme, wanted) in enumerate(schemes.items()):
        params |= {f"scheme{n}": scheme, f"ids{n}": _ids(scheme, wanted.segments)}
    parts = [WANTED.format(n=n, query=wanted.query) for n, wanted in enumerate(schemes.values())]
    with connection.cursor() as cursor:
        moves = MOVES.format(table=table, wanted="UNION ALL".join(parts), others="" if only_wanted else OTHERS)
        cursor.execute(cursor.mogrify(moves, params))
        found = int(cursor.rowcount)
        cursor.execute(f"ANALYZE {table}")
    return found


@transaction.atomic
def move(*, table: str, first: int, last: int) -> int:
    """Do the moves of `table` for customers with first ≤ id ≤ last; only differences are written. Returns how many."""
    with connection.cursor() as cursor:
        written = 0
        for statement in (LEAVE, CHANGE, ENTER):
            cursor.execute(statement.format(table=table), {"first": first, "last": last})
            written += cursor.rowcount
    return written


def _ids(scheme: str, segments: Codes) -> list[int | None]:
    """The segment of each code, made where it is missing, in a list whose first element is code 1's."""
    Segment.objects.bulk_create(
        (Segment(scheme=scheme, slug=slug, name=name) for slug, name in segments.values()),
        update_conflicts=True,
        unique_fields=["scheme", "slug"],
        update_fields=["name"],
    )
    by_slug = dict(Segment.objects.filter(scheme=scheme).values_list("slug", "pk"))
    return [by_slug[segments[code][0]] if code in segments else None for code in range(1, max(segments, default=0) + 1)]
