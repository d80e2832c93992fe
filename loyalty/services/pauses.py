"""The programme rests for a while: nothing is earned and nothing redeemed, and everybody keeps what they have.

Time goes on meanwhile: points become active and expire as ever, tiers end. Refunds take points back, and what was held
can be redeemed or released.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from core import doorbell
from loyalty.models import Pause, Programme
from loyalty.services import rules


class CannotPause(Exception):
    """The programme is not as the person saw it; the message says how it is."""


@transaction.atomic
def pause(*, at: datetime) -> Programme:
    """Raises CannotPause."""
    row = rules.locked()
    if not row.is_running:
        raise CannotPause(_("The programme is paused already.") if row.is_open else _("The programme is not on."))
    row.paused_at = at
    row.save(update_fields=["paused_at"])
    return row


@transaction.atomic
def resume(*, counts_orders: bool, at: datetime, by: int | None) -> Pause:
    """Goes on from this moment. `counts_orders`: what was ordered meanwhile earns points after all, within a minute.

    Raises CannotPause.
    """
    row = rules.locked()
    if row.paused_at is None:
        raise CannotPause(_("The programme is not paused."))
    one = Pause.objects.create(began_at=row.paused_at, ended_at=at, counts_orders=counts_orders, ended_by_id=by)
    row.paused_at = None
    row.save(update_fields=["paused_at"])
    if counts_orders:
        doorbell.ring("orders")
    return one
