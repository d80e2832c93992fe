"""What changed between two nights, in one sentence or two."""

from collections.abc import Iterator, Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from analytics.selectors.value_drivers import CONTRACTS, PARTS, Change
from core.models import Business
from core.templatetags import ui

SUBJECTS: Final[Mapping[str, Promise]] = {  # by the horizon's name
    "12m": lazy("The value of the next 12 months"),
    "36m": lazy("The value of the next 36 months"),
    "lifetime": lazy("The lifetime value"),
}
# By driver: what it is that raises the value, and what lowers it.
REASONS: Final[Mapping[str, tuple[Promise, Promise]]] = {
    "customers": (lazy("there are more customers"), lazy("there are fewer customers")),
    "time": (lazy("customers are expected to stay longer"), lazy("customers are expected to leave sooner")),
    "frequency": (
        lazy("a customer is expected to order more often"),
        lazy("a customer is expected to order less often"),
    ),
    "money": (lazy("an order is expected to bring more"), lazy("an order is expected to bring less")),
    CONTRACTS: (lazy("contracts are worth more"), lazy("contracts are worth less")),
}
ROSE: Final = lazy("%(value)s rose by %(amount)s (%(share)s).")
FELL: Final = lazy("%(value)s fell by %(amount)s (%(share)s).")
WORTH_A_WORD: Final = 0.1  # of the part that weighs most


def what_changed(change: Change, *, horizon: str, business: Business) -> str:
    """`horizon`: its name, one of SUBJECTS."""
    difference, said = change.difference_cents, {"value": str(SUBJECTS[horizon])}
    if ui.money_whole(difference, business) == ui.money_whole(0, business):
        return _("%(value)s is as it was.") % said
    if not change.before_cents:
        return _("%(value)s rose from nothing.") % said
    if not change.after_cents:
        return _("%(value)s fell to nothing.") % said
    said |= {"amount": ui.money_whole(abs(difference), business), "share": ui.signed_percent(change.share or 0.0)}
    pattern = ROSE if difference > 0 else FELL
    return " ".join([str(pattern) % said, *_reasons(change, business)])


def _reasons(change: Change, business: Business) -> Iterator[str]:
    """What weighed most, and what weighed most against it where that is worth a word."""
    sign = 1 if change.difference_cents > 0 else -1
    main, other = (max(PARTS, key=lambda name: side * change.parts[name]) for side in (sign, -sign))
    yield _("The main reason: %(reason)s (%(part)s).") % _told(change, main, business)
    if -sign * change.parts[other] > WORTH_A_WORD * abs(change.parts[main]):
        yield _("Against it: %(reason)s (%(part)s).") % _told(change, other, business)


def _told(change: Change, name: str, business: Business) -> dict[str, str]:
    more, fewer = REASONS[name]
    part = change.parts[name]
    return {"reason": str(more if part > 0 else fewer), "part": ui.money_change(part, business)}
