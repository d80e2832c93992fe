"""What the page of value and a customer's page draw over the nights, each with the words that it says to who cannot
see it."""

from collections.abc import Sequence
from datetime import date

from django.utils import formats
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from analytics import plots
from analytics.selectors.value_nights import Point
from core import money
from core.models import Business
from core.templatetags import ui


def course(points: Sequence[Point], *, horizon: str, business: Business) -> SafeString:
    """The shop's value on each night, with its interval."""
    drawn = [_point(one, horizon, business) for one in points]
    return lines([drawn], business=business, label=_("Predicted value by night. The table has every figure."))


def lines(series: Sequence[Sequence[plots.Point]], *, business: Business, label: str) -> SafeString:
    """Money in minor units over the same days."""
    told = [one for each in series for one in each]
    found = [value for one in told for value in (one.value, one.low, one.high) if value is not None]
    scale, ticks = plots.window(found)
    return plots.lines(
        series,
        scale=scale,
        ticks=[(tick, money.short(tick, business.currency)) for tick in ticks],
        names=ends(told[0].day, told[-1].day),
        label=label,
    )


def ends(first: date, last: date) -> tuple[str, str]:
    """How the days at both ends are written."""
    return tuple(formats.date_format(day, "SHORT_DATE_FORMAT") for day in (first, last))  # type: ignore[return-value]


def _point(one: Point, horizon: str, business: Business) -> plots.Point:
    cents, known = one.values[horizon], one.ends.get(horizon)
    low, high = known or (None, None)
    return plots.Point(day=one.as_of, value=cents, low=low, high=high, text=said(one.as_of, cents, known, business))


def said(day: date, cents: int | None, known: Sequence[int] | None, business: Business) -> str:
    values = {"day": formats.date_format(day, "SHORT_DATE_FORMAT"), "amount": ui.money_whole(cents, business)}
    if not known:
        return _("%(day)s: %(amount)s") % values
    low, high = (ui.money_whole(each, business) for each in known)
    return _("%(day)s: %(amount)s (%(low)s to %(high)s)") % (values | {"low": low, "high": high})
