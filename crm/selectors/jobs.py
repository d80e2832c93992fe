"""What works and what worked: nights, imports and jobs without a night."""

from dataclasses import dataclass
from typing import Final

from core.models import Job, Run
from crm.selectors import nights
from customers.models import ImportBatch

SHOWN: Final = 10


@dataclass(frozen=True, kw_only=True)
class Board:
    nights: list[Run]
    imports: list[ImportBatch]
    others: list[Job]  # jobs without a night


def board() -> Board:
    return Board(
        nights=list(nights.recent()),
        imports=list(ImportBatch.objects.order_by("-started_at", "-pk")[:SHOWN]),
        others=list(Job.objects.filter(run=None).order_by("-pk")[:SHOWN]),
    )
