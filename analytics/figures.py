"""Key figures as pages and files write them."""

from typing import Final

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.models import Business
from core.templatetags import ui

# What a figure is made of: in words, and whether it is money.
PARTS: Final[dict[str, tuple[Promise, bool]]] = {
    "started": (gettext_lazy("Active before the period"), False),
    "kept": (gettext_lazy("Of them still active"), False),
    "lost": (gettext_lazy("Of them no longer active"), False),
    "buyers": (gettext_lazy("Customers with an order"), False),
    "repeated": (gettext_lazy("Of them bought before"), False),
    "orders": (gettext_lazy("Orders of known customers"), False),
    "days": (gettext_lazy("Days"), False),
    "revenue": (gettext_lazy("Revenue"), True),
    "paid_orders": (gettext_lazy("Paid orders"), False),
    "cost": (gettext_lazy("Acquisition costs"), True),
    "won": (gettext_lazy("New customers"), False),
    "earned_each": (gettext_lazy("Margin per customer by month 12"), True),
    "cost_each": (gettext_lazy("Acquisition cost per customer"), True),
    "value_at_risk": (gettext_lazy("CLV at risk"), True),
    "value": (gettext_lazy("CLV of all customers"), True),
}


def written(amount: float | None, *, kind: str, business: Business) -> str:
    """`81.2%`, `$54.10`, `3.2 : 1`, `2.4 years`, `month 3`; a dash for none."""
    if amount is None:
        return ui.NOTHING
    if kind == "percent":
        return ui.percent(amount, 1)
    if kind == "money":
        return ui.money_text(amount, business)
    if kind == "ratio":
        return _("%(number)s : 1") % {"number": formats.number_format(round(amount, 1), 1)}
    if kind == "years":
        return _("%(number)s years") % {"number": formats.number_format(round(amount, 1), 1, force_grouping=True)}
    if kind == "month":
        return _("month %(number)s") % {"number": round(amount)}
    return formats.number_format(round(amount, 2), 2, force_grouping=True)


def part(name: str, amount: float | None, *, business: Business) -> str:
    """The amount of what a figure is made of; empty where it has no such part."""
    if amount is None:
        return ""
    _label, is_money = PARTS[name]
    return ui.money_text(amount, business) if is_money else ui.grouped(round(amount))
