"""Taking the demo away again: what came from it, and nothing that anybody else needs."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final

from django.db import connection, transaction

from analytics.services import partitions
from core import doorbell, feed
from core.models import Business, Change, Run, User
from crm.demo import accounts, catalogue, club_clearing, planning, spending
from customers.models import Contract, Customer, Order, UnitCost, UnmatchedReturn

SOURCE: Final = "demo"

# What goes, as tables of this transaction. Customers go who are known to the demo only, with nothing bought elsewhere.
GOING: Final = """
CREATE TEMP TABLE going_batch ON COMMIT DROP AS SELECT id FROM customers_importbatch WHERE source = %(source)s;
CREATE TEMP TABLE going_order ON COMMIT DROP AS SELECT id FROM customers_order WHERE source = %(source)s;
CREATE TEMP TABLE going_refund ON COMMIT DROP AS
SELECT id FROM customers_refund WHERE order_id IN (SELECT id FROM going_order);
CREATE TEMP TABLE going_customer ON COMMIT DROP AS
SELECT c.id FROM customers_customer c
WHERE EXISTS (SELECT FROM customers_identity i WHERE i.customer_id = c.id AND i.source = %(source)s)
    AND NOT EXISTS (SELECT FROM customers_identity i WHERE i.customer_id = c.id AND i.source <> %(source)s)
    AND NOT EXISTS (SELECT FROM customers_order o WHERE o.customer_id = c.id AND o.source <> %(source)s)
    AND NOT EXISTS (SELECT FROM customers_unmatchedreturn u WHERE u.customer_id = c.id AND u.source <> %(source)s)
    AND NOT EXISTS (SELECT FROM customers_contract k WHERE k.customer_id = c.id AND k.source <> %(source)s);
WITH RECURSIVE merged AS (
    SELECT m.other_id AS id FROM customers_merge m JOIN going_customer g ON g.id = m.into_id
    UNION SELECT m.other_id FROM customers_merge m JOIN merged ON merged.id = m.into_id
) INSERT INTO going_customer SELECT id FROM merged;
ANALYZE going_order; ANALYZE going_refund; ANALYZE going_customer
"""

# In the order that foreign keys ask for, each with the name it counts under; "" counts nothing.
STEPS: Final = [
    ("", "DELETE FROM customers_refundline WHERE refund_id IN (SELECT id FROM going_refund)"),
    ("refunds", "DELETE FROM customers_refund WHERE id IN (SELECT id FROM going_refund)"),
    ("", "DELETE FROM customers_orderline WHERE order_id IN (SELECT id FROM going_order)"),
    ("orders", "DELETE FROM customers_order WHERE id IN (SELECT id FROM going_order)"),
    ("refunds", "DELETE FROM customers_unmatchedreturn WHERE source = %(source)s"),
    (
        "",
        """DELETE FROM customers_contractterm t USING customers_contract k
            WHERE k.id = t.contract_id AND k.source = %(source)s""",
    ),
    (
        "",
        """DELETE FROM analytics_contractvalue v USING customers_contract k
            WHERE k.id = v.contract_id AND k.source = %(source)s""",
    ),
    ("", "DELETE FROM analytics_contracttotal"),  # sums of contracts that go, too; the next night adds up what is left
    ("contracts", "DELETE FROM customers_contract WHERE source = %(source)s"),
    ("", "DELETE FROM customers_merge WHERE into_id IN (SELECT id FROM going_customer)"),
    (
        "",
        """DELETE FROM customers_apart a USING going_customer g WHERE g.id IN (a.one_id, a.other_id)""",
    ),
    ("", "DELETE FROM customers_consent WHERE customer_id IN (SELECT id FROM going_customer)"),
    ("", "DELETE FROM customers_email WHERE customer_id IN (SELECT id FROM going_customer)"),
    ("", "DELETE FROM customers_phone WHERE customer_id IN (SELECT id FROM going_customer)"),
    ("", "DELETE FROM customers_membership WHERE customer_id IN (SELECT id FROM going_customer)"),
    ("", "DELETE FROM customers_tagging WHERE customer_id IN (SELECT id FROM going_customer)"),
    ("", "DELETE FROM customers_cost WHERE customer_id IN (SELECT id FROM going_customer)"),
    ("", "DELETE FROM customers_acquisitioncost WHERE note = %(note)s"),
    ("", "DELETE FROM analytics_profit WHERE customer_id IN (SELECT id FROM going_customer)"),
    ("", "DELETE FROM analytics_purchasesummary WHERE customer_id IN (SELECT id FROM going_customer)"),
    ("", "DELETE FROM analytics_basket WHERE customer_id IN (SELECT id FROM going_customer)"),
    ("", "DELETE FROM analytics_orderdays WHERE customer_id IN (SELECT id FROM going_customer)"),
    ("", "DELETE FROM analytics_score WHERE customer_id IN (SELECT id FROM going_customer)"),
    (
        "",
        """DELETE FROM customers_identity i WHERE i.source = %(source)s AND (
            i.customer_id IN (SELECT id FROM going_customer)
            OR EXISTS (SELECT FROM customers_identity o WHERE o.customer_id = i.customer_id AND o.source <> i.source)
        )""",
    ),
    ("customers", "DELETE FROM customers_customer WHERE id IN (SELECT id FROM going_customer)"),
    (
        "companies",
        """DELETE FROM customers_company p WHERE source = %(source)s
            AND NOT EXISTS (SELECT FROM customers_customer c WHERE c.company_id = p.id)
            AND NOT EXISTS (SELECT FROM customers_contract k WHERE k.company_id = p.id)""",
    ),
    (
        "products",
        """DELETE FROM customers_product p WHERE batch_id IN (SELECT id FROM going_batch)
            AND NOT EXISTS (SELECT FROM customers_orderline l WHERE l.product_id = p.id)
            AND NOT EXISTS (SELECT FROM customers_unmatchedreturn u WHERE u.product_id = p.id)
            AND NOT EXISTS (SELECT FROM needed_product n WHERE n.id = p.id)""",
    ),
    (
        "",
        """DELETE FROM customers_category c WHERE name = ANY(%(categories)s) AND margin_rate IS NULL
            AND NOT EXISTS (SELECT FROM customers_product p WHERE p.category_id = c.id)
            AND NOT EXISTS (SELECT FROM needed_category n WHERE n.id = c.id)""",
    ),
    ("", "UPDATE customers_product SET batch_id = NULL WHERE batch_id IN (SELECT id FROM going_batch)"),
    ("", "UPDATE customers_customer SET batch_id = NULL WHERE batch_id IN (SELECT id FROM going_batch)"),
    ("", "DELETE FROM customers_importedrow WHERE batch_id IN (SELECT id FROM going_batch)"),
    ("", "DELETE FROM customers_importbatch WHERE source = %(source)s"),
]


@dataclass
class Removed:
    customers: int = 0
    companies: int = 0
    orders: int = 0
    refunds: int = 0
    contracts: int = 0
    products: int = 0
    nights: int = 0
    accounts: int = 0

    def __str__(self) -> str:
        """`3,000 customers, 1 company`; an empty string when there was nothing."""
        counts = ((one.name, getattr(self, one.name)) for one in fields(self))
        return ", ".join(f"{count:,} {singular(name) if count == 1 else name}" for name, count in counts if count)


def singular(name: str) -> str:
    return {"companies": "company"}.get(name, name.removesuffix("s"))


@transaction.atomic
def clear() -> Removed:
    """Remove everything of source "demo" in one transaction, with the nights if no customer is left to have any.

    Customers who are known from elsewhere stay, with what they bought there; products that others sold stay, too.
    """
    removed, touched = Removed(), touched_days()
    User.objects.filter(portal__customer__identities__source=SOURCE).delete()
    buyers = list(Customer.objects.filter(identities__source=SOURCE).order_by("id").values_list("id", flat=True))
    values: dict[str, Any] = {"source": SOURCE, "note": spending.NOTE, "categories": list(catalogue.BY_CATEGORY)}
    with connection.cursor() as cursor:
        cursor.execute(GOING, values)
        club_clearing.clear()
        planning.clear()
        for name, statement in STEPS:
            cursor.execute(statement, values)
            if name:
                setattr(removed, name, getattr(removed, name) + cursor.rowcount)
    feed.record(Change.Kind.CUSTOMER_ORDERS, buyers)
    feed.record(Change.Kind.DAY, [(day - date(1970, 1, 1)).days for day in touched])
    doorbell.ring("orders")
    removed.nights = forget_nights()
    removed.accounts = accounts.remove()
    release_business()
    return removed


def touched_days() -> set[date]:
    """The business dates whose totals the demo is part of."""
    returned = Order.objects.filter(source=SOURCE, refunds__isnull=False).values_list("refunds__refunded_on", flat=True)
    unmatched = UnmatchedReturn.objects.filter(source=SOURCE).values_list("returned_on", flat=True)
    return {*Order.objects.filter(source=SOURCE).values_list("placed_on", flat=True), *returned, *unmatched}


def forget_nights() -> int:
    """Drop every night when no customer is left: they were about the demo alone."""
    if Customer.objects.exists():
        return 0
    for run_id in partitions.kept():
        partitions.drop(run_id)
    number = Run.objects.count()
    Run.objects.all().delete()
    return number


def release_business() -> None:
    """The settings row of the demo goes when no fact needs it; with others' orders or contracts it is theirs."""
    if Order.objects.exists() or UnmatchedReturn.objects.exists() or Contract.objects.exists():
        Business.objects.filter(is_demo=True).update(is_demo=False, has_contracts=Contract.objects.exists())
    else:
        gone, _ = Business.objects.filter(is_demo=True).delete()
        if gone:
            UnitCost.objects.all().delete()
