"""The file of what single customers cost: messages, rewards, cases. Each row has an id, so that it is told once."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from customers.importing import whole
from customers.importing.presets import Preset
from customers.importing.reading import Habits
from customers.importing.record import Record
from customers.importing.rows import CostRow

KINDS: Final = ("email", "sms", "reward", "case", "other")  # customers.models.CostKind, less what orders tell
LARGEST: Final = Decimal(10**10)
PLACES: Final = Decimal("0.0001")  # of a minor unit


def parse(records: Sequence[Record]) -> list[CostRow]:
    """Raises ValueProblem for what cannot be used."""
    (record,) = records
    quantity = record.quantity("quantity")
    return [
        CostRow(
            line=record.line,
            external_id=_told(record, "id"),
            customer=_told(record, "customer_id"),
            day=record.moment("date").day,
            kind=_kind(record),
            quantity=Decimal(1) if quantity is None else quantity,
            unit_cents=_unit_cents(record),
        )
    ]


def _told(record: Record, field: str) -> str:
    text = record.key(field)
    if not text:
        raise record.problem(field, f"no {field}")
    return text


def _kind(record: Record) -> str:
    kind = record.text("kind").lower()
    if kind not in KINDS:
        raise record.problem("kind", f"is no kind of cost; expected {', '.join(KINDS)}")
    return kind


def _unit_cents(record: Record) -> Decimal | None:
    amount = record.number("unit_cost")
    if amount is None:
        return None
    cents = amount.scaleb(record.reader.exponent).quantize(PLACES)
    if not 0 <= cents < LARGEST:
        raise record.problem("unit_cost", "is not within zero and 100,000,000")
    return cents


COSTS: Final = Preset(
    name="costs",
    aliases={
        "id": ("id", "external_id", "cost_id", "message_id"),
        "customer_id": ("customer_id", "customer", "user_id"),
        "date": ("date", "day", "spent_on", "sent_at", "created_at"),
        "kind": ("kind", "type", "channel"),
        "quantity": ("quantity", "count", "qty"),
        "unit_cost": ("unit_cost", "cost", "price"),
    },
    required=(("id",), ("customer_id",), ("date",), ("kind",)),
    parse=parse,
    dates=("date",),
    numbers=("quantity", "unit_cost"),
)


def read(path: Path, *, habits: Habits) -> list[CostRow]:
    """Raises FileProblem and whole.BadRows."""
    return whole.read(path, preset=COSTS, habits=habits)[1]
