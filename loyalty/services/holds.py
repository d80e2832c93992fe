"""Points that are set aside, given free by staff."""

from datetime import datetime

from loyalty.models import Redemption
from loyalty.services import points, rewards


def release(*, hold_id: int, at: datetime, by: int) -> None:
    """The points go back into their lots, and what a redemption had taken goes back with them.

    Raises TooLate for a redemption that was decided on, HoldEnded for a hold without one that is over.
    """
    one = Redemption.objects.filter(hold_id=hold_id).first()
    if one is not None:
        rewards.release(redemption_id=one.pk, at=at, by=by)
    else:
        points.release(hold_id=hold_id, at=at, key=f"release:hold:{hold_id}")
