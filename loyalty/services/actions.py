"""Points for what customers do: fill in the profile, answer a survey, write a review."""

from datetime import UTC, datetime, time
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from core import business as settings_row
from core.models import Business
from customers.models import Customer
from customers.selectors import people
from customers.services import people_lock
from loyalty import expiry
from loyalty.models import Act, Action, Posting
from loyalty.selectors import actions
from loyalty.selectors import programme as programmes
from loyalty.services import activity, tiers
from loyalty.services import points as ledger

Period = Action.Period
ALWAYS: Final = datetime(1, 1, 1, tzinfo=UTC)


class UnknownAction(Exception):
    """There is no action of this name."""

    def __init__(self, code: str) -> None:
        super().__init__(_("There is no action “%(code)s”.") % {"code": code})


@transaction.atomic
def act(*, customer_id: int, action: str, key: str, at: datetime) -> Posting | None:
    """Points for an action (its code), once for each key, such as `answer:81`.

    Returns the posting, the first one where the key is known, and None where nothing is given: the programme is
    off or paused, the action is off, or the customer has done it as often as it counts. Raises UnknownAction.
    """
    programme, row = programmes.current(), Action.objects.filter(code=action).first()
    if row is None:
        raise UnknownAction(action)
    customer_id = people_lock.writing_about(customer_id)
    Customer.objects.select_for_update(no_key=True).get(pk=customer_id)  # two acts at once are counted one by one
    known = Act.objects.filter(action=row, key=key).first()
    if known is not None:
        return Posting.objects.get(pk=known.posting_id)
    business = settings_row.current()
    if not (programme.is_running and row.is_on) or _is_full(row, customer_id, at, business):
        return None
    ends = expiry.expires_at(programmes.terms(programme, business), active_at=at)
    posting = ledger.earn(
        customer_id=customer_id,
        points=row.points,
        key=f"earn:act:{row.pk}:{key}",
        at=at,
        expires_at=ends,
        reason=row.name,
    )
    Act.objects.create(action=row, customer_id=customer_id, key=key, at=at, posting_id=posting.pk)
    activity.note(customer_id=customer_id, at=at)
    tiers.settle(customer_ids=[customer_id], business=business, at=at)
    return posting


def profile_filled(*, customer: Customer, at: datetime) -> Posting | None:
    """Points for a profile in which nothing is missing, once; None where there are none to give, or something is."""
    if actions.for_profile(customer.pk) is None or people.missing(customer):
        return None
    return act(customer_id=customer.pk, action=actions.PROFILE, key=f"profile:{customer.pk}", at=at)


def _is_full(action: Action, customer_id: int, at: datetime, business: Business) -> bool:
    done = Act.objects.filter(
        customer_id=customer_id, action=action, at__gte=_begin(Period(action.period), at, business)
    )
    return done.count() >= action.cap


def _begin(period: Action.Period, at: datetime, business: Business) -> datetime:
    """The beginning of the day, month or year of the business in which the moment lies."""
    day = at.astimezone(business.zone).date()
    if period == Period.EVER:
        return ALWAYS
    first = {Period.DAY: day, Period.MONTH: day.replace(day=1), Period.YEAR: day.replace(month=1, day=1)}[period]
    return datetime.combine(first, time(0), business.zone).astimezone(UTC)
