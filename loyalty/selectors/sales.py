"""What a purchase at the till comes to: codes off, points off, what is left to pay, and what it earns. Nothing is used.

Codes take their part by the priority of their offers, as in a basket that is priced with several at once; each is
judged as if those before it were used on the same order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from core.models import Business
from loyalty import baskets, worth
from loyalty.baskets import BasketLine
from loyalty.discounts import Applied
from loyalty.models import Code, Programme, Tier, Use
from loyalty.offer_refusals import Refused
from loyalty.selectors import offers as found
from loyalty.selectors import quotes, standing
from loyalty.selectors.offers import Occasion
from loyalty.selectors.wallet import Ticket, wallet


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A code of the purchase, and what it takes off."""

    code: Code
    applied: Applied


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """All in minor units. `refused` are codes as they were typed, each with the words why."""

    lines: Sequence[BasketLine]
    shipping_cents: int = 0
    taken: Sequence[Taken] = ()
    refused: Sequence[tuple[str, str]] = ()
    wallet: Sequence[Ticket] = field(default=())
    points: int = 0
    points_cents: int = 0
    most_points: int = 0
    most_points_cents: int = 0
    earns: int = 0

    @property
    def goods_cents(self) -> int:
        return baskets.total(self.lines)

    @property
    def codes_cents(self) -> int:
        return sum(one.applied.discount_cents for one in self.taken)

    @property
    def held_back_cents(self) -> int:
        return sum(one.applied.held_back_cents for one in self.taken)

    @property
    def left_cents(self) -> int:
        """Before points."""
        return self.goods_cents + self.shipping_cents - self.codes_cents

    @property
    def off_cents(self) -> int:
        """What codes and points are worth together; the last point may be worth more than there is to pay."""
        return self.codes_cents + self.points_cents

    @property
    def to_pay_cents(self) -> int:
        return max(0, self.left_cents - self.points_cents)


def enter(texts: Sequence[str], *, entered: Callable[[str], Code]) -> tuple[list[Code], list[tuple[str, str]]]:
    """The codes that are meant, each once, the highest priority first; and what was refused. `entered` looks one up."""
    known: dict[int, Code] = {}
    refused = []
    for text in texts:
        try:
            code = entered(text)
        except Refused as refusal:
            refused.append((text, str(refusal)))
        else:
            known[code.pk] = code
    return sorted(known.values(), key=lambda code: (-code.offer.priority, code.offer_id, code.pk)), refused


def bill(
    lines: Sequence[BasketLine],
    codes: Sequence[Code],
    *,
    customer_id: int,
    shipping_cents: int,
    business: Business,
    at: datetime,
) -> Bill:
    """With codes, and with what else could be used; without points. The lines are not empty."""
    person = standing.person(customer_id, at=at, zone=business.zone)
    occasion = Occasion(person=person, at=at, lines=lines, shipping_cents=shipping_cents)
    taken: list[Taken] = []
    refused = []
    for code in codes:
        try:
            applied = found.judge(code, code.offer, _after(occasion, taken), business=business)
        except Refused as refusal:
            refused.append((code.shown, str(refusal)))
        else:
            taken.append(Taken(code=code, applied=applied))
    own = {code.pk for code in codes}
    tickets = wallet(customer_id, at=at, business=business, lines=lines, shipping_cents=shipping_cents)
    return Bill(
        lines=lines,
        shipping_cents=shipping_cents,
        taken=taken,
        refused=refused,
        wallet=[ticket for ticket in tickets if ticket.code.pk not in own],
    )


def _after(occasion: Occasion, taken: Sequence[Taken]) -> Occasion:
    uses = [
        Use(
            offer=one.code.offer,
            lines=list(one.applied.lines),
            shipping_cents=one.applied.shipping_cents,
            free=list(one.applied.free),
        )
        for one in taken
    ]
    return replace(occasion, earlier=uses)


def with_points(this: Bill, *, points: int, balance: int, programme: Programme) -> Bill:
    """With what points take off the rest: at most what there is, and what there is to pay."""
    if not programme.is_running:
        return this
    most = worth.most_for(this.left_cents, balance=balance, worth_cents=programme.worth_cents)
    used = min(points, most)
    return replace(
        this,
        points=used,
        points_cents=worth.cents_of(used, worth_cents=programme.worth_cents),
        most_points=most,
        most_points_cents=min(worth.cents_of(most, worth_cents=programme.worth_cents), this.left_cents),
    )


def paid_lines(this: Bill, *, programme: Programme) -> list[BasketLine]:
    """The lines with what points are earned by: what is paid after codes and points, or the price before them."""
    if programme.earn_base == Programme.EarnBase.BEFORE:
        return list(this.lines)
    off = [sum(cents) for cents in zip(*(one.applied.lines for one in this.taken), strict=True)]
    left = [line.net_cents - cents for line, cents in zip(this.lines, off or [0] * len(this.lines), strict=True)]
    by_points = _by_points(this, left)
    return [
        replace(line, net_cents=rest - cents) for line, rest, cents in zip(this.lines, left, by_points, strict=True)
    ]


def _by_points(this: Bill, left: Sequence[int]) -> list[int]:
    """What points take off each line, by what codes left of it. Shipping bears its part, and earns nothing."""
    shipping = this.left_cents - sum(left)
    return baskets.split(min(this.points_cents, this.left_cents), [*left, shipping])[: len(left)]


def earned(this: Bill, *, programme: Programme, tier: Tier | None, at: datetime) -> Bill:
    """With the points that it would bring if it were paid now."""
    if not programme.is_running:
        return this
    return replace(this, earns=quotes.earned(paid_lines(this, programme=programme), tier=tier, at=at))
