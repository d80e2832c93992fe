"""Who is in which segment: written here by the apps above, which bring the assignments as a query."""

from collections.abc import Mapping
from typing import Any, Final

from django.db import connection, transaction

from customers.models import Segment

# One pass over both sides; only the few that differ are joined to anything else. `ids` has the segment of code n as its
# n-th element; somebody without one leaves.
MOVED: Final = """
CREATE TEMP TABLE moved_members ON COMMIT DROP AS
SELECT coalesce(w.customer_id, m.customer_id) AS customer_id, (%(ids)s::bigint[])[w.segment] AS segment_id,
    (%(ids)s::bigint[])[w.previous] AS previous_id, w.changed_on
FROM ({wanted}) AS w (customer_id, segment, previous, changed_on)
{join} JOIN (SELECT customer_id, segment_id FROM customers_membership WHERE scheme = %(scheme)s) AS m
    ON m.customer_id = w.customer_id
WHERE m.segment_id IS DISTINCT FROM (%(ids)s::bigint[])[w.segment]
"""
LEAVE: Final = """
DELETE FROM customers_membership m USING moved_members w
WHERE m.customer_id = w.customer_id AND m.scheme = %(scheme)s AND w.segment_id IS NULL
"""
ASSIGN: Final = """
INSERT INTO customers_membership (customer_id, scheme, segment_id, previous_id, changed_on)
SELECT w.customer_id, %(scheme)s, w.segment_id, w.previous_id, w.changed_on
FROM moved_members w JOIN customers_customer c ON c.id = w.customer_id
WHERE w.segment_id IS NOT NULL
ORDER BY w.customer_id
ON CONFLICT (customer_id, scheme) DO UPDATE
SET segment_id = excluded.segment_id, previous_id = excluded.previous_id, changed_on = excluded.changed_on
"""


@transaction.atomic
def assign(*, scheme: str, segments: Mapping[int, tuple[str, str]], wanted: str, only_wanted: bool = False) -> int:
    """Bring the scheme's memberships to what `wanted` says; only differences are written. Returns how many.

    `segments` maps a code from 1 on to (slug, name); `wanted` is a trusted query of (customer, code, previous code,
    since). Who is not in it, or has another code, leaves; with `only_wanted` who is not in it stays as she is.
    """
    params: dict[str, Any] = {"scheme": scheme, "ids": _ids(scheme, segments)}
    with connection.cursor() as cursor:
        cursor.execute(MOVED.format(wanted=wanted, join="LEFT" if only_wanted else "FULL"), params)
        written = 0
        for statement in (LEAVE, ASSIGN):
            cursor.execute(statement, params)
            written += cursor.rowcount
        cursor.execute("DROP TABLE moved_members")
    return written


def _ids(scheme: str, segments: Mapping[int, tuple[str, str]]) -> list[int | None]:
    """The segment of each code, made where it is missing, in a list whose first element is code 1's."""
    Segment.objects.bulk_create(
        (Segment(scheme=scheme, slug=slug, name=name) for slug, name in segments.values()),
        update_conflicts=True,
        unique_fields=["scheme", "slug"],
        update_fields=["name"],
    )
    by_slug = dict(Segment.objects.filter(scheme=scheme).values_list("slug", "pk"))
    return [by_slug[segments[code][0]] if code in segments else None for code in range(1, max(segments, default=0) + 1)]
