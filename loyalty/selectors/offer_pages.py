"""Offers, their codes and uses, as the desk shows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q, QuerySet
from django.utils.translation import gettext as _

from core.models import Business, Job
from loyalty import codes as pure
from loyalty import offer_terms
from loyalty.models import Code, Offer, Use
from loyalty.selectors import offers as found
from loyalty.services import codes

PAGE_ROWS: Final = 50
FULL_PERCENT: Final = 100
TABS: Final = ("", Offer.State.PAUSED, Offer.State.ENDED, "all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An offer in the list. `percent` of the budget is spent; None without one."""

    offer: Offer
    headline: str
    percent: int | None
    codes: int
    is_over: bool  # its time is over, or it was ended


def of_tab(tab: str) -> QuerySet[Offer]:
    if tab == "all":
        return Offer.objects.all()
    return Offer.objects.filter(state=tab if tab in TABS and tab else Offer.State.ACTIVE)


def counts() -> dict[str, int]:
    """How many offers stand behind each tab. One query."""
    by_state: dict[str, int] = dict(Offer.objects.order_by().values_list("state").annotate(Count("pk")))
    own = {tab: by_state.get(tab or Offer.State.ACTIVE, 0) for tab in TABS}
    return {**own, "all": sum(by_state.values())}


def page(tab: str, *, number: str) -> Page[Any]:
    """Each with the number of its codes as `code_count`."""
    rows = found.with_terms(of_tab(tab)).annotate(code_count=Count("codes"))
    return Paginator(rows.order_by("-pk"), PAGE_ROWS).get_page(number)


def rows(offers: Sequence[Any], *, business: Business, at: datetime) -> list[Row]:
    return [
        Row(
            offer=offer,
            headline=offer_terms.headline(offer, currency=business.currency),
            percent=spent_percent(offer),
            codes=offer.code_count,
            is_over=is_over(offer, at=at),
        )
        for offer in offers
    ]


def is_over(offer: Offer, *, at: datetime) -> bool:
    return offer.state == Offer.State.ENDED or (offer.ends_at is not None and offer.ends_at <= at)


def spent_percent(offer: Offer) -> int | None:
    if not offer.budget_cents:
        return None
    return min(FULL_PERCENT, offer.spent_cents * FULL_PERCENT // offer.budget_cents)


def codes_of(offer_id: int, *, search: str, number: str) -> Page[Code]:
    """Newest first; one by its code, however it is written."""
    rows = Code.objects.filter(offer_id=offer_id).select_related("holder")
    if search.strip():
        rows = rows.filter(code=pure.normalise(search) or "?")
    return Paginator(rows.order_by("-pk"), PAGE_ROWS).get_page(number)


def uses_of(offer_id: int, *, number: str) -> Page[Use]:
    rows = Use.objects.filter(offer_id=offer_id).select_related("customer", "code", "order")
    return Paginator(rows.order_by("-pk"), PAGE_ROWS).get_page(number)


def jobs_of(offer_id: int) -> list[Job]:
    """The latest jobs that made codes of this offer."""
    rows = Job.objects.filter(step=codes.MAKE, payload__offer=offer_id).select_related("progress")
    return list(rows.order_by("-pk")[:3])


def export(offer_id: int) -> Iterator[Sequence[Any]]:
    """The codes as rows of a file, with the groups that keep spreadsheets from reading numbers."""
    yield _("code"), _("holder"), _("uses at most"), _("used"), _("state")
    rows = (
        Code.objects.filter(offer_id=offer_id)
        .order_by("pk")
        .values_list("code", "label", "holder__identities__external_id", "max_uses", "used", "blocked_at")
    )
    last = None
    for code, label, holder, most, used, blocked_at in rows.iterator(chunk_size=5_000):
        if code != last:  # a holder may have several names
            state = _("blocked") if blocked_at else _("used up") if most is not None and used >= most else _("open")
            yield label or pure.shown(code), holder or "", "" if most is None else most, used, state
        last = code


def totals(offer: Offer) -> dict[str, Any]:
    """What the head of the page says of codes. One query."""
    open_codes = Q(blocked_at=None) & (Q(max_uses=None) | Q(used__lt=F("max_uses")))
    told = Code.objects.filter(offer=offer).aggregate(
        all=Count("pk"), open=Count("pk", filter=open_codes), held=Count("holder")
    )
    return {**told, "percent": spent_percent(offer)}
