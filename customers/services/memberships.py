"""Who is in which segment: written here by the apps above, which bring the assignments as a query."""

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from customers.models import Segment

ASSIGN = """
INSERT INTO customers_membership (customer_id, scheme, segment_id, previous_id, changed_on)
SELECT w.customer_id, %(scheme)s, s.id, p.id, w.changed_on
FROM ({wanted}) AS w (customer_id, segment, previous, changed_on)
JOIN customers_customer c ON c.id = w.customer_id
JOIN unnest(%(codes)s::int[], %(slugs)s::text[]) AS now (code, slug) ON now.code = w.segment
JOIN customers_segment s ON s.scheme = %(scheme)s AND s.slug = now.slug
LEFT JOIN unnest(%(codes)s::int[], %(slugs)s::text[]) AS was (code, slug) ON was.code = w.previous
LEFT JOIN customers_segment p ON p.scheme = %(scheme)s AND p.slug = was.slug
LEFT JOIN customers_membership m ON m.customer_id = w.customer_id AND m.scheme = %(scheme)s
WHERE m.segment_id IS DISTINCT FROM s.id
ON CONFLICT (customer_id, scheme) DO UPDATE
SET segment_id = excluded.segment_id, previous_id = excluded.previous_id, changed_on = excluded.changed_on
"""

LEAVE = """
DELETE FROM customers_membership m
WHERE m.scheme = %(scheme)s AND NOT EXISTS (
    SELECT FROM ({wanted}) AS w (customer_id, segment, previous, changed_on)
    WHERE w.customer_id = m.customer_id AND w.segment = ANY(%(codes)s)
)
"""


@transaction.atomic
def assign(*, scheme: str, segments: Mapping[int, tuple[str, str]], wanted: str) -> int:
    """Bring the scheme's memberships to what `wanted` says; only differences are written. Returns how many.

    `segments` maps a code to (slug, name); `wanted` is a trusted query of (customer, code, previous code, since).
    """
    Segment.objects.bulk_create(
        (Segment(scheme=scheme, slug=slug, name=name) for slug, name in segments.values()),
        update_conflicts=True,
        unique_fields=["scheme", "slug"],
        update_fields=["name"],
    )
    params: Any = {
        "scheme": scheme,
        "codes": list(segments),
        "slugs": [slug for slug, _ in segments.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(LEAVE.format(wanted=wanted), params)
        left = cursor.rowcount
        cursor.execute(ASSIGN.format(wanted=wanted), params)
        return int(left + cursor.rowcount)
