"""What a basket earns under rules: integer points for each line. Plain values in and out.

Each rule is worked out for the whole order and rounded down once, so that ten lines of 0.99 earn what one of 9.90 does;
the points of an order are then split among its lines by largest remainder, because refunds go by line. Nothing falls
below zero: a negative line only lowers what the others earn. A line that costs nothing earns nothing.
The statements of loyalty.services.crediting do the same in SQL; a test holds the two together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from customers.pricing import split

WHOLE: Final = 100  # of a multiplier, in percent
MOST_POINTS: Final = 10**10  # that one rule gives for one order


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of an order. `base_cents` is what points are counted on; lines that are no order value do not count."""

    base_cents: int
    quantity: Decimal = Decimal(1)
    product_id: int | None = None
    category_id: int | None = None
    counts: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`points` for each `per_cents` (money), for each piece, or once per order, of what the rule is for."""

    kind: str = "money"
    points: int = 1
    per_cents: int = 100
    minimum_cents: int = 0
    product_id: int | None = None
    category_id: int | None = None
    is_extra: bool = False
    is_multiplied: bool = True

    @property
    def width(self) -> int:
        """How wide its scope is: a product, a category, everything."""
        return 0 if self.product_id is not None else 1 if self.category_id is not None else 2

    def covers(self, line: Line) -> bool:
        if self.product_id is not None:
            return self.product_id == line.product_id
        return self.category_id is None or self.category_id == line.category_id


def base_cents(*, net_cents: int, discount_cents: int, before_discount: bool) -> int:
    """What points of a line are counted on: what is paid, or the price before the line's discount."""
    return net_cents + discount_cents if before_discount else net_cents


def applying(rules: Sequence[Rule], line: Line) -> list[bool]:
    """For each rule whether the line earns by it: those of the narrowest scope that covers it, and extra ones."""
    covering = [line.counts and rule.covers(line) for rule in rules]
    widths = [rule.width for rule, covers in zip(rules, covering, strict=True) if covers and not rule.is_extra]
    narrowest = min(widths, default=-1)
    return [covers and (rule.is_extra or rule.width == narrowest) for rule, covers in zip(rules, covering, strict=True)]


def by_rule(lines: Sequence[Line], rules: Sequence[Rule], *, multiplier: int = WHOLE) -> list[list[int]]:
    """Points of each rule (outer) for each line (inner). `multiplier` is the tier's, in percent."""
    applied = [applying(rules, line) for line in lines]
    return [
        _of_rule(rule, lines, [row[number] for row in applied], multiplier if rule.is_multiplied else WHOLE)
        for number, rule in enumerate(rules)
    ]


def earned(lines: Sequence[Line], rules: Sequence[Rule], *, multiplier: int = WHOLE) -> list[int]:
    """Points of each line."""
    return [sum(column) for column in zip(*by_rule(lines, rules, multiplier=multiplier), strict=True)] or [0] * len(
        lines
    )


def _of_rule(rule: Rule, lines: Sequence[Line], applies: Sequence[bool], multiplier: int) -> list[int]:
    bases = [line.base_cents if here else 0 for line, here in zip(lines, applies, strict=True)]
    weights = [_weight(rule, line, base) for line, base in zip(lines, bases, strict=True)]
    total = _total(rule, sum(bases), sum(weights), multiplier)
    return split(total, weights) if total else [0] * len(lines)


def _weight(rule: Rule, line: Line, base: int) -> int:
    """A line's part of the points: by money, or by pieces in thousandths."""
    if base <= 0:
        return 0
    return int(line.quantity * 1000) if rule.kind == "piece" else base


def _total(rule: Rule, base: int, weight: int, multiplier: int) -> int:
    """Points of the rule for the order, rounded down."""
    if base <= 0 or base < rule.minimum_cents or not weight:
        return 0
    if rule.kind == "money":
        points = base * rule.points * multiplier // (rule.per_cents * WHOLE)
    elif rule.kind == "piece":
        points = weight * rule.points * multiplier // (1000 * WHOLE)
    else:
        points = rule.points * multiplier // WHOLE
    return min(points, MOST_POINTS)
