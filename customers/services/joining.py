"""Two customers are one person: what is known of `other` becomes `into`'s, in the caller's transaction.

Everything that hangs on a customer is named here or in loyalty.services.joining; a test goes through the models.
"""

import time
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext as _

from core import doorbell
from customers.models import Customer, Membership, Merge
from customers.places import Place
from customers.services import apart, consents, imports, people_lock, search
from customers.services.consents import Witness
from customers.services.persons import COLUMNS

SOURCE: Final = "merge"
TRIES: Final = 5
PAUSE_SECONDS: Final = 0.02


class CannotMerge(Exception):
    """The message is for people. Nothing was changed."""


class Themselves(CannotMerge):
    def __init__(self) -> None:
        super().__init__(_("These two are the same customer. Choose somebody else."))


class MergedBefore(CannotMerge):
    def __init__(self, merge: Merge) -> None:
        self.merge = merge
        names = {"other": merge.other, "into": merge.into}
        super().__init__(_("%(other)s was merged into %(into)s already.") % names)


class Archived(CannotMerge):
    def __init__(self, customer: Customer) -> None:
        super().__init__(
            _("%(customer)s is archived. Restore this customer first, then merge.") % {"customer": customer}
        )


class ImportAtWork(CannotMerge):
    def __init__(self) -> None:
        super().__init__(_("An import is being written. Merge when it is done."))


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Both rows, locked, as they are before."""

    into: Customer
    other: Customer

    @property
    def ids(self) -> dict[str, int]:
        return {"into": self.into.pk, "other": self.other.pk}


# What readers of the change feed look at again: both people, and all that moves with its days.
TOLD: Final = """
INSERT INTO core_change (kind, object_id)
SELECT 'customer_orders', unnest(ARRAY[%(into)s, %(other)s]::bigint[])
UNION SELECT 'order', id FROM customers_order WHERE customer_id = %(other)s
UNION SELECT 'day', placed_on - date '1970-01-01' FROM customers_order WHERE customer_id = %(other)s
UNION SELECT 'day', refunded_on - date '1970-01-01' FROM customers_refund WHERE customer_id = %(other)s
UNION SELECT 'day', returned_on - date '1970-01-01' FROM customers_unmatchedreturn WHERE customer_id = %(other)s
UNION SELECT 'contract', id FROM customers_contract WHERE customer_id = %(other)s
UNION SELECT 'customer_costs', unnest(ARRAY[%(into)s, %(other)s]::bigint[])
    WHERE EXISTS (SELECT FROM customers_cost WHERE customer_id = %(other)s)"""

# Written anew behind those that are there, so that the first e-mail, phone and identity stay the first.
ANEW: Final = """
WITH gone AS (DELETE FROM {table} WHERE customer_id = %(other)s RETURNING id, {columns}), added AS (
    INSERT INTO {table} (customer_id, {columns}) SELECT %(into)s, {columns} FROM gone ORDER BY id
    ON CONFLICT DO NOTHING
) SELECT count(*) FROM gone"""
MOVED: Final = """
WITH moved AS (UPDATE {table} SET customer_id = %(into)s WHERE customer_id = %(other)s RETURNING 1)
SELECT count(*) FROM moved"""
# By their orders: the lines have no index of their own for all of a customer's.
LINES: Final = """
WITH moved AS (
    UPDATE customers_orderline l SET customer_id = %(into)s FROM customers_order o
    WHERE o.customer_id = %(other)s AND l.order_id = o.id RETURNING 1
) SELECT count(*) FROM moved"""
# A tag that both have is `into`'s; the other's ends.
TAGS: Final = """
WITH ended AS (
    UPDATE customers_tagging t SET removed_at = greatest(%(at)s, t.added_at)
    WHERE t.customer_id = %(other)s AND t.removed_at IS NULL AND EXISTS (
        SELECT FROM customers_tagging o
        WHERE o.customer_id = %(into)s AND o.segment_id = t.segment_id AND o.removed_at IS NULL)
    RETURNING t.id
), moved AS (
    UPDATE customers_tagging SET customer_id = %(into)s
    WHERE customer_id = %(other)s AND id NOT IN (SELECT id FROM ended) RETURNING 1
) SELECT count(*) FROM moved"""

STATEMENTS: Final = {
    "identities": ANEW.format(table="customers_identity", columns="source, external_id"),
    "emails": ANEW.format(table="customers_email", columns="address"),
    "phones": ANEW.format(table="customers_phone", columns="number"),
    "lines": LINES,
    **{
        name: MOVED.format(table=f"customers_{table}")
        for name, table in {
            "orders": "order",
            "refunds": "refund",
            "returns": "unmatchedreturn",
            "contracts": "contract",
            "costs": "cost",
            "accesses": "portalaccess",
            "codes_to_mail": "codemail",
        }.items()
    },
    "tags": TAGS,
}


def lock(*, into: int, other: int) -> Pair:
    """Keep writers, imports and other merges away from both until the transaction ends, which can still refuse.

    Raises CannotMerge and Customer.DoesNotExist.
    """
    if into == other:
        raise Themselves
    people_lock.merging()
    _keep_imports_away()
    rows = Customer.objects.select_for_update(no_key=True).in_bulk([into, other])
    if len(rows) < 2:
        raise Customer.DoesNotExist
    pair = Pair(into=rows[into], other=rows[other])
    refuse(pair)
    return pair


def _keep_imports_away() -> None:
    """A few tries: a merge that has just ended gives its two locks back one after the other."""
    for again in range(TRIES):
        if imports.may_begin():
            return
        time.sleep(PAUSE_SECONDS * again)
    raise ImportAtWork


def refuse(pair: Pair) -> None:
    """Raises CannotMerge for what the facts forbid."""
    merged = Merge.objects.select_related("into", "other").filter(other__in=[pair.into.pk, pair.other.pk]).first()
    if merged is not None:
        raise MergedBefore(merged)
    if pair.into.archived_at is not None:
        raise Archived(pair.into)


def join(*, pair: Pair, by: int | None, at: datetime) -> Merge:
    """Move all facts, fill in what is empty, and make `other` a pointer. The pair is locked."""
    _run(TOLD, pair)
    moved = {name: _run(statement, pair, at=at) for name, statement in STATEMENTS.items()}
    Membership.objects.filter(customer=pair.other).delete()
    apart.join(**pair.ids, by=by, at=at)
    consents.join(into=pair.into.pk, other=pair.other.pk, witness=Witness(source=SOURCE, by=by, at=at))
    _fill(pair)
    Customer.objects.filter(pk=pair.other.pk).update(archived_at=pair.other.archived_at or at)
    search.refresh(customer_ids=[pair.into.pk, pair.other.pk])
    doorbell.ring("orders")
    return Merge.objects.create(into=pair.into, other=pair.other, at=at, by_id=by, moved=moved)


def _run(statement: str, pair: Pair, **params: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**pair.ids, **params})
        return int(cursor.fetchone()[0]) if cursor.description else cursor.rowcount


def filled(pair: Pair) -> dict[str, Any]:
    """The columns of `into` that the other fills: what is empty. An address is taken whole or not at all."""
    into, other = pair.into, pair.other
    plain = [name for name in COLUMNS if name not in (*Place._fields, "custom")]
    told = {name: getattr(other, name) for name in plain if not getattr(into, name) and getattr(other, name)}
    if _is_empty(into.place, beside=other.place):
        told |= other.place._asdict()
    own = {key: value for key, value in into.custom.items() if value not in (None, "", [])}
    if other.custom.keys() - own.keys():
        told["custom"] = {**other.custom, **own}
    return {name: value for name, value in told.items() if value != getattr(into, name)}


def _is_empty(own: Place, *, beside: Place) -> bool:
    """Whether nothing is known of an address, or only a city and country that the other one has, too."""
    rest = own._replace(city="", country="")
    return not any(rest) and own.city in ("", beside.city) and own.country in ("", beside.country)


def _fill(pair: Pair) -> None:
    told = filled(pair)
    told["messages_paused_until"] = _later(pair.into.messages_paused_until, pair.other.messages_paused_until)
    Customer.objects.filter(pk=pair.into.pk).update(**told)


def _later(one: date | None, other: date | None) -> date | None:
    return max(filter(None, (one, other)), default=None)
