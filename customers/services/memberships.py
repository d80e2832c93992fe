"""Who is in which segment: written here by the apps above, which bring the assignments as a query."""

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
MOVED: Final = """
CREATE TEMP TABLE moved_members ON COMMIT DROP AS
SELECT customer_id, scheme, w.segment_id, w.previous_id, w.changed_on FROM ({wanted}) AS w {others};
ANALYZE moved_members
"""
# One pass over both sides: whoever is not wanted has no segment, and only the few that differ are joined any further.
OTHERS: Final = """
FULL JOIN (SELECT customer_id, scheme, segment_id FROM customers_membership WHERE scheme = ANY(%(schemes)s)) AS m
    USING (customer_id, scheme)
WHERE m.segment_id IS DISTINCT FROM w.segment_id
"""
LEAVE: Final = """
DELETE FROM customers_membership m USING moved_members w
WHERE m.customer_id = w.customer_id AND m.scheme = w.scheme AND w.segment_id IS NULL
"""
ASSIGN: Final = """
INSERT INTO customers_membership (customer_id, scheme, segment_id, previous_id, changed_on)
SELECT w.customer_id, w.scheme, w.segment_id, w.previous_id, w.changed_on
FROM moved_members w JOIN customers_customer c ON c.id = w.customer_id
WHERE w.segment_id IS NOT NULL
ORDER BY w.customer_id, w.scheme
ON CONFLICT (customer_id, scheme) DO UPDATE
SET segment_id = excluded.segment_id, previous_id = excluded.previous_id, changed_on = excluded.changed_on
WHERE customers_membership.segment_id <> excluded.segment_id
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
def assign(*, schemes: Mapping[str, Wanted], only_wanted: bool = False) -> int:
    """Bring the memberships of the schemes to what is wanted; only differences are written. Returns how many.

    Who is not in a scheme's query, or has another code, leaves; with `only_wanted` who is not in it stays as she is.
    """
    params: dict[str, Any] = {"schemes": list(schemes)}
    for n, (scheme, wanted) in enumerate(schemes.items()):
        params |= {f"scheme{n}": scheme, f"ids{n}": _ids(scheme, wanted.segments)}
    parts = [WANTED.format(n=n, query=wanted.query) for n, wanted in enumerate(schemes.values())]
    with connection.cursor() as cursor:
        moved = MOVED.format(wanted="UNION ALL".join(parts), others="" if only_wanted else OTHERS)
        cursor.execute(cursor.mogrify(moved, params))
        written = 0
        for statement in (LEAVE, ASSIGN):
            cursor.execute(statement)
            written += cursor.rowcount
        cursor.execute("DROP TABLE moved_members")
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
