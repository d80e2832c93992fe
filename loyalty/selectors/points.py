"""What a customer's points are at a time: exact also where nothing has posted yet what time has decided."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum

from loyalty import settling
from loyalty.models import Account, Allocation, Hold, Lot, Posting
from loyalty.settling import Batch, Returned


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """`lots` in the order in which they are spent, then pending ones among them: each with something left."""

    balance: int = 0
    pending: int = 0
    held: int = 0
    lots: list[Batch] = field(default_factory=list)

    def coming(self, at: datetime, *, zone: ZoneInfo) -> list[tuple[date, int]]:
        """(day, how many) of all that cannot be spent yet, the next first."""
        days: defaultdict[date, int] = defaultdict(int)
        for lot in self.lots:
            if lot.active_at > at:
                days[lot.active_at.astimezone(zone).date()] += lot.left
        return sorted(days.items())

    def expiring(self) -> list[tuple[datetime, int]]:
        """(when, how many) of all that expires some day and can be spent or will be, the next first."""
        days: defaultdict[datetime, int] = defaultdict(int)
        for lot in self.lots:
            if lot.expires_at is not None:
                days[lot.expires_at] += lot.left
        return sorted(days.items())


def standing(*, customer_id: int, at: datetime) -> Points:
    """Balance, pending and held points, with lots. `at` is now: the past is in the statement."""
    account = account_of(customer_id)
    if account is None:
        return Points()
    is_due = account.due_at is not None and account.due_at <= at
    returned = _returned(account, at) if is_due else []
    batches = _batches(account, [one.lot for one in returned])
    now = settling.settled(balance=account.balance, batches=batches, returned=returned, at=at)
    return Points(
        balance=now.balance,
        pending=now.pending,
        held=account.held - sum(one.points for one in returned),
        lots=[replace(batch, left=now.left[batch.id]) for batch in batches if now.left[batch.id]],
    )


def account_of(customer_id: int) -> Account | None:
    """The account that the customer's points are in now."""
    account = Account.objects.select_related("merged_into").filter(customer_id=customer_id).first()
    while account is not None and account.merged_into is not None:
        account = account.merged_into
    return account


def family(account: Account) -> list[int]:
    """The account with those that were merged into it, whose postings are its history."""
    found = fresh = [account.pk]
    while fresh := list(Account.objects.filter(merged_into__in=fresh).order_by("pk").values_list("pk", flat=True)):
        found = found + fresh
    return found


def statement(*, customer_id: int) -> QuerySet[Posting]:
    """All postings of a customer, the latest first, with the adjustments that say why."""
    account = account_of(customer_id)
    rows = Posting.objects.none() if account is None else Posting.objects.filter(account__in=family(account))
    return rows.select_related("adjustment").order_by("-pk")


def with_balance(rows: QuerySet[Posting], whole: QuerySet[Posting]) -> QuerySet[Posting]:
    """`rows` of the statement `whole` with `balance`: the sum of all changes up to each, also of those left out."""
    before = whole.filter(pk__lte=OuterRef("pk")).order_by().values("points").annotate()
    told = before.values(one=OuterRef("pk")).annotate(all=Sum("points")).values("all")
    return rows.annotate(balance=Subquery(told))


def _returned(account: Account, at: datetime) -> list[Returned]:
    """What holds that ran out took from lots, in the order in which it comes back."""
    rows = (
        Allocation.objects.filter(
            posting__hold__account=account, posting__hold__state=Hold.State.OPEN, posting__hold__until__lte=at
        )
        .order_by(
            "posting__hold__until", "posting__hold", F("lot__expires_at").asc(nulls_last=True), "lot__earned_at", "lot"
        )
        .values_list("lot_id", "points", "posting__hold__until")
    )
    return [Returned(lot=lot, points=points, at=until) for lot, points, until in rows]


def _batches(account: Account, lot_ids: list[int]) -> list[Batch]:
    lots = Lot.objects.filter(~Q(state=Lot.State.EMPTY) | Q(pk__in=lot_ids), account=account)
    return [
        Batch(
            id=lot.pk,
            points=lot.points,
            left=lot.points_left,
            active_at=lot.active_at,
            expires_at=lot.expires_at,
            is_pending=lot.state == Lot.State.PENDING,
        )
        for lot in lots.order_by(F("expires_at").asc(nulls_last=True), "earned_at", "pk")
    ]
