"""The gift on the birthday: points, a code of an offer, or both, at most once in twelve months, whatever becomes of the
date of birth meanwhile.

Only members get it: customers who have an account of points, and a birthday that somebody told.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Right

from core import business as settings_row
from customers import birthdays
from customers.models import Customer
from loyalty import expiry, tiering
from loyalty.models import BirthdayGift, BirthdayGiven, Offer, Tier
from loyalty.selectors import programme as programmes
from loyalty.selectors import tiers as standings
from loyalty.services import given_codes, points, tiers

CATCH_UP_DAYS: Final = 7  # birthdays that a night which did not come has missed
TOLD_DAYS: Final = 60  # so long the page of a customer who does not come tells of it


def gift() -> BirthdayGift:
    """The row is made on first use; without points and offer nothing is given."""
    row, _ = BirthdayGift.objects.select_related("offer", "tier").get_or_create(id=1)
    return row


def locked() -> BirthdayGift:
    """The row under a lock: for a transaction that decides by it and then writes it."""
    return BirthdayGift.objects.select_for_update(no_key=True).get(pk=gift().pk)


def set_gift(*, amount: int, tier: Tier | None, offer: Offer | None = None, code_days: int = 30) -> BirthdayGift:
    """`tier`: this one and those above get it; None: every member."""
    row = gift()
    row.points, row.tier, row.offer, row.code_days = amount, tier, offer, code_days
    row.save(update_fields=["points", "tier", "offer", "code_days"])
    return row


def give(*, at: datetime) -> int:
    """Give what is due today or was missed in the last days; returns how many got something. May be called again."""
    row, programme = gift(), programmes.current()
    offer = row.offer if row.offer and row.offer.is_running(at) else None
    if not (row.points or offer) or not programme.is_running:
        return 0
    today = at.astimezone(settings_row.current().zone).date()
    return sum(_give(customer_id, row, offer, on=today, at=at) for customer_id in _due(row, today=today, at=at))


def _due(row: BirthdayGift, *, today: date, at: datetime) -> Iterator[int]:
    keys = [key for days in range(CATCH_UP_DAYS) for key in birthdays.keys(today - timedelta(days=days))]
    born = Customer.objects.alias(key=Right("birthday", 5)).filter(key__in=keys).exclude(birthday="")
    members = born.filter(archived_at=None, account__isnull=False, account__merged_into=None)
    ids = list(members.exclude(Exists(_given(today))).order_by("pk").values_list("pk", flat=True))
    if row.tier is None:
        yield from ids
        return
    found = standings.tiers_at(ids, at)
    yield from (pk for pk in ids if pk in found and found[pk].threshold >= row.tier.threshold)


def _given(today: date) -> QuerySet[BirthdayGiven]:
    """Gifts of the last twelve months."""
    return BirthdayGiven.objects.filter(customer=OuterRef("pk"), given_on__gte=tiering.window("rolling", today).first)


@transaction.atomic
def _give(customer_id: int, row: BirthdayGift, offer: Offer | None, *, on: date, at: datetime) -> bool:
    """One gift. Two processes give it once: the customer's row is locked, and the gift looked for again; nobody else's
    gifts are those of somebody who was merged meanwhile.
    """
    locked = Customer.objects.select_for_update(no_key=True).filter(pk=customer_id, archived_at=None)
    if not locked.exclude(Exists(_given(on))).exists():
        return False
    if row.points:
        _give_points(customer_id, row.points, on=on, at=at)
    code = given_codes.give(offer=offer, customer_id=customer_id, days=row.code_days, at=at) if offer else None
    BirthdayGiven.objects.create(customer_id=customer_id, given_on=on, points=row.points, code=code)
    return True


def _give_points(customer_id: int, number: int, *, on: date, at: datetime) -> None:
    business, programme = settings_row.current(), programmes.current()
    expires_at = expiry.expires_at(programmes.terms(programme, business), active_at=at)
    key = f"birthday:{customer_id}:{on}"
    points.earn(customer_id=customer_id, points=number, key=key, at=at, expires_at=expires_at, reason="Birthday")
    tiers.settle(customer_ids=[customer_id], business=business, at=at)


def unseen(customer_id: int, *, at: datetime) -> BirthdayGiven | None:
    """The gift that the customer was not told of yet; of an old one there is nothing to say any more."""
    first = at.astimezone(settings_row.current().zone).date() - timedelta(days=TOLD_DAYS)
    rows = BirthdayGiven.objects.filter(customer_id=customer_id, seen_at=None, given_on__gte=first)
    return rows.select_related("code__offer__free_product").order_by("-given_on").first()


def mark_seen(*, customer_id: int, at: datetime) -> int:
    return BirthdayGiven.objects.filter(customer_id=customer_id, seen_at=None).update(seen_at=at)
