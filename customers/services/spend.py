"""What was paid to win customers, by channel and month, and what a unit of serving them costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from django.db import connection, transaction

from core import feed
from core.models import Change
from customers.models import AcquisitionCost, CostKind, UnitCost

LOCK: Final = 7_100_501  # a number of our own for PostgreSQL's advisory locks
EPOCH: Final = date(1970, 1, 1)

Cell = tuple[str, date]  # a channel, "" where it is not known, and the first day of a month


@dataclass(frozen=True, kw_only=True, slots=True)
class Spend:
    """`note` None: what stands there stays."""

    amount_cents: int
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """How many cells of a file or a form were new, other than before, or as before."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


def wait_for_turn() -> None:
    """Let one transaction at a time read the costs and then write them: new cells have no row to lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


@transaction.atomic
def write(*, cells: Mapping[Cell, Spend | None]) -> Written:
    """Bring these cells to what is told; None takes a cell away. Only differences are written."""
    wait_for_turn()
    known = {(row.channel, row.month): row for row in AcquisitionCost.objects.all()}
    gone = [known[cell].pk for cell, told in cells.items() if told is None and cell in known]
    told = {cell: spend for cell, spend in cells.items() if spend is not None}
    new = [_row(cell, spend) for cell, spend in told.items() if cell not in known]
    changed = [known[cell] for cell, spend in told.items() if cell in known and _change(known[cell], spend)]
    AcquisitionCost.objects.filter(pk__in=gone).delete()
    AcquisitionCost.objects.bulk_create(new)
    AcquisitionCost.objects.bulk_update(changed, ["amount_cents", "note"])
    touched = [row.month for row in (*new, *changed)] + [cell[1] for cell, spend in cells.items() if spend is None]
    if gone or new or changed:
        feed.record(Change.Kind.ACQUISITION, [(month - EPOCH).days for month in touched])
    updated = len(gone) + len(changed)
    return Written(created=len(new), updated=updated, unchanged=len(cells) - len(new) - updated)


def _row(cell: Cell, spend: Spend) -> AcquisitionCost:
    channel, month = cell
    return AcquisitionCost(channel=channel, month=month, amount_cents=spend.amount_cents, note=spend.note or "")


def _change(row: AcquisitionCost, spend: Spend) -> bool:
    """Take over what is told; whether anything differed."""
    before = (row.amount_cents, row.note)
    row.amount_cents = spend.amount_cents
    row.note = row.note if spend.note is None else spend.note
    return before != (row.amount_cents, row.note)


def unit_costs() -> dict[str, Decimal]:
    """What one of each kind costs, in minor units; 0 where nobody has said."""
    told = dict(UnitCost.objects.values_list("kind", "unit_cents"))
    return {kind: told.get(kind, Decimal(0)) for kind in CostKind.values}


@transaction.atomic
def set_unit_costs(*, unit_cents: Mapping[str, Decimal]) -> None:
    """Costs told so far keep the unit cost of their day; orders and returns are counted anew by the next night."""
    wait_for_turn()
    before = unit_costs()
    for kind, cents in unit_cents.items():
        if before[kind] != cents:
            UnitCost.objects.update_or_create(kind=kind, defaults={"unit_cents": cents})
