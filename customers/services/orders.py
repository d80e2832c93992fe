"""Orders as somebody says they are, one or many: the same rules as an import of a file, in one transaction.

What is said is an upsert by (source, external id) with all lines. The same content again is no change, whether it came
from a file or from here (customers.importing.rows.content stands for it).
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from django.db import IntegrityError, OperationalError, transaction
from psycopg import errors

from core import business as settings_row
from core import doorbell, money
from core.models import Business
from customers import pricing
from customers.importing.rows import OrderRow, content
from customers.models import Customer, Identity, Order
from customers.selectors import merged
from customers.services import buyers, goods, order_rows, returns
from customers.services.buyers import Buyer
from customers.services.goods import Good, Named
from customers.services.order_rows import Key, LineRow, OldLine, Written

ATTEMPTS: Final = 5
MET = (errors.UniqueViolation, errors.ForeignKeyViolation, errors.DeadlockDetected)


class RefundedLine(Exception):
    """An order cannot lose what came back already. `position` is the line's, from 1 on."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """What was bought. The product is made when it is new, and keeps its kind and category when it is known."""

    sku: str
    quantity: Decimal
    unit_price: Decimal
    discount_cents: int = 0
    unit_cost: Decimal | None = None
    name: str = ""
    category: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """An order as it is now. Without a buyer it is a guest's."""

    source: str
    external_id: str
    buyer: Buyer | None
    placed_at: datetime
    lines: Sequence[Line]
    status: str = Order.Status.PAID
    channel: str = ""
    tax_cents: int = 0
    shipping_cents: int = 0

    @property
    def key(self) -> Key:
        return self.source, self.external_id


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    order: Order
    outcome: str  # created, updated or unchanged


Outcome = Recorded | RefundedLine


class Draft(NamedTuple):
    """An order that is not written yet: its fingerprint, and the net of each line."""

    placed: Placed
    content: uuid.UUID
    nets: Sequence[int]


def record(
    *,
    source: str,
    external_id: str,
    customer: Customer | None,
    placed_at: datetime,
    lines: Sequence[Line],
    status: str = Order.Status.PAID,
    channel: str = "",
    tax_cents: int = 0,
    shipping_cents: int = 0,
) -> Recorded:
    """Write one order of a customer who is there. Raises RefundedLine."""
    placed = Placed(
        source=source,
        external_id=external_id,
        buyer=None if customer is None else _buyer_of(customer, source),
        placed_at=placed_at,
        lines=lines,
        status=status,
        channel=channel,
        tax_cents=tax_cents,
        shipping_cents=shipping_cents,
    )
    return record_one(placed=placed, business=settings_row.current())


def record_one(*, placed: Placed, business: Business) -> Recorded:
    """Write one order; its customer and products are made where they are new. Raises RefundedLine."""
    (outcome,) = record_many(orders=[placed], business=business)
    if isinstance(outcome, RefundedLine):
        raise outcome
    return outcome


def record_many(*, orders: Sequence[Placed], business: Business, all_or_nothing: bool = False) -> list[Outcome]:
    """Write orders (each key once) in one transaction, with the same few statements for any number of them.

    Returns what became of each. An order that would lose what came back is left as it is, the others are written; with
    `all_or_nothing` nothing is written when there is such an order.
    """
    if len({placed.key for placed in orders}) < len(orders):
        raise ValueError("An order stands twice among them.")
    drafts = [_draft(placed, business) for placed in orders]
    return _until_alone(lambda: _record(drafts, business, all_or_nothing=all_or_nothing))


def customer_of(*, source: str, external_id: str, name: str = "") -> Customer:
    """The customer with this identity, made when there is none."""
    buyer = Buyer(source=source, external_id=external_id, name=name)
    with transaction.atomic():
        return Customer.objects.get(pk=buyers.settle(buyers=[buyer])[buyer.key])


def _buyer_of(customer: Customer, source: str) -> Buyer:
    """How the order's source calls the customer, or else the first who knows them. Who was merged has no name left."""
    own = list(customer.identities.all()) or Identity.objects.filter(customer=merged.survivor(customer.pk))
    known = sorted(own, key=lambda identity: (identity.source != source, identity.pk))
    return Buyer(source=known[0].source, external_id=known[0].external_id)


def _until_alone(write: Callable[[], list[Outcome]]) -> list[Outcome]:
    """Start again when somebody else wrote the same order at the same time: it is known then."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return write()
        except (IntegrityError, OperationalError) as error:
            if attempt == ATTEMPTS or not isinstance(error.__cause__, MET):
                raise
    raise AssertionError("The last attempt returns or raises.")


def _draft(placed: Placed, business: Business) -> Draft:
    exponent = money.exponent(business.currency)
    nets = [
        pricing.line_net(
            quantity=line.quantity,
            unit_price=line.unit_price,
            discount_cents=line.discount_cents,
            exponent=exponent,
        )
        for line in placed.lines
    ]
    rows = [_said(placed, line, net) for line, net in zip(placed.lines, nets, strict=True)]
    fingerprint = content(rows, prices_include_tax=business.prices_include_tax)
    if business.prices_include_tax:
        nets = _without_tax(nets, placed.tax_cents)
    return Draft(placed, fingerprint, nets)


def _said(placed: Placed, line: Line, net_cents: int) -> OrderRow:
    """The line as a row of a file would say it."""
    return OrderRow(
        line=0,
        customer=_customer_text(placed),
        at=placed.placed_at,
        day=placed.placed_at.date(),
        sku=line.sku,
        net_cents=net_cents,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount_cents=line.discount_cents,
        tax_cents=placed.tax_cents,
        shipping_cents=placed.shipping_cents,
        unit_cost=line.unit_cost,
        status=placed.status,
        channel=placed.channel,
    )


def _customer_text(placed: Placed) -> str:
    """As a file has it: the id alone, because there the source is the order's."""
    if placed.buyer is None:
        return ""
    same = placed.buyer.source == placed.source
    return placed.buyer.external_id if same else "\x1f".join(placed.buyer.key)


def _without_tax(nets: Sequence[int], tax_cents: int) -> list[int]:
    """Each line's net less its share of the tax. An order that costs nothing has nothing to take it from."""
    weights = [max(net, 0) for net in nets]
    if not sum(weights):
        return list(nets)
    return [net - tax for net, tax in zip(nets, pricing.split(tax_cents, weights), strict=True)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the drafts meet: the orders that are there, and the lines of those that change; customers and products."""

    orders: Mapping[Key, Order]
    lines: Mapping[int, Mapping[int, OldLine]]
    products: Mapping[str, Good]
    customers: Mapping[Key, int]
    business: Business

    def judge(self, draft: Draft) -> Recorded | RefundedLine | Written:
        """Nothing to do, nothing that may be done, or what to write."""
        before = self.orders.get(draft.placed.key)
        if before is not None and before.content == draft.content:
            return Recorded(order=before, outcome="unchanged")
        old = {} if before is None else self.lines.get(before.pk, {})
        written = _written(draft, before, old, self)
        return _loss(written, old) or written


def _record(drafts: Sequence[Draft], business: Business, *, all_or_nothing: bool) -> list[Outcome]:
    known = _look_up(drafts, business)
    judged = [known.judge(draft) for draft in drafts]
    if all_or_nothing and any(isinstance(one, RefundedLine) for one in judged):
        transaction.set_rollback(True)
    else:
        _write([one for one in judged if isinstance(one, Written)])
    return [
        Recorded(order=one.order, outcome="updated" if one.known else "created") if isinstance(one, Written) else one
        for one in judged
    ]


def _look_up(drafts: Sequence[Draft], business: Business) -> Known:
    """Reads first; only orders that change are locked, so that the same again leaves no trace."""
    orders = order_rows.find(draft.placed.key for draft in drafts)
    products = goods.settle(
        named=[
            Named(sku=line.sku, name=line.name, category=line.category)
            for draft in drafts
            for line in draft.placed.lines
        ]
    )
    customers = buyers.settle(
        buyers=[replace(d.placed.buyer, channel=d.placed.channel) for d in drafts if d.placed.buyer]
    )
    changed = [
        draft.placed.key
        for draft in drafts
        if draft.placed.key in orders and orders[draft.placed.key].content != draft.content
    ]
    locked = order_rows.find(changed, lock=True)
    return Known(
        orders=orders | locked,
        lines=order_rows.old_lines([order.pk for order in locked.values()]),
        products=products,
        customers=customers,
        business=business,
    )


def _written(draft: Draft, before: Order | None, old: Mapping[int, OldLine], known: Known) -> Written:
    placed = draft.placed
    lines = [
        _line(position, line, net, known.products[line.sku], old.get(position), known.business)
        for position, (line, net) in enumerate(zip(placed.lines, draft.nets, strict=True), start=1)
    ]
    order = Order(
        pk=before.pk if before is not None else None,
        source=placed.source,
        external_id=placed.external_id,
        customer_id=known.customers[placed.buyer.key] if placed.buyer else None,
        status=placed.status,
        placed_at=placed.placed_at,
        placed_on=placed.placed_at.astimezone(known.business.zone).date(),
        channel=placed.channel,
        tax_cents=placed.tax_cents,
        shipping_cents=placed.shipping_cents,
        net_cents=sum(line.net_cents for line in lines),
        value_cents=sum(line.net_cents for line in lines if line.counts),
        margin_cents=sum(line.margin_cents for line in lines if line.counts),
        content=draft.content,
    )
    return Written(order=order, lines=lines, known=before is not None)


def _line(position: int, line: Line, net_cents: int, good: Good, old: OldLine | None, business: Business) -> LineRow:
    """The line as it will stand. A cost is kept as it was when the line was first written."""
    kept = old.unit_cost if old is not None and old.product_id == good.product_id else None
    cost = next((c for c in (line.unit_cost, kept, good.unit_cost) if c is not None), None)
    margin = pricing.margin(
        net_cents=net_cents,
        quantity=line.quantity,
        unit_cost=cost,
        margin_rate=business.margin_rate if good.margin_rate is None else good.margin_rate,
        exponent=money.exponent(business.currency),
    )
    return LineRow(
        position=position,
        product_id=good.product_id,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount_cents=line.discount_cents,
        net_cents=net_cents,
        counts=good.counts,
        unit_cost=cost,
        margin_cents=margin,
    )


def _loss(written: Written, old: Mapping[int, OldLine]) -> RefundedLine | None:
    """A line of which something came back keeps its product, and at least what came back."""
    new = {line.position: line for line in written.lines}
    for position, was in sorted(old.items()):
        now = new.get(position)
        if not was.came_back:
            continue
        kept = now is not None and now.product_id == was.product_id and now.quantity >= was.refunded_quantity
        if now is None or not kept or now.net_cents < was.refunded_cents:
            back = f"{was.refunded_quantity.normalize():f} of line {position} of {written.order}"
            return RefundedLine(f"{back} came back already.", position)
    return None


def _write(written: Sequence[Written]) -> None:
    if not written:
        return
    order_rows.insert([one for one in written if not one.known])
    changed = [one for one in written if one.known]
    order_rows.update(changed)
    returns.refresh_orders([one.order.pk for one in changed])
    doorbell.ring_once_for_many("orders")
