"""One order as its page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from customers import pricing
from customers.models import Order, OrderLine, Refund


@dataclass(frozen=True, kw_only=True)
class Whole:
    """An order with its lines and refunds. Amounts in minor units."""

    order: Order
    lines: Sequence[OrderLine]
    refunds: Sequence[Refund]

    @property
    def refunded_cents(self) -> int:
        return sum(refund.net_cents for refund in self.refunds)

    @property
    def left_cents(self) -> int:
        return self.order.net_cents - self.refunded_cents

    @property
    def margin_cents(self) -> int:
        return self.order.margin_cents - sum(refund.margin_cents for refund in self.refunds)

    @property
    def paid_cents(self) -> int:
        """What the customer paid: with tax and shipping."""
        return self.order.net_cents + self.order.tax_cents + self.order.shipping_cents

    @property
    def has_something_left(self) -> bool:
        return self.order.status == Order.Status.PAID and any(
            line.quantity > line.refunded_quantity or line.net_cents > line.refunded_cents for line in self.lines
        )


def whole(pk: int) -> Whole:
    """Four queries. Raises Order.DoesNotExist."""
    order = Order.objects.select_related("customer", "batch").get(pk=pk)
    refunds = order.refunds.prefetch_related("lines__line__product").order_by("refunded_at", "pk")
    return Whole(order=order, lines=lines(order), refunds=list(refunds))


def lines(order: Order) -> list[OrderLine]:
    return list(order.lines.select_related("product").order_by("position"))


def in_proportion(line: OrderLine, quantity: Decimal) -> int:
    """What a refund of `quantity` comes to without an amount of its own (customers.services.refunds), minor units."""
    left = line.net_cents - line.refunded_cents
    if quantity >= line.quantity - line.refunded_quantity:
        return left
    return min(left, pricing.round_half_up(line.net_cents * quantity / line.quantity))
