"""An order by hand: added once, corrected, cancelled.

A correction names the lines that stay by their position. Lines that it does not touch keep their amounts as the source
said them; costs stay as they were on the day of sale. What the source says of the order next time goes over it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from core import business as settings_row
from core import doorbell, feed, money
from core.models import Business, Change
from customers import pricing
from customers.models import Customer, Order, OrderLine, Product, RefundLine
from customers.services import orders, returns
from customers.services.days import day_number
from customers.services.persons import SOURCE

COLUMNS: Final = (
    *("placed_at", "placed_on", "date_only", "status", "channel", "tax_cents", "shipping_cents"),
    *("net_cents", "value_cents", "margin_cents", "content", "batch"),
)


class NumberTaken(Exception):
    """There is another order with this number."""


class CannotCorrect(Exception):
    """The order cannot stand as it was told; the message says why, in the reader's language."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line as it is to stand; `position` None is a new one."""

    product: Product
    quantity: Decimal
    unit_price: Decimal
    discount_cents: int = 0
    position: int | None = None

    def is_like(self, line: OrderLine, *, exponent: int) -> bool:
        told = self.product.pk, self.quantity, self.discount_cents
        is_same = told == (line.product_id, line.quantity, line.discount_cents)
        return is_same and self.unit_price in (line.unit_price, price_of(line, exponent=exponent))


def price_of(line: OrderLine, *, exponent: int) -> Decimal:
    """The line's unit price as people see it. Sources may name an amount only: then what one of it came to."""
    if line.unit_price or not line.quantity:
        return line.unit_price
    whole = Decimal(line.net_cents + line.discount_cents).scaleb(-exponent)
    return (whole / line.quantity).quantize(Decimal("0.0001"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrected:
    """An order as it is to stand. Tax and shipping are beside the lines, in minor units."""

    placed_at: datetime
    lines: Sequence[Line]
    status: str = Order.Status.PAID
    channel: str = ""
    tax_cents: int = 0
    shipping_cents: int = 0
    date_only: bool = False


@transaction.atomic
def add(*, customer: Customer | None, number: str, told: Corrected) -> Order:
    """A new order under `number`. The same again is the order that is there; NumberTaken when it is another."""
    with connection.cursor() as cursor:  # two people who type one number at the same time
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7301))", [f"{SOURCE}:{number}"])
    is_known = Order.objects.filter(source=SOURCE, external_id=number).exists()
    recorded = orders.record(
        source=SOURCE,
        external_id=number,
        customer=customer,
        placed_at=told.placed_at,
        lines=[
            orders.Line(
                sku=line.product.sku,
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount_cents=line.discount_cents,
            )
            for line in told.lines
        ],
        status=told.status,
        channel=told.channel,
        tax_cents=told.tax_cents,
        shipping_cents=told.shipping_cents,
    )
    if is_known and recorded.outcome != "unchanged":
        raise NumberTaken(number)
    return recorded.order


@transaction.atomic
def correct(*, order_id: int, told: Corrected) -> Order:
    """Make the order what `told` says. Raises CannotCorrect."""
    business = settings_row.current()
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    old = {line.position: line for line in order.lines.select_for_update(no_key=True).select_related("product")}
    day = order.placed_on
    _refuse_loss(told, old)
    lines = _lines(order, told, old, business)
    _refuse_overpaid(lines)
    _set(order, told, lines, business)
    _refuse_earlier_refunds(order)
    order.save(update_fields=COLUMNS)
    _write_lines(order, lines, old)
    _follow(order, lines, business)
    returns.refresh_orders([order.pk])
    _tell(order, [day, order.placed_on])
    return order


@transaction.atomic
def cancel(*, order_id: int) -> Order:
    """A cancelled order counts nowhere; its lines and refunds stay to be read. Cancelling twice changes nothing."""
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    if order.status != Order.Status.CANCELLED:
        order.status, order.content, order.batch = Order.Status.CANCELLED, None, None
        order.save(update_fields=["status", "content", "batch"])
        _tell(order, [order.placed_on])
    return order


def _lines(order: Order, told: Corrected, old: dict[int, OrderLine], business: Business) -> list[OrderLine]:
    """The lines as they will stand: untouched ones as they are, unless the tax in their prices is another."""
    keeps_tax = not business.prices_include_tax or told.tax_cents == order.tax_cents
    exponent = money.exponent(business.currency)
    gross = [
        pricing.line_net(
            quantity=line.quantity, unit_price=line.unit_price, discount_cents=line.discount_cents, exponent=exponent
        )
        for line in told.lines
    ]
    taxes = pricing.split(told.tax_cents if business.prices_include_tax else 0, [max(cents, 0) for cents in gross])
    free = max(old, default=0)
    made = []
    for line, net in zip(told.lines, (cents - tax for cents, tax in zip(gross, taxes, strict=True)), strict=True):
        was = old.get(line.position or 0)
        if was is not None and keeps_tax and line.is_like(was, exponent=exponent):
            made.append(was)
            continue
        free += was is None
        made.append(_line(order, line, net, was, free, business))
    return made


def _line(order: Order, line: Line, net_cents: int, was: OrderLine | None, free: int, business: Business) -> OrderLine:
    same = was is not None and was.product_id == line.product.pk
    cost = was.unit_cost if was is not None and same else line.product.unit_cost
    rate = line.product.category.margin_rate if line.product.category else None
    margin = pricing.margin(
        net_cents=net_cents,
        quantity=line.quantity,
        unit_cost=cost,
        margin_rate=business.margin_rate if rate is None else rate,
        exponent=money.exponent(business.currency),
    )
    stays = was if was is not None else OrderLine(position=free)
    stays.order, stays.customer, stays.product = order, order.customer, line.product
    stays.quantity, stays.unit_price, stays.discount_cents = line.quantity, line.unit_price, line.discount_cents
    stays.net_cents, stays.margin_cents, stays.unit_cost = net_cents, margin, cost
    stays.counts = stays.counts if same else line.product.kind == Product.Kind.GOODS
    return stays


def _refuse_loss(told: Corrected, old: dict[int, OrderLine]) -> None:
    """What came back of a line stays bought. The constraints say so too, in fewer words."""
    new = {line.position: line for line in told.lines}
    for position, was in old.items():
        now = new.get(position)
        if was.refunded_quantity == 0 and was.refunded_cents == 0:
            continue
        if now is None or now.product.pk != was.product_id or now.quantity < was.refunded_quantity:
            raise CannotCorrect(
                _("%(quantity)s of %(product)s came back already, so that many have to stay on the order.")
                % {"quantity": f"{was.refunded_quantity.normalize():f}", "product": was.product}
            )


def _refuse_overpaid(lines: Sequence[OrderLine]) -> None:
    for line in lines:
        if not min(line.net_cents, 0) <= line.refunded_cents <= max(line.net_cents, 0):
            raise CannotCorrect(
                _("More was paid back for %(product)s than the line would come to.") % {"product": line.product}
            )


def _refuse_earlier_refunds(order: Order) -> None:
    if order.refunds.filter(refunded_on__lt=order.placed_on).exists():
        raise CannotCorrect(_("Part of the order came back before this date."))


def _set(order: Order, told: Corrected, lines: Sequence[OrderLine], business: Business) -> None:
    order.placed_at, order.date_only = told.placed_at, told.date_only
    order.placed_on = told.placed_at.astimezone(business.zone).date()
    order.status, order.channel = told.status, told.channel
    order.tax_cents, order.shipping_cents = told.tax_cents, told.shipping_cents
    order.net_cents = sum(line.net_cents for line in lines)
    order.value_cents = sum(line.net_cents for line in lines if line.counts)
    order.margin_cents = sum(line.margin_cents for line in lines if line.counts)
    order.content, order.batch = None, None  # no longer what the source said, nor what an import can take back


def _write_lines(order: Order, lines: Sequence[OrderLine], old: dict[int, OrderLine]) -> None:
    order.lines.exclude(position__in=[line.position for line in lines]).delete()
    OrderLine.objects.bulk_create([line for line in lines if line.position not in old])
    columns = ["product", "quantity", "unit_price", "discount_cents", "net_cents", "counts", "unit_cost"]
    OrderLine.objects.bulk_update([line for line in lines if line.position in old], [*columns, "margin_cents"])


def _follow(order: Order, lines: Sequence[OrderLine], business: Business) -> None:
    """Refunds take their part of the margins as they are now."""
    by_pk = {line.pk: line for line in lines if line.refunded_quantity or line.refunded_cents}
    before = {pk: (Decimal(0), 0) for pk in by_pk}
    parts = list(RefundLine.objects.filter(line__in=by_pk).order_by("pk"))
    for part in parts:
        line, (quantity, cents) = by_pk[part.line_id], before[part.line_id]
        part.margin_cents = pricing.refund_margin(
            net_cents=line.net_cents,
            margin_cents=line.margin_cents,
            unit_cost=line.unit_cost,
            before=(quantity, cents),
            back=(part.quantity, part.net_cents),
            exponent=money.exponent(business.currency),
        )
        before[part.line_id] = quantity + part.quantity, cents + part.net_cents
    RefundLine.objects.bulk_update(parts, ["margin_cents"])
    for refund in order.refunds.prefetch_related("lines__line"):
        refund.margin_cents = sum(part.margin_cents for part in refund.lines.all() if part.line.counts)
        refund.save(update_fields=["margin_cents"])


def _tell(order: Order, days: Sequence[date]) -> None:
    feed.record(Change.Kind.ORDER, [order.pk])
    back = order.refunds.values_list("refunded_on", flat=True)  # refunds count while their order does
    feed.record(Change.Kind.DAY, [day_number(day) for day in {*days, *back}])
    if order.customer_id is not None:
        feed.record(Change.Kind.CUSTOMER_ORDERS, [order.customer_id])
    doorbell.ring("orders")
