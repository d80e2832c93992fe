"""Writing many orders or people at once: staged by COPY, merged by set in bounded transactions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from customers.importing.rows import OrderRow, PersonRow


@dataclass(kw_only=True)
class Report:
    """Counts of one import. `read` = `imported` + `rejected`, in rows; `net_cents` is over the imported rows."""

    read: int = 0
    imported: int = 0
    rejected: int = 0
    customers_created: int = 0
    orders_created: int = 0
    orders_updated: int = 0
    orders_unchanged: int = 0
    refund_lines: int = 0
    guest_orders: int = 0
    net_cents: int = 0


def load(*, rows: Iterable[OrderRow], source: str, at: datetime) -> Report:
    """Write orders and returns; the same rows again change nothing. Opens its own transactions."""
    raise NotImplementedError


def load_people(*, rows: Iterable[PersonRow], source: str, at: datetime) -> Report:
    """Write people by (source, customer); the same rows again change nothing. Opens its own transactions."""
    raise NotImplementedError
