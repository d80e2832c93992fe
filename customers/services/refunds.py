"""One refund by hand: which lines came back, how many and for how much. The constraints of the lines are the guard."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import formats
from django.utils.translation import gettext as _

from core import business as settings_row
from core import doorbell, feed, money
from core.models import Change
from customers import pricing
from customers.models import Order, OrderLine, Refund, RefundLine
from customers.services import people_lock, returns
from customers.services.days import day_number


class TooMuch(Exception):
    """More comes back than was bought or paid. `number` is that of the part, from 0 on; `field` what of it."""

    def __init__(self, message: str, *, number: int | None = None, field: str = "quantity") -> None:
        super().__init__(message)
        self.number, self.field = number, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Back:
    """What comes back of a line, named by `line_id` or by `sku` (then filled in the order of the lines). Without an
    amount it is the line's net in proportion; a quantity of zero pays money back and keeps the goods sold.
    """

    quantity: Decimal
    sku: str = ""
    line_id: int | None = None
    net_cents: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    refund: Refund
    created: bool


def refund(*, order: Order, external_id: str, refunded_at: datetime, lines: Sequence[Back]) -> Refund:
    """Record that lines came back, as `record` does."""
    return record(order_id=order.pk, external_id=external_id, refunded_at=refunded_at, lines=lines).refund


@transaction.atomic
def record(*, order_id: int, external_id: str, refunded_at: datetime, lines: Sequence[Back]) -> Recorded:
    """Record that lines came back. The same `external_id` again returns the refund that is there, nothing changed.

    Raises TooMuch when more comes back than was bought or paid, Order.DoesNotExist.
    """
    people_lock.writing()
    business = settings_row.current()
    order = Order.objects.select_for_update(no_key=True).get(pk=order_id)
    known = order.refunds.filter(external_id=external_id).first()
    if known is not None:
        return Recorded(refund=known, created=False)
    day = refunded_at.astimezone(business.zone).date()
    if day < order.placed_on:
        text = _("Nothing comes back before it was bought, on %(day)s.")
        raise TooMuch(text % {"day": formats.date_format(order.placed_on, "DATE_FORMAT")}, field="refunded_at")
    made = Refund(
        order=order, customer=order.customer, external_id=external_id, refunded_at=refunded_at, refunded_on=day
    )
    sold = list(order.lines.select_for_update(no_key=True).select_related("product").order_by("position"))
    parts = [part for number, back in enumerate(lines) for part in _spread(sold, back, number)]
    refund_lines = [_part(line, *part, money.exponent(business.currency)) for line, part in _sums(parts)]
    return Recorded(refund=_write(made, refund_lines), created=True)


def _spread(sold: Sequence[OrderLine], back: Back, number: int) -> Iterable[tuple[OrderLine, Decimal, int | None]]:
    """The lines that `back` takes from, as (line, quantity, amount). Counts up what came back of each line."""
    if back.quantity < 0 or (back.net_cents or 0) < 0:
        raise TooMuch(_("What comes back is not negative."), number=number)
    named = [line for line in sold if back.line_id == line.pk or (back.sku and line.product.sku == back.sku)]
    if not named:
        field = "sku" if back.sku else "line"
        text = _("The order has no line %(line)s.") % {"line": back.sku or back.line_id}
        raise TooMuch(text, number=number, field=field)
    if not back.quantity:
        return [(named[0], Decimal(0), back.net_cents)]
    missing, taken = back.quantity, list[tuple[OrderLine, Decimal]]()
    for line in named:
        part = min(missing, line.quantity - line.refunded_quantity)
        if part > 0:
            taken.append((line, part))
            line.refunded_quantity += part
            missing -= part
    if missing > 0:
        text = _("%(quantity)s of %(sku)s is more than was bought and not returned.")
        told = {"quantity": formats.number_format(back.quantity.normalize()), "sku": named[0].product.sku}
        raise TooMuch(text % told, number=number)
    amounts = _shares(back, taken)
    return [(line, quantity, amount) for (line, quantity), amount in zip(taken, amounts, strict=True)]


def _shares(back: Back, taken: Sequence[tuple[OrderLine, Decimal]]) -> Sequence[int | None]:
    if back.net_cents is None:
        return [None] * len(taken)
    return pricing.split(back.net_cents, [int(quantity * 1000) for _, quantity in taken])


def _sums(
    parts: Iterable[tuple[OrderLine, Decimal, int | None]],
) -> Iterable[tuple[OrderLine, tuple[Decimal, int]]]:
    """One part per line: a refund names a line once. What has no amount gets its share of the line's net."""
    of_line: dict[int, list[tuple[Decimal, int | None]]] = defaultdict(list)
    lines: dict[int, OrderLine] = {}
    for line, quantity, amount in parts:
        lines[line.pk] = line
        of_line[line.pk].append((quantity, amount))
    for pk, line in lines.items():
        given = sum(amount for _, amount in of_line[pk] if amount is not None)
        unpriced = sum((quantity for quantity, amount in of_line[pk] if amount is None), Decimal(0))
        whole = sum((quantity for quantity, _ in of_line[pk]), Decimal(0))
        yield line, (whole, given + _proportion(line, unpriced, left=line.net_cents - line.refunded_cents - given))


def _proportion(line: OrderLine, quantity: Decimal, *, left: int) -> int:
    """Net in proportion to quantity; whatever is left of it when the last of the line comes back."""
    if not quantity:
        return 0
    if line.refunded_quantity == line.quantity:
        return left
    share = pricing.round_half_up(line.net_cents * quantity / line.quantity)
    return min(left, share) if line.net_cents >= 0 else max(left, share)


def _part(line: OrderLine, quantity: Decimal, cents: int, exponent: int) -> RefundLine:
    if not min(line.net_cents, 0) <= line.refunded_cents + cents <= max(line.net_cents, 0):
        text = _("More is paid back for %(sku)s than was paid.") % {"sku": line.product.sku}
        raise TooMuch(text, field="amount")
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
        raise TooMuch(_("More is paid back than was paid."), field="amount") from error
    returns.refresh_orders([made.order_id])
    _tell(made)
    return made


def _tell(made: Refund) -> None:
    feed.record(Change.Kind.ORDER, [made.order_id])
    feed.record(Change.Kind.DAY, [day_number(made.refunded_on)])
    if made.customer_id is not None:
        feed.record(Change.Kind.CUSTOMER_ORDERS, [made.customer_id])
    doorbell.ring("orders")
