"""Which order lines a return takes from: the latest earlier line of the same customer and product with enough left.

When no line has enough, what is left of them is taken, the latest first, and the rest is an excess. The money is split
by quantity; no line pays back more than was paid for it, and what is over is an excess, too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from customers import pricing

NO_ORDER: Final = "no-order"
EXCESS: Final = "excess"
SCALE: Final = Decimal(1000)  # quantities have three decimals


@dataclass(slots=True)
class Sold:
    """An order line with what is left of it. `take` changes it."""

    line_id: int
    order_id: int
    document: str
    position: int
    at: datetime
    day: date
    date_only: bool
    quantity: Decimal
    net_cents: int
    margin_cents: int
    unit_cost: Decimal | None
    refunded_quantity: Decimal
    refunded_cents: int

    @property
    def left(self) -> Decimal:
        return self.quantity - self.refunded_quantity

    @property
    def left_cents(self) -> int:
        return max(0, self.net_cents - self.refunded_cents)

    @property
    def paid_back(self) -> tuple[Decimal, int]:
        return self.refunded_quantity, self.refunded_cents


@dataclass(frozen=True, slots=True)
class Back:
    """One returned line."""

    at: datetime
    day: date
    date_only: bool
    quantity: Decimal
    net_cents: int
    of_order: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    line: Sold
    quantity: Decimal
    net_cents: int
    margin_cents: int


@dataclass(slots=True)
class Match:
    parts: list[Part] = field(default_factory=list)
    quantity: Decimal = Decimal(0)  # unmatched
    net_cents: int = 0  # unmatched
    reason: str = ""  # "" when nothing is unmatched


def is_earlier(sold: Sold, back: Back) -> bool:
    """By time; by day where one of the two has no time, or the return names its order."""
    if sold.date_only or back.date_only or sold.document == back.of_order:
        return sold.day <= back.day
    return sold.at <= back.at


def match(back: Back, lines: Iterable[Sold], *, exponent: int) -> Match:
    """Take `back` from `lines`, all of its customer and product. Changes what is left of them."""
    earlier = [line for line in lines if is_earlier(line, back)]
    candidates = [line for line in earlier if line.left > 0]
    if not candidates:
        reason = EXCESS if earlier else NO_ORDER
        return Match(quantity=back.quantity, net_cents=back.net_cents, reason=reason)
    candidates.sort(
        key=lambda line: (line.document == back.of_order, line.at, line.document, line.position), reverse=True
    )
    chosen = _choose(back, candidates)
    return _take(back, chosen, exponent=exponent)


def _choose(back: Back, candidates: Sequence[Sold]) -> list[tuple[Sold, Decimal]]:
    """Lines and the quantity from each; a named order goes first, whatever is left of the return to the others."""
    for line in candidates:
        if line.left >= back.quantity and line.document == (back.of_order or line.document):
            return [(line, back.quantity)]
    named = [line for line in candidates if back.of_order and line.document == back.of_order]
    others = [line for line in candidates if line not in named]
    chosen, missing = _drain(named, back.quantity)
    enough = next((line for line in others if line.left >= missing), None)
    if missing and enough is not None:
        return [*chosen, (enough, missing)]
    return [*chosen, *_drain(others, missing)[0]]


def _drain(lines: Sequence[Sold], quantity: Decimal) -> tuple[list[tuple[Sold, Decimal]], Decimal]:
    """Take what is left of each line in turn; the second value is what is still missing."""
    chosen = []
    for line in lines:
        if quantity <= 0:
            break
        part = min(line.left, quantity)
        chosen.append((line, part))
        quantity -= part
    return chosen, quantity


def _take(back: Back, chosen: list[tuple[Sold, Decimal]], *, exponent: int) -> Match:
    missing = back.quantity - sum((quantity for _, quantity in chosen), Decimal(0))
    weights = [int(quantity * SCALE) for _, quantity in chosen] if back.quantity else [1]  # [1]: money without goods
    shares = pricing.split(back.net_cents, [*weights, int(missing * SCALE)])
    result = Match(quantity=missing, net_cents=shares[-1])
    for (line, quantity), share in zip(chosen, shares, strict=False):
        cents = min(share, line.left_cents)
        result.net_cents += share - cents
        result.parts.append(_part(line, quantity, cents, exponent=exponent))
    if result.quantity or result.net_cents:
        result.reason = EXCESS
    return result


def _part(line: Sold, quantity: Decimal, cents: int, *, exponent: int) -> Part:
    taken = pricing.refund_margin(
        net_cents=line.net_cents,
        margin_cents=line.margin_cents,
        unit_cost=line.unit_cost,
        before=line.paid_back,
        back=(quantity, cents),
        exponent=exponent,
    )
    line.refunded_quantity += quantity
    line.refunded_cents += cents
    return Part(line=line, quantity=quantity, net_cents=cents, margin_cents=taken)
