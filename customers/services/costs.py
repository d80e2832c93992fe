"""What was spent on single customers: messages, rewards, cases. Told once, under a key of the teller's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from django.db import connection, transaction

from core import feed
from core.models import Change
from customers.models import Cost
from customers.services import people_lock, spend

# In the order of keys, so that two who tell the same costs wait for each other instead of locking each other out.
INSERT: Final = """
INSERT INTO customers_cost (source, external_id, customer_id, spent_on, kind, quantity, unit_cents, created_at)
SELECT source, external_id, customer_id, spent_on, kind, quantity, unit_cents, statement_timestamp()
FROM unnest(%(source)s::text[], %(external_id)s::text[], %(customer_id)s::bigint[], %(spent_on)s::date[],
    %(kind)s::text[], %(quantity)s::numeric[], %(unit_cents)s::numeric[])
    AS told (source, external_id, customer_id, spent_on, kind, quantity, unit_cents)
ORDER BY source, external_id
ON CONFLICT (source, external_id) DO NOTHING
RETURNING source, external_id, customer_id
"""

MOST_CENTS: Final = 10**12  # of one cost: more is a slip, and sums have to fit

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """`unit_cents` None: what one of the kind costs now. A quantity below zero takes an earlier cost back."""

    source: str
    external_id: str
    customer_id: int
    spent_on: date
    kind: str
    quantity: Decimal = Decimal(1)
    unit_cents: Decimal | None = None

    @property
    def key(self) -> Key:
        return self.source, self.external_id

    def says_as(self, row: Cost) -> bool:
        """Whether the row is what was told; a unit cost that was not told is as it was on that day."""
        said = (
            self.customer_id,
            self.spent_on,
            self.kind,
            self.quantity,
            row.unit_cents if self.unit_cents is None else self.unit_cents,
        )
        return said == (row.customer_id, row.spent_on, row.kind, row.quantity, row.unit_cents)


class ToldOtherwise(Exception):
    """These keys stand for other costs already; nothing was written."""

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__(", ".join(":".join(key) for key in keys))
        self.keys = keys


class TooMuch(Exception):
    """A cost is larger than any can be; nothing was written. `key` is the first."""

    def __init__(self, key: Key) -> None:
        super().__init__(":".join(key))
        self.key = key


@transaction.atomic
def record(*, costs: Sequence[Spent]) -> int:
    """Write the costs that are not there yet, all or none; returns how many. Raises ToldOtherwise and TooMuch."""
    stands = people_lock.writing_about_all(cost.customer_id for cost in costs)
    costs = [replace(cost, customer_id=stands[cost.customer_id]) for cost in costs]
    told = {cost.key: cost for cost in costs}
    if len(told) < len(costs):
        raise ValueError("A cost stands twice among them.")
    now = spend.unit_costs()
    with connection.cursor() as cursor:
        cursor.execute(INSERT, _columns(costs, now))
        written = cursor.fetchall()
    _refuse_others(told, {(source, external_id) for source, external_id, _ in written})
    feed.record(Change.Kind.CUSTOMER_COSTS, [customer_id for _, _, customer_id in written])
    return len(written)


def _columns(costs: Sequence[Spent], now: Mapping[str, Decimal]) -> dict[str, list[object]]:
    names = ("source", "external_id", "customer_id", "spent_on", "kind", "quantity")
    columns: dict[str, list[object]] = {name: [getattr(cost, name) for cost in costs] for name in names}
    units = [now[cost.kind] if cost.unit_cents is None else cost.unit_cents for cost in costs]
    for cost, unit in zip(costs, units, strict=True):
        if abs(cost.quantity * unit) > MOST_CENTS:
            raise TooMuch(cost.key)
    return columns | {"unit_cents": list(units)}


def _refuse_others(told: Mapping[Key, Spent], written: set[Key]) -> None:
    """What was there already has to say the same."""
    known = [cost for key, cost in told.items() if key not in written]
    rows = Cost.objects.filter(
        source__in={cost.source for cost in known}, external_id__in={cost.external_id for cost in known}
    )
    by_key = {(row.source, row.external_id): row for row in rows}
    if others := [cost.key for cost in known if not cost.says_as(by_key[cost.key])]:
        raise ToldOtherwise(others)
