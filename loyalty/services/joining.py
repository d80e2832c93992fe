"""Two customers are one person: points, and everything that hangs on them, become one customer's.

Call it in the transaction that joins their facts. Locks: the accounts first, then the rows that hang on them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, Model, OuterRef
from django.utils.translation import gettext as _

from core import business as settings_row
from core.models import User
from customers.models import Customer
from loyalty.models import Account, Act, Adjustment, BirthdayGiven, Code, Redemption, Use
from loyalty.selectors import programme
from loyalty.services import events, merging, referrals, tiers

# What simply follows its customer, by the column that names her.
FOLLOWS: Final[dict[type[Model], str]] = {
    Redemption: "customer",
    Code: "holder",
    Use: "customer",
    Act: "customer",
    Adjustment: "customer",
}


@dataclass(frozen=True, kw_only=True)
class Joined:
    """What came over: points that can be spent (below zero: a debt) and those that wait."""

    points: int = 0
    pending_points: int = 0
    redemptions: int = 0
    codes: int = 0


@transaction.atomic
def join(*, into: Customer, other: Customer, by: User | None, at: datetime) -> Joined:
    """Raises AccountHasHolds while one of them has points on hold, and then nothing is changed."""
    posting = None
    if programme.is_open() or Account.objects.filter(customer__in=[into, other]).exists():
        key = f"merge:{other.pk}:{into.pk}"
        posting = merging.merge(into=into.pk, other=other.pk, key=key, at=at, by=by.pk if by else None)
    moved = {
        model: model._default_manager.filter(**{column: other}).update(**{column: into})
        for model, column in FOLLOWS.items()
    }
    _keep_gifts(into=into.pk, other=other.pk)
    events.join(into=into.pk, other=other.pk, at=at)
    referrals.join(into=into.pk, other=other.pk, at=at)
    note = _("Merged: %(other)s is %(into)s") % {"other": other.pk, "into": into.pk}
    tiers.join(into=into.pk, other=other.pk, note=note, by=by, business=settings_row.current(), at=at)
    return Joined(
        points=posting.points if posting else 0,
        pending_points=posting.pending_points if posting else 0,
        redemptions=moved[Redemption],
        codes=moved[Code],
    )


def _keep_gifts(*, into: int, other: int) -> None:
    """So that nobody gets a second gift within twelve months; of two on one day one says enough."""
    same_day = BirthdayGiven.objects.filter(customer=into, given_on=OuterRef("given_on"))
    BirthdayGiven.objects.filter(~Exists(same_day), customer=other).update(customer=into)
