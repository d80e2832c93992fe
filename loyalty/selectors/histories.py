"""A customer's points as staff see them: lots, holds, and every posting with what it took from which lot."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import F, Q, QuerySet, Sum, Window
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.formulas import plain
from customers.models import Order
from loyalty import naming
from loyalty.models import Allocation, Hold, Lot, Posting, Redemption
from loyalty.selectors import points

Kind = Posting.Kind
PAGE_ROWS: Final = 25
MOST_LOTS: Final = 200
AT_ONCE: Final = 2_000
NAMED: Final = (
    *("adjustment__asked_by", "adjustment__asked_program", "adjustment__decided_by", "adjustment__decided_program"),
    *("by", "order", "source__order"),
)
GROUPS: Final[Mapping[str, tuple[Promise, tuple[Kind, ...]]]] = {
    "": (gettext_lazy("All"), tuple(Kind)),
    "earned": (gettext_lazy("Earned"), (Kind.EARN, Kind.ACTIVATE)),
    "spent": (gettext_lazy("Spent"), (Kind.REDEEM, Kind.HOLD, Kind.COMMIT, Kind.RELEASE, Kind.GIVE_BACK)),
    "lost": (gettext_lazy("Expired or taken back"), (Kind.EXPIRE, Kind.REVERSE)),
    "hand": (gettext_lazy("Adjusted or merged"), (Kind.ADJUST, Kind.MERGE)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A posting with the balance after it, what it took from which lot, and the redemption that it belongs to."""

    posting: Posting
    balance: int
    parts: Sequence[Allocation]
    redemption: Redemption | None

    @property
    def order(self) -> Order | None:
        """Its own, or that of the posting that it is about: points that become active came with an order."""
        source = self.posting.source
        return self.posting.order or (source.order if source else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LotRow:
    """`left`: as of now, also where nothing has posted yet what time has decided."""

    lot: Lot
    left: int
    is_pending: bool
    is_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    hold: Hold
    redemption: Redemption | None


def rows(customer_id: int, *, group: str, page: str) -> tuple[Page[Posting], list[Row]]:
    """One page of postings, the latest first. `group` is one of GROUPS; what is none of them is all."""
    kinds = GROUPS.get(group, GROUPS[""])[1]
    whole = points.statement(customer_id=customer_id)
    named = whole.select_related(*NAMED)
    shown = Paginator(named.filter(kind__in=kinds), PAGE_ROWS).get_page(page)
    return shown, _told(list(points.with_balance(shown.object_list, whole)))  # type: ignore[arg-type]


def latest(customer_id: int, *, most: int) -> list[Row]:
    """The last postings that changed what can be spent."""
    whole = points.statement(customer_id=customer_id)
    found = whole.select_related(*NAMED).exclude(points=0)[:most]
    return _told(list(points.with_balance(found, whole)))


def _told(postings: Sequence[Posting]) -> list[Row]:
    parts, redemptions = _parts(postings), _redemptions(postings)
    return [
        Row(
            posting=posting,
            balance=posting.balance,  # type: ignore[attr-defined]
            parts=parts[posting.pk],
            redemption=redemptions.get(posting.pk) or redemptions.get(posting.source_id or 0),
        )
        for posting in postings
    ]


def _parts(postings: Sequence[Posting]) -> Mapping[int, list[Allocation]]:
    found: defaultdict[int, list[Allocation]] = defaultdict(list)
    for part in Allocation.objects.filter(posting__in=postings).select_related("lot").order_by("pk"):
        found[part.posting_id].append(part)
    return found


def _redemptions(postings: Sequence[Posting]) -> dict[int, Redemption]:
    """By the posting that spent or held the points; what gives them back names that one as its source."""
    ids = {pk for posting in postings for pk in (posting.pk, posting.source_id) if pk is not None}
    holds = dict(Hold.objects.filter(posting__in=ids).values_list("pk", "posting_id"))
    found = Redemption.objects.filter(Q(posting_id__in=ids) | Q(hold_id__in=holds)).select_related("reward")
    by_posting: dict[int, Redemption] = {}
    for one in found:
        by_posting |= {pk: one for pk in (one.posting_id, holds.get(one.hold_id or 0)) if pk is not None}
    return by_posting


def lots(customer_id: int, *, at: datetime, also_used: bool) -> list[LotRow]:
    """What is left of each, in the order in which it is spent; `also_used`: then the others, the latest first."""
    left = {batch.id: batch.left for batch in points.standing(customer_id=customer_id, at=at).lots}
    named = Lot.objects.select_related("posting__order", "posting__adjustment")
    live = named.in_bulk(list(left)[:MOST_LOTS])
    found = [live[pk] for pk in left if pk in live]
    account = points.account_of(customer_id) if also_used else None
    if account is not None:
        used = named.filter(account=account).exclude(pk__in=left).order_by("-earned_at", "-pk")
        found += used[: MOST_LOTS - len(found)]
    return [_lot(lot, left.get(lot.pk, 0), at) for lot in found]


def _lot(lot: Lot, left: int, at: datetime) -> LotRow:
    is_over = lot.expires_at is not None and lot.expires_at <= at
    return LotRow(lot=lot, left=left, is_pending=lot.active_at > at, is_over=is_over)


def holds(customer_id: int, *, at: datetime) -> list[HoldRow]:
    """Points that are set aside now, those that return first at the top."""
    account = points.account_of(customer_id)
    found = Hold.objects.filter(account=account, state=Hold.State.OPEN, until__gt=at).select_related("posting")
    open_holds = list(found.order_by("until", "pk")) if account else []
    of = Redemption.objects.filter(hold_id__in=[one.pk for one in open_holds]).select_related("reward")
    by_hold = {one.hold_id: one for one in of}
    return [HoldRow(hold=one, redemption=by_hold.get(one.pk)) for one in open_holds]


def export(customer_id: int) -> Iterator[Sequence[Any]]:
    """All postings as rows of a file, the oldest first; `lots` are pairs of a lot's number and points taken from it."""
    yield (
        *(_("number"), _("when"), _("recorded"), _("what"), naming.said("%(points)s")),
        *(naming.said(_("pending %(points)s")), naming.said(_("held %(points)s"))),
        *(_("balance"), _("order"), _("reason"), _("by"), _("key"), _("lots")),
    )
    for posting in _in_order(points.statement(customer_id=customer_id)).iterator(chunk_size=AT_ONCE):
        taken = " ".join(f"{part.lot_id}:{part.points}" for part in posting.allocations.all())
        yield (
            *(posting.pk, _time(posting.at), _time(posting.recorded_at), posting.get_kind_display()),
            *(posting.points, posting.pending_points, posting.held_points),
            posting.balance,  # type: ignore[attr-defined]
            *(plain(posting.order.external_id if posting.order else ""), plain(_reason(posting))),
            *(plain(str(posting.by or "")), plain(posting.key), taken),
        )


def _in_order(whole: QuerySet[Posting]) -> QuerySet[Posting]:
    balance = Window(Sum("points"), order_by=F("pk").asc())
    return whole.select_related("by", "order").prefetch_related("allocations").annotate(balance=balance).order_by("pk")


def _reason(posting: Posting) -> str:
    """What a person wrote, or what the programme did."""
    adjustment = getattr(posting, "adjustment", None)
    return adjustment.reason if adjustment else posting.reason


def _time(at: datetime) -> str:
    return timezone.localtime(at).isoformat(timespec="seconds")
