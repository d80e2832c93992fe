"""What somebody is about to buy: lines with what it takes to discount them, and to see what is left of their margin.

Cents are minor units of the business's currency. Rules that look at a basket (offers, points, referrals) share this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext as _

from customers import pricing

split = pricing.split  # shares that always add up, by largest remainder

MOST_LINES: Final = 500
LARGEST_CENTS: Final = 10**12
LARGEST_QUANTITY: Final = Decimal(10) ** 10


class BadBasket(ValueError):
    """What is wrong, for the person who filled the basket; `position` is the line's, from 1 on, 0 for all of it."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketLine:
    """`net_cents` is quantity × unit price. Without a unit cost `margin_rate` of the list price is margin."""

    sku: str
    quantity: Decimal
    unit_price: Decimal
    net_cents: int
    list_price: Decimal | None = None  # of one piece, where it is known
    unit_cost: Decimal | None = None
    margin_rate: Decimal = Decimal("0.4")
    product_id: int | None = None
    category_id: int | None = None
    category: str = ""
    is_goods: bool = True  # shipping and fees are no goods

    def cost_cents(self, *, exponent: int) -> int:
        """What the line costs us: by its unit cost, else what the margin rate leaves of its list price."""
        if self.unit_cost is not None:
            return pricing.to_minor(self.quantity * self.unit_cost, exponent=exponent)
        whole = pricing.to_minor(self.quantity * (self.list_price or self.unit_price), exponent=exponent)
        return whole - pricing.round_half_up(whole * self.margin_rate)


def line(
    *,
    sku: str,
    quantity: Decimal,
    unit_price: Decimal,
    exponent: int,
    list_price: Decimal | None = None,
    unit_cost: Decimal | None = None,
    margin_rate: Decimal = Decimal("0.4"),
    product_id: int | None = None,
    category_id: int | None = None,
    category: str = "",
    is_goods: bool = True,
    position: int = 1,
) -> BasketLine:
    """A line that can be priced. Raises BadBasket."""
    _check(sku=sku, quantity=quantity, unit_price=unit_price, position=position)
    net_cents = pricing.line_net(quantity=quantity, unit_price=unit_price, exponent=exponent)
    if net_cents >= LARGEST_CENTS:
        raise BadBasket(_("Line %(line)s comes to too much.") % {"line": position}, position)
    return BasketLine(
        sku=sku,
        quantity=quantity,
        unit_price=unit_price,
        net_cents=net_cents,
        list_price=list_price,
        unit_cost=unit_cost,
        margin_rate=margin_rate,
        product_id=product_id,
        category_id=category_id,
        category=category,
        is_goods=is_goods,
    )


def _check(*, sku: str, quantity: Decimal, unit_price: Decimal, position: int) -> None:
    told = {"line": position, "quantity": f"{quantity:f}", "price": f"{unit_price:f}"}
    if not sku.strip():
        raise BadBasket(_("Line %(line)s names no product.") % told, position)
    if not (quantity.is_finite() and unit_price.is_finite()):
        raise BadBasket(_("Line %(line)s holds something that is no number.") % told, position)
    if quantity <= 0:
        said = _("The quantity of line %(line)s is %(quantity)s; it has to be more than zero.")
        raise BadBasket(said % told, position)
    if unit_price < 0:
        raise BadBasket(_("The price of line %(line)s is %(price)s; a price is not negative.") % told, position)
    if quantity >= LARGEST_QUANTITY:
        raise BadBasket(_("The quantity of line %(line)s is too large.") % told, position)


def check(lines: Sequence[BasketLine]) -> None:
    """Whether this can be bought at all. Raises BadBasket."""
    if not lines:
        raise BadBasket(_("The basket is empty."))
    if len(lines) > MOST_LINES:
        raise BadBasket(_("A basket holds at most %(most)s lines.") % {"most": MOST_LINES})
    if total(lines) >= LARGEST_CENTS:
        raise BadBasket(_("The basket comes to too much."))


def total(lines: Sequence[BasketLine]) -> int:
    """What all lines come to, in cents."""
    return sum(line.net_cents for line in lines)
