"""Costs of single customers from a file: all of its rows or none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from django.db import transaction

from customers.importing.problems import Reject
from customers.importing.rows import CostRow
from customers.importing.whole import SHOWN, BadRows
from customers.models import Identity
from customers.services import costs
from customers.services.costs import Spent

BATCH: Final = 5_000


@transaction.atomic
def record(*, path: Path, rows: Sequence[CostRow], source: str, customers_of: str) -> int:
    """Write the costs that are not there yet; returns how many.

    `source` tells them, `customers_of` is the source of the customers' ids. Raises BadRows for ids of nobody and ids
    that stand twice, and costs.ToldOtherwise and costs.TooMuch.
    """
    known = _known({row.customer for row in rows}, customers_of)
    _refuse(path, rows, known, customers_of)
    told = [
        Spent(
            source=source,
            external_id=row.external_id,
            customer_id=known[row.customer],
            spent_on=row.day,
            kind=row.kind,
            quantity=row.quantity,
            unit_cents=row.unit_cents,
        )
        for row in rows
    ]
    return sum(costs.record(costs=told[place : place + BATCH]) for place in range(0, len(told), BATCH))


def _known(external_ids: set[str], source: str) -> dict[str, int]:
    found = Identity.objects.filter(source=source, external_id__in=external_ids)
    return dict(found.values_list("external_id", "customer_id"))


def _refuse(path: Path, rows: Sequence[CostRow], known: dict[str, int], source: str) -> None:
    rejects, seen = list[Reject](), set[str]()
    for row in rows:
        if row.customer not in known:
            rejects.append(_reject(path, row, "customer_id", row.customer, f"is no customer of the source “{source}”"))
        if row.external_id in seen:
            rejects.append(_reject(path, row, "id", row.external_id, "stands in the file before"))
        seen.add(row.external_id)
    if rejects:
        raise BadRows(rejects[:SHOWN], len(rejects))


def _reject(path: Path, row: CostRow, field: str, value: str, reason: str) -> Reject:
    return Reject(path.name, row.line, field, value, reason, [])
