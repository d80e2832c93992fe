"""The arithmetic of order lines: net, margin, shares. Integers are minor units; ties round away from zero.

The set-based statements of customers.services.merging do the same in SQL (round(numeric) rounds as ROUND_HALF_UP does).
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext


def to_minor(amount: Decimal, *, exponent: int) -> int:
    """An amount in the main unit as an integer of the minor unit: 2.675 with exponent 2 is 268."""
    return round_half_up(amount.scaleb(exponent))


def round_half_up(value: Decimal) -> int:
    with localcontext() as context:
        context.prec = 50
        return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def line_net(*, quantity: Decimal, unit_price: Decimal, discount_cents: int = 0, exponent: int) -> int:
    """Quantity × price, rounded once per line, less the line's discount."""
    return to_minor(quantity * unit_price, exponent=exponent) - discount_cents


def margin(*, net_cents: int, quantity: Decimal, unit_cost: Decimal | None, margin_rate: Decimal, exponent: int) -> int:
    """Net less the cost of `quantity` on the day of sale; without a cost, net × rate."""
    if unit_cost is None:
        return round_half_up(net_cents * margin_rate)
    return net_cents - to_minor(unit_cost * quantity, exponent=exponent)


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Shares of `total` in proportion to `weights` (none negative) that add up to it: the largest remainders get the
    units left over, the earlier share on a tie. Without any weight all shares are alike.
    """
    if not weights:
        if total:
            raise ValueError("Nothing to split among.")
        return []
    if min(weights) < 0:
        raise ValueError("A weight is negative.")
    scale = sum(weights)
    if scale == 0:
        return split(total, [1] * len(weights))
    size, sign = abs(total), 1 if total >= 0 else -1
    shares = [size * weight // scale for weight in weights]
    left = size - sum(shares)
    order = sorted(range(len(weights)), key=lambda i: (-(size * weights[i] % scale), i))
    for i in order[:left]:
        shares[i] += 1
    return [sign * share for share in shares]


def refund_margin(
    *,
    net_cents: int,
    margin_cents: int,
    unit_cost: Decimal | None,
    before: tuple[Decimal, int],
    back: tuple[Decimal, int],
    exponent: int,
) -> int:
    """What a refund takes from the margin of a line of `net_cents`, `margin_cents`.

    `before` is (quantity, cents) that had come back already, `back` what comes back now. Differences of totals, so that
    the parts of a line that came back whole add up to its margin.
    """

    def total(returned: Decimal, cents: int) -> int:
        if unit_cost is not None:
            return cents - to_minor(unit_cost * returned, exponent=exponent)
        return round_half_up(Decimal(margin_cents) * cents / net_cents) if net_cents else 0

    return total(before[0] + back[0], before[1] + back[1]) - total(*before)
