"""What a basket or an order would earn: the rules that hold at a moment, applied to lines. Nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import Q, QuerySet

from core import business as settings_row
from customers.models import Order
from loyalty import earning, expiry, worth
from loyalty.baskets import BasketLine
from loyalty.earning import Line, Rule
from loyalty.models import EarningRule, Programme, Standing
from loyalty.selectors import programme as programmes

WHOLE: Final = earning.WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleShare:
    """What one rule gives for each line."""

    rule: EarningRule
    points: list[int]

    @property
    def total(self) -> int:
        return sum(self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnQuote:
    """Points for each line in its order, when they would become active and expire, and what they are worth."""

    lines: list[int]
    shares: list[RuleShare]
    multiplier: Decimal
    active_at: datetime
    expires_at: datetime | None
    cost_cents: int

    @property
    def points(self) -> int:
        return sum(self.lines)


def quote_earn(
    *, customer_id: int | None, lines: Sequence[BasketLine], at: datetime, discounts: Sequence[int] = ()
) -> EarnQuote:
    """What a customer would earn for a basket that is paid now; nobody's tier counts for a guest.

    `discounts` are cents off each line. Whether the programme is switched on does not matter.
    """
    programme = programmes.current()
    cents_off = list(discounts) or [0] * len(lines)
    before = programme.earn_base == Programme.EarnBase.BEFORE
    told = [
        Line(
            base_cents=line.net_cents if before else line.net_cents - off,
            quantity=line.quantity,
            product_id=line.product_id,
            category_id=line.category_id,
            counts=line.is_goods,
        )
        for line, off in zip(lines, cents_off, strict=True)
    ]
    return _quote(programme, told, multiplier_of(customer_id, at), at)


def quote_order(order: Order, *, at: datetime) -> EarnQuote:
    """The same for an order as it stands, under the rules that hold at `at`."""
    programme = programmes.current()
    before = programme.earn_base == Programme.EarnBase.BEFORE
    told = [
        Line(
            base_cents=earning.base_cents(
                net_cents=line.net_cents, discount_cents=line.discount_cents, before_discount=before
            ),
            quantity=line.quantity,
            product_id=line.product_id,
            category_id=line.product.category_id,
            counts=line.counts,
        )
        for line in order.lines.select_related("product").order_by("position")
    ]
    return _quote(programme, told, multiplier_of(order.customer_id, at), at)


def rules_at(at: datetime) -> QuerySet[EarningRule]:
    """The rules for orders that hold at a moment."""
    holds = Q(starts_at__lte=at) & (Q(ends_at=None) | Q(ends_at__gt=at))
    return EarningRule.objects.filter(holds).exclude(kind=EarningRule.Kind.SEGMENT).order_by("pk")


def multiplier_of(customer_id: int | None, at: datetime) -> int:
    """What the customer's tier makes of points, in percent."""
    if customer_id is None:
        return WHOLE
    today = at.astimezone(settings_row.current().zone).date()
    kept = Standing.objects.filter(customer_id=customer_id, tier__isnull=False).select_related("tier")
    standing = kept.filter(Q(until=None) | Q(until__gte=today)).first()
    return int(standing.tier.multiplier * WHOLE) if standing is not None and standing.tier is not None else WHOLE


def _quote(programme: Programme, lines: Sequence[Line], multiplier: int, at: datetime) -> EarnQuote:
    rows = list(rules_at(at).select_related("product", "category"))
    by_rule = earning.by_rule(lines, [_plain(row) for row in rows], multiplier=multiplier)
    points = [sum(of_rule[number] for of_rule in by_rule) for number in range(len(lines))]
    terms = programmes.terms(programme)
    active_at = expiry.active_at(terms, earned_on=at.astimezone(terms.zone).date(), at=at)
    return EarnQuote(
        lines=points,
        shares=[RuleShare(rule=row, points=share) for row, share in zip(rows, by_rule, strict=True) if any(share)],
        multiplier=Decimal(multiplier) / WHOLE,
        active_at=active_at,
        expires_at=expiry.expires_at(terms, active_at=active_at),
        cost_cents=worth.cents_of(sum(points), worth_cents=programme.worth_cents),
    )


def _plain(row: EarningRule) -> Rule:
    return Rule(
        kind=row.kind,
        points=row.points,
        per_cents=row.per_cents,
        minimum_cents=row.minimum_cents,
        product_id=row.product_id,
        category_id=row.category_id,
        is_extra=row.is_extra,
        is_multiplied=row.is_multiplied,
    )
