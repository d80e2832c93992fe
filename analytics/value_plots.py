"""What the page of value and a customer's page draw over the nights, each with the words that it says to who cannot
see it."""

from collections.abc import Sequence
from datetime import date

from django.utils import formats
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from analytics import plots
from analytics.selectors import customer_value
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
    scale, ticks = plots.window(found, smallest=3.0 * 10 ** money.exponent(business.currency))
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


def of_customer(points: Sequence[customer_value.Point], *, business: Business) -> dict[str, SafeString]:
    """A customer's value with its interval, and her two chances."""
    names = ends(points[0].as_of, points[-1].as_of)
    drawn = [_of_night(one, business) for one in points]
    chances = [
        [_chance(one.as_of, getattr(one, field), pattern) for one in points]
        for field, pattern in (("p_alive", _("%(day)s: alive %(share)s")), ("churn_risk", _("%(day)s: risk %(share)s")))
    ]
    return {
        "value": lines([drawn], business=business, label=_("Predicted value by night. The table has every figure.")),
        "chances": plots.lines(
            chances,
            scale=plots.SHARE_SCALE,
            ticks=[(share, ui.percent(share)) for share in plots.SHARES],
            names=names,
            label=_("Chance of being a customer still, and churn risk, by night. The table has every figure."),
        ),
    }


def _of_night(one: customer_value.Point, business: Business) -> plots.Point:
    low, high = one.clv_low_cents, one.clv_high_cents
    known = None if low is None or high is None else (low, high)
    text = said(one.as_of, one.clv_cents, known, business)
    return plots.Point(day=one.as_of, value=one.clv_cents, low=low, high=high, text=text)


def _chance(day: date, share: float | None, pattern: str) -> plots.Point:
    values = {"day": formats.date_format(day, "SHORT_DATE_FORMAT"), "share": ui.percent(share)}
    return plots.Point(day=day, value=share, text=pattern % values)
