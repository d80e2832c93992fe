"""What a what-if answer says in words: levers as phrases, each amount as it is written, one sentence for all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils import formats
from django.utils.functional import Promise
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from analytics import definitions
from analytics.clv import purchase
from analytics.clv.intervals import SHARE
from analytics.clv.what_if import AMOUNTS, Difference
from analytics.selectors.scenarios import Comparison
from analytics.selectors.what_if import ORDERS, Answer, Line
from core import money
from core.models import Business
from core.templatetags import ui

LESS_IS_BETTER: Final = ("at_risk",)
NOTICED: Final = 0.0005  # of what was before: less is no change
# Less and more by lever; both with the change as a percentage.
PHRASES: Final[Mapping[str, tuple[Promise, Promise]]] = {
    "leaving": (gettext_lazy("%(change)s fewer customers leave"), gettext_lazy("%(change)s more customers leave")),
    "frequency": (
        gettext_lazy("customers order %(change)s less often"),
        gettext_lazy("customers order %(change)s more often"),
    ),
    "order_value": (
        gettext_lazy("an order is worth %(change)s less"),
        gettext_lazy("an order is worth %(change)s more"),
    ),
    "margin_rate": (
        gettext_lazy("the margin rate is %(change)s lower"),
        gettext_lazy("the margin rate is %(change)s higher"),
    ),
    "acquisition_cost": (
        gettext_lazy("a new customer costs %(change)s less"),
        gettext_lazy("a new customer costs %(change)s more"),
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One amount as the page writes it. `is_good`: None for no change to speak of."""

    slug: str
    figure: definitions.Figure
    before: str
    after: str
    change: str
    relative: str = ""
    interval: str = ""
    is_good: bool | None = None


def percent(change: Decimal | float) -> str:
    """`12%`, `2.5%`; without a sign."""
    size = abs(round(float(change), 1))
    return ui.percentage(formats.number_format(size, 0 if size == int(size) else 1))


def phrases(changes: Mapping[str, Decimal]) -> list[str]:
    """What moves, a phrase for each lever."""
    found = []
    for lever, texts in PHRASES.items():
        change = changes[lever]
        if lever == "leaving" and change == -100:
            found.append(_("nobody leaves"))
        elif change:
            found.append(str(texts[change > 0]) % {"change": percent(change)})
    return found


def moved(changes: Mapping[str, Decimal]) -> str:
    """All that moves, as the beginning of a sentence or a line of a list; empty for nothing."""
    return str(get_text_list(phrases(changes), _("and")))


def sentence(answer: Answer, changes: Mapping[str, Decimal], *, business: Business) -> str:
    """`If 20% fewer customers leave, …`: what the value of 12 months does."""
    what, line = moved(changes), answer.lines["clv"]
    if not what:
        return _("Nothing is moved yet: both sides are as it is.")
    if abs(line.added.expected) <= NOTICED * max(line.before, 1.0):
        return _("If %(what)s, the value of the next 12 months stays as it is.") % {"what": what}
    told = {
        "what": what,
        "amount": ui.money_whole(abs(line.added.expected), business),
        "share": f" ({ui.signed_percent(line.relative)})" if line.relative is not None else "",
        "low": ui.money_change(line.added.low, business),
        "high": ui.money_change(line.added.high, business),
        "certain": ui.percent(SHARE),
    }
    if line.added.expected > 0:
        text = _(
            "If %(what)s, the value of the next 12 months is %(amount)s higher%(share)s."
            " With %(certain)s certainty the difference is between %(low)s and %(high)s."
        )
    else:
        text = _(
            "If %(what)s, the value of the next 12 months is %(amount)s lower%(share)s."
            " With %(certain)s certainty the difference is between %(low)s and %(high)s."
        )
    return text % told


def rows(answer: Answer, *, business: Business, has_payback: bool) -> list[Row]:
    """The table of the page."""
    found = [_kept(answer), *(_row(name, answer.lines[name], business) for name in AMOUNTS)]
    return [*found, _payback(answer.payback)] if has_payback else found


def _row(name: str, line: Line, business: Business) -> Row:
    is_orders = name in ORDERS
    added, better = line.added.expected, line.added.expected > 0
    return Row(
        slug=name,
        figure=definitions.WHAT_IF[name],
        before=written(line.before, is_orders=is_orders, business=business),
        after=written(line.after, is_orders=is_orders, business=business),
        change=_change(added, is_orders, business),
        relative=ui.signed_percent(line.relative) if line.relative is not None else "",
        interval=interval(line.added, is_orders=is_orders, business=business),
        is_good=None if abs(added) <= NOTICED * max(line.before, 1.0) else better != (name in LESS_IS_BETTER),
    )


def _kept(answer: Answer) -> Row:
    """Who stays: the other side of who leaves."""
    before, after = (1.0 - share for share in answer.leave)
    points = round(100 * (after - before), 1)
    written_points = formats.number_format(abs(points), 1)
    sign = "+" if points > 0 else money.sign(points)
    slug = "stays_year" if answer.model == purchase.PARETO_NBD else "stays_order"
    return Row(
        slug="stays",
        figure=definitions.WHAT_IF[slug],
        before=ui.percent(before, 1),
        after=ui.percent(after, 1),
        change=_("%(number)s points") % {"number": sign + written_points},
        is_good=None if not points else points > 0,
    )


def _payback(months: tuple[int | None, int | None]) -> Row:
    before, after = months
    change, is_good = "", None
    if before is not None and after is not None:
        change = _months(after - before)
        is_good = None if after == before else after < before
    return Row(
        slug="payback",
        figure=definitions.WHAT_IF["payback"],
        before=month(before),
        after=month(after),
        change=change,
        is_good=is_good,
    )


def month(number: int | None) -> str:
    if number is None:
        return _("not within ten years")
    return _("with the first order") if number == 0 else _("month %(number)s") % {"number": number}


def _months(difference: int) -> str:
    if not difference:
        return _("the same month")
    number = abs(difference)
    if difference < 0:
        text = ngettext("%(number)s month earlier", "%(number)s months earlier", number)
    else:
        text = ngettext("%(number)s month later", "%(number)s months later", number)
    return text % {"number": number}


def written(amount: float, *, is_orders: bool, business: Business) -> str:
    return ui.grouped(round(amount)) if is_orders else ui.money_whole(amount, business)


def _change(amount: float, is_orders: bool, business: Business) -> str:
    return ui.signed(amount) if is_orders else ui.money_change(amount, business)


def interval(added: Difference, *, is_orders: bool, business: Business) -> str:
    low, high = (_change(each, is_orders, business) for each in (added.low, added.high))
    return low if low == high else _("%(low)s to %(high)s") % {"low": low, "high": high}


@dataclass(frozen=True, kw_only=True, slots=True)
class Across:
    """One amount over the scenarios that are compared."""

    slug: str
    figure: definitions.Figure
    before: str
    cells: Sequence[tuple[str, Row | None]]  # by name of the scenario; None where it says nothing of this


def compared(comparison: Comparison, *, business: Business) -> list[Across]:
    """A row for each amount, a cell for each scenario."""
    several, before = comparison.compared, comparison.before
    found = [
        Across(
            slug=name,
            figure=definitions.WHAT_IF[name],
            before=written(before.lines[name].before, is_orders=name in ORDERS, business=business),
            cells=[(one.kept.scenario.name, _row(name, one.lines[name], business)) for one in several],
        )
        for name in AMOUNTS
    ]
    if before.acquisition_cents is None or not any(one.payback for one in several):
        return found
    return [
        *found,
        Across(
            slug="payback",
            figure=definitions.WHAT_IF["payback"],
            before=month(before.payback[0]),
            cells=[(one.kept.scenario.name, _payback(one.payback) if one.payback else None) for one in several],
        ),
    ]


def notes(answer: Answer, changes: Mapping[str, Decimal], *, business: Business) -> Sequence[str]:
    """What limits the answer, in words."""
    found = []
    if answer.cut and changes["margin_rate"] > 0:
        found.append(
            _(
                "For %(share)s of the customers the margin would be more than all of the revenue."
                " It is cut there: a margin cannot be more."
            )
            % {"share": ui.percent(answer.cut)}
        )
    if answer.nobody_leaves:
        found.append(_("The model sees nobody leave here, so that fewer who leave change nothing."))
    if answer.no_margin:
        found.append(
            _("These customers bring no margin, so that their value stays at nothing. Revenue and orders move.")
        )
    contracts = answer.lines["clv"].contracts
    if contracts:
        found.append(
            _("%(amount)s of the value of 12 months are contracts. The levers do not move them.")
            % {"amount": ui.money_whole(contracts, business)}
        )
    return found
