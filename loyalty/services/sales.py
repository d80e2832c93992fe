"""A purchase at the till: all of its codes and points are used, or none; and taken back as one within a minute."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from customers.services import people_lock
from loyalty.models import Redemption, Use
from loyalty.offer_refusals import Refused
from loyalty.selectors.basket_lines import Item
from loyalty.services import offers, rewards
from loyalty.services.offers import Purchase
from loyalty.services.rewards import UNDO, Wish

UNDONE = gettext_noop("Undone at the till")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What somebody agreed to: `off_cents` is what codes and points were said to take off together.

    `codes` come by the priority of their offers, so that two tills lock the offers in one order.
    """

    customer_id: int
    items: Sequence[Item]
    shipping_cents: int = 0
    codes: Sequence[str] = ()
    points: int = 0
    receipt: str = ""
    off_cents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What was used for a token."""

    uses: Sequence[Use]
    redemption: Redemption | None

    @property
    def is_known(self) -> bool:
        return bool(self.uses) or self.redemption is not None

    @property
    def off_cents(self) -> int:
        points = self.redemption.money_off_cents if self.redemption else 0
        return points + sum(use.discount_cents for use in self.uses)

    @property
    def is_undone(self) -> bool:
        states = [use.state for use in self.uses] + ([self.redemption.state] if self.redemption else [])
        return bool(states) and set(states) <= {Use.State.RELEASED, Redemption.State.CANCELLED}

    def is_undoable(self, at: datetime) -> bool:
        times = [use.used_at for use in self.uses] + ([self.redemption.made_at] if self.redemption else [])
        return bool(times) and min(times) > at - UNDO and not self.is_undone


@transaction.atomic
def use(*, sale: Sale, token: str, at: datetime, by: int) -> Used:
    """The same token again is the first use. The account is locked before the offers.

    Raises what rewards.redeem and offers.redeem raise, and Refused when it would take off something else by now.
    """
    sale = replace(sale, customer_id=people_lock.writing_about(sale.customer_id))
    reference = sale.receipt or _key(token)
    redemption = None
    if sale.points:
        wish = Wish(customer_id=sale.customer_id, points=sale.points, reference=reference)
        done = rewards.redeem(wish=wish, key=f"{_key(token)}:points", at=at, place=Redemption.Place.TILL, by=by)
        redemption = done.redemption
    purchase = Purchase(items=sale.items, shipping_cents=sale.shipping_cents, reference=reference)
    uses = [
        offers.redeem(
            text=text, customer_id=sale.customer_id, key=f"{_key(token)}:{place}", at=at, purchase=purchase, by=by
        )
        for place, text in enumerate(sale.codes, start=1)
    ]
    used = Used(uses=uses, redemption=redemption)
    if used.off_cents != sale.off_cents:
        raise changed()
    return used


def changed() -> Refused:
    return Refused("bill_changed", _("What comes off has changed meanwhile. Look at the bill again."))


def found(*, token: str) -> Used:
    """What was used for a token; nothing for one that nobody knows."""
    uses = Use.objects.select_related("code", "offer", "customer").filter(key__startswith=f"{_key(token)}:")
    redemption = Redemption.objects.select_related("customer").filter(key=f"{_key(token)}:points").first()
    return Used(uses=list(uses.order_by("pk")), redemption=redemption)


@transaction.atomic
def undo(*, token: str, at: datetime, by: int) -> bool:
    """Give points and codes back; twice is once. False when the minute is over."""
    used = found(token=token)
    if used.is_undone:
        return True
    if not used.is_undoable(at):
        return False
    if used.redemption:
        rewards.cancel(redemption_id=used.redemption.pk, at=at, reason=UNDONE, by=by)
    for one in sorted(used.uses, key=lambda one: one.pk):
        offers.release(use_id=one.pk, at=at)
    return True


def _key(token: str) -> str:
    return f"till:{token}"
