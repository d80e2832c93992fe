"""The page of liability as charts and rows: sums of points as money and words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.utils import formats
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from core import money
from core.models import Business
from core.templatetags import ui
from loyalty import liability_plots, naming
from loyalty.liability_plots import Part, Stack
from loyalty.selectors import programme
from loyalty.selectors.breakage import Fates, Rates
from loyalty.selectors.liability import FLOWS, Bucket, Course, Totals

LABELS: Final[dict[str, Promise]] = {
    "earned": gettext_lazy("Earned"),
    "redeemed": gettext_lazy("Redeemed"),
    "returned": gettext_lazy("Given back"),
    "reversed": gettext_lazy("Taken back"),
    "expired": gettext_lazy("Expired"),
    "adjusted": gettext_lazy("Adjusted"),
}
# From the line outwards.
DRAWN: Final = ("earned", "returned", "redeemed", "reversed", "expired", "adjusted")
COLUMNS: Final = (
    *("day", *FLOWS, "became_active", "active", "pending", "held", "owed", "outstanding"),
    *("breakage", "cost_of_100_points", "liability"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Some days of the table: `flows` are (name, points), in the order of FLOWS."""

    name: str
    first: date
    last: date
    flows: Sequence[tuple[str, int]]
    activated: int
    after: Totals
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the reckoning: what came or went in the period, and in the one before where there is one."""

    name: str
    label: Promise
    points: int
    before: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    css: str
    label: Promise
    points: int
    share: float


def lines(course: Course, before: Course | None) -> list[Line]:
    return [
        Line(
            name=name,
            label=LABELS[name],
            points=course.change.flows[name],
            before=before.change.flows[name] if before else None,
        )
        for name in FLOWS
    ]


def rows(course: Course, *, unit: str, rates: Rates) -> list[Row]:
    """The latest first."""
    return [
        Row(
            name=name_of(one, unit),
            first=one.first,
            last=one.last,
            flows=list(one.change.flows.items()),
            activated=one.change.activated,
            after=one.after,
            cents=rates.cents(one.after.outstanding),
        )
        for one in reversed(course.buckets)
    ]


def name_of(bucket: Bucket, unit: str) -> str:
    if unit == "month":
        return formats.date_format(bucket.first, pgettext("short month", "M y"))
    return formats.date_format(bucket.first, "SHORT_DATE_FORMAT")


def trend(course: Course, *, unit: str, rates: Rates, business: Business) -> SafeString:
    """What outstanding points cost at the end of each part of the period, at the rates of now."""
    cents = [rates.cents(one.after.outstanding) for one in course.buckets]
    scale = liability_plots.axis(cents, smallest=3 * 10 ** money.exponent(business.currency))
    name = programme.current().called(2)
    points = [
        (
            formats.date_format(one.last, "SHORT_DATE_FORMAT"),
            amount,
            _("%(day)s: %(amount)s for %(points)s %(name)s")
            % {
                "day": formats.date_format(one.last, "SHORT_DATE_FORMAT"),
                "amount": ui.money_whole(amount, business),
                "points": ui.grouped(one.after.outstanding),
                "name": name,
            },
        )
        for one, amount in zip(course.buckets, cents, strict=True)
    ]
    ticks = [money.short(tick, business.currency) for tick in scale.ticks]
    return liability_plots.area(
        points, scale=scale, ticks=ticks, label=_("Liability over time. The table has every figure.")
    )


def flows(course: Course, *, unit: str) -> SafeString:
    """What came goes up, what went goes down."""
    drawn = [
        Stack(
            name=name_of(one, unit),
            text=_said(name_of(one, unit), one.change),
            parts=[Part(css=f"lia-{name}", value=one.change.flows[name]) for name in DRAWN],
        )
        for one in course.buckets
    ]
    ends = [sum(part.value for part in one.parts if (part.value > 0) == up) for one in drawn for up in (True, False)]
    return _stacks(drawn, ends, label=naming.said(_("%(Points)s that came and went. The table has every figure.")))


def _said(name: str, change: Totals) -> str:
    told = [f"{LABELS[flow]} {ui.signed(points)}" for flow, points in change.flows.items() if points]
    all_told = ", ".join(told) or _("nothing")
    return f"{name}: {all_told}"


def ahead(rates: Rates) -> SafeString:
    """What ends in the months to come: expected to expire, and expected to be spent before."""
    name = programme.current().called(2)
    drawn = [
        Stack(
            name=formats.date_format(one.first, pgettext("short month", "M y")),
            text=_("%(month)s: %(points)s %(name)s end, %(expected)s of them expected to expire")
            % {
                "month": formats.date_format(one.first, "YEAR_MONTH_FORMAT"),
                "points": ui.grouped(one.points),
                "name": name,
                "expected": ui.grouped(round(one.expected)),
            },
            parts=[
                Part(css="lia-expected", value=one.expected),
                Part(css="lia-spent", value=max(one.points - one.expected, 0)),
            ],
        )
        for one in rates.ahead
    ]
    ends = [sum(part.value for part in one.parts) for one in drawn]
    return _stacks(
        drawn, ends, label=naming.said(_("%(Points)s that end in the next months. The table has every figure."))
    )


def _stacks(drawn: Sequence[Stack], ends: Sequence[float], *, label: str) -> SafeString:
    scale = liability_plots.axis(ends, smallest=3)
    ticks = [money.compact(tick) for tick in scale.ticks]
    return liability_plots.stacks(drawn, scale=scale, ticks=ticks, label=label)


def fates(told: Fates) -> list[Fate]:
    """What became of points that are not in lots any more, as shares."""
    amounts = {"redeemed": told.redeemed, "reversed": told.taken_back, "expired": told.expired}
    whole = sum(max(points, 0) for points in amounts.values()) or 1
    return [
        Fate(css=f"lia-{name}", label=LABELS[name], points=points, share=max(points, 0) / whole)
        for name, points in amounts.items()
    ]


def export(course: Course, *, rates: Rates, currency: str) -> Iterator[Sequence[Any]]:
    """A line for each day of a course by days. Money in the currency's main unit, at the rates of now."""
    yield COLUMNS
    share = "" if rates.estimate.share is None else f"{rates.estimate.share:.6f}"
    cost = money.major(rates.worth_cents, currency)
    for one in course.buckets:
        change, after = one.change, one.after
        told = (after.active, after.pending, after.held, after.owed, after.outstanding)
        liability = money.major(rates.cents(after.outstanding), currency)
        yield one.first, *change.flows.values(), change.activated, *told, share, cost, liability
