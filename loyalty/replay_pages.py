"""What other settings would have made of the last 12 months, as rows, sentences and a drawing for the page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from loyalty.models import Programme
from loyalty.services.replays import Outcome, Replay
from loyalty.services.rules import SETTINGS

# Which settings change only what comes from now on, and which change what customers have already.
EFFECTS: Final[dict[str, Promise]] = {
    "worth_cents": gettext_lazy("Counts at once for all %(points)s, also for those that customers have already."),
    "earn_base": gettext_lazy(
        "Only for what is earned from then on. What orders have earned stays, unless an order itself is corrected."
    ),
    "pending_days": gettext_lazy(
        "Only for %(points)s that come from then on. Those that wait already become active on the day they were given."
    ),
    "expiry": gettext_lazy(
        "Only for %(points)s that come from then on. Those that customers have keep the last day they were given."
    ),
    "inactivity": gettext_lazy(
        "Also for %(points)s that customers have already: their last day stays until the next order or redemption moves"
        " it on. Those that never expire stay so."
    ),
    "refund_policy": gettext_lazy("For refunds from then on, also of earlier orders. What was taken back stays so."),
    "grace_days": gettext_lazy("For %(points)s that come back from then on. It is not in the figures above."),
    "adjust_limit": gettext_lazy("For adjustments from then on. Those that wait for somebody still do."),
    "hold_minutes": gettext_lazy("For holds that begin from then on."),
    "name": gettext_lazy("At once, wherever the name is read."),
}
ALIKE: Final = {
    **dict.fromkeys(("expiry_months", "expiry_period", "expiry_month", "expiry_day"), "expiry"),
    **dict.fromkeys(("point_name", "points_name"), "name"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    label: str
    now: str
    then: str
    change: str  # nothing where it is the same
    is_strong: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A setting that would be another, and what that does to what customers have."""

    label: str
    now: str
    then: str
    effect: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    seen: Replay
    rows: Sequence[Row]
    changes: Sequence[Changed]
    plot: SafeString
    months: Sequence[tuple[str, int, int]]


def page(seen: Replay, *, row: Programme, tried: Programme, business: Business, labels: Mapping[str, str]) -> Page:
    """`labels`: what the form calls each setting."""
    months = [
        (formats.date_format(first, pgettext("short month", "M y")), now, then)
        for (first, now), (_first, then) in zip(seen.now.months, seen.then.months, strict=True)
    ]
    names = [name for name in SETTINGS if getattr(row, name) != getattr(tried, name)]
    changes = [_changed(name, labels[name], row, tried, business) for name in names]
    return Page(seen=seen, rows=_rows(seen, business), changes=changes, plot=_plot(months), months=months)


def _rows(seen: Replay, business: Business) -> list[Row]:
    def points(text: Any, value: Callable[[Outcome], int], *, always: bool = True) -> list[Row]:
        now, then = value(seen.now), value(seen.then)
        change = ui.signed(then - now) if then != now else ""
        row = Row(label=naming.said(text), now=ui.grouped(now), then=ui.grouped(then), change=change)
        return [row] if always or now or then else []

    def amount(text: Any, value: Callable[[Outcome], int]) -> Row:
        now, then = value(seen.now), value(seen.then)
        told = {name: ui.money_whole(cents, business) for name, cents in (("now", now), ("then", then))}
        change = ui.money_change(then - now, business) if then != now else ""
        return Row(label=naming.said(text), **told, change=change, is_strong=True)

    return [
        *points(_("Earned by orders"), lambda one: one.earned),
        *points(_("Given otherwise"), lambda one: one.given, always=False),
        *points(_("Taken back by refunds"), lambda one: one.taken_back),
        *points(_("Taken by hand"), lambda one: one.taken, always=False),
        *points(_("Redeemed"), lambda one: one.redeemed),
        *points(_("Redeemed in fact, but not there"), lambda one: one.missed, always=False),
        *points(_("Expired"), lambda one: one.expired),
        *points(_("Can be spent today"), lambda one: one.active),
        *points(_("Not active yet"), lambda one: one.pending),
        *points(_("Owed by customers"), lambda one: one.owed, always=False),
        _share(seen),
        amount(_("Worth of what was earned"), lambda one: one.cost_cents),
        amount(_("Expected cost of what is left"), lambda one: one.liability_cents),
    ]


def _share(seen: Replay) -> Row:
    now, then = ((_("not known") if s is None else ui.percent(s)) for s in (seen.now.breakage, seen.then.breakage))
    return Row(label=_("Of what is left, expected to expire"), now=now, then=then, change="")


def _changed(name: str, label: str, row: Programme, tried: Programme, business: Business) -> Changed:
    moves = Programme.Expiry.INACTIVITY in (row.expiry, tried.expiry) and ALIKE.get(name, name) == "expiry"
    key = "inactivity" if moves and tried.expiry == Programme.Expiry.INACTIVITY else ALIKE.get(name, name)
    return Changed(
        label=label,
        now=_said(name, row, business),
        then=_said(name, tried, business),
        effect=naming.said(EFFECTS[key]),
    )


def _said(name: str, row: Programme, business: Business) -> str:
    """The value as people read it."""
    if name == "worth_cents":
        return str(ui.money_text(row.worth_cents, business))
    field: Any = Programme._meta.get_field(name)
    value = getattr(row, name)
    if field.choices:
        return str(dict(field.flatchoices)[value])
    return ui.grouped(value) if isinstance(value, int) else str(value)


def _plot(months: Sequence[tuple[str, int, int]]) -> SafeString:
    text = _("%(month)s: %(now)s now, %(then)s with what you try out")
    rows = [
        (name, (now, then), text % {"month": name, "now": ui.grouped(now), "then": ui.grouped(then)})
        for name, now, then in months
    ]
    scale = liability_plots.axis([value for _name, values, _text in rows for value in values], smallest=3)
    label = naming.said(_("%(Points)s that customers have at the end of each month. The table has every figure."))
    return liability_plots.lines(rows, scale=scale, ticks=[money.compact(tick) for tick in scale.ticks], label=label)
