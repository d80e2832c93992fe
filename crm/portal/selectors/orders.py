"""A customer's orders as they read them: what was bought, what came back, and the points of it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.core.paginator import Page, Paginator
from django.db.models import F, Sum

from customers.models import Customer, Order, OrderLine, Refund
from loyalty.models import Posting

PAGE_ORDERS: Final = 20


@dataclass(frozen=True, kw_only=True)
class Bought:
    order: Order
    lines: Sequence[OrderLine]
    refunded_cents: int
    points: int  # earned less taken back, pending ones too

    @property
    def paid_cents(self) -> int:
        """With tax and shipping, as the customer paid it."""
        return self.order.net_cents + self.order.tax_cents + self.order.shipping_cents


def orders(customer: Customer, *, page: str) -> tuple[Page[Order], list[Bought]]:
    """One page, the latest first. Five queries."""
    rows = Order.objects.filter(customer=customer).order_by("-placed_at", "-pk")
    shown = Paginator(rows, PAGE_ORDERS).get_page(page)
    return shown, _told(list(shown.object_list))


def _told(rows: Sequence[Order]) -> list[Bought]:
    ids = [row.pk for row in rows]
    lines: dict[int, list[OrderLine]] = defaultdict(list)
    for line in OrderLine.objects.select_related("product").filter(order__in=ids).order_by("order_id", "position"):
        lines[line.order_id].append(line)
    refunded = _sums(Refund.objects.filter(order__in=ids).values_list("order").annotate(all=Sum("net_cents")))
    points = _points(ids)
    return [
        Bought(order=row, lines=lines[row.pk], refunded_cents=refunded.get(row.pk, 0), points=points.get(row.pk, 0))
        for row in rows
    ]


def _points(order_ids: Sequence[int]) -> dict[int, int]:
    """What orders earned and refunds took back of it, by order."""
    counted = Posting.objects.filter(order__in=order_ids, kind__in=[Posting.Kind.EARN, Posting.Kind.REVERSE])
    return _sums(counted.values_list("order").annotate(all=Sum(F("points") + F("pending_points"))))


def _sums(pairs: object) -> dict[int, int]:
    return dict(pairs)  # type: ignore[call-overload, no-any-return]
