"""A customer's orders, refunds, unmatched returns, points and tiers, newest first, a page at a time."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final

from django.db.models import CharField, F, Q, QuerySet, Value
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from core.models import Business
from crm.selectors import timeline_points
from crm.selectors.timeline_event import Event
from customers.models import Order, OrderLine, Product, Refund, RefundLine, UnmatchedReturn
from loyalty.models.programme import called

PAGE_EVENTS: Final = 15
PRODUCTS_NAMED: Final = 3
KINDS: Final = {
    "order": gettext_lazy("Orders"),
    "refund": gettext_lazy("Refunds"),
    "return": gettext_lazy("Other returns"),
}
TIERS: Final = {"tier": gettext_lazy("Tiers")}


@dataclass(frozen=True, kw_only=True)
class Timeline:
    days: list[tuple[date, list[Event]]]
    earlier: str  # the cursor of the next page; empty at the end
    goes_on: bool  # whether the first day began on the page before


Key = tuple[str, int, datetime]


def kinds(business: Business) -> Mapping[str, Promise | str]:
    """Points are told of where there is a programme."""
    return {**KINDS, "points": capfirst(called(business, 2)), **TIERS} if business.has_loyalty else KINDS


def timeline(*, customer_id: int, business: Business, kind: str = "", before: str = "") -> Timeline:
    """One page of events before a cursor, grouped by business date. Five queries at most, eight with points."""
    start = _read(before)
    named = [kind] if kind else list(kinds(business))
    keys = _keys(customer_id=customer_id, kinds=named, start=start)
    events = _events(keys[:PAGE_EVENTS])
    zone = business.zone
    by_day = groupby(events, key=lambda event: event.at.astimezone(zone).date())
    days = [(day, list(found)) for day, found in by_day]
    more = len(keys) > PAGE_EVENTS
    return Timeline(
        days=days,
        earlier=_write(keys[PAGE_EVENTS - 1]) if more else "",
        goes_on=bool(start and days and start[2].astimezone(zone).date() == days[0][0]),
    )


def _keys(*, customer_id: int, kinds: Sequence[str], start: Key | None) -> list[Key]:
    """Kind, id and time of the events of a page and one more."""
    sources: dict[str, tuple[QuerySet[Any], str]] = {
        "order": (Order.objects.filter(customer=customer_id), "placed_at"),
        "points": (timeline_points.postings(customer_id), "at"),
        "refund": (Refund.objects.filter(customer=customer_id), "refunded_at"),
        "return": (UnmatchedReturn.objects.filter(customer=customer_id), "returned_at"),
        "tier": (timeline_points.moves(customer_id), "at"),
    }
    parts = [_part(rows, name=name, at=at, start=start) for name, (rows, at) in sources.items() if name in kinds]
    whole = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return list(whole.order_by("-moment", "fact", "-pk")[: PAGE_EVENTS + 1])


def _part(rows: QuerySet[Any], *, name: str, at: str, start: Key | None) -> QuerySet[Any]:
    if start is not None:
        kind, pk, moment = start
        # At the same moment kinds follow each other by name, and within a kind the ids fall.
        rows = rows.filter(**{f"{at}__lte" if name >= kind else f"{at}__lt": moment})
        if name == kind:
            rows = rows.filter(Q(**{f"{at}__lt": moment}) | Q(pk__lt=pk))
    found: QuerySet[Any] = rows.annotate(fact=Value(name, CharField()), moment=F(at)).values_list(
        "fact", "pk", "moment"
    )
    return found


def _events(keys: Sequence[Key]) -> list[Event]:
    """The events behind the keys, in their order; each kind is read at once."""
    readers: dict[str, Callable[[list[int]], dict[int, Event]]] = {
        "order": _orders,
        "refund": _refunds,
        "return": _returns,
        "points": timeline_points.of_postings,
        "tier": timeline_points.of_moves,
    }
    found = {kind: readers[kind](ids) for kind in readers if (ids := [pk for name, pk, _ in keys if name == kind])}
    return [found[kind][pk] for kind, pk, _ in keys if pk in found[kind]]


def _orders(ids: list[int]) -> dict[int, Event]:
    lines = OrderLine.objects.filter(order_id__in=ids).select_related("product").order_by("order_id", "position")
    names = {pk: _goods([line.product for line in own]) for pk, own in groupby(lines, key=lambda line: line.order_id)}
    return {
        order.pk: Event(
            kind="order",
            at=order.placed_at,
            date_only=order.date_only,
            title=_("Order %(number)s") % {"number": order.external_id},
            text=name_some(names.get(order.pk, [])),
            amount_cents=order.net_cents,
            status=_status(order),
            url=order.get_absolute_url(),
        )
        for order in Order.objects.filter(pk__in=ids)
    }


def _status(order: Order) -> str:
    if order.status != Order.Status.PAID:
        return str(order.get_status_display())
    return _("Returned in full") if order.fully_refunded_on else ""


def _refunds(ids: list[int]) -> dict[int, Event]:
    lines = RefundLine.objects.filter(refund_id__in=ids).select_related("line__product").order_by("refund_id", "pk")
    names = {pk: _goods([one.line.product for one in own]) for pk, own in groupby(lines, key=lambda one: one.refund_id)}
    return {
        refund.pk: Event(
            kind="refund",
            at=refund.refunded_at,
            date_only=refund.date_only,
            title=_("Refund of order %(number)s") % {"number": refund.order.external_id},
            text=name_some(names.get(refund.pk, [])),
            amount_cents=-refund.net_cents,
            url=refund.order.get_absolute_url(),
        )
        for refund in Refund.objects.filter(pk__in=ids).select_related("order")
    }


def _returns(ids: list[int]) -> dict[int, Event]:
    return {
        back.pk: Event(
            kind="return",
            at=back.returned_at,
            date_only=back.date_only,
            title=_("Return without an order"),
            text=f"{back.product}: {_in_sentence(back.get_reason_display())}.",
            amount_cents=-back.net_cents,
        )
        for back in UnmatchedReturn.objects.filter(pk__in=ids).select_related("product")
    }


def _in_sentence(name: str) -> str:
    """A choice's name inside a sentence; German writes its nouns as they are."""
    return name if (get_language() or "").startswith("de") else name[:1].lower() + name[1:]


def _goods(products: list[Product]) -> list[str]:
    """The names of the goods; of everything where there are none."""
    return [str(item) for item in products if item.kind == Product.Kind.GOODS] or [str(item) for item in products]


def name_some(names: Iterable[str]) -> str:
    """`Beans · Filters · Tea and 4 more`: the first few different names, which may have commas in them."""
    different = list(dict.fromkeys(names))
    shown = " · ".join(different[:PRODUCTS_NAMED])
    rest = len(different) - PRODUCTS_NAMED
    return _("%(names)s and %(number)s more") % {"names": shown, "number": rest} if rest > 0 else shown


def _write(key: Key) -> str:
    kind, pk, at = key
    return base64.urlsafe_b64encode(json.dumps([kind, pk, at.isoformat()]).encode()).decode().rstrip("=")


def _read(text: str) -> Key | None:
    """The key of a cursor; None for no cursor and for one that cannot be read."""
    if not text:
        return None
    try:
        kind, pk, at = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        moment = datetime.fromisoformat(at)
    except (ValueError, TypeError):
        return None
    return (kind, pk, moment) if kind in {*KINDS, "points", *TIERS} and isinstance(pk, int) and moment.tzinfo else None
