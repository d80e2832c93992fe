"""A large shop in the database: customers who differ in pace, basket and life time, their orders of one line, refunds.

Times of a Poisson process are uniform over its life, so that millions of orders take seconds. Foreign keys, triggers
and indexes are off while rows are written, and the indexes made again afterwards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from core import pgcopy
from core.pgcopy import Column

SOURCE = "bench"
DAYS = 1095
LAST_DAY = date(2026, 6, 15)  # within a month: the first night of one looks back anew
SHAPE, BASKET_SHAPE = 0.7, 3.0  # of the gamma distributions of rates and of baskets
LIFE_DAYS = 500.0
REFUNDED = 0.02
DAY_SECONDS = 86_400

PEOPLE = """
INSERT INTO customers_customer
    (id, name, channel, country, city, locale, time_zone, sort_name, search, created_at)
SELECT n, f.name || ' ' || n, c.name, 'Germany', '', 'en', '', lower(f.name) || ' ' || n,
    lower(f.name) || ' ' || n || ' bench-' || n, now()
FROM generate_series(1, %(customers)s) AS n
JOIN (VALUES (0, 'Anna'), (1, 'Björn'), (2, 'Łucja'), (3, 'José'), (4, 'Mary'), (5, 'Tomáš'), (6, 'Zoë')) f (k, name)
    ON f.k = n %% 7
JOIN (VALUES (0, 'search'), (1, 'newsletter'), (2, 'friends')) c (k, name) ON c.k = n %% 3
ORDER BY n
"""
IDENTITIES = """
INSERT INTO customers_identity (customer_id, source, external_id)
SELECT n, 'bench', 'c' || n FROM generate_series(1, %(customers)s) AS n
"""
ORDERS = """
INSERT INTO customers_order (source, external_id, customer_id, status, placed_at, placed_on, date_only, channel,
    net_cents, value_cents, margin_cents, tax_cents, shipping_cents, created_at, fully_refunded_on)
SELECT 'bench', 'o' || %(first)s + row_number() OVER (ORDER BY at), customer_id, 'paid', at, at::date, false, 'web',
    cents, cents, (cents * 0.4)::bigint, 0, 0, now(), CASE WHEN back = 2 THEN at::date END
FROM made ORDER BY made.at
"""
REFUNDS = """
INSERT INTO customers_refund (order_id, customer_id, external_id, refunded_at, refunded_on, date_only, net_cents,
    value_cents, margin_cents, created_at)
SELECT o.id, o.customer_id, 'r' || o.id, o.placed_at, o.placed_on, false, c.cents, c.cents, (c.cents * 0.4)::bigint,
    now()
FROM customers_order o
CROSS JOIN LATERAL (SELECT CASE WHEN fully_refunded_on IS NULL THEN value_cents / 2 ELSE value_cents END) AS c (cents)
WHERE o.fully_refunded_on IS NOT NULL OR o.id %% 100 = 0
"""
GOODS = """
INSERT INTO customers_category (name) SELECT 'Category ' || n FROM generate_series(1, 12) AS n;
INSERT INTO customers_product (sku, name, kind, category_id, created_at)
SELECT 'S' || n, 'Product ' || n, 'goods', c.id, now()
FROM generate_series(1, 200) AS n JOIN customers_category c ON c.name = 'Category ' || (1 + n % 12)
"""
LINES = """
INSERT INTO customers_orderline (order_id, customer_id, position, product_id, quantity, unit_price, discount_cents,
    net_cents, counts, margin_cents, refunded_quantity, refunded_cents)
SELECT o.id, o.customer_id, 1, p.id, 1, o.value_cents / 100.0, 0, o.value_cents, true, o.margin_cents, 0, 0
FROM customers_order o JOIN customers_product p ON p.sku = 'S' || (1 + o.id %% 200)
WHERE o.placed_on >= %(first)s
"""
FEED = """
INSERT INTO core_change (kind, object_id)
SELECT 'customer_orders', customer_id FROM made
UNION ALL SELECT 'order', o.id FROM customers_order o WHERE o.placed_on = %(day)s
UNION ALL SELECT DISTINCT 'day', at::date - date '1970-01-01' FROM made
"""


def make(*, customers: int, orders: int, seed: int = 1) -> int:
    """Fill an empty database; returns the number of orders, within a percent of what was asked."""
    chance = np.random.default_rng(seed)
    who, at = _times(chance, customers, orders)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table, query in (("customers_customer", PEOPLE), ("customers_identity", IDENTITIES)):
            with _without_indexes(table):
                cursor.execute(query, {"customers": customers})
        with _without_indexes("customers_order"):
            _write_orders(chance, who, at, first=0)
        cursor.execute(REFUNDS, {})
        cursor.execute(GOODS)
        with _without_indexes("customers_orderline"):
            cursor.execute(LINES, {"first": LAST_DAY - timedelta(days=DAYS)})
        cursor.execute("SELECT setval(pg_get_serial_sequence('customers_customer', 'id'), %s)", [customers])
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
    return len(who)


@transaction.atomic
def buy_next_day(*, share: float, customers: int, seed: int = 2, day: int = 1) -> int:
    """One more order, `day` days after the last, for a share of the customers, told to the feed; returns how many."""
    chance = np.random.default_rng(seed)
    who = np.sort(chance.choice(customers, round(share * customers), replace=False)) + 1
    midnight = (np.datetime64(LAST_DAY, "D") - pgcopy.EPOCH).astype(np.int64) + day
    at = (midnight * DAY_SECONDS + chance.integers(0, DAY_SECONDS, who.size)) * 1_000_000
    _write_orders(chance, who, at, first=day * 10**9)
    with connection.cursor() as cursor:
        cursor.execute(LINES, {"first": LAST_DAY + timedelta(days=day)})
        cursor.execute(FEED, {"day": LAST_DAY + timedelta(days=day)})
    return len(who)


def _times(chance: np.random.Generator, customers: int, orders: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Customer and time (microseconds since 2000) of each order."""
    age = chance.uniform(0, DAYS, customers)
    life = np.minimum(chance.exponential(LIFE_DAYS, customers), age)
    rate = chance.gamma(SHAPE, 1.0, customers)
    rate *= (orders - customers) / np.sum(rate * life)
    repeats = chance.poisson(rate * life)
    who = np.concatenate([np.arange(customers), np.repeat(np.arange(customers), repeats)])
    since_first = np.concatenate([np.zeros(customers), chance.uniform(0, np.repeat(life, repeats))])
    end = ((np.datetime64(LAST_DAY, "D") - pgcopy.EPOCH).astype(np.int64) + 1) * DAY_SECONDS
    seconds = end - 1 - ((age[who] - since_first) * DAY_SECONDS).astype(np.int64)
    return who + 1, seconds * 1_000_000


def _write_orders(chance: np.random.Generator, who: NDArray[Any], at: NDArray[np.int64], *, first: int) -> None:
    typical = np.random.default_rng(7).gamma(BASKET_SHAPE, 1500.0, int(who.max()) + 1)
    back = chance.random(who.size) < REFUNDED / 2
    columns = {
        "customer_id": Column("int8", who),
        "at": Column("timestamptz", at),
        "cents": Column("int8", 100 + (typical[who] * chance.gamma(4.0, 0.25, who.size)).astype(np.int64)),
        "back": Column("int2", np.where(back, 2, 0)),
    }
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS made")
        cursor.execute("CREATE TEMP TABLE made (customer_id bigint, at timestamptz, cents bigint, back smallint)")
        pgcopy.write("made", columns)
        cursor.execute("ANALYZE made")
        cursor.execute(ORDERS, {"first": first})


@contextmanager
def _without_indexes(table: str) -> Iterator[None]:
    """Drop the table's indexes and unique constraints but the primary key, and make them again at the end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND contype = 'u'",
            [table],
        )
        unique = cursor.fetchall()
        for name, _ in unique:
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = %s::regclass AND NOT indisprimary",
            [table],
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        yield
        for _, definition in indexes:
            cursor.execute(definition)
        for name, definition in unique:
            cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
