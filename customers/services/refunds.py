"""One refund by hand: which lines came back, how many and for how much. The constraints of the lines are the guard."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import F

from core import business as settings_row
from core import doorbell, feed, money
from core.models import Change
from customers import pricing
from customers.models import Order, OrderLine, Refund, RefundLine
from customers.services import returns
from customers.services.days import day_number


class TooMuch(Exception):
    """More comes back than was bought, or than was paid."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Back:
    """What comes back of a line, named by `line_id` or by `sku` (then filled in the order of the lines). Without an
    amount it is the line's net in proportion.
    """

    quantity: Decimal
    sku: str = ""
    line_id: int | None = None
    net_cents: int | None = None


@transaction.atomic
def refund(*, order: Order, external_id: str, refunded_at: datetime, lines: Sequence[Back]) -> Refund:
    """Record that lines came back. The same `external_id` again returns the refund that is there, nothing changed.

    Raises TooMuch when more comes back than was bought or paid.
    """
    business = settings_row.current()
    order = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
    known = order.refunds.filter(external_id=external_id).first()
    if known is not None:
        return known
    day = refunded_at.astimezone(business.zone).date()
    made = Refund(
        order=order, customer=order.customer, external_id=external_id, refunded_at=refunded_at, refunded_on=day
    )
    sold = list(order.lines.select_for_update(no_key=True).select_related("product").order_by("position"))
    parts = [part for back in lines for part in _spread(sold, back)]
    refund_lines = [_part(line, *part, money.exponent(business.currency)) for line, part in _sums(parts)]
    return _write(made, refund_lines)


def _spread(sold: Sequence[OrderLine], back: Back) -> Iterable[tuple[OrderLine, Decimal, int | None]]:
    """The lines that `back` takes from, as (line, quantity, amount). Counts up what came back of each line."""
    if back.quantity < 0 or (back.net_cents or 0) < 0:
        raise TooMuch("What comes back is not negative.")
    named = [line for line in sold if back.line_id == line.pk or (back.sku and line.product.sku == back.sku)]
    if not named:
        raise TooMuch(f"The order has no line {back.sku or back.line_id}.")
    missing, taken = back.quantity, list[tuple[OrderLine, Decimal]]()
    for line in named:
        part = min(missing, line.quantity - line.refunded_quantity)
        if part > 0:
            taken.append((line, part))
            line.refunded_quantity += part
            missing -= part
    if missing > 0:
        raise TooMuch(
            f"{back.quantity.normalize():f} of {named[0].product.sku} is more than was bought and not returned."
        )
    amounts = _shares(back, taken)
    return [(line, quantity, amount) for (line, quantity), amount in zip(taken, amounts, strict=True)]


def _shares(back: Back, taken: Sequence[tuple[OrderLine, Decimal]]) -> Sequence[int | None]:
    if back.net_cents is None:
        return [None] * len(taken)
    return pricing.split(back.net_cents, [int(quantity * 1000) for _, quantity in taken])


def _sums(
    parts: Iterable[tuple[OrderLine, Decimal, int | None]],
) -> Iterable[tuple[OrderLine, tuple[Decimal, int]]]:
    """One part per line: a refund names a line once. Amounts that were not given are in proportion by now."""
    quantities: dict[int, Decimal] = {}
    amounts: dict[int, int] = {}
    lines: dict[int, OrderLine] = {}
    for line, quantity, amount in parts:
        lines[line.pk] = line
        quantities[line.pk] = quantities.get(line.pk, Decimal(0)) + quantity
        given = _proportion(line, quantity) if amount is None else amount
        amounts[line.pk] = amounts.get(line.pk, 0) + given
    return [(line, (quantities[pk], amounts[pk])) for pk, line in lines.items()]


def _proportion(line: OrderLine, quantity: Decimal) -> int:
    """Net in proportion to quantity; whatever is left of it when the last of the line comes back."""
    left = line.net_cents - line.refunded_cents
    if line.refunded_quantity == line.quantity:
        return left
    return min(left, pricing.round_half_up(line.net_cents * quantity / line.quantity))


def _part(line: OrderLine, quantity: Decimal, cents: int, exponent: int) -> RefundLine:
    margin = pricing.refund_margin(
        net_cents=line.net_cents,
        margin_cents=line.margin_cents,
        unit_cost=line.unit_cost,
        before=(line.refunded_quantity - quantity, line.refunded_cents),
        back=(quantity, cents),
        exponent=exponent,
    )
    return RefundLine(line=line, quantity=quantity, net_cents=cents, margin_cents=margin)


def _write(made: Refund, lines: Sequence[RefundLine]) -> Refund:
    made.net_cents = sum(part.net_cents for part in lines)
    made.value_cents = sum(part.net_cents for part in lines if part.line.counts)
    made.margin_cents = sum(part.margin_cents for part in lines if part.line.counts)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            for part in lines:
                part.refund = made
                OrderLine.objects.filter(pk=part.line_id).update(
                    refunded_quantity=F("refunded_quantity") + part.quantity,
                    refunded_cents=F("refunded_cents") + part.net_cents,
                )
            RefundLine.objects.bulk_create(lines)
    except IntegrityError as error:
        raise TooMuch(f"More is paid back than was paid: {error}") from error
    returns.refresh_orders([made.order_id])
    _tell(made)
    return made


def _tell(made: Refund) -> None:
    feed.record(Change.Kind.ORDER, [made.order_id])
    feed.record(Change.Kind.DAY, [day_number(made.refunded_on)])
    if made.customer_id is not None:
        feed.record(Change.Kind.CUSTOMER_ORDERS, [made.customer_id])
    doorbell.ring("orders")
