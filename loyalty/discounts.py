"""What offers take off a basket: pure arithmetic on integer cents.

Of several offers the one with the highest priority comes first, on a tie the older one. Each takes its part from what
is left of every line, so that nothing goes below zero, and the discount is kept by line: who sends one item back gets
back what was paid for it.

Two things hold an offer back: its highest discount on an order, and margin floors. A floor is the share of what is paid
that has to stay margin: cost / (1 − floor) is the least a line may come to. The strictest floor of all offers on a
basket holds for each of them. What floors take from one line is not moved to others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Final

from customers import pricing
from loyalty.baskets import BasketLine, split

HUNDRED: Final = Decimal(100)


class Refusal(StrEnum):
    """Why an offer takes nothing off a basket."""

    MINIMUM_NOT_MET = "minimum_not_met"
    NO_ITEM_MATCHES = "no_item_matches"
    NOT_STACKABLE = "not_stackable"
    MARGIN_FLOOR = "margin_floor"
    NOTHING_LEFT = "nothing_left"  # all that it could take off is free already


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """The free item: what it is, what one costs the customer elsewhere, and us."""

    sku: str
    product_id: int
    quantity: int
    list_cents: int = 0
    cost_cents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an offer says, as plain values; `kind`, `base` and `scope` as in loyalty.models.Offer."""

    id: int
    kind: str
    percent: Decimal = Decimal(0)
    base: str = "after"
    amount_cents: int = 0
    gift: Gift | None = None
    scope: str = "any"
    product_ids: frozenset[int] = frozenset()
    category_ids: frozenset[int] = frozenset()
    minimum_cents: int = 0
    is_stackable: bool = False
    priority: int = 0
    max_discount_cents: int | None = None
    line_floor: Decimal | None = Decimal(0)
    order_floor: Decimal | None = Decimal(0)

    def matches(self, line: BasketLine) -> bool:
        """Whether it is for this line. Without products and categories it is for all goods."""
        if not line.is_goods:
            return False
        if not self.product_ids and not self.category_ids:
            return True
        return line.product_id in self.product_ids or line.category_id in self.category_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What one offer does. `lines` are cents off each line; `free` is what comes on top of the basket."""

    terms: Terms
    lines: tuple[int, ...]
    shipping_cents: int = 0
    free: tuple[tuple[str, int], ...] = ()
    free_cents: int = 0
    held_back_cents: int = 0
    refusal: Refusal | None = None

    @property
    def discount_cents(self) -> int:
        return sum(self.lines) + self.shipping_cents

    @property
    def saved_cents(self) -> int:
        """What the customer does not pay, with the list price of what comes on top."""
        return self.discount_cents + self.free_cents


@dataclass(slots=True, kw_only=True)
class Bill:
    """A basket on which offers leave less and less to pay: cents left of each line and of shipping."""

    lines: Sequence[BasketLine]
    exponent: int
    left: list[int]
    costs: list[int]
    shipping_left: int = 0
    given_cost: int = 0  # of what comes on top
    line_floor: Decimal | None = None
    order_floor: Decimal | None = None
    offers: list[Terms] = field(default_factory=list)

    @property
    def goods(self) -> list[int]:
        return [place for place, line in enumerate(self.lines) if line.is_goods]

    @property
    def goods_cents(self) -> int:
        """What the goods come to before any offer."""
        return sum(self.lines[place].net_cents for place in self.goods)

    def take_terms(self, terms: Terms) -> None:
        """From now on the offer counts for stacking, and its floors hold."""
        self.offers.append(terms)
        self.tighten(terms)

    def tighten(self, terms: Terms) -> None:
        self.line_floor = _stricter(self.line_floor, terms.line_floor)
        self.order_floor = _stricter(self.order_floor, terms.order_floor)

    def room_of_line(self, place: int) -> int:
        """How much the line's floor still lets off."""
        if self.line_floor is None:
            return self.left[place]
        return max(0, self.left[place] - least(self.costs[place], self.line_floor))

    def room_of_order(self) -> int | None:
        """How much the order's floor still lets off all goods; None without a floor."""
        return None if self.order_floor is None else max(0, self._above_floor(self.order_floor, cost_cents=0))

    def can_give(self, off_cents: int, *, on_top_cost: int) -> bool:
        """Whether the order's floor holds when so much comes off, and something of this cost comes on top."""
        return self.order_floor is None or self._above_floor(self.order_floor, cost_cents=on_top_cost) >= off_cents

    def _above_floor(self, floor: Decimal, *, cost_cents: int) -> int:
        """What is left of all goods less the least that they and something of this cost may come to."""
        cost = self.given_cost + cost_cents + sum(self.costs[place] for place in self.goods)
        return sum(self.left[place] for place in self.goods) - least(cost, floor)


def bill(lines: Sequence[BasketLine], *, exponent: int, shipping_cents: int = 0) -> Bill:
    """A basket before any offer."""
    costs = [line.cost_cents(exponent=exponent) for line in lines]
    left = [line.net_cents for line in lines]
    return Bill(lines=lines, exponent=exponent, left=left, costs=costs, shipping_left=shipping_cents)


def price(
    lines: Sequence[BasketLine], offers: Sequence[Terms], *, exponent: int, shipping_cents: int = 0
) -> list[Applied]:
    """What each offer does to the basket, in the order in which they are applied."""
    whole = bill(lines, exponent=exponent, shipping_cents=shipping_cents)
    return [apply(whole, terms) for terms in in_order(offers)]


def in_order(offers: Sequence[Terms]) -> list[Terms]:
    return sorted(offers, key=lambda terms: (-terms.priority, terms.id))


def apply(whole: Bill, terms: Terms) -> Applied:
    """Take one offer off what is left; a refused one changes nothing."""
    floors = whole.line_floor, whole.order_floor
    whole.tighten(terms)
    result = _result(whole, terms)
    if result.refusal is not None:
        whole.line_floor, whole.order_floor = floors
        return result
    whole.take_terms(terms)
    whole.left = [left - off for left, off in zip(whole.left, result.lines, strict=True)]
    whole.shipping_left -= result.shipping_cents
    if result.free and terms.gift:
        whole.given_cost += terms.gift.cost_cents * result.free[0][1]
    return result


def _stricter(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return max((floor for floor in (one, other) if floor is not None), default=None)


def _result(whole: Bill, terms: Terms) -> Applied:
    if whole.offers and not (terms.is_stackable and all(other.is_stackable for other in whole.offers)):
        return _refused(whole, terms, Refusal.NOT_STACKABLE)
    if whole.goods_cents < terms.minimum_cents:
        return _refused(whole, terms, Refusal.MINIMUM_NOT_MET)
    places = _places(whole, terms)
    if not places:
        return _refused(whole, terms, Refusal.NO_ITEM_MATCHES)
    if terms.kind == "free_shipping":
        return _free_shipping(whole, terms)
    if terms.kind == "free_item":
        return _free_item(whole, terms)
    return _off_lines(whole, terms, wanted=_wanted(whole, terms, places))


def _refused(whole: Bill, terms: Terms, why: Refusal, *, held_back_cents: int = 0) -> Applied:
    return Applied(terms=terms, lines=(0,) * len(whole.lines), refusal=why, held_back_cents=held_back_cents)


def _places(whole: Bill, terms: Terms) -> list[int]:
    """The lines that the offer is for."""
    places = [place for place in whole.goods if terms.matches(whole.lines[place])]
    if terms.scope == "every":
        return places if len(places) == len(whole.goods) else []
    if terms.scope == "cheapest" and places:
        return [min(places, key=lambda place: (whole.lines[place].unit_price, place))]
    return places


def _wanted(whole: Bill, terms: Terms, places: Sequence[int]) -> list[int]:
    """Cents that the offer would take off each line, were there no floors."""
    left = {place: _left_of(whole, terms, place) for place in places}
    if terms.kind == "amount":
        weights = [left[place] for place in places]
        shares = split(min(terms.amount_cents, sum(weights)), weights) if sum(weights) else [0] * len(places)
    else:
        weights = [_base(whole, terms, place, left[place]) for place in places]
        total = pricing.round_half_up(sum(weights) * terms.percent / HUNDRED)
        shares = split(total, weights) if sum(weights) else [0] * len(places)
    wanted = [0] * len(whole.lines)
    for place, share in zip(places, shares, strict=True):
        wanted[place] = min(share, left[place])
    return wanted


def _left_of(whole: Bill, terms: Terms, place: int) -> int:
    """What is left to pay for the line, or for one piece of it."""
    left, quantity = whole.left[place], whole.lines[place].quantity
    if terms.scope != "cheapest" or quantity <= 1:
        return left
    return pricing.round_half_up(left / quantity)


def _base(whole: Bill, terms: Terms, place: int, left: int) -> int:
    """What the percent is of."""
    if terms.base == "after":
        return left
    line = whole.lines[place]
    quantity = min(line.quantity, Decimal(1)) if terms.scope == "cheapest" else line.quantity
    price = line.unit_price if line.list_price is None else line.list_price
    return pricing.to_minor(quantity * price, exponent=whole.exponent)


def _off_lines(whole: Bill, terms: Terms, *, wanted: list[int]) -> Applied:
    """As much of what is wanted as the highest discount and the floors let through."""
    asked = sum(wanted)
    if not asked:
        return _refused(whole, terms, Refusal.NOTHING_LEFT)
    given = [min(off, whole.room_of_line(place)) for place, off in enumerate(wanted)]
    given = _capped(_capped(given, terms.max_discount_cents), whole.room_of_order())
    if not sum(given):
        return _refused(whole, terms, Refusal.MARGIN_FLOOR, held_back_cents=asked)
    return Applied(terms=terms, lines=tuple(given), held_back_cents=asked - sum(given))


def _capped(amounts: list[int], most: int | None) -> list[int]:
    return amounts if most is None or sum(amounts) <= most else split(most, amounts)


def _free_shipping(whole: Bill, terms: Terms) -> Applied:
    """Shipping is no goods: floors do not look at it, the highest discount does."""
    if not whole.shipping_left:
        return _refused(whole, terms, Refusal.NOTHING_LEFT)
    most = whole.shipping_left if terms.max_discount_cents is None else terms.max_discount_cents
    off = min(whole.shipping_left, most)
    held_back = whole.shipping_left - off
    return Applied(terms=terms, lines=(0,) * len(whole.lines), shipping_cents=off, held_back_cents=held_back)


def _free_item(whole: Bill, terms: Terms) -> Applied:
    """Pieces that are in the basket come to nothing, the others on top of it. Only the order's floor holds for them."""
    if terms.gift is None:
        raise ValueError("A free item without an item.")
    lines, missing = _free_in_basket(whole, terms.gift)
    on_top = terms.gift.list_cents * missing
    if not whole.can_give(sum(lines), on_top_cost=terms.gift.cost_cents * missing):
        return _refused(whole, terms, Refusal.MARGIN_FLOOR, held_back_cents=sum(lines) + on_top)
    free = ((terms.gift.sku, missing),) if missing else ()
    return Applied(terms=terms, lines=tuple(lines), free=free, free_cents=on_top)


def _free_in_basket(whole: Bill, gift: Gift) -> tuple[list[int], int]:
    """Cents off each line, and how many pieces are not in the basket."""
    off, missing = [0] * len(whole.lines), Decimal(gift.quantity)
    for place in whole.goods:
        line = whole.lines[place]
        if line.product_id == gift.product_id and missing >= 1 and line.quantity >= 1:
            pieces = min(missing, line.quantity // 1)
            off[place] = min(whole.left[place], pricing.round_half_up(whole.left[place] * pieces / line.quantity))
            missing -= pieces
    return off, int(missing)


def least(cost_cents: int, floor: Decimal) -> int:
    """The least that something of this cost may come to, so that the share `floor` of it is margin."""
    return int((cost_cents / (1 - floor)).to_integral_value(rounding=ROUND_CEILING))
