"""Why a code does nothing, in the words of who holds it. `code` names the reason for programs."""

from datetime import datetime
from typing import Final

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import money
from loyalty.days import until
from loyalty.discounts import Applied, Refusal
from loyalty.models import Code, Offer, Use


class Refused(Exception):
    """The message is for people."""

    def __init__(self, code: str, message: str | Promise) -> None:
        super().__init__(str(message))
        self.code = code


UNKNOWN: Final = "code_unknown"
EXPIRED: Final = "code_expired"
NOT_YET: Final = "code_not_yet"
EXHAUSTED: Final = "code_exhausted"
BLOCKED: Final = "code_blocked"
PAUSED: Final = "code_paused"
NOT_FOR_THEM: Final = "not_for_this_customer"
NOT_TODAY: Final = "not_today"
BUDGET_SPENT: Final = "budget_spent"
RESERVATION_OVER: Final = "reservation_over"
MINIMUM: Final = Refusal.MINIMUM_NOT_MET.value

OF_BASKETS: Final = {
    Refusal.NO_ITEM_MATCHES: gettext_lazy("Nothing in the basket is what this code is for."),
    Refusal.NOT_STACKABLE: gettext_lazy("This code cannot be used together with another one."),
    Refusal.MARGIN_FLOOR: gettext_lazy("The prices of this basket are too low already for this code."),
    Refusal.NOTHING_LEFT: gettext_lazy("There is nothing left that this code could take off."),
}


def unknown() -> Refused:
    return Refused(UNKNOWN, _("Nobody knows this code. Check it letter by letter."))


def blocked() -> Refused:
    return Refused(BLOCKED, _("This code was blocked."))


def paused() -> Refused:
    return Refused(PAUSED, _("This offer is paused. Try again later."))


def expired(ends_at: datetime | None) -> Refused:
    if ends_at is None:
        return Refused(EXPIRED, _("This offer has ended."))
    return Refused(EXPIRED, _("This code expired on %(day)s.") % {"day": until(ends_at)})


def not_yet(starts_at: datetime) -> Refused:
    return Refused(NOT_YET, _("This code can be used from %(day)s on.") % {"day": moment(starts_at)})


def not_for_them(code: Code | None = None) -> Refused:
    if code is not None:
        return Refused(NOT_FOR_THEM, _("This code belongs to another customer."))
    return Refused(NOT_FOR_THEM, _("This offer is not for this customer."))


def code_used_up(code: Code) -> Refused:
    text = _("This code was used already.") if code.max_uses == 1 else _("This code was used as often as it may be.")
    return Refused(EXHAUSTED, text)


def offer_used_up() -> Refused:
    return Refused(EXHAUSTED, _("This offer was used as often as it may be."))


def customer_used_up() -> Refused:
    return Refused(EXHAUSTED, _("This customer has used the offer as often as one customer may."))


def not_now() -> Refused:
    return Refused(NOT_TODAY, _("This offer does not run on this day and at this hour."))


def day_used_up() -> Refused:
    return Refused(NOT_TODAY, _("This offer was used as often as it may be today. Try again tomorrow."))


def budget_spent() -> Refused:
    return Refused(BUDGET_SPENT, _("What was set aside for this offer is spent."))


def minimum(offer: Offer, *, currency: str) -> Refused:
    least = money.text(offer.minimum_cents, currency)
    return Refused(MINIMUM, _("This code is for baskets of %(amount)s or more.") % {"amount": least})


def of_basket(applied: Applied, offer: Offer, *, currency: str) -> Refused:
    """What discounts.apply refused. `applied.refusal` is not None."""
    if applied.refusal is None or applied.refusal is Refusal.MINIMUM_NOT_MET:
        return minimum(offer, currency=currency)
    return Refused(applied.refusal.value, OF_BASKETS[applied.refusal])


def moment(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT")


def reservation_over(use: Use) -> Refused:
    day = moment(use.released_at or use.used_at)
    return Refused(RESERVATION_OVER, _("This reservation ended on %(day)s. Enter the code again.") % {"day": day})
