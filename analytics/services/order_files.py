"""The order log from files, read as an import reads them and without a database.

The rules are those of customers.services.staging, merging and returns: rows of one document are one order, a document
of two customers is refused, the same document in a later file replaces it, returns are matched to the latest earlier
line. Guests are left out. A margin is the shop's usual share, because a report card judges orders and spend.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from analytics.clv import cells, order_log
from analytics.clv.cells import Kind
from analytics.clv.order_log import NO_ORDER_DAY, OrderLog
from core import money
from customers.importing import generic, matching, presets, reading
from customers.importing.matching import Back, Sold
from customers.importing.presets import Preset
from customers.importing.problems import FileProblem, Reject
from customers.importing.reading import Habits, Plan
from customers.importing.record import Record
from customers.importing.rows import OrderRow, key_of
from customers.importing.tables import open_table

MARGIN_RATE: Final = Decimal("0.4")
EPOCH: Final = date(1970, 1, 1).toordinal()
MONEY: Final = frozenset({"amount", "unit_price", "price", "line_total", "net_sales", "UnitPrice"})
SURVEYED: Final = 1_000  # rows that show a file's currency

Refuse = Callable[[Reject], Any]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Which files to read, and how. Without a currency it is what the files name most often, else USD."""

    paths: Sequence[Path]
    preset: Preset[OrderRow]
    mapping: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    currency: str = ""
    day_first: bool | None = None


@dataclass(kw_only=True)
class FileLog:
    """What the files told, and the ids of the customers by their codes."""

    log: OrderLog
    ids: list[str]
    rows: int = 0
    rejected: int = 0
    guest_rows: int = 0


class _Line(NamedTuple):
    number: int
    sku: str
    quantity: Decimal
    net_cents: int
    counts: bool
    is_goods: bool
    of_order: str
    category: str


@dataclass(slots=True)
class _Document:
    """An order or a return, of one or more rows."""

    key: str
    line: int
    at: datetime
    day: date
    date_only: bool
    channel: str
    customers: set[str] = field(default_factory=set)
    statuses: set[str] = field(default_factory=set)
    lines: list[_Line] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Of one known customer, with one status."""
        return len(self.customers) == 1 and len(self.statuses) == 1

    @property
    def customer(self) -> str:
        return next(iter(self.customers))


Documents = dict[tuple[bool, str], _Document]  # by whether it is a return, and its key


class _Fact(NamedTuple):
    customer: str
    order_day: int
    seen_on: int
    orders: int
    value: int


def read(*, source: Source, refuse: Refuse = lambda reject: None) -> FileLog:
    """Read the files, the earlier first. Raises FileProblem for one that cannot be used, and for an unknown zone."""
    plans = [_plan(path, source) for path in source.paths]
    found = FileLog(log=_log([], {}, 0), ids=[])
    documents: Documents = {}
    for plan in plans:
        documents |= _documents(_rows(plan, found, refuse), found)
    sound = {key: document for key, document in documents.items() if document.is_sound}
    found.rejected += sum(len(document.lines) for key, document in documents.items() if _is_mixed(document))
    exponent = money.exponent(plans[0].habits.currency)
    facts = list(_facts(sound, exponent))
    found.ids = sorted({fact.customer for fact in facts})
    log = _log(facts, {customer: code for code, customer in enumerate(found.ids)}, exponent)
    found.log = replace(log, cell=_cells(sound, found.ids))
    return found


def _cells(documents: Documents, ids: Sequence[str]) -> NDArray[np.int16]:
    """Of the customers, by channel and category of their first paid order, where the files have them."""
    first: dict[str, _Document] = {}
    for (is_return, _), document in documents.items():
        if not is_return and document.statuses == {"paid"}:
            earliest = first.setdefault(document.customer, document)
            first[document.customer] = min(earliest, document, key=lambda one: (one.day, one.at, one.line))
    openings = [(first[one].channel, _category(first[one])) if one in first else ("", "") for one in ids]
    numbers = {name: number for number, name in enumerate(sorted({"", *(category for _, category in openings)}))}
    kinds = [Kind(channel, numbers[category]) for channel, category in openings]
    return cells.number(kinds, cells.choose(Counter(kinds), fewest=cells.FEWEST))


def _category(document: _Document) -> str:
    """The one that most of the money went to; of equal ones the first in the alphabet."""
    sums: Counter[str] = Counter()
    for line in document.lines:
        if line.counts and line.category:
            sums[line.category] += line.net_cents
    return min(sums, key=lambda name: (-sums[name], name), default="")


def _is_mixed(document: _Document) -> bool:
    return len(document.customers) > 1 or len(document.statuses) > 1


def _plan(path: Path, source: Source) -> Plan[OrderRow]:
    preset = source.preset
    if preset is presets.GENERIC:
        preset = replace(preset, required=[group for group in preset.required if "amount" not in group])
    habits = Habits(zone=_zone(source.zone), currency="USD", exponent=2, day_first=source.day_first)
    plan = reading.plan(path, preset=preset, mapping=source.mapping, habits=habits)
    if preset.name == presets.GENERIC.name and not MONEY & plan.positions.keys():
        plan = replace(plan, preset=replace(preset, parse=_parse_without_money))
    currency = source.currency or _currency(plan)
    return replace(plan, habits=replace(plan.habits, currency=currency, exponent=money.exponent(currency)))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise FileProblem(f"There is no time zone “{name}”; one is Europe/London.") from None


def _parse_without_money(records: Sequence[Record]) -> list[OrderRow]:
    record = records[0]
    positions = {**record.positions, "amount": len(record.cells)}
    return [generic.parse(replace(record, cells=[*record.cells, "0"], positions=positions))]


def _currency(plan: Plan[OrderRow]) -> str:
    """The currency that the first rows name most often."""
    place = plan.positions.get("currency")
    if place is None:
        return "USD"
    counts: dict[str, int] = defaultdict(int)
    with open_table(plan.path) as table:
        for _, row in zip(range(SURVEYED), table.rows, strict=False):
            if not row.problem and row.cells[place].strip():
                counts[row.cells[place].strip().upper()] += 1
    return max(counts, key=lambda name: counts[name], default="USD")


def _rows(plan: Plan[OrderRow], found: FileLog, refuse: Refuse) -> Iterator[OrderRow]:
    def count() -> None:
        found.rows += 1

    def refused(reject: Reject) -> None:
        found.rejected += 1
        refuse(reject)

    return reading.rows(plan, refuse=refused, note=lambda *remark: None, count=count)


def _documents(rows: Iterable[OrderRow], found: FileLog) -> Documents:
    documents: Documents = {}
    for row in rows:
        if not row.document and not row.customer:
            found.guest_rows += 1
            continue
        key = row.is_return, key_of(row)[0]
        document = documents.get(key)
        if document is None:
            document = documents[key] = _Document(key[1], row.line, row.at, row.day, row.date_only, row.channel)
        _add(document, row)
    found.guest_rows += sum(len(document.lines) for document in documents.values() if not document.customers)
    return documents


def _add(document: _Document, row: OrderRow) -> None:
    document.at, document.day = min(document.at, row.at), min(document.day, row.day)
    document.date_only = document.date_only and row.date_only
    if row.customer:
        document.customers.add(row.customer)
    document.statuses.add(row.status)
    is_goods = row.kind == "goods"
    line = _Line(row.line, row.sku, row.quantity, row.net_cents, row.counts, is_goods, row.of_order, row.category)
    document.lines.append(line)


def _facts(documents: Documents, exponent: int) -> Iterator[_Fact]:
    """What orders and returns add to the log."""
    orders = {key: document for (is_return, key), document in documents.items() if not is_return}
    returns = [document for (is_return, _), document in documents.items() if is_return]
    for order in orders.values():
        if order.statuses == {"paid"}:
            value = sum(line.net_cents for line in order.lines if line.counts)
            yield _Fact(order.customer, _number(order.day), _number(order.day), 1, value)
    yield from _returned(orders, returns, exponent)


def _returned(orders: Mapping[str, _Document], returns: list[_Document], exponent: int) -> Iterator[_Fact]:
    sold = _sold(orders, {(document.customer, line.sku) for document in returns for line in document.lines})
    back: dict[int, date] = {}  # the last day on which something of an order line came back
    for document in sorted(returns, key=lambda document: (document.at, document.line)):
        for line in sorted(document.lines):
            yield from _match(document, line, sold, orders, back, exponent)
    yield from _came_back_whole(orders, sold, back)


Lines = Mapping[tuple[str, str], Sequence[Sold]]


def _match(
    document: _Document,
    line: _Line,
    sold: Lines,
    orders: Mapping[str, _Document],
    back: dict[int, date],
    exponent: int,
) -> Iterator[_Fact]:
    """One returned line: its money goes back to the days of the orders that it is found in, the rest to none."""
    returned = Back(document.at, document.day, document.date_only, line.quantity, line.net_cents, line.of_order)
    customer, seen = document.customer, _number(document.day)
    match = matching.match(returned, sold.get((customer, line.sku), ()), exponent=exponent)
    for part in match.parts:
        back[part.line.line_id] = document.day
        order = orders[part.line.document]
        if order.statuses == {"paid"} and order.lines[part.line.position].counts:
            day = _number(order.day)
            yield _Fact(customer, day, max(seen, day), 0, -part.net_cents)
    if match.reason and line.counts:
        yield _Fact(customer, NO_ORDER_DAY, seen, 0, -match.net_cents)


def _sold(orders: Mapping[str, _Document], wanted: set[tuple[str, str]]) -> Lines:
    """The order lines that something may have come back of."""
    sold: dict[tuple[str, str], list[Sold]] = defaultdict(list)
    number = 0
    for key, order in orders.items():
        for position, line in enumerate(order.lines):
            number += 1
            pair = order.customer, line.sku
            if pair in wanted and order.statuses != {"cancelled"} and line.net_cents >= 0:
                amounts: dict[str, Any] = {"quantity": line.quantity, "net_cents": line.net_cents, "margin_cents": 0}
                place: dict[str, Any] = {"line_id": number, "order_id": 0, "document": key, "position": position}
                none: dict[str, Any] = {"unit_cost": None, "refunded_quantity": Decimal(0), "refunded_cents": 0}
                when: dict[str, Any] = {"at": order.at, "day": order.day, "date_only": order.date_only}
                sold[pair].append(Sold(**place, **when, **amounts, **none))
    return sold


def _came_back_whole(orders: Mapping[str, _Document], sold: Lines, back: Mapping[int, date]) -> Iterator[_Fact]:
    """The orders whose goods all came back, and when the last of them did; without goods, all that counts."""
    touched: dict[str, dict[int, Sold]] = defaultdict(dict)
    for lines in sold.values():
        for line in lines:
            if line.line_id in back:
                touched[line.document][line.position] = line
    for key, returned in touched.items():
        order = orders[key]
        judged = [n for n, line in enumerate(order.lines) if line.counts and line.quantity > 0]
        judged = [n for n in judged if order.lines[n].is_goods] or judged
        gone = all(n in returned and returned[n].left == 0 for n in judged)
        if order.statuses == {"paid"} and judged and gone:
            day = _number(order.day)
            seen = max(day, *(_number(back[returned[n].line_id]) for n in judged))
            yield _Fact(order.customer, day, seen, -1, 0)


def _log(facts: list[_Fact], codes: Mapping[str, int], exponent: int) -> OrderLog:
    value = [fact.value for fact in facts]
    return order_log.build(
        customer=[codes[fact.customer] for fact in facts],
        order_day=[fact.order_day for fact in facts],
        seen_on=[fact.seen_on for fact in facts],
        orders=[fact.orders for fact in facts],
        value=value,
        margin=[float(round(MARGIN_RATE * cents)) for cents in value],
        customers=len(codes),
        end=max((fact.seen_on for fact in facts), default=0),
        unit=10.0**exponent,
    )


def _number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - EPOCH
