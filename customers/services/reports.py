"""What an import did, counted over the staged documents and the facts they stand for."""

from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from django.db import connection

KEYS: Final = (
    *("read", "imported", "rejected", "customers_created", "orders_created", "orders_updated", "orders_unchanged"),
    *("refund_lines", "guest_orders", "net_cents"),
)
CONTRACT_KEYS: Final = ("contracts_created", "contracts_updated", "contracts_unchanged")


class Rejected(NamedTuple):
    """A row that the merge refused: its line in the file, the field, the value and what was expected."""

    line: int
    field: str
    value: str
    reason: str


@dataclass(kw_only=True)
class Report:
    """Counts of one import. `read` = `imported` + `rejected`, in rows of the files.

    Counts without a verb (`refund_lines`, `guest_orders`, `unmatched_returns`, `net_cents`) are over the imported rows,
    whether or not they changed anything; `net_cents` is orders less refunds less unmatched returns.
    """

    read: int = 0
    imported: int = 0
    rejected: int = 0
    customers_created: int = 0
    customers_updated: int = 0
    customers_unchanged: int = 0
    orders_created: int = 0
    orders_updated: int = 0
    orders_unchanged: int = 0
    refund_lines: int = 0
    unmatched_returns: int = 0
    guest_orders: int = 0
    net_cents: int = 0
    contracts_created: int = 0
    contracts_updated: int = 0
    contracts_unchanged: int = 0
    rejects: list[Rejected] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The keys that programs may rely on; those of contracts where there were any."""
        contracts = {key: getattr(self, key) for key in CONTRACT_KEYS}
        return {key: getattr(self, key) for key in KEYS} | (contracts if any(contracts.values()) else {})


DOCUMENTS: Final = """
SELECT coalesce(sum(file_rows) FILTER (WHERE problem IS NULL), 0)::bigint,
    coalesce(sum(file_rows) FILTER (WHERE problem IS NOT NULL), 0)::bigint,
    count(*) FILTER (WHERE NOT is_return AND outcome = 'created'),
    count(*) FILTER (WHERE NOT is_return AND outcome = 'updated'),
    count(*) FILTER (WHERE NOT is_return AND outcome = 'unchanged'),
    count(*) FILTER (WHERE NOT is_return AND problem IS NULL AND customer_id IS NULL)
FROM document"""

NET: Final = """
WITH taken AS (SELECT key FROM document WHERE is_return AND problem IS NULL), refund AS (
    SELECT r.id, r.net_cents FROM customers_refund r JOIN taken ON taken.key = r.external_id
    JOIN customers_order o ON o.id = r.order_id WHERE o.source = %(source)s AND r.content IS NOT NULL
), unmatched AS (
    SELECT u.net_cents FROM customers_unmatchedreturn u JOIN taken ON taken.key = u.external_id
    WHERE u.source = %(source)s
)
SELECT (SELECT count(*) FROM customers_refundline l JOIN refund ON refund.id = l.refund_id),
    (SELECT count(*) FROM unmatched),
    (SELECT coalesce(sum(o.net_cents), 0) FROM customers_order o JOIN document d ON d.order_id = o.id
        WHERE d.problem IS NULL AND NOT d.is_return)
    - (SELECT coalesce(sum(net_cents), 0) FROM refund) - (SELECT coalesce(sum(net_cents), 0) FROM unmatched)"""

CUSTOMERS: Final = """
SELECT count(*) FROM customers_importedrow WHERE batch_id = %(batch)s AND "table" = 'customer' AND created"""

REJECTED: Final = """
SELECT s.line, d.field, d.value, d.problem FROM staged s
JOIN document d ON d.key = s.document AND d.is_return = s.is_return WHERE d.problem IS NOT NULL AND NOT s.is_extra
ORDER BY s.line"""


def count_documents(report: Report, *, batch_id: int, source: str) -> None:
    """Add what became of the staged documents. `customers_created` is the batch's so far."""
    with connection.cursor() as cursor:
        cursor.execute(DOCUMENTS)
        imported, rejected, created, updated, unchanged, guests = cursor.fetchone()
        cursor.execute(NET, {"source": source})
        refund_lines, unmatched, net = cursor.fetchone()
        cursor.execute(CUSTOMERS, {"batch": batch_id})
        (report.customers_created,) = cursor.fetchone()
    report.imported += imported
    report.rejected += rejected
    report.orders_created += created
    report.orders_updated += updated
    report.orders_unchanged += unchanged
    report.guest_orders += guests
    report.refund_lines += refund_lines
    report.unmatched_returns += unmatched
    report.net_cents += int(net)


def rejected_rows() -> list[Rejected]:
    with connection.cursor() as cursor:
        cursor.execute(REJECTED)
        return [Rejected(*row) for row in cursor.fetchall()]
