"""Cohorts: what each month's new customers did in the months after, kept up to date for those who changed.

A customer's own months are kept beside the cohorts' rows, so that a change is taken off and put on again: the cost
follows what changed. It reads the baskets for the channel and the category of the first order.
"""

from datetime import date
from typing import Final

from django.db import connection, transaction

from analytics.services import following

REACTION: Final = "cohorts"
MEMBERS: Final = "analytics_cohortmember"
COHORTS: Final = "analytics_cohort"

MEMBER_COLUMNS: Final = "customer_id, first_month, channel, category_id, months, orders, values_cents, margins_cents"
MONTH_OF: Final = "(date_part('year', {day}) * 12 + date_part('month', {day}) - 1)::int"

# An order's money counts in its month and what came back in the month it came back. Whose every order came back is in
# no cohort.
MEMBERS_OF: Final = f"""
WITH facts AS (
    SELECT o.customer_id, o.placed_on AS day, o.value_cents, o.margin_cents,
        (o.fully_refunded_on > %(as_of)s IS NOT FALSE)::int AS stands
    FROM {{orders}} o
    WHERE o.status = 'paid' AND o.placed_on <= %(as_of)s AND o.customer_id IS NOT NULL
    UNION ALL
    SELECT o.customer_id, r.refunded_on, -r.value_cents, -r.margin_cents, 0
    FROM {{refunds}} r JOIN {{orders}} o ON o.id = r.order_id AND o.customer_id = r.customer_id
    WHERE r.refunded_on <= %(as_of)s AND o.status = 'paid'
    UNION ALL
    SELECT u.customer_id, u.returned_on, -u.value_cents, -u.margin_cents, 0
    FROM {{returns}} u
    WHERE u.returned_on <= %(as_of)s AND u.customer_id IS NOT NULL
), months AS (
    SELECT customer_id, {MONTH_OF.format(day="day")} AS month, sum(stands)::int AS orders,
        sum(value_cents)::bigint AS value_cents, sum(margin_cents)::bigint AS margin_cents
    FROM facts GROUP BY 1, 2
), people AS (
    SELECT customer_id, min(month) FILTER (WHERE orders > 0) AS first_month,
        array_agg(month ORDER BY month) AS months, array_agg(orders ORDER BY month) AS orders,
        array_agg(value_cents ORDER BY month) AS values_cents, array_agg(margin_cents ORDER BY month) AS margins_cents
    FROM months GROUP BY 1
)
SELECT customer_id, first_month, coalesce(b.first_channel, ''), b.first_category_id,
    months, orders, values_cents, margins_cents
FROM people LEFT JOIN analytics_basket b USING (customer_id)
WHERE first_month IS NOT NULL
"""

# Whose basket changed though no fact of theirs did (analytics.services.baskets).
ALSO_CHANGED: Final = """
WITH moved AS (DELETE FROM analytics_movedbasket RETURNING customer_id)
INSERT INTO changed_customers SELECT customer_id FROM moved EXCEPT SELECT customer_id FROM changed_customers
"""
TAKE_OUT: Final = f"""
CREATE TEMP TABLE cohort_members_before (LIKE {MEMBERS}) ON COMMIT DROP;
WITH gone AS (DELETE FROM {MEMBERS} m USING changed_customers c WHERE c.customer_id = m.customer_id RETURNING m.*)
INSERT INTO cohort_members_before SELECT * FROM gone
"""
BEFORE_AND_NOW: Final = f"""
SELECT *, -1 AS sign FROM cohort_members_before
UNION ALL SELECT m.*, 1 FROM {MEMBERS} m JOIN changed_customers USING (customer_id)
"""
ALL_NOW: Final = f"SELECT *, 1 AS sign FROM {MEMBERS}"

# Rows by channel and category first: what they add up to is all, by each channel, and by each category. Most months of
# a customer who changed are as they were.
ROWS_OF: Final = f"""
INSERT INTO {COHORTS} AS c (split, key, first_month, month, customers, orders, value_cents, margin_cents)
WITH cells AS (
    SELECT m.channel, coalesce(m.category_id::text, '') AS category, m.first_month,
        greatest(a.month - m.first_month, 0) AS month,
        sum(m.sign) FILTER (WHERE a.orders > 0) AS customers, sum(m.sign * a.orders) AS orders,
        sum(m.sign * a.value_cents) AS value_cents, sum(m.sign * a.margin_cents) AS margin_cents
    FROM ({{members}}) m,
        LATERAL unnest(m.months, m.orders, m.values_cents, m.margins_cents)
            AS a (month, orders, value_cents, margin_cents)
    GROUP BY 1, 2, 3, 4
)
SELECT CASE WHEN grouping(channel) = 0 THEN 1 WHEN grouping(category) = 0 THEN 2 ELSE 0 END,
    coalesce(channel, category, ''), first_month, month,
    coalesce(sum(customers), 0), sum(orders), sum(value_cents), sum(margin_cents)
FROM cells
GROUP BY GROUPING SETS ((first_month, month), (channel, first_month, month), (category, first_month, month))
HAVING (coalesce(sum(customers), 0), sum(orders), sum(value_cents), sum(margin_cents)) <> (0, 0, 0, 0)
ON CONFLICT (split, key, first_month, month) DO UPDATE SET
    customers = c.customers + excluded.customers, orders = c.orders + excluded.orders,
    value_cents = c.value_cents + excluded.value_cents, margin_cents = c.margin_cents + excluded.margin_cents
"""
TIDY: Final = f"""
DELETE FROM {COHORTS} WHERE customers = 0 AND orders = 0 AND value_cents = 0 AND margin_cents = 0
"""


@transaction.atomic
def refresh(*, as_of: date) -> int:
    """Bring the cohorts to `as_of`, computing only what changed since the last time; returns how many customers."""
    return following.follow(
        reaction=REACTION,
        table=MEMBERS,
        as_of=as_of,
        also_changed=[ALSO_CHANGED],
        exchange=lambda: _exchange(as_of=as_of),
        rebuild=lambda: rebuild(as_of=as_of),
    )


def _exchange(*, as_of: date) -> int:
    """Take the changed customers out of the rows and put them in again as they are now."""
    following.gather("orders", "refunds", "returns")
    with connection.cursor() as cursor:
        with following.whole_tables():
            cursor.execute(TAKE_OUT)
        written = following.fill(table=MEMBERS, columns=MEMBER_COLUMNS, query=MEMBERS_OF, as_of=as_of)
        cursor.execute(ROWS_OF.format(members=BEFORE_AND_NOW))
        cursor.execute(TIDY)
        cursor.execute("DROP TABLE cohort_members_before")
    return written


def rebuild(*, as_of: date) -> int:
    """Compute every cohort as of `as_of` from the facts known now; returns how many customers are in one."""
    written = following.rebuild(table=MEMBERS, columns=MEMBER_COLUMNS, query=MEMBERS_OF, as_of=as_of)
    following.empty(COHORTS)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM analytics_movedbasket")
        cursor.execute(ROWS_OF.format(members=ALL_NOW))
        cursor.execute(TIDY)
        cursor.execute(f"ANALYZE {COHORTS}")
    return written
