"""Taking an import back: what it created goes, what it changed is as before, unless something touched it since."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string
from django.utils.translation import gettext_noop

from core import business, doorbell
from core.models import User
from customers.models import Customer, ImportBatch
from customers.services import imports, obstacles, returns, search
from customers.services.merging import choose_joins, run

CUSTOMERS_PER_DELETE: Final = 2_000
# Said in the reader's language where they are shown (core.retelling).
UNKNOWN: Final = gettext_noop("There is no import {number}.")
ALREADY: Final = gettext_noop("Import {number} was taken back already.")
IN_THE_WAY: Final = gettext_noop("Import {number} cannot be taken back: {reason}.")


class CannotUndo(Exception):
    """The import cannot be taken back; the message names the first row that prevents it."""


ROWS: Final = """
DROP TABLE IF EXISTS pg_temp.undone;
CREATE TEMP TABLE undone AS
SELECT "table", object_id AS id, created, before FROM customers_importedrow WHERE batch_id = %(batch)s;
CREATE INDEX ON undone ("table", id);
ANALYZE undone"""

# What readers have to look at again, before and after: the rows that go, and the rows that come back.
CHANGES: Final = """
INSERT INTO core_change (kind, object_id)
SELECT 'order', id FROM undone WHERE "table" = 'order'
UNION SELECT 'order', r.order_id FROM customers_refund r JOIN undone u ON u."table" = 'refund' AND u.id = r.id
UNION SELECT 'day', o.placed_on - date '1970-01-01' FROM customers_order o
    JOIN undone u ON u."table" = 'order' AND u.id = o.id
UNION SELECT 'day', r.refunded_on - date '1970-01-01' FROM customers_refund r
    JOIN undone u ON u."table" = 'refund' AND u.id = r.id
UNION SELECT 'day', r.returned_on - date '1970-01-01' FROM customers_unmatchedreturn r
    JOIN undone u ON u."table" = 'unmatched' AND u.id = r.id
UNION SELECT 'customer_orders', o.customer_id FROM customers_order o
    JOIN undone u ON u."table" = 'order' AND u.id = o.id WHERE o.customer_id IS NOT NULL
UNION SELECT 'customer_orders', r.customer_id FROM customers_refund r
    JOIN undone u ON u."table" = 'refund' AND u.id = r.id WHERE r.customer_id IS NOT NULL
UNION SELECT 'customer_orders', r.customer_id FROM customers_unmatchedreturn r
    JOIN undone u ON u."table" = 'unmatched' AND u.id = r.id WHERE r.customer_id IS NOT NULL
UNION SELECT 'contract', id FROM undone WHERE "table" = 'contract'"""

# Orders to judge anew: those whose refunds go or come back.
JUDGED: Final = """
DROP TABLE IF EXISTS pg_temp.judged;
CREATE TEMP TABLE judged AS
SELECT r.order_id AS id FROM customers_refund r JOIN undone u ON u."table" = 'refund' AND u.id = r.id
UNION SELECT (before -> 'row' ->> 'order_id')::bigint FROM undone WHERE "table" = 'refund' AND NOT created
UNION SELECT id FROM undone WHERE "table" = 'order' AND NOT created"""

REFUNDS: Final = """
UPDATE customers_orderline l SET refunded_quantity = l.refunded_quantity - b.quantity,
    refunded_cents = l.refunded_cents - b.net
FROM (
    SELECT r.line_id, sum(r.quantity) AS quantity, sum(r.net_cents) AS net FROM customers_refundline r
    JOIN undone u ON u."table" = 'refund' AND u.created AND u.id = r.refund_id GROUP BY r.line_id
) b WHERE l.id = b.line_id;
DELETE FROM customers_refundline l USING undone u
WHERE u."table" = 'refund' AND u.created AND l.refund_id = u.id;
DELETE FROM customers_refund r USING undone u WHERE u."table" = 'refund' AND u.created AND r.id = u.id;
DELETE FROM customers_unmatchedreturn r USING undone u WHERE u."table" = 'unmatched' AND u.created AND r.id = u.id"""

CREATED_ORDERS: Final = """
DELETE FROM customers_orderline l USING undone u WHERE u."table" = 'order' AND u.created AND l.order_id = u.id;
DELETE FROM customers_order o USING undone u WHERE u."table" = 'order' AND u.created AND o.id = u.id"""

# A changed order gets its row and its lines back, each under its old id. What came back of a line stays on the line.
CHANGED_ORDERS: Final = """
DELETE FROM customers_orderline l USING undone u
WHERE u."table" = 'order' AND NOT u.created AND l.order_id = u.id AND NOT EXISTS (
    SELECT FROM jsonb_array_elements(u.before -> 'lines') was WHERE (was ->> 'id')::bigint = l.id);
INSERT INTO customers_orderline AS l
SELECT was.* FROM undone u, jsonb_populate_recordset(NULL::customers_orderline, u.before -> 'lines') was
WHERE u."table" = 'order' AND NOT u.created
ON CONFLICT (id) DO UPDATE SET customer_id = excluded.customer_id, position = excluded.position,
    product_id = excluded.product_id, quantity = excluded.quantity, unit_price = excluded.unit_price,
    discount_cents = excluded.discount_cents, net_cents = excluded.net_cents, counts = excluded.counts,
    unit_cost = excluded.unit_cost, margin_cents = excluded.margin_cents;
UPDATE customers_order o SET customer_id = was.customer_id, status = was.status, placed_at = was.placed_at,
    placed_on = was.placed_on, date_only = was.date_only, channel = was.channel, net_cents = was.net_cents,
    value_cents = was.value_cents, margin_cents = was.margin_cents, tax_cents = was.tax_cents,
    shipping_cents = was.shipping_cents, content = was.content, batch_id = was.batch_id, fully_refunded_on = NULL
FROM undone u, jsonb_populate_record(NULL::customers_order, u.before -> 'row') was
WHERE u."table" = 'order' AND NOT u.created AND o.id = u.id"""

RETURNS_BACK: Final = """
INSERT INTO customers_refund
SELECT was.* FROM undone u, jsonb_populate_record(NULL::customers_refund, u.before -> 'row') was
WHERE u."table" = 'refund' AND NOT u.created;
INSERT INTO customers_refundline
SELECT was.* FROM undone u, jsonb_populate_recordset(NULL::customers_refundline, u.before -> 'lines') was
WHERE u."table" = 'refund' AND NOT u.created;
UPDATE customers_orderline l SET refunded_quantity = l.refunded_quantity + b.quantity,
    refunded_cents = l.refunded_cents + b.net
FROM (
    SELECT r.line_id, sum(r.quantity) AS quantity, sum(r.net_cents) AS net FROM customers_refundline r
    JOIN undone u ON u."table" = 'refund' AND NOT u.created AND u.id = r.refund_id GROUP BY r.line_id
) b WHERE l.id = b.line_id;
INSERT INTO customers_unmatchedreturn
SELECT was.* FROM undone u, jsonb_populate_record(NULL::customers_unmatchedreturn, u.before -> 'row') was
WHERE u."table" = 'unmatched' AND NOT u.created"""

PEOPLE: Final = """
DELETE FROM customers_email e USING undone u WHERE u."table" = 'email' AND e.id = u.id;
DELETE FROM customers_phone p USING undone u WHERE u."table" = 'phone' AND p.id = u.id;
INSERT INTO core_change (kind, object_id)
SELECT 'customer_orders', c.id FROM customers_customer c
JOIN undone u ON u."table" = 'customer' AND NOT u.created AND u.id = c.id
WHERE c.company_id IS DISTINCT FROM (u.before ->> 'company_id')::bigint;
UPDATE customers_customer c SET name = was.name, company_id = was.company_id, channel = was.channel,
    street = coalesce(was.street, ''), postcode = coalesce(was.postcode, ''), city = was.city,
    region = coalesce(was.region, ''), country = was.country, locale = was.locale, time_zone = was.time_zone,
    birthday = coalesce(was.birthday, ''), custom = coalesce(was.custom, c.custom)
FROM undone u, jsonb_populate_record(NULL::customers_customer, u.before) was
WHERE u."table" = 'customer' AND NOT u.created AND c.id = u.id"""

# Contracts that somebody removed meanwhile are gone already.
CONTRACTS: Final = """
DELETE FROM customers_contractterm t USING undone u WHERE u."table" = 'contract' AND t.contract_id = u.id;
DELETE FROM customers_contract k USING undone u WHERE u."table" = 'contract' AND u.created AND k.id = u.id;
UPDATE customers_contract k SET company_id = was.company_id, customer_id = was.customer_id, plan = was.plan,
    agreed_on = was.agreed_on, starts_on = was.starts_on, term_months = was.term_months,
    value_cents = was.value_cents, margin_rate = was.margin_rate,
    renews_automatically = was.renews_automatically, is_billed_by_orders = was.is_billed_by_orders
FROM undone u, jsonb_populate_record(NULL::customers_contract, u.before -> 'row') was
WHERE u."table" = 'contract' AND NOT u.created AND k.id = u.id;
INSERT INTO customers_contractterm
SELECT was.* FROM undone u, jsonb_populate_recordset(NULL::customers_contractterm, u.before -> 'terms') was
WHERE u."table" = 'contract' AND NOT u.created AND EXISTS (SELECT FROM customers_contract k WHERE k.id = u.id);
UPDATE core_business SET has_contracts = EXISTS (SELECT FROM customers_contract)
WHERE EXISTS (SELECT FROM undone WHERE "table" = 'contract')"""

PRODUCTS: Final = """
UPDATE customers_product p SET name = was.name, category_id = was.category_id
FROM undone u, jsonb_populate_record(NULL::customers_product, u.before) was
WHERE u."table" = 'product' AND NOT u.created AND p.id = u.id;
DELETE FROM customers_product p USING undone u WHERE u."table" = 'product' AND u.created AND p.id = u.id;
DELETE FROM customers_category c USING undone u WHERE u."table" = 'category' AND c.id = u.id
    AND NOT EXISTS (SELECT FROM customers_product p WHERE p.category_id = c.id);
DELETE FROM customers_company c USING undone u WHERE u."table" = 'company' AND c.id = u.id
    AND NOT EXISTS (SELECT FROM customers_customer p WHERE p.company_id = c.id)
    AND NOT EXISTS (SELECT FROM customers_contract k WHERE k.company_id = c.id)"""


# Whoever writes about one of these customers meanwhile waits, or has been waited for.
LOCK_CREATED: Final = """
SELECT c.id FROM customers_customer c JOIN undone u ON u."table" = 'customer' AND u.created AND u.id = c.id
ORDER BY c.id FOR UPDATE OF c"""

# The accounts that customers of the import sign in with, open or closed. Staff's stay, whatever they belong to.
PORTAL_USERS: Final = """
SELECT a.user_id FROM customers_portalaccess a JOIN undone u ON u."table" = 'customer' AND u.created
    AND u.id = a.customer_id JOIN core_user s ON s.id = a.user_id AND s.role = 'customer'"""

# What is left of a customer who has to stay: a row that others refer to. The same file again makes a new one.
EMPTIED: Final = """
DELETE FROM customers_identity WHERE customer_id = ANY(%(stay)s);
DELETE FROM customers_email WHERE customer_id = ANY(%(stay)s);
DELETE FROM customers_phone WHERE customer_id = ANY(%(stay)s);
DELETE FROM customers_membership WHERE customer_id = ANY(%(stay)s);
DELETE FROM customers_tagging WHERE customer_id = ANY(%(stay)s);
UPDATE customers_customer SET name = '', company_id = NULL, channel = '', street = '', postcode = '', city = '',
    region = '', country = '', locale = '', time_zone = '', birthday = '', custom = '{}', sort_name = '', search = '',
    batch_id = NULL, archived_at = coalesce(archived_at, now())
WHERE id = ANY(%(stay)s)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """`staying`: how many customers are empty rows now, because other apps refer to them for ever."""

    batch: ImportBatch
    staying: int


def undo(*, batch_id: int) -> Undone:
    """Take the import back whole, in one transaction. Raises CannotUndo, and then nothing is changed.

    Customers of whom other apps keep something for ever stay as empty, archived rows.
    """
    with imports.one_at_a_time(), transaction.atomic():
        batch = ImportBatch.objects.select_for_update().filter(pk=batch_id).first()
        if batch is None:
            raise CannotUndo(UNKNOWN.format(number=batch_id))
        if batch.state == ImportBatch.State.UNDONE:
            raise CannotUndo(ALREADY.format(number=batch_id))
        params = _params(batch)
        choose_joins()
        run((ROWS, LOCK_CREATED), params)
        _refuse_if_touched(batch, params)
        staying = _take_back(params)
        batch.state = ImportBatch.State.UNDONE
        batch.save(update_fields=["state"])
        doorbell.ring("orders")
    return Undone(batch=batch, staying=staying)


def obstacle(*, batch_id: int) -> str:
    """What stands in the way of taking an import back, as a sentence; "" when nothing does."""
    with _looked_at(batch_id) as (batch, params):
        try:
            _refuse_if_touched(batch, params)
        except CannotUndo as problem:
            return str(problem)
    return ""


def staying(*, batch_id: int) -> int:
    """How many customers of an import would stay as empty rows."""
    with _looked_at(batch_id):
        return len(_ids(import_string(settings.UNDO_STAY)))


@contextmanager
def _looked_at(batch_id: int) -> Iterator[tuple[ImportBatch, dict[str, Any]]]:
    with transaction.atomic():
        batch = ImportBatch.objects.get(pk=batch_id)
        params = _params(batch)
        choose_joins()
        run((ROWS,), params)
        try:
            yield batch, params
        finally:
            run(("DROP TABLE pg_temp.undone",), params)


def _params(batch: ImportBatch) -> dict[str, Any]:
    return {"batch": batch.pk, "started_at": batch.started_at, "zone": business.current().time_zone}


def _refuse_if_touched(batch: ImportBatch, params: Mapping[str, Any]) -> None:
    reason = obstacles.first((*obstacles.OBSTACLES, *import_string(settings.UNDO_OBSTACLES)), params)
    if reason:
        raise CannotUndo(IN_THE_WAY.format(number=batch.pk, reason=reason))


def _take_back(params: Mapping[str, Any]) -> int:
    """Returns how many customers stay."""
    run((CHANGES, CONTRACTS, JUDGED, REFUNDS, CREATED_ORDERS, CHANGED_ORDERS, RETURNS_BACK, PEOPLE, CHANGES), params)
    returns.refresh_orders(_ids("SELECT j.id FROM judged j JOIN customers_order o USING (id)"))
    staying = _delete_customers()
    run((PRODUCTS,), params)
    search.refresh(
        customer_ids=_ids("""
            SELECT c.id FROM customers_customer c WHERE c.id IN (
                SELECT id FROM undone WHERE "table" = 'customer' AND NOT created)""")
    )
    return staying


def _delete_customers() -> int:
    """Through the models, where apps above hang their own rows on customers; but for those who have to stay.

    Nobody keeps an account: an address is free for whom the same file makes anew. Returns how many stay.
    """
    User.objects.filter(pk__in=_ids(PORTAL_USERS)).delete()
    stay = _ids(import_string(settings.UNDO_STAY))
    created = _ids("""SELECT id FROM undone WHERE "table" = 'customer' AND created ORDER BY id""")
    going = sorted(set(created) - set(stay))
    for start in range(0, len(going), CUSTOMERS_PER_DELETE):
        Customer.objects.filter(pk__in=going[start : start + CUSTOMERS_PER_DELETE]).delete()
    run((EMPTIED,), {"stay": stay})
    return len(stay)


def _ids(query: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [pk for (pk,) in cursor.fetchall()]
