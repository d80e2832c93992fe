"""Points for orders: a reaction that pulls what changed from the feed and posts the difference.

What an order is to have been credited follows from the facts alone (loyalty.services.targets), so that a cancelled
order, a corrected amount, another customer, a refund and a refund that was undone are all one case, and running again
changes nothing. Each difference is a posting with its own key: `earn:order:81`, later `earn:order:81:2`.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max

from core import business as settings_row
from core import feed, parallel
from core.models import Business, Change
from customers.models import Customer
from loyalty.models import Pause, Programme
from loyalty.selectors import programme as programmes
from loyalty.services import many, refunding, targets

REACTION: Final = "points"
AT_ONCE: Final = 50_000  # orders of one transaction: it locks their customers' accounts

CUSTOMERS: Final = 20_000  # looked at together, the first time

# By customer, so that each account is written once.
OF_CUSTOMERS: Final = """
SELECT id FROM customers_order
WHERE customer_id BETWEEN %(first)s AND %(last)s AND status = 'paid' AND placed_on >= %(from_day)s
ORDER BY customer_id, id
"""
# Credited once, and no longer the customer's, or no order at all.
NO_LONGER: Final = """
SELECT c.order_id FROM loyalty_credit c LEFT JOIN customers_order o ON o.id = c.order_id
    AND o.customer_id = c.customer_id AND o.status = 'paid' AND o.placed_on >= %(from_day)s
WHERE o.id IS NULL AND c.facts <> 0 ORDER BY c.order_id
"""
WITHIN: Final = """
SELECT id FROM customers_order
WHERE status = 'paid' AND placed_at >= %(began_at)s AND placed_at < %(ended_at)s ORDER BY customer_id, id
"""

CUSTOMERS_OF: Final = (
    "DROP TABLE IF EXISTS pg_temp.wanted_account, pg_temp.wanted_posting",
    """CREATE TEMP TABLE wanted_account ON COMMIT DROP AS
    SELECT customer_id FROM wanted_credit WHERE points > 0
    UNION SELECT was_customer FROM wanted_credit WHERE was_points > 0""",
    "ANALYZE wanted_account (customer_id)",
)
EARNED: Final = """
CREATE TEMP TABLE wanted_posting ON COMMIT DROP AS
SELECT customer_id, order_id, points - owed AS points, placed_at, placed_on,
    concat_ws(':', 'earn:order', order_id, nullif(revision + 1, 1)) AS key
FROM (
    SELECT *, CASE WHEN was_customer = customer_id THEN was_points + least(forgiven, greatest(points - was_points, 0))
        ELSE 0 END AS owed
    FROM wanted_credit WHERE customer_id IS NOT NULL
) AS owing WHERE points > owed
"""
REMEMBER: Final = (
    """DELETE FROM loyalty_linecredit l USING wanted_credit w
    WHERE l.order_id = w.order_id AND w.was_facts IS NOT NULL AND (w.is_anew OR w.customer_id IS NULL)""",
    """INSERT INTO loyalty_linecredit (order_id, position, points)
    SELECT order_id, position, points FROM wanted_line WHERE points > 0 ORDER BY order_id, position""",
    """INSERT INTO loyalty_credit (order_id, customer_id, facts, multiplier, points)
    SELECT order_id, customer_id, coalesce(facts, 0), multiplier, points FROM wanted_credit
    WHERE was_facts IS NULL ORDER BY order_id""",
    """UPDATE loyalty_credit c SET customer_id = coalesce(w.customer_id, w.was_customer),
    facts = CASE WHEN w.customer_id IS NULL THEN 0 ELSE coalesce(w.facts, 0) END, multiplier = w.multiplier,
    points = w.points, revision = c.revision + 1,
    forgiven = CASE WHEN c.customer_id <> w.customer_id THEN 0
        ELSE c.forgiven - least(c.forgiven, greatest(w.points - c.points, 0)) END
    FROM wanted_credit w WHERE w.was_facts IS NOT NULL AND c.order_id = w.order_id""",
)


def credit(*, at: datetime) -> int:
    """Bring the points of orders that changed up to date; returns how many orders that concerned.

    Nothing happens before the programme is switched on; the first time it looks at every order that counts. Each
    transaction takes some of them. The cursor moves when all are done: what a crash leaves is looked at again, and an
    order that was credited already is not credited twice.
    """
    if not programmes.is_open():
        return 0
    since, until = _span()
    if since:
        done = credit_orders(order_ids=feed.pending(Change.Kind.ORDER, since=since, until=until), at=at)
    else:
        done = _every_order(at)
    _advance(since, until)
    return done + _after_pauses(at)


def credit_orders(*, order_ids: Sequence[int], at: datetime) -> int:
    """The same for some orders, whatever the feed says of them. The programme is switched on."""
    return sum(_some(ids, at) for ids in _cut(order_ids))


@transaction.atomic
def _span() -> tuple[int, int]:
    return feed.position(REACTION), feed.horizon()


@transaction.atomic
def _advance(since: int, until: int) -> None:
    """Unless somebody else moved the cursor meanwhile: theirs may be further on."""
    if feed.position(REACTION) == since:
        feed.advance(REACTION, until)


def _every_order(at: datetime) -> int:
    from_day = first_day(programmes.current(), settings_row.current())
    last = Customer.objects.aggregate(last=Max("pk"))["last"] or 0
    done = parallel.each(range(1, last + 1, CUSTOMERS), lambda first: _of_customers(first, from_day, at))
    return sum(done) + credit_orders(order_ids=_ids(NO_LONGER, from_day=from_day), at=at)


def _of_customers(first: int, from_day: date, at: datetime) -> int:
    """All orders of some customers, beside other customers' at the same time."""
    ids = _ids(OF_CUSTOMERS, first=first, last=first + CUSTOMERS - 1, from_day=from_day)
    return sum(_some(part, at, beside=first) for part in _cut(ids))


def _after_pauses(at: datetime) -> int:
    """Orders of pauses that count after all; what a crash leaves is looked at again."""
    done = 0
    for one in Pause.objects.filter(counts_orders=True, credited_at=None).order_by("pk"):
        done += credit_orders(order_ids=_ids(WITHIN, began_at=one.began_at, ended_at=one.ended_at), at=at)
        Pause.objects.filter(pk=one.pk).update(credited_at=at)
    return done


def _ids(query: str, **params: Any) -> Sequence[int]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return [pk for (pk,) in cursor.fetchall()]


def first_day(programme: Programme, business: Business) -> date:
    """The first business date of which orders can count. The programme is switched on."""
    if programme.opened_at is None:
        raise ValueError("The programme is not switched on.")
    return programme.credit_from or programme.opened_at.astimezone(business.zone).date()


def _cut(order_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (order_ids[first : first + AT_ONCE] for first in range(0, len(order_ids), AT_ONCE))


@transaction.atomic
def _some(order_ids: Sequence[int], at: datetime, beside: int | None = None) -> int:
    """Bring some orders up to date."""
    _wait_for_others(beside)
    programme, business = programmes.current(), settings_row.current()
    targets.look_up(order_ids=order_ids, programme=programme)
    changed = _changed()
    if not changed:
        return 0
    terms = programmes.terms(programme, business)
    _run(*CUSTOMERS_OF, EARNED, "ANALYZE wanted_posting (customer_id)")
    many.lock(wanted="wanted_account", terms=terms, at=at)
    refunding.take_back(programme=programme, at=at)
    many.earn(terms=terms, at=at)
    _run(*REMEMBER)
    refunding.forgive()
    return changed


def _wait_for_others(beside: int | None) -> None:
    """The lock on the cursor keeps it to one process at a time; or to one for each number that stands for a part."""
    if beside is None:
        feed.position(REACTION)
        return
    feed.stay(REACTION)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), %s)", [REACTION, beside // CUSTOMERS])


def _changed() -> int:
    """How many orders differ from what was credited."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM wanted_credit")
        return int(cursor.fetchone()[0])


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
