"""Raising, keeping and losing tiers. What is decided stands in loyalty.selectors.tier_values; here it is written.

Every function may be called again: what it found decided is written once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max

from core import feed
from core.models import Business, Change, User
from customers.models import Customer
from customers.services import people_lock
from loyalty.models import Move, Standing, Tier, TierNotice
from loyalty.selectors import tier_values

REACTION: Final = "tiers"
AT_ONCE: Final = 20_000  # customers of one transaction, whose standings stay locked so long
NOTICE_DAYS: Final = 30

LOCK: Final = """
SELECT count(*) FROM (
    SELECT s.customer_id FROM loyalty_standing s JOIN ({asked}) a ON a.customer_id = s.customer_id
    ORDER BY s.customer_id FOR NO KEY UPDATE OF s
) locked"""

WRITE: Final = """,
written AS (
    INSERT INTO loyalty_standing AS s (customer_id, tier_id, since, ends_on, until, value, set_by)
    SELECT customer_id, (%(ids)s::bigint[])[goal],
        CASE WHEN (%(ids)s::bigint[])[goal] IS NOT DISTINCT FROM tier_id THEN since ELSE %(at)s END,
        period.ends_on, CASE WHEN begun IS NULL THEN d.until ELSE period.ends_on + %(grace)s END,
        greatest(value_now, value_then), CASE WHEN begun IS NULL THEN set_by ELSE 'rules' END
    FROM decided d
    CROSS JOIN LATERAL (
        SELECT CASE WHEN begun IS NULL THEN d.ends_on WHEN goal > 0 THEN {period_end} END AS ends_on
    ) period
    WHERE begun IS NOT NULL OR (%(ids)s::bigint[])[goal] IS DISTINCT FROM tier_id
    ON CONFLICT (customer_id) DO UPDATE SET tier_id = excluded.tier_id, since = excluded.since,
        ends_on = excluded.ends_on, until = excluded.until, value = excluded.value, set_by = excluded.set_by
    RETURNING s.customer_id, s.tier_id, s.value
),
moved AS (
    INSERT INTO loyalty_move (customer_id, before_id, after_id, at, reason, value, note)
    SELECT w.customer_id, d.tier_id, w.tier_id, %(at)s, d.reason, w.value, ''
    FROM written w JOIN decided d ON d.customer_id = w.customer_id
    WHERE w.tier_id IS DISTINCT FROM d.tier_id ORDER BY w.customer_id
    RETURNING id, customer_id, before_id, after_id
),
told AS (
    INSERT INTO loyalty_tiernotice (customer_id, kind, tier_id, key, at)
    SELECT m.customer_id, CASE WHEN d.goal > d.rank THEN 'rose' ELSE 'fell' END,
        CASE WHEN d.goal > d.rank THEN m.after_id ELSE m.before_id END, 'move:' || m.id, %(at)s
    FROM moved m JOIN decided d ON d.customer_id = m.customer_id
    WHERE d.goal <= d.rank OR (%(thresholds)s::bigint[])[d.goal] > 0
)
SELECT (SELECT count(*) FROM written), count(*) FILTER (WHERE d.goal > d.rank), count(*) FILTER (WHERE d.goal <= d.rank)
FROM moved m JOIN decided d ON d.customer_id = m.customer_id"""

# Whose tier ends within some days, and who has not earned it again so far.
ENDING: Final = (
    "SELECT customer_id FROM loyalty_standing WHERE until BETWEEN %(today)s AND %(soon)s AND set_by <> 'lowered'"
)
TELL: Final = """,
kept AS (
    SELECT stood.customer_id, stood.tier_id, stood.rank, stood.until, greatest(coalesce(now.value, 0), 0) AS value
    FROM stood
    CROSS JOIN LATERAL (SELECT {first} AS first, stood.ends_on AS last) span
    LEFT JOIN LATERAL (SELECT sum(f.amount) AS value FROM ({facts}) f) now ON true
    WHERE stood.rank > 0 AND NOT EXISTS (
        SELECT FROM loyalty_tiernotice n WHERE n.customer_id = stood.customer_id AND n.key = 'ending:' || stood.until
    )
)
INSERT INTO loyalty_tiernotice (customer_id, kind, tier_id, key, at, until)
SELECT customer_id, 'ending', tier_id, 'ending:' || until, %(at)s, until FROM kept
WHERE value < (%(thresholds)s::bigint[])[rank] ON CONFLICT DO NOTHING"""


@dataclass(frozen=True, slots=True)
class Moved:
    """How many standings were written, and how many of them rose or fell."""

    written: int = 0
    risen: int = 0
    fallen: int = 0

    def __add__(self, other: "Moved") -> "Moved":
        return Moved(self.written + other.written, self.risen + other.risen, self.fallen + other.fallen)


class NotATier(Exception):
    """The tier is not in use, or the day is over."""


def settle(*, customer_ids: Sequence[int], business: Business, at: datetime) -> Moved:
    """Raise those who have reached a tier, and write what time has decided about them. Call it after points or orders
    of these customers were written, in the same transaction or later.
    """
    return write(asked=tier_values.THESE, business=business, at=at, customers=sorted(set(customer_ids)))


def expire(*, business: Business, at: datetime) -> Moved:
    """Midnight, after points became active: tiers whose last day is over are kept, lowered or lost."""
    return write(asked=tier_values.EXPIRED, business=business, at=at)


def begin_periods(*, business: Business, at: datetime) -> Moved:
    """Midnight, after `expire`: who has earned the tier in the period that ended keeps it for the next one."""
    return write(asked=tier_values.CLOSED, business=business, at=at)


def follow(*, business: Business, at: datetime) -> Moved:
    """Settle those whose orders changed since the last time; the first time, everybody. Call it after crediting.

    The cursor moves when all are done: what a crash leaves is looked at again.
    """
    if not tier_values.in_use():
        return Moved()
    with transaction.atomic():
        since, until = feed.position(REACTION), feed.horizon()
    moved = Moved()
    for part, told in _chunks(since, until):
        moved += write(asked=part, business=business, at=at, **told)
    with transaction.atomic():
        if feed.position(REACTION) == since:
            feed.advance(REACTION, until)
    return moved


def _chunks(since: int, until: int) -> Iterator[tuple[str, dict[str, Any]]]:
    if not since:
        yield from ((tier_values.RANGE, told) for told in ranges())
        return
    ids = feed.pending(Change.Kind.CUSTOMER_ORDERS, since=since, until=until)
    for first in range(0, len(ids), AT_ONCE):
        yield tier_values.THESE, {"customers": ids[first : first + AT_ONCE]}


def ranges() -> Iterator[dict[str, int]]:
    """All customers, some at a time."""
    last = Customer.objects.aggregate(last=Max("pk"))["last"] or 0
    for low in range(1, last + 1, AT_ONCE):
        yield {"low": low, "high": low + AT_ONCE}


@transaction.atomic
def write(
    *,
    asked: str,
    business: Business,
    at: datetime,
    decide: str = tier_values.BY_TIME,
    **more: Any,
) -> Moved:
    """Decide for `asked` (a part of tier_values) and write what is new. Without tiers there is nothing to decide."""
    of = tier_values.scheme()
    if not of.ids and decide == tier_values.BY_TIME:
        return Moved()
    told = tier_values.params(of, business=business, at=at, **more)
    period_end = tier_values.PERIOD_END[of.window].format(day="begun")
    with connection.cursor() as cursor:
        cursor.execute(LOCK.format(asked=asked), told)
        cursor.execute(tier_values.judge(of, asked=asked, decide=decide) + WRITE.format(period_end=period_end), told)
        return Moved(*cursor.fetchone())


@transaction.atomic
def tell_ending(*, business: Business, at: datetime) -> int:
    """Note who is about to lose a tier, each once for each end; returns how many were noted."""
    of = tier_values.scheme()
    if not of.ids:
        return 0
    told = tier_values.params(of, business=business, at=at)
    first = tier_values.FIRST[of.window].format(day="stood.ends_on")
    facts = tier_values.FACTS[of.qualify_by].format("span")  # type: ignore[index]
    stood = tier_values.STOOD.format(asked=ENDING)
    with connection.cursor() as cursor:
        cursor.execute(
            stood + TELL.format(first=first, facts=facts), {**told, "soon": told["today"] + timedelta(days=NOTICE_DAYS)}
        )
        return int(cursor.rowcount)


@transaction.atomic
def set_by_hand(
    *, customer_id: int, tier: Tier, until: date, note: str, by: User, business: Business, at: datetime
) -> Standing:
    """Give a customer a tier until a day, whatever the rules say. Raises NotATier.

    Whoever is raised can still rise by earning more; whoever is lowered stays there until the end.
    """
    customer_id = people_lock.writing_about(customer_id)
    today = at.astimezone(business.zone).date()
    if tier.retired_at is not None or until < today or not note.strip():
        raise NotATier
    Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    settle(customer_ids=[customer_id], business=business, at=at)
    row = Standing.objects.select_related("tier").select_for_update(of=("self",)).filter(pk=customer_id).first()
    before = row.tier if row else None
    set_by = Standing.SetBy.RAISED if before is None or tier.rank >= before.rank else Standing.SetBy.LOWERED
    value = row.value if row else 0
    since = row.since if row and before == tier else at
    told = {"tier": tier, "since": since, "ends_on": until, "until": until, "value": value, "set_by": set_by}
    standing, _ = Standing.objects.update_or_create(customer_id=customer_id, defaults=told)
    if before != tier:
        _note_hand(customer_id=customer_id, before=before, after=tier, value=value, note=note.strip(), by=by, at=at)
    return standing


def _note_hand(
    *, customer_id: int, before: Tier | None, after: Tier, value: int, note: str, by: User | None, at: datetime
) -> None:
    move = Move.objects.create(
        customer_id=customer_id, before=before, after=after, at=at, reason="hand", value=value, note=note, by=by
    )
    rises = before is None or after.rank > before.rank
    TierNotice.objects.create(
        customer_id=customer_id,
        kind=TierNotice.Kind.ROSE if rises else TierNotice.Kind.FELL,
        tier=after if before is None or rises else before,
        key=f"move:{move.pk}",
        at=at,
    )


@transaction.atomic
def join(*, into: int, other: int, note: str, by: User | None, business: Business, at: datetime) -> None:
    """Two customers are one person: she keeps the higher of their tiers, and rises to what both reach together.

    Call it after their points and orders are one customer's. A tier that was lowered by hand stays lowered.
    """
    rows = Standing.objects.select_related("tier").select_for_update(of=("self",)).filter(pk__in=[into, other])
    found = {row.customer_id: row for row in rows.order_by("pk")}
    own, theirs = found.get(into), found.get(other)
    if theirs is not None:
        theirs.delete()
        if theirs.tier is not None:
            Move.objects.create(customer_id=other, before=theirs.tier, at=at, reason="hand", value=0, note=note, by=by)
            _take_over(theirs, own, customer_id=into, note=note, by=by, at=at)
    settle(customer_ids=[into], business=business, at=at)


def _take_over(
    theirs: Standing, own: Standing | None, *, customer_id: int, note: str, by: User | None, at: datetime
) -> None:
    """Nothing where her own tier is as good, or lowered by hand."""
    before = own.tier if own else None
    if own is not None and (own.set_by == Standing.SetBy.LOWERED or _strength(own) >= _strength(theirs)):
        return
    since = own.since if own and before == theirs.tier else at
    told = {name: getattr(theirs, name) for name in ("tier", "ends_on", "until", "value", "set_by")}
    Standing.objects.update_or_create(customer_id=customer_id, defaults={**told, "since": since})
    if theirs.tier is not None and before != theirs.tier:
        _note_hand(
            customer_id=customer_id, before=before, after=theirs.tier, value=theirs.value, note=note, by=by, at=at
        )


def _strength(row: Standing) -> tuple[int, date]:
    return (-1 if row.tier is None else row.tier.rank), row.until or date.max


def mark_seen(*, customer_id: int, at: datetime) -> int:
    """The customer has seen what there was to tell; returns how many notices."""
    return TierNotice.objects.filter(customer_id=customer_id, seen_at=None).update(seen_at=at)
