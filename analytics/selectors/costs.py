"""Acquisition costs as a page shows them: months by channels, beside the customers who were won."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from django.db.models import Max, Min

from analytics.models import ChannelMonth
from core import edits, money
from core.models import Edit
from customers.importing.rejects import safe
from customers.models import AcquisitionCost, UnitCost
from customers.services.spend import Cell

FIRST_YEAR, LAST_YEAR = 1900, 2199
EXPORT_COLUMNS: Final = ("channel", "month", "amount", "new_customers", "cost_per_new_customer", "note")


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What was spent, None where nobody has said, and how many customers were won by the last night."""

    amount_cents: int | None
    customers: int
    note: str = ""

    @property
    def per_customer_cents(self) -> float | None:
        return self.amount_cents / self.customers if self.amount_cents is not None and self.customers else None

    @property
    def is_unassigned(self) -> bool:
        """Money that won nobody yet."""
        return bool(self.amount_cents) and not self.customers


@dataclass(frozen=True, kw_only=True, slots=True)
class Square:
    """One channel in one month, with the name of its input."""

    name: str
    channel: str
    month: date
    spent: Spent


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """A year: for each month its squares, one for each channel, and the sums."""

    year: int
    channels: Sequence[str]
    rows: Sequence[tuple[date, Sequence[Square], Spent]]
    columns: Sequence[Spent]
    whole: Spent

    @property
    def squares(self) -> Iterator[Square]:
        return (square for _, squares, _ in self.rows for square in squares)


def grid(*, year: int, also: Sequence[str] = ()) -> Grid:
    """`also` are channels that somebody wants to write into, though nothing is known of them yet."""
    channels = sorted({*known_channels(), *also}, key=lambda name: (name == "", name.casefold(), name))
    months = [date(year, number, 1) for number in range(1, 13)]
    spent = _spent(date(year, 1, 1), date(year, 12, 1))
    nothing = Spent(amount_cents=None, customers=0)
    table = [
        [
            Square(name=name(channel, month), channel=channel, month=month, spent=spent.get((channel, month), nothing))
            for channel in channels
        ]
        for month in months
    ]
    rows = [_month(squares) for squares in table]
    return Grid(
        year=year,
        channels=channels,
        rows=list(zip(months, table, rows, strict=True)),
        columns=[_sum(square.spent for square in column) for column in zip(*table, strict=True)],
        whole=_sum(rows),
    )


def name(channel: str, month: date) -> str:
    """The same input for the same square, whatever other channels come and go."""
    return f"{month:%Y-%m}-{hashlib.blake2s(channel.encode(), digest_size=6).hexdigest()}"


def known_channels() -> set[str]:
    """Those that won customers, and those with a cost of their own."""
    won = ChannelMonth.objects.filter(customers__gt=0).values_list("channel", flat=True)
    return {*won.distinct(), *AcquisitionCost.objects.values_list("channel", flat=True).distinct()}


def years(*, today: date) -> list[int]:
    """From the first year with customers or costs to this one, the latest first."""
    found = [today.year]
    for rows in (ChannelMonth.objects.all(), AcquisitionCost.objects.all()):
        found += [day.year for day in rows.aggregate(a=Min("month"), b=Max("month")).values() if day]
    return list(range(max(found), min(found) - 1, -1))


def last_words(model: type[AcquisitionCost] | type[UnitCost]) -> str:
    """Who changed any row of the table last, and when; empty where nobody is known."""
    edit = Edit.objects.filter(about=model._meta.db_table).order_by("-pk").first()
    return "" if edit is None else edits.last_words(model, edit.about_id)


def _spent(first: date, last: date) -> dict[Cell, Spent]:
    won = ChannelMonth.objects.filter(month__range=(first, last)).values_list("channel", "month", "customers")
    customers = {(channel, month): number for channel, month, number in won}
    rows = {(row.channel, row.month): row for row in AcquisitionCost.objects.filter(month__range=(first, last))}
    return {
        cell: Spent(
            amount_cents=rows[cell].amount_cents if cell in rows else None,
            customers=customers.get(cell, 0),
            note=rows[cell].note if cell in rows else "",
        )
        for cell in customers | rows
    }


def _month(squares: Sequence[Square]) -> Spent:
    """All channels together, as the acquisition cost of analytics.definitions: those without an entry cost nothing in a
    month with one.
    """
    spent = _sum(square.spent for square in squares)
    if spent.amount_cents is None:
        return spent
    return replace(spent, customers=sum(square.spent.customers for square in squares))


def _sum(parts: Iterable[Spent]) -> Spent:
    """Amounts of all, and the customers of parts with an amount, so that their ratio is a cost per customer."""
    told = [spent for spent in parts if spent.amount_cents is not None]
    if not told:
        return Spent(amount_cents=None, customers=0)
    return Spent(
        amount_cents=sum(spent.amount_cents or 0 for spent in told), customers=sum(spent.customers for spent in told)
    )


def export(*, currency: str) -> Iterator[Sequence[Any]]:
    """EXPORT_COLUMNS, then every channel and month with a cost or a new customer: the file can be imported again."""
    yield EXPORT_COLUMNS
    for (channel, month), spent in sorted(_spent(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 1)).items()):
        each = spent.per_customer_cents
        yield (
            *(safe(channel), f"{month:%Y-%m}"),
            "" if spent.amount_cents is None else money.major(spent.amount_cents, currency),
            *(spent.customers, "" if each is None else round(money.major(each, currency), 2), safe(spent.note)),
        )
