"""One order by hand: the same rules as an import, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from core import business as settings_row
from core import doorbell, feed, money
from core.models import Business, Change
from customers import pricing
from customers.importing.rows import OrderRow, content
from customers.models import Customer, Identity, Order, OrderLine, Product
from customers.services import returns, search
from customers.services.days import day_number


class RefundedLine(Exception):
    """An order cannot lose what came back already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """What was bought. The product is made when it is new, and keeps its kind and category when it is known."""

    sku: str
    quantity: Decimal
    unit_price: Decimal
    discount_cents: int = 0
    unit_cost: Decimal | None = None
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    order: Order
    outcome: str  # created, updated or unchanged


@transaction.atomic
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
    """Write the order as it is now, all lines of it: upsert by (source, external_id). Raises RefundedLine."""
    business = settings_row.current()
    products = _products(lines)
    order = Order(
        source=source,
        external_id=external_id,
        customer=customer,
        status=status,
        placed_at=placed_at,
        placed_on=placed_at.astimezone(business.zone).date(),
        channel=channel,
        tax_cents=tax_cents,
        shipping_cents=shipping_cents,
    )
    rows = [
        _row(order, position, line, net, products[line.sku].kind)
        for position, (line, net) in enumerate(zip(lines, _nets(lines, tax_cents, business), strict=True), start=1)
    ]
    order.content = content(rows, prices_include_tax=business.prices_include_tax)
    return _upsert(order, rows, products, business)


def _row(order: Order, position: int, line: Line, net_cents: int, kind: str) -> OrderRow:
    return OrderRow(
        line=position,
        customer=str(order.customer_id or ""),
        at=order.placed_at,
        day=order.placed_on,
        sku=line.sku,
        net_cents=net_cents,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount_cents=line.discount_cents,
        tax_cents=order.tax_cents,
        shipping_cents=order.shipping_cents,
        unit_cost=line.unit_cost,
        kind=kind,
        counts=kind == Product.Kind.GOODS,
        status=order.status,
        channel=order.channel,
    )


def _products(lines: Sequence[Line]) -> dict[str, Product]:
    Product.objects.bulk_create(
        [Product(sku=line.sku, name=line.name or line.sku) for line in lines], ignore_conflicts=True
    )
    found = Product.objects.select_related("category").filter(sku__in=[line.sku for line in lines])
    return {product.sku: product for product in found}


def _nets(lines: Sequence[Line], tax_cents: int, business: Business) -> list[int]:
    exponent = money.exponent(business.currency)
    nets = [
        pricing.line_net(
            quantity=line.quantity,
            unit_price=line.unit_price,
            discount_cents=line.discount_cents,
            exponent=exponent,
        )
        for line in lines
    ]
    if not business.prices_include_tax:
        return nets
    return [net - tax for net, tax in zip(nets, pricing.split(tax_cents, [max(net, 0) for net in nets]), strict=True)]


def _upsert(order: Order, rows: Sequence[OrderRow], products: dict[str, Product], business: Business) -> Recorded:
    known = Order.objects.select_for_update(no_key=True).filter(source=order.source, external_id=order.external_id)
    before = known.first()
    if before is not None and before.content == order.content:
        return Recorded(order=before, outcome="unchanged")
    old = {} if before is None else {line.position: line for line in before.lines.select_for_update(no_key=True)}
    lines = [_line(order, row, products[row.sku], old.get(row.line), business) for row in rows]
    _refuse_loss(order, lines, old)
    _sum_up(order, lines)
    if before is None:
        order.save(force_insert=True)
    else:
        order.pk, order.created_at = before.pk, before.created_at
        order.save(force_update=True)
        order.refunds.exclude(customer=order.customer).update(customer=order.customer)
    _write_lines(order, lines, old)
    returns.refresh_orders([order.pk])
    _tell([order] if before is None else [before, order])
    return Recorded(order=order, outcome="created" if before is None else "updated")


def _line(order: Order, row: OrderRow, product: Product, old: OrderLine | None, business: Business) -> OrderLine:
    """The line as it will stand. A cost is kept as it was when the line was first written."""
    kept = old.unit_cost if old is not None and old.product_id == product.pk else None
    cost = next((c for c in (row.unit_cost, kept, product.unit_cost) if c is not None), None)
    rate = product.category.margin_rate if product.category else None
    margin = pricing.margin(
        net_cents=row.net_cents,
        quantity=row.quantity,
        unit_cost=cost,
        margin_rate=business.margin_rate if rate is None else rate,
        exponent=money.exponent(business.currency),
    )
    return OrderLine(
        pk=old.pk if old is not None else None,
        customer=order.customer,
        position=row.line,
        product=product,
        quantity=row.quantity,
        unit_price=row.unit_price,
        discount_cents=row.discount_cents,
        net_cents=row.net_cents,
        counts=row.counts,
        unit_cost=cost,
        margin_cents=margin,
        refunded_quantity=old.refunded_quantity if old is not None else Decimal(0),
        refunded_cents=old.refunded_cents if old is not None else 0,
    )


def _refuse_loss(order: Order, lines: Sequence[OrderLine], old: dict[int, OrderLine]) -> None:
    new = {line.position: line for line in lines}
    for position, was in old.items():
        now = new.get(position)
        if was.refunded_quantity == 0 and was.refunded_cents == 0:
            continue
        if now is None or now.product_id != was.product_id or now.quantity < was.refunded_quantity:
            raise RefundedLine(
                f"{was.refunded_quantity.normalize():f} of line {position} of {order} came back already."
            )


def _sum_up(order: Order, lines: Sequence[OrderLine]) -> None:
    order.net_cents = sum(line.net_cents for line in lines)
    order.value_cents = sum(line.net_cents for line in lines if line.counts)
    order.margin_cents = sum(line.margin_cents for line in lines if line.counts)


def _write_lines(order: Order, lines: Sequence[OrderLine], old: dict[int, OrderLine]) -> None:
    OrderLine.objects.filter(order=order).exclude(position__in=[line.position for line in lines]).delete()
    for line in lines:
        line.order = order
    OrderLine.objects.bulk_create(line for line in lines if line.position not in old)
    fields = ["customer", "product", "quantity", "unit_price", "discount_cents", "net_cents", "counts", "unit_cost"]
    OrderLine.objects.bulk_update([line for line in lines if line.position in old], [*fields, "margin_cents"])


def _tell(orders: Sequence[Order]) -> None:
    feed.record(Change.Kind.ORDER, [order.pk for order in orders])
    feed.record(Change.Kind.CUSTOMER_ORDERS, [order.customer_id for order in orders if order.customer_id])
    feed.record(Change.Kind.DAY, [day_number(order.placed_on) for order in orders])
    doorbell.ring("orders")


@transaction.atomic
def customer_of(*, source: str, external_id: str, name: str = "") -> Customer:
    """The customer with this identity, made when there is none."""
    known = Identity.objects.select_related("customer").filter(source=source, external_id=external_id)
    if (found := known.first()) is not None:
        return found.customer
    try:
        with transaction.atomic():
            customer = Customer.objects.create(name=name)
            Identity.objects.create(customer=customer, source=source, external_id=external_id)
            search.refresh(customer_ids=[customer.pk])
    except IntegrityError:  # somebody else was faster
        return known.get().customer
    return customer
