"""Do beat and worker live? A task that the beat sends each minute leaves a mark; pages and /readyz read its age."""

from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction

from core.models import Arrival, Pulse

SILENT_AFTER: Final = timedelta(minutes=10)  # two long jobs may keep a small machine's workers busy for some minutes
PAUSE: Final = timedelta(minutes=15)  # after a longer one it counts as a new start


@transaction.atomic
def beat(*, at: datetime) -> Pulse:
    """Leave the mark. The row stays locked until the end of the transaction, so callers follow one another."""
    Pulse.objects.get_or_create(name=Pulse.WATCH, defaults={"at": at, "since": at})
    row = Pulse.objects.select_for_update().get(name=Pulse.WATCH)
    if at - row.at > PAUSE:
        row.since = at
    row.at = max(row.at, at)
    row.save(update_fields=["at", "since"])
    return row


def silence(*, at: datetime) -> timedelta | None:
    """How long nobody has answered the beat, when that is too long. None: all is well, or nobody ever did."""
    last = Pulse.objects.filter(name=Pulse.WATCH).values_list("at", flat=True).first()
    return at - last if last is not None and at - last > SILENT_AFTER else None


def said(*, at: datetime) -> str:
    """The same for machines."""
    last = Pulse.objects.filter(name=Pulse.WATCH).values_list("at", flat=True).first()
    if last is None:
        return "not seen yet"
    minutes = (at - last).total_seconds() // 60
    return "ok" if at - last <= SILENT_AFTER else f"silent for {minutes:.0f} minutes"


def note_arrival(*, day: date, at: datetime) -> None:
    """Remember that new orders or refunds came in on this business date."""
    row = Arrival(day=day, last_at=at)
    Arrival.objects.bulk_create([row], update_conflicts=True, unique_fields=["day"], update_fields=["last_at"])
