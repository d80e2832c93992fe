"""What every template may use without loading it: icons, small charts, money, numbers, ages and links."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from django import template
from django.conf import settings
from django.template import Context
from django.utils import formats, timezone, translation
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from core import access, columns, devices, drawings, icons, money, retelling
from core.models import Business, Run, User

register = template.Library()
AVATAR_HUES = 8
NOTHING = "\N{EN DASH}"
DAYS_AS_DAYS = 120
# A template hands an empty text to a filter for a name that it does not find: no value, as None is.
Missing: TypeAlias = str | None

register.filter("device", devices.described)
register.filter("is_phone", devices.is_phone)
register.simple_tag(drawings.sparkline, name="sparkline")
register.simple_tag(drawings.meter, name="meter")
register.simple_tag(drawings.stack, name="stack")
register.filter("retold", retelling.retold)


@register.simple_tag
def icon(name: str, css: str = "", style: str = "outline") -> SafeString:
    return icons.svg(name, css=css, style=style)


@register.simple_tag
def bars(months: Sequence[tuple[str, int]], business: Business, label: str) -> SafeString:
    """Columns of money: `months` are (name, amount in minor units)."""
    unit = 10 ** money.exponent(business.currency)
    scale = columns.scale_of([amount for _, amount in months], smallest=3 * unit)
    return columns.chart(
        [
            columns.Column(label=name, value=amount, text=money.text(amount, business.currency))
            for name, amount in months
        ],
        scale=scale,
        ticks=[(tick, money.short(tick, business.currency)) for tick in scale.ticks],
        label=label,
    )


@register.filter(name="money")
def money_text(amount: float | Decimal | Missing, business: Business) -> str:
    """`{{ order.net_cents|money:business }}` is `$1,234.56`."""
    return NOTHING if amount is None or isinstance(amount, str) else money.text(amount, business.currency)


@register.filter
def money_whole(amount: float | Decimal | Missing, business: Business) -> str:
    """Rounded to whole units, for predictions and averages: `$1,235`."""
    return NOTHING if amount is None or isinstance(amount, str) else money.text(amount, business.currency, digits=0)


@register.filter
def money_short(amount: float | Decimal | Missing, business: Business) -> str:
    """Three figures, for headlines: `$2.14M`."""
    return NOTHING if amount is None or isinstance(amount, str) else money.short(amount, business.currency)


@register.filter
def money_change(amount: float | Decimal | Missing, business: Business) -> str:
    """A difference with its sign, rounded to whole units: `+$1,235`."""
    if amount is None or isinstance(amount, str):
        return NOTHING
    return ("+" if round(money.major(amount, business.currency)) > 0 else "") + money_whole(amount, business)


@register.filter
def compact(value: float | Missing) -> str:
    return NOTHING if value is None or isinstance(value, str) else money.compact(value)


@register.filter
def grouped(value: int | Missing) -> str:
    """`1234567` is `1,234,567`."""
    return NOTHING if value is None or isinstance(value, str) else formats.number_format(value, 0, force_grouping=True)


@register.filter
def percent(share: float | Missing, digits: int = 0) -> str:
    """A share of one as a percentage. What rounds to nothing but is something is `<1%`, never `0%`."""
    if share is None or isinstance(share, str):
        return NOTHING
    if digits == 0 and 0 < share < 0.005:
        return "<" + percentage("1")
    if digits == 0 and 0.995 <= share < 1:
        return ">" + percentage("99")
    return percentage(formats.number_format(round(100 * share, digits), digits))


def percentage(number: str) -> str:
    """A written number with the sign as the language sets it: `12%`, in German `12 %`."""
    return pgettext("percent", "%(number)s%%") % {"number": number}


@register.filter
def signed(value: float) -> str:
    """A change with its sign, rounded to whole numbers: `+1,200`, `0`."""
    whole = round(value)
    number = formats.number_format(abs(whole), 0, force_grouping=True)
    return ("+" if whole > 0 else money.sign(whole)) + number


@register.filter
def signed_percent(share: float) -> str:
    """A relative change: `+12.4%`."""
    rounded = round(100 * share, 1)
    return ("+" if rounded > 0 else money.sign(rounded)) + percentage(formats.number_format(abs(rounded), 1))


@register.filter
def seconds(value: float | Missing) -> str:
    """A duration as people say it: `<0.1 s`, `0.4 s`, `12 s`, `3 min 20 s`."""
    if value is None or isinstance(value, str):
        return NOTHING
    if value < 0.05:
        return "<" + _("%(seconds)s s") % {"seconds": formats.number_format(0.1, 1)}
    if value < 10:
        return _("%(seconds)s s") % {"seconds": formats.number_format(round(value, 1), 1)}
    minutes, rest = divmod(round(value), 60)
    if minutes:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}
    return _("%(seconds)s s") % {"seconds": rest}


@register.filter
def minutes(value: float) -> int:
    """Seconds as whole minutes."""
    return round(value / 60)


@register.filter
def run_seconds(run: Run) -> float | None:
    """How long a run took from its first job to its end."""
    return (run.finished_at - run.started_at).total_seconds() if run.finished_at else None


@register.filter
def at(values: Mapping[str, Any], key: str) -> Any:
    """The value of a mapping by a key that the template has in a variable."""
    return values.get(key)


@register.filter
def initials(name: str) -> str:
    """Two letters for an avatar; a question mark for nobody's name."""
    return "".join(word[0] for word in name.split()[:2]).upper() or "?"


@register.filter
def sentence(words: str) -> str:
    """English headings of libraries in sentence case: `Change Password` is `Change password`."""
    english = (translation.get_language() or "en").startswith("en")
    return capfirst(words.strip().lower() if english else words.strip())


@register.filter
def hue(number: int) -> int:
    """One of eight avatar colours, the same for the same row everywhere."""
    return number % AVATAR_HUES


@register.filter
def ago(day: date | datetime | Missing) -> str:
    """`today`, `yesterday`, `35 days ago`, `7 months ago`, by the dates of the business's zone."""
    if day is None or isinstance(day, str):
        return NOTHING
    local = timezone.localdate(day) if isinstance(day, datetime) else day
    return age((timezone.localdate() - local).days)


@register.filter
def since(day: date | datetime | Missing) -> str:
    """How long ago, without the `ago`: `today`, `35 days`, `7 months`."""
    if day is None or isinstance(day, str):
        return NOTHING
    local = timezone.localdate(day) if isinstance(day, datetime) else day
    days = (timezone.localdate() - local).days
    return span(days) if days > 0 else age(days)


def age(days: int) -> str:
    if days < 0:
        number, unit = counted(-days)
        return (
            ngettext("in %(number)s day", "in %(number)s days", number),
            ngettext("in %(number)s month", "in %(number)s months", number),
            ngettext("in %(number)s year", "in %(number)s years", number),
        )[unit] % {"number": number}
    if days < 2:
        return (_("today"), _("yesterday"))[days]
    number, unit = counted(days)
    return (
        ngettext("%(number)s day ago", "%(number)s days ago", number),
        ngettext("%(number)s month ago", "%(number)s months ago", number),
        ngettext("%(number)s year ago", "%(number)s years ago", number),
    )[unit] % {"number": number}


def span(days: int) -> str:
    number, unit = counted(days)
    return (
        ngettext("%(number)s day", "%(number)s days", number),
        ngettext("%(number)s month", "%(number)s months", number),
        ngettext("%(number)s year", "%(number)s years", number),
    )[unit] % {"number": number}


def counted(days: int) -> tuple[int, int]:
    """A number of days as people say it, with its unit: 0 days, 1 months, 2 years, from where days say little."""
    if days <= DAYS_AS_DAYS:
        return days, 0
    return (round(days / 30.44), 1) if days < 730 else (days // 365, 2)


@register.filter(name="days")
def in_days(number: float | Missing) -> str:
    """`1 day`, `35 days`: rounded to whole days."""
    if number is None or isinstance(number, str):
        return NOTHING
    whole = round(number)
    return ngettext("%(number)s day", "%(number)s days", whole) % {"number": whole}


@register.filter
def long_date(day: date | datetime | Missing) -> str:
    """A date with its day of the week: `Sunday 22 November 2026`."""
    return (
        NOTHING if day is None or isinstance(day, str) else formats.date_format(day, pgettext("long date", "l j F Y"))
    )


@register.filter
def exact_time(moment: datetime | Missing) -> str:
    """A moment to the second, in the business's zone: `22 November 2026, 02:00:07`."""
    if moment is None or isinstance(moment, str):
        return NOTHING
    local = timezone.localtime(moment)
    return f"{formats.date_format(local, 'DATE_FORMAT')}, {local:%H:%M:%S}"


@register.filter
def may_post(user: User, route: str) -> bool:
    """Whether the route table lets this person do what a button offers."""
    return _may(user, route, "POST")


@register.filter
def may_open(user: User, route: str) -> bool:
    """Whether the route table lets this person see the page that a link leads to."""
    return _may(user, route, "GET")


def _may(user: User, route: str, method: str) -> bool:
    methods = access.methods_of(table=import_string(settings.ACCESS_TABLE), route=route) or {}
    return access.may(roles=methods.get(method, frozenset()), user=user)


@register.simple_tag(takes_context=True)
def qs(context: Context, **changes: Any) -> str:
    """The page's query string with some parameters changed; None or an empty text takes one away."""
    query = context["request"].GET.copy()
    for key, value in changes.items():
        query.pop(key, None)
        if value not in (None, ""):
            query[key] = value
    return f"?{query.urlencode()}"


@register.inclusion_tag("_components/nav_item.html", takes_context=True)
def nav_item(context: Context, route: str, title: str, icon_name: str, *also: str) -> dict[str, Any]:
    """One link of the sidebar, marked when the page is `route` or one of `also`."""
    return {"route": route, "title": title, "icon_name": icon_name, "active": _here(context) in {route, *also}}


def _here(context: Context) -> str:
    """The route of this page, an empty text for an address that leads nowhere."""
    match = context["request"].resolver_match
    return match.view_name if match else ""


@register.inclusion_tag("_components/tab.html", takes_context=True)
def tab(context: Context, route: str, title: str, *also: str) -> dict[str, Any]:
    """One link of a row of pages, for those who may open it; marked when the page is `route` or one of `also`."""
    return {
        "route": route,
        "title": title,
        "active": _here(context) in {route, *also},
        "shown": may_open(context["request"].user, route),
    }
