"""One customer: identity, six figures, spend by month, and the figures behind the risk band."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
from django.db.models import CharField, Count, F, IntegerField, Max, Min, QuerySet, Value
from django.utils import formats
from django.utils.translation import pgettext

from analytics import schemes, scores
from analytics.clv import shop
from analytics.models import Score
from analytics.services import customer_cells, scoring
from core import money
from core.models import Run
from crm import groups, labels, reasons
from crm.groups import Group
from customers.models import Customer, Email, Identity, Membership, Order, Phone, Refund, UnmatchedReturn
from customers.services import custom

MONTHS: Final = (12, 24)
YEAR_DAYS: Final = 365


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Who the customer is: the contact points oldest first."""

    customer: Customer
    emails: list[str]
    phones: list[str]
    identities: list[Identity]
    custom: list[tuple[str, str]]  # label and value of the fields in use that have one

    @property
    def place(self) -> str:
        return ", ".join(part for part in (self.customer.city, self.customer.country) if part)


def profile(pk: int) -> Profile:
    """Five queries. Raises Customer.DoesNotExist."""
    customer = Customer.objects.select_related("company").get(pk=pk)
    return Profile(
        customer=customer,
        emails=list(Email.objects.filter(customer_id=pk).order_by("pk").values_list("address", flat=True)),
        phones=list(Phone.objects.filter(customer_id=pk).order_by("pk").values_list("number", flat=True)),
        identities=list(Identity.objects.filter(customer_id=pk).order_by("pk")),
        custom=custom.told(customer),
    )


@dataclass(frozen=True, kw_only=True)
class Orders:
    """Paid orders as of now: the night may not know the last ones yet."""

    count: int
    first_at: datetime | None
    last_at: datetime | None


def orders(pk: int) -> Orders:
    paid = Order.objects.filter(customer_id=pk, status=Order.Status.PAID)
    return Orders(**paid.aggregate(count=Count("pk"), first_at=Min("placed_at"), last_at=Max("placed_at")))


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the night says of the customer."""

    score: Score
    run: Run

    @property
    def band(self) -> str:
        return labels.band(self.score.churn_band)

    @property
    def segment(self) -> scores.Name:
        return labels.segment(self.score.segment)

    @property
    def previous(self) -> scores.Name:
        return labels.segment(self.score.previous_segment)

    @property
    def silent_days(self) -> int:
        """Days since the last order as the night counted them."""
        return self.score.last_age_days

    @property
    def usual_gap_days(self) -> int | None:
        return None if self.score.usual_gap_days is None else max(1, round(self.score.usual_gap_days))

    @property
    def pace_percent(self) -> float:
        """How full the bar of the silence is: two usual gaps fill it."""
        gap = self.score.usual_gap_days
        return min(100.0, 50 * self.silent_days / gap) if gap else 0.0

    @property
    def pace_css(self) -> str:
        return {"low": "good", "medium": "warn", "high": "bad"}.get(self.band, "")


def standing(*, pk: int, run: Run | None) -> Standing | None:
    """The customer's score in the run; None before the first order or the first night."""
    if run is None:
        return None
    score = Score.objects.filter(run=run, customer_id=pk).first()
    return Standing(score=score, run=run) if score else None


@dataclass(frozen=True, kw_only=True)
class Place:
    """The segment of one scheme that the customer is in, the one before and since when, as memberships say."""

    group: Group
    before: str
    since: date | None


def groups_of(found: Standing) -> list[Place]:
    """Every scheme of the night but RFM, which stands apart. Two queries."""
    pk = found.score.customer_id
    known = {
        one.scheme: one
        for one in Membership.objects.filter(customer_id=pk).select_related("previous").order_by("scheme")
    }
    places = []
    for scheme in schemes.SCORED:
        group = groups.by_code(scheme).get(getattr(found.score, scheme.column))
        row = known.get(scheme.slug)
        if group is not None:
            before = row.previous.name if row and row.previous else ""
            places.append(Place(group=group, before=before, since=row.changed_on if row else None))
    return places


def why(found: Standing) -> list[reasons.Reason]:
    """Why the band is what it is, in plain words."""
    score, run = found.score, found.run
    if not found.band or score.churn_risk is None:
        return reasons.of_nothing()
    fitted = shop.Fitted.from_dict(run.model["fitted"])
    terms = scoring.terms(run.settings)
    compared = shop.compare(fitted, _history(score, run), terms)
    return reasons.of_band(
        band=found.band,
        silent_days=found.silent_days,
        usual_gap_days=score.usual_gap_days,
        order_days=score.order_days,
        order_chance=1 - score.churn_risk,
        normal_chance=1 - float(compared.normal_risk[0]),
        silence_chance=float(compared.silence_chance[0]),
        p_alive=score.p_alive,
        horizon_days=terms.churn_horizon_days,
        fallback=fitted.reason,
    )


def _history(score: Score, run: Run) -> shop.History:
    """The customer's row as the engine reads it. Spend takes no part in the risk."""
    unit = 10 ** money.exponent(run.settings["currency"])
    return shop.History(
        order_days=np.array([score.order_days], np.int32),
        first_age=np.array([score.age_days], np.int32),
        last_age=np.array([score.last_age_days], np.int32),
        value=np.array([score.value_cents / unit]),
        repeat_value=np.zeros(1),
        margin=np.array([score.historic_cents / unit]),
        cell=np.array([customer_cells.of_customer(run, score.customer_id)]),
    )


@dataclass(frozen=True, kw_only=True)
class Spend:
    """Order value by month net of what came back in the month, oldest first, and its last 365 days."""

    months: Sequence[tuple[date, int]]
    year_cents: int
    year_orders: int

    @property
    def is_empty(self) -> bool:
        return not any(cents for _, cents in self.months)

    @property
    def named(self) -> list[tuple[str, int]]:
        return [(formats.date_format(month, pgettext("short month", "M y")), cents) for month, cents in self.months]


def spend(*, pk: int, today: date, months: int) -> Spend:
    """One query over the customer's own rows."""
    first = _first_of(today, back=months - 1)
    start = min(first, today - timedelta(days=YEAR_DAYS - 1))
    sums: Counter[date] = Counter()
    year_cents = year_orders = 0
    for kind, day, cents in _movements(pk, start).order_by():
        sums[day.replace(day=1)] += cents
        if today - timedelta(days=YEAR_DAYS) < day <= today:
            year_cents += cents
            year_orders += kind == "order"
    shown = [_first_of(today, back=back) for back in range(months - 1, -1, -1)]
    return Spend(months=[(month, sums[month]) for month in shown], year_cents=year_cents, year_orders=year_orders)


def _movements(pk: int, start: date) -> QuerySet[Any, Any]:
    """(kind, day, value in minor units) since `start`; what came back is negative."""
    orders = Order.objects.filter(customer_id=pk, status=Order.Status.PAID, placed_on__gte=start)
    refunds = Refund.objects.filter(customer_id=pk, refunded_on__gte=start, order__status=Order.Status.PAID)
    returns = UnmatchedReturn.objects.filter(customer_id=pk, returned_on__gte=start)
    parts = [
        rows.annotate(
            kind=Value(kind, CharField()), day=F(day), cents=sign * F("value_cents") * Value(1, IntegerField())
        ).values_list("kind", "day", "cents")
        for kind, rows, day, sign in (
            ("order", orders, "placed_on", 1),
            ("refund", refunds, "refunded_on", -1),
            ("return", returns, "returned_on", -1),
        )
    ]
    whole: QuerySet[Any, Any] = parts[0].union(*parts[1:], all=True)
    return whole


def _first_of(day: date, *, back: int) -> date:
    number = day.year * 12 + day.month - 1 - back
    return date(number // 12, number % 12 + 1, 1)
