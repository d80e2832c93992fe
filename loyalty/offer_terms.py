"""An offer in plain sentences: what customers read in their wallet, and staff beside the form."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.utils import formats
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from core import money
from loyalty.days import until
from loyalty.models import Offer
from loyalty.models.offer import EVERY_DAY
from loyalty.offer_refusals import moment
from loyalty.segment_names import named

SHOWN: Final = 3  # names of products or categories in a sentence


def headline(offer: Offer, *, currency: str) -> str:
    """`10% off`, `€5.00 off`, `2 × Mug for free`, `Free shipping`."""
    if offer.kind == Offer.Kind.PERCENT:
        return _("%(percent)s off") % {"percent": percent(offer.percent or Decimal(0))}
    if offer.kind == Offer.Kind.AMOUNT:
        return _("%(amount)s off") % {"amount": money.text(offer.amount_cents or 0, currency)}
    if offer.kind == Offer.Kind.FREE_SHIPPING:
        return _("Free shipping")
    if offer.free_quantity > 1:
        return _("%(number)s × %(item)s for free") % {"number": offer.free_quantity, "item": offer.free_product}
    return _("%(item)s for free") % {"item": offer.free_product}


def of_customer(offer: Offer, *, currency: str, ends_at: datetime | None = None) -> list[str]:
    """Terms that a customer has to know: not when it began, for before that a code says so itself.

    Two queries unless the offer came by selectors.offers.with_terms.

    `ends_at` is the end of her code, where the offer does not end before it.
    """
    return _terms(offer, currency, _when(offer, ends_at))


def of_staff(offer: Offer, *, currency: str) -> list[str]:
    """The same, and what only the shop has to know."""
    began = [_("From %(day)s.") % {"day": moment(offer.starts_at)}] if offer.starts_at else []
    when = [*began, *_when(offer, None)]
    return [*_terms(offer, currency, when), *_for_whom(offer), *_caps(offer, currency), *_floors(offer)]


def _terms(offer: Offer, currency: str, when: Sequence[str]) -> list[str]:
    said = [_what_for(offer), *_base(offer), *_least(offer, currency), *when, *_together(offer)]
    if offer.max_discount_cents is not None:
        most = money.text(offer.max_discount_cents, currency)
        said.append(_("At most %(amount)s off an order.") % {"amount": most})
    if offer.max_per_customer is not None:
        said.append(
            ngettext("Once for each customer.", "%(number)s times for each customer.", offer.max_per_customer)
            % {"number": offer.max_per_customer}
        )
    return [one for one in said if one]


def percent(value: Decimal) -> str:
    """`12.5%` without zeros behind, as the language writes it."""
    number = formats.number_format(value.normalize() + 0, None)
    return pgettext("percent", "%(number)s%%") % {"number": number}


def _what_for(offer: Offer) -> str:
    names = [str(row) for row in (*offer.products.all(), *offer.categories.all())]
    if offer.kind in (Offer.Kind.FREE_ITEM, Offer.Kind.FREE_SHIPPING):
        return _("With something of: %(names)s.") % {"names": listed(names)} if names else ""
    if offer.scope == Offer.Scope.EVERY and names:
        return _("When all of the basket is of: %(names)s.") % {"names": listed(names)}
    if offer.scope == Offer.Scope.CHEAPEST:
        if names:
            return _("For one piece, the cheapest of: %(names)s.") % {"names": listed(names)}
        return _("For one piece, the cheapest in the basket.")
    return _("For: %(names)s.") % {"names": listed(names)} if names else _("For everything in the basket.")


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    text = ", ".join(names[:SHOWN])
    more = len(names) - SHOWN
    if more <= 0:
        return text
    words = ngettext("%(names)s and %(number)s more", "%(names)s and %(number)s more", more)
    return words % {"names": text, "number": more}


def _base(offer: Offer) -> list[str]:
    if offer.kind == Offer.Kind.PERCENT and offer.base == Offer.Base.LIST:
        return [_("Counted from the list price.")]
    return []


def _least(offer: Offer, currency: str) -> list[str]:
    if not offer.minimum_cents:
        return []
    return [_("For baskets of %(amount)s or more.") % {"amount": money.text(offer.minimum_cents, currency)}]


def _when(offer: Offer, code_ends_at: datetime | None) -> list[str]:
    said, ends_at = [], code_ends_at or offer.ends_at
    if ends_at is not None:
        said.append(_("Until %(day)s.") % {"day": until(ends_at)})
    if offer.weekdays != EVERY_DAY:
        days = ", ".join(str(name) for day, name in WEEKDAYS.items() if offer.weekdays >> day & 1)
        said.append(_("Only on: %(days)s.") % {"days": days})
    if offer.from_time is not None and offer.until_time is not None:
        hours = [formats.time_format(hour) for hour in (offer.from_time, offer.until_time)]
        said.append(_("Only from %(begin)s to %(end)s.") % {"begin": hours[0], "end": hours[1]})
    return said


def _together(offer: Offer) -> list[str]:
    return [] if offer.is_stackable else [_("Not together with other codes.")]


def _for_whom(offer: Offer) -> list[str]:
    said = []
    if segments := [named(row) for row in offer.segments.all()]:
        said.append(_("Only for customers in: %(names)s.") % {"names": listed(segments)})
    if tiers := [str(row) for row in offer.tiers.all()]:
        said.append(_("Only for the tiers: %(names)s.") % {"names": listed(tiers)})
    if offer.holder_only:
        said.append(_("A code with a name on it works for that person alone."))
    return said


def _caps(offer: Offer, currency: str) -> list[str]:
    said = []
    if offer.max_uses is not None:
        words = ngettext("Used once at most.", "Used %(number)s times at most.", offer.max_uses)
        said.append(words % {"number": formats.number_format(offer.max_uses)})
    if offer.max_per_day is not None:
        words = ngettext("Once a day at most.", "%(number)s times a day at most.", offer.max_per_day)
        said.append(words % {"number": formats.number_format(offer.max_per_day)})
    if offer.budget_cents is not None:
        said.append(_("Costs %(amount)s at most.") % {"amount": money.text(offer.budget_cents, currency)})
    return said


def _floors(offer: Offer) -> list[str]:
    said = []
    if offer.line_floor is not None:
        share = {"share": percent(offer.line_floor * 100)}
        said.append(_("Each item keeps a margin of %(share)s or more.") % share)
    if offer.order_floor is not None:
        share = {"share": percent(offer.order_floor * 100)}
        said.append(_("The order keeps a margin of %(share)s or more.") % share)
    if not said:
        said.append(_("There is no margin floor: goods may be sold below cost."))
    return said
