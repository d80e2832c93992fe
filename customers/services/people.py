"""People from files, staged and merged by (source, external id). What a file leaves empty is left as it is."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from customers.importing.rows import PersonRow
from customers.services import search
from customers.services.merging import choose_joins, run
from customers.services.reports import Report

PEOPLE_PER_CHUNK: Final = 20_000

STAGED: Final = """
DROP TABLE IF EXISTS pg_temp.staged_row, pg_temp.person;
CREATE TEMP TABLE staged_row (
    line int, customer text, name text, emails text[], phones text[], company text, country text, city text,
    street text, postcode text, region text, locale text, time_zone text, channel text, birthday text, custom jsonb
)"""

LAST: Final = "coalesce((array_agg({0} ORDER BY line DESC) FILTER (WHERE {0} <> ''))[1], '') AS {0}"
FIELDS: Final = (
    *("name", "company", "country", "city", "street", "postcode", "region", "locale", "time_zone", "channel"),
    "birthday",
)

# Several rows of one person: the last that says something.
PERSON: Final = f"""
CREATE TEMP TABLE person AS
SELECT customer, min(line) AS line, {", ".join(LAST.format(name) for name in FIELDS)},
    (row_number() OVER (ORDER BY min(line)) - 1)::int / {PEOPLE_PER_CHUNK} AS chunk,
    NULL::bigint AS customer_id, NULL::bigint AS company_id, NULL::text AS outcome, '{{}}'::jsonb AS custom
FROM staged_row GROUP BY customer;
UPDATE person p SET custom = told.custom FROM (
    SELECT s.customer, jsonb_object_agg(one.key, one.value ORDER BY s.line) AS custom
    FROM staged_row s, jsonb_each(s.custom) AS one GROUP BY s.customer
) told WHERE told.customer = p.customer;
CREATE INDEX ON person (chunk);
ANALYZE person; ANALYZE staged_row"""

COMPANIES: Final = """
WITH made AS (
    INSERT INTO customers_company (source, external_id, name, tax_number, created_at)
    SELECT DISTINCT %(source)s, company, company, '', %(at)s::timestamptz FROM person
    WHERE chunk = %(chunk)s AND company <> '' ON CONFLICT DO NOTHING RETURNING id
)
INSERT INTO customers_importedrow (batch_id, "table", object_id, created)
SELECT %(batch)s, 'company', id, true FROM made;
UPDATE person SET company_id = c.id FROM customers_company c
WHERE person.chunk = %(chunk)s AND c.source = %(source)s AND c.external_id = person.company"""

IDENTIFY: Final = """
UPDATE person SET customer_id = i.customer_id, outcome = 'unchanged' FROM customers_identity i
WHERE person.chunk = %(chunk)s AND i.source = %(source)s AND i.external_id = person.customer;
UPDATE person SET customer_id = nextval(pg_get_serial_sequence('customers_customer', 'id')), outcome = 'created'
WHERE chunk = %(chunk)s AND customer_id IS NULL"""

CREATE: Final = """
INSERT INTO customers_customer (id, name, company_id, channel, street, postcode, city, region, country, locale,
    time_zone, birthday, custom, sort_name, search, created_at, batch_id)
SELECT customer_id, name, company_id, channel, street, postcode, city, region, country, locale, time_zone, birthday,
    custom, '', '', %(at)s, %(batch)s
FROM person WHERE chunk = %(chunk)s AND outcome = 'created' ORDER BY line;
INSERT INTO customers_identity (customer_id, source, external_id)
SELECT customer_id, %(source)s, customer FROM person WHERE chunk = %(chunk)s AND outcome = 'created' ORDER BY line;
INSERT INTO customers_importedrow (batch_id, "table", object_id, created)
SELECT %(batch)s, 'customer', customer_id, true FROM person WHERE chunk = %(chunk)s AND outcome = 'created'"""

_TEXTS: Final = [name for name in FIELDS if name != "company"]
_DIFFERS: Final = " OR ".join(f"p.{name} <> '' AND c.{name} <> p.{name}" for name in _TEXTS)
_SET: Final = ", ".join(f"{name} = CASE WHEN p.{name} <> '' THEN p.{name} ELSE c.{name} END" for name in _TEXTS)

UPDATE: Final = f"""
UPDATE person p SET outcome = 'updated' FROM customers_customer c
WHERE p.chunk = %(chunk)s AND p.outcome = 'unchanged' AND c.id = p.customer_id
    AND ({_DIFFERS} OR p.company_id IS NOT NULL AND c.company_id IS DISTINCT FROM p.company_id
        OR NOT c.custom @> p.custom);
INSERT INTO customers_importedrow (batch_id, "table", object_id, created, before)
SELECT %(batch)s, 'customer', c.id, false, to_jsonb(c) FROM customers_customer c
JOIN person p ON p.customer_id = c.id AND p.outcome = 'updated' WHERE p.chunk = %(chunk)s ON CONFLICT DO NOTHING;
INSERT INTO core_change (kind, object_id)
SELECT 'customer_orders', c.id FROM customers_customer c JOIN person p ON p.customer_id = c.id AND p.outcome = 'updated'
WHERE p.chunk = %(chunk)s AND p.company_id IS NOT NULL AND c.company_id IS DISTINCT FROM p.company_id;
UPDATE customers_customer c SET {_SET}, company_id = coalesce(p.company_id, c.company_id),
    custom = c.custom || p.custom
FROM person p WHERE p.chunk = %(chunk)s AND p.outcome = 'updated' AND c.id = p.customer_id"""

CONTACT: Final = """
WITH made AS (
    INSERT INTO customers_{table} (customer_id, {column})
    SELECT DISTINCT p.customer_id, told.value FROM person p JOIN staged_row s ON s.customer = p.customer
    CROSS JOIN LATERAL unnest(s.{table}s) AS told (value) WHERE p.chunk = %(chunk)s
    ON CONFLICT DO NOTHING RETURNING id, customer_id
), noted AS (
    INSERT INTO customers_importedrow (batch_id, "table", object_id, created)
SELECT %(batch)s, '{table}', id, true FROM made
)
UPDATE person p SET outcome = 'updated' FROM made WHERE p.customer_id = made.customer_id AND p.outcome = 'unchanged'"""

CONTACTS: Final = (
    CONTACT.format(table="email", column="address"),
    CONTACT.format(table="phone", column="number"),
)

COUNTS: Final = """
SELECT count(*) FILTER (WHERE outcome = 'created'), count(*) FILTER (WHERE outcome = 'updated'),
    count(*) FILTER (WHERE outcome = 'unchanged'), (SELECT count(*) FROM staged_row) FROM person"""


def load(
    *,
    rows: Iterable[PersonRow],
    params: Mapping[str, Any],
    report: Report,
    progress: Callable[[str, int], Any] = lambda step, done: None,
) -> None:
    """Stage and merge people; adds to `report`. Params: source, batch, at. Hold the lock of imports."""
    _stage(rows)
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(chunk) + 1, 0) FROM person")
        (chunks,) = cursor.fetchone()
    for chunk in range(chunks):
        _merge({**params, "chunk": chunk})
        progress("people", (chunk + 1) * PEOPLE_PER_CHUNK)
    _count(report)


def _stage(rows: Iterable[PersonRow]) -> None:
    with connection.cursor() as cursor:
        for part in STAGED.split(";\n"):
            cursor.execute(part)
        with cursor.copy("COPY staged_row FROM STDIN") as copy:
            for row in rows:
                copy.write_row((*row[:3], list(row.emails), list(row.phones), *row[5:-1], Jsonb(dict(row.custom))))
        for part in PERSON.split(";\n"):
            cursor.execute(part)


@transaction.atomic
def _merge(params: Mapping[str, Any]) -> None:
    choose_joins()
    run((COMPANIES, IDENTIFY, CREATE, UPDATE, *CONTACTS), params)
    with connection.cursor() as cursor:
        cursor.execute("SELECT customer_id FROM person WHERE chunk = %(chunk)s AND outcome <> 'unchanged'", params)
        search.refresh(customer_ids=[customer for (customer,) in cursor.fetchall()])


def _count(report: Report) -> None:
    with connection.cursor() as cursor:
        cursor.execute(COUNTS)
        created, updated, unchanged, rows = cursor.fetchone()
    report.customers_created += created
    report.customers_updated += updated
    report.customers_unchanged += unchanged
    report.imported += rows
