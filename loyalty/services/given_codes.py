"""Codes that somebody got from us: for points, or for a birthday. For one use, and for nobody else."""

from datetime import datetime, time, timedelta

from core import business as settings_row
from loyalty import codes
from loyalty.models import Code, Offer
from loyalty.services import offers


def give(*, offer: Offer, customer_id: int, days: int | None, at: datetime) -> Code:
    """A new code of the offer. With `days` it is good to the end of the day that lies so many days ahead."""
    expires_at = None if days is None else _end_of_day(at, days=days)
    return Code.objects.create(offer=offer, code=codes.new(), holder_id=customer_id, max_uses=1, expires_at=expires_at)


def take_back(*, code_id: int, at: datetime) -> bool:
    """Block the code; False, and nothing changed, when it is used or reserved. Whoever uses it waits."""
    code = Code.objects.select_related("offer").get(pk=code_id)
    offers.lock(code.offer)
    return bool(Code.objects.filter(pk=code_id, used=0).update(blocked_at=at))


def _end_of_day(at: datetime, *, days: int) -> datetime:
    zone = settings_row.current().zone
    return datetime.combine(at.astimezone(zone).date() + timedelta(days=days + 1), time(), zone)
