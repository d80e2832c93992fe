"""How much of what a line earned goes when something of it comes back. Plain values in and out."""

from decimal import Decimal


def kept(
    *,
    points: int,
    net_cents: int,
    refunded_cents: int,
    quantity: Decimal = Decimal(1),
    refunded_quantity: Decimal = Decimal(0),
) -> int:
    """Points that stay of a line that earned `points`, after all refunds so far.

    In proportion to the net value that was paid back, of the whole line and not of each refund, so that the parts of a
    line that comes back bit by bit add up to what it earned. What goes is rounded down. A line that cost nothing goes
    by its pieces.
    """
    part, whole = refunded_cents, net_cents
    if not net_cents:
        part, whole = int(refunded_quantity * 1000), int(quantity * 1000)
    return points - points * abs(part) // abs(whole) if whole else points
