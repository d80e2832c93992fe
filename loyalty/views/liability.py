"""What points owe customers: how many there are, how many of them will expire, what the others cost."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from core import downloads
from core.http import DeskRequest
from loyalty import liability_charts
from loyalty.selectors import breakage, postings, programme
from loyalty.selectors import liability as sums
from loyalty.selectors.breakage import Rates
from loyalty.selectors.liability import Book, Course

PERIODS: Final = (30, 90, 365, 0)
FIRST_PERIOD: Final = 90
UNITS: Final = {"day": _("Days"), "week": _("Weeks"), "month": _("Months")}
FIRST_UNIT: Final = {30: "day", 90: "week", 365: "month", 0: "month"}
CHOICES: Final = liability_charts.LABELS | {
    "activated": _("Became active"),
    "held": _("Put on hold and released"),
    "merged": _("Merged"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The days that are asked for; `days` is 0 for all since the first posting."""

    days: int
    first: date
    last: date
    unit: str


def liability(request: DeskRequest) -> HttpResponse:
    at, row = timezone.now(), programme.current()
    with sums.one_moment():
        book = sums.book(business=request.business, at=at)
        period = _period(request, book)
        course = sums.course(book, first=period.first, last=period.last, unit=period.unit)
        before = _before(book, period)
        rates = breakage.rates(programme=row, business=request.business, at=at, held=course.closing.held)
        begun = sums.first_day(book) is not None
    context: dict[str, Any] = {"row": row, "begun": begun, "days": period.days, "periods": PERIODS}
    if begun:
        context |= _told(request, period, course, before, rates) | {"book": book, "at": at}
    return render(request, "loyalty/liability.html", context)


def _told(request: DeskRequest, period: Period, course: Course, before: Course | None, rates: Rates) -> dict[str, Any]:
    unit, business = period.unit, request.business
    now, then = course.closing.outstanding, course.opening.outstanding
    return {
        "period": period,
        "units": UNITS,
        "course": course,
        "before": before,
        "rates": rates,
        "change": now / then - 1 if then > 0 else None,
        "cents": rates.cents(now),
        "measured_cents": None if rates.measured_cents is None else rates.cents(now, per_100=rates.measured_cents),
        "lines": liability_charts.lines(course, before),
        "rows": liability_charts.rows(course, unit=unit, rates=rates),
        "labels": liability_charts.LABELS,
        "trend": liability_charts.trend(course, unit=unit, rates=rates, business=business),
        "flows": liability_charts.flows(course, unit=unit),
        "fates": (fates := liability_charts.fates(rates.fates)),
        "bar": [(one.css, one.share) for one in fates],
        "ahead": liability_charts.ahead(rates) if any(one.points for one in rates.ahead) else None,
    }


def liability_export(request: DeskRequest) -> StreamingHttpResponse:
    """The days of the period that the page shows, one a line."""
    at = timezone.now()
    with sums.one_moment():
        book = sums.book(business=request.business, at=at)
        period = _period(request, book)
        course = sums.course(book, first=period.first, last=period.last, unit="day")
        rates = breakage.rates(
            programme=programme.current(), business=request.business, at=at, held=course.closing.held
        )
    lines = liability_charts.export(course, rates=rates, currency=request.business.currency)
    return downloads.csv_file(f"points-{period.first}-{period.last}.csv", lines)


def posting_list(request: DeskRequest) -> HttpResponse:
    """The postings of some days, of which a figure is made."""
    first, last, kind = _days_of(request), _day(request, "to"), request.GET.get("kind", "")
    last = min(max(last or first, first), first + timedelta(days=postings.MOST_DAYS - 1))
    listing = postings.page(
        first=first, last=last, kind=kind, business=request.business, cursor=request.GET.get("cursor", "")
    )
    context = {
        "listing": listing,
        "rows": [posting for _number, posting in listing.rows],
        "first": first,
        "last": last,
        "kind": kind if kind in CHOICES else "",
        "choices": CHOICES,
        "most_days": postings.MOST_DAYS,
    }
    return render(request, "loyalty/posting_list.html", context)


def _period(request: DeskRequest, book: Book) -> Period:
    chosen, today = request.GET.get("days", ""), timezone.localdate()
    days = int(chosen) if chosen in map(str, PERIODS) else FIRST_PERIOD
    first = today - timedelta(days=days - 1) if days else min(sums.first_day(book) or today, today)
    asked = request.GET.get("unit", "")
    unit = sums.unit_for(first, today, asked if asked in UNITS else FIRST_UNIT[days])
    return Period(days=days, first=first, last=today, unit=unit)


def _before(book: Book, period: Period) -> Course | None:
    """As many days before the period, as one."""
    if not period.days:
        return None
    last = period.first - timedelta(days=1)
    return sums.course(book, first=last - timedelta(days=period.days - 1), last=last, unit="month")


def _day(request: DeskRequest, name: str) -> date | None:
    """A day of the address; None for what is none."""
    try:
        return parse_date(request.GET.get(name, ""))
    except ValueError:
        return None


def _days_of(request: DeskRequest) -> date:
    """The first day that is asked for, today without one; the last days of the calendar have no end."""
    first = _day(request, "from") or timezone.localdate()
    return min(max(first, date(1900, 1, 1)), date(9000, 1, 1))
