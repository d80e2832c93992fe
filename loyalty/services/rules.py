"""The programme's settings and rules as people set them, and switching it on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

from django.db import transaction
from django.db.models.functions import Least
from django.utils.translation import gettext as _

from core import business as settings_row
from core import doorbell
from customers.models import Category, Product, Segment
from loyalty import naming
from loyalty.models import EarningRule, Programme
from loyalty.selectors import programme as programmes

SETTINGS: Final = (
    *("name", "point_name", "points_name", "pending_days", "earn_base", "expiry", "expiry_months", "expiry_period"),
    *("expiry_month", "expiry_day", "refund_policy", "grace_days", "adjust_limit", "hold_minutes", "worth_cents"),
)


class CannotOpen(Exception):
    """The programme cannot be switched on; the message says why."""


class HasEnded(Exception):
    """The rule was ended, or another one took its place, so that it cannot be changed any more."""

    def __init__(self) -> None:
        super().__init__(_("This rule has ended meanwhile. Look at the rules that hold now, and change those."))


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleItem:
    """A rule as somebody wants it. Without a start it holds from now on."""

    name: str
    kind: str
    points: int
    per_cents: int = 100
    minimum_cents: int = 0
    product: Product | None = None
    category: Category | None = None
    segment: Segment | None = None
    is_extra: bool = False
    is_multiplied: bool = True
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def fields(self, at: datetime) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in self.__slots__}
        return told | {"starts_at": self.starts_at or at}


def locked() -> Programme:
    """The row under a lock: for a transaction that decides by it and then writes it."""
    return Programme.objects.select_for_update(no_key=True).get(pk=programmes.current().pk)


def change(*, row: Programme, settings: Mapping[str, Any]) -> None:
    """Write the settings that differ. They count for what is posted from now on."""
    changed = [name for name in SETTINGS if name in settings and getattr(row, name) != settings[name]]
    for name in changed:
        setattr(row, name, settings[name])
    row.save(update_fields=changed)


@transaction.atomic
def switch_on(*, credit_from: date | None, at: datetime) -> Programme:
    """From now on orders are credited: those placed since this moment, or since the beginning of a day.

    Rules that hold by now hold for all of these orders. Raises CannotOpen.
    """
    row = locked()
    if row.opened_at is not None:
        raise CannotOpen(_("The programme is switched on already."))
    if not EarningRule.objects.exists():
        raise CannotOpen(naming.said(_("Add a rule first: without one nothing earns %(points)s.")))
    zone, begin = settings_row.current().zone, at
    if credit_from is not None:
        begin = datetime.combine(credit_from, time(0), zone).astimezone(UTC)
    EarningRule.objects.filter(starts_at__lte=at).update(starts_at=Least("starts_at", begin))
    row.opened_at, row.credit_from = at, credit_from
    row.save(update_fields=["opened_at", "credit_from"])
    doorbell.ring("orders")
    return row


@transaction.atomic
def add(*, item: RuleItem, at: datetime) -> EarningRule:
    return EarningRule.objects.create(**item.fields(at))


@transaction.atomic
def replace(*, rule_id: int, item: RuleItem, at: datetime) -> EarningRule:
    """Make the rule what `item` says. One that orders were credited by ends now, and another one takes its place.

    Raises HasEnded: two people who change one rule would make two of it.
    """
    is_open = locked().is_open
    old = EarningRule.objects.select_for_update(no_key=True).get(pk=rule_id)
    if old.ends_at is not None and old.ends_at <= at:
        raise HasEnded
    if not is_open or old.starts_at > at:
        fields = item.fields(old.starts_at)
        EarningRule.objects.filter(pk=old.pk).update(**fields)
        return EarningRule.objects.get(pk=old.pk)
    _end(old, at)
    starts_at = max(item.starts_at or at, at)
    return EarningRule.objects.create(**item.fields(at) | {"starts_at": starts_at})


@transaction.atomic
def end(*, rule_id: int, at: datetime) -> None:
    """Orders placed from now on earn nothing by this rule. What it gave stays."""
    _end(EarningRule.objects.select_for_update(no_key=True).get(pk=rule_id), at)


def _end(rule: EarningRule, at: datetime) -> None:
    if rule.ends_at is None or rule.ends_at > at:
        rule.ends_at = max(at, rule.starts_at)
        rule.save(update_fields=["ends_at"])
