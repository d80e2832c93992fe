"""Rows on their way in: COPY into temporary tables of this session, and the documents (orders, returns) they make up.

Temporary tables write no log, vanish with the session and are nobody else's. A document gets a chunk: the merge takes
one chunk per transaction.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Final

from django.db import connection

from customers.importing.rows import OrderRow, digest, key_of

LINES_PER_CHUNK: Final = 50_000
FILLED: Final = ("customers_product", "customers_order", "customers_orderline")
LINES_PER_BLOCK: Final = 1_000
NULL: Final = r"\N"
ESCAPES: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})

# In the order of OrderRow, then what key_of and digest add.
STAGED: Final = """
DROP TABLE IF EXISTS pg_temp.staged, pg_temp.document, pg_temp.staged_person;
CREATE TEMP TABLE staged (
    line int, customer text, at timestamptz, day date, sku text, net_cents bigint, document text, is_return boolean,
    of_order text, date_only boolean, quantity numeric(14,3), unit_price numeric(14,4), discount_cents bigint,
    tax_cents bigint, shipping_cents bigint, unit_cost numeric(14,4), kind text, counts boolean, product text,
    category text, status text, channel text, name text, email text, phone text, country text, place text,
    is_extra boolean, needs_ordinal boolean, digest numeric(20)
)"""

ORDINALS: Final = """
UPDATE staged SET document = staged.document || ':' || numbered.n FROM (
    SELECT ctid AS row, row_number() OVER (PARTITION BY is_return, document ORDER BY line) AS n
    FROM staged WHERE needs_ordinal
) numbered WHERE staged.ctid = numbered.row"""

# With tax-inclusive prices: a line's net is less its share of the order's tax (by largest remainder), or less its own.
TAX: Final = """
WITH taxed AS (
    SELECT is_return, document, sum(greatest(net_cents, 0)) AS net,
        CASE WHEN min(tax_cents) = max(tax_cents) THEN min(tax_cents) END AS tax
    FROM staged GROUP BY is_return, document HAVING max(tax_cents) IS NOT NULL AND sum(greatest(net_cents, 0)) > 0
), share AS (
    SELECT s.ctid AS row, s.tax_cents AS own, t.tax, div(t.tax * greatest(s.net_cents, 0), t.net) AS whole,
        sum(div(t.tax * greatest(s.net_cents, 0), t.net)) OVER (PARTITION BY s.is_return, s.document) AS given,
        row_number() OVER (
            PARTITION BY s.is_return, s.document
            ORDER BY mod(t.tax * greatest(s.net_cents, 0), t.net) DESC, s.line
        ) AS place
    FROM staged s JOIN taxed t USING (is_return, document)
), less AS (
    SELECT row, CASE WHEN tax IS NULL THEN coalesce(own, 0) WHEN place <= tax - given THEN whole + 1 ELSE whole END
        AS tax
    FROM share
)
UPDATE staged SET net_cents = net_cents - less.tax FROM less WHERE staged.ctid = less.row AND less.tax <> 0"""

DOCUMENTS: Final = """
CREATE TEMP TABLE document AS
WITH grouped AS (
    SELECT is_return, document AS key, min(line) AS line, count(*) AS lines,
        count(*) FILTER (WHERE NOT is_extra) AS file_rows,
        max(customer) AS customer, min(at) AS at, min(day) AS day, bool_and(date_only) AS date_only,
        max(status) AS status, max(channel) AS channel, max(name) AS name, max(email) AS email, max(phone) AS phone,
        max(country) AS country, max(place) AS place,
        CASE WHEN min(tax_cents) = max(tax_cents) THEN min(tax_cents) ELSE coalesce(sum(tax_cents), 0) END AS tax_cents,
        CASE WHEN min(shipping_cents) = max(shipping_cents) THEN min(shipping_cents)
            ELSE coalesce(sum(shipping_cents), 0) END AS shipping_cents,
        sum(digest) AS digest,
        CASE
            WHEN min(nullif(customer, '')) <> max(customer) THEN 'customer'
            WHEN min(status) <> max(status) THEN 'status'
        END AS field,
        CASE
            WHEN min(nullif(customer, '')) <> max(customer) THEN min(nullif(customer, '')) || ', ' || max(customer)
            WHEN min(status) <> max(status) THEN min(status) || ', ' || max(status)
        END AS value
    FROM staged GROUP BY is_return, document
), summed AS (
    SELECT *, sum(lines) OVER (PARTITION BY is_return ORDER BY CASE WHEN is_return THEN customer END, line) AS until,
        md5(concat_ws('|', customer, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), date_only, status,
            channel, coalesce(tax_cents, 0), coalesce(shipping_cents, 0), %(prices_include_tax)s::boolean, lines, digest
        ))::uuid AS content
    FROM grouped
)
SELECT summed.*,
    CASE WHEN is_return AND customer <> ''
        THEN min((until - lines)::int / %(lines_per_chunk)s) OVER (PARTITION BY is_return, customer)
        ELSE (until - lines)::int / %(lines_per_chunk)s
    END AS chunk,
    CASE field
        WHEN 'customer' THEN 'are different customers in the rows of one order'
        WHEN 'status' THEN 'are different statuses in the rows of one order'
    END AS problem,
    NULL::bigint AS customer_id, NULL::bigint AS order_id, NULL::text AS outcome
FROM summed"""

# What the file says about each customer: the newest document that says anything. The country is that of the address.
PEOPLE: Final = """
CREATE TEMP TABLE staged_person AS
SELECT customer, name, country, channel, split_part(place, chr(31), 1) AS street,
    split_part(place, chr(31), 2) AS postcode, split_part(place, chr(31), 3) AS city,
    split_part(place, chr(31), 4) AS region
FROM (
    SELECT customer,
        coalesce((array_agg(name ORDER BY at DESC, line DESC) FILTER (WHERE name <> ''))[1], '') AS name,
        coalesce((array_agg(place ORDER BY at DESC, line DESC) FILTER (WHERE place <> ''))[1], '') AS place,
        coalesce((array_agg(country ORDER BY place <> '' DESC, at DESC, line DESC) FILTER (WHERE country <> ''))[1], '')
            AS country,
        coalesce((array_agg(channel ORDER BY at, line) FILTER (WHERE channel <> ''))[1], '') AS channel
    FROM document WHERE customer <> '' AND problem IS NULL GROUP BY customer
) told"""

INDEXES: Final = """
CREATE INDEX ON staged (document);
CREATE INDEX ON document (chunk);
CREATE UNIQUE INDEX ON staged_person (customer);
ANALYZE staged; ANALYZE document; ANALYZE staged_person"""


def stage(rows: Iterable[OrderRow], *, prices_include_tax: bool) -> None:
    """Fill the temporary tables `staged`, `document` and `staged_person` from `rows`."""
    _copy(rows)
    with connection.cursor() as cursor:
        cursor.execute(ORDINALS)
        if prices_include_tax:
            cursor.execute(TAX)
        cursor.execute(DOCUMENTS, {"prices_include_tax": prices_include_tax, "lines_per_chunk": LINES_PER_CHUNK})
        cursor.execute(PEOPLE)
        cursor.execute(INDEXES)


def _copy(rows: Iterable[OrderRow]) -> None:
    """Text of our own making: several times as fast as handing over each value."""
    with connection.cursor() as cursor:
        cursor.execute(STAGED)
        with cursor.copy("COPY staged FROM STDIN") as copy:
            lines = (_line(row) for row in rows)
            while block := list(islice(lines, LINES_PER_BLOCK)):
                copy.write("".join(block))


def _line(row: OrderRow) -> str:
    """The row for COPY: values divided by tabs; what would divide or end something stands after a backslash."""
    key, needs_ordinal = key_of(row)
    values = (*row[:6], key, *row[7:], needs_ordinal, digest(row))
    texts = [NULL if value is None else str(value) for value in values]
    line = "\t".join(texts)
    plain = line.count("\\") == values.count(None) and line.count("\t") == len(texts) - 1
    if not plain or "\n" in line or "\r" in line:
        line = "\t".join(NULL if value is None else str(value).translate(ESCAPES) for value in values)
    return line + "\n"


def chunks(*, returns: bool) -> range:
    """The chunks of orders, or of returns (which hold all returns of their customers)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(chunk) + 1, 0) FROM document WHERE is_return = %s", [returns])
        return range(cursor.fetchone()[0])


def drop() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.staged, pg_temp.document, pg_temp.staged_person")


def rows_until(chunk: int, *, returns: bool) -> int:
    """How many staged rows are merged once this chunk is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(lines), 0)::bigint FROM document WHERE is_return < %(returns)s"
            " OR is_return = %(returns)s AND chunk <= %(chunk)s",
            {"chunk": chunk, "returns": returns},
        )
        return int(cursor.fetchone()[0])


def updated_orders(chunk: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT order_id FROM document WHERE chunk = %s AND NOT is_return AND outcome = 'updated'", [chunk]
        )
        return [order for (order,) in cursor.fetchall()]


def analyze() -> None:
    """Tell the planner at once that the tables have grown: a night may follow within the minute."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE customers_customer, customers_identity, customers_product, customers_order, customers_orderline,"
            " customers_refund, customers_refundline, customers_unmatchedreturn"
        )


def correct_planner() -> None:
    """Look at tables that the planner never saw, or saw when all was deleted, inside the transaction that fills them.

    It would plan for a row or a guess, and compare each of many thousand with each.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname = ANY(%s) AND reltuples <= 0", [list(FILLED)])
        for (table,) in cursor.fetchall():
            cursor.execute(f"ANALYZE {table}")
